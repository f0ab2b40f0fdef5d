// SPDX-License-Identifier: MIT
/**
 * The report of a run of frames.
 *
 * @module
 */

import type { Direction } from "../../driver/uapi.ts";
import type { TimeoutEvidence } from "../results/schema.ts";
import type { Fault } from "../verify/fault.ts";

/** The result of a run of frames. `assertIntact` checks that every frame arrived intact. */
export interface FrameReport {
  /** Frames that were requested. */
  readonly asked: number;
  /** Frames that were verified. */
  readonly frames: number;
  /** Their bytes. */
  readonly bytes: number;
  /** Faults, in the order in which they were found. */
  readonly faults: readonly Fault[];
  /** Which completion did not come in time, and what the board shows of it; null if all of them came. */
  readonly timeout: string | null;
  /** What the board shows of a completion that did not come in time. Absent if all of them came. */
  readonly late?: TimeoutEvidence;
  /**
   * Present if the number of frames that come back depends on the data, as for a design that filters. With
   * wrong data, completions may then be missing although the design is right.
   */
  readonly isCountVariable?: true;
  /** What went wrong after the last frame, while the blocks were freed. Absent if nothing did. */
  readonly aftermath?: string;
  /** What differs from what was asked for, such as a queue that is less deep. Absent if nothing does. */
  readonly notes?: readonly string[];
  /**
   * Whether data changed on the way to the core (`tx`) and on the way from it (`rx`), over all faulty
   * frames; null if that is unknown. `core`: the check values of a faulty frame prove that the core wrote
   * other data than it should have made of what it read; absent without such a proof.
   */
  readonly seen: {
    readonly tx: boolean | null;
    readonly rx: boolean | null;
    readonly core?: true;
  };
  /** Time from the first ENQUEUE to the last comparison, without priming, seconds. */
  readonly seconds: number;
}

/** A run threw after faults were found. The reports keep these faults. */
export class BrokenRunError extends Error {
  /** The reports until then, one for each device. */
  readonly reports: readonly FrameReport[];

  /**
   * @param reports The reports until then, one for each device
   * @param cause What was thrown
   */
  constructor(reports: readonly FrameReport[], cause: unknown) {
    super(`Faults were found before: ${cause}`, { cause });
    this.name = "BrokenRunError";
    this.reports = reports;
  }
}

/**
 * Joins the reports of several devices that ran side by side into one. Each fault names its device.
 *
 * @param reports One for each device, at least one
 * @param paths The devices' paths
 * @returns The report of all devices
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
    const known = reports.map((report) => report.seen[direction]).filter((one) => one !== null);
    return known.length === 0 ? null : known.includes(true);
  };
  const late = reports.findIndex((report) => report.timeout !== null);
  const evidence = reports[late]?.late;
  const named = (text: (report: FrameReport) => readonly string[]) =>
    reports.flatMap((report, i) => text(report).map((one) => `${paths[i]}: ${one}`));
  const notes = named((report) => report.notes ?? []);
  const after = named(({ aftermath }) => aftermath === undefined ? [] : [aftermath]);
  return {
    asked: sum((report) => report.asked),
    frames: sum((report) => report.frames),
    bytes: sum((report) => report.bytes),
    faults: reports.flatMap((report, i) =>
      report.faults.map((fault) => ({ ...fault, detail: `${paths[i]}: ${fault.detail}` }))
    ),
    timeout: late < 0 ? null : `${paths[late]}: ${reports[late]?.timeout}`,
    ...(evidence === undefined ? {} : { late: evidence }),
    ...(reports.some((report) => report.isCountVariable) ? { isCountVariable: true as const } : {}),
    ...(after.length === 0 ? {} : { aftermath: after.join("; ") }),
    ...(notes.length === 0 ? {} : { notes }),
    seen: {
      ...{ tx: seen("tx"), rx: seen("rx") },
      ...(reports.some((report) => report.seen.core) ? { core: true as const } : {}),
    },
    seconds: Math.max(...reports.map((report) => report.seconds)),
  };
}
