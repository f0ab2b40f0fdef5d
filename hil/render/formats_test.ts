// SPDX-License-Identifier: MIT
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { fold } from "../journal/fold.ts";
import { type Outcome, OUTCOMES } from "../results/outcome.ts";
import { checkJUnit, type Element } from "../testing/junit.ts";
import { wholeJournal } from "../testing/whole_journal.ts";
import { toCtrf } from "./ctrf.ts";
import { FORMATS } from "./formats.ts";
import { toJUnit } from "./junit.ts";
import { toKtap } from "./ktap.ts";
import { toMarkdown } from "./summary.ts";

const at = "2026-01-01T00:00:00.000Z";
const FAULT = {
  ...{ kind: "bit-flip", frame: 17, offset: 7, length: 1, blame: "core", detail: "bit 7" },
  damage: { offset: 7, xor: "80", base: 64, expected: "76" },
};

/** A case of each outcome, in two suites, with names that every format must escape. */
function everyOutcome() {
  const lines: object[] = [{ line: "run", at, run: { started: at, seconds: 2.5, seed: 7 } }];
  OUTCOMES.forEach((outcome, i) => {
    const id = `${i}`;
    const name = `${outcome} # of <a> | "b"\nnext`;
    const skip = outcome === "SKIP" ? "no channel" : null;
    const params = { size: 4096, depth: "max", alias: false };
    const suite = outcome === "PASS" ? "first" : "second";
    const place = "tests/a_test.ts:12";
    lines.push({ line: "case", at, id, suite, name, policy: "streaming", skip, params, place });
    if (skip !== null) return;
    const reason = outcome === "PASS" ? null : `because of ${i}`;
    const faults = ["FAIL", "XFAIL"].includes(outcome) ? [FAULT] : [];
    const counts = { seconds: 0.5, frames: 1, bytes: 64 };
    lines.push({ line: "start", at, id });
    lines.push({ line: "end", at, id, outcome, reason, faults, ...counts });
  });
  return fold(wholeJournal(lines));
}

function find(element: Element, name: string): Element[] {
  return element.children.flatMap((child) => [
    ...(child.name === name ? [child] : []),
    ...find(child, name),
  ]);
}

Deno.test("toJUnit() gives a case its file, line and parameters, and a bad one its attachments", () => {
  const root = checkJUnit(toJUnit(everyOutcome(), ["run/dmesg.log", "report.html"]));
  const cases = new Map(
    find(root, "testcase").map((one) => [one.attributes["name"]?.split(" ")[0], one]),
  );
  const pass = cases.get("PASS");
  assertEquals([pass?.attributes["file"], pass?.attributes["line"]], ["tests/a_test.ts", "12"]);
  const properties = (pass === undefined ? [] : find(pass, "property"))
    .map(({ attributes }) => `${attributes["name"]}=${attributes["value"]}`);
  assertEquals(properties, ["policy=streaming", "size=4096", "depth=max"]);
  const said = (outcome: Outcome) => {
    const one = cases.get(outcome);
    return one === undefined ? [] : find(one, "system-out").map(({ text }) => text);
  };
  const files = "[[ATTACHMENT|run/dmesg.log]]\n[[ATTACHMENT|report.html]]";
  for (const outcome of ["FAIL", "TIMEOUT", "ERROR", "XPASS"] as const) {
    assertEquals(said(outcome), [files], outcome);
  }
  assertEquals([said("PASS"), said("SKIP")], [[], []]);
  assertEquals(said("XFAIL"), ["XFAIL: because of 2"]);
  assertStringIncludes(find(root, "failure")[0]?.text ?? "", "expected 76, received f6");
});

Deno.test("toKtap() numbers suites and cases, and keeps # for directives", () => {
  const lines = toKtap(everyOutcome()).split("\n");
  assertEquals(lines.slice(0, 6), [
    "KTAP version 1",
    "1..2",
    "  KTAP version 1",
    "  # Subtest: first",
    "  1..1",
    '  ok 1 PASS _ of <a> | "b" next',
  ]);
  assertEquals(lines.filter((line) => /^ {2}(not )?ok/.test(line)).slice(1), [
    '  not ok 1 FAIL _ of <a> | "b" next # because of 1',
    '  ok 2 XFAIL _ of <a> | "b" next # XFAIL because of 2',
    '  not ok 3 XPASS _ of <a> | "b" next # ERROR a control passed: because of 3',
    '  not ok 4 ERROR _ of <a> | "b" next # ERROR because of 4',
    '  not ok 5 TIMEOUT _ of <a> | "b" next # TIMEOUT because of 5',
    '  ok 6 SKIP _ of <a> | "b" next # SKIP no channel',
  ]);
  assertEquals(lines.filter((line) => /^(not )?ok/.test(line)), ["ok 1 first", "not ok 2 second"]);
  // the diagnostics of a case come before it
  const fault = lines.findIndex((line) => line.includes("expected 76, received f6"));
  assertMatch(lines[fault + 1] ?? "", /^ {2}not ok 1 FAIL/);
});

Deno.test("toCtrf() has the keys that the schema of CTRF requires, and counts each case once", () => {
  const { reportFormat, specVersion, results } = JSON.parse(toCtrf(everyOutcome()));
  assertEquals([reportFormat, specVersion], ["CTRF", "0.0.0"]);
  assertEquals(typeof results.tool.name, "string");
  const { tests, passed, failed, skipped, pending, other, start, stop } = results.summary;
  assertEquals([tests, passed, failed, skipped, pending, other], [7, 2, 2, 1, 0, 2]);
  assertEquals([start, stop - start], [Date.parse(at), 2500]);
  const states = ["passed", "failed", "skipped", "pending", "other"];
  for (const { name, status, duration, suite, filePath, line } of results.tests) {
    assert(states.includes(status), status);
    assertEquals([typeof name, Number.isInteger(duration)], ["string", true]);
    assertEquals([Array.isArray(suite), filePath, line], [true, "tests/a_test.ts", 12]);
  }
  assertEquals(results.tests.map((one: { rawStatus: string }) => one.rawStatus), [...OUTCOMES]);
});

Deno.test("toMarkdown() begins with the verdict and what is wrong, and lets no name become markup", () => {
  const text = toMarkdown(everyOutcome());
  const [first, , second] = text.split("\n");
  assertMatch(first ?? "", /^## FAIL: /);
  assertMatch(second ?? "", /^- \*\*bit-flip by the core, bit 7 of a byte/);
  assertStringIncludes(text, "| second | streaming |");
  assertStringIncludes(text, 'FAIL \\# of \\<a\\> \\| "b" next');
  assertEquals(text.includes("<a>"), false);
});

Deno.test("every format renders an empty run", () => {
  for (const { option, render } of FORMATS) {
    assert(render(fold(wholeJournal([])), []).length > 20, option);
  }
});
