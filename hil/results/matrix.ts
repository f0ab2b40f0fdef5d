// SPDX-License-Identifier: MIT
/**
 * Many runs on one page: board × bitstream × policy, what changed since earlier runs of the same boards,
 * and which cases fail only sometimes.
 *
 * @module
 */
import { compareResults, type OutcomeChange } from "./compare.ts";
import {
  countOutcomes,
  type ExitStatus,
  isFine,
  type Outcome,
  summarizeOutcomes,
  type Summary,
  type Verdict,
  WORST_FIRST,
} from "./outcome.ts";
import type { Results, TestResult } from "./schema.ts";

/** A run on a board. */
export interface BoardRun {
  /** The name of the board. */
  readonly board: string;
  /** Where the run was read from. */
  readonly name: string;
  /** Its results, or why there are none, in one line. */
  readonly results: (Results & { readonly verdict: Verdict }) | string;
}

/** All cases of a policy on a board and a bitstream. */
export interface MatrixCell {
  /** The policy, or `-` for cases without one. */
  readonly policy: string;
  /** The worst outcome. */
  readonly worst: Outcome;
  /** The number of cases of each outcome, over all runs. */
  readonly summary: Summary;
}

/** The runs of a board with a bitstream. */
export interface MatrixRow {
  /** The name of the board. */
  readonly board: string;
  /** The bitstream: the name of its file and the beginning of its SHA-256, or `unknown bitstream`. */
  readonly bitstream: string;
  /** Where the runs were read from. */
  readonly runs: readonly string[];
  /** Whether any of the runs was on a simulated board. */
  readonly simulated: boolean;
  /** The verdict of the worst run. */
  readonly verdict: Verdict;
  /** A cell for each policy that the runs have. */
  readonly cells: readonly MatrixCell[];
  /** What changed since the baseline of the board; null if it has none. */
  readonly changes: MatrixChanges | null;
}

/** What changed on a board since its baseline. */
export interface MatrixChanges {
  /** Where the baseline was read from. */
  readonly base: string;
  /** Cases with another outcome, the worst change first. */
  readonly outcomes: readonly OutcomeChange[];
  /** How many cases and measurements became worse. */
  readonly regressions: number;
  /** How many cases and measurements are missing. */
  readonly lost: number;
}

/** A case that failed on a board. */
export interface FailedCase {
  /** The name of the board. */
  readonly board: string;
  /** The bitstream, as in {@linkcode MatrixRow}. */
  readonly bitstream: string;
  /** The suite. */
  readonly suite: string;
  /** The name of the case. */
  readonly name: string;
  /** How often it failed. */
  readonly failed: number;
  /** How often it ran, in all runs and in all rounds of `--duration`. */
  readonly of: number;
  /** The reason of its first failure. */
  readonly reason: string | null;
}

/** Many runs on one page, schema 1. */
export interface Matrix {
  /** Always 1. */
  readonly schema: 1;
  /** The policies, in the order of the runs. */
  readonly policies: readonly string[];
  /** A row for each board and bitstream, in the order of the runs. */
  readonly rows: readonly MatrixRow[];
  /** Cases that failed each time, in the order of the runs. */
  readonly failing: readonly FailedCase[];
  /** Cases that failed and passed, those that failed most often first. */
  readonly flaky: readonly FailedCase[];
}

/**
 * Puts runs on one page.
 *
 * @param runs The runs, those of one board in the order of time
 * @param baseline Earlier runs. The last one of a board with the same bitstream is its baseline, or else the
 * last one of the board. A board that only they have is an error, because its run is missing
 * @returns The page
 */
export function matrixOf(runs: readonly BoardRun[], baseline: readonly BoardRun[] = []): Matrix {
  const known = new Set(runs.map(({ board }) => board));
  const missing = [...new Set(baseline.map(({ board }) => board))].filter((one) => !known.has(one));
  const results = "The baseline has this board, and these runs do not";
  const all = [...runs, ...missing.map((board) => ({ board, name: "-", results }))];
  const groups = [
    ...Map.groupBy(all, (run) => JSON.stringify([run.board, bitstreamOf(run)])).values(),
  ];
  const failed = groups.flatMap(failedCases);
  const rows = groups.map((group) => rowOf(group, baseline));
  return {
    schema: 1,
    policies: [...new Set(rows.flatMap(({ cells }) => cells.map(({ policy }) => policy)))],
    rows,
    failing: failed.filter((one) => one.failed === one.of),
    flaky: failed.filter((one) => one.failed < one.of)
      .sort((a, b) => b.failed / b.of - a.failed / a.of),
  };
}

