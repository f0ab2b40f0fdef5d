// SPDX-License-Identifier: MIT
/**
 * Frames on their way through one device: how many are sent and taken, and what was wrong with them.
 *
 * Several flows run side by side in one thread. While one frame is taken and compared, the queues of all
 * other flows are full.
 *
 * @module
 */

import type { Block, CompletedTransfer, EnqueueOptions } from "../../driver/block.ts";
import type { Device } from "../../driver/device.ts";
import { ERRNO, ErrnoError } from "../../driver/errno.ts";
import { ResetError } from "../../driver/errors.ts";
import type { Direction } from "../../driver/uapi.ts";
import {
  classify,
  compareCheckValues,
  type Context,
  FaultHistory,
  type ReceivedFrame,
} from "../verify/classify.ts";
import type { Fault } from "../verify/fault.ts";
import { type Deviation, nameDeviation } from "../verify/tolerance.ts";
import { canBeStale, unitsOf } from "./block_set.ts";
import { beginningOf } from "./framed.ts";
import { failureOf, overrunOf } from "./failed.ts";
import type { Guards } from "./guards.ts";
import { Handover, MixUpError, type Taken } from "./handover.ts";
import type { EngineWatch, FlowOptions } from "./options.ts";
import type { FrameReport } from "./report.ts";
import type { TimeoutEvidence } from "../results/schema.ts";
import { describeTimeout } from "./timeout.ts";

/** Frames on their way through one device. Disposing it frees every block. */
export abstract class Flow implements Disposable {
  /** The device. */
  protected readonly device: Device;
  /** How long to wait for a completion. */
  protected readonly wait: { readonly timeoutMs: number };
  readonly #options: FlowOptions;
  readonly #handover: Handover;
  readonly #maxFaults: number;
  readonly #faults: Fault[] = [];
  readonly #history = new FaultHistory();
  /** Numbers of the frames that were wrong. */
  readonly #wrong = new Set<number>();
  #tx: boolean | null = null;
  #rx: boolean | null = null;
  #core = false;
  #sent = 0;
  #taken = 0;
  #verified = 0;
  /** How many more frames must come back than were sent. */
  #surplus = 0;
  #bytes = 0;
  #late: string | null = null;
  #evidence: TimeoutEvidence | null = null;
  readonly #watch: EngineWatch | null;
  /** The direction that is waited for; null for a ring. */
  #waiting: Direction | null = null;
  /** Whether the receive blocks are being primed. */
  #priming = false;
  #transmitted = -1; // the number of the last tx transfer that completed
  readonly #notes: string[] = [];
  #depth: number;
  #start = 0;
  #last = 0;

  /**
   * @param device The device, with no transfer in flight
   * @param options The frames
   */
  constructor(device: Device, options: FlowOptions) {
    const { frames, seconds } = options;
    const bounded = Number.isSafeInteger(frames) ||
      (frames === Infinity && seconds !== undefined && Number.isFinite(seconds));
    if (!bounded || frames < 1) {
      throw new RangeError(
        `Expected frames to be a whole number from 1, or Infinity with seconds, found ${frames}`,
      );
    }
    this.device = device;
    this.wait = { timeoutMs: options.timeoutMs ?? 20_000 };
    this.#options = options;
    const { policy, batch = 1 } = options;
    this.#handover = new Handover({ device, policy, wait: this.wait, batch });
    this.#depth = options.depth;
    this.#maxFaults = options.maxFaults ?? 16;
    this.#watch = options.watch?.(device) ?? null;
  }

  /** Fills receive blocks with poison. */
  protected abstract prime(): void;
  /** Hands frame `sequence`, or room for it, to the engine. */
  protected abstract send(sequence: number): void;
  /** Takes frame `sequence` and verifies it; returns its bytes, or null if nothing verifies it. */
  protected abstract receive(sequence: number): number | null;
  /** Looks for failures that only a frame after `_last`, the last one, would show. */
  protected finish(_last: number): void {}
  /** Frees every block. The engine holds none of them. */
  protected abstract free(): void;

  /**
   * Returns how many frames are verified when frame `sequence` is taken.
   *
   * @param _sequence Number of a frame that was sent
   * @returns 1, unless a design joins or splits frames
   */
  protected framesOf(_sequence: number): number {
    return 1;
  }

  /**
   * Returns the length of a frame for the diagnosis of a timeout.
   *
   * @param _sequence Number of the frame
   * @returns Bytes
   */
  protected sizeOf(_sequence: number): number {
    return this.#options.size;
  }

  /**
   * Looks how much of a frame is in its receive block, after a RESET. While blocks are primed, it is that of the
   * primer.
   *
   * @param _sequence Number of the frame
   * @returns How many of its bytes are there, from the first one on, and whether any byte of the block
   * changed; null if nothing is known
   */
  protected look(_sequence: number): { arrived: number; changed: boolean } | null {
    return null;
  }

