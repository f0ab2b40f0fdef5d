// SPDX-License-Identifier: MIT
/**
 * One case: what its test gets, how it ends, and what the journal is told.
 *
 * @module
 */

import type { CompletedTransfer } from "../../driver/block.ts";
import type { Device } from "../../driver/device.ts";
import { ERRNO, ErrnoError } from "../../driver/errno.ts";
import type { DeviceInfo } from "../../driver/info.ts";
import { TransferError } from "../../driver/errors.ts";
import type { Direction, PolicyName } from "../../driver/uapi.ts";
import { loopDepth } from "../frames/block_set.ts";
import { needsSync } from "../board/board.ts";
import { expectedPattern } from "../patterns/computed.ts";
import { BrokenRunError, type FrameReport, MixUpError } from "../frames/flow.ts";
import { IntactError, isIntact, summarizeReport, wasAsserted } from "../frames/intact.ts";
import type { CaseResult } from "../journal/journal.ts";
import { runLoops } from "../frames/loop.ts";
import type { PatternSpec } from "../patterns/pattern.ts";
import type { Measurement } from "../results/schema.ts";
import type { Fault } from "../verify/fault.ts";
import { type Session, WrongDesignError } from "./session.ts";
import { type Expectation, type FrameMaker, receiveFrames, sendFrames } from "../frames/streams.ts";

/** Frames of a run that nobody gave a number for, and the bytes that bound them. */
const FRAMES = 300;
const BYTES = 16 * 2 ** 20;

/** Faults after which a control has proved its point. */
const ENOUGH = 4;

/** What a case is made with. */
export interface CaseParameters {
  /** Policy of blocks. */
  readonly policy: PolicyName;
  /** Bytes of a frame. */
  readonly size: number;
  /** Blocks in each direction; `max` for full queues. */
  readonly depth: number | "max";
  /** Whether frames have guards around them; without, a frame is a whole block. */
  readonly guarded: boolean;
  /** Pattern of the frames. */
  readonly pattern: PatternSpec;
  /** Time for the case, seconds; null when the number of frames bounds it. */
  readonly seconds: number | null;
}

/** What may be chosen for one run of frames; what is left out is the case's. */
export interface RunChoice {
  /** How many frames. */
  readonly frames?: number;
  /** Bytes of a frame. */
  readonly size?: number;
  /** Policy of the blocks. */
  readonly policy?: PolicyName;
  /** Blocks in each direction. */
  readonly depth?: number;
  /** Stop after so many faults; 16 when left out. */
  readonly maxFaults?: number;
  /** Longest wait for one completion, milliseconds; 20 seconds when left out. */
  readonly timeoutMs?: number;
}

/** What may be chosen for frames that come back. */
export interface LoopChoice extends RunChoice {
  /** Pattern of the frames. */
  readonly pattern?: PatternSpec;
  /**
   * What comes back for a frame, for a design that transforms: always as many bytes for as many. The
   * same frame when left out.
   *
   * @param tx The frame that was sent; the array is used again
   * @returns What must come back
   */
  readonly expect?: (tx: Uint8Array<ArrayBuffer>) => Uint8Array<ArrayBuffer>;
  /** Surround each frame by guard zones; true when left out, but for a frame that is a whole block. */
  readonly guarded?: boolean;
}

/** What may be chosen for frames that are sent. */
export interface SendChoice extends RunChoice {
  /** Pattern of the frames, or what makes them. */
  readonly pattern?: PatternSpec | FrameMaker;
  /**
   * Asks the design about a frame that it took, by its registers say.
   *
   * @param done The transfer
   * @param sequence Number of the frame, from 0
   * @returns Null when the design is content, else what is wrong, in words
   */
  readonly accept?: (done: CompletedTransfer, sequence: number) => string | null;
}

/** What frames that are received must hold, and what else may be chosen. */
export interface ReceiveChoice extends RunChoice {
  /** A pattern, or the bytes of each frame. */
  readonly expect: Expectation;
}

/** Frames through a loop, or a design that gives back one frame for each. */
export interface LoopRunner {
  /**
   * Send frames, take as many, and compare every byte. With several devices each gets all frames.
   *
   * @param options What differs from the case: `frames`, `size`, `policy`, `depth`, `pattern`, and
   * `expect`, what comes back for a frame
   * @returns What came back: give it to `assertIntact`
   */
  run(options?: LoopChoice): Promise<FrameReport>;
}

