// SPDX-License-Identifier: MIT
/**
 * Two runs side by side: what failed since, and what became slower.
 *
 * A figure changed when the middle 90 % of its samples in one run (from `p5` to `p95`) lie wholly on
 * one side of those in the other. So a noisy measurement needs a larger change than a quiet one, and
 * no percentage has to be chosen. A figure without a spread, or of fewer than five samples, says
 * nothing about its own noise: its change is counted, and judged by nobody.
 *
 * Figures of the machine alone, such as `memcpy` in ordinary memory, are references: that they changed
 * says that the machine was busy or is another one, and is no regression of driver or design.
 *
 * @module
 */
import { isFine, type Outcome } from "./outcome.ts";
import type { Measurement, Results, TestResult } from "./results.ts";

/** Where something changed. */
interface Place {
  /** The suite. */
  readonly suite: string;
  /** The case's own name. */
  readonly name: string;
  /** The policy, or `null` for a case that uses none. */
  readonly policy: string | null;
}

/** A case that ended otherwise than in the base. */
export interface OutcomeChange extends Place {
  /** How it ended in the base. */
  readonly from: Outcome;
  /** How it ended now; `null` when it is not there any more. */
  readonly to: Outcome | null;
  /** Why. */
  readonly reason: string | null;
  /** Whether it was as expected in the base and is not now. */
  readonly worse: boolean;
}

/** A figure that changed by more than both runs' spread. */
export interface FigureChange extends Place {
  /** The figure in the base. */
  readonly from: Measurement;
  /** The figure now. */
  readonly to: Measurement;
  /** Whether that is slower, or dearer. */
  readonly worse: boolean;
  /** Whether it is a figure of the machine alone: then it is never worse. */
  readonly reference: boolean;
}

/** What {@linkcode compareResults} found. */
export interface Comparison {
  /** Cases that ended otherwise, those that are worse first. */
  readonly outcomes: readonly OutcomeChange[];
  /** Figures that changed by more than both spreads, those that are worse first. */
  readonly figures: readonly FigureChange[];
  /** How many figures both runs have with a spread. */
  readonly judged: number;
  /** How many figures both runs have, of which one has no spread to judge by. */
  readonly unjudged: number;
  /** In what the runs differ, so that a change may come from that: one line each. */
  readonly differences: readonly string[];
  /** How many changes are for the worse. */
  readonly regressions: number;
}

/** Samples that say something about noise. */
const ENOUGH = 5;

/**
 * Tell whether more of a figure is better.
 *
 * @param unit its unit
 * @returns true for rates and ratios, false for times, shares and amounts
 */
export function moreIsBetter(unit: string): boolean {
  return /^[kMG]?B\/s$/.test(unit) || unit === "1/s" || unit === "ratio";
}

/**
 * Compare a run with an earlier one. Cases are matched by suite and name, figures by these, their
 * name, unit and what was varied.
 *
 * @param base the earlier run
 * @param now the run that is judged
 * @returns what changed
 *
 * @example A figure that moved, but not out of its spread
 * ```ts
 * import { compareResults } from "./compare.ts";
 * import { fold } from "./journal_fold.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const empty = fold({ lines: [], unreadable: [], torn: false });
 * const run = (value: number) => ({
 *   ...empty,
 *   tests: [{
 *     suite: "throughput",
 *     name: "a",
 *     policy: "streaming",
 *     outcome: "PASS" as const,
 *     reason: null,
 *     seconds: 1,
 *     frames: 1,
 *     bytes: 1,
 *     faults: [],
 *     measurements: [{
 *       name: "throughput",
 *       value,
 *       unit: "MB/s",
 *       limit: null,
 *       spread: { samples: 20, min: value - 30, p5: value - 20, p95: value + 20, max: value + 30 },
 *     }],
 *   }],
 * });
 * assertEquals(compareResults(run(600), run(570)).regressions, 0);
 * assertEquals(compareResults(run(600), run(550)).regressions, 1);
 * ```
 */
