// SPDX-License-Identifier: MIT
/**
 * Receives frames from a design that generates them.
 *
 * @module
 */

import { crc32 } from "node:zlib";
import type { Block, CompletedTransfer } from "../../driver/block.ts";
import type { Device } from "../../driver/device.ts";
import { equalBytes } from "../../driver/memory.ts";
import { framesRepeat, type Pattern, type PatternSpec, wholeFrame } from "../patterns/pattern.ts";
import { makeTags, POISON_CLASS } from "../patterns/tags.ts";
import { BlockSet, blockSize } from "./block_set.ts";
import { unwrittenFrame } from "./check_values.ts";
import { overrunOf } from "./failed.ts";
import { Flow } from "./flow.ts";
import { runFlows } from "./run_flows.ts";
import { holdsFrame } from "./framed.ts";
import { Guards, guardSize, hasGuards } from "./guards.ts";
import { withLengths } from "./lengths.ts";
import type { ReceiveFlowOptions } from "./options.ts";
import type { FrameReport } from "./report.ts";
import { generatedFrames, type Returned } from "./returned.ts";
import { RxContent } from "./rx_content.ts";
import { shareExpected, sharePauses } from "./shared.ts";
import { requireSideband, sidebandFault } from "./sideband.ts";

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
  const sized = sharePauses(withLengths(options, seed), devices.length);
  const { expect, depth } = sized;
  const shared = typeof expect !== "function"
    ? sized
    : { ...sized, expect: shareExpected(expect, { devices: devices.length, depth }) };
  return runFlows(
    (own) => devices.map((device) => own(new ReceiveFlow(device, seed, shared))),
    options.onPrimed,
  );
}

/** In frames below this size the place of a pattern may not be found, bytes. */
const SHORT = 64;

class ReceiveFlow extends Flow {
  readonly #options: ReceiveFlowOptions;
  readonly #seed: number;
  readonly #guard: number;
  readonly #lengthOf: (sequence: number) => number;
  readonly #blocks: BlockSet;
  readonly #guards: Guards;
  readonly #poison: Uint8Array<ArrayBuffer>;
  /** Frames that a function makes; null for those of a pattern. */
  readonly #made: Returned | null;
  /** What each block holds, where frames are not all alike. */
  #content: RxContent | null = null;
  #pattern: Pattern | null = null;
  /** Whether a block that is used again expects the same frame again, as far as is known. */
  #repeats = true;
  /** Number of the frame at which the pattern was found. */
  #first = 0;
  /** What a later frame showed about the place where the pattern began; null if the first one showed it. */
  #place: string | null = null;

  constructor(device: Device, seed: number, options: ReceiveFlowOptions) {
    super(device, options);
    const { size, policy, depth, expect, compare = null, lengthOf } = options;
    this.#options = options;
    this.#seed = seed;
    this.#guard = hasGuards(device, policy, size) ? guardSize(device) : 0;
    this.#lengthOf = lengthOf ?? (() => size);
    const found = typeof expect !== "function" && expect.expectFrom !== undefined;
    if (found && (compare !== null || lengthOf !== undefined)) {
      throw new RangeError(
        `Expected a function in expect, because ${
          compare === null ? "lengths" : "compare"
        } needs a frame of known content; found the pattern ${expect.name}, whose place in the first ` +
          "frame is searched",
      );
    }
    const room = blockSize(device, size, this.#guard);
    this.#poison = makeTags(seed, POISON_CLASS, Math.ceil(room / 8)).subarray(this.#guard);
    const poison = (offset: number, length: number) =>
      this.#poison.subarray(offset - this.#guard, offset - this.#guard + length);
    this.#made = typeof expect !== "function" ? null : generatedFrames(
      { seed, maxLength: size + 2 * this.#guard, poison },
      { size, lengthOf: this.#lengthOf, make: expect },
      () => this.#blocks.all.length,
    );
    this.#blocks = new BlockSet(device, { direction: "rx", policy, size: room, count: depth });
    // no transfer can bring poison here, so blocks hold the zeros of ALLOC
    const fresh = new Uint8Array(room);
    this.#guards = new Guards({ guard: this.#guard, size, fresh, count: depth });
    if (found) return;
    this.#pattern = this.#made?.pattern ?? this.#create(expect as PatternSpec);
    if (this.#made === null && lengthOf === undefined) {
      this.#repeats = framesRepeat(this.#pattern, size, depth);
      return;
    }
    const canStore = policy !== "none" && this.#blocks.all.every(({ writable }) => writable);
    this.#content = new RxContent({
      back: this.#made ?? { pattern: this.#pattern, length: this.#lengthOf },
      ...{ count: depth, size, initial: new Uint8Array(size) },
      store: canStore ? "repeated" : "never",
      poison: this.#poison.subarray(0, size),
    });
  }

  protected override prime(): void {}

