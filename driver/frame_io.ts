// SPDX-License-Identifier: MIT

/**
 * Frames by `read()` and `write()`, through the blocks of policy `bounce`.
 *
 * @module
 */

import { AnswerError } from "./answer_error.ts";
import { DEFAULT_TIMEOUT_MS, timeout } from "./checks.ts";
import type { WaitOptions } from "./device_options.ts";
import { ERRNO, ErrnoError } from "./errno.ts";
import type { Handle } from "./handle.ts";
import { POLLIN, POLLOUT } from "./syscalls.ts";

/** Nothing ever notifies this, so a wait on it is a sleep. */
const sleeper = new Int32Array(new SharedArrayBuffer(4));

/** Reads and writes frames. `read()` and `write()` take no deadline, so `poll()` does the waiting. */
export class FrameIo {
  readonly #handle: Handle;
  /** Whether `read()` has handed the slots of the receive ring to the engine. */
  #armed = false;

  /**
   * Read and write through an open device.
   *
   * @param handle The open device.
   */
  constructor(handle: Handle) {
    this.#handle = handle;
  }

  /** Record that the engine has lost the slots of the receive ring, or that the ring is new. */
  disarm(): void {
    this.#armed = false;
  }

  /**
   * Receive one frame.
   *
   * @param buffer Receives the frame.
   * @param options How long to wait.
   * @returns Length of the frame, bytes. It is 0 if the engine completed a transfer without a byte.
   */
  read(buffer: Uint8Array, options?: WaitOptions): number {
    return this.#transfer("read", POLLIN, buffer, options);
  }

  /**
   * Send one frame.
   *
   * @param frame The frame.
   * @param options How long to wait for a free slot.
   * @returns Length of the frame, bytes.
   */
  write(frame: Uint8Array, options?: WaitOptions): number {
    return this.#transfer("write", POLLOUT, frame, options);
  }

  /** Check the length of a frame. A frame is sent as a whole, and an engine may complete one without a byte. */
  #moved(call: "read" | "write", moved: number, size: number): number {
    if (moved >= 0 && (call === "read" ? moved <= size : moved === size)) return moved;
    const expected = call === "read" ? `from 0 to ${size} bytes` : `${size} bytes`;
    throw new AnswerError(this.#handle.path, `${call}()`, expected, `${moved}`);
  }

  /** Call and wait in turns, until the call succeeds or the time is over. */
  #transfer(
    call: "read" | "write",
    event: number,
    buffer: Uint8Array,
    options?: WaitOptions,
  ): number {
    const timeoutMs = timeout(options?.timeoutMs ?? DEFAULT_TIMEOUT_MS);
    const deadline = this.#handle.deadlineNs(timeoutMs);
    this.#handle.setNonblocking(true);
    const { syscalls, fd, path } = this.#handle;
    // A frame is rarely there at once, so wait for one first. A free slot nearly always is. Only read()
    // hands the slots of a new ring to the engine, so the first read() of a ring must come before a wait.
    const waitFirst = call === "read" && this.#armed;
    for (let misses = 0;; misses++) {
      if (waitFirst || misses > 0) {
        // poll() returns at once if the device is ready for something else, such as a completion that
        // does not belong to the ring, or an error of the other direction. Sleep to avoid a busy loop.
        if (misses > 1) Atomics.wait(sleeper, 0, 0, 1);
        const ready = this.#handle.poll(event, deadline);
        if (ready === 0 || (misses > 1 && deadline <= syscalls.monotonicNs())) {
          const detail = `no ${call === "read" ? "frame" : "free slot"} within ${timeoutMs} ms`;
          throw new ErrnoError(`${call} ${path}`, ERRNO.ETIMEDOUT, detail);
        }
      }
      try {
        if (call === "read") this.#armed = true;
        return this.#moved(call, syscalls[call](fd, buffer), buffer.length);
      } catch (error) {
        if (!(error instanceof ErrnoError)) throw error;
        if (error.errno !== ERRNO.EAGAIN && error.errno !== ERRNO.EINTR) {
          throw new ErrnoError(`${call} ${path}`, error.errno, `${buffer.length} bytes`);
        }
      }
    }
  }
}
