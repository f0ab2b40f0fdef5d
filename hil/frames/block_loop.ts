// SPDX-License-Identifier: MIT
/**
 * A loop through blocks. This file is over 400 lines, because one frame's way through its blocks is one class.
 *
 * The layout of a block, with guards:
 *
 *     | guard | frame: what ENQUEUE moves | guard to the end of the block |
 *
 * Before the first frame each receive block is primed: a transfer over the whole block fills it with
 * poison. The poison arrives by DMA, because on many boards the CPU's own stores into a receive block are
 * lost.
 * The primer is sent from a block of policy `coherent`, so that it does not depend on the policy
 * under test. If that block is shorter than the receive block, poison is sent in pieces. After that a
 * block holds an older frame, which the pattern distinguishes from the expected one. If frames repeat
 * after as many blocks, poison is stored over it.
 *
 * @module
 */

import type { Block, CompletedTransfer } from "../../driver/block.ts";
import type { Device } from "../../driver/device.ts";
import { equalBytes } from "../../driver/memory.ts";
import { isCallerSynced } from "../../driver/uapi.ts";
import { type Pattern, wholeFrame } from "../patterns/pattern.ts";
import type { Context } from "../verify/classify.ts";
import type { Comparison, Deviation } from "../verify/tolerance.ts";
import { BlockSet, blockSize } from "./block_set.ts";
import { CheckValues, unwrittenFrame } from "./check_values.ts";
import { overrunOf } from "./failed.ts";
import { Flow } from "./flow.ts";
import { fillFrame, holdsFrame } from "./framed.ts";
import { Guards, guardSize, hasGuards } from "./guards.ts";
import type { LoopFlowOptions } from "./options.ts";
import type { FrameReport } from "./report.ts";
import { fittingDepth, makeBlocks, Primer } from "./primer.ts";
import { countOf, type Returned, returnedFrames } from "./returned.ts";
import { RxContent } from "./rx_content.ts";
import { compareArrived, SecondLook } from "./second_look.ts";
import { requireSideband, sidebandFault } from "./sideband.ts";
import { Spoil } from "./spoil.ts";
import { turns } from "./turns.ts";

/** A frame that came back. */
interface Arrival {
  /** Number of the frame that was sent, and of the one that came back for it. */
  readonly sequence: number;
  readonly number: number;
  readonly rx: Block;
  readonly sent: CompletedTransfer;
  readonly received: CompletedTransfer;
  /** Whether the engine failed the receive transfer. */
  readonly failed: boolean;
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
  /** Bytes of each frame that is sent. */
  readonly #lengthOf: (sequence: number) => number;
  /** What each receive block holds, where frames are not all alike. */
  readonly #content: RxContent | null;
  /** Bytes of a receive block. */
  readonly #rxBlock: number;
  readonly #tx: BlockSet;
  readonly #rx: BlockSet;
  readonly #guards: Guards;
  /** The part of a receive block that the primer fills; null after priming. */
  #priming: { readonly rx: Block; readonly offset: number; readonly length: number } | null = null;
  /** Number of the frame that is waited for; null before the first one. */
  #waiting: number | null = null;
  /** Looks at wrong frames again. */
  readonly #looks: SecondLook;
  /** What is stored into a tx block as soon as it is taken back; null for nothing. */
  #spoil: Spoil | null = null;
  /** The core's check values. */
  readonly #checks: CheckValues;

