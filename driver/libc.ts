// SPDX-License-Identifier: MIT

/**
 * The system calls of this machine, through the C library.
 *
 * Two facts shape this file. First, errno is only correct directly after a synchronous call, so exactly one
 * function reads it, and every call goes through that function. Second, a bigint is 70 ns faster than a
 * number as argument for a 64-bit parameter.
 *
 * @module
 */

import { ErrnoError } from "./errno.ts";
import { Mapping } from "./mapping.ts";
import type { Attachment, Syscalls } from "./syscalls.ts";

const CLOCK_MONOTONIC = 1;
const MAP_FAILED = 0xffff_ffff_ffff_ffffn;

const SYMBOLS = {
  open: {
    parameters: [
      "buffer", // const char *path
      "i32", // int flags
      "u32", // mode_t mode
    ],
    result: "i32",
  },
  close: {
    parameters: ["i32"], // int fd
    result: "i32",
  },
  ioctl: {
    parameters: [
      "i32", // int fd
      "u32", // unsigned long request, of which the kernel uses 32 bits
      "buffer", // void *argument
    ],
    result: "i32",
  },
  ioctlAsync: {
    name: "ioctl",
    parameters: [
      "i32", // int fd
      "u32", // unsigned long request, of which the kernel uses 32 bits
      "buffer", // void *argument, which Deno keeps alive until the call returns
    ],
    result: "i32",
    nonblocking: true,
  },
  mmap: {
    parameters: [
      "u64", // void *address
      "usize", // size_t length
      "i32", // int prot
      "i32", // int flags
      "i32", // int fd
      "i64", // off_t offset
    ],
    result: "u64", // void *, as a number because MAP_FAILED is not null
  },
  munmap: {
    parameters: [
      "u64", // void *address
      "usize", // size_t length
    ],
    result: "i32",
  },
  poll: {
    parameters: [
      "buffer", // struct pollfd *fds
      "u64", // nfds_t nfds
      "i32", // int timeout
    ],
    result: "i32",
  },
  read: {
    parameters: [
      "i32", // int fd
      "buffer", // void *buffer
      "usize", // size_t count
    ],
    result: "isize",
  },
  write: {
    parameters: [
      "i32", // int fd
      "buffer", // const void *buffer
      "usize", // size_t count
    ],
    result: "isize",
  },
  clock_gettime: {
    parameters: [
      "i32", // clockid_t clock
      "buffer", // struct timespec *now
    ],
    result: "i32",
  },
  memcmp: {
    parameters: [
      "u64", // const void *a
      "buffer", // const void *b
      "usize", // size_t length
    ],
    result: "i32",
  },
  __errno_location: {
    parameters: [],
    result: "pointer", // int *
  },
} as const satisfies Deno.ForeignLibraryInterface;

/** The C library. It is opened at its first use, so importing this file needs no permission. */
interface Library {
  readonly symbols: Deno.DynamicLibrary<typeof SYMBOLS>["symbols"];
  /** errno of this thread. */
  readonly errno: Int32Array;
}

let library: Library | undefined;

function load(): Library {
  if (Deno.build.os !== "linux") {
    throw new Error(
      `Expected Linux, found ${Deno.build.os}: every board, including the simulated one, needs mmap() of Linux`,
    );
  }
  const { symbols } = Deno.dlopen("libc.so.6", SYMBOLS);
  const location = symbols.__errno_location();
  if (location === null) throw new Error("Expected the address of errno, found null");
  const errno = new Int32Array(Deno.UnsafePointerView.getArrayBuffer(location, 4));
  return { symbols, errno };
}

/** The only place that reads errno. Pass the result of a synchronous call directly to it. */
function check(result: number, { errno }: Library, syscall: string, subject?: string): number {
  if (result === -1) {
    const number = errno[0] ?? 0;
    throw new ErrnoError(subject === undefined ? syscall : `${syscall} ${subject}`, number);
  }
  return result;
}

const encoder = new TextEncoder();
const pollfd = new Uint8Array(8);
const pollfdView = new DataView(pollfd.buffer);
const timespec = new Int32Array(4);

