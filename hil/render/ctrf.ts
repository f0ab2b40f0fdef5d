// SPDX-License-Identifier: MIT
/**
 * Results as CTRF, the Common Test Report Format (https://ctrf.io, specification 0.0.0).
 *
 * @module
 */
import { bytesOf, namesOf, placeOf } from "../verify/fault.ts";
import type { Results, TestResult } from "../results/schema.ts";

/** How CTRF calls the outcomes. It has no word for a failed infrastructure. */
const STATUS = {
  PASS: "passed",
  XFAIL: "passed",
  FAIL: "failed",
  TIMEOUT: "failed",
  ERROR: "other",
  XPASS: "other",
  SKIP: "skipped",
} as const;

/**
 * Renders results as CTRF.
 *
 * @param results The results
 * @returns JSON with the outcome of each case as `rawStatus`
 *
 * @example A run that verified nothing
 * ```ts
 * import { toCtrf } from "./ctrf.ts";
 * import { fold } from "../journal/fold.ts";
 * import { parseJournal } from "../journal/journal.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(JSON.parse(toCtrf(fold(parseJournal("")))).results.summary.other, 1);
 * ```
 */
export function toCtrf(results: Results): string {
  const { tests, run, tool, board, bitstream, verdict } = results;
  const count = (status: string) =>
    tests.filter(({ outcome }) => STATUS[outcome] === status).length;
  const start = Date.parse(run.started);
  return JSON.stringify(
    {
      reportFormat: "CTRF",
      specVersion: "0.0.0",
      results: {
        tool: { name: tool.name, version: tool.version },
        summary: {
          tests: tests.length,
          passed: count("passed"),
          failed: count("failed"),
          pending: 0,
          skipped: count("skipped"),
          other: count("other"),
          start,
          stop: start + Math.round(run.seconds * 1000),
          extra: verdict === undefined ? {} : { verdict: verdict.word, reason: verdict.reason },
        },
        tests: tests.map(toTest),
        environment: {
          testEnvironment: `board ${board.kind}`,
          ...(board.kernel === null ? {} : { osRelease: board.kernel }),
          ...(tool.git === null ? {} : { commit: tool.git }),
          extra: { board, bitstream, seed: run.seed },
        },
      },
    },
    null,
    2,
  ) + "\n";
}

function toTest(test: TestResult) {
  const { name, suite, outcome, seconds, reason, faults, policy, params, attempts } = test;
  const [, file, line] = /^(.*):(\d+)$/.exec(test.place ?? "") ?? [];
  const trace = faults.map((fault) => {
    const bytes = bytesOf(fault);
    return `${placeOf(fault)}, offset ${fault.offset}: ${namesOf(fault)} (${
      fault.blame ?? "cause unknown"
    }): ${fault.detail}${bytes === null ? "" : `: ${bytes}`}`;
  });
  return {
    name,
    status: STATUS[outcome],
    duration: Math.round(seconds * 1000),
    suite: [suite],
    rawStatus: outcome,
    ...(reason === null ? {} : { message: reason }),
    ...(trace.length === 0 ? {} : { trace: trace.join("\n") }),
    ...(file === undefined ? {} : { filePath: file, line: Number(line) }),
    ...(attempts === undefined ? {} : { retries: attempts - 1 }),
    extra: { policy, ...params },
  };
}
