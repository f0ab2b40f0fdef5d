// SPDX-License-Identifier: MIT
/**
 * The one assertion of a test about data: every frame that was asked for came back, whole.
 *
 * @module
 */

import type { FrameReport } from "./report.ts";
import { type Fault, namesOf, placeOf } from "../verify/fault.ts";

/** Faults that a message lists; all of them are in the results. */
const LISTED = 4;

const asserted = new WeakSet<FrameReport>();

/** Frames did not come back, or not whole. */
export class IntactError extends Error {
  /** What came of the frames. */
  readonly report: FrameReport;

  /**
   * Describe a failure.
   *
   * @param report What came of the frames
   */
  constructor(report: FrameReport) {
    super(`${summarizeReport(report)}${listFaults(report.faults)}`);
    this.name = "IntactError";
    this.report = report;
  }
}

/**
 * Demand that as many frames were verified as were asked for, and that nothing was wrong with them.
 *
 * @param report What `loop.run`, `tx.send` or `rx.receive` returned
 * @throws {IntactError} With every fault by kind, place and blame
 * @throws {TypeError} If the report is still a promise
 *
 * @example A frame is missing
 * ```ts
 * import { assertIntact, type FrameReport } from "@plumbline/hil";
 * import { assertThrows } from "@std/assert";
 *
 * const report: FrameReport = {
 *   asked: 2,
 *   frames: 1,
 *   bytes: 64,
 *   faults: [],
 *   timeout: null,
 *   seen: { tx: null, rx: null },
 *   seconds: 0.1,
 * };
 * assertThrows(() => assertIntact(report), Error, "1 of 2 frames were verified");
 * ```
 */
export function assertIntact(report: FrameReport): void {
  if (report instanceof Promise) {
    throw new TypeError("Expected the report of a run, found a promise: await the run");
  }
  asserted.add(report);
  if (!isIntact(report)) throw new IntactError(report);
}

/**
 * Whether a test asked about a report.
 *
 * @param report The report
 * @returns Whether it was given to {@linkcode assertIntact}
 */
export function wasAsserted(report: FrameReport): boolean {
  return asserted.has(report);
}

/**
 * Whether every frame was verified and none was wrong.
 *
 * @param report The report
 * @returns Whether it is what a test wants
 */
export function isIntact(report: FrameReport): boolean {
  const { asked, frames, faults, timeout } = report;
  return timeout === null && faults.length === 0 && frames === asked && asked > 0;
}

/**
 * Say in one line what is wrong with a report.
 *
 * @param report The report, not intact
 * @returns The first fault, then a transfer that did not end, then what followed; or what is missing
 */
export function summarizeReport(report: FrameReport): string {
  const { asked, frames, faults, timeout, aftermath } = report;
  const [first] = faults;
  const parts = [
    ...(first === undefined
      ? []
      : [`${placeOf(first, asked)}, offset ${first.offset}: ${namesOf(first)}`]),
    ...(timeout === null ? [] : [timeout]),
    ...(aftermath === undefined ? [] : [aftermath]),
  ];
  if (parts.length > 0) return parts.join("; then ");
  if (asked === 0) return "no frame was asked for: nothing was verified";
  return `${frames} of ${asked} frames were verified`;
}

/**
 * List faults for a person, a line each.
 *
 * @param faults The faults
 * @returns The first of them, each line with an end of line before it
 */
export function listFaults(faults: readonly Fault[]): string {
  const lines = faults.slice(0, LISTED).map((fault) => {
    const { block, offset, length, blame, detail } = fault;
    const where = block === undefined ? "" : ` in block ${block}`;
    const bytes = length === 0 ? "no byte of it" : `bytes ${offset} to ${offset + length - 1}`;
    return `\n  ${placeOf(fault)}${where}, ${bytes}: ${namesOf(fault)}${
      blame === null ? "" : ` (${blame})`
    }: ${detail}`;
  });
  if (faults.length > LISTED) lines.push(`\n  and ${faults.length - LISTED} more`);
  return lines.join("");
}
