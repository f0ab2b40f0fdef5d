// SPDX-License-Identifier: MIT
/**
 * Runs one case: opens the devices, calls the test, and judges how it ended.
 *
 * @module
 */

import type { Device } from "../../driver/device.ts";
import type { DeviceInfo } from "../../driver/info.ts";
import type { Direction } from "../../driver/uapi.ts";
import { needsSync } from "../board/board.ts";
import { IntactError } from "../frames/intact.ts";
import type { FrameReport } from "../frames/report.ts";
import type { CaseResult } from "../journal/journal.ts";
import type { Measurement } from "../results/schema.ts";
import { type CaseContext, type CaseParameters, Context, SkipError } from "./context.ts";
import { judge, judgeControl } from "./judge.ts";
import type { Session } from "./session.ts";

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
 * it uses; `limit`, seconds
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
  },
  fn: (context: CaseContext) => void | Promise<void>,
): Promise<FinishedCase> {
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
    // close() aborts what the test left in flight
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
  const result: CaseResult = {
    ...judged,
    seconds: (performance.now() - start) / 1000,
    frames: reports.reduce((sum, { frames }) => sum + frames, 0),
    bytes: reports.reduce((sum, { bytes }) => sum + bytes, 0),
    faults: reports.flatMap(({ faults }) => faults),
    measurements: [...speed(reports), ...measurements],
    ...(fault === null ? {} : { injected: session.board.disarm() }),
  };
  return { result, thrown };
}

/** Waits for a test, but not longer than its limit. */
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