/** Frames to a design that consumes or checks them. */
export interface Sender {
  /**
   * Send frames. They count as verified where the core computes a check value over what it saw, or
   * `accept` asks the design.
   *
   * @param options What differs from the case
   * @returns What came of them: give it to `assertIntact`
   */
  send(options?: SendChoice): Promise<FrameReport>;
}

/** Frames from a design that makes them. */
export interface Receiver {
  /**
   * Receive frames and compare every byte.
   *
   * @param options `expect`: what they must hold; and what differs from the case
   * @returns What came: give it to `assertIntact`
   */
  receive(options: ReceiveChoice): Promise<FrameReport>;
}

/** What a test gets. The devices are open, reset, and closed again after the test. */
export interface CaseContext {
  /** The first device. */
  readonly device: Device;
  /** Every device: several with `--device /dev/pldma0,/dev/pldma1`. */
  readonly devices: readonly Device[];
  /** Policy of the case. */
  readonly policy: PolicyName;
  /** Bytes of a frame. */
  readonly size: number;
  /** Blocks in each direction. */
  readonly depth: number;
  /** Frames to move; Infinity where `--duration` bounds the case. */
  readonly frames: number;
  /** Pattern of the frames: `--pattern`, else the one of the test, else tagged. */
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
   * Add a figure to the results.
   *
   * @param name What was measured
   * @param value The figure
   * @param unit Its unit
   * @param more What was varied within the case, and how the samples lay whose median it is
   */
  measure(
    name: string,
    value: number,
    unit: string,
    more?: Pick<Measurement, "at" | "spread">,
  ): void;
  /**
   * End the case here as one that this board or design cannot do. For what is known only when the
   * test runs: Deno counts the test as passed, the results as skipped.
   *
   * @param reason Why
   */
  skip(reason: string): never;
}

/** A test's own word that it cannot run. */
class SkipError extends Error {
  override readonly name = "SkipError";
}

/** A test did not end in its time. */
class LateError extends Error {
  override readonly name = "LateError";
}

/** The context of a case, and the books of what it did. */
class Context implements CaseContext {
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
  readonly reports: FrameReport[] = [];
  readonly measurements: Measurement[] = [];

  constructor(
    session: Session,
    devices: readonly Device[],
    parameters: CaseParameters,
    { control, deadline }: { control: boolean; deadline: number },
  ) {
    const [device] = devices;
    if (device === undefined) throw new Error("Expected at least one device, found none");
    const { policy, size, guarded, seconds, pattern } = parameters;
    const { settings } = session;
    this.device = device;
    this.devices = devices;
    this.policy = policy;
    this.size = size;
    this.depth = parameters.depth === "max"
      ? Math.min(...devices.map((one) => loopDepth(one, size)))
      : parameters.depth;
    // a simulated board has no data path that many frames could wear out, and somebody waits for it
    const room = session.board.kind === "sim"
      ? Math.max(this.depth + 1, Math.floor(BYTES / 16 / size))
      : Math.max(2 * this.depth + 1, Math.floor(BYTES / size));
    this.frames = seconds !== null ? Infinity : settings.frames ?? Math.min(FRAMES, room);
    this.pattern = pattern;
    this.seed = settings.seed;

    const { depth, frames } = this;
    let armed = false;
    const onPrimed = (): void => {
      if (settings.fault === null || armed) return;
      armed = true; // once a case: frames count from there
      session.board.arm(settings.fault);
    };
    const common = {
      ...{ policy, size, depth, frames, onPrimed, deadline },
      ...(seconds === null ? {} : { seconds }),
      ...(control ? { maxFaults: ENOUGH, brief: true } : {}),
    };
    // a number of frames is not cut short by the time that was meant for cases without one
    const merge = <Own extends { readonly frames?: number }>(own: Own) => ({
      ...common,
      ...(Number.isFinite(own.frames) ? { seconds: Infinity } : {}),
      ...own,
    });
    // a promise, so that a board at the other end of a wire can be waited for one day
    this.loop = {
      run: (options = {}) => {
        const frames = session.pattern(options.pattern ?? pattern);
        return this.#keep(() => runLoops(devices, frames, { guarded, ...merge(options) }));
      },
    };
    this.tx = {
      send: (options = {}) => {
        const source = options.pattern ?? pattern;
        const { size: length } = merge(options);
        const frames = typeof source === "function"
          ? expectedPattern(settings.seed, length, source)
          : session.pattern(source);
        return this.#keep(() => sendFrames(devices, frames, merge(options)));
      },
    };
    this.rx = {
      receive: (options) => this.#keep(() => receiveFrames(devices, this.seed, merge(options))),
    };
  }

