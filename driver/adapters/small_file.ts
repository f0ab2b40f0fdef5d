// SPDX-License-Identifier: MIT

/**
 * Small files of the kernel, such as those in sysfs, through the system calls that an adapter works on.
 *
 * @module
 */

import { O_CLOEXEC, O_RDONLY, O_WRONLY, type Syscalls } from "../syscalls.ts";

/** Bytes of the longest text that is read. */
const LONGEST = 256;

/**
 * Read a small file.
 *
 * @param under The system calls.
 * @param path Path of the file.
 * @returns Its text, at most 256 bytes, without white space around it.
 * @throws {ErrnoError} If it cannot be opened or read.
 */
export function readSmallFile(under: Syscalls, path: string): string {
  const fd = under.open(path, O_RDONLY | O_CLOEXEC);
  try {
    const text = new Uint8Array(LONGEST);
    return new TextDecoder().decode(text.subarray(0, under.read(fd, text))).trim();
  } finally {
    under.close(fd);
  }
}

/**
 * Write a small file in one call.
 *
 * @param under The system calls.
 * @param path Path of the file.
 * @param text The text.
 * @throws {ErrnoError} If it cannot be opened or written.
 */
export function writeSmallFile(under: Syscalls, path: string, text: string): void {
  const fd = under.open(path, O_WRONLY | O_CLOEXEC);
  try {
    under.write(fd, new TextEncoder().encode(text));
  } finally {
    under.close(fd);
  }
}
