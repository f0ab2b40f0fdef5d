// SPDX-License-Identifier: MIT
/**
 * The sizes of the processor's data caches. A frame that fits into a cache behaves differently from a frame
 * that evicts itself from it.
 *
 * @module
 */

import { ErrnoError } from "../../../driver/errno.ts";
import { libc } from "../../../driver/libc.ts";

/** Sizes of data caches, bytes. */
export interface Caches {
  /** The first level. */
  readonly first: number;
  /** The last level. */
  readonly last: number;
  /** The source: `system`, or `assumed` if the system does not report sizes. */
  readonly source: "system" | "assumed";
}

/** A Cortex-A53 with the second level of Zynq UltraScale+ (AMD UG1085). */
const ASSUMED: Caches = { first: 32 << 10, last: 1 << 20, source: "assumed" };

/** Largest number of caches that Linux lists. */
const INDICES = 8;

/** Largest size of a file of sysfs, bytes. */
const LONGEST = 4096;

/** Reads the sizes that Linux reports (Documentation/ABI/testing/sysfs-devices-system-cpu).
 *
 * @param read Reads a file of the machine that has the device. Defaults to reading one of this machine
 * @param root Folder of the first processor's caches
 * @returns The sizes
 */
export function readCaches(
  read: (path: string) => string | null = readHere,
  root = "/sys/devices/system/cpu/cpu0/cache",
): Caches {
  const text = (path: string) => (read(path) ?? "").trim();
  const sizes: number[] = [];
  for (let i = 0; i < INDICES; i++) {
    const type = text(`${root}/index${i}/type`);
    if (type === "Data" || type === "Unified") sizes.push(parse(text(`${root}/index${i}/size`)));
  }
  const known = sizes.filter((size) => size > 0);
  if (known.length === 0) return ASSUMED;
  return { first: Math.min(...known), last: Math.max(...known), source: "system" };
}

/** Such as `32K` or `1M`, as bytes; 0 when it is neither. */
function parse(text: string): number {
  const [, digits = "", unit = ""] = /^(\d{1,9})([KM]?)$/.exec(text) ?? [];
  return Number(digits) * ({ K: 1 << 10, M: 1 << 20 }[unit] ?? 1);
}

/** A file's text; by libc, since Deno lets a program into /sys with all permissions only. */
function readHere(path: string): string {
  try {
    const fd = libc.open(path, 0);
    try {
      const buffer = new Uint8Array(LONGEST);
      return new TextDecoder().decode(buffer.subarray(0, libc.read(fd, buffer)));
    } finally {
      libc.close(fd);
    }
  } catch (error) {
    if (!(error instanceof ErrnoError)) throw error;
    return "";
  }
}

/**
 * Frames of a line, of a page, and around the sizes of the caches.
 *
 * @param caches The caches; null for a board whose caches have no size
 * @param units `line`, `page`, and `most` that a frame may have, bytes
 * @returns Bytes, rising
 */
export function frameSizes(
  caches: Caches | null,
  { line, page, most }: { line: number; page: number; most: number },
): number[] {
  const around = caches === null
    ? [16 * page]
    : [caches.first / 2, 2 * caches.first, Math.min(2 * caches.last, LARGEST)];
  const sizes = [line, page, ...around].map((size) => Math.ceil(size / line) * line);
  return [...new Set(sizes.filter((size) => size <= most))].sort((a, b) => a - b);
}

/** Caches beyond half of this are those of machines whose devices are coherent. */
const LARGEST = 2 << 20;
