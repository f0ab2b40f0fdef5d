// SPDX-License-Identifier: MIT
/**
 * The argument of a test function: devices, parameters, and the three ways to move frames.
 *
 * @module
 */

import type { Device } from "../../driver/device.ts";
import type { PolicyName } from "../../driver/uapi.ts";
import { loopDepth } from "../frames/block_set.ts";
import { runLoops } from "../frames/loop.ts";
import type {
  FlowOptions,
  LoopOptions,
  ReceiveOptions,
  RunOptions,
  SendOptions,
} from "../frames/options.ts";
import { receiveFrames } from "../frames/receive.ts";
import { BrokenRunError, type FrameReport, joinReports } from "../frames/report.ts";
import { sendFrames } from "../frames/send.ts";
import { expectedPattern } from "../patterns/computed.ts";
import type { PatternSpec } from "../patterns/pattern.ts";
import type { Measurement } from "../results/schema.ts";
import type { Session } from "./session.ts";

/** The parameters of a case. */
export interface CaseParameters {
  /** Sync policy of the blocks. */
  readonly policy: PolicyName;
  /** Bytes of a frame. */
  readonly size: number;
  /** Blocks in flight, in each direction; `max` for full queues. */
  readonly depth: number | "max";
  /** Whether guards surround the frames. Without them, a frame is a whole block. */
  readonly guarded: boolean;
  /** Pattern of the frames. */
  readonly pattern: PatternSpec;
  /** Time for the case, seconds; null if the number of frames bounds it. */
  readonly seconds: number | null;
}

/** Frames through a loop, or through a design that returns one frame for each. */
export interface LoopRunner {
  /**
   * Sends frames, receives as many, and compares every byte. With several devices, each gets all frames.
   *
   * @param options The frames. Defaults to those of the test case
   * @returns The report; pass it to `assertIntact`
   */
  run(options?: LoopOptions): Promise<FrameReport>;
}

/** Frames to a design that consumes or checks them. */
export interface Sender {
  /**
   * Sends frames. A frame counts as verified if the core computes a check value over what it read, or if
   * `accept` asks the design.
   *
   * @param options The frames. Defaults to those of the test case
   * @returns The report; pass it to `assertIntact`
   */
  send(options?: SendOptions): Promise<FrameReport>;
}

/** Frames from a design that generates them. */
export interface Receiver {
  /**
   * Receives frames and compares every byte.
   *
   * @param options What the frames must contain, and what differs from the test case
   * @returns The report; pass it to `assertIntact`
   */
  receive(options: ReceiveOptions): Promise<FrameReport>;
}

/**
 * The argument of a test function. Its members may be destructured. The devices are open and reset, and
 * are closed after the test.
 */
export interface CaseContext {
  /** The first device. */
  readonly device: Device;
  /** Every device: several with `--device /dev/pldma0,/dev/pldma1`. */
  readonly devices: readonly Device[];
  /** Sync policy of the case. */
  readonly policy: PolicyName;
  /** Bytes of a frame. */
  readonly size: number;
  /** Blocks in flight at the same time, in each direction. */
  readonly depth: number;
  /** Number of frames; Infinity if `--duration` bounds the case. */
  readonly frames: number;
  /** Pattern of the frames: that of `--pattern`, or that of the test. Defaults to `tagged`. */
  readonly pattern: PatternSpec;
  /** Seed of the run. */
  readonly seed: number;
  /** Frames through a loop. */
  readonly loop: LoopRunner;
  /** Frames to the design. */
  readonly tx: Sender;
  /** Frames from the design. */
  readonly rx: Receiver;
  /**
   * Adds a measurement to the results.
   *
   * @param name What was measured
   * @param value The value
   * @param unit Its unit
   * @param more What was varied within the case, and the spread of the samples whose median it is
   */
  measure(
    name: string,
    value: number,
    unit: string,
    more?: Pick<Measurement, "at" | "spread">,
  ): void;
  /**
   * Ends the case as skipped, because this board or design cannot do it. Use it for what is known only
   * while the test runs. Deno counts the test as passed, and the results count it as skipped.
   *
   * @param reason Why it is skipped
   */
  skip(reason: string): never;
}

/** A test ended itself as skipped. */
export class SkipError extends Error {
  override readonly name = "SkipError";
}

/** Default number of frames of a run, and the bytes that bound it. */
const FRAMES = 300;
const BYTES = 16 * 2 ** 20;

/** Number of faults after which a control has failed as it must. */
const ENOUGH = 4;

/** The context of a case, with what the test did. */
export class Context implements CaseContext {
  readonly device: Device;
  readonly devices: readonly Device[];
  readonly policy: PolicyName;
  readonly size: number;
  readonly depth: number;
  readonly frames: number;
  readonly pattern: PatternSpec;
  readonly seed: number;
  readonly loop: LoopRunner;
  readonly tx: Sender;
  readonly rx: Receiver;
  /** The reports of the test's runs, in their order. */
  readonly reports: FrameReport[] = [];
  /** The measurements of the test, in their order. */
  readonly measurements: Measurement[] = [];

