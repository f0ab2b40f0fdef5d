// SPDX-License-Identifier: MIT
/**
 * Results as text: the diagnosis, a table of suites and policies, the failures, and the verdict in the
 * last line.
 *
 * @module
 */
import { type Outcome, OUTCOMES, type Verdict, WORST_FIRST } from "../results/outcome.ts";
import type { Results, TestResult } from "../results/schema.ts";
import { bytesOf, type Fault, namesOf, placeOf } from "../verify/fault.ts";
import { formatDataAmount, plural } from "../text/format.ts";
import { headlines } from "../diagnosis/headline.ts";
import { describeSoak } from "./soak.ts";
import { foldFailures, renderDiagnosis, renderEvidence } from "./failures.ts";
import { printable, truncate, wrap } from "../text/text.ts";
import { MEMORY_LOOP } from "../results/memory_loop.ts";

/** Options of {@linkcode renderTable}. */
export interface TableOptions {
  /** Whether to use the colours of a terminal. Defaults to false. */
  readonly color?: boolean;
  /** The width in columns. Defaults to 80. */
  readonly width?: number;
  /** Whether to print only the verdict. Defaults to false. */
  readonly quiet?: boolean;
  /** How many cases to explain, and how many faults of each. Defaults to 10. */
  readonly most?: number;
}

/** How many faults to show of a case that stands for others. */
const MOST_ALIKE = 3;

const COLORS: Readonly<Record<Outcome, number>> = {
  PASS: 32,
  FAIL: 31,
  XFAIL: 32,
  XPASS: 33,
  ERROR: 35,
  TIMEOUT: 31,
  SKIP: 33,
};

/**
 * Renders results as text.
 *
 * @param results The results
 * @param verdict Their verdict
 * @param options How to render them
 * @returns The text, without a line feed at the end
 */
export function renderTable(
  results: Results,
  verdict: Verdict,
  options: TableOptions = {},
): string {
  const width = options.width ?? 80;
  const most = options.most ?? 10;
  const paint = (text: string, color: number): string =>
    options.color === true ? `\x1b[${color}m${text}\x1b[0m` : text;
  const colorOf = { PASS: 32, FAIL: 31, ERROR: 35 }[verdict.word];
  const seconds = `${results.run.seconds.toFixed(1)} s`;
  const last = wrap(`${verdict.word}: ${verdict.reason} (${seconds})`, width, "")
    .map((line) => paint(line, colorOf));
  const simulated = results.board.simulated;
  if (options.quiet === true) {
    if (simulated) last[0] = `${paint("SIMULATED", 33)} ${last[0] ?? ""}`;
    return last.join("\n");
  }

  const lines: string[] = [];
  for (const { text, notCache, examples } of headlines(results)) {
    const [first = "", ...more] = wrap(`FAIL ${text}`, width, "  ");
    lines.push(first.replace("FAIL", paint("FAIL", COLORS.FAIL)), ...more);
    lines.push(
      ...[notCache, ...examples].filter((line) => line !== null)
        .flatMap((line) => wrap(`  ${line}`, width, "  ")),
    );
  }
  if (lines.length > 0) lines.push("");
  const board = wrap(describeBoard(results), width, "  ");
  if (simulated && board[0] !== undefined) {
    board[0] = board[0].replace("SIMULATED", paint("SIMULATED", 33));
  }
  lines.push(...board, "");
  const { diagnosis } = results;
  if (diagnosis !== undefined) {
    lines.push(paint("What the failures have in common", 33));
    lines.push(...renderDiagnosis(diagnosis, width), "");
  }
  if (results.tests.length > 0) lines.push(...grid(results.tests, width, paint), "");

  if (diagnosis !== undefined) lines.push(...renderEvidence(diagnosis, width));
  const bad = foldFailures(results);
  for (const { test, alike } of bad.slice(0, most)) {
    lines.push(...explain(test, width, alike > 0 ? Math.min(most, MOST_ALIKE) : most, paint));
    if (alike > 0) lines.push(`  ... and ${plural(alike, "case")} like this one`);
  }
  if (bad.length > most) lines.push(`... and ${bad.length - most} more cases`);
  if (bad.length > 0) lines.push("");

  lines.push(...injected(results.tests, width));
  const skipped = skips(results.tests);
  for (const [reason, count] of skipped.slice(0, most)) {
    lines.push(...wrap(`SKIP ${plural(count, "case")}: ${reason}`, width, "  "));
  }
  if (skipped.length > most) lines.push(`... and ${skipped.length - most} more reasons to skip`);
  const notes = Map.groupBy(results.tests.flatMap((test) => test.notes ?? []), (note) => note);
  for (const [note, cases] of [...notes].slice(0, most)) {
    lines.push(...wrap(`NOTE ${plural(cases.length, "case")}: ${note}`, width, "  "));
  }
  for (const line of describeSoak(results)) lines.push(...wrap(line, width, "  "));
  lines.push(...wrap(`Controls: ${results.power.detail}`, width, "  "), ...last);
  return lines.join("\n");
}

function describeBoard({ board, run }: Results): string {
  const coherent = board.coherent === null ? null : board.coherent ? "coherent" : "not coherent";
  const parts = [
    `board ${board.kind}${board.arch === null ? "" : ` ${board.arch}`}`,
    board.kernel === null ? null : `Linux ${board.kernel}`,
    coherent,
    board.bus === undefined ? null : `bus ${board.bus}`,
    board.engine === null ? null : `engine ${board.engine}`,
    board.memoryLoop === true ? MEMORY_LOOP : null,
    board.core === null ? null : `core ${board.core}`,
    `seed ${run.seed}`,
  ];
  const text = printable(parts.filter((part) => part !== null).join(", "));
  return board.simulated ? `SIMULATED: ${text}` : text;
}