  /** Prepares for the first frame. */
  prepare(): void {
    this.#priming = true;
    this.#inTime(() => this.prime());
    this.#priming = false;
  }

  /** Fills the queues. */
  start(): void {
    this.#start = this.#last = performance.now();
    this.#inTime(() => {
      while (this.#sent < this.#depth && this.#more()) this.#send();
    });
  }

  /**
   * Takes the next frame, verifies it, and sends another one.
   *
   * @returns False if nothing is left to do
   */
  step(): boolean {
    if (this.#late !== null || this.#taken === this.#sent || this.full) return false;
    if (performance.now() > (this.#options.deadline ?? Infinity)) {
      this.#late = `frame ${this.#taken}: the time for this test is over`;
      return false;
    }
    this.#inTime(() => {
      const frames = this.framesOf(this.#taken);
      const bytes = this.receive(this.#taken);
      if (this.#more()) this.#send();
      else if (this.#taken + 1 === this.#sent) this.finish(this.#taken);
      this.#taken++;
      if (bytes === null) return;
      this.#bytes += bytes;
      this.#verified += frames;
    });
    this.#last = performance.now();
    return true;
  }

  /** Returns the report of the frames so far. */
  report(): FrameReport {
    const { frames } = this.#options;
    const sent = Number.isFinite(frames) ? frames : Math.max(1, this.#sent);
    return {
      asked: sent + this.#surplus,
      frames: this.#verified,
      bytes: this.#bytes,
      // some kinds of fault need several frames to be recognised
      faults: this.#history.reclassify(this.#faults),
      timeout: this.#late,
      ...(this.#evidence === null ? {} : { late: this.#evidence }),
      ...(this.#notes.length === 0 ? {} : { notes: this.#notes }),
      seen: { tx: this.#tx, rx: this.#rx, ...(this.#core ? { core: true as const } : {}) },
      seconds: (this.#last - this.#start) / 1000,
    };
  }

  #send(): void {
    const sequence = this.#sent++;
    const pauseMs = this.#options.pauseMs?.(sequence) ?? 0;
    if (pauseMs > 0) this.device.poll({}, pauseMs); // waits for no event
    this.send(sequence);
    this.#surplus += this.framesOf(sequence) - 1;
  }

  /** Whether to send another frame. */
  #more(): boolean {
    const { frames, seconds = Infinity } = this.#options;
    return this.#sent < frames && (performance.now() - this.#start) / 1000 < seconds;
  }

  /** Records a completion that does not come in time, and skips everything after it. */
  #inTime(action: () => void): void {
    try {
      if (this.#late === null) action();
    } catch (error) {
      if (!(error instanceof ErrnoError) || error.errno !== ERRNO.ETIMEDOUT) throw error;
      this.#examine(error);
    }
  }

  /** Looks what the board shows of a completion that did not come, and takes back all blocks. */
  #examine(error: ErrnoError): void {
    const direction = this.#waiting;
    const frame = this.#taken;
    const drained = direction === null ? [] : this.#handover.drain("tx");
    for (const { done } of drained) this.#noteSent(Number(done.cookie));
    const interrupts = this.#watch?.interrupts(direction, drained.length) ?? null;
    let idle = true;
    try {
      this.device.reset();
    } catch (failure) {
      if (!(failure instanceof ResetError)) throw failure;
      idle = false;
    }
    const seen = this.look(frame);
    this.#evidence = {
      direction,
      frame,
      primer: this.#priming,
      // the primer's transmit transfer is waited for first
      transmitted: direction === null
        ? null
        : this.#priming
        ? direction === "rx"
        : this.#transmitted >= frame,
      size: this.sizeOf(frame),
      arrived: seen?.arrived ?? null,
      changed: seen?.changed ?? null,
      idle,
      interrupts,
      log: this.#watch?.log() ?? [],
    };
    const missing = direction === null
      ? error.message
      : `no ${direction} completion within ${this.wait.timeoutMs} ms`;
    this.#late = describeTimeout(this.#evidence, missing);
  }

  /** Notes that a tx transfer completed. Those of the primer have numbers of their own. */
  #noteSent(sequence: number): void {
    if (!this.#priming) this.#transmitted = Math.max(this.#transmitted, sequence);
  }

  /** Whether the limit of faults is reached. */
  protected get full(): boolean {
    return this.#faults.length >= this.#maxFaults;
  }

  /** Records a fault. */
  protected record(fault: Fault): void {
    // faults of the primer must leave room for those of frames
    const primer = this.#priming && this.#faults.length >= Math.ceil(this.#maxFaults / 4);
    if (this.full || primer) return;
    const placed: Fault = this.#priming ? { ...fault, primer: true } : fault;
    this.#faults.push(placed);
    this.#options.onFault?.(placed);
  }

  /** Frames in flight at the same time. */
  protected get depth(): number {
    return this.#depth;
  }

  /** Keeps fewer frames in flight than were asked for. The report says why. */
  protected limitDepth(depth: number, why = "the memory does not suffice for more"): void {
    if (depth === this.#depth) return;
    this.#notes.push(`depth ${depth} in place of ${this.#depth}: ${why}`);
    this.#depth = depth;
  }

  /** Records whether data changed on the way to the core, or from it. */
  protected see(direction: Direction, changed: boolean): void {
    if (direction === "tx") this.#tx = this.#tx === true || changed;
    else this.#rx = this.#rx === true || changed;
  }

  /** Records where a wrong frame was changed. */
  protected observe(frame: ReceivedFrame): void {
    const { tx, core, rx } = compareCheckValues(frame);
    // once a transformation has read other data than were sent, its state may be wrong
    if (core === true && (frame.sent === undefined || this.#tx !== true)) this.#core = true;
    if (tx !== null) this.see("tx", tx);
    if (rx !== null) this.see("rx", rx);
  }

  /**
   * Classifies a wrong frame, and records its faults with their block, if it was in one. `deviation` is how
   * a judge found it wrong.
   */
  protected condemn(
    frame: ReceivedFrame,
    context: Context,
    block?: Block,
    deviation: Deviation | null = null,
  ): void {
    this.observe(deviation === null ? frame : { ...frame, inexact: true });
    if (!this.#priming) this.#options.onWrong?.(frame);
    const { policy } = this.#options;
    const stale = {
      tx: canBeStale(this.device, policy, "tx"),
      rx: canBeStale(this.device, policy, "rx"),
    };
    const wasWrong = (sequence: number) => this.#wrong.has(sequence);
    const known = { units: unitsOf(this.device), stale, wasWrong, history: this.#history };
    if (!this.#priming) this.#wrong.add(frame.sequence);
    const shown = this.#options.brief === true ? beginningOf(frame) : frame;
    const where = block === undefined ? {} : { block: block.id };
    const all = { ...known, ...context };
    const faults = deviation === null ? classify(shown, all) : nameDeviation(frame, all, deviation);
    for (const fault of faults) {
      this.record({ ...fault, ...where });
    }
  }

  /** Hands a block to the device. A receive block is synced with its guards. */
  protected give(block: Block, options: EnqueueOptions): void {
    const { offset = 0, length = block.size - offset } = options;
    this.#handover.give(block, options, block.direction === "tx" ? { offset, length } : undefined);
  }

  /**
   * Takes the next transfer, which must be that of a frame in its block. A transfer that the engine
   * failed is recorded as a truncated or a too long frame.
   *
   * @param block The block
   * @param sequence Number of the frame
   * @param size Bytes that it moves. Defaults to those of a frame
   * @param isCause Returns whether an aborted transfer failed by itself, and not because the other direction did.
   * Defaults to yes
   * @returns The transfer, and whether the engine failed it
   */
  protected take(
    block: Block,
    sequence: number,
    size = this.#options.size,
    isCause = () => true,
  ): { done: CompletedTransfer; failed: boolean } {
    let taken: Taken;
    this.#waiting = block.direction;
    try {
      taken = this.#handover.take(block, BigInt(sequence));
    } catch (error) {
      if (!(error instanceof MixUpError)) throw error;
      this.#recordFailure(error.taken, size);
      throw this.#handover.explain(error, block, sequence);
    }
    this.#watch?.completed(block.direction);
    if (block.direction === "tx") this.#noteSent(sequence);
    if (taken.done.status !== "aborted" || isCause()) this.#recordFailure(taken, size);
    if (block.direction === "rx") this.#handover.syncReceived(block);
    return { done: taken.done, failed: taken.error !== null };
  }

  /** Records a transfer that the engine failed, and that should have moved some bytes. */
  #recordFailure({ done, error }: Taken, size: number): void {
    if (error === null) return;
    this.record(failureOf(done, size));
  }

  /** Records what was written around a frame. */
  protected checkGuards(guards: Guards, block: Block, sequence: number): void {
    for (const range of guards.damage(block, sequence)) {
      this.record(overrunOf(block, sequence, range));
    }
  }

  /** Takes back what the engine may hold, then frees every block. */
  [Symbol.dispose](): void {
    // #examine() has made its RESET already
    const mayHold = this.#evidence === null && (this.#priming || this.#sent > this.#taken);
    try {
      if (mayHold) this.device.reset();
    } finally {
      this.free();
    }
  }
}
