// SPDX-License-Identifier: MIT

/**
 * What adapters have in common: errors that name the adapter, and calls that say the same on every driver
 * without `read()`, `write()` and requests beyond its own.
 *
 * @module
 */

import { AdapterError, ERRNO, ErrnoError } from "../errno.ts";
import type { Mapping } from "../mapping.ts";
import type { Attachment, Syscalls } from "../syscalls.ts";
import { DEQUEUE, IOC } from "../uapi.ts";

/** System calls of a driver that is not pldma. Its requests are those of the class that extends this one. */
export abstract class AdapterSyscalls implements Syscalls {
  /** The system calls that reach the driver. */
  protected readonly under: Syscalls;

  /** @param under The system calls that reach the driver. */
  constructor(under: Syscalls) {
    this.under = under;
  }

  /** The adapter's name in errors. */
  protected abstract readonly adapter: string;

  abstract open(path: string, flags: number): number;
  abstract close(fd: number): void;
  abstract ioctl(
    fd: number,
    request: number,
    argument: Uint8Array<ArrayBuffer> | null,
    attachment?: Attachment,
  ): number;
  abstract mmap(length: number, prot: number, flags: number, fd: number, offset: number): Mapping;
  abstract poll(fd: number, events: number, timeoutMs: number): number;

  // deno-lint-ignore require-await
  async ioctlAsync(
    fd: number,
    request: number,
    argument: Uint8Array<ArrayBuffer>,
  ): Promise<number> {
    try {
      return this.ioctl(fd, request, argument);
    } catch (error) {
      if (!(error instanceof ErrnoError)) throw error;
      const view = new DataView(argument.buffer, argument.byteOffset, argument.byteLength);
      if (request === IOC.DEQUEUE) view.setInt32(DEQUEUE.at.error, error.errno, true);
      return -1;
    }
  }

  munmap(mapping: Mapping): void {
    this.under.munmap(mapping);
  }

  read(_fd: number, _buffer: Uint8Array): number {
    this.fail("read", ERRNO.EOPNOTSUPP, "use blocks");
  }

  write(_fd: number, _buffer: Uint8Array): number {
    this.fail("write", ERRNO.EOPNOTSUPP, "use blocks");
  }

  monotonicNs(): number {
    return this.under.monotonicNs();
  }

  equal(mapping: Mapping, offset: number, expected: Uint8Array, length: number): boolean {
    return this.under.equal(mapping, offset, expected, length);
  }

  /** Refuses a request that the driver has nothing for. */
  protected refuse(request: number, detail: string): never {
    const name = Object.entries(IOC).find(([, number]) => number === request)?.[0] ?? "ioctl";
    this.fail(name, ERRNO.EOPNOTSUPP, detail);
  }

  /** Throws an error of the adapter. */
  protected fail(name: string, errno: number, detail: string): never {
    throw new AdapterError(`${name} of the ${this.adapter} adapter`, errno, detail);
  }
}
