// SPDX-License-Identifier: MIT
/**
 * Results as a short text in Markdown, for the summary of a job on GitHub.
 *
 * @module
 */
import { headlines } from "../diagnosis/headline.ts";
import { OUTCOMES } from "../results/outcome.ts";
import type { Results } from "../results/schema.ts";
import { printable } from "../text/text.ts";
import { foldFailures } from "./failures.ts";

/** The most cases that are named. GitHub allows a summary of 1 MiB. */
const MOST_CASES = 20;

/**
 * Renders results as Markdown: the verdict, what is wrong, suites by policy, and the cases that failed.
 *
 * @param results The results
 * @returns The text
 *
 * @example A run that verified nothing
 * ```ts
 * import { toMarkdown } from "./summary.ts";
 * import { fold } from "../journal/fold.ts";
 * import { parseJournal } from "../journal/journal.ts";
 * import { assertStringIncludes } from "@std/assert";
 *
 * assertStringIncludes(toMarkdown(fold(parseJournal(""))), "## ERROR");
 * ```
 */
export function toMarkdown(results: Results): string {
  const { tests, verdict, board, bitstream, power, diagnosis } = results;
  const columns = OUTCOMES.filter((outcome) => tests.some((test) => test.outcome === outcome));
  const groups = Map.groupBy(tests, ({ suite, policy }) => `${suite}\0${policy ?? "–"}`);
  const bad = foldFailures(results);
  return [
    `## ${text(`${verdict?.word ?? "ERROR"}: ${verdict?.reason ?? "there is no verdict"}`)}`,
    "",
    ...(board.simulated ? ["**SIMULATED**: nothing here was measured on hardware.", ""] : []),
    ...headlines(results).flatMap(({ text: what, notCache, examples }) => [
      `- **${text(what)}**`,
      ...[notCache, ...examples].filter((line) => line !== null).map((line) => `  - ${text(line)}`),
    ]),
    ...(diagnosis?.sentences ?? []).map((sentence) => `- ${text(sentence)}`),
    "",
    `| suite | policy | ${columns.join(" | ")} |`,
    `| --- | --- |${" ---: |".repeat(columns.length)}`,
    ...[...groups].map(([key, cases]) => {
      const [suite = "", policy = ""] = key.split("\0");
      const counts = columns.map((outcome) =>
        cases.filter((test) => test.outcome === outcome).length || ""
      );
      return `| ${text(suite)} | ${text(policy)} | ${counts.join(" | ")} |`;
    }),
    "",
    ...bad.slice(0, MOST_CASES).map(({ test, alike }) =>
      `- ${test.outcome} ${text(`${test.suite}: ${test.name}`)}: ${text(test.reason ?? "")}` +
      (alike === 0 ? "" : ` (and ${alike} like this one)`)
    ),
    ...(bad.length > MOST_CASES ? [`- … and ${bad.length - MOST_CASES} more`] : []),
    "",
    `Board ${text(board.kind)}${board.kernel === null ? "" : `, Linux ${text(board.kernel)}`}` +
    `${bitstream.sha256 === null ? "" : `, bitstream ${text(bitstream.sha256.slice(0, 12))}`}. ` +
    `Controls: ${text(power.detail)}.`,
    "",
  ].join("\n");
}

/** Escapes a text, so that nothing in it is markup, a cell of a table or HTML. */
function text(raw: string): string {
  return printable(raw).replaceAll(/[\\`*_{}[\]<>#|~!&]/g, (one) => `\\${one}`);
}