  protected override send(sequence: number): void {
    this.#made?.send(sequence);
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
    const { done, failed } = this.take(block, sequence);
    const right = this.#compare(block, done, sequence) && !failed;
    const words = this.#made?.words(sequence) ?? null;
    if (words !== null && !failed) {
      requireSideband(this.device, this.#options.policy);
      const fault = sidebandFault(sequence, words, done);
      if (fault !== null) this.record(fault);
    }
    if (right && this.#made !== null && this.#isStored(sequence)) {
      const frame = wholeFrame(this.#made.pattern, sequence, this.sizeOf(sequence));
      const fault = unwrittenFrame(sequence, frame, done.check);
      if (fault !== null) this.record({ ...fault, block: block.id });
    }
    this.checkGuards(this.#guards, block, sequence);
    const { bytes: moved } = done;
    const gap = this.#content?.compare(block, sequence, { at: this.#guard, moved, right }) ?? null;
    if (gap !== null) this.record(overrunOf(block, sequence, gap));
    const bytes = this.sizeOf(sequence);
    this.#made?.taken(sequence);
    return bytes;
  }

  protected override sizeOf(sequence: number): number {
    return this.#made?.length(sequence) ?? this.#lengthOf(sequence);
  }

  /** Whether to store poison before a frame: not if it would stay unsynced, nor into read-only memory. */
  #isStored(sequence: number): boolean {
    if (this.#content !== null) return this.#content.isStored(sequence);
    if (this.#options.policy === "none" || !this.#blocks.of(sequence).writable) return false;
    return this.#repeats || sequence < this.#blocks.all.length;
  }

  /** Compares a frame. Returns whether its block holds exactly the expected bytes. */
  #compare(block: Block, done: CompletedTransfer, sequence: number): boolean {
    const size = this.sizeOf(sequence);
    if (this.#pattern === null) {
      this.#pattern = this.#begin(block);
      this.#first = sequence;
      this.#repeats = this.#pattern === null ||
        framesRepeat(this.#pattern, size, this.#blocks.all.length);
    }
    if (done.bytes === size) this.#narrow(block, sequence);
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
      return false;
    }
    const due = sequence - this.#first;
    const whole = { pattern, sequence: due, size, at: this.#guard };
    const { compare = null } = this.#options;
    if (compare === null) {
      if (done.bytes === size && holdsFrame(block, whole)) return true;
    }
    const expected = wholeFrame(pattern, due, size);
    const received = new Uint8Array(size);
    block.copyTo(received, this.#guard);
    const deviation = compare?.(expected, received, sequence) ?? null;
    if (compare !== null && done.bytes === size && deviation === null) return false;
    const { bytes: moved, check: rxCheck } = done;
    const frame = {
      ...{ sequence, received, moved, room: this.#options.size, txCheck: null, rxCheck },
      // if the length is wrong, of the bytes only those count that deviate
      expected: compare === null || moved === size ? expected : deviation?.accepted ?? received,
    };
    const held = due - this.#blocks.all.length;
    const rxHeld = this.#isStored(sequence) ? "poison" : held >= 0 ? held : "zeros";
    const rxEarlier = { every: this.#blocks.all.length, initial: ["poison", "zeros"] } as const;
    const frameOf = (other: number) =>
      other === held
        ? this.#content?.before(sequence) ?? new Uint8Array()
        : wholeFrame(pattern, other, this.sizeOf(other));
    const lengthOf = (other: number) => this.sizeOf(other);
    const others = this.#content === null ? {} : { frameOf, lengthOf };
    this.condemn(
      frame,
      { pattern, base: this.#guard, rxHeld, rxEarlier, generated: true, ...others },
      block,
      moved === size ? deviation : null,
    );
    return false;
  }

  #create(expect: PatternSpec): Pattern {
    const { size } = this.#options;
    return expect.create({ seed: this.#seed, maxLength: size + 2 * this.#guard });
  }

  /** Finds the place in the pattern at which the design began. */
  #begin(block: Block): Pattern | null {
    const { size, expect } = this.#options;
    if (typeof expect === "function") return null; // its frames are known
    const first = new Uint8Array(size);
    block.copyTo(first, this.#guard);
    const made = { seed: this.#seed, maxLength: size + 2 * this.#guard };
    return expect.expectFrom?.(first, { ...made, frames: this.#options.frames }) ?? null;
  }

  /** Decides where the design began with a frame after the first one, if the first one fits several places. */
  #narrow(block: Block, sequence: number): void {
    const pattern = this.#pattern;
    if (pattern?.narrow === undefined || sequence === this.#first) return;
    const size = this.sizeOf(sequence);
    const frame = new Uint8Array(size);
    block.copyTo(frame, this.#guard);
    const left = pattern.narrow(sequence - this.#first, frame);
    if (left === pattern) return;
    this.#pattern = left;
    this.#repeats = framesRepeat(left, size, this.#blocks.all.length);
    if (equalBytes(frame, wholeFrame(pattern, sequence - this.#first, size))) return;
    // a design that lost just as many bytes would look the same, so the report says it
    this.#place =
      `frame ${sequence} shows that ${pattern.name} began inside a word: the first frame of ` +
      `${size} bytes fits several places`;
  }

  override report(): FrameReport {
    const report = super.report();
    return this.#place === null
      ? report
      : { ...report, notes: [...report.notes ?? [], this.#place] };
  }

  protected override free(): void {
    this.#blocks[Symbol.dispose]();
  }
}
