// SPDX-License-Identifier: MIT
/**
 * Two runs side by side: what failed since, and what became slower.
 *
 * A figure changed when the middle 90 % of its samples in one run (from `p5` to `p95`) lie wholly on
 * one side of those in the other. So a noisy measurement needs a larger change than a quiet one, and
 * no percentage has to be chosen. A figure without a spread, or of fewer than five samples, says
 * nothing about its own noise: its change is listed, and judged by nobody. What the driver counts, and
 * does not time, has no noise: any change of `B/B` is one.
 *
 * What is not there any more proves nothing. So a case that was as expected and did not run, and a
 * figure that is gone, are lost: as bad as one that became worse. Compare runs of the same command.
 *
 * Figures of the machine alone, such as `memcpy` in ordinary memory, are references: that they changed
 * says that the machine was busy or is another one, and is no regression of driver or design.
 *
 * @module
 */
import { isFine, type Outcome } from "./outcome.ts";
import type { Measurement, Results, TestResult } from "./schema.ts";

/** Where something changed. */
interface Place {
  /** The suite. */
  readonly suite: string;
  /** The case's own name. */
  readonly name: string;
  /** The policy, or `null` for a case that uses none. */
  readonly policy: string | null;
}

/**
 * What became of a case or a figure, the worst first: `lost` was there in the base, `new` is a failure
 * that the base knows nothing of, `machine` is a figure of the machine alone, `unjudged` differs by
 * nobody knows how much noise.
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

/** A case that ended otherwise than in the base. */
export interface OutcomeChange extends Place {
  /** How it ended in the base; `null` when it was not there. */
  readonly from: Outcome | null;
  /** How it ended now; `null` when it is not there any more. */
  readonly to: Outcome | null;
  /** Why. */
  readonly reason: string | null;
  /** What that means. */
  readonly change: Change;
}

/** A figure that changed. */
export interface FigureChange extends Place {
  /** The figure in the base. */
  readonly from: Measurement;
  /** The figure now; `null` when it is not there any more. */
  readonly to: Measurement | null;
  /** What that means. */
  readonly change: Change;
}

/** What {@linkcode compareResults} found. */
export interface Comparison {
  /** Cases that ended otherwise, the worst change first. */
  readonly outcomes: readonly OutcomeChange[];
  /** Figures that changed by more than both spreads, or are gone, the worst change first. */
  readonly figures: readonly FigureChange[];
  /** How many figures could be compared. */
  readonly judged: number;
  /** How many figures differ, with nothing to judge that by. */
  readonly unjudged: number;
  /** The largest of these changes. */
  readonly largestUnjudged: readonly FigureChange[];
  /** In what the runs differ, so that a change may come from that: one line each. */
  readonly differences: readonly string[];
  /** How many changes are for the worse. */
  readonly regressions: number;
  /** How many cases and figures are lost. */
  readonly lost: number;
}

/** Samples that say something about noise. */
const ENOUGH = 5;

/** Changes without a judgement, and differences between the runs, that are listed. */
const MOST_UNJUDGED = 5;
const MOST_DIFFERENCES = 100;

/** Characters of one fact. */
const LONGEST = 400;

