// SPDX-License-Identifier: MIT
/**
 * Frames on their way: how many are asked for, sent and taken, and the books of what was seen.
 *
 * Several flows run side by side in one thread: while one frame is taken and compared, the queues of
 * all other flows are full.
 *
 * @module
 */

import type { Block, CompletedTransfer, EnqueueOptions } from "../../driver/block.ts";
import type { Device } from "../../driver/device.ts";
import { ERRNO, ErrnoError } from "../../driver/errno.ts";
import { TransferError } from "../../driver/errors.ts";
import type { Direction, PolicyName } from "../../driver/uapi.ts";
import type { Guards } from "./block_set.ts";
import type { Fault } from "../verify/fault.ts";
import {
  classify,
  compareCheckValues,
  type Context,
  FaultHistory,
  type ReceivedFrame,
} from "../verify/classify.ts";

/** What every flow is asked for. */
export interface FlowOptions {
  /** Policy of the blocks. */
  readonly policy: PolicyName;
  /** Bytes of a frame. */
  readonly size: number;
  /** How many frames; Infinity with {@linkcode seconds}. */
  readonly frames: number;
  /** Send no more frames after so many seconds; no limit when left out. */
  readonly seconds?: number;
  /** Frames under way at once. */
  readonly depth: number;
  /** Stop after so many faults; 16 when left out. */
  readonly maxFaults?: number;
  /** Longest wait for one completion, milliseconds; 20 seconds when left out. */
  readonly timeoutMs?: number;
  /** Take no frame after this, which then is late, as `performance.now()` tells; never when left out. */
  readonly deadline?: number;
  /**
   * Name only what is wrong in the first 64 KiB from the first wrong byte of a frame; false when left
   * out. For controls, which are wrong all over.
   */
  readonly brief?: boolean;
}

/** Bytes that are looked into where only a brief answer is wanted. */
const BRIEF = 1 << 16;

/** What came of frames. {@linkcode assertIntact} demands that it is whole. */
export interface FrameReport {
  /** Frames asked for. */
  readonly asked: number;
  /** Frames that were verified whole. */
  readonly frames: number;
  /** Their bytes. */
  readonly bytes: number;
  /** What was wrong, in the order in which it was found. */
  readonly faults: readonly Fault[];
  /** Set when a completion did not come in time: which, in words. */
  readonly timeout: string | null;
  /**
   * Where data were seen to change, over all faulty frames: null when nothing could tell.
   */
  readonly seen: { readonly tx: boolean | null; readonly rx: boolean | null };
  /** From the first ENQUEUE to the last comparison, priming not included, seconds. */
  readonly seconds: number;
}

/** Completions that are not those of the frames under way: nothing that follows would mean anything. */
export class MixUpError extends Error {
  /** @param message What was expected and what was found */
  constructor(message: string) {
    super(`${message}: the driver or its engine mixes up completions`);
    this.name = "MixUpError";
  }
}

/** A run that threw after data had been seen to be wrong, which they stay. */
export class BrokenRunError extends Error {
  /** What came of the frames until then, by device. */
  readonly reports: readonly FrameReport[];

  /**
   * @param reports What came of the frames until then, by device
   * @param cause What was thrown
   */
  constructor(reports: readonly FrameReport[], cause: unknown) {
    super(`Data were wrong before: ${cause}`, { cause });
    this.name = "BrokenRunError";
    this.reports = reports;
  }
}

/** Frames on their way through one device. Disposing it gives back every block. */
export abstract class Flow implements Disposable {
  /** The device. */
  protected readonly device: Device;
  /** How long to wait for a completion. */
  protected readonly wait: { readonly timeoutMs: number };
  readonly #options: FlowOptions;
  readonly #maxFaults: number;
  readonly #faults: Fault[] = [];
  readonly #history = new FaultHistory();
  #tx: boolean | null = null;
  #rx: boolean | null = null;
  #sent = 0;
  #taken = 0;
  #verified = 0;
  #bytes = 0;
  #late: string | null = null;
  #start = 0;
  #last = 0;
  /** Set when the engine may hold blocks of ours. */
  #dirty = false;

