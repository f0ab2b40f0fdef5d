// SPDX-License-Identifier: MIT

/**
 * An open device file that a device and its blocks share.
 *
 * @module
 */

import { DequeueArgument, EnqueueArgument, SyncArgument } from "./codecs.ts";
import { AdapterError, ERRNO, ErrnoError } from "./errno.ts";
import { FIONBIO, type Syscalls } from "./syscalls.ts";
import { IOC, type RequestName } from "./uapi.ts";

/** An open device file, with one reusable struct for each request that is sent for every frame. */
export class Handle {
  /** Path of the device. */
  readonly path: string;
  /** The board. */
  readonly syscalls: Syscalls;
  /** Struct for ENQUEUE. */
  readonly enqueue: EnqueueArgument = new EnqueueArgument();
  /** Struct for DEQUEUE on this thread. */
  readonly dequeue: DequeueArgument = new DequeueArgument();
  /** Struct for SYNC. */
  readonly sync: SyncArgument = new SyncArgument();
  #fd: number;
  #open = true;
  #nonblocking = false;

  /**
   * Take over an open file.
   *
   * @param path Path of the device.
   * @param syscalls The board.
   * @param fd The file descriptor. {@linkcode close} closes it.
   */
  constructor(path: string, syscalls: Syscalls, fd: number) {
    this.path = path;
    this.syscalls = syscalls;
    this.#fd = fd;
  }

  /** Whether the device may be used. False after {@linkcode shut} and {@linkcode close}. */
  get open(): boolean {
    return this.#open;
  }

  /** The file descriptor. Throws if the device is closed. */
  get fd(): number {
    if (this.#open) return this.#fd;
    throw new Error(`Expected an open device, found ${this.path} closed: open it again`);
  }

  /** Refuse further calls, but keep the file open until {@linkcode close}. */
  shut(): void {
    this.#open = false;
  }

  /**
   * Set or clear O_NONBLOCK. Does nothing if the file is in that mode already.
   *
   * @param nonblocking Whether calls fail with EAGAIN instead of waiting.
   */
  setNonblocking(nonblocking: boolean): void {
    if (this.#nonblocking === nonblocking) return;
    this.syscalls.ioctl(this.fd, FIONBIO, new Uint8Array([nonblocking ? 1 : 0, 0, 0, 0]));
    this.#nonblocking = nonblocking;
  }

  /**
   * Compute the deadline of a wait that starts now.
   *
   * @param timeoutMs The longest wait, milliseconds.
   * @returns Nanoseconds of CLOCK_MONOTONIC, or 0 for a call that does not wait.
   */
  deadlineNs(timeoutMs: number): number {
    return timeoutMs === 0 ? 0 : this.syscalls.monotonicNs() + timeoutMs * 1e6;
  }

  /**
   * Call `poll()` until an event, an error, or the deadline. Continues after signals.
   *
   * @param events `POLL*` events to wait for.
   * @param deadlineNs When to give up, as computed by {@linkcode deadlineNs}.
   * @returns The `POLL*` events that hold, or 0 after the deadline.
   */
  poll(events: number, deadlineNs: number): number {
    const { syscalls, fd } = this;
    for (;;) {
      const left = deadlineNs === 0 ? 0 : (deadlineNs - syscalls.monotonicNs()) / 1e6;
      try {
        return syscalls.poll(fd, events, Math.max(0, left));
      } catch (error) {
        if (!(error instanceof ErrnoError) || error.errno !== ERRNO.EINTR) throw error;
      }
    }
  }

  /** Close the file. */
  close(): void {
    this.#open = false;
    this.syscalls.close(this.#fd);
  }

  /**
   * Send a request.
   *
   * @param name Name of the request without its prefix.
   * @param argument The struct of the request.
   * @param detail The subject of the request, for the error message.
   */
  ioctl(name: RequestName, argument: Uint8Array<ArrayBuffer>, detail: string): void {
    try {
      this.syscalls.ioctl(this.fd, IOC[name], argument);
    } catch (error) {
      throw requestError(error, name, detail);
    }
  }
}

/**
 * Add the name and the subject of a request to an error of `ioctl()`. An adapter's own words stay.
 *
 * @param error The error that `ioctl()` threw.
 * @param name Name of the request without its prefix.
 * @param detail The subject of the request, for the error message.
 * @returns The error to throw. An error without an errno is returned unchanged.
 */
export function requestError(error: unknown, name: RequestName, detail: string): unknown {
  if (!(error instanceof ErrnoError)) return error;
  const why = error instanceof AdapterError ? `${detail}: ${error.why}` : detail;
  return new ErrnoError(`ioctl PLDMA_IOC_${name}`, error.errno, why);
}
