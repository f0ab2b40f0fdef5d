// SPDX-License-Identifier: MIT
/**
 * A loop through the driver's rings, under policy `bounce`. It has no blocks, and so no guards around the
 * device's memory and no poison in it.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import type { Block } from "../../driver/block.ts";
import type { Device } from "../../driver/device.ts";
import { ERRNO, ErrnoError } from "../../driver/errno.ts";
import { type Pattern, wholeFrame } from "../patterns/pattern.ts";
import type { Comparison, Deviation } from "../verify/tolerance.ts";
import { isRingFailure, ringFailureOf } from "./failed.ts";
import { Flow } from "./flow.ts";
import { guardSize } from "./guards.ts";
import type { LoopFlowOptions } from "./options.ts";
import { fittingDepth, makeBlocks } from "./primer.ts";
import type { FrameReport } from "./report.ts";
import { countOf, type Returned, returnedFrames } from "./returned.ts";
import { requireSideband } from "./sideband.ts";

/** A loop through the driver's rings, by `read()` and `write()`. */
export class RingLoop extends Flow {
  readonly #pattern: Pattern;
  readonly #options: LoopFlowOptions;
  readonly #sent: Buffer;
  readonly #lengthOf: (sequence: number) => number;
  readonly #back: Returned;
  /** The frame that must come back. */
  readonly #due: Buffer;
  /** The frame that came back and, after it, a guard in the caller's memory. */
  readonly #buffer: Buffer;
  readonly #blocks: readonly Block[];
  readonly #reuse: boolean;
  /** Number of the last frame that `read()` failed, and of the one whose `write()` failed for one before it. */
  #failed = -Infinity;
  #refused: number | null = null;
  /** Number of the last frame for which a call said EIO. */
  #told = -Infinity;
  /** How many tx transfers had failed before, those of earlier runs and those that a call said EIO for. */
  #errors: number;

