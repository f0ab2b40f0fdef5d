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
import type { Pattern } from "../patterns/pattern.ts";
import { Flow } from "./flow.ts";
import { guardSize } from "./guards.ts";
import type { LoopFlowOptions } from "./options.ts";
import { type Returned, returnedFrames } from "./returned.ts";

/** A loop through the driver's rings, by `read()` and `write()`. */
export class RingLoop extends Flow {
  readonly #pattern: Pattern;
  readonly #sent: Buffer;
  readonly #back: Returned;
  /** The frame that must come back. */
  readonly #due: Buffer;
  /** The frame that came back and, after it, a guard in the caller's memory. */
  readonly #buffer: Buffer;
  readonly #blocks: Block[] = [];

  constructor(device: Device, pattern: Pattern, options: LoopFlowOptions) {
    super(device, options);
    this.#pattern = pattern;
    this.#back = returnedFrames(pattern, options);
    this.#sent = Buffer.alloc(options.size);
    this.#due = Buffer.alloc(this.#back.size);
    this.#buffer = Buffer.alloc(this.#back.size + guardSize(device));
    const count = options.depth;
    try {
      for (const [direction, { length }] of [["tx", this.#sent], ["rx", this.#due]] as const) {
        this.#blocks.push(...device.alloc({ direction, policy: "bounce", size: length, count }));
      }
    } catch (error) {
      this.free();
      throw error;
    }
  }

  /** The driver owns the rings. `receive()` primes the buffer instead. */
  protected override prime(): void {}

  protected override send(sequence: number): void {
    this.#pattern.write(this.#sent, sequence);
    this.device.writeFrame(this.#sent, this.wait);
  }

  protected override receive(sequence: number): number {
    const buffer = this.#buffer;
    const { pattern, size } = this.#back;
    const poison = this.#pattern.poison(0, buffer.length);
    buffer.set(poison);
    const moved = this.device.readFrame(buffer, this.wait);
    pattern.write(this.#due, sequence);
    if (moved !== size || buffer.compare(this.#due, 0, size, 0, size) !== 0) {
      this.condemn({
        sequence,
        expected: this.#due.slice(),
        received: new Uint8Array(buffer.subarray(0, size)),
        moved,
        txCheck: null,
        rxCheck: null,
      }, { pattern });
    }
    if (buffer.compare(poison, size, buffer.length, size) !== 0) {
      this.record({
        kind: "overrun",
        frame: sequence,
        offset: size,
        length: buffer.length - size,
        blame: "driver",
        detail: "read() wrote past the end of the frame",
      });
    }
    return size;
  }

  protected override free(): void {
    // the engine holds armed receive slots until a RESET
    if (this.#blocks.some((block) => this.device.query(block.id).state !== "user")) {
      this.device.reset();
    }
    for (const block of this.#blocks) block.free();
  }
}
