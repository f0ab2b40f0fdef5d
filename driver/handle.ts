// SPDX-License-Identifier: MIT

/**
 * An open device file, shared by a device and its blocks.
 *
 * @module
 */

import { DequeueArgument, EnqueueArgument, SyncArgument } from "./codecs.ts";
import { ErrnoError } from "./errno.ts";
import type { Syscalls } from "./syscalls.ts";
import { IOC, type RequestName } from "./uapi.ts";

/** An open file, and one reused struct for each request that is made per frame. */
export class Handle {
  /** Path of the device. */
  readonly path: string;
  /** The board. */
  readonly syscalls: Syscalls;
  /** Argument of ENQUEUE. */
  readonly enqueue: EnqueueArgument = new EnqueueArgument();
  /** Argument of DEQUEUE on this thread. */
  readonly dequeue: DequeueArgument = new DequeueArgument();
  /** Argument of SYNC. */
  readonly sync: SyncArgument = new SyncArgument();
  #fd: number;
  #open = true;

  /**
   * @param path Path of the device.
   * @param syscalls The board.
   * @param fd The open file, which is closed by {@linkcode close}.
   */
  constructor(path: string, syscalls: Syscalls, fd: number) {
    this.path = path;
    this.syscalls = syscalls;
    this.#fd = fd;
  }

  /** Whether the device is in use; from `shut()` on it is not. */
  get open(): boolean {
    return this.#open;
  }

  /** The file descriptor; throws when the device is closed. */
  get fd(): number {
    if (this.#open) return this.#fd;
    throw new Error(`Expected an open device, found ${this.path} closed: open it again`);
  }

  /** Refuse further calls. The file stays open until {@linkcode close}. */
  shut(): void {
    this.#open = false;
  }

  /** Close the file. */
  close(): void {
    this.#open = false;
    this.syscalls.close(this.#fd);
  }

  /**
   * Send a request.
   *
   * @param name Its name without prefix.
   * @param argument Its struct.
   * @param detail What it is about, in words, for the error.
   */
  ioctl(name: RequestName, argument: Uint8Array<ArrayBuffer>, detail: string): void {
    try {
      this.syscalls.ioctl(this.fd, IOC[name], argument);
    } catch (error) {
      throw explain(error, name, detail);
    }
  }
}

/**
 * Name the request and its subject in an error that knows only the number.
 *
 * @param error What was thrown.
 * @param name Name of the request without prefix.
 * @param detail What it is about, in words.
 * @returns What to throw.
 */
export function explain(error: unknown, name: RequestName, detail: string): unknown {
  if (!(error instanceof ErrnoError)) return error;
  return new ErrnoError(`ioctl PLDMA_IOC_${name}`, error.errno, detail);
}