  /**
   * @param device The device, with no transfer in flight
   * @param options What is asked for
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
    this.#maxFaults = options.maxFaults ?? 16;
  }

  /** Bring poison to where frames will come. */
  protected abstract prime(): void;
  /** Give the engine frame `sequence`, or room for it. */
  protected abstract send(sequence: number): void;
  /** Take frame `sequence` and verify it; returns its bytes, null when nothing could verify it. */
  protected abstract receive(sequence: number): number | null;
  /** Free every block; none is with the engine. */
  protected abstract free(): void;

  /** Make ready for the first frame. */
  prepare(): void {
    this.#dirty = true;
    this.#inTime(() => this.prime());
  }

  /** Fill the queues. */
  start(): void {
    this.#start = this.#last = performance.now();
    this.#inTime(() => {
      while (this.#sent < this.#options.depth && this.#more()) this.send(this.#sent++);
    });
  }

  /**
   * Take the next frame, verify it, and send another one.
   *
   * @returns False when there is nothing left to do
   */
  step(): boolean {
    if (this.#late !== null || this.#taken === this.#sent || this.full) return false;
    if (performance.now() > (this.#options.deadline ?? Infinity)) {
      this.#late = `frame ${this.#taken}: the time for this test is over`;
      return false;
    }
    this.#inTime(() => {
      const bytes = this.receive(this.#taken);
      if (this.#more()) this.send(this.#sent++);
      this.#taken++;
      if (bytes === null) return;
      this.#bytes += bytes;
      this.#verified++;
    });
    this.#last = performance.now();
    return true;
  }

  /**
   * Tell what came of the frames.
   *
   * @returns The report
   */
  report(): FrameReport {
    // frames still under way after too many faults are given back by RESET
    this.#dirty = this.#sent > this.#taken || this.#late !== null;
    const { frames } = this.#options;
    return {
      asked: Number.isFinite(frames) ? frames : Math.max(1, this.#sent),
      frames: this.#verified,
      bytes: this.#bytes,
      // some faults take several frames to be named
      faults: this.#history.reclassify(this.#faults),
      timeout: this.#late,
      seen: { tx: this.#tx, rx: this.#rx },
      seconds: (this.#last - this.#start) / 1000,
    };
  }

  /** Whether another frame is to be sent. */
  #more(): boolean {
    const { frames, seconds = Infinity } = this.#options;
    return this.#sent < frames && (performance.now() - this.#start) / 1000 < seconds;
  }

  /** Note a completion that does not come, and let nothing follow it. */
  #inTime(action: () => void): void {
    try {
      if (this.#late === null) action();
    } catch (error) {
      if (!(error instanceof ErrnoError) || error.errno !== ERRNO.ETIMEDOUT) throw error;
      this.#late = `frame ${this.#taken}: ${error.message}`;
    }
  }

  /** Whether every further fault would be dropped. */
  protected get full(): boolean {
    return this.#faults.length >= this.#maxFaults;
  }

  /** Enter a fault. */
  protected note(fault: Fault): void {
    if (!this.full) this.#faults.push(fault);
  }

  /** Remember whether data were seen to change on the way to the core, or from it. */
  protected see(direction: Direction, changed: boolean): void {
    if (direction === "tx") this.#tx = this.#tx === true || changed;
    else this.#rx = this.#rx === true || changed;
  }

  /** Remember where a frame that is not what it should be was changed. */
  protected observe(frame: ReceivedFrame): void {
    const { tx, rx } = compareCheckValues(frame);
    if (tx !== null) this.see("tx", tx);
    if (rx !== null) this.see("rx", rx);
  }

  /** Name what is wrong with a frame that is not what it should be, in its block if it is in one. */
  protected condemn(frame: ReceivedFrame, context: Context, block?: Block): void {
    this.observe(frame);
    const { cacheAlign, pageSize } = this.device.info;
    // blocks are aligned for the longest line of an architecture: arm64 says 128, its cores have 64
    const units = { cacheLine: Math.min(cacheAlign, 64), pageSize };
    const known = { units, history: this.#history };
    const shown = this.#options.brief === true ? beginning(frame) : frame;
    const where = block === undefined ? {} : { block: block.id };
    for (const fault of classify(shown, { ...known, ...context })) {
      this.note({ ...fault, ...where });
    }
  }

  /** Enqueue a block, synced where that is the caller's affair. */
  protected give(block: Block, options: EnqueueOptions): void {
    if (this.#options.policy === "manual") {
      // of a receive block the guards too
      if (block.direction === "rx") block.syncForDevice();
      else block.syncForDevice(options.offset, options.length);
    }
    block.enqueue(options);
  }

  /**
   * Take the next completion, which must be that of a frame in its block. What the engine says that it
   * failed is noted as lost.
   *
   * @returns The completion, and whether the engine failed the transfer
   */
  protected take(block: Block, sequence: number): { done: CompletedTransfer; failed: boolean } {
    const { direction } = block;
    let done: CompletedTransfer;
    let failed = false;
    try {
      done = this.device.dequeue(direction, this.wait);
    } catch (error) {
      if (!(error instanceof TransferError)) throw error;
      done = error.completion;
      failed = true;
      this.note({
        kind: "lost",
        frame: Number(done.cookie),
        offset: 0,
        length: this.#options.size,
        block: block.id,
        // refused before it began
        blame: done.status === "not-submitted" ? "driver" : "core",
        detail: `the engine failed the ${direction} transfer after ${done.bytes} bytes: ` +
          done.status,
      });
    }
    if (done.block !== block || done.cookie !== BigInt(sequence)) {
      throw new MixUpError(
        `Expected ${direction} block ${block.id} back with frame ${sequence}, found block ` +
          `${done.block.id} with frame ${done.cookie}`,
      );
    }
    if (direction === "rx" && this.#options.policy === "manual") block.syncForCpu();
    return { done, failed };
  }

  /** Note what was written around a frame. */
  protected checkGuards(guards: Guards, block: Block, sequence: number): void {
    for (const { offset, length } of guards.damage(block, sequence)) {
      this.note({
        kind: "overrun",
        frame: sequence,
        offset,
        length,
        block: block.id,
        blame: "core",
        detail: `the guard ${offset < 0 ? "before" : "after"} the frame was written`,
      });
    }
  }

  /** Give back what the engine may hold, then every block. */
  [Symbol.dispose](): void {
    if (this.#dirty) this.device.reset();
    this.free();
  }
}

/** A frame up to a little behind its first wrong byte; check values are those of whole frames. */
function beginning(frame: ReceivedFrame): ReceivedFrame {
  const { expected, received, moved, sent } = frame;
  let first = 0;
  while (first < expected.length && expected[first] === received[first]) first++;
  const end = Math.ceil((first + BRIEF) / BRIEF) * BRIEF;
  if (end >= expected.length) return frame;
  return {
    ...frame,
    expected: expected.subarray(0, end),
    received: received.subarray(0, end),
    moved: Math.min(moved, end),
    txCheck: null,
    rxCheck: null,
    ...(sent === undefined ? {} : { sent: sent.subarray(0, end) }),
  };
}

/**
 * Run flows side by side to their end, and free their blocks.
 *
 * @param make Makes the flows; what it has given to `own` is freed when a later one fails
 * @param onPrimed Called after all are primed, before the first frame
 * @returns What came of each
 * @throws {BrokenRunError} Instead of what was thrown, when data had been wrong before
 */
export function runFlows(
  make: (own: <Item extends Flow>(flow: Item) => Item) => readonly Flow[],
  onPrimed: (() => void) | undefined,
): FrameReport[] {
  using owned = new DisposableStack();
  const flows = make((flow) => owned.use(flow));
  try {
    for (const flow of flows) flow.prepare();
    onPrimed?.();
    for (const flow of flows) flow.start();
    for (let busy = flows; busy.length > 0;) busy = busy.filter((flow) => flow.step());
  } catch (error) {
    const reports = flows.map((flow) => flow.report());
    if (reports.every(({ faults }) => faults.length === 0)) throw error;
    throw new BrokenRunError(reports, error);
  }
  return flows.map((flow) => flow.report());
}
