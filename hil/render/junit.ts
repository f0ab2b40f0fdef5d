// SPDX-License-Identifier: MIT
/**
 * Results as JUnit XML.
 *
 * The format is the one that Jenkins and GitLab read: `testsuites`, a `testsuite` with `properties` for
 * each suite, and a `testcase` with `failure`, `error` or `skipped` for each case.
 *
 * @module
 */
import type { Results, TestResult } from "../results/schema.ts";
import { plural } from "../text/format.ts";

/**
 * Renders results as JUnit XML.
 *
 * FAIL and TIMEOUT are failures: the design failed. ERROR and XPASS are errors: the infrastructure failed.
 * A control that failed as it must passes, with the outcome XFAIL as a property.
 *
 * @param results The results
 * @returns The document
 *
 * @example A run that verified nothing
 * ```ts
 * import { toJUnit } from "./junit.ts";
 * import { fold } from "../journal/fold.ts";
 * import { parseJournal } from "../journal/journal.ts";
 * import { assertStringIncludes } from "@std/assert";
 *
 * assertStringIncludes(toJUnit(fold(parseJournal(""))), '<testsuites name="plumbline" tests="0"');
 * ```
 */
export function toJUnit(results: Results): string {
  const suites = new Map<string, TestResult[]>();
  for (const test of results.tests) {
    const known = suites.get(test.suite);
    if (known === undefined) suites.set(test.suite, [test]);
    else known.push(test);
  }
  const facts = properties(results);
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="plumbline" ${totals(results.tests)} time="${results.run.seconds}">`,
    ...[...suites].flatMap(([name, tests]) => suite(name, tests, results, facts)),
    "</testsuites>",
    "",
  ].join("\n");
}

function suite(
  name: string,
  tests: readonly TestResult[],
  results: Results,
  facts: readonly string[],
): string[] {
  const seconds = tests.reduce((sum, test) => sum + test.seconds, 0).toFixed(3);
  const started = results.run.started.replace(/\.\d+/, "");
  const skips = tests.filter((test) => test.outcome === "SKIP").length;
  return [
    `  <testsuite name="${escape(name)}" ${totals(tests)} skipped="${skips}" ` +
    `time="${seconds}" timestamp="${escape(started)}">`,
    "    <properties>",
    ...facts.map((line) => `      ${line}`),
    "    </properties>",
    ...tests.flatMap(testCase),
    "  </testsuite>",
  ];
}

function totals(tests: readonly TestResult[]): string {
  const count = (...outcomes: readonly string[]) =>
    tests.filter((test) => outcomes.includes(test.outcome)).length;
  return `tests="${tests.length}" failures="${count("FAIL", "TIMEOUT")}" ` +
    `errors="${count("ERROR", "XPASS")}"`;
}

/** The facts about the run as properties. An unknown fact is omitted. */
function properties({ tool, board, bitstream, run, power, verdict }: Results): string[] {
  const facts: [string, string | number | boolean | null | undefined][] = [
    ["plumbline.version", tool.version],
    ["plumbline.commit", tool.git],
    ["deno.version", tool.deno],
    ["board.kind", board.kind],
    ["board.simulated", board.simulated],
    ["board.arch", board.arch],
    ["board.kernel", board.kernel],
    ["board.coherent", board.coherent],
    ["board.driver", board.engine],
    ["board.core", board.core],
    ["bitstream.file", bitstream.file],
    ["bitstream.sha256", bitstream.sha256],
    ["bitstream.identity", bitstream.identity],
    ["run.seed", run.seed],
    ["power", power.detail],
    ["verdict", verdict?.word],
  ];
  return facts.flatMap(([name, value]) =>
    value === null || value === undefined ? [] : [property(name, value)]
  );
}

function property(name: string, value: string | number | boolean): string {
  return `<property name="${name}" value="${escape(String(value))}"/>`;
}

function testCase(test: TestResult): string[] {
  const { name, suite, seconds, outcome, reason, attempts } = test;
  const open = `    <testcase name="${escape(name)}" classname="${escape(suite)}" ` +
    `time="${seconds.toFixed(3)}"`;
  const facts: string[] = [];
  if (outcome === "XFAIL" || outcome === "XPASS") facts.push(property("outcome", outcome));
  if (attempts !== undefined) facts.push(property("attempts", attempts));
  const body = facts.length === 0 ? [] : [`<properties>${facts.join("")}</properties>`];
  const message = escape(reason ?? outcome);
  const detail = escape(
    test.faults.map(({ frame, offset, length, kind, blame, detail }) =>
      `frame ${frame}, offset ${offset}, ${plural(length, "byte")}: ${kind} (${
        blame ?? "cause unknown"
      }): ${detail}`
    ).join("\n"),
  );
  if (outcome === "SKIP") body.push(`<skipped message="${message}"/>`);
  if (outcome === "FAIL" || outcome === "TIMEOUT") {
    body.push(`<failure type="${outcome}" message="${message}">${detail}</failure>`);
  }
  if (outcome === "ERROR" || outcome === "XPASS") {
    body.push(`<error type="${outcome}" message="${message}">${detail}</error>`);
  }
  if (body.length === 0) return [`${open}/>`];
  return [`${open}>`, ...body.map((line) => `      ${line}`), "    </testcase>"];
}

/** Escapes a text for XML 1.0, which allows few control characters. */
function escape(text: string): string {
  return text
    // deno-lint-ignore no-control-regex
    .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, "\ufffd")
    .replace(/[\ud800-\udfff]/gu, "\ufffd")
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}
