// SPDX-License-Identifier: MIT
/**
 * Results as KTAP, the format of the kernel's tests (Documentation/dev-tools/ktap.rst of Linux, version 1).
 *
 * @module
 */
import { bytesOf, namesOf, placeOf } from "../verify/fault.ts";
import type { Results, TestResult } from "../results/schema.ts";
import { printable } from "../text/text.ts";

/** Faults of a case that are shown. All are in the results. */
const MOST_FAULTS = 10;

/**
 * Renders results as KTAP: a subtest for each suite, and a line for each case.
 *
 * PASS, XFAIL and SKIP are `ok`. FAIL, TIMEOUT, ERROR and XPASS are `not ok`. The last three and SKIP have a
 * directive of KTAP, with XPASS as ERROR.
 *
 * @param results The results
 * @returns The text
 *
 * @example A run that verified nothing
 * ```ts
 * import { toKtap } from "./ktap.ts";
 * import { fold } from "../journal/fold.ts";
 * import { parseJournal } from "../journal/journal.ts";
 * import { assertStringIncludes } from "@std/assert";
 *
 * assertStringIncludes(toKtap(fold(parseJournal(""))), "not ok 1 infrastructure");
 * ```
 */
export function toKtap({ tests, verdict }: Results): string {
  const suites = [...Map.groupBy(tests, ({ suite }) => suite)];
  return [
    "KTAP version 1",
    `1..${suites.length}`,
    ...suites.flatMap(([name, cases], i) => [
      ...[
        "KTAP version 1",
        `# Subtest: ${describe(name)}`,
        `1..${cases.length}`,
        ...cases.flatMap(caseLines),
      ].map((line) => `  ${line}`),
      `${cases.every(isOk) ? "ok" : "not ok"} ${i + 1} ${describe(name)}`,
    ]),
    ...(verdict === undefined ? [] : [`# ${printable(`${verdict.word}: ${verdict.reason}`)}`]),
    "",
  ].join("\n");
}

function isOk({ outcome }: TestResult): boolean {
  return ["PASS", "XFAIL", "SKIP"].includes(outcome);
}

/** Faults come before the line of their case, as the format asks for. */
function caseLines(test: TestResult, i: number): string[] {
  const { name, outcome, reason, faults } = test;
  const directive = {
    PASS: "",
    FAIL: "",
    XFAIL: "XFAIL",
    SKIP: "SKIP",
    TIMEOUT: "TIMEOUT",
    ERROR: "ERROR",
    XPASS: "ERROR a control passed:",
  }[outcome];
  const why = [directive, outcome === "PASS" ? "" : describe(reason ?? "")].join(" ").trim();
  const shown = outcome === "XFAIL" ? [] : faults.slice(0, MOST_FAULTS);
  return [
    ...shown.map((fault) => {
      const bytes = bytesOf(fault);
      return printable(
        `# ${placeOf(fault)}, offset ${fault.offset}: ${namesOf(fault)} (${
          fault.blame ?? "cause unknown"
        }): ${fault.detail}${bytes === null ? "" : `: ${bytes}`}`,
      );
    }),
    `${isOk(test) ? "ok" : "not ok"} ${i + 1} ${describe(name)}${why === "" ? "" : ` # ${why}`}`,
  ];
}

/** A text in a line of results, in which # begins the directive. */
function describe(text: string): string {
  return printable(text).replaceAll("#", "_");
}
