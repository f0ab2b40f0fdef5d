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
import type { Direction } from "../../driver/uapi.ts";
import {
  classify,
  compareCheckValues,
  type Context,
  FaultHistory,
  type ReceivedFrame,
} from "../verify/classify.ts";
import type { Fault } from "../verify/fault.ts";
import type { Guards } from "./guards.ts";
import { Handover, MixUpError, type Taken } from "./handover.ts";
import type { FlowOptions } from "./options.ts";
import { BrokenRunError, type FrameReport } from "./report.ts";

/** Bytes that are classified if only a brief answer is wanted. */
const BRIEF = 1 << 16;

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
  #tx: boolean | null = null;
  #rx: boolean | null = null;
  #sent = 0;
  #taken = 0;
  #verified = 0;
  #bytes = 0;
  #late: string | null = null;
  #start = 0;
  #last = 0;
  /** Whether the engine may still hold blocks of this flow. */
  #dirty = false;

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
    this.#handover = new Handover({ device, policy: options.policy, wait: this.wait });
    this.#maxFaults = options.maxFaults ?? 16;
  }

  /** Fills receive blocks with poison. */
  protected abstract prime(): void;
  /** Hands frame `sequence`, or room for it, to the engine. */
  protected abstract send(sequence: number): void;
  /** Takes frame `sequence` and verifies it; returns its bytes, or null if nothing verifies it. */
  protected abstract receive(sequence: number): number | null;
  /** Frees every block. The engine holds none of them. */
  protected abstract free(): void;

  /** Prepares for the first frame. */
  prepare(): void {
    this.#dirty = true;
    this.#inTime(() => this.prime());
  }

  /** Fills the queues. */
  start(): void {
    this.#start = this.#last = performance.now();
    this.#inTime(() => {
      while (this.#sent < this.#options.depth && this.#more()) this.send(this.#sent++);
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
   * Returns the report of the frames so far.
   *
   * @returns The report
   */
  report(): FrameReport {
    // RESET gives back the frames that are still in flight after too many faults
    this.#dirty = this.#sent > this.#taken || this.#late !== null;
    const { frames } = this.#options;
    return {
      asked: Number.isFinite(frames) ? frames : Math.max(1, this.#sent),
      frames: this.#verified,
      bytes: this.#bytes,
      // some kinds of fault need several frames to be recognised
      faults: this.#history.reclassify(this.#faults),
      timeout: this.#late,
      seen: { tx: this.#tx, rx: this.#rx },
      seconds: (this.#last - this.#start) / 1000,
    };
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
      this.#late = `frame ${this.#taken}: ${error.message}`;
    }
  }

  /** Whether the limit of faults is reached. */
  protected get full(): boolean {
    return this.#faults.length >= this.#maxFaults;
  }

  /** Records a fault. */
  protected record(fault: Fault): void {
    if (!this.full) this.#faults.push(fault);
  }

  /** Records whether data changed on the way to the core, or from it. */
  protected see(direction: Direction, changed: boolean): void {
    if (direction === "tx") this.#tx = this.#tx === true || changed;
    else this.#rx = this.#rx === true || changed;
  }

  /** Records where a wrong frame was changed. */
  protected observe(frame: ReceivedFrame): void {
    const { tx, rx } = compareCheckValues(frame);
    if (tx !== null) this.see("tx", tx);
    if (rx !== null) this.see("rx", rx);
  }

  /** Classifies a wrong frame, and records its faults with their block, if it was in one. */
  protected condemn(frame: ReceivedFrame, context: Context, block?: Block): void {
    this.observe(frame);
    const { cacheAlign, pageSize } = this.device.info;
    // cacheAlign is that of the architecture: arm64 says 128, and its cores have lines of 64
    const units = { cacheLine: Math.min(cacheAlign, 64), pageSize };
    const known = { units, history: this.#history };
    const shown = this.#options.brief === true ? beginning(frame) : frame;
    const where = block === undefined ? {} : { block: block.id };
    for (const fault of classify(shown, { ...known, ...context })) {
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
   * failed is recorded as a lost frame.
   *
   * @returns The transfer, and whether the engine failed it
   */
  protected take(block: Block, sequence: number): { done: CompletedTransfer; failed: boolean } {
    let taken: Taken;
    try {
      taken = this.#handover.take(block, BigInt(sequence));
    } catch (error) {
      if (error instanceof MixUpError) this.#recordFailure(error.taken);
      throw error;
    }
    this.#recordFailure(taken);
    if (block.direction === "rx") this.#handover.syncReceived(block);
    return { done: taken.done, failed: taken.error !== null };
  }

  /** Records a transfer that the engine failed. */
  #recordFailure({ done, error }: Taken): void {
    if (error === null) return;
    const { block, cookie, status, bytes } = done;
    this.record({
      kind: "lost",
      frame: Number(cookie),
      offset: 0,
      length: this.#options.size,
      block: block.id,
      // the driver refused it before it began
      blame: status === "not-submitted" ? "driver" : "core",
      detail: `the engine failed the ${block.direction} transfer after ${bytes} bytes: ${status}`,
    });
  }

  /** Records what was written around a frame. */
  protected checkGuards(guards: Guards, block: Block, sequence: number): void {
    for (const { offset, length } of guards.damage(block, sequence)) {
      this.record({
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

  /** Takes back what the engine may hold, then frees every block. */
  [Symbol.dispose](): void {
    if (this.#dirty) this.device.reset();
    this.free();
  }
}

/** A frame cut a little after its first wrong byte, without check values, which are for whole frames. */
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
 * Runs flows side by side to their end, and frees their blocks.
 *
 * @param make Makes the flows; those that it passed to `own` are freed if a later one fails
 * @param onPrimed Called after all of them are primed, before the first frame
 * @returns The report of each
 * @throws {BrokenRunError} In place of what was thrown, if faults were found before
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