/**
 * Returns the exit status of a page. A failed design is worse than a failed infrastructure. A page without
 * boards is one, too.
 *
 * @param matrix The page
 * @param failOnRegression Whether regressions and lost cases count as failures
 * @returns 1 if a design failed, 3 if the infrastructure failed, or else 0
 */
export function exitOfMatrix({ rows }: Matrix, failOnRegression: boolean): ExitStatus {
  const worse = rows.some(({ changes }) =>
    changes !== null && changes.regressions + changes.lost > 0
  );
  if (failOnRegression && worse || rows.some(({ verdict }) => verdict.exit === 1)) return 1;
  return rows.length === 0 || rows.some(({ verdict }) => verdict.exit === 3) ? 3 : 0;
}

function rowOf(group: readonly BoardRun[], baseline: readonly BoardRun[]): MatrixRow {
  const [first] = group;
  if (first === undefined) throw new Error("Expected at least one run, found none");
  const results = group.flatMap((run) => typeof run.results === "string" ? [] : [run.results]);
  const verdicts = group.map(({ results }): Verdict =>
    typeof results === "string" ? { exit: 3, word: "ERROR", reason: results } : results.verdict
  );
  const verdict = [1, 3, 0].flatMap((exit) => verdicts.filter((one) => one.exit === exit))[0];
  const tests = results.flatMap((one) => one.tests);
  return {
    board: first.board,
    bitstream: bitstreamOf(first),
    runs: group.map(({ name }) => name),
    simulated: results.some(({ board }) => board.simulated),
    verdict: verdict ?? { exit: 3, word: "ERROR", reason: "There are no results" },
    cells: [...Map.groupBy(tests, ({ policy }) => policy ?? "-")].map(([policy, cases]) => ({
      policy,
      worst: worstOf(cases),
      summary: summarizeOutcomes(cases),
    })),
    changes: changesOf(first, results.at(-1), baseline),
  };
}

function worstOf(cases: readonly TestResult[]): Outcome {
  const counts = countOutcomes(cases.map(({ outcome }) => outcome));
  return WORST_FIRST.find((outcome) => counts[outcome] > 0) ?? "SKIP";
}

/** Compares the last run of a board with its baseline. A run without results has lost everything. */
function changesOf(
  run: BoardRun,
  last: Results | undefined,
  baseline: readonly BoardRun[],
): MatrixChanges | null {
  const own = baseline.filter(({ board, results }) =>
    board === run.board && typeof results !== "string"
  );
  const base = own.findLast((one) => bitstreamOf(one) === bitstreamOf(run)) ?? own.at(-1);
  if (base === undefined || typeof base.results === "string") return null;
  const now = last ?? { ...base.results, tests: [] };
  const { outcomes, regressions, lost } = compareResults(base.results, now);
  return { base: base.name, outcomes, regressions, lost };
}

/** The bitstream of a run: its file and its hash, because builds of one design have one file name. */
function bitstreamOf({ results }: BoardRun): string {
  if (typeof results === "string") return "unknown bitstream";
  const { file, sha256 } = results.bitstream;
  const name = file?.replace(/^.*\//, "");
  const parts = [name, sha256?.slice(0, 12)].filter((part) => part !== undefined);
  return parts.length === 0 ? "unknown bitstream" : parts.join(" ");
}

/** The cases of a group that failed at least once. */
function failedCases(group: readonly BoardRun[]): FailedCase[] {
  const counts = new Map<string, FailedCase>();
  for (const run of group) {
    const { board, results } = run;
    if (typeof results === "string") continue;
    for (const test of results.tests) {
      if (test.outcome === "SKIP") continue;
      const { suite, name } = test;
      const key = JSON.stringify([suite, name]);
      const before = counts.get(key);
      const rounds = results.soak === undefined ? 1 : test.attempts ?? 1;
      const bad = isFine(test.outcome) ? 0 : test.failures ?? 1;
      counts.set(key, {
        ...{ board, bitstream: bitstreamOf(run), suite, name },
        failed: (before?.failed ?? 0) + bad,
        of: (before?.of ?? 0) + rounds,
        reason: before?.reason ?? (bad > 0 ? test.reason : null),
      });
    }
  }
  return [...counts.values()].filter(({ failed }) => failed > 0);
}
