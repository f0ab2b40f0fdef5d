// SPDX-License-Identifier: MIT

/**
 * The system calls that the driver binding uses. `libc` implements them by FFI. The simulated board
 * implements them in TypeScript.
 *
 * @module
 */

import type { Mapping } from "./mapping.ts";

/** Flag of `open()`: open for reading and writing. */
export const O_RDONLY = 0o0;
export const O_WRONLY = 0o1;
export const O_RDWR = 0o2;
/** Flag of `open()`: calls that would wait fail with EAGAIN instead. */
export const O_NONBLOCK = 0o4000;
/** Flag of `open()`: programs that this process starts do not inherit the file. */
export const O_CLOEXEC = 0o2000000;

/** Protection of `mmap()`: the process may read the pages. */
export const PROT_READ = 0x1;
/** Protection of `mmap()`: the process may write to the pages. */
export const PROT_WRITE = 0x2;

/** Flag of `mmap()`: stores reach the file or device. */
export const MAP_SHARED = 0x01;
/** Flag of `mmap()`: stores stay in this process. */
export const MAP_PRIVATE = 0x02;
/** Flag of `mmap()`: map zeroed memory without a file. Requires file descriptor -1. */
export const MAP_ANONYMOUS = 0x20;

/** Event of `poll()`: reading does not wait. */
export const POLLIN = 0x01;
/** Event of `poll()`: writing does not wait. */
export const POLLOUT = 0x04;
/** Event of `poll()`: an error. Always reported, without a request for it. */
export const POLLERR = 0x08;
/** Event of `poll()`: the device is gone. Always reported, without a request for it. */
export const POLLHUP = 0x10;
/** Event of `poll()`: the file descriptor is not open. Always reported, without a request for it. */
export const POLLNVAL = 0x20;

/** Request that sets or clears O_NONBLOCK of a file. Its argument is an `int`. */
export const FIONBIO = 0x5421;

/** Memory that the struct of a request points to. */
export interface Attachment {
  /** Offset of the 64-bit pointer in the struct, bytes. The call stores the address there. */
  readonly at: number;
  /** The memory, which the call reads and writes in place. */
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** Registers of a design, 32 bits each. */
export interface RegisterPort {
  /** Bytes that can be accessed. */
  readonly length: number;
  /**
   * Read a register.
   *
   * @param offset Where it is, bytes, a multiple of 4.
   * @returns Its value, 0 to 2^32 - 1.
   */
  load(offset: number): number;
  /**
   * Write a register.
   *
   * @param offset Where it is, bytes, a multiple of 4.
   * @param value Its value, 0 to 2^32 - 1.
   */
  store(offset: number, value: number): void;
}

/**
 * The system calls that the driver binding needs. Each throws `ErrnoError` if the call fails.
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
   * Send a request to a device and wait for it on this thread.
   *
   * @param fd The file descriptor.
   * @param request The request number.
   * @param argument The struct of the request, which the call reads and writes in place, or null.
   * @param attachment Memory that the struct points to. Defaults to none.
   * @returns The result of the call, which is not negative.
   */
  ioctl(
    fd: number,
    request: number,
    argument: Uint8Array<ArrayBuffer> | null,
    attachment?: Attachment,
  ): number;

  /**
   * Send a request to a device and wait for it on another thread. errno of that thread is lost, so use this
   * only for requests that store their error in the struct.
   *
   * @param fd The file descriptor. Keep it open until the promise is settled.
   * @param request The request number.
   * @param argument The struct of the request. Do not access it until the promise is settled.
   * @returns A promise of the result of the call. It resolves with -1 if the call failed.
   */
  ioctlAsync(fd: number, request: number, argument: Uint8Array<ArrayBuffer>): Promise<number>;

  /**
   * Map memory.
   *
   * @param length Number of bytes.
   * @param prot `PROT_*`.
   * @param flags `MAP_*`.
   * @param fd The file descriptor, or -1 with `MAP_ANONYMOUS`.
   * @param offset Start in the file, bytes, a multiple of the page size.
   * @returns The mapping, which the caller owns. Without `PROT_WRITE`, a store kills the process.
   */
  mmap(length: number, prot: number, flags: number, fd: number, offset: number): Mapping;

  /**
   * Detach every view of a mapping, then unmap it.
   *
   * @param mapping The mapping. Do not use it afterwards.
   */
  munmap(mapping: Mapping): void;

  /**
   * Wait until a file is ready.
   *
   * @param fd The file descriptor.
   * @param events `POLL*` events to wait for.
   * @param timeoutMs The longest wait, milliseconds, finite and not negative.
   * @returns The `POLL*` events that hold, or 0 if the time is over.
   */
  poll(fd: number, events: number, timeoutMs: number): number;

  /**
   * Read from a file.
   *
   * @param fd The file descriptor.
   * @param buffer Receives the bytes.
   * @returns Number of bytes that were read.
   */
  read(fd: number, buffer: Uint8Array): number;

  /**
   * Write to a file.
   *
   * @param fd The file descriptor.
   * @param buffer The bytes to write.
   * @returns Number of bytes that were written.
   */
  write(fd: number, buffer: Uint8Array): number;

  /**
   * Read CLOCK_MONOTONIC, which deadlines refer to.
   *
   * @returns Whole nanoseconds since an arbitrary moment. Exact up to 2^53 (104 days), then rounded to the
   * precision of a double.
   */
  monotonicNs(): number;

  /**
   * Read `/proc/meminfo` on the machine that has the devices. Absent on a board without such a file.
   *
   * @returns The content of the file, or null if it cannot be read.
   */
  memoryInfo?(): string | null;

  /**
   * Find the registers of a design that is a model. Absent on a machine, where registers are mapped.
   *
   * @param path Path of the device, such as `/dev/uio0`.
   * @returns The registers, or null if the model has none.
   */
  registers?(path: string): RegisterPort | null;

  /**
   * Compare mapped memory with expected bytes, as `memcmp()` does.
   *
   * @param mapping The mapping.
   * @param offset Start in the mapping, bytes. The caller has checked the range.
   * @param expected The expected bytes, starting at index 0.
   * @param length Number of bytes to compare.
   * @returns Whether all bytes are equal.
   */
  equal(mapping: Mapping, offset: number, expected: Uint8Array, length: number): boolean;
}
