// SPDX-License-Identifier: MIT
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { checkResults } from "../results/check.ts";
import type { Results } from "../results/schema.ts";
import { ELSEWHERE } from "../testing/whole_journal.ts";
import { completeness, innermost } from "./completeness.ts";
import { fold } from "./fold.ts";
import { type CaseResult, JOURNAL_SCHEMA, type JournalLine, parseJournal } from "./lines.ts";

const at = "2026-01-01T00:00:00.000Z";
const pass: CaseResult = { outcome: "PASS", reason: null, seconds: 1, frames: 10, bytes: 640 };
const fail: CaseResult = {
  ...pass,
  outcome: "FAIL",
  reason: "bit 5 is 1",
  faults: [{
    ...{ kind: "bit-flip", frame: 1, offset: 2, length: 1, blame: "core" },
    detail: "bit 5 of 0x20 is 0x00, 1 µs later",
  }],
};

const plan = (files: readonly string[], more: object = {}) => ({
  ...{ line: "plan", at, id: "p", schema: JOURNAL_SCHEMA, by: "plumbline run" },
  ...{ files, writer: ELSEWHERE, ...more },
});
const close = { line: "close", at, id: "p" };
const file = (suite: string, state: "started" | "ended") => ({
  ...{ line: "file", at, file: `hil/suites/${suite}_test.ts`, suite, state },
});
const item = (suite: string, name: string) => ({
  ...{ line: "case", at, id: `${suite}/${name}`, suite, name, policy: "streaming" },
});
const start = (id: string) => ({ line: "start", at, id });
const end = (id: string, result: CaseResult = pass) => ({ line: "end", at, id, ...result });

/** The lines of a test file with two cases. */
function fileLines(suite: string, second: CaseResult = pass): object[] {
  return [
    ...[file(suite, "started"), item(suite, "a"), item(suite, "µ")],
    ...[start(`${suite}/a`), end(`${suite}/a`), start(`${suite}/µ`), end(`${suite}/µ`, second)],
    file(suite, "ended"),
  ];
}

const FILES = ["one", "two", "three"].map((suite) => `hil/suites/${suite}_test.ts`);

/** The journal of three files; the second case of the second file ends as `result` says. */
function threeFiles(result: CaseResult = pass): object[] {
  return [
    plan(FILES),
    { line: "run", at, run: { seed: 7, command: ["plumbline", "run"] } },
    ...[...fileLines("one"), ...fileLines("two", result), ...fileLines("three")],
    { line: "run", at, run: { seconds: 3 } },
    close,
  ];
}

function text(lines: readonly object[]): string {
  return lines.map((line) => `${JSON.stringify(line)}\n`).join("");
}

function read(lines: readonly object[], alive: boolean | null = false): Results {
  return checkResults(
    JSON.parse(JSON.stringify(fold(parseJournal(text(lines)), null, () => alive))),
  );
}

/** The id and the outcome of each case whose end is in the text, by a reading of its own. */
function endsIn(journal: string): Map<string, string> {
  const whole = journal.slice(0, journal.lastIndexOf("\n") + 1);
  const ends = [...whole.matchAll(/"line":"end",.*?"id":"(.*?)","outcome":"(.*?)"/g)];
  return new Map(ends.map(([, id = "", outcome = ""]) => [id, outcome]));
}

