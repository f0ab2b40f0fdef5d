// SPDX-License-Identifier: MIT
/**
 * Compares a run with an earlier one, the base: which cases failed since, and what became slower.
 *
 * A measurement changed if its 5–95 % ranges in the two runs do not overlap. So a noisy measurement
 * needs a larger change than a quiet one, and there is no percentage to choose. The noise of a
 * measurement without a spread, or with fewer than five samples, is unknown. Its change is listed but
 * not judged. Counters of the driver (unit `B/B`) have no noise, so any change counts.
 *
 * Missing cases and measurements count as lost. That is as bad as a regression, because what did not
 * run proves nothing. So compare runs of the same command.
 *
 * Some measurements depend on the machine alone, such as `memcpy` in ordinary memory. If they changed,
 * the machine was busy or is another one. That is not a regression of the driver or the design.
 *
 * @module
 */
import { isFine, type Outcome } from "./outcome.ts";
import type { Measurement, Results, TestResult } from "./schema.ts";
import { truncate } from "../text/text.ts";

/** The case that changed. */
interface Place {
  /** The suite. */
  readonly suite: string;
  /** The name of the case. */
  readonly name: string;
  /** The policy, or `null` if the case uses none. */
  readonly policy: string | null;
}

/**
 * The kinds of change of a case or a measurement, the worst first:
 *
 * - `worse`: a case failed that did not fail in the base, or a measurement became worse.
 * - `lost`: a case or a measurement of the base is missing.
 * - `new`: a failed case that the base does not have.
 * - `changed`: a case ended in another way that is no regression.
 * - `better`: a measurement became better.
 * - `machine`: a measurement changed that depends on the machine alone.
 * - `unjudged`: a measurement differs, but its noise is unknown.
 */
export const CHANGES = [
  "worse",
  "lost",
  "new",
  "changed",
  "better",
  "machine",
  "unjudged",
] as const;

/** One of {@linkcode CHANGES}. */
export type Change = typeof CHANGES[number];

/** A case with another outcome than in the base. */
export interface OutcomeChange extends Place {
  /** The outcome in the base; `null` if the base does not have the case. */
  readonly from: Outcome | null;
  /** The outcome in this run; `null` if the case is missing. */
  readonly to: Outcome | null;
  /** The reason of the outcome. */
  readonly reason: string | null;
  /** The kind of change. */
  readonly change: Change;
}

/** A measurement that changed. */
export interface MeasurementChange extends Place {
  /** The measurement in the base. */
  readonly from: Measurement;
  /** The measurement in this run; `null` if it is missing. */
  readonly to: Measurement | null;
  /** The kind of change. */
  readonly change: Change;
}

/** The result of {@linkcode compareResults}. */
export interface Comparison {
  /** Cases with another outcome, the worst change first. */
  readonly outcomes: readonly OutcomeChange[];
  /** Measurements that changed or are missing, the worst change first. */
  readonly measurements: readonly MeasurementChange[];
  /** How many measurements could be compared. */
  readonly judged: number;
  /** How many measurements differ whose noise is unknown. */
  readonly unjudged: number;
  /** The largest of these changes. */
  readonly largestUnjudged: readonly MeasurementChange[];
  /** Other differences between the runs, which may explain the changes, one text each. */
  readonly differences: readonly string[];
  /** How many cases and measurements became worse. */
  readonly regressions: number;
  /** How many cases and measurements are lost. */
  readonly lost: number;
}

/** The least number of samples that shows the noise of a measurement. */
const ENOUGH = 5;

/** How many unjudged changes and how many differences between the runs are listed. */
const MOST_UNJUDGED = 5;
const MOST_DIFFERENCES = 100;

/** The longest text of a difference. */
const LONGEST = 400;

/** Facts about the machine that change all the time. */
const MOMENTARY = ["load average", "CPU frequency (MHz)"];

/**
 * Returns whether a larger value is better.
 *
 * @param unit The unit of the value
 * @returns True for rates and ratios, false for times, shares and amounts
 */
export function moreIsBetter(unit: string): boolean {
  return /^[kMG]?B\/s$/.test(unit) || unit === "1/s" || unit === "ratio";
}

/**
 * Compares a run with an earlier one. Cases match by suite and name. Measurements of a case match by
 * name, unit and conditions.
 *
 * @param base The earlier run
 * @param now The run to judge
 * @returns What changed
 */
export function compareResults(base: Results, now: Results): Comparison {
  const before = byKey(base.tests);
  const after = byKey(now.tests);
  const outcomes: OutcomeChange[] = [];
  const measurements: MeasurementChange[] = [];
  const unjudged: MeasurementChange[] = [];
  let judged = 0;
  for (const [key, old] of before) {
    const test = after.get(key);
    const { suite, name, policy, outcome: from } = old;
    const { outcome: to = null, reason = "not in this run" } = test ?? {};
    if (from !== to) {
      outcomes.push({ suite, name, policy, from, to, reason, change: changeOf(from, to) });
    }
    const left = new Map(test?.measurements.map((one) => [measurementKey(one), one]));
    // a case that failed or did not run has lost all its measurements: its outcome says so
    const ended = to !== null && to !== "SKIP" && isFine(to);
    for (const from of old.measurements) {
      const to = left.get(measurementKey(from)) ?? null;
      const add = (list: MeasurementChange[], change: Change): unknown =>
        list.push({ suite, name, policy, from, to, change });
      if (to === null) {
        if (ended && rangeOf(from) !== null) add(measurements, "lost");
        continue;
      }
      const result = compareMeasurements(from, to);
      if (result !== "unknown") judged++;
      else if (from.value !== to.value) add(unjudged, "unjudged");
      if (result === "worse" || result === "better") {
        add(measurements, isReference(to) ? "machine" : result);
      }
    }
  }
  for (const [key, { suite, name, policy, outcome: to, reason }] of after) {
    if (before.has(key) || isFine(to)) continue;
    outcomes.push({ suite, name, policy, from: null, to, reason, change: "new" });
  }
  const count = (change: Change): number =>
    [...outcomes, ...measurements].filter((one) => one.change === change).length;
  return {
    outcomes: outcomes.sort(worstFirst),
    measurements: measurements.sort((a, b) => worstFirst(a, b) || changeSize(b) - changeSize(a)),
    judged,
    unjudged: unjudged.length,
    largestUnjudged: unjudged.sort((a, b) => changeSize(b) - changeSize(a)).slice(0, MOST_UNJUDGED),
    differences: describeDifferences(base, now),
    regressions: count("worse"),
    lost: count("lost"),
  };
}