  constructor(device: Device, pattern: Pattern, options: LoopFlowOptions) {
    super(device, options);
    const { size, lengthOf } = options;
    this.#pattern = pattern;
    this.#options = options;
    this.#reuse = options.reuse === true;
    this.#lengthOf = lengthOf ?? (() => size);
    this.#back = returnedFrames(pattern, options, () => 1);
    this.#sent = Buffer.alloc(size);
    this.#due = Buffer.alloc(this.#back.size);
    this.#buffer = Buffer.alloc(this.#back.size + guardSize(device));
    const { most } = this.#back;
    // the receive ring has no slot in the engine before the first read(), so no frame leaves the queue
    const queue = device.info.tx?.queueDepth ?? this.depth;
    this.limitDepth(Math.min(this.depth, queue), "the transmit queue has no room for more");
    const shallower = options.shallower === true;
    const fitting = fittingDepth(device, most, this.depth, shallower);
    const { blocks, depth } = makeBlocks(fitting, shallower, (depth) => {
      using owned = new DisposableStack();
      const rings = [["tx", size, depth], ["rx", this.#back.size, depth * most]] as const;
      const blocks = rings.flatMap(([direction, size, count]) =>
        device.alloc({ direction, policy: "bounce", size, count }).map((block) => owned.use(block))
      );
      owned.move();
      return blocks;
    });
    this.#blocks = blocks;
    this.limitDepth(depth);
    this.#errors = device.stats().tx.errors;
  }

  /** The driver owns the rings. `receive()` primes the buffer instead. */
  protected override prime(): void {}

  protected override send(sequence: number): void {
    // all frames that were in flight at the failure have come back
    if (sequence === this.#told + this.depth + 1) this.#errors = this.device.stats().tx.errors;
    const { first, count } = this.#back.send(sequence);
    if (count > 0 && this.#back.words(first) !== null || this.#options.sideband !== undefined) {
      requireSideband(this.device, "bounce");
    }
    const sent = this.#sent.subarray(0, this.#lengthOf(sequence));
    this.#pattern.write(sent, sequence);
    this.#write(sent, sequence);
    // write() has copied the frame
    if (this.#reuse) this.#sent.fill(0xa5);
  }

  /** Sends a frame. The driver keeps a failure of the engine for the next `write()`, which sends nothing. */
  #write(frame: Uint8Array, sequence: number): void {
    try {
      this.device.writeFrame(frame, this.wait);
      return;
    } catch (error) {
      if (!isRingFailure(error)) throw error;
    }
    this.#told = sequence;
    // if read() failed for a frame that was in flight, this is the same failure
    if (sequence - this.#failed > this.depth) {
      this.#settle();
      this.#refused = sequence;
    }
    this.#failed = -Infinity;
    this.device.writeFrame(frame, this.wait);
  }

  /** Records a transmit transfer that the engine failed, if all frames that were in flight came back. */
  #settle(): void {
    if (this.#refused === null) return;
    const first = Math.max(0, this.#refused - this.depth);
    this.#refused = null;
    this.record(ringFailureOf(first, this.#lengthOf(first), "write() said EIO"));
  }

  /** Waits until the last frames are sent, because no `write()` after them tells whether they failed. */
  protected override finish(last: number): void {
    const { device, wait: { timeoutMs } } = this;
    const tx = this.#blocks.filter(({ direction }) => direction === "tx");
    const isSending = ({ id }: Block) => ["queued", "in-flight"].includes(device.query(id).state);
    for (let waitedMs = 0; tx.some(isSending); waitedMs++) {
      if (waitedMs >= timeoutMs) {
        const detail =
          `the engine still sends a frame, ${timeoutMs} ms after the last one came back`;
        throw new ErrnoError("write", ERRNO.ETIMEDOUT, detail);
      }
      if (device.poll({}, 1).error) break; // waits for no event
    }
    if (device.stats().tx.errors === this.#errors) return;
    // otherwise it is a consequence of a failure that is known
    if (last - this.#told <= this.depth) return;
    const first = Math.max(0, last + 1 - this.depth);
    this.record(ringFailureOf(first, this.#lengthOf(first), "STATS counts an error"));
  }

  override report(): FrameReport {
    this.#settle();
    return { ...super.report(), ...countOf(this.#back) };
  }

  protected override framesOf(sequence: number): number {
    return this.#back.due(sequence).count;
  }

  protected override sizeOf(sequence: number): number {
    return this.#back.length(this.#back.due(sequence).first);
  }

  protected override receive(sequence: number): number {
    const { first, count } = this.#back.due(sequence);
    let bytes = 0;
    for (let number = first; number < first + count; number++) {
      bytes += this.#take(number, sequence);
    }
    if (this.#refused === sequence + 1) this.#settle();
    this.#back.taken(sequence);
    return bytes;
  }

  /** Takes a frame that came back for frame `sent`, and verifies it; returns its bytes. */
  #take(sequence: number, sent: number): number {
    const buffer = this.#buffer;
    const { pattern, size: room } = this.#back;
    const size = this.#back.length(sequence);
    const poison = this.#pattern.poison(0, buffer.length);
    buffer.set(poison);
    const moved = this.#read(buffer);
    if (moved === null) {
      const unsent = this.#refused !== null && sent < this.#refused;
      this.record(ringFailureOf(sequence, size, unsent ? "write() said EIO" : null));
      this.#told = Math.max(this.#told, sent);
      if (unsent) this.#refused = null;
      else this.#failed = sent;
      return size;
    }
    const due = this.#due.subarray(0, size);
    pattern.write(due, sequence);
    const { compare = null } = this.#options;
    if (compare !== null) this.#judge(sequence, moved, compare);
    else if (moved !== size || buffer.compare(due, 0, size, 0, size) !== 0) {
      this.#condemn(sequence, moved, due.slice());
    }
    // a frame that is too long is no overrun
    const end = moved <= room ? Math.max(size, moved) : size;
    if (buffer.compare(poison, end, buffer.length, end) !== 0) {
      this.record({
        kind: "overrun",
        frame: sequence,
        offset: end,
        length: buffer.length - end,
        blame: "driver",
        detail: "read() wrote past the end of the frame",
      });
    }
    return size;
  }

  /** Receives a frame; returns its bytes, or null if the engine failed its transfer. */
  #read(buffer: Uint8Array): number | null {
    try {
      return this.device.readFrame(buffer, this.wait);
    } catch (error) {
      if (!isRingFailure(error)) throw error;
      return null;
    }
  }

  /** Lets the test judge the frame in the buffer. */
  #judge(sequence: number, moved: number, compare: Comparison): void {
    const size = this.#back.length(sequence);
    const received = new Uint8Array(this.#buffer.subarray(0, size));
    const due = new Uint8Array(this.#due.subarray(0, size));
    const deviation = compare(due, received, sequence);
    if (moved !== size) {
      // the length decides, and of the bytes only those that deviate
      this.#condemn(sequence, moved, deviation?.accepted ?? received);
    } else if (deviation !== null) this.#condemn(sequence, moved, due, deviation);
  }

  /** Names what is wrong with the frame in the buffer. */
  #condemn(
    sequence: number,
    moved: number,
    expected: Uint8Array,
    deviation: Deviation | null = null,
  ): void {
    const { pattern, size: room } = this.#back;
    const received = new Uint8Array(this.#buffer.subarray(0, expected.length));
    const frame = { sequence, expected, received, moved, room, txCheck: null, rxCheck: null };
    const alike = pattern === this.#pattern && this.#options.lengthOf === undefined;
    const lengthOf = (other: number) => this.#back.length(other);
    const frameOf = (other: number) => wholeFrame(pattern, other, lengthOf(other));
    this.condemn(frame, { pattern, ...(alike ? {} : { frameOf, lengthOf }) }, undefined, deviation);
  }

  protected override free(): void {
    // the engine holds armed receive slots until a RESET
    if (this.#blocks.some((block) => this.device.query(block.id).state !== "user")) {
      this.device.reset();
    }
    for (const block of this.#blocks) block.free();
  }
}