/** Renders a row for each suite and policy, and a column for each outcome that occurs. */
function grid(
  tests: readonly TestResult[],
  width: number,
  paint: (text: string, color: number) => string,
): string[] {
  const columns = OUTCOMES.filter((outcome) => tests.some((test) => test.outcome === outcome));
  const groups = Map.groupBy(tests, (test) => `${test.suite}\0${test.policy ?? "-"}`);
  const rows = [...groups.values()].map((cases) => ({
    suite: printable(cases[0]?.suite ?? ""),
    policy: printable(cases[0]?.policy ?? "-"),
    worst: WORST_FIRST.find((outcome) => cases.some((test) => test.outcome === outcome)) ?? "SKIP",
    counts: columns.map((outcome) => cases.filter((test) => test.outcome === outcome).length),
    frames: sum(cases.map((test) => test.frames)),
    bytes: sum(cases.map((test) => test.bytes)),
  }));
  const total = {
    suite: "all",
    policy: "",
    counts: columns.map((_, i) => sum(rows.map((row) => row.counts[i] ?? 0))),
    frames: sum(rows.map((row) => row.frames)),
    bytes: sum(rows.map((row) => row.bytes)),
  };

  const numbers = columns.map((outcome) => Math.max(outcome.length, 5) + 1);
  const longest = (column: "suite" | "policy"): number =>
    Math.max(column.length, ...rows.map((row) => row[column].length));
  const policyWidth = Math.min(longest("policy"), 22);
  const taken = sum(numbers) + policyWidth + 1;
  // frames and data are left out if the counts of the outcomes need the room
  const amounts = [10, 9];
  while (amounts.length > 0 && taken + sum(amounts) + 8 > width) amounts.pop();
  const room = width - taken - sum(amounts);
  const suiteWidth = Math.max(5, Math.min(longest("suite"), room));

  const line = (
    suite: string,
    policy: string,
    cells: readonly string[],
    frames: string,
    data: string,
  ): string =>
    truncate(
      `${truncate(suite, suiteWidth).padEnd(suiteWidth)} ${
        truncate(policy, policyWidth).padEnd(policyWidth)
      }` +
        cells.map((cell, i) => cell.padStart(numbers[i] ?? 0)).join("") +
        [frames, data].map((amount, i) => amount.padStart(amounts[i] ?? 0))
          .slice(0, amounts.length).join(""),
      width,
    );
  const count = (n: number): string => n === 0 ? "." : String(n);
  return [
    line("suite", "policy", columns, "frames", "data"),
    ...rows.map((row) =>
      paint(
        line(
          row.suite,
          row.policy,
          row.counts.map(count),
          String(row.frames),
          formatDataAmount(row.bytes),
        ),
        COLORS[row.worst],
      )
    ),
    line(
      total.suite,
      "",
      total.counts.map(count),
      String(total.frames),
      formatDataAmount(total.bytes),
    ),
  ];
}

function explain(
  test: TestResult,
  width: number,
  most: number,
  paint: (text: string, color: number) => string,
): string[] {
  const place = test.place === undefined ? "" : ` (${test.place})`;
  const head = wrap(`${test.outcome} ${test.suite}: ${test.name}${place}`, width, "  ");
  if (head[0] !== undefined) {
    head[0] = head[0].replace(test.outcome, paint(test.outcome, COLORS[test.outcome]));
  }
  const reason = test.reason === null ? [] : wrap(`  ${test.reason}`, width, "  ");
  const faults = test.faults.slice(0, most).flatMap((fault) =>
    wrap(`  ${describeFault(fault)}`, width, "    ")
  );
  const more = test.faults.length - most;
  return [...head, ...reason, ...faults, ...(more > 0 ? [`  ... and ${more} more faults`] : [])];
}

function describeFault(fault: Fault): string {
  const { block, offset, length, blame, detail } = fault;
  const inBlock = block === undefined ? "" : `, block ${block}`;
  const where = `${placeOf(fault)}${inBlock}, offset ${offset}, length ${length}`;
  const bytes = bytesOf(fault);
  return `${where}: ${namesOf(fault)}${blame === null ? "" : ` (${blame})`}: ${detail}` +
    (bytes === null ? "" : `: ${bytes}`);
}

/** The faults that `--fault` injected, to compare them with the faults that were found. */
function injected(tests: readonly TestResult[], width: number): string[] {
  const all = tests.flatMap((test) => (test.injected ?? []).map((line) => `${test.name}: ${line}`));
  if (all.length === 0) return [];
  return [
    `Faults injected: ${all.length}`,
    ...all.slice(0, MOST_ALIKE).flatMap((line) => wrap(`  ${line}`, width, "  ")),
    ...(all.length > MOST_ALIKE ? ["  ... all are in results.json"] : []),
    "",
  ];
}

function skips(tests: readonly TestResult[]): [string, number][] {
  const groups = Map.groupBy(
    tests.filter((test) => test.outcome === "SKIP"),
    (test) => test.reason ?? "no reason given",
  );
  return [...groups].map(([reason, cases]): [string, number] => [reason, cases.length])
    .sort(([, a], [, b]) => b - a);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, one) => total + one, 0);
}