for (const result of [pass, fail, { ...fail, outcome: "TIMEOUT" } as const]) {
  Deno.test(`fold() judges every cut of a journal of three files with a ${result.outcome}`, () => {
    const bytes = new TextEncoder().encode(text(threeFiles(result)));
    const whole = read(threeFiles(result));
    assertEquals(whole.verdict?.exit, result.outcome === "PASS" ? 0 : 1);
    let worst = 0;
    for (let length = 0; length < bytes.length; length++) {
      // a cut within a character leaves bytes that are no UTF-8
      const cut = new TextDecoder().decode(bytes.subarray(0, length));
      const results = fold(parseJournal(cut), null, () => false);
      const { verdict, tests, run } = results;
      assert(verdict.exit !== 0, `a pass after ${length} of ${bytes.length} bytes`);
      assert(run.cut !== undefined && verdict.reason.length > 0, `no reason at ${length}`);
      // damage that was seen stays seen
      assert(verdict.exit === 1 || worst !== 1, `a failure is lost at ${length}`);
      worst = verdict.exit;
      const ended = endsIn(cut);
      assertEquals(verdict.exit, [...ended.values()].some((one) => one !== "PASS") ? 1 : 3);
      for (const { suite, name, outcome, faults } of tests) {
        const known = ended.get(`${suite}/${name}`);
        assertEquals(outcome, known ?? "ERROR", `${suite}/${name} at ${length}`);
        if (known === result.outcome && known !== "PASS") assertEquals(faults, result.faults);
        ended.delete(`${suite}/${name}`);
      }
      assertEquals([...ended.keys()], [], `cases are lost at ${length}`);
    }
  });
}

Deno.test("fold() says which planned files and cases are missing from a cut journal", () => {
  const lines = threeFiles();
  const between = lines.slice(0, 2 + fileLines("one").length);
  const { verdict, tests } = read(between);
  assertEquals(verdict?.exit, 3);
  assertEquals(
    verdict?.reason,
    "The run ended early, without a closing line in its journal: " +
      "2 files did not start (hil/suites/two_test.ts, hil/suites/three_test.ts)",
  );
  assertEquals(tests.at(-1)?.reason, verdict?.reason);

  const within = read([...between, ...fileLines("two").slice(0, 4)]);
  assertStringIncludes(
    within.verdict?.reason ?? "",
    ": 1 case died (two: a), 1 case never ran, 1 file did not start (hil/suites/three_test.ts), " +
      "1 file did not end (hil/suites/two_test.ts)",
  );
  const failed = read([...between, ...fileLines("two", fail)]);
  assertEquals(failed.verdict?.exit, 1);
  assertMatch(
    failed.verdict?.reason ?? "",
    /^The design failed in 1 case, .*; the run ended early/,
  );
});

Deno.test("fold() does not pass a closed journal in which a planned file is missing", () => {
  const without = [plan(FILES), ...fileLines("one"), ...fileLines("three"), close];
  const { verdict } = read(without);
  assertEquals(verdict?.exit, 3);
  assertStringIncludes(verdict?.reason ?? "", "1 file did not start (hil/suites/two_test.ts)");
  // a run without a board says so itself, and needs no second reason
  const error = { outcome: "ERROR", reason: "no board", seconds: 0, frames: 0, bytes: 0 } as const;
  const closed = read([
    plan(FILES),
    item("infrastructure", "x"),
    end("infrastructure/x", error),
    close,
  ]);
  assertEquals(closed.tests.length, 1);
});

Deno.test("fold() does not pass a journal that does not begin with a plan, or has another schema", () => {
  const [first, ...rest] = threeFiles();
  for (const lines of [rest, [...rest, first ?? {}], [rest[0] ?? {}, first ?? {}, ...rest]]) {
    const { verdict } = read(lines);
    assertEquals(verdict?.exit, 3);
    assertMatch(verdict?.reason ?? "", /^The journal does not begin with the planned files/);
  }
  const later = read([plan(FILES, { schema: JOURNAL_SCHEMA + 1 }), ...rest]);
  assertEquals(later.verdict?.exit, 3);
  assertMatch(later.verdict?.reason ?? "", /^Expected a journal of schema 1, found schema 2/);
});

