// SPDX-License-Identifier: MIT
/**
 * Receives frames from a design that generates them.
 *
 * @module
 */

import { crc32 } from "node:zlib";
import type { Block, CompletedTransfer } from "../../driver/block.ts";
import type { Device } from "../../driver/device.ts";
import { expectedPattern } from "../patterns/computed.ts";
import { framesRepeat, type Pattern } from "../patterns/pattern.ts";
import { makeTags, POISON_CLASS } from "../patterns/tags.ts";
import { BlockSet, blockSize } from "./block_set.ts";
import { Flow, runFlows } from "./flow.ts";
import { holdsFrame } from "./framed.ts";
import { Guards, guardSize } from "./guards.ts";
import type { ReceiveFlowOptions } from "./options.ts";
import type { FrameReport } from "./report.ts";

/**
 * Receives frames and compares them.
 *
 * @param devices The devices, each with an rx channel and no transfer in flight
 * @param seed Seed of the pattern and of the poison
 * @param options The frames
 * @returns The report of each device
 */
export function receiveFrames(
  devices: readonly Device[],
  seed: number,
  options: ReceiveFlowOptions,
): FrameReport[] {
  return runFlows(
    (own) => devices.map((device) => own(new ReceiveFlow(device, seed, options))),
    options.onPrimed,
  );
}

/** In frames below this size the place of a pattern may not be found, bytes. */
const SHORT = 64;

class ReceiveFlow extends Flow {
  readonly #options: ReceiveFlowOptions;
  readonly #seed: number;
  readonly #guard: number;
  readonly #blocks: BlockSet;
  readonly #guards: Guards;
  readonly #poison: Uint8Array<ArrayBuffer>;
  #pattern: Pattern | null = null;
  /** Whether a block that is used again expects the same frame again, as far as is known. */
  #repeats = true;
  /** Number of the frame at which the pattern was found. */
  #first = 0;

  constructor(device: Device, seed: number, options: ReceiveFlowOptions) {
    super(device, options);
    const { size, policy, depth } = options;
    this.#options = options;
    this.#seed = seed;
    this.#guard = guardSize(device);
    const room = blockSize(device, size, this.#guard);
    this.#blocks = new BlockSet(device, { direction: "rx", policy, size: room, count: depth });
    this.#poison = makeTags(seed, POISON_CLASS, Math.ceil(room / 8)).subarray(this.#guard);
    // no transfer can bring poison here, so blocks hold the zeros of ALLOC
    const fresh = new Uint8Array(room);
    this.#guards = new Guards({ guard: this.#guard, size, fresh, count: depth });
  }

  protected override prime(): void {}

  protected override send(sequence: number): void {
    const block = this.#blocks.of(sequence);
    const cookie = BigInt(sequence);
    // a missing frame must not be there from before
    if (this.#isStored(sequence)) {
      block.set(this.#poison.subarray(0, this.#options.size), this.#guard);
    }
    this.give(block, { offset: this.#guard, length: this.#options.size, cookie, verify: true });
  }

  protected override receive(sequence: number): number {
    const block = this.#blocks.of(sequence);
    this.#compare(block, this.take(block, sequence).done, sequence);
    this.checkGuards(this.#guards, block, sequence);
    return this.#options.size;
  }

  /** Whether to store poison before a frame: not if it would stay unsynced, nor into read-only memory. */
  #isStored(sequence: number): boolean {
    if (this.#options.policy === "none" || !this.#blocks.of(sequence).writable) return false;
    return this.#repeats || sequence < this.#blocks.all.length;
  }

  #compare(block: Block, done: CompletedTransfer, sequence: number): void {
    const { size } = this.#options;
    if (this.#pattern === null) {
      this.#pattern = this.#begin(block);
      this.#first = sequence;
      this.#repeats = this.#pattern === null ||
        framesRepeat(this.#pattern, size, this.#blocks.all.length);
    }
    const pattern = this.#pattern;
    if (pattern === null) {
      if (done.check !== null) {
        const bytes = new Uint8Array(done.bytes);
        block.copyTo(bytes, this.#guard);
        this.see("rx", done.check !== crc32(bytes));
      }
      this.record({
        kind: "foreign",
        frame: sequence,
        offset: 0,
        length: size,
        blame: null,
        detail: "the frame matches no part of the expected pattern" +
          (size < SHORT ? `, or ${size} bytes are too few to find it` : ""),
      });
      return;
    }
    const due = sequence - this.#first;
    const whole = { pattern, sequence: due, size, at: this.#guard };
    if (done.bytes === size && holdsFrame(block, whole)) return;
    const expected = new Uint8Array(size);
    pattern.write(expected, due);
    const received = new Uint8Array(size);
    block.copyTo(received, this.#guard);
    const { bytes: moved, check: rxCheck } = done;
    const frame = { sequence, expected, received, moved, txCheck: null, rxCheck };
    const held = due - this.#blocks.all.length;
    const rxHeld = this.#isStored(sequence) ? "poison" : held >= 0 ? held : "zeros";
    this.condemn(frame, { pattern, base: this.#guard, rxHeld }, block);
  }

  /** Finds the place in the pattern at which the design began. */
  #begin(block: Block): Pattern | null {
    const { size, expect } = this.#options;
    const maxLength = size + 2 * this.#guard;
    if (typeof expect === "function") return expectedPattern(this.#seed, maxLength, expect);
    const made = { seed: this.#seed, maxLength };
    if (expect.expectFrom === undefined) return expect.create(made);
    const first = new Uint8Array(size);
    block.copyTo(first, this.#guard);
    return expect.expectFrom(first, { ...made, frames: this.#options.frames });
  }

  protected override free(): void {
    this.#blocks[Symbol.dispose]();
  }
}
