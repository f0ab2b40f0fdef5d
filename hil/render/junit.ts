// SPDX-License-Identifier: MIT
/**
 * Results as JUnit XML.
 *
 * The format is the one that Jenkins and GitLab read: `testsuites`, a `testsuite` with `properties` for
 * each suite, and a `testcase` with `failure`, `error` or `skipped` for each case.
 *
 * @module
 */
import { bytesOf, namesOf, placeOf } from "../verify/fault.ts";
import type { Results, TestResult } from "../results/schema.ts";
import { plural } from "../text/format.ts";
import { MEMORY_LOOP } from "../results/memory_loop.ts";

/**
 * Renders results as JUnit XML.
 *
 * FAIL and TIMEOUT are failures: the design failed. ERROR and XPASS are errors: the infrastructure failed.
 * A control that failed as it must passes, with the outcome XFAIL as a property.
 *
 * A case has the file and the line of its test, and policy, size and depth as properties. A case that did not
 * pass names its faults in `system-out`, and files that belong to the run as `[[ATTACHMENT|path]]`, which
 * GitLab and the plugin junit-attachments of Jenkins read.
 *
 * @param results The results
 * @param attachments Paths of files that belong to the run, such as its kernel log. Defaults to none
 * @returns The document
 *
 * @example A run that verified nothing
 * ```ts
 * import { toJUnit } from "./junit.ts";
 * import { fold } from "../journal/fold.ts";
 * import { parseJournal } from "../journal/journal.ts";
 * import { assertStringIncludes } from "@std/assert";
 *
 * assertStringIncludes(toJUnit(fold(parseJournal(""))), '<testsuites name="plumbline" tests="1"');
 * ```
 */
export function toJUnit(results: Results, attachments: readonly string[] = []): string {
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
    ...[...suites].flatMap(([name, tests]) => suite(name, tests, results, { facts, attachments })),
    "</testsuites>",
    "",
  ].join("\n");
}

function suite(
  name: string,
  tests: readonly TestResult[],
  results: Results,
  { facts, attachments }: { facts: readonly string[]; attachments: readonly string[] },
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
    ...tests.flatMap((test) => testCase(test, attachments)),
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
    ["board.logic", board.memoryLoop === true ? MEMORY_LOOP : null],
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

/** Parameters of a case that are properties, in this order. */
const PARAMETERS = ["size", "depth", "direction", "litmus"];

function testCase(test: TestResult, attachments: readonly string[]): string[] {
  const { name, suite, seconds, outcome, reason, attempts, policy, params = {} } = test;
  const [, file, line] = /^(.*):(\d+)$/.exec(test.place ?? "") ?? [];
  const place = file === undefined ? "" : ` file="${escape(file)}" line="${line}"`;
  const open = `    <testcase name="${escape(name)}" classname="${escape(suite)}" ` +
    `time="${seconds.toFixed(3)}"${place}`;
  const facts: string[] = [];
  if (policy !== null) facts.push(property("policy", policy));
  for (const key of PARAMETERS) {
    const value = params[key];
    if (value !== undefined && value !== null) facts.push(property(key, value));
  }
  if (outcome === "XFAIL" || outcome === "XPASS") facts.push(property("outcome", outcome));
  if (attempts !== undefined) facts.push(property("attempts", attempts));
  const body = facts.length === 0 ? [] : [`<properties>${facts.join("")}</properties>`];
  const message = escape(reason ?? outcome);
  const faults = test.faults.map((fault) => {
    const { offset, length, blame, detail } = fault;
    const where = `${placeOf(fault)}, offset ${offset}, ${plural(length, "byte")}`;
    const bytes = bytesOf(fault);
    return `${where}: ${namesOf(fault)} (${blame ?? "cause unknown"}): ${detail}` +
      (bytes === null ? "" : `: ${bytes}`);
  });
  const stack = test.stack === undefined ? [] : [test.stack];
  const detail = escape([...faults, ...stack].join("\n"));
  if (outcome === "SKIP") body.push(`<skipped message="${message}"/>`);
  if (outcome === "FAIL" || outcome === "TIMEOUT") {
    body.push(`<failure type="${outcome}" message="${message}">${detail}</failure>`);
  }
  if (outcome === "ERROR" || outcome === "XPASS") {
    body.push(`<error type="${outcome}" message="${message}">${detail}</error>`);
  }
  const said = systemOut(test, attachments);
  if (said !== null) body.push(said);
  if (body.length === 0) return [`${open}/>`];
  return [`${open}>`, ...body.map((line) => `      ${line}`), "    </testcase>"];
}

/**
 * What a case says besides its faults: why a control failed, its measurements with limits, the files that it
 * attached, and, if it is bad, those of the run.
 */
function systemOut(
  { outcome, reason, measurements, attachments = [], notes = [] }: TestResult,
  files: readonly string[],
): string | null {
  const bad = outcome !== "PASS" && outcome !== "SKIP" && outcome !== "XFAIL";
  const lines = [
    ...(outcome === "XFAIL" ? [`XFAIL: ${reason ?? "the control failed, as it must"}`] : []),
    ...notes,
    ...measurements.filter(({ limit }) => limit !== null).map((
      { name, value, unit, limit, bound },
    ) => `${name}: ${value} ${unit}, limit: at ${bound === "min" ? "least" : "most"} ${limit}`),
    // the form in which Jenkins and GitLab find files
    ...[...attachments.map(({ file }) => file), ...(bad ? files : [])]
      .map((file) => `[[ATTACHMENT|${file}]]`),
  ];
  return lines.length === 0 ? null : `<system-out>${escape(lines.join("\n"))}</system-out>`;
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
