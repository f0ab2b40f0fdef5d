// SPDX-License-Identifier: MIT

/**
 * Waits for completions by DEQUEUE, on this thread and on others.
 *
 * @module
 */

import { AnswerError } from "./answer_error.ts";
import { DEFAULT_TIMEOUT_MS, timeout } from "./checks.ts";
import { DequeueArgument, indexOf } from "./codecs.ts";
import type { WaitOptions } from "./device_options.ts";
import { ERRNO, ErrnoError } from "./errno.ts";
import { TransferError } from "./errors.ts";
import type { CompletedTransfer } from "./block.ts";
import { type Handle, requestError } from "./handle.ts";
import { type Direction, DIRECTIONS, IOC, RESET } from "./uapi.ts";

/**
 * Takes a block back and describes its transfer. Called with a struct that the driver filled in, after a wait
 * for that direction.
 */
export type Complete = (direction: Direction, argument: DequeueArgument) => CompletedTransfer;

/** The waits of one device. */
export class Waits {
  readonly #handle: Handle;
  readonly #complete: Complete;
  /** Waits on other threads. */
  readonly #pending = new Set<Promise<unknown>>();
  /** When the last RESET of each direction ended, nanoseconds of CLOCK_MONOTONIC. */
  readonly #resetNs: Record<Direction, number> = { tx: 0, rx: 0 };

  /**
   * Wait for completions of an open device.
   *
   * @param handle The open device.
   * @param complete Takes back the block of a completion.
   */
  constructor(handle: Handle, complete: Complete) {
    this.#handle = handle;
    this.#complete = complete;
  }

  /**
   * Wait on this thread.
   *
   * @param direction The direction.
   * @param options How long to wait.
   * @returns The transfer.
   */
  dequeue(direction: Direction, options?: WaitOptions): CompletedTransfer {
    const timeoutMs = timeout(options?.timeoutMs ?? DEFAULT_TIMEOUT_MS);
    this.#handle.setNonblocking(false);
    const { syscalls, fd, dequeue: argument } = this.#handle;
    const index = indexOf("direction", DIRECTIONS, direction);
    argument.pack(index, this.#handle.deadlineNs(timeoutMs));
    for (;;) {
      try {
        syscalls.ioctl(fd, IOC.DEQUEUE, argument.bytes);
        break;
      } catch (error) {
        if (!(error instanceof ErrnoError)) throw error;
        if (error.errno === ERRNO.EINTR) continue; // The deadline is absolute, so it stays the same.
        if (error.errno === ERRNO.EIO && argument.written) {
          throw new TransferError(this.#complete(direction, argument));
        }
        throw requestError(error, "DEQUEUE", causeOf(error.errno, direction, timeoutMs));
      }
    }
    return this.#succeeded(direction, argument);
  }

  /** Take back the block of a DEQUEUE that succeeded, so its transfer did, too. */
  #succeeded(direction: Direction, argument: DequeueArgument): CompletedTransfer {
    const done = this.#complete(direction, argument);
    if (done.status === "ok") return done;
    const { path } = this.#handle;
    throw new AnswerError(path, "DEQUEUE", "EIO for a failed transfer", `success, ${done.status}`);
  }

  /**
   * Wait on another thread.
   *
   * @param direction The direction.
   * @param options How long to wait.
   * @returns A promise of the transfer.
   */
  dequeueAsync(direction: Direction, options?: WaitOptions): Promise<CompletedTransfer> {
    const wait = this.#wait(direction, options);
    this.#pending.add(wait);
    const settled = () => {
      this.#pending.delete(wait);
      // close() leaves closing the file to the last wait.
      if (!this.#handle.open && this.#pending.size === 0) this.#handle.close();
    };
    wait.then(settled, settled);
    return wait;
  }

  async #wait(direction: Direction, options?: WaitOptions): Promise<CompletedTransfer> {
    const timeoutMs = timeout(options?.timeoutMs ?? DEFAULT_TIMEOUT_MS);
    const index = indexOf("direction", DIRECTIONS, direction);
    const deadline = this.#handle.deadlineNs(timeoutMs);
    const argument = new DequeueArgument(); // Not the shared struct, because other calls use that now.
    for (;;) {
      this.#handle.setNonblocking(false);
      argument.pack(index, deadline);
      const { syscalls, fd } = this.#handle;
      const result = await syscalls.ioctlAsync(fd, IOC.DEQUEUE, argument.bytes);
      const { error } = argument;
      const stale = !this.#handle.open ||
        (argument.written && argument.queuedNs < this.#resetNs[direction]);
      // A RESET or close has already taken back the block of this transfer.
      if (stale) throw dequeueError(ERRNO.ECANCELED, direction, timeoutMs);
      if (result >= 0) return this.#succeeded(direction, argument);
      if (error === ERRNO.EIO && argument.written) {
        throw new TransferError(this.#complete(direction, argument));
      }
      // EAGAIN: readFrame or writeFrame made the file nonblocking before the call began.
      if (error !== ERRNO.EINTR && error !== ERRNO.EAGAIN) {
        throw dequeueError(error, direction, timeoutMs);
      }
    }
  }

  /**
   * Record that a RESET ended now. Completions of transfers from before are stale.
   *
   * @param directions The directions that were reset.
   */
  noteReset(directions: readonly Direction[]): void {
    const now = this.#handle.syscalls.monotonicNs();
    for (const direction of directions) this.#resetNs[direction] = now;
  }

  /** Send a RESET to end the waits on other threads. An engine that is not idle is not an error here. */
  cancel(): void {
    if (this.#pending.size === 0) return;
    const { syscalls, fd } = this.#handle;
    try {
      syscalls.ioctl(fd, IOC.RESET, new Uint8Array(RESET.size));
    } catch (error) {
      if (!(error instanceof ErrnoError)) throw error;
    }
  }

  /** Close the file, or leave that to the last wait on another thread. */
  close(): void {
    if (this.#pending.size > 0) this.#handle.shut();
    else this.#handle.close();
  }

  /** Wait until no wait is left, and the file is closed if {@linkcode close} was called. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#pending);
  }
}

/**
 * Make the error of a DEQUEUE that returned no completion.
 *
 * @param errno The error number.
 * @param direction The direction.
 * @param timeoutMs The longest wait, milliseconds.
 * @returns The error, with its cause in words.
 */
export function dequeueError(errno: number, direction: Direction, timeoutMs: number): ErrnoError {
  return new ErrnoError("ioctl PLDMA_IOC_DEQUEUE", errno, causeOf(errno, direction, timeoutMs));
}

/**
 * Tell why DEQUEUE returned no completion.
 *
 * @param errno The error number.
 * @param direction The direction.
 * @param timeoutMs The longest wait, milliseconds.
 * @returns The cause in words.
 */
export function causeOf(errno: number, direction: Direction, timeoutMs: number): string {
  switch (errno) {
    case ERRNO.ETIMEDOUT:
      return `no ${direction} completion within ${timeoutMs} ms`;
    case ERRNO.ENODATA:
      return `no ${direction} block is queued: enqueue one first`;
    case ERRNO.ECANCELED:
      return `the device was reset or closed while waiting for ${direction}`;
    case ERRNO.ENODEV:
      return `the device disappeared while waiting for ${direction}`;
    case 0:
      return `the driver stored no error while waiting for ${direction}`;
    default:
      return `waiting for ${direction}`;
  }
}
