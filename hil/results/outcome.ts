// SPDX-License-Identifier: MIT
/**
 * How a case can end, and what a whole run then says about the design.
 *
 * @module
 */

/** Every outcome, in the order in which tables and totals list them. */
export const OUTCOMES = ["PASS", "FAIL", "XFAIL", "XPASS", "ERROR", "TIMEOUT", "SKIP"] as const;

/**
 * How a case ended.
 *
 * - `PASS`: every frame was verified.
 * - `FAIL`: the design lost or changed data.
 * - `XFAIL`: a control failed, as it should.
 * - `XPASS`: a control passed where it should have failed, so the check has no power.
 * - `ERROR`: the bench failed; nothing is known about the design.
 * - `TIMEOUT`: a transfer that was asked of the design did not end in time.
 * - `SKIP`: not run, for a reason that is always given.
 */
export type Outcome = typeof OUTCOMES[number];

/** Exit status of `plumbline` after a run; 2, wrong usage, comes before any run. */
export type ExitStatus = 0 | 1 | 3;

/** What {@linkcode judge} needs to know about a run. */
export interface Evidence {
  /** How many cases ended in which way. */
  readonly counts: Readonly<Record<Outcome, number>>;
  /** Frames verified in cases that passed. */
  readonly framesVerified: number;
  /** Whether the board is cache coherent; `null` when unknown. */
  readonly coherent: boolean | null;
  /** Whether a control ran, and whether it failed in every direction that it uses. */
  readonly control: "absent" | "powerless" | "powerful";
}

/** What a run says. */
export interface Verdict {
  /** The exit status. */
  readonly exit: ExitStatus;
  /** One word for it. */
  readonly word: "PASS" | "FAIL" | "ERROR";
  /** One sentence for it. */
  readonly reason: string;
}

/**
 * Decide what a run says about the design.
 *
 * A failure of the design outweighs one of the bench: data that was seen to be wrong stays wrong
 * when the board is lost afterwards. `TIMEOUT` counts as a failure of the design, which was asked
 * for a frame and did not deliver. A control that did not run leaves the verdict alone, but one that
 * ran without effect on a board that is not coherent means that a pass is worth nothing.
 *
 * @param evidence what happened
 * @returns exit status 0: all as expected; 1: the design failed; 3: the bench failed
 *
 * @example A run that verified nothing is not a pass
 * ```ts
 * import { countOutcomes, judge } from "./outcome.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const run = { framesVerified: 0, coherent: false, control: "absent" } as const;
 * assertEquals(judge({ ...run, counts: countOutcomes(["SKIP", "SKIP"]) }).exit, 3);
 * ```
 */
export function judge(evidence: Evidence): Verdict {
  const { counts, framesVerified, coherent, control } = evidence;
  const failed = counts.FAIL + counts.TIMEOUT;
  if (failed > 0) {
    const error = counts.ERROR > 0 ? `, and the bench failed ${times(counts.ERROR)} beside` : "";
    return { exit: 1, word: "FAIL", reason: `The design failed in ${cases(failed)}${error}` };
  }
  const bench = (reason: string): Verdict => ({ exit: 3, word: "ERROR", reason });
  if (counts.ERROR > 0) return bench(`The bench failed ${times(counts.ERROR)}`);
  if (counts.XPASS > 0 && control !== "powerful") {
    return bench(
      `${cases(counts.XPASS)} passed where a control must fail: this check has no power`,
    );
  }
  if (counts.PASS === 0 && counts.XFAIL === 0) {
    return bench(
      counts.SKIP > 0
        ? `Nothing was verified: ${cases(counts.SKIP)} skipped`
        : "Nothing was verified: no case matched",
    );
  }
  if (coherent === false && control === "powerless") {
    return bench("Policy none did not fail as it must on a board that is not coherent: no power");
  }
  if (counts.PASS === 0) return bench("Nothing was verified: only controls ran");
  if (framesVerified === 0) return bench("Nothing was verified: no frame was compared");
  const controls = counts.XFAIL > 0 ? `, ${counts.XFAIL} failed as they must` : "";
  const unseen = counts.XPASS > 0 ? `, ${counts.XPASS} controls saw nothing at their size` : "";
  const skipped = counts.SKIP > 0 ? `, ${counts.SKIP} skipped` : "";
  return {
    exit: 0,
    word: "PASS",
    reason: `${cases(counts.PASS)} passed${controls}${unseen}${skipped}`,
  };
}

/**
 * Count outcomes.
 *
 * @param outcomes one per case
 * @returns how many there are of each
 */
export function countOutcomes(outcomes: Iterable<Outcome>): Record<Outcome, number> {
  const counts = { PASS: 0, FAIL: 0, XFAIL: 0, XPASS: 0, ERROR: 0, TIMEOUT: 0, SKIP: 0 };
  for (const outcome of outcomes) counts[outcome]++;
  return counts;
}

/**
 * Tell whether a text is the name of an outcome.
 *
 * @param text anything
 * @returns whether it is one of {@linkcode OUTCOMES}
 */
export function isOutcome(text: unknown): text is Outcome {
  return (OUTCOMES as readonly unknown[]).includes(text);
}

/**
 * Tell whether an outcome is as expected of a single case. Whether controls that passed mean that a
 * check has no power is judged over all of them: see {@linkcode judge}.
 *
 * @param outcome the outcome
 * @returns whether its test passes
 */
export function isFine(outcome: Outcome): boolean {
  return outcome === "PASS" || outcome === "XFAIL" || outcome === "XPASS" || outcome === "SKIP";
}

function cases(count: number): string {
  return count === 1 ? "1 case" : `${count} cases`;
}

function times(count: number): string {
  return count === 1 ? "once" : `${count} times`;
}
