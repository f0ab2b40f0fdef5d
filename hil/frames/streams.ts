// SPDX-License-Identifier: MIT
/**
 * Frames in one direction alone: sent to a design that checks or consumes them, or received from one
 * that makes them.
 *
 * @module
 */

import { crc32 } from "node:zlib";
import type { Block, CompletedTransfer } from "../../driver/block.ts";
import type { Device } from "../../driver/device.ts";
import {
  BlockSet,
  blockSize,
  checkOf,
  fillFrame,
  Guards,
  guardSize,
  holdsFrame,
} from "./block_set.ts";
import { expectedPattern } from "../patterns/computed.ts";
import { Flow, type FlowOptions, type FrameReport, runFlows } from "./flow.ts";
import { framesRepeat, type Pattern, type PatternSpec } from "../patterns/pattern.ts";
import { makeTags, POISON_CLASS } from "../patterns/tags.ts";
import type { Fault } from "../verify/fault.ts";

/** What both directions are asked for. */
export interface StreamOptions extends FlowOptions {
  /** Called before the first frame. */
  readonly onPrimed?: () => void;
}

/** What to send. */
export interface SendOptions extends StreamOptions {
  /**
   * Asks the design about a frame that it took, by its registers say: null when it is content, else
   * what is wrong, in words. Without it a frame counts as verified only where the core computes a
   * check value over what it saw.
   */
  readonly accept?: (done: CompletedTransfer, sequence: number) => string | null;
}

/** What to receive. */
export interface ReceiveOptions extends StreamOptions {
  /** What the frames must hold: a pattern, or the bytes of each frame. */
  readonly expect: Expectation;
}

/**
 * What a design makes. A pattern that a generator may begin anywhere, such as a PRBS or a counter, is
 * found in the first frame and goes on from there without a gap; of other patterns the frames come
 * one by one from frame 0.
 */
export type Expectation = PatternSpec | FrameMaker;

/**
 * Makes the bytes of a frame: always the same for the same number. It may be asked again, and for
 * other frames in between, to name a fault.
 *
 * @param sequence Number of the frame, from 0
 * @param length Bytes
 * @returns As many bytes; the array may be used again
 */
export type FrameMaker = (sequence: number, length: number) => Uint8Array<ArrayBuffer>;

/**
 * Send frames, and ask what became of each.
 *
 * @param devices The devices, each with a tx channel and no transfer in flight
 * @param pattern Frames
 * @param options What to send
 * @returns What came of the frames of each device
 */
export function sendFrames(
  devices: readonly Device[],
  pattern: Pattern,
  options: SendOptions,
): FrameReport[] {
  return runFlows(
    (own) => devices.map((device) => own(new SendFlow(device, pattern, options))),
    options.onPrimed,
  );
}

/**
 * Receive frames and compare them.
 *
 * @param devices The devices, each with an rx channel and no transfer in flight
 * @param seed Seed of the pattern's poison and choices
 * @param options What to receive
 * @returns What came of the frames of each device
 */
export function receiveFrames(
  devices: readonly Device[],
  seed: number,
  options: ReceiveOptions,
): FrameReport[] {
  return runFlows(
    (own) => devices.map((device) => own(new ReceiveFlow(device, seed, options))),
    options.onPrimed,
  );
}

/** Frames below this may be too short to find the place of a pattern in, bytes. */
const SHORT = 64;

class SendFlow extends Flow {
  readonly #pattern: Pattern;
  readonly #options: SendOptions;
  readonly #blocks: BlockSet;

  constructor(device: Device, pattern: Pattern, options: SendOptions) {
    super(device, options);
    const { policy, depth } = options;
    this.#pattern = pattern;
    this.#options = options;
    const size = blockSize(device, options.size);
    this.#blocks = new BlockSet(device, { direction: "tx", policy, size, count: depth });
  }

  protected override prime(): void {}