/** What is another at every moment. */
const MOMENTARY = ["load average", "CPU frequency (MHz)"];

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
 * import { fold } from "../journal/fold.ts";
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
  const unjudged: FigureChange[] = [];
  let judged = 0;
  for (const [key, old] of before) {
    const test = after.get(key);
    const { suite, name, policy, outcome: from } = old;
    const { outcome: to = null, reason = "not in this run" } = test ?? {};
    if (from !== to) {
      outcomes.push({ suite, name, policy, from, to, reason, change: changeOf(from, to) });
    }
    const left = new Map(test?.measurements.map((one) => [measurementKey(one), one]));
    // the outcome says it of all figures of a case that failed or did not run
    const ended = to !== null && to !== "SKIP" && isFine(to);
    for (const from of old.measurements) {
      const to = left.get(measurementKey(from)) ?? null;
      const add = (list: FigureChange[], change: Change): unknown =>
        list.push({ suite, name, policy, from, to, change });
      if (to === null) {
        if (ended && rangeOf(from) !== null) add(figures, "lost");
        continue;
      }
      const said = compareFigures(from, to);
      if (said !== "unknown") judged++;
      else if (from.value !== to.value) add(unjudged, "unjudged");
      if (said === "worse" || said === "better") {
        add(figures, isReference(to) ? "machine" : said);
      }
    }
  }
  for (const [key, { suite, name, policy, outcome: to, reason }] of after) {
    if (before.has(key) || isFine(to)) continue;
    outcomes.push({ suite, name, policy, from: null, to, reason, change: "new" });
  }
  const count = (change: Change): number =>
    [...outcomes, ...figures].filter((one) => one.change === change).length;
  return {
    outcomes: outcomes.sort(worstFirst),
    figures: figures.sort((a, b) => worstFirst(a, b) || extent(b) - extent(a)),
    judged,
    unjudged: unjudged.length,
    largestUnjudged: unjudged.sort((a, b) => extent(b) - extent(a)).slice(0, MOST_UNJUDGED),
    differences: describeDifferences(base, now),
    regressions: count("worse"),
    lost: count("lost"),
  };
}

/**
 * Order changes, the worst first.
 *
 * @param a a change
 * @param b another
 * @returns as `sort` takes it
 */
export function worstFirst(a: { readonly change: Change }, b: { readonly change: Change }): number {
  return CHANGES.indexOf(a.change) - CHANGES.indexOf(b.change);
}

/**
 * Tell how a figure changed.
 *
 * @param from the figure in the base
 * @param to the figure now, of the same unit
 * @returns `same` when the spreads overlap, `unknown` when one has none and is not exact
 */
export function compareFigures(
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

/** Where the middle 90 % of the samples lie; null when nobody knows. What is counted is exact. */
function rangeOf({ value, unit, spread }: Measurement): { p5: number; p95: number } | null {
  if (unit === "B/B") return { p5: value, p95: value };
  return spread === undefined || spread.samples < ENOUGH ? null : spread;
}

/** Whether neither driver nor design has a part in a figure. */
function isReference({ name, at }: Measurement): boolean {
  return name === "memcpy" || name === "c loop" || at?.["memory"] === "ordinary";
}

/** A control that passes where it failed has lost its power; one that fails again has it back. */
function changeOf(from: Outcome, to: Outcome | null): Change {
  if (to === null || to === "SKIP") {
    return from === "PASS" || from === "XFAIL" ? "lost" : "changed";
  }
  const worse = to === "XPASS" ? from === "XFAIL" : isFine(from) && !isFine(to);
  return worse ? "worse" : "changed";
}

/** How large a change is, up to 1: of the larger figure, or in points where it is a share already. */
function extent({ from, to }: FigureChange): number {
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
      ["core", board.core],
      ["bitstream", bitstream.sha256?.slice(0, 12)],
      ["seed", run.seed],
      ["version", tool.version],
      ["commit", tool.git?.slice(0, 12)],
      ...Object.entries(environment).filter(([name]) => !MOMENTARY.includes(name)),
    ]);
  const [before, after] = [facts(base), facts(now)];
  return [...new Set([...before.keys(), ...after.keys()])].flatMap((what) => {
    const [old, value] = [say(before.get(what)), say(after.get(what))];
    return old === value ? [] : [`${what}: ${cut(old)} in the base, ${cut(value)} now`];
  }).slice(0, MOST_DIFFERENCES);
}

function say(value: unknown): string {
  if (value === null || value === undefined) return "unknown";
  return typeof value === "string" ? value : JSON.stringify(value);
}

function cut(text: string): string {
  return text.length <= LONGEST ? text : `${text.slice(0, LONGEST - 1)}…`;
}
