// SPDX-License-Identifier: MIT
/**
 * Runs one case: opens the devices, calls the test, and judges how it ended.
 *
 * @module
 */

import type { Device } from "../../driver/device.ts";
import { type DeviceInfo, knowsIdle } from "../../driver/info.ts";
import type { Direction } from "../../driver/uapi.ts";
import { needsSync } from "../board/board.ts";
import { IntactError } from "../frames/intact.ts";
import type { FrameReport } from "../frames/report.ts";
import type { CaseResult } from "../journal/journal.ts";
import { brokenLimit } from "../results/limits.ts";
import type { Measurement } from "../results/schema.ts";
import { errorMessage, inOrder } from "../text/error_message.ts";
import { type CaseContext, Context } from "./context.ts";
import type { CaseParameters } from "./parameters.ts";
import { authorPlace } from "./author_place.ts";
import { judge, judgeControl, type Judgement } from "./judge.ts";
import type { Session } from "./session.ts";
import { SkipError } from "./skip_error.ts";

/** A test did not end in its time. */
class LateError extends Error {
  override readonly name = "LateError";
}

/** A case that was run. */
export interface FinishedCase {
  /** How it ended, for the journal. */
  readonly result: CaseResult;
  /** What the test threw, or null. */
  readonly thrown: unknown;
}

/**
 * Runs one case.
 *
 * @param session The board
 * @param choose Returns the parameters of the case, or why the devices cannot do it
 * @param options `control`: whether it must fail on a board that reveals missing syncs; `directions` that
 * it uses; `limit`, seconds; `id` of the case
 * @param fn The test
 * @returns How it ended; it never rejects
 */
export async function runCase(
  session: Session,
  choose: (infos: readonly DeviceInfo[]) => CaseParameters | string,
  options: {
    readonly control: boolean;
    readonly directions: readonly Direction[];
    readonly limit: number;
    readonly id: string;
  },
  fn: (context: CaseContext) => void | Promise<void>,
): Promise<FinishedCase> {
  const start = performance.now();
  let devices: Device[] = [];
  let context: Context | null = null;
  let thrown: unknown = null;
  let [matters, provable] = [true, true];
  const aftermath: unknown[] = [];
  try {
    if (session.loadProblem !== null) {
      throw new SkipError(`The bitstream could not be loaded: ${session.loadProblem}`);
    }
    await session.load();
    const parameters = choose(session.infos ?? []);
    if (typeof parameters === "string") throw new SkipError(parameters);
    const deadline = start + options.limit * 1000;
    devices = await session.openDevices(deadline - performance.now());
    const waited = performance.now() - start;
    matters = devices.some(needsSync);
    provable = devices.every(({ info }) =>
      [info.tx, info.rx].every((channel) => channel === null || knowsIdle(channel))
    );
    const { control, id } = options;
    context = new Context(session, devices, parameters, { control, deadline, id });
    await within(options.limit, waited / 1000, fn(context));
  } catch (error) {
    // what the test threw says more than what followed from it
    const { first, later } = inOrder(error);
    thrown = first ?? new Error("The test threw nothing");
    aftermath.push(...later);
  }
  try {
    context?.mapped.dispose();
    // close() aborts what the test left in flight
    for (const device of devices) device[Symbol.dispose]();
    session.checkLocks();
  } catch (error) {
    if (thrown === null) thrown = error;
    else aftermath.push(error);
  }
  const { reports: own = [], measurements = [] } = context ?? {};
  // a test may have moved frames by itself
  const reports = thrown instanceof IntactError && !own.includes(thrown.report)
    ? [...own, thrown.report]
    : own;
  const plain = judge(thrown, reports, provable);
  const judged = options.control
    ? judgeControl(plain, reports, options.directions, matters, thrown)
    : plain;
  const { fault } = session.settings;
  const broken = measurements.flatMap((one) => brokenLimit(one) ?? []);
  const attachments = context?.attachments.all ?? [];
  const notes = reports.flatMap((report) => report.notes ?? []);
  const result: CaseResult = {
    ...limited(judged, broken),
    ...stackOf(thrown),
    ...(attachments.length === 0 ? {} : { attachments }),
    ...(aftermath.length === 0
      ? {}
      : { reason: [judged.reason, ...aftermath.map(errorMessage)].join("; then ") }),
    ...(notes.length === 0 ? {} : { notes }),
    seconds: (performance.now() - start) / 1000,
    frames: reports.reduce((sum, { frames }) => sum + frames, 0),
    bytes: reports.reduce((sum, { bytes }) => sum + bytes, 0),
    faults: reports.flatMap(({ faults }) => faults),
    // that of a remote board would be the speed of the network
    measurements: [
      ...(session.board.remote === null ? speed(reports) : []),
      // results are JSON, which has no other numbers
      ...measurements.filter(({ value }) => Number.isFinite(value)),
    ],
    ...lateOf(reports),
    ...(fault === null ? {} : { injected: session.board.disarm() }),
  };
  return { result, thrown };
}

/** Fails a case whose measurements are outside of their limits. A failure keeps its reason. */
function limited(judged: Judgement, broken: readonly string[]): Judgement {
  const [first] = broken;
  if (first === undefined || !["PASS", "XFAIL", "XPASS"].includes(judged.outcome)) return judged;
  const more = broken.length === 1 ? "" : `, plus ${broken.length - 1} more like this`;
  return { ...judged, outcome: "FAIL", reason: `${first}${more}` };
}

/** Longest stack in the results, characters. */
const STACK = 4000;

/** The stack of what the test threw, where it names a file of the author. A report says more than its stack. */
function stackOf(thrown: unknown): Pick<CaseResult, "stack"> {
  const isOwn = thrown instanceof Error && !(thrown instanceof SkipError) &&
    !(thrown instanceof IntactError) && authorPlace(thrown) !== null;
  return isOwn ? { stack: (thrown.stack ?? "").slice(0, STACK) } : {};
}

/** What the board shows of the first completion that did not come in time. */
export function lateOf(reports: readonly FrameReport[]): Pick<CaseResult, "late"> {
  const late = reports.find((report) => report.late !== undefined)?.late;
  return late === undefined ? {} : { late };
}

/** Waits for a test, but not longer than its limit, which includes the wait for the devices. */
async function within(
  limit: number,
  waited: number,
  test: void | Promise<void>,
): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    const of = waited < 1 ? "" : `, of which the wait for its devices took ${waited.toFixed(0)} s`;
    timer = setTimeout(
      () => reject(new LateError(`The test did not end within ${limit} s${of}`)),
      (limit - waited) * 1000,
    );
  });
  try {
    await Promise.race([test, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** The speed of the case's only run of frames; nothing if there are several. */
function speed(reports: readonly FrameReport[]): Measurement[] {
  const [report] = reports;
  if (reports.length !== 1 || report === undefined || report.seconds === 0) return [];
  const { bytes, frames, seconds } = report;
  return [
    { name: "throughput", value: bytes / seconds / 1e6, unit: "MB/s", limit: null },
    { name: "frame rate", value: frames / seconds, unit: "1/s", limit: null },
  ];
}