  /** Several devices at once make one report, in which each fault names its device. */
  // deno-lint-ignore require-await
  async #keep(run: () => readonly FrameReport[]): Promise<FrameReport> {
    const join = (each: readonly FrameReport[]): FrameReport => {
      const report = joinReports(each, this.devices.map(({ path }) => path));
      this.reports.push(report);
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

  measure(
    name: string,
    value: number,
    unit: string,
    more: Pick<Measurement, "at" | "spread"> = {},
  ): void {
    this.measurements.push({ name, value, unit, limit: null, ...more });
  }

  skip(reason: string): never {
    throw new SkipError(reason);
  }
}

/**
 * Make one report of those of several devices that ran side by side.
 *
 * @param reports One for each device
 * @param paths Their devices
 * @returns The report of all
 */
export function joinReports(
  reports: readonly FrameReport[],
  paths: readonly string[],
): FrameReport {
  const [first] = reports;
  if (first === undefined) throw new Error("Expected at least one report, found none");
  if (reports.length === 1) return first;
  const sum = (of: (report: FrameReport) => number) =>
    reports.reduce((total, report) => total + of(report), 0);
  const seen = (direction: Direction): boolean | null => {
    const told = reports.map((report) => report.seen[direction]).filter((one) => one !== null);
    return told.length === 0 ? null : told.includes(true);
  };
  const late = reports.findIndex((report) => report.timeout !== null);
  return {
    asked: sum((report) => report.asked),
    frames: sum((report) => report.frames),
    bytes: sum((report) => report.bytes),
    faults: reports.flatMap((report, i) =>
      report.faults.map((fault) => ({ ...fault, detail: `${paths[i]}: ${fault.detail}` }))
    ),
    timeout: late < 0 ? null : `${paths[late]}: ${reports[late]?.timeout}`,
    seen: { tx: seen("tx"), rx: seen("rx") },
    seconds: Math.max(...reports.map((report) => report.seconds)),
  };
}

/**
 * Run one case.
 *
 * @param session The board
 * @param choose Makes the case of what the devices offer, or says why they cannot do it
 * @param options `control`: whether it must fail where missing syncs can be seen; `directions` that
 * it uses; `limit`, seconds
 * @param fn The test
 * @returns How it ended; this never throws
 */
export async function runCase(
  session: Session,
  choose: (infos: readonly DeviceInfo[]) => CaseParameters | string,
  options: {
    readonly control: boolean;
    readonly directions: readonly Direction[];
    readonly limit: number;
  },
  fn: (context: CaseContext) => void | Promise<void>,
): Promise<CaseResult> {
  const start = performance.now();
  let devices: Device[] = [];
  let context: Context | null = null;
  let thrown: unknown = null;
  let matters = true;
  try {
    await session.load();
    const parameters = choose(session.infos ?? []);
    if (typeof parameters === "string") throw new SkipError(parameters);
    devices = await session.openDevices();
    matters = devices.some(needsSync);
    const deadline = start + options.limit * 1000;
    context = new Context(session, devices, parameters, { control: options.control, deadline });
    await within(options.limit, fn(context));
  } catch (error) {
    thrown = error ?? new Error("The test threw nothing");
  }
  try {
    // whatever the test left in flight is aborted by close
    for (const device of devices) device[Symbol.dispose]();
    session.checkLocks();
  } catch (error) {
    if (!(thrown instanceof IntactError)) thrown = error;
  }
  const { reports: own = [], measurements = [] } = context ?? {};
  // a test may have moved frames by itself
  const reports = thrown instanceof IntactError && !own.includes(thrown.report)
    ? [...own, thrown.report]
    : own;
  const judged = options.control
    ? judgeControl(judge(thrown, reports), reports, options.directions, matters)
    : judge(thrown, reports);
  const { fault } = session.settings;
  return {
    ...judged,
    seconds: (performance.now() - start) / 1000,
    frames: reports.reduce((sum, { frames }) => sum + frames, 0),
    bytes: reports.reduce((sum, { bytes }) => sum + bytes, 0),
    faults: reports.flatMap(({ faults }) => faults),
    measurements: [...speed(reports), ...measurements],
    ...(fault === null ? {} : { injected: session.board.disarm() }),
  };
}

/** Wait for a test; what it does after its time is not waited for. */
async function within(limit: number, test: void | Promise<void>): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new LateError(`The test did not end within ${limit} s`)),
      limit * 1000,
    );
  });
  try {
    await Promise.race([test, late]);
  } finally {
    clearTimeout(timer);
  }
}

