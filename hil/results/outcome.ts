// SPDX-License-Identifier: MIT
/**
 * How a case can end, and what the outcomes of a run say about the design.
 *
 * @module
 */
import { plural } from "../text/format.ts";

/** Every outcome, in the order of tables and totals. */
export const OUTCOMES = ["PASS", "FAIL", "XFAIL", "XPASS", "ERROR", "TIMEOUT", "SKIP"] as const;

/**
 * How a case ended.
 *
 * - `PASS`: every frame arrived whole.
 * - `FAIL`: the design lost or changed data.
 * - `XFAIL`: a control failed, as it must.
 * - `XPASS`: a control passed, so it detected no missing sync.
 * - `ERROR`: the infrastructure failed, so nothing is known about the design.
 * - `TIMEOUT`: the design did not complete a transfer in time.
 * - `SKIP`: the case did not run, for a reason that is always given.
 */
export type Outcome = typeof OUTCOMES[number];

/** Every outcome, the worst first. The worst outcome of several cases stands for all of them. */
export const WORST_FIRST: readonly Outcome[] = [
  "FAIL",
  "TIMEOUT",
  "ERROR",
  "XPASS",
  "PASS",
  "XFAIL",
  "SKIP",
];

/** The outcomes that a report explains case by case, the worst first. */
export const EXPLAINED: readonly Outcome[] = ["FAIL", "TIMEOUT", "ERROR", "XPASS"];

/** Why a control failed although its syncs are missing: the end of the reason of its case. */
export const CORE_CHANGED_DATA =
  "the check values show that the core changed data, which no missing sync does";

/** The exit status of `plumbline` after a run. Wrong usage is 2, and there is no run. */
export type ExitStatus = 0 | 1 | 3;

/** The number of cases of each outcome, as in the results. */
export type Summary = Readonly<Record<Lowercase<Outcome>, number>>;

/** The facts about a run that {@linkcode judge} needs. */
export interface Evidence {
  /** The number of cases of each outcome. */
  readonly counts: Readonly<Record<Outcome, number>>;
  /** What the first infrastructure error says of itself, if there is any. Defaults to unknown. */
  readonly firstError?: string | null;
  /** The number of frames that were verified in cases that passed. */
  readonly framesVerified: number;
  /** The suites of which every case was skipped. Defaults to none. */
  readonly skippedSuites?: readonly string[];
  /** Whether the board is cache coherent; `null` if unknown. */
  readonly coherent: boolean | null;
  /** Whether a control ran, and whether it failed in every direction that it uses. */
  readonly control: "absent" | "powerless" | "powerful";
  /** If controls failed in some directions only, what they did and must do, as a sentence. Defaults to none. */
  readonly half?: string | null;
  /** Why the journal is not whole, as a clause. Defaults to a whole journal. */
  readonly incomplete?: string | null;
  /** Whether `deno test` ran the files, so that a missing file is not noticed. Defaults to false. */
  readonly alone?: boolean;
}

/** What a run says about the design. */
export interface Verdict {
  /** The exit status. */
  readonly exit: ExitStatus;
  /** The same as one word. */
  readonly word: "PASS" | "FAIL" | "ERROR";
  /** The reason, in one sentence. */
  readonly reason: string;
}