  constructor(device: Device, pattern: Pattern, options: LoopFlowOptions) {
    super(device, options);
    const { size, policy, expect, compare = null, lengthOf } = options;
    this.#pattern = pattern;
    this.#options = options;
    this.#primed = options.primed ?? (expect === undefined && compare === null);
    this.#lengthOf = lengthOf ?? (() => size);
    this.#back = returnedFrames(pattern, options, () => this.#rx.all.length);
    const longest = Math.max(size, this.#back.size);
    const guarded = options.guarded ?? hasGuards(device, policy, longest);
    this.#verify = options.verify ?? guarded;
    this.#guard = guarded ? guardSize(device) : 0;
    this.#checks = new CheckValues(pattern, this.#lengthOf);
    this.#looks = new SecondLook(device, policy, this.#guard);
    const alike = expect === undefined && compare === null && lengthOf === undefined;
    this.#rxBlock = blockSize(device, this.#back.size, this.#guard);
    const txBlock = blockSize(device, size, this.#guard);
    const shallower = options.shallower === true;
    const most = fittingDepth(device, this.#back.most, this.depth, shallower);
    const { blocks, depth } = makeBlocks(most, shallower, (depth) => {
      const { maxBlocks } = device.info;
      const free = alike ? turns(pattern, size, depth, maxBlocks - depth) : null;
      const count = free ?? depth * this.#back.most;
      // one more, so that the last frame of a tx block differs from that of the rx block
      const txCount = maxBlocks > 2 * count
        ? turns(pattern, size, count + 1, maxBlocks - count) ?? count + 1
        : Math.max(depth, maxBlocks - count);
      using owned = new DisposableStack();
      const tx = owned.use(
        new BlockSet(device, { direction: "tx", policy, size: txBlock, count: txCount }),
      );
      const rx = owned.use(
        new BlockSet(device, { direction: "rx", policy, size: this.#rxBlock, count }),
      );
      owned.move();
      return { tx, rx, count, free };
    });
    const { tx, rx, count, free } = blocks;
    this.#tx = tx;
    this.#rx = rx;
    this.limitDepth(depth);
    if (options.reuse === true) {
      this.#spoil = new Spoil(pattern.poison(0, size), this.#tx.all.length);
    }
    const canStore = policy !== "none" && this.#rx.all.every(({ writable }) => writable);
    this.#stores = options.stores ?? (alike && free === null && canStore);
    this.#content = alike ? null : new RxContent({
      ...{ back: this.#back, count, size: this.#back.size },
      initial: this.#primed
        ? pattern.poison(this.#guard, this.#back.size)
        : new Uint8Array(this.#back.size),
      store: !canStore ? "never" : compare !== null && expect === undefined ? "always" : "repeated",
      poison: pattern.poison(this.#guard, this.#back.size),
    });
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
    const poison = this.#pattern.poison(0, this.#rxBlock);
    using primer = new Primer(this.device, poison);
    this.#rx.all.forEach((rx, index) => {
      let check: { sent: number | null; got: number | null } = { sent: null, got: null };
      let moved = 0;
      for (const [offset, length] of primer.pieces) {
        this.#priming = { rx, offset, length };
        primer.fill(offset, length);
        this.give(rx, { offset, length, verify: this.#verify });
        primer.block.enqueue({ length });
        const { done: sent } = this.take(primer.block, 0);
        const { done: got } = this.take(rx, 0);
        moved += got.bytes;
        check = { sent: sent.check, got: got.check };
      }
      if (rx.equals(poison)) return;
      const received = new Uint8Array(poison.length);
      rx.copyTo(received);
      // a check value is for one piece
      const whole = primer.pieces.length === 1;
      const frame = {
        sequence: 0,
        expected: poison,
        received,
        moved,
        txCheck: whole ? check.sent : null,
        rxCheck: whole ? check.got : null,
      };
      // without syncs the CPU cannot see the poison: this is evidence, not a fault of a frame
      if (this.#options.policy === "none") this.observe(frame);
      else this.condemn(frame, { pattern: this.#pattern, base: 0, rxHeld: "zeros" }, rx);
      // if the poison did not reach a block, its guards are compared with what it holds
      this.#guards.accept(index, received);
      this.#content?.accept(index, received.subarray(this.#guard));
    });
    this.#priming = null;
  }

  protected override send(sequence: number): void {
    const { first, count } = this.#back.send(sequence);
    const [offset, verify] = [this.#guard, this.#verify];
    for (let number = first; number < first + count; number++) {
      const rx = this.#rx.of(number);
      if (this.#isStored(number)) rx.set(this.#pattern.poison(offset, this.#back.size), offset);
      this.give(rx, { offset, length: this.#back.size, cookie: BigInt(number), verify });
    }
    const tx = this.#tx.of(sequence);
    const size = this.#lengthOf(sequence);
    fillFrame(tx, { pattern: this.#pattern, sequence, size, at: offset });
    const words = this.#options.sideband?.(sequence);
    if (words !== undefined) requireSideband(this.device, this.#options.policy);
    const sideband = words === undefined ? {} : { sideband: words };
    this.give(tx, { offset, length: size, cookie: BigInt(sequence), ...sideband });
  }

  /** Whether poison is stored into the block of a frame before it is handed over. */
  #isStored(number: number): boolean {
    return this.#stores || this.#content?.isStored(number) === true;
  }

  protected override framesOf(sequence: number): number {
    return this.#back.due(sequence).count;
  }

  protected override receive(sequence: number): number {
    const tx = this.#tx.of(sequence);
    const spoil = this.#spoil?.of(sequence);
    const size = this.#lengthOf(sequence);
    let ended = spoil === undefined ? null : this.take(tx, sequence, size);
    // the block is the caller's again, so the engine must have read it
    if (spoil !== undefined) tx.set(spoil, this.#guard);
    const { first, count } = this.#back.due(sequence);
    let bytes = 0;
    for (let number = first; number < first + count; number++) {
      const rx = this.#rx.of(number);
      this.#waiting = number;
      const { done: received, failed } = this.take(rx, number, this.#back.size, () => {
        ended ??= this.take(tx, sequence, size);
        return !ended.failed;
      });
      ended ??= this.take(tx, sequence, size);
      this.#check({ sequence, number, rx, received, failed, sent: ended.done });
      bytes += this.#back.length(number);
    }
    if (count === 0) ended ??= this.take(tx, sequence, size);
    this.#back.taken(sequence);
    return bytes;
  }

  /** Compares a frame that came back. */
  #check(arrival: Arrival): void {
    const { number, rx, received, failed, sent } = arrival;
    const { pattern } = this.#back;
    const size = this.#back.length(number);
    const frame = { pattern, sequence: number, size, at: this.#guard };
    const { compare = null } = this.#options;
    let right = false;
    if (failed) this.#compareBeginning(rx, number, Math.min(received.bytes, size));
    else if (compare !== null) this.#judge(arrival, compare);
    else if (received.bytes !== size || !holdsFrame(rx, frame)) {
      this.#condemn(arrival, this.#bytesOf(rx, size));
    } else {
      right = true;
      if (pattern === this.#pattern) {
        const faults = this.#checks.compare(number, sent.check, received.check);
        for (const fault of faults) this.record(fault);
      } else if (this.#isStored(number)) {
        const fault = unwrittenFrame(number, wholeFrame(pattern, number, size), received.check);
        if (fault !== null) this.record({ ...fault, block: rx.id });
      }
    }
    if (!failed) this.#compareWords(number, received);
    this.checkGuards(this.#guards, rx, number);
    const { bytes: moved } = received;
    const gap = this.#content?.compare(rx, number, { at: this.#guard, moved, right }) ?? null;
    if (gap !== null) this.record(overrunOf(rx, number, gap));
  }

  /** Compares the words beside a frame, if they matter. */
  #compareWords(number: number, received: CompletedTransfer): void {
    const words = this.#back.words(number);
    if (words === null) return;
    requireSideband(this.device, this.#options.policy);
    const fault = sidebandFault(number, words, received);
    if (fault !== null) this.record(fault);
  }

  /** The first bytes of the frame in a block. */
  #bytesOf(rx: Block, size: number): Uint8Array {
    const bytes = new Uint8Array(size);
    rx.copyTo(bytes, this.#guard);
    return bytes;
  }

  /** Lets the test judge a frame. */
  #judge(arrival: Arrival, compare: Comparison): void {
    const { number, rx, received: { bytes } } = arrival;
    const size = this.#back.length(number);
    const received = this.#bytesOf(rx, size);
    const deviation = compare(wholeFrame(this.#back.pattern, number, size), received, number);
    if (bytes !== size) {
      // the length decides, and of the bytes only those that deviate
      this.#condemn(arrival, received, null, deviation?.accepted ?? received);
    } else if (deviation !== null) this.#condemn(arrival, received, deviation);
  }

  /** Names what is wrong with a frame. */
  #condemn(
    { sequence, number, rx, received, sent }: Arrival,
    bytes: Uint8Array,
    deviation: Deviation | null = null,
    due?: Uint8Array,
  ): void {
    const { pattern, size: room } = this.#back;
    const expected = due ?? wholeFrame(pattern, number, bytes.length);
    const later = deviation === null && due === undefined
      ? this.#looks.look(rx, expected, bytes)
      : null;
    this.condemn(
      {
        ...{ sequence: number, expected, received: bytes, moved: received.bytes, room },
        txCheck: sent.check,
        rxCheck: received.check,
        ...this.#sent(sequence),
      },
      {
        pattern,
        base: this.#guard,
        ...this.#held(number, sequence),
        ...(later === null ? {} : { later }),
        ...this.#spoil?.context(sequence),
      },
      rx,
      deviation,
    );
  }

  /** Compares what arrived before the engine failed a transfer. Its failure is recorded already. */
  #compareBeginning(rx: Block, sequence: number, length: number): void {
    const { pattern } = this.#back;
    // a design may round, so without an exact frame nothing can be said about a part of it
    if ((this.#options.compare ?? null) !== null) return;
    const due = wholeFrame(pattern, sequence, this.#back.length(sequence));
    const [expected, received] = [due.subarray(0, length), new Uint8Array(length)];
    if (length > 0) rx.copyTo(received, this.#guard);
    if (equalBytes(received, expected)) return;
    this.condemn(
      { sequence, expected, received, moved: length, txCheck: null, rxCheck: null },
      { pattern, base: this.#guard, ...this.#held(sequence, sequence) },
      rx,
    );
  }

  /** Also compares the check values of the first frames with the frames, after the time was taken. */
  override report(): FrameReport {
    for (const fault of this.#checks.compareFirst()) this.record(fault);
    return { ...super.report(), ...countOf(this.#back) };
  }

  /** The frame that was sent, if the design transforms it. */
  #sent(sequence: number): { sent?: Uint8Array } {
    const { compare = null } = this.#options;
    if (this.#back.pattern === this.#pattern && compare === null) return {};
    return { sent: wholeFrame(this.#pattern, sequence, this.#lengthOf(sequence)) };
  }

  /** What the blocks of a frame held before: that of a received one, and that of the sent one. */
  #held(
    number: number,
    sequence: number,
  ): Pick<Context, "rxHeld" | "txHeld" | "rxEarlier" | "txEarlier" | "frameOf" | "lengthOf"> {
    const [rx, tx] = [number - this.#rx.all.length, sequence - this.#tx.all.length];
    const { pattern } = this.#back;
    const stored = this.#isStored(number);
    return {
      rxHeld: stored ? "poison" : rx >= 0 ? rx : this.#primed ? "poison" : "zeros",
      txHeld: tx >= 0 ? tx : "zeros",
      rxEarlier: {
        every: this.#rx.all.length,
        initial: this.#primed || stored ? ["poison", "zeros"] : ["zeros"],
      },
      txEarlier: { every: this.#tx.all.length, initial: ["zeros"] },
      ...(pattern === this.#pattern && this.#options.lengthOf === undefined ? {} : {
        frameOf: (other) =>
          other === rx
            ? this.#content?.before(number) ?? new Uint8Array()
            : wholeFrame(pattern, other, this.#back.length(other)),
        lengthOf: (other) => this.#back.length(other),
      }),
    };
  }

  protected override sizeOf(sequence: number): number {
    return this.#back.length(this.#waiting ?? sequence);
  }

  protected override look(sequence: number): { arrived: number; changed: boolean } | null {
    const { policy } = this.#options;
    const number = this.#waiting ?? sequence;
    const rx = this.#priming?.rx ?? this.#rx.of(number);
    // under policy none, the CPU may see old data in place of those that arrived
    if (rx.state !== "user" || policy === "none") return null;
    if (this.#priming === null && this.framesOf(sequence) === 0) return null;
    if (isCallerSynced(policy)) rx.syncForCpu();
    if (this.#priming !== null) {
      const { offset, length } = this.#priming;
      const poison = this.#pattern.poison(0, this.#rxBlock).subarray(offset, offset + length);
      return compareArrived(rx, offset, { due: poison, before: new Uint8Array(length) });
    }
    const { pattern } = this.#back;
    const size = this.#back.length(number);
    const due = wholeFrame(pattern, number, size);
    const before = new Uint8Array(size);
    const { rxHeld } = this.#held(number, sequence);
    if (rxHeld === "poison") before.set(this.#pattern.poison(this.#guard, size));
    else if (typeof rxHeld === "number") pattern.write(before, rxHeld);
    return compareArrived(rx, this.#guard, { due, before });
  }

  protected override free(): void {
    using _blocks = new DisposableStack();
    _blocks.use(this.#tx);
    _blocks.use(this.#rx);
  }
}