  /**
   * @param session The board
   * @param devices The open devices, at least one
   * @param parameters The parameters of the case
   * @param options `control`: whether the case must fail; `deadline`, as `performance.now()` counts
   */
  constructor(
    session: Session,
    devices: readonly Device[],
    parameters: CaseParameters,
    options: { readonly control: boolean; readonly deadline: number },
  ) {
    const [device] = devices;
    if (device === undefined) throw new Error("Expected at least one device, found none");
    this.device = device;
    this.devices = devices;
    this.policy = parameters.policy;
    this.size = parameters.size;
    this.depth = parameters.depth === "max"
      ? Math.min(...devices.map((one) => loopDepth(one, parameters.size)))
      : parameters.depth;
    this.frames = defaultFrames(session, parameters, this.depth);
    this.pattern = parameters.pattern;
    this.seed = session.settings.seed;
    const runs = new Runs(session, this, parameters, options, this.reports);
    this.loop = { run: (chosen) => runs.loop(chosen) };
    this.tx = { send: (chosen) => runs.send(chosen) };
    this.rx = { receive: (chosen) => runs.receive(chosen) };
  }

  readonly measure = (
    name: string,
    value: number,
    unit: string,
    more: Pick<Measurement, "at" | "spread"> = {},
  ): void => {
    this.measurements.push({ name, value, unit, limit: null, ...more });
  };

  readonly skip = (reason: string): never => {
    throw new SkipError(reason);
  };
}

/** Number of frames of a run for which nothing is chosen. */
function defaultFrames(
  { board, settings }: Session,
  { size, seconds }: CaseParameters,
  depth: number,
): number {
  if (seconds !== null) return Infinity;
  // a simulated board has no data path that many frames would stress, and somebody waits for it
  const room = board.kind === "sim"
    ? Math.max(depth + 1, Math.floor(BYTES / 16 / size))
    : Math.max(2 * depth + 1, Math.floor(BYTES / size));
  return settings.frames ?? Math.min(FRAMES, room);
}

/** The runs of one case. */
class Runs {
  readonly #session: Session;
  readonly #devices: readonly Device[];
  readonly #guarded: boolean;
  readonly #pattern: PatternSpec;
  readonly #defaults: FlowOptions;
  readonly #reports: FrameReport[];
  #armed = false;

  constructor(
    session: Session,
    { devices, policy, size, depth, frames }: CaseContext,
    { guarded, pattern, seconds }: CaseParameters,
    { control, deadline }: { readonly control: boolean; readonly deadline: number },
    reports: FrameReport[],
  ) {
    this.#session = session;
    this.#devices = devices;
    this.#guarded = guarded;
    this.#pattern = pattern;
    this.#reports = reports;
    this.#defaults = {
      ...{ policy, size, depth, frames, deadline, onPrimed: () => this.#arm() },
      ...(seconds === null ? {} : { seconds }),
      ...(control ? { maxFaults: ENOUGH, brief: true } : {}),
    };
  }

  loop(options: LoopOptions = {}): Promise<FrameReport> {
    const { pattern: spec = this.#pattern, ...chosen } = options;
    const pattern = this.#session.pattern(spec);
    const merged = { guarded: this.#guarded, ...this.#merge(chosen) };
    return this.#keep(() => runLoops(this.#devices, pattern, merged));
  }

  send(options: SendOptions = {}): Promise<FrameReport> {
    const { pattern: source = this.#pattern, ...chosen } = options;
    const merged = this.#merge(chosen);
    const pattern = typeof source === "function"
      ? expectedPattern(this.#session.settings.seed, merged.size, source)
      : this.#session.pattern(source);
    return this.#keep(() => sendFrames(this.#devices, pattern, merged));
  }

  receive(options: ReceiveOptions): Promise<FrameReport> {
    const { seed } = this.#session.settings;
    return this.#keep(() => receiveFrames(this.#devices, seed, this.#merge(options)));
  }

  /** The options of a run: those of the case, unless the test chose others. */
  #merge<Own extends RunOptions>(own: Own): FlowOptions & Own {
    return {
      ...this.#defaults,
      // the time is meant for runs without a number of frames
      ...(Number.isFinite(own.frames) ? { seconds: Infinity } : {}),
      ...own,
    };
  }

  /** Arms the requested fault once for the case, so its frame numbers count from the first run. */
  #arm(): void {
    const { board, settings } = this.#session;
    if (settings.fault === null || this.#armed) return;
    this.#armed = true;
    board.arm(settings.fault);
  }

  /**
   * Runs frames and keeps their report, which is one for all devices. It returns a promise so that it can
   * wait for a board at the other end of a wire later.
   */
  // deno-lint-ignore require-await
  async #keep(run: () => readonly FrameReport[]): Promise<FrameReport> {
    const join = (each: readonly FrameReport[]): FrameReport => {
      const report = joinReports(each, this.#devices.map(({ path }) => path));
      this.#reports.push(report);
      return report;
    };
    try {
      return join(run());
    } catch (error) {
      if (!(error instanceof BrokenRunError)) throw error;
      join(error.reports);
      throw error.cause;
    }
  }
}
