// SPDX-License-Identifier: MIT
/**
 * How the CPU of the machine with the device accesses memory: ordinary memory to compare blocks with, copies and
 * loops.
 *
 * @module
 */

import type { Device } from "../../driver/device.ts";
import type { Mapping } from "../../driver/mapping.ts";
import { MAP_ANONYMOUS, MAP_PRIVATE, PROT_READ, PROT_WRITE } from "../../driver/syscalls.ts";
import { copyBytes } from "./libc.ts";
import { loops } from "./loops.ts";
import { targetOf } from "./on_target.ts";

/** Accesses to memory, which is named by its address. */
export interface Access {
  /** Reads bytes one by one. Returns their sum. */
  byte(from: bigint, length: number): number;
  /** Reads words of 8 bytes one by one. */
  word(from: bigint, length: number): void;
  /** Copies bytes by `memcpy`. */
  copy(to: bigint, from: bigint, length: number): void;
}

/**
 * Returns the accesses of the CPU that has a device.
 *
 * @param device The device
 * @returns The accesses
 */
export function accessOf(device: Device): Access {
  const remote = targetOf(device);
  if (remote === null) {
    const { byte, word } = loops();
    return {
      byte: (from, length) => Number(byte(from, length)),
      word: (from, length) => word(from, length / 8),
      copy: copyBytes,
    };
  }
  return {
    byte: (from, length) => remote.sum(from, length, 1),
    word: (from, length) => remote.sum(from, length, 8),
    copy: (to, from, length) => remote.copy(to, from, length),
  };
}

/**
 * Maps ordinary memory on the machine that has a device. Each byte is 1.
 *
 * @param device The device
 * @param size Bytes
 * @returns The memory, which the caller disposes of
 */
export function ordinaryMemory(
  { syscalls }: Device,
  size: number,
): Disposable & Pick<Mapping, "address"> {
  const prot = PROT_READ | PROT_WRITE;
  const mapping = syscalls.mmap(size, prot, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  mapping.fill(1, 0, size);
  return { address: mapping.address, [Symbol.dispose]: () => syscalls.munmap(mapping) };
}
