// SPDX-License-Identifier: MIT
/**
 * Pushes frames through a loopback design and verifies every byte of what comes back.
 *
 * The layout of a block, with guards:
 *
 *     | guard | frame: what ENQUEUE moves | guard to the end of the block |
 *
 * Before the first frame each receive block is primed: a transfer over the whole block fills it with
 * poison. It comes by DMA, because what the CPU stores into a receive block is lost on many boards.
 * The primer is sent from a block of policy `coherent`, so that it does not depend on the policy
 * under test. From then on a block holds an older frame, which the pattern tells apart from the one
 * that is due; where frames come again after so many blocks, poison is stored over it.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import type { Block } from "../../driver/block.ts";
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
import { framesRepeat, type Pattern } from "../patterns/pattern.ts";
import type { Context } from "../verify/classify.ts";

/** What to push through the loop. Policy `bounce` has no blocks, and so no guards, poison or stores. */
export interface LoopOptions extends FlowOptions {
  /**
   * What comes back for a frame, for a design that transforms: always as many bytes for as many. The
   * same frame when left out.
   */
  readonly expect?: (tx: Uint8Array<ArrayBuffer>) => Uint8Array<ArrayBuffer>;
  /**
   * Surround each frame by guard zones and have the driver sync them too; true when left out. Without
   * it the frame is the whole block.
   */
  readonly guarded?: boolean;
  /** Sync whole blocks so that guards can be read; as `guarded` when left out. */
  readonly verify?: boolean;
  /**
   * Prime the receive blocks; true when left out, but for a design that transforms, which would
   * transform the poison too.
   */
  readonly primed?: boolean;
  /**
   * Store poison into each receive block before it is given away, as a caller may whose policy lets
   * it: no such store may come to light after the frame. When left out, only where a block would hold
   * the frame that is due from before; not under policy `none`, nor into blocks mapped read-only. The
   * sync of a streaming block may drop the store (arm64 before Linux 5.19): old frames then stay unseen.
   */
  readonly stores?: boolean;
  /** Called after priming, before the first frame. */
  readonly onPrimed?: () => void;
}

/**
 * Push frames through the loop and verify them.
 *
 * The device must have no transfer in flight. Whatever happens, all blocks are freed again, after a
 * RESET where a transfer did not end.
 *
 * @param device The device, with both channels
 * @param pattern Frames, made for at least `size` bytes and its guards
 * @param options What to push; `depth` is in blocks of each direction, see {@linkcode loopDepth}
 * @returns What came back
 * @throws {ErrnoError} For a refusal of the driver that says nothing about the data
 */
export function runLoop(device: Device, pattern: Pattern, options: LoopOptions): FrameReport {
  const [report] = runLoops([device], pattern, options);
  if (report === undefined) throw new Error("Expected one report, found none");
  return report;
}

/**
 * Push frames through several devices at once. Each gets the same frames.
 *
 * @param devices The devices
 * @param pattern Frames
 * @param options What to push through each
 * @returns What came back from each
 */
export function runLoops(
  devices: readonly Device[],
  pattern: Pattern,
  options: LoopOptions,
): FrameReport[] {
  const Loop = options.policy === "bounce" ? RingLoop : BlockLoop;
  return runFlows(
    (own) => devices.map((device) => own(new Loop(device, pattern, options))),
    options.onPrimed,
  );
}

/** Frames of a run whose check values are computed here as well. */
const CHECKED = 64;

/** Blocks more than are under way at most, so that a frame differs from the one before in its block. */
const SPARE = 8;

/**
 * How many blocks are used in turn.
 *
 * @param pattern What comes to them
 * @param size Bytes of a frame
 * @param least Blocks that are under way
 * @param most Blocks that there may be
 * @returns The least number, from `least` on, after which other frames come; null where there is none
 */
function turns(pattern: Pattern, size: number, least: number, most: number): number | null {
  for (let count = least; count <= Math.min(least + SPARE, most); count++) {
    if (!framesRepeat(pattern, size, count)) return count;
  }
  return null;
}

function hex(value: number): string {
  return `0x${value.toString(16).padStart(8, "0")}`;
}

/** What comes back: how many bytes a frame, and which. */
function comesBack(
  pattern: Pattern,
  { size, expect }: LoopOptions,
): { pattern: Pattern; size: number } {
  if (expect === undefined) return { pattern, size };
  const sent = new Uint8Array(size);
  const frame = (sequence: number): Uint8Array<ArrayBuffer> => {
    pattern.write(sent, sequence);
    return expect(sent);
  };
  const { length } = frame(0);
  if (length === 0) throw new RangeError("Expected a frame from expect(), found 0 bytes");
  return { pattern: expectedPattern(pattern.seed, pattern.maxLength, frame), size: length };
}

