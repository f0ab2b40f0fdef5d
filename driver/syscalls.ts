// SPDX-License-Identifier: MIT

/**
 * The seam below the driver binding: the system calls that everything above it is made of. `libc`
 * implements it by FFI, a board in process by plain TypeScript.
 *
 * @module
 */

import type { Mapping } from "./mapping.ts";

/** Flag of `open()`: for reading and writing. */
export const O_RDWR = 0o2;
/** Flag of `open()`: a call that would wait fails with EAGAIN. */
export const O_NONBLOCK = 0o4000;
/** Flag of `open()`: not inherited by programs that this process starts. */
export const O_CLOEXEC = 0o2000000;

/** Protection of `mmap()`: pages may be read. */
export const PROT_READ = 0x1;
/** Protection of `mmap()`: pages may be written. */
export const PROT_WRITE = 0x2;

/** Flag of `mmap()`: stores reach the file or device. */
export const MAP_SHARED = 0x01;
/** Flag of `mmap()`: stores stay in this process. */
export const MAP_PRIVATE = 0x02;
/** Flag of `mmap()`: memory of zeros, not of a file; goes with file descriptor -1. */
export const MAP_ANONYMOUS = 0x20;

/** Event of `poll()`: there is something to read. */
export const POLLIN = 0x01;
/** Event of `poll()`: there is room to write. */
export const POLLOUT = 0x04;
/** Event of `poll()`: an error; reported without being asked for. */
export const POLLERR = 0x08;
/** Event of `poll()`: the device is gone; reported without being asked for. */
export const POLLHUP = 0x10;
/** Event of `poll()`: not an open file descriptor; reported without being asked for. */
export const POLLNVAL = 0x20;

/** Request that every Linux file understands: O_NONBLOCK on or off, by an `int`. */
export const FIONBIO = 0x5421;

/**
 * The system calls that the driver binding needs. Each throws `ErrnoError` when the call fails.
 */
export interface Syscalls {
  /**
   * Open a file.
   *
   * @param path Path of the file.
   * @param flags `O_*`.
   * @returns A file descriptor that the caller owns.
   */
  open(path: string, flags: number): number;

  /**
   * Close a file descriptor.
   *
   * @param fd The file descriptor.
   */
  close(fd: number): void;

  /**
   * Send a request to a device and wait for it, on this thread.
   *
   * @param fd The file descriptor.
   * @param request The request number.
   * @param argument The request's struct, read and written in place, or null.
   * @returns What the call returned, not negative.
   */
  ioctl(fd: number, request: number, argument: Uint8Array<ArrayBuffer> | null): number;

  /**
   * Send a request to a device and wait for it on another thread. errno does not survive the way back
   * from there: use it only for requests that store their error in the struct.
   *
   * @param fd The file descriptor, which must stay open until the promise is settled.
   * @param request The request number.
   * @param argument The request's struct, which must be left alone until the promise is settled.
   * @returns A promise of what the call returned; -1 when it failed. It does not reject for that.
   */
  ioctlAsync(fd: number, request: number, argument: Uint8Array<ArrayBuffer>): Promise<number>;

  /**
   * Map memory.
   *
   * @param length Bytes.
   * @param prot `PROT_*`.
   * @param flags `MAP_*`.
   * @param fd The file descriptor, or -1 with `MAP_ANONYMOUS`.
   * @param offset Where to start in the file, bytes; a multiple of the page size.
   * @returns The mapping, which the caller owns. A store to memory mapped without `PROT_WRITE` kills
   * the process.
   */
  mmap(length: number, prot: number, flags: number, fd: number, offset: number): Mapping;

  /**
   * Detach every view on a mapping, then unmap it.
   *
   * @param mapping The mapping, useless afterwards.
   */
  munmap(mapping: Mapping): void;

  /**
   * Wait until a file is ready.
   *
   * @param fd The file descriptor.
   * @param events `POLL*` events to wait for.
   * @param timeoutMs The longest wait, milliseconds: finite and not negative.
   * @returns The `POLL*` events that hold, 0 when the time is over.
   */
  poll(fd: number, events: number, timeoutMs: number): number;

  /**
   * Read from a file.
   *
   * @param fd The file descriptor.
   * @param buffer Where to put the bytes.
   * @returns How many bytes were read.
   */
  read(fd: number, buffer: Uint8Array): number;

  /**
   * Write to a file.
   *
   * @param fd The file descriptor.
   * @param buffer The bytes.
   * @returns How many bytes were written.
   */
  write(fd: number, buffer: Uint8Array): number;

  /**
   * The clock that deadlines are given in, CLOCK_MONOTONIC.
   *
   * @returns Nanoseconds since an arbitrary moment. Exact up to 2^53 (104 days), then rounded to the
   * nearest number that a double holds.
   */
  monotonicNs(): number;

  /**
   * Compare mapped memory with bytes, as `memcmp()` does.
   *
   * @param mapping The mapping.
   * @param offset Where to start in it, bytes. The caller has checked the range.
   * @param expected The bytes to compare with, from their beginning.
   * @param length How many bytes to compare.
   * @returns Whether all are equal.
   */
  equal(mapping: Mapping, offset: number, expected: Uint8Array, length: number): boolean;
}
