// SPDX-License-Identifier: MIT
/**
 * A loop through blocks.
 *
 * The layout of a block, with guards:
 *
 *     | guard | frame: what ENQUEUE moves | guard to the end of the block |
 *
 * Before the first frame each receive block is primed: a transfer over the whole block fills it with
 * poison. The poison arrives by DMA, because on many boards the CPU's own stores into a receive block are
 * lost.
 * The primer is sent from a block of policy `coherent`, so that it does not depend on the policy
 * under test. After that a block holds an older frame, which the pattern distinguishes from the
 * expected one. If frames repeat after as many blocks, poison is stored over it.
 *
 * @module
 */

import type { Device } from "../../driver/device.ts";
import { framesRepeat, type Pattern } from "../patterns/pattern.ts";
import type { Context } from "../verify/classify.ts";
import { BlockSet, blockSize } from "./block_set.ts";
import { Flow } from "./flow.ts";
import { checkOf, fillFrame, holdsFrame } from "./framed.ts";
import { Guards, guardSize } from "./guards.ts";
import type { LoopFlowOptions } from "./options.ts";
import type { FrameReport } from "./report.ts";
import { type Returned, returnedFrames } from "./returned.ts";

/** Number of first frames whose check values are computed here as well. */
const CHECKED = 64;

/** Largest number of extra blocks that make a frame differ from the one before in its block. */
const SPARE = 8;

/**
 * Returns how many blocks to use in turn.
 *
 * @param pattern Frames that arrive in them
 * @param size Bytes of a frame
 * @param least Blocks in flight
 * @param most Largest number of blocks
 * @returns The smallest number, from `least` on, after which a different frame arrives; null if there is none
 */
function turns(pattern: Pattern, size: number, least: number, most: number): number | null {
  for (let count = least; count <= Math.min(least + SPARE, most); count++) {
    if (!framesRepeat(pattern, size, count)) return count;
  }
  return null;
}

/** A loop through blocks that the caller maps. */
export class BlockLoop extends Flow {
  readonly #pattern: Pattern;
  readonly #options: LoopFlowOptions;
  readonly #guard: number;
  readonly #verify: boolean;
  readonly #primed: boolean;
  readonly #stores: boolean;
  readonly #back: Returned;
  /** Bytes of a receive block. */
  readonly #rxBlock: number;
  readonly #tx: BlockSet;
  readonly #rx: BlockSet;
  readonly #guards: Guards;
  /** The core's check values of the first frames. */
  readonly #first: { sequence: number; read: number; written: number }[] = [];

  constructor(device: Device, pattern: Pattern, options: LoopFlowOptions) {
    super(device, options);
    const { size, depth, policy, guarded = true } = options;
    this.#pattern = pattern;
    this.#options = options;
    this.#verify = options.verify ?? guarded;
    this.#primed = options.primed ?? options.expect === undefined;
    this.#guard = guarded ? guardSize(device) : 0;
    this.#back = returnedFrames(pattern, options);
    this.#rxBlock = blockSize(device, this.#back.size, this.#guard);
    const { maxBlocks } = device.info;
    const free = turns(this.#back.pattern, this.#back.size, depth, maxBlocks - depth);
    const count = free ?? depth;
    // one more, so that the last frame of a tx block differs from that of the rx block
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
      // ALLOC returns zeros, and without priming they stay
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
      // without syncs the CPU cannot see the poison: this is evidence, not a fault of a frame
      if (this.#options.policy === "none") this.observe(frame);
      else this.condemn(frame, { pattern: this.#pattern, base: 0, rxHeld: "zeros" }, rx);
      // if the poison did not reach a block, its guards are compared with what it holds
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

  /** Compares the core's two check values of an intact frame, because blame depends on them. */
  #checkValues(sequence: number, read: number | null, written: number | null): void {
    if (read === null || written === null) return;
    if (sequence < CHECKED) this.#first.push({ sequence, read, written });
    else if (read !== written) this.#disagree(sequence, read, written, "");
  }

  /** Also compares those of the first frames with the frames, after the time was taken. */
  override report(): FrameReport {
    const { size } = this.#options;
    for (const { sequence, read, written } of this.#first.splice(0)) {
      const due = checkOf({ pattern: this.#pattern, sequence, size });
      if (read === due && written === due) continue;
      this.#disagree(sequence, read, written, `; that of the frame is ${hex(due)}`);
    }
    return super.report();
  }

  #disagree(sequence: number, read: number, written: number, due: string): void {
    this.record({
      kind: "foreign",
      frame: sequence,
      offset: 0,
      length: this.#options.size,
      blame: "core",
      detail:
        `the frame is intact, but the core's check values are ${hex(read)} for what it read and ` +
        `${hex(written)} for what it wrote${due}`,
    });
  }

  /** The frame that was sent, if the design transforms it. */
  #sent(sequence: number): { sent?: Uint8Array } {
    if (this.#back.pattern === this.#pattern) return {};
    const sent = new Uint8Array(this.#options.size);
    this.#pattern.write(sent, sequence);
    return { sent };
  }

  /** What the blocks of a frame held before. */
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

function hex(value: number): string {
  return `0x${value.toString(16).padStart(8, "0")}`;
}
