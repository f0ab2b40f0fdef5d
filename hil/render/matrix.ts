// SPDX-License-Identifier: MIT
/**
 * Many runs on one page, as text.
 *
 * @module
 */
import type { Outcome } from "../results/outcome.ts";
import type { FailedCase, Matrix, MatrixCell, MatrixRow } from "../results/matrix.ts";
import { plural } from "../text/format.ts";
import { printable, truncate, wrap } from "../text/text.ts";

/** Cases and changes that are shown of each kind. The JSON has all of them. */
const MOST = 20;

/** The longest name of a board and of a bitstream in the table. */
const LONGEST = 24;

/**
 * Renders a page as text.
 *
 * @param matrix The page
 * @param width The width in columns
 * @returns The text, without a line feed at the end
 */
export function renderMatrix(matrix: Matrix, width: number): string {
  const { rows, failing, flaky } = matrix;
  const cases = (title: string, some: readonly FailedCase[]): string[] => {
    if (some.length === 0) return [];
    const lines = some.slice(0, MOST).flatMap((one) =>
      wrap(`  ${describeCase(one)}`, width, "    ")
    );
    const more = some.length - MOST;
    return ["", title, ...lines, ...(more > 0 ? [`  ... and ${plural(more, "more case")}`] : [])];
  };
  const simulated = rows.some((row) => row.simulated);
  return [
    ...(simulated ? ["SIMULATED: at least one of these boards is not hardware", ""] : []),
    ...tables(matrix, width),
    ...rows.filter(({ verdict }) => verdict.exit !== 0).flatMap((row) => [
      "",
      ...wrap(`${row.verdict.word} ${titleOf(row)}: ${printable(row.verdict.reason)}`, width, "  "),
    ]),
    ...cases("Failed each time:", failing),
    ...cases("Flaky:", flaky),
    ...rows.flatMap((row) => describeChanges(row, width)),
  ].join("\n");
}

/** Tables of as many policies as the width has room for. */
function tables({ rows, policies }: Matrix, width: number): string[] {
  const names = rows.map(({ board, bitstream, verdict, runs }) => [
    short(board),
    short(bitstream),
    String(runs.length),
    verdict.word,
  ]);
  const heads = ["board", "bitstream", "runs", "verdict"];
  const columns = policies.map((policy) => [
    printable(policy),
    ...rows.map(({ cells }) => cellText(cells.find((cell) => cell.policy === policy))),
  ]);
  const left = heads.map((head, i) => [head, ...names.map((row) => row[i] ?? "")]);
  const pages: string[][][] = [];
  let page = [...left];
  for (const column of columns) {
    // a page has at least one policy
    if (page.length > left.length && widthOf([...page, column]) > width) {
      pages.push(page);
      page = [...left];
    }
    page.push(column);
  }
  pages.push(page);
  return pages.flatMap((page, i) => [
    ...(i === 0 ? [] : [""]),
    ...[heads, ...rows].map((_, row) =>
      page.map((column) => (column[row] ?? "").padEnd(lengthOf(column))).join("  ").trimEnd()
    ),
  ]);
}

function widthOf(columns: readonly (readonly string[])[]): number {
  return columns.reduce((sum, column) => sum + lengthOf(column) + 2, -2);
}

function lengthOf(column: readonly string[]): number {
  return Math.max(...column.map(({ length }) => length));
}

/** The number of cases with the worst outcome, and of all that ran, such as `FAIL 1/12`. */
function cellText(cell: MatrixCell | undefined): string {
  if (cell === undefined) return ".";
  const { worst, summary } = cell;
  const count = summary[worst.toLowerCase() as Lowercase<Outcome>];
  const skipped = worst === "SKIP" ? 0 : summary.skip;
  const all = Object.values(summary).reduce((sum, one) => sum + one, 0) - skipped;
  return count === all ? `${worst} ${count}` : `${worst} ${count}/${all}`;
}

function describeCase({ board, bitstream, suite, name, failed, of, reason }: FailedCase): string {
  const why = reason === null ? "" : `: ${reason}`;
  return printable(`${failed} of ${of}, ${board}, ${bitstream}, ${suite}: ${name}${why}`);
}

function describeChanges(row: MatrixRow, width: number): string[] {
  const { changes } = row;
  if (changes === null) return [];
  const { base, outcomes, regressions, lost } = changes;
  const title = printable(`Since ${base}, ${titleOf(row)}`);
  if (outcomes.length + regressions + lost === 0) {
    return ["", ...wrap(`${title}: no change`, width, "  ")];
  }
  const more = outcomes.length - MOST;
  return [
    "",
    ...wrap(`${title}: ${regressions} worse, ${lost} lost`, width, "  "),
    ...outcomes.slice(0, MOST).flatMap(({ change, suite, name, from, to }) =>
      wrap(
        printable(`  ${change}: ${suite}: ${name}: ${from ?? "missing"} to ${to ?? "missing"}`),
        width,
        "    ",
      )
    ),
    ...(more > 0 ? [`  ... and ${plural(more, "more change")}`] : []),
  ];
}

function titleOf({ board, bitstream }: MatrixRow): string {
  return printable(`${board}, ${bitstream}`);
}

function short(text: string): string {
  return truncate(printable(text), LONGEST);
}