type Judgement = Pick<CaseResult, "outcome" | "reason" | "evidence">;

/** What a test's end says about the design. */
function judge(thrown: unknown, reports: readonly FrameReport[]): Judgement {
  if (thrown instanceof IntactError) {
    const { report } = thrown;
    const reason = summarizeReport(report);
    if (report.timeout !== null) return { outcome: "TIMEOUT", reason };
    // frames that nobody verified say nothing about the design
    return { outcome: report.faults.length > 0 ? "FAIL" : "ERROR", reason };
  }
  // what a test asked about and caught is its own affair: it may look for a fault
  const unasked = reports.filter((report) => !wasAsserted(report));
  const wrong = unasked.find(({ faults }) => faults.length > 0) ??
    (thrown === null ? unasked.find((report) => !isIntact(report)) : undefined);
  if (wrong !== undefined) {
    const more = thrown === null || thrown instanceof SkipError
      ? "the test did not ask (assertIntact)"
      : `then ${describe(thrown)}`;
    const reason = `${summarizeReport(wrong)}; ${more}`;
    return { outcome: wrong.timeout !== null ? "TIMEOUT" : "FAIL", reason };
  }
  if (thrown instanceof SkipError) return { outcome: "SKIP", reason: thrown.message };
  if (thrown !== null) {
    const reason = describe(thrown);
    const told = [TransferError, MixUpError, WrongDesignError];
    if (told.some((kind) => thrown instanceof kind)) {
      return { outcome: "FAIL", reason };
    }
    const late = thrown instanceof ErrnoError && thrown.errno === ERRNO.ETIMEDOUT;
    if (late) return { outcome: "TIMEOUT", reason };
    const asserted = thrown instanceof Error && thrown.name === "AssertionError";
    return { outcome: asserted ? "FAIL" : "ERROR", reason };
  }
  if (unasked.length > 0) {
    const reason = "Frames were moved, and the test asked nothing about them (assertIntact)";
    return { outcome: "ERROR", reason };
  }
  return { outcome: "PASS", reason: null };
}

function describe(thrown: unknown): string {
  return thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : String(thrown);
}

/**
 * Without syncs data must be wrong where syncs matter. What goes wrong without old data to be seen is
 * the design's own fault, as in any other case.
 */
function judgeControl(
  judged: Judgement,
  reports: readonly FrameReport[],
  directions: readonly Direction[],
  matters: boolean,
): Judgement {
  const faults = reports.flatMap((report) => report.faults);
  const evidence: { tx?: boolean; rx?: boolean } = {};
  for (const direction of directions) {
    const seen = sawStale(reports, faults, direction);
    if (seen !== null) evidence[direction] = seen;
  }
  if (judged.outcome === "FAIL") {
    const told = Object.values(evidence);
    // a design that is given old data may answer by an error, in which no data are seen
    const clear = told.length > 0 && !told.includes(true) &&
      faults.every(({ damage }) => damage !== undefined);
    if (!matters || clear || faults.length === 0) return { ...judged, evidence };
    const reason = `without syncs, as it must: ${judged.reason}`;
    return { outcome: "XFAIL", reason, evidence };
  }
  if (judged.outcome !== "PASS" || !matters) return { ...judged, evidence };
  return { outcome: "XPASS", reason: "no sync was done, and nothing was wrong", evidence };
}

/** Whether a direction showed old data; null when it cannot be told. */
function sawStale(
  reports: readonly FrameReport[],
  faults: readonly Fault[],
  direction: Direction,
): boolean | null {
  if (faults.some(({ blame }) => blame === direction)) return true;
  const told = reports.map((report) => report.seen[direction]).filter((one) => one !== null);
  if (told.length > 0) return told.includes(true);
  return faults.length === 0 ? false : null;
}

/** How fast one run of frames was; of several no one figure can be told. */
function speed(reports: readonly FrameReport[]): Measurement[] {
  const [report] = reports;
  if (reports.length !== 1 || report === undefined || report.seconds === 0) return [];
  const { bytes, frames, seconds } = report;
  return [
    { name: "throughput", value: bytes / seconds / 1e6, unit: "MB/s", limit: null },
    { name: "frame rate", value: frames / seconds, unit: "1/s", limit: null },
  ];
}