/**
 * The system calls of this machine. Needs `--allow-ffi` without a list of libraries, because a list would
 * forbid access to mapped memory.
 */
export const libc: Syscalls = {
  open(path: string, flags: number): number {
    if (path.includes("\0")) throw new RangeError("Expected a path without NUL characters");
    library ??= load();
    return check(
      library.symbols.open(encoder.encode(`${path}\0`), flags, 0),
      library,
      "open",
      path,
    );
  },

  close(fd: number): void {
    library ??= load();
    check(library.symbols.close(fd), library, "close");
  },

  ioctl(
    fd: number,
    request: number,
    argument: Uint8Array<ArrayBuffer> | null,
    attachment?: Attachment,
  ): number {
    library ??= load();
    if (attachment !== undefined && argument !== null) {
      const address = Deno.UnsafePointer.value(Deno.UnsafePointer.of(attachment.bytes));
      const view = new DataView(argument.buffer, argument.byteOffset);
      view.setBigUint64(attachment.at, address, true);
    }
    return check(library.symbols.ioctl(fd, request, argument), library, "ioctl");
  },

  ioctlAsync(fd: number, request: number, argument: Uint8Array<ArrayBuffer>): Promise<number> {
    library ??= load();
    return library.symbols.ioctlAsync(fd, request, argument);
  },

  mmap(length: number, prot: number, flags: number, fd: number, offset: number): Mapping {
    library ??= load();
    const address = library.symbols.mmap(0n, BigInt(length), prot, flags, fd, BigInt(offset));
    if (address === MAP_FAILED) check(-1, library, "mmap");
    const pointer = Deno.UnsafePointer.create(address);
    if (pointer === null) throw new Error("Expected mapped memory, found address 0");
    return new Mapping(address, Deno.UnsafePointerView.getArrayBuffer(pointer, length));
  },

  munmap(mapping: Mapping): void {
    library ??= load();
    mapping.detach();
    check(library.symbols.munmap(mapping.address, BigInt(mapping.length)), library, "munmap");
  },

  poll(fd: number, events: number, timeoutMs: number): number {
    if (!(timeoutMs >= 0 && timeoutMs <= 0x7fff_ffff)) {
      throw new RangeError(`Expected a finite timeout of 0 ms or more, found ${timeoutMs}`);
    }
    library ??= load();
    pollfdView.setInt32(0, fd, true);
    pollfdView.setInt16(4, events, true);
    pollfdView.setInt16(6, 0, true);
    check(library.symbols.poll(pollfd, 1n, Math.ceil(timeoutMs)), library, "poll");
    return pollfdView.getInt16(6, true);
  },

  read(fd: number, buffer: Uint8Array): number {
    library ??= load();
    const count = BigInt(buffer.byteLength);
    return check(Number(library.symbols.read(fd, bufferOf(buffer), count)), library, "read");
  },

  write(fd: number, buffer: Uint8Array): number {
    library ??= load();
    const count = BigInt(buffer.byteLength);
    return check(Number(library.symbols.write(fd, bufferOf(buffer), count)), library, "write");
  },

  monotonicNs(): number {
    library ??= load();
    check(library.symbols.clock_gettime(CLOCK_MONOTONIC, timespec), library, "clock_gettime");
    const seconds = (timespec[1] ?? 0) * 0x1_0000_0000 + ((timespec[0] ?? 0) >>> 0);
    return seconds * 1e9 + (timespec[2] ?? 0);
  },

  memoryInfo(): string | null {
    try {
      return Deno.readTextFileSync("/proc/meminfo");
    } catch {
      return null; // Without permission.
    }
  },

  equal(mapping: Mapping, offset: number, expected: Uint8Array, length: number): boolean {
    const { memcmp } = (library ??= load()).symbols;
    return memcmp(mapping.addressOf(offset), bufferOf(expected), BigInt(length)) === 0;
  },
};

/** FFI accepts every view, but its type excludes views of shared memory. */
function bufferOf(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return bytes as Uint8Array<ArrayBuffer>;
}
