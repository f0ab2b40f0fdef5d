// SPDX-License-Identifier: MIT
import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { Journal, type JournalLine } from "../journal/journal.ts";
import { fold } from "../journal/fold.ts";
import { toJUnit } from "./junit.ts";
import { OUTCOMES } from "../results/outcome.ts";
import { tempDir } from "../testing/temp_dir.ts";
import { wholeJournal } from "../testing/whole_journal.ts";
import { checkJUnit, type Element, parseXml } from "../testing/junit.ts";

/** A run with a case of each outcome, and names that XML must escape. */
function everyOutcome() {
  using journal = Journal.open({ dir: tempDir() });
  const plan = journal.plan("plumbline run", []);
  journal.header({
    tool: { version: "0.1.0" },
    board: { kind: "sim", simulated: true, coherent: false, engine: 'a "driver" & more' },
    bitstream: { file: "top<1>.bit", sha256: "ab".repeat(32), identity: "loaded" },
    run: { seed: 7 },
  });
  OUTCOMES.forEach((outcome, i) => {
    const id = `s/${outcome}`;
    const name = `${outcome} <a href="x">&amp;\u0007\ud800`;
    const skip = outcome === "SKIP" ? "no <such> channel" : null;
    journal.register({ id, suite: "s", name, policy: "none", control: true, skip });
    if (skip !== null) return;
    journal.start(id);
    const fault = {
      ...{ kind: "stale-rx", frame: 3, offset: -64, length: 64, blame: "rx" } as const,
      detail: "one cache line & <more>",
    };
    journal.end(id, {
      ...{ outcome, reason: outcome === "PASS" ? null : `because "${i}"`, seconds: 0.5 },
      ...{ frames: 1, bytes: 64, faults: outcome === "FAIL" ? [fault] : [] },
    });
  });
  journal.close(plan);
  return fold(Journal.read(journal.path));
}

function find(element: Element, name: string): Element[] {
  return element.children.flatMap((child) => [
    ...(child.name === name ? [child] : []),
    ...find(child, name),
  ]);
}

Deno.test("toJUnit() matches the schema of JUnit XML, with correct totals", () => {
  const text = toJUnit(everyOutcome());
  const root = checkJUnit(text);
  assertEquals(root.attributes["tests"], "7");
  const [suite] = root.children;
  assertEquals(suite?.attributes["failures"], "2"); // FAIL, TIMEOUT
  assertEquals(suite?.attributes["errors"], "2"); // ERROR, XPASS
  assertEquals(suite?.attributes["skipped"], "1");
  assertEquals(find(root, "skipped")[0]?.attributes["message"], "no <such> channel");
  assertStringIncludes(
    find(root, "failure")[0]?.text ?? "",
    "stale-rx (rx): one cache line & <more>",
  );
  const names = find(root, "testcase").map((one) => one.attributes["name"]);
  assertEquals(names[0], 'PASS <a href="x">&amp;\ufffd\ufffd');
});

Deno.test("toJUnit() writes the facts about the run as properties", () => {
  const root = checkJUnit(toJUnit(everyOutcome()));
  const [suite] = root.children;
  const facts = Object.fromEntries(
    (suite?.children[0]?.children ?? []).map(({ attributes }) => [
      attributes["name"],
      attributes["value"],
    ]),
  );
  assertEquals(facts["bitstream.file"], "top<1>.bit");
  assertEquals(facts["bitstream.sha256"], "ab".repeat(32));
  assertEquals(facts["board.driver"], 'a "driver" & more');
  assertEquals(facts["run.seed"], "7");
  // an unknown fact is omitted
  assertEquals("board.kernel" in facts, false);
});

Deno.test("toJUnit() writes how often a case ran", () => {
  const at = "2026-01-01T00:00:00Z";
  const end = { frames: 1, bytes: 1, seconds: 0 } as const;
  const lines: JournalLine[] = [
    { line: "case", at, id: "a", suite: "s", name: "a", policy: null },
    { line: "start", at, id: "a" },
    { line: "end", at, id: "a", outcome: "FAIL", reason: "torn", ...end },
    { line: "start", at, id: "a" },
    { line: "end", at, id: "a", outcome: "PASS", reason: null, ...end },
  ];
  const text = toJUnit(fold(wholeJournal(lines)));
  const [test] = find(checkJUnit(text), "testcase");
  assertEquals(find(test!, "property")[0]?.attributes, { name: "attempts", value: "2" });
  assertEquals(find(test!, "failure")[0]?.attributes["message"], "torn");
});

Deno.test("fold() reports a case whose second attempt died as ERROR", () => {
  const at = "2026-01-01T00:00:00Z";
  const lines: JournalLine[] = [
    { line: "case", at, id: "a", suite: "s", name: "a", policy: null },
    { line: "start", at, id: "a" },
    { line: "end", at, id: "a", outcome: "PASS", reason: null, frames: 1, bytes: 1, seconds: 0 },
    { line: "start", at, id: "a" },
  ];
  const [test] = fold(wholeJournal(lines)).tests;
  assertEquals([test?.outcome, test?.reason, test?.attempts], ["ERROR", "died here", 2]);
});

Deno.test("checkJUnit() refuses a document that is not JUnit XML", () => {
  const good = toJUnit(everyOutcome());
  assertThrows(() => checkJUnit(good.replace('tests="7"', 'tests="8"')), Error, "tests");
  assertThrows(() => checkJUnit(good.replace("</testsuite>", "")), Error);
  assertThrows(() => checkJUnit(good.replaceAll("<failure ", "<blunder ")), Error);
  assertThrows(() => parseXml('<a b="1" b="2"/>'), Error, "twice");
  assertThrows(() => parseXml("<a>\u0007</a>"), Error, "control");
});
