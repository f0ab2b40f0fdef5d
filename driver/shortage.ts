// SPDX-License-Identifier: MIT

/**
 * Why the driver has no memory for blocks, and what to change.
 *
 * @module
 */

import type { DeviceInfo } from "./info.ts";
import type { PolicyName } from "./uapi.ts";

/** What is known when an allocation fails. */
export interface Shortage {
  /** Limits of the device. */
  readonly info: Pick<DeviceInfo, "maxBlocks" | "maxBytes">;
  /** Number of bytes that were requested, all blocks together. */
  readonly bytes: number;
  /** Number of blocks that were requested. */
  readonly count: number;
  /** Policy of the blocks. */
  readonly policy: PolicyName;
  /** Size of each block that this caller holds already, bytes. */
  readonly held: readonly number[];
  /** Content of `/proc/meminfo` on the machine that has the device, or null if it is not known. */
  readonly memoryInfo: string | null;
}

/** Policies whose blocks are physically contiguous, so that large ones come from CMA where there is one. */
const CONTIGUOUS: readonly PolicyName[] = ["coherent", "write-combine", "noncoherent"];

/**
 * Describe why an allocation fails with ENOMEM.
 *
 * @param shortage What is known.
 * @returns One line: the limit that is reached and the parameter that raises it, or how much memory is free.
 */
export function describeShortage(
  { info, bytes, count, policy, held, memoryInfo }: Shortage,
): string {
  const used = held.reduce((sum, size) => sum + size, 0);
  if (held.length + count > info.maxBlocks) {
    return `${held.length} of the ${info.maxBlocks} blocks of the device are in use: free some`;
  }
  if (used + bytes > info.maxBytes) {
    return `${used} of the ${info.maxBytes} bytes of the device are in use: free some, or load pldma.ko ` +
      "with a larger max_bytes=";
  }
  const total = kibibytes(memoryInfo, "CmaTotal");
  const free = kibibytes(memoryInfo, "CmaFree");
  if (CONTIGUOUS.includes(policy) && total !== null && free !== null && total > 0) {
    return `the contiguous memory (CMA) has ${free} of ${total} KiB free: use smaller or fewer blocks, or ` +
      "boot with a larger cma=";
  }
  const available = kibibytes(memoryInfo, "MemAvailable");
  return (available === null
    ? ""
    : `${available} KiB of memory are available, perhaps in pieces: `) +
    "use smaller or fewer blocks, or a policy without contiguous memory, such as user-pages";
}

/** A value of `/proc/meminfo`, or null if it has none. */
function kibibytes(memoryInfo: string | null, name: string): number | null {
  const value = new RegExp(`^${name}:\\s*(\\d+) kB`, "m").exec(memoryInfo ?? "")?.[1];
  return value === undefined ? null : Number(value);
}