export function compareResults(base: Results, now: Results): Comparison {
  const before = byKey(base.tests);
  const after = byKey(now.tests);
  const outcomes: OutcomeChange[] = [];
  const figures: FigureChange[] = [];
  let [judged, unjudged] = [0, 0];
  for (const [key, old] of before) {
    const test = after.get(key);
    const { suite, name, policy } = old;
    const from = old.outcome;
    if (test === undefined) {
      const reason = "not in this run";
      outcomes.push({ suite, name, policy, from, to: null, reason, worse: false });
      continue;
    }
    const { outcome: to, reason } = test;
    if (from !== to) {
      outcomes.push({ suite, name, policy, from, to, reason, worse: isWorse(from, to) });
    }
    const known = new Map(old.measurements.map((one) => [measurementKey(one), one]));
    for (const figure of test.measurements) {
      const from = known.get(measurementKey(figure));
      if (from === undefined) continue;
      const change = compareFigures(from, figure);
      if (change === "unknown") unjudged++;
      else judged++;
      if (change !== "worse" && change !== "better") continue;
      const reference = isReference(figure);
      const worse = change === "worse" && !reference;
      figures.push({ suite, name, policy, from, to: figure, worse, reference });
    }
  }
  const worstFirst = (a: { worse: boolean }, b: { worse: boolean }): number =>
    Number(b.worse) - Number(a.worse);
  const machineLast = (a: FigureChange, b: FigureChange): number =>
    Number(a.reference) - Number(b.reference);
  figures.sort((a, b) => worstFirst(a, b) || machineLast(a, b) || factor(b) - factor(a));
  return {
    outcomes: outcomes.sort(worstFirst),
    figures,
    judged,
    unjudged,
    differences: describeDifferences(base, now),
    regressions: [...outcomes, ...figures].filter(({ worse }) => worse).length,
  };
}

/**
 * Tell how a figure changed.
 *
 * @param from the figure in the base
 * @param to the figure now, of the same unit
 * @returns `same` when the spreads overlap, `unknown` when one has none
 */
export function compareFigures(
  from: Measurement,
  to: Measurement,
): "better" | "worse" | "same" | "unknown" {
  const [a, b] = [from.spread, to.spread];
  if (a === undefined || b === undefined || Math.min(a.samples, b.samples) < ENOUGH) {
    return "unknown";
  }
  const more = moreIsBetter(to.unit);
  if (b.p5 > a.p95) return more ? "better" : "worse";
  if (b.p95 < a.p5) return more ? "worse" : "better";
  return "same";
}

/** Whether neither driver nor design has a part in a figure. */
function isReference({ name, at }: Measurement): boolean {
  return name === "memcpy" || name === "c loop" || at?.["memory"] === "ordinary";
}

/** A control that passes where it failed has lost its power; one that fails again has it back. */
function isWorse(from: Outcome, to: Outcome): boolean {
  if (to === "XPASS") return from === "XFAIL";
  return isFine(from) && !isFine(to);
}

/** How many times as much, whichever way. */
function factor({ from, to }: FigureChange): number {
  const ratio = Math.abs(to.value / from.value);
  return ratio < 1 ? 1 / ratio : ratio;
}

function byKey(tests: readonly TestResult[]): Map<string, TestResult> {
  return new Map(tests.map((test) => [`${test.suite}\0${test.name}`, test]));
}

function measurementKey({ name, unit, at = {} }: Measurement): string {
  return JSON.stringify([name, unit, Object.entries(at).sort(([a], [b]) => a < b ? -1 : 1)]);
}

function describeDifferences(base: Results, now: Results): string[] {
  const facts = ({ board, bitstream, run, tool }: Results): [string, unknown][] => [
    ["board", board.kind],
    ["architecture", board.arch],
    ["kernel", board.kernel],
    ["coherent", board.coherent],
    ["engine", board.engine],
    ["core", board.core],
    ["bitstream", bitstream.sha256?.slice(0, 12) ?? null],
    ["seed", run.seed],
    ["version", tool.version],
    ["commit", tool.git?.slice(0, 12) ?? null],
  ];
  const before = facts(base);
  return facts(now).flatMap(([what, value], i) => {
    const old = before[i]?.[1];
    return old === value ? [] : [`${what}: ${say(old)} in the base, ${say(value)} now`];
  });
}

function say(value: unknown): string {
  return value === null ? "unknown" : String(value);
}