  protected override send(sequence: number): void {
    const { size } = this.#options;
    const block = this.#blocks.of(sequence);
    fillFrame(block, { pattern: this.#pattern, sequence, size, at: 0 });
    this.give(block, { length: size, cookie: BigInt(sequence) });
  }

  protected override receive(sequence: number): number | null {
    const { size, accept } = this.#options;
    const block = this.#blocks.of(sequence);
    const { done, failed } = this.take(block, sequence);
    const unverified = accept === undefined && done.check === null;
    if (failed) return unverified ? null : size;
    const lost = done.bytes !== size;
    const changed = lost ? null : this.#changed(done, sequence);
    const wrong: Pick<Fault, "kind" | "blame" | "detail"> | null = lost
      ? {
        kind: "lost",
        blame: "core",
        detail: `the engine took ${done.bytes} of ${size} bytes`,
      }
      : changed ?? refused(accept?.(done, sequence) ?? null);
    if (wrong !== null) {
      this.note({ ...wrong, frame: sequence, offset: 0, length: size, block: block.id });
    }
    return unverified ? null : size;
  }

  /** What the core read instead of the frame, by its check value; null when it read the frame. */
  #changed(
    done: CompletedTransfer,
    sequence: number,
  ): Pick<Fault, "kind" | "blame" | "detail"> | null {
    const { check } = done;
    if (check === null) return null;
    const changed = check !== this.#checkOf(sequence);
    this.see("tx", changed);
    if (!changed) return null;
    const before = sequence - this.#blocks.all.length;
    const old = before >= 0
      ? check === this.#checkOf(before) && `frame ${before}`
      : check === crc32(new Uint8Array(this.#options.size)) && "zeros";
    return {
      kind: old === false ? "foreign" : "stale-tx",
      blame: "tx",
      detail: old === false
        ? "the core's check value is not that of the frame: it read something else, or old data " +
          "in part"
        : `the core's check value is that of ${old}, which the block held before`,
    };
  }

  #checkOf(sequence: number): number {
    return checkOf({ pattern: this.#pattern, sequence, size: this.#options.size });
  }

  protected override free(): void {
    this.#blocks[Symbol.dispose]();
  }
}

/** What a design says itself that is wrong. */
function refused(why: string | null): Pick<Fault, "kind" | "blame" | "detail"> | null {
  return why === null ? null : { kind: "foreign", blame: "core", detail: why };
}

class ReceiveFlow extends Flow {
  readonly #options: ReceiveOptions;
  readonly #seed: number;
  readonly #guard: number;
  readonly #blocks: BlockSet;
  readonly #guards: Guards;
  readonly #poison: Uint8Array<ArrayBuffer>;
  #pattern: Pattern | null = null;
  /** Whether a block that is used again must hold the same frame again, as far as is known. */
  #repeats = true;
  /** Number of the frame at which the pattern was found. */
  #first = 0;

  constructor(device: Device, seed: number, options: ReceiveOptions) {
    super(device, options);
    const { size, policy, depth } = options;
    this.#options = options;
    this.#seed = seed;
    this.#guard = guardSize(device);
    const room = blockSize(device, size, this.#guard);
    this.#blocks = new BlockSet(device, { direction: "rx", policy, size: room, count: depth });
    this.#poison = makeTags(seed, POISON_CLASS, Math.ceil(room / 8)).subarray(this.#guard);
    // no transfer can bring poison here: what ALLOC gives is zeros
    const fresh = new Uint8Array(room);
    this.#guards = new Guards({ guard: this.#guard, size, fresh, count: depth });
  }

  protected override prime(): void {}

  protected override send(sequence: number): void {
    const block = this.#blocks.of(sequence);
    const cookie = BigInt(sequence);
    // a frame that does not come must not be there from before
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

  /** Whether poison is stored before a frame: not where that would stay unsynced, or kill the process. */
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
      this.note({
        kind: "foreign",
        frame: sequence,
        offset: 0,
        length: size,
        blame: null,
        detail: "no place of the expected pattern looks like this frame" +
          (size < SHORT ? `, or ${size} bytes are too few to tell` : ""),
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

  /** Find the place of the pattern at which the design began. */
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
