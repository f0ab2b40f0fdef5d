// SPDX-License-Identifier: MIT
/**
 * From the end of a test, and the reports of its runs, to the outcome of a case.
 *
 * @module
 */

import { ERRNO, ErrnoError } from "../../driver/errno.ts";
import { ResetError, TransferError } from "../../driver/errors.ts";
import type { Direction } from "../../driver/uapi.ts";
import { MixUpError, NotWokenError } from "../frames/handover.ts";
import { IntactError, isIntact, summarizeReport, wasAsserted } from "../frames/intact.ts";
import type { FrameReport } from "../frames/report.ts";
import type { CaseResult } from "../journal/journal.ts";
import { CORE_CHANGED_DATA, type Outcome } from "../results/outcome.ts";
import type { Fault } from "../verify/fault.ts";
import { authorPlace, isThrownByAuthor } from "./author_place.ts";
import { WrongDesignError } from "./session.ts";
import { SkipError } from "./skip_error.ts";

/** How a case ended. */
export type Judgement = Pick<CaseResult, "outcome" | "reason" | "evidence">;

/**
 * Judges a case by how its test ended and what its runs found.
 *
 * @param thrown What the test threw, or null
 * @param reports The reports of its runs
 * @param provable Whether RESET can know that the engine is idle. If it never can, a RESET that fails says
 * nothing about the design
 * @returns The outcome and its reason
 */
export function judge(
  thrown: unknown,
  reports: readonly FrameReport[],
  provable = true,
): Judgement {
  // a test that asserted a report and caught the error may be looking for a fault
  const unasserted = reports.filter((report) => !wasAsserted(report));
  if (thrown instanceof IntactError) {
    const { report } = thrown;
    const before = unasserted.find((one) => one !== report && one.faults.length > 0);
    const reason = summarizeReport(report);
    return before === undefined
      ? { outcome: outcomeOf(report), reason }
      : { outcome: "FAIL", reason: `${summarizeReport(before)}; then ${reason}` };
  }
  const wrong = unasserted.find(({ faults }) => faults.length > 0) ??
    (thrown === null ? unasserted.find((report) => !isIntact(report)) : undefined);
  if (wrong !== undefined) {
    const more = thrown === null || thrown instanceof SkipError
      ? "the test did not assert the report (assertIntact)"
      : `then ${describe(thrown)}`;
    const reason = `${summarizeReport(wrong)}; ${more}`;
    const hung = wrong.timeout !== null && wrong.faults.length === 0;
    return { outcome: hung ? "TIMEOUT" : "FAIL", reason };
  }
  if (thrown instanceof SkipError) return { outcome: "SKIP", reason: thrown.message };
  if (isScattered(thrown)) {
    return {
      outcome: "SKIP",
      reason:
        "the engine receives into one segment, and these pages of the program are not contiguous",
    };
  }
  if (thrown instanceof ResetError && !provable) {
    return { outcome: "ERROR", reason: describe(thrown) };
  }
  if (thrown !== null) {
    const reason = describe(thrown);
    const ofDesign = [TransferError, ResetError, MixUpError, NotWokenError, WrongDesignError];
    if (ofDesign.some((kind) => thrown instanceof kind)) {
      return { outcome: "FAIL", reason };
    }
    const late = thrown instanceof ErrnoError && thrown.errno === ERRNO.ETIMEDOUT;
    if (late) return { outcome: "TIMEOUT", reason };
    const asserted = thrown instanceof Error &&
      (thrown.name === "AssertionError" || reports.length > 0 && isThrownByAuthor(thrown));
    return { outcome: asserted ? "FAIL" : "ERROR", reason };
  }
  if (unasserted.length > 0) {
    const reason = "The test moved frames, and did not assert their report (assertIntact)";
    return { outcome: "ERROR", reason };
  }
  return { outcome: "PASS", reason: null };
}

/** Whether memory of the program was refused because it has more segments than the engine can use. */
function isScattered(thrown: unknown): boolean {
  return thrown instanceof ErrnoError && thrown.errno === ERRNO.EOPNOTSUPP &&
    thrown.syscall === "ioctl PLDMA_IOC_REGISTER";
}