/** Loop through blocks that the caller maps. */
class BlockLoop extends Flow {
  readonly #pattern: Pattern;
  readonly #options: LoopOptions;
  readonly #guard: number;
  readonly #verify: boolean;
  readonly #primed: boolean;
  readonly #stores: boolean;
  /** What comes back, and the bytes of the block that it comes to. */
  readonly #back: { readonly pattern: Pattern; readonly size: number };
  readonly #rxBlock: number;
  readonly #tx: BlockSet;
  readonly #rx: BlockSet;
  readonly #guards: Guards;
  /** Check values of the first frames. */
  readonly #first: { sequence: number; read: number; written: number }[] = [];

  constructor(device: Device, pattern: Pattern, options: LoopOptions) {
    super(device, options);
    const { size, depth, policy, guarded = true } = options;
    this.#pattern = pattern;
    this.#options = options;
    this.#verify = options.verify ?? guarded;
    this.#primed = options.primed ?? options.expect === undefined;
    this.#guard = guarded ? guardSize(device) : 0;
    this.#back = comesBack(pattern, options);
    this.#rxBlock = blockSize(device, this.#back.size, this.#guard);
    const { maxBlocks } = device.info;
    const free = turns(this.#back.pattern, this.#back.size, depth, maxBlocks - depth);
    const count = free ?? depth;
    // more than that: so the last frame of a tx block is another than that of the rx block
    const txCount = maxBlocks > 2 * count
      ? turns(pattern, size, count + 1, maxBlocks - count) ?? count + 1
      : Math.max(depth, maxBlocks - count);
    const txBlock = blockSize(device, size, this.#guard);
    this.#tx = new BlockSet(device, { direction: "tx", policy, size: txBlock, count: txCount });
    try {
      const rx = { direction: "rx", policy, size: this.#rxBlock, count } as const;
      this.#rx = new BlockSet(device, rx);
    } catch (error) {
      this.#tx[Symbol.dispose]();
      throw error;
    }
    this.#stores = options.stores ??
      (free === null && policy !== "none" && this.#rx.all.every(({ writable }) => writable));
    this.#guards = new Guards({
      guard: this.#guard,
      size: this.#back.size,
      // ALLOC gives zeros, and they stay where no poison comes
      fresh: this.#primed ? pattern.poison(0, this.#rxBlock) : new Uint8Array(this.#rxBlock),
      count,
    });
  }

  protected override prime(): void {
    if (!this.#primed) return;
    const { device } = this;
    const length = this.#rxBlock;
    const poison = this.#pattern.poison(0, length);
    const trusted = device.info.policies.coherent.tx ? "coherent" : "streaming";
    const [primer] = device.alloc({ direction: "tx", policy: trusted, size: length });
    if (primer === undefined) return;
    using block = primer;
    block.set(poison);
    this.#rx.all.forEach((rx, index) => {
      this.give(rx, { length, verify: this.#verify });
      block.enqueue({ length });
      const { done: sent } = this.take(block, 0);
      const { done: got } = this.take(rx, 0);
      if (rx.equals(poison)) return;
      const received = new Uint8Array(length);
      rx.copyTo(received);
      const frame = {
        sequence: 0,
        expected: poison,
        received,
        moved: got.bytes,
        txCheck: sent.check,
        rxCheck: got.check,
      };
      // without syncs the CPU cannot see the poison: evidence, and no fault of a frame
      if (this.#options.policy === "none") this.observe(frame);
      else this.condemn(frame, { pattern: this.#pattern, base: 0, rxHeld: "zeros" }, rx);
      // a block that the poison did not reach is judged by what it holds
      this.#guards.accept(index, received);
    });
  }

  protected override send(sequence: number): void {
    const { size } = this.#options;
    const [tx, rx] = [this.#tx.of(sequence), this.#rx.of(sequence)];
    const cookie = BigInt(sequence);
    if (this.#stores) rx.set(this.#pattern.poison(this.#guard, this.#back.size), this.#guard);
    const [offset, verify] = [this.#guard, this.#verify];
    this.give(rx, { offset, length: this.#back.size, cookie, verify });
    fillFrame(tx, { pattern: this.#pattern, sequence, size, at: offset });
    this.give(tx, { offset, length: size, cookie });
  }

  protected override receive(sequence: number): number {
    const rx = this.#rx.of(sequence);
    const { done: received } = this.take(rx, sequence);
    const { done: sent } = this.take(this.#tx.of(sequence), sequence);
    const { pattern, size } = this.#back;
    const frame = { pattern, sequence, size, at: this.#guard };
    if (received.bytes !== size || !holdsFrame(rx, frame)) {
      const [expected, bytes] = [new Uint8Array(size), new Uint8Array(size)];
      pattern.write(expected, sequence);
      rx.copyTo(bytes, this.#guard);
      this.condemn(
        {
          sequence,
          expected,
          received: bytes,
          moved: received.bytes,
          txCheck: sent.check,
          rxCheck: received.check,
          ...this.#sent(sequence),
        },
        { pattern, base: this.#guard, ...this.#held(sequence) },
        rx,
      );
    } else if (pattern === this.#pattern) {
      this.#checkValues(sequence, sent.check, received.check);
    }
    this.checkGuards(this.#guards, rx, sequence);
    return size;
  }

  /** Hold the core's check values of a frame that came whole against each other: blame stands on them. */
  #checkValues(sequence: number, read: number | null, written: number | null): void {
    if (read === null || written === null) return;
    if (sequence < CHECKED) this.#first.push({ sequence, read, written });
    else if (read !== written) this.#disagree(sequence, read, written, "");
  }

  /** Those of the first frames are held against the frames too, when nobody measures time any more. */
  override report(): FrameReport {
    const { size } = this.#options;
    for (const { sequence, read, written } of this.#first.splice(0)) {
      const due = checkOf({ pattern: this.#pattern, sequence, size });
      if (read === due && written === due) continue;
      this.#disagree(sequence, read, written, `, and that of the frame is ${hex(due)}`);
    }
    return super.report();
  }

  #disagree(sequence: number, read: number, written: number, due: string): void {
    this.note({
      kind: "foreign",
      frame: sequence,
      offset: 0,
      length: this.#options.size,
      blame: "core",
      detail:
        `the frame came whole, but the core's check values are ${hex(read)} as it was read and ` +
        `${hex(written)} as it was written${due}`,
    });
  }

  /** What was sent, where a design transforms it. */
  #sent(sequence: number): { sent?: Uint8Array } {
    if (this.#back.pattern === this.#pattern) return {};
    const sent = new Uint8Array(this.#options.size);
    this.#pattern.write(sent, sequence);
    return { sent };
  }

  /** What the blocks of a frame held before it. */
  #held(sequence: number): Pick<Context, "rxHeld" | "txHeld" | "frameOf"> {
    const [rx, tx] = [sequence - this.#rx.all.length, sequence - this.#tx.all.length];
    const { pattern, size } = this.#back;
    return {
      rxHeld: this.#stores ? "poison" : rx >= 0 ? rx : this.#primed ? "poison" : "zeros",
      txHeld: tx >= 0 ? tx : "zeros",
      ...(pattern === this.#pattern ? {} : {
        frameOf: (other) => pattern.body(other, size).slice(),
      }),
    };
  }

  protected override free(): void {
    this.#tx[Symbol.dispose]();
    this.#rx[Symbol.dispose]();
  }
}

/** Loop through the driver's rings, by read() and write(). */
class RingLoop extends Flow {
  readonly #pattern: Pattern;
  readonly #sent: Buffer;
  /** What comes back, as it is due. */
  readonly #back: { readonly pattern: Pattern; readonly size: number };
  readonly #due: Buffer;
  /** The frame as it came back and, behind it, a guard in the caller's memory. */
  readonly #buffer: Buffer;
  readonly #blocks: Block[] = [];

  constructor(device: Device, pattern: Pattern, options: LoopOptions) {
    super(device, options);
    this.#pattern = pattern;
    this.#back = comesBack(pattern, options);
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

  /** The rings are the driver's: what can be primed is the buffer, at each receive. */
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
      this.note({
        kind: "overrun",
        frame: sequence,
        offset: size,
        length: buffer.length - size,
        blame: "driver",
        detail: "read() wrote behind the frame",
      });
    }
    return size;
  }

  protected override free(): void {
    // armed receive slots are with the engine until a RESET
    if (this.#blocks.some((block) => this.device.query(block.id).state !== "user")) {
      this.device.reset();
    }
    for (const block of this.#blocks) block.free();
  }
}