Deno.test("fold() says that a run is still going, while its writer is alive", () => {
  const lines = threeFiles().slice(0, 2 + 8 + 4);
  const { verdict, tests, run } = read(lines, true);
  assertEquals(verdict?.exit, 3);
  assertMatch(verdict?.reason ?? "", /^The run is still going, in process 1: /);
  assertStringIncludes(verdict?.reason ?? "", ": 1 case running (two: a), 1 case not run yet");
  assertEquals(run.running, true);
  assertEquals(tests.map(({ reason }) => reason).slice(2, 4), ["running", "not run yet"]);

  // what failed before stays
  const failed = read([...threeFiles(fail).slice(0, 2 + 8 + 7), item("two", "c")], true);
  assertEquals([failed.verdict?.exit, failed.run.running], [1, true]);
  // a closed journal is done, whatever its writer does afterwards
  const done = read(threeFiles(), true);
  assertEquals([done.verdict?.exit, done.run.running], [0, undefined]);
  const unknown = read(lines, null);
  assertMatch(
    unknown.verdict?.reason ?? "",
    /^The journal has no closing line: the run ended early, or/,
  );
  assertEquals(unknown.run.running, undefined);
});

Deno.test("fold() keeps damage of a case that did not end, until another attempt starts", () => {
  const { seconds: _seconds, ...seen } = fail;
  const damage = { line: "seen", at, id: "one/a", ...seen };
  const begun = [plan(FILES.slice(0, 1)), ...fileLines("one").slice(0, 4)];
  const { tests, verdict } = read([...begun, damage]);
  assertEquals(verdict?.exit, 1);
  const [test] = tests;
  assertEquals([test?.outcome, test?.faults], ["FAIL", fail.faults]);
  assertEquals(test?.reason, "bit 5 is 1; then died here");
  // the end of the case says what the damage means
  const ended = read([...begun, damage, end("one/a"), ...fileLines("one").slice(5), close]);
  assertEquals(ended.verdict?.exit, 0);
  const again = read([...begun, damage, end("one/a"), start("one/a")]);
  assertEquals([again.tests[0]?.outcome, again.tests[0]?.reason], ["ERROR", "died here"]);
});

Deno.test("fold() keeps a failure of a case that is not registered, and the worst of its attempts", () => {
  const lost = read([plan([]), start("x"), end("x", fail), close]);
  assertEquals([lost.tests[0]?.outcome, lost.verdict?.exit], ["FAIL", 1]);
  const error = { ...pass, outcome: "ERROR", reason: "a slip" } as const;
  const attempts = [start("s/a"), end("s/a", error), start("s/a"), end("s/a", fail), start("s/a")];
  const worst = read([plan([]), item("s", "a"), ...attempts, end("s/a", pass), close]);
  assertEquals([worst.tests[0]?.outcome, worst.tests[0]?.attempts], ["FAIL", 3]);
});

Deno.test("fold() names what ended a file early, if the journal does", () => {
  const killed = { ...file("one", "ended"), died: "deno test died of SIGSEGV" };
  const { tests } = read([
    plan(FILES.slice(0, 1)),
    ...fileLines("one").slice(0, 4),
    killed,
    close,
  ]);
  assertEquals(tests.map(({ reason }) => reason), [
    "died here: deno test died of SIGSEGV",
    "never ran: deno test died of SIGSEGV",
  ]);
});

Deno.test("fold() says that deno test does not know every file", () => {
  const lines = [plan(FILES.slice(0, 1), { by: "deno test" }), ...fileLines("one"), close];
  const { verdict } = read(lines);
  assertEquals(verdict?.exit, 0);
  assertMatch(
    verdict?.reason ?? "",
    /deno test ran the files, so a file that did not start is not/,
  );
});

Deno.test("innermost() leaves only the plan of the guest", () => {
  const lines = [
    ...[plan(FILES, { id: "host" }), { line: "run", at, run: { seed: 7 } }, plan(FILES)],
    ...[...fileLines("one"), ...fileLines("two"), ...fileLines("three"), close],
  ] as JournalLine[];
  const contents = parseJournal(text(lines));
  const never = () => false;
  assertEquals(completeness(contents, never).state, "cut");
  assertEquals(completeness(innermost(contents), never).state, "closed");
  assertEquals(fold(innermost(contents), null, never).run.seed, 7);
  // before the guest began, there is nothing to take out
  const early = parseJournal(text([plan(FILES, { id: "host" })]));
  assertEquals(innermost(early).lines.length, 1);
});