/**
 * Compares two changes for `sort()`, the worst first.
 *
 * @param a A change
 * @param b Another change
 * @returns A negative number if the first is worse, a positive one if the second is
 */
export function worstFirst(a: { readonly change: Change }, b: { readonly change: Change }): number {
  return CHANGES.indexOf(a.change) - CHANGES.indexOf(b.change);
}

/**
 * Compares two measurements.
 *
 * @param from The measurement in the base
 * @param to The measurement in this run, with the same unit
 * @returns `same` if the 5–95 % ranges overlap, `unknown` if the noise of either is unknown
 *
 * @example A change within the range, and one outside it
 * ```ts
 * import { compareMeasurements } from "./compare.ts";
 * import type { Measurement } from "./schema.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const rate = (value: number): Measurement => ({
 *   name: "throughput",
 *   value,
 *   unit: "MB/s",
 *   limit: null,
 *   spread: { samples: 20, min: value - 30, p5: value - 20, p95: value + 20, max: value + 30 },
 * });
 * assertEquals(compareMeasurements(rate(600), rate(570)), "same");
 * assertEquals(compareMeasurements(rate(600), rate(550)), "worse");
 * ```
 */
export function compareMeasurements(
  from: Measurement,
  to: Measurement,
): "better" | "worse" | "same" | "unknown" {
  const [a, b] = [rangeOf(from), rangeOf(to)];
  if (a === null || b === null) return "unknown";
  const more = moreIsBetter(to.unit);
  if (b.p5 > a.p95) return more ? "better" : "worse";
  if (b.p95 < a.p5) return more ? "worse" : "better";
  return "same";
}

/** The 5–95 % range of the samples; null if unknown. Counters are exact. */
function rangeOf({ value, unit, spread }: Measurement): { p5: number; p95: number } | null {
  if (unit === "B/B") return { p5: value, p95: value };
  return spread === undefined || spread.samples < ENOUGH ? null : spread;
}

/** Whether a measurement depends on the machine alone. */
function isReference({ name, at }: Measurement): boolean {
  return name === "memcpy" || name === "c loop" || at?.["memory"] === "ordinary";
}

/** Judges an outcome. A control that passed and failed before is a regression. */
function changeOf(from: Outcome, to: Outcome | null): Change {
  if (to === null || to === "SKIP") {
    return from === "PASS" || from === "XFAIL" ? "lost" : "changed";
  }
  const worse = to === "XPASS" ? from === "XFAIL" : isFine(from) && !isFine(to);
  return worse ? "worse" : "changed";
}

/** The size of a change from 0 to 1, relative to the larger value; for a share, the difference. */
function changeSize({ from, to }: MeasurementChange): number {
  const [a, b] = [from.value, to?.value ?? 0];
  return Math.abs(a - b) / (from.unit === "%" ? 100 : Math.max(Math.abs(a), Math.abs(b)));
}

function byKey(tests: readonly TestResult[]): Map<string, TestResult> {
  return new Map(tests.map((test) => [`${test.suite}\0${test.name}`, test]));
}

function measurementKey({ name, unit, at = {} }: Measurement): string {
  return JSON.stringify([name, unit, Object.entries(at).sort(([a], [b]) => a < b ? -1 : 1)]);
}

function describeDifferences(base: Results, now: Results): string[] {
  const facts = ({ board, bitstream, run, tool, environment = {} }: Results) =>
    new Map<string, unknown>([
      ["board", board.kind],
      ["architecture", board.arch],
      ["kernel", board.kernel],
      ["coherent", board.coherent],
      ["bus", board.bus],
      ["engine", board.engine],
      ["memory loop", board.memoryLoop === true],
      ["core", board.core],
      ["bitstream", bitstream.sha256?.slice(0, 12)],
      ["seed", run.seed],
      ["version", tool.version],
      ["commit", tool.git?.slice(0, 12)],
      ...Object.entries(environment).filter(([name]) => !MOMENTARY.includes(name)),
    ]);
  const [before, after] = [facts(base), facts(now)];
  return [...new Set([...before.keys(), ...after.keys()])].flatMap((what) => {
    const [old, value] = [factText(before.get(what)), factText(after.get(what))];
    return old === value
      ? []
      : [`${what}: ${truncate(old, LONGEST)} in the base, ${truncate(value, LONGEST)} now`];
  }).slice(0, MOST_DIFFERENCES);
}

function factText(value: unknown): string {
  if (value === null || value === undefined) return "unknown";
  return typeof value === "string" ? value : JSON.stringify(value);
}