/**
 * Decides what a run says about the design.
 *
 * A failure of the design outweighs an infrastructure error, because wrong data stay wrong if the
 * board is lost later. A run that died, or that is still going, is an error. `TIMEOUT` counts as a failure of the design. A run without a control can pass.
 * A run that verified no frame can pass, if its suites verify none by design, and says so.
 * A run on a non-coherent board whose control passed cannot, because it would not detect a missing
 * sync.
 *
 * @param evidence The facts about the run
 * @returns Exit status 0: as expected; 1: the design failed; 3: the infrastructure failed, so nothing
 * is known about the design
 *
 * @example A run that verified nothing does not pass
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
  const { incomplete = null, firstError = null } = evidence;
  const failed = counts.FAIL + counts.TIMEOUT;
  const errors = plural(counts.ERROR, "infrastructure error");
  if (failed > 0) {
    const more = (counts.ERROR > 0 ? `, plus ${errors}` : "") +
      (incomplete === null ? "" : `; ${incomplete}`);
    return {
      exit: 1,
      word: "FAIL",
      reason: `The design failed in ${plural(failed, "case")}${more}`,
    };
  }
  const error = (reason: string): Verdict => ({ exit: 3, word: "ERROR", reason });
  if (incomplete !== null) return error(incomplete.charAt(0).toUpperCase() + incomplete.slice(1));
  if (counts.ERROR > 0) {
    const [line = ""] = (firstError ?? "").split("\n", 1);
    const first = line === "" ? "" : `; the first: ${line.replace(/\.$/, "")}`;
    return error(`${errors}, so nothing is known about the design${first}`);
  }
  if (counts.XPASS > 0 && control !== "powerful") {
    const controls = plural(counts.XPASS, "control");
    return error(`${controls} passed but must fail: this run cannot reveal a missing sync`);
  }
  if (counts.PASS === 0 && counts.XFAIL === 0) {
    return error(
      counts.SKIP > 0
        ? `Nothing was verified: ${plural(counts.SKIP, "case")} skipped`
        : "Nothing was verified: no case matched",
    );
  }
  if (coherent === false && control === "powerless") {
    return error(
      evidence.half ?? "Policy none did not fail, as it must on a non-coherent board: " +
          "this run cannot reveal a missing sync",
    );
  }
  if (counts.PASS === 0) return error("Nothing was verified: only controls ran");
  // a suite may verify no frame by design, but then no other suite may be missing
  const [idle] = evidence.skippedSuites ?? [];
  if (framesVerified === 0 && idle !== undefined) {
    const others = counts.XFAIL > 0 ? ", and all frames were those of controls" : "";
    return error(`No frame was verified: every case of ${idle} was skipped${others}`);
  }
  const blind = framesVerified === 0
    ? "; no frame was verified, so nothing is known about data"
    : "";
  const controls = counts.XFAIL > 0
    ? `, ${plural(counts.XFAIL, "control")} failed as expected`
    : "";
  const passed = counts.XPASS > 0
    ? `, ${plural(counts.XPASS, "control")} detected nothing at their frame size`
    : "";
  const skipped = counts.SKIP > 0 ? `, ${counts.SKIP} skipped` : "";
  const alone = evidence.alone === true
    ? "; deno test ran the files, so a file that did not start is not missed"
    : "";
  return {
    exit: 0,
    word: "PASS",
    reason: `${plural(counts.PASS, "case")} passed${controls}${passed}${skipped}${blind}${alone}`,
  };
}

/**
 * Counts outcomes.
 *
 * @param outcomes The outcome of each case
 * @returns The number of cases of each outcome
 */
export function countOutcomes(outcomes: Iterable<Outcome>): Record<Outcome, number> {
  const counts = { PASS: 0, FAIL: 0, XFAIL: 0, XPASS: 0, ERROR: 0, TIMEOUT: 0, SKIP: 0 };
  for (const outcome of outcomes) counts[outcome]++;
  return counts;
}

/**
 * Counts the outcomes of cases for the key `summary` of the results.
 *
 * @param tests The cases
 * @returns The number of cases of each outcome
 *
 * @example No case
 * ```ts
 * import { summarizeOutcomes } from "./outcome.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(summarizeOutcomes([]).pass, 0);
 * ```
 */
export function summarizeOutcomes(tests: readonly { readonly outcome: Outcome }[]): Summary {
  const counts = countOutcomes(tests.map((test) => test.outcome));
  return {
    pass: counts.PASS,
    fail: counts.FAIL,
    xfail: counts.XFAIL,
    xpass: counts.XPASS,
    error: counts.ERROR,
    timeout: counts.TIMEOUT,
    skip: counts.SKIP,
  };
}

/**
 * Returns whether a value is the name of an outcome.
 *
 * @param value Any value
 * @returns Whether it is one of {@linkcode OUTCOMES}
 */
export function isOutcome(value: unknown): value is Outcome {
  return (OUTCOMES as readonly unknown[]).includes(value);
}

/**
 * Returns whether the outcome of a single case lets its test pass. A control that passed does, because
 * only all controls together show whether a missing sync can be detected: see {@linkcode judge}.
 *
 * @param outcome The outcome
 * @returns Whether the test passes
 */
export function isFine(outcome: Outcome): boolean {
  return outcome === "PASS" || outcome === "XFAIL" || outcome === "XPASS" || outcome === "SKIP";
}