/** The outcome of a report that is not intact. Damage that was seen outweighs a transfer that did not end. */
function outcomeOf({ faults, timeout }: FrameReport): Outcome {
  if (faults.length > 0) return "FAIL";
  // unverified frames say nothing about the design
  return timeout !== null ? "TIMEOUT" : "ERROR";
}

/** A thrown value in one line, with the place in the test file that it came from. */
function describe(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown);
  const place = authorPlace(thrown);
  return `${thrown.name}: ${thrown.message}${place === null ? "" : ` (${place})`}`;
}

/**
 * Judges a control. Without syncs, data must be wrong on a board where syncs matter. Damage without stale
 * data is the design's fault, as in any other case, and so is damage that the core is proved to have made.
 * A transfer that does not end is the design's fault too, unless the number of frames that come back depends
 * on the data: a right design that reads stale data may then return fewer.
 *
 * @param judged The judgement of the case as if it were no control
 * @param reports The reports of its runs
 * @param directions The directions that it uses
 * @param matters Whether a missing sync can have an effect on this board
 * @param thrown What the test threw, or null
 * @returns The outcome, its reason, and the evidence for the board's power
 */
export function judgeControl(
  judged: Judgement,
  reports: readonly FrameReport[],
  directions: readonly Direction[],
  matters: boolean,
  thrown: unknown,
): Judgement {
  const faults = reports.flatMap((report) => report.faults);
  const late = reports.filter(({ timeout }) => timeout !== null);
  const starved = late.length > 0 && late.every(mayStarve);
  const stale = directions.map((direction) => ({
    direction,
    seen: sawStale(reports, faults, direction),
  }));
  const known = stale.map(({ seen }) => seen).filter((seen) => seen !== null);
  const evidence: { tx?: boolean; rx?: boolean } = {};
  for (const { direction, seen } of stale) {
    // a run that ended early does not show that nothing was stale
    if (seen !== null && (seen || !starved)) evidence[direction] = seen;
  }
  if (judged.outcome === "TIMEOUT" && starved && matters && thrown instanceof IntactError) {
    const why = "the number of frames that come back depends on the data";
    return { outcome: "XFAIL", reason: `without syncs, ${why}: ${judged.reason}`, evidence };
  }
  if (judged.outcome === "FAIL") {
    // a design that reads stale data may answer with an error, which shows no data
    const clear = known.length > 0 && !known.includes(true) &&
      faults.every(({ damage }) => damage !== undefined);
    // no missing sync stops the engine, or mixes up completions
    const broken = [MixUpError, NotWokenError, ResetError].some((kind) => thrown instanceof kind);
    const hung = broken || late.length > 0 && !starved ||
      reports.some(({ aftermath }) => aftermath !== undefined);
    if (!matters || clear || hung || faults.length === 0) return { ...judged, evidence };
    if (reports.some(({ seen }) => seen.core)) {
      return { outcome: "FAIL", reason: `${judged.reason}; ${CORE_CHANGED_DATA}`, evidence };
    }
    const reason = `without syncs, as it must: ${judged.reason}`;
    return { outcome: "XFAIL", reason, evidence };
  }
  if (judged.outcome !== "PASS" || !matters) return { ...judged, evidence };
  return { outcome: "XPASS", reason: "no sync was done, and no data were wrong", evidence };
}

/**
 * Whether a completion may be missing because the design read stale data and returned fewer frames. The
 * primer is not stale, and after fewer frames the engine is idle.
 */
function mayStarve({ isCountVariable, late, aftermath }: FrameReport): boolean {
  return isCountVariable === true && late?.primer === false && late.idle !== false &&
    aftermath === undefined;
}

/** Whether a direction showed stale data; null if that is unknown. */
function sawStale(
  reports: readonly FrameReport[],
  faults: readonly Fault[],
  direction: Direction,
): boolean | null {
  if (faults.some(({ blame }) => blame === direction)) return true;
  const known = reports.map((report) => report.seen[direction]).filter((one) => one !== null);
  if (known.length > 0) return known.includes(true);
  return faults.length === 0 ? false : null;
}
