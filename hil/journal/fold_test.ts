// SPDX-License-Identifier: MIT
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import type { Case, CaseResult, RunHeader } from "./journal.ts";
import { parseJournal } from "./lines.ts";
import { fold } from "./fold.ts";
import { checkResults } from "../results/check.ts";
import type { Results } from "../results/schema.ts";
import { wholeJournal } from "../testing/whole_journal.ts";

const at = "2026-01-01T00:00:00.000Z";
const pass: CaseResult = { outcome: "PASS", reason: null, seconds: 1, frames: 10, bytes: 640 };
const xfail: CaseResult = { outcome: "XFAIL", reason: "stale", seconds: 1, frames: 0, bytes: 0 };

const run = (header: RunHeader) => ({ line: "run", at, ...header });
const item = (id: string, more: Partial<Case> = {}) => ({
  line: "case",
  at,
  id,
  suite: "loopback",
  name: id,
  policy: "streaming",
  ...more,
});
const control = (id: string) => item(id, { policy: "none", control: true });
const start = (id: string, when = at) => ({ line: "start", at: when, id });
const end = (id: string, result: CaseResult = pass) => ({ line: "end", at, id, ...result });
const incoherent = run({ board: { kind: "vm", simulated: true, coherent: false } });
const coherent = run({ board: { kind: "vm", simulated: true, coherent: true } });

/** Folds the lines of a run that ended by itself. */
function folded(lines: object[], died: string | null = null): Results {
  // all results must match the schema, also after a round trip through a file
  return checkResults(JSON.parse(JSON.stringify(fold(wholeJournal(lines), died))));
}

Deno.test("fold() turns a complete journal into results", () => {
  const results = folded([
    run({
      tool: { name: "plumbline", version: "0.1.0", deno: "2.9.5", git: "abc" },
      run: { seed: 1, started: at, command: ["plumbline", "run"] },
    }),
    run({
      board: { kind: "vm", simulated: true, arch: "aarch64", coherent: false, cacheLine: 64 },
    }),
    item("a", { params: { size: 64, depth: 1 } }),
    control("b"),
    item("c", { skip: "length is not a multiple of 8" }),
    start("a"),
    end("a", { ...pass, measurements: [{ name: "t", value: 1, unit: "MB/s", limit: null }] }),
    start("b"),
    end("b", { ...xfail, evidence: { tx: true, rx: true } }),
    run({ run: { seconds: 12.5 } }),
  ]);
  assertEquals(results.summary, {
    pass: 1,
    fail: 0,
    xfail: 1,
    xpass: 0,
    error: 0,
    timeout: 0,
    skip: 1,
  });
  assertEquals(results.tests.map((test) => test.outcome), ["PASS", "XFAIL", "SKIP"]);
  assertEquals(results.tests[0]?.params, { size: 64, depth: 1 });
  assertEquals(results.tests[2]?.reason, "length is not a multiple of 8");
  assertEquals(results.board.arch, "aarch64");
  assertEquals(results.run, {
    seed: 1,
    started: at,
    seconds: 12.5,
    command: ["plumbline", "run"],
  });
  assertEquals(results.power, {
    coherence: true,
    tx: true,
    rx: true,
    detail:
      "policy none failed in both directions, as it must: this board can reveal missing syncs",
  });
  assertEquals(results.verdict?.exit, 0);
});

Deno.test("fold() reports a case that started but did not end as ERROR died here", () => {
  const lines = [item("a"), item("b"), start("a"), end("a"), start("b"), start("z")].slice(0, 5);
  const results = folded(lines);
  assertEquals(results.tests[1]?.outcome, "ERROR");
  assertEquals(results.tests[1]?.reason, "died here");
  assertEquals(results.verdict?.exit, 3);
  assertEquals(folded(lines, "SIGSEGV").tests[1]?.reason, "died here: SIGSEGV");
});

Deno.test("fold() counts the time of a case that died until the last line", () => {
  const results = folded([item("a"), start("a"), { ...run({}), at: "2026-01-01T00:00:02.500Z" }]);
  assertEquals(results.tests[0]?.seconds, 2.5);
});

Deno.test("fold() takes the duration of a run from a clock that never jumps", () => {
  const back = "2025-01-01T00:00:00.000Z";
  const lines = [item("a"), start("a"), { ...end("a"), at: back }];
  assertEquals(folded(lines).run.seconds, 1); // of its cases, because the clock was set back
  const closing = { seconds: 12.5 };
  assertEquals(fold(wholeJournal(lines, closing)).run.seconds, 12.5);
  // the host of a virtual board knows better
  const known = [...lines, run({ run: { seconds: 13.5 } })];
  assertEquals(fold(wholeJournal(known, closing)).run.seconds, 13.5);
});

Deno.test("fold() keeps what the board shows of a late completion, even if the process died", () => {
  const late = {
    ...{
      direction: "rx",
      frame: 5,
      primer: false,
      transmitted: true,
      size: 64,
      arrived: 64,
    } as const,
    ...{ changed: true, idle: true, interrupts: 0, log: [] },
  };
  const hung: CaseResult = { ...pass, outcome: "TIMEOUT", reason: "frame 5", late };
  const { seconds: _, ...seen } = hung;
  const { tests } = folded([
    ...[item("a"), start("a"), end("a", hung)],
    ...[item("b"), start("b"), { line: "seen", at, id: "b", ...seen }],
    ...[item("c"), start("c"), end("c")],
  ]);
  assertEquals(tests.map((test) => test.late), [late, late, undefined]);
});

Deno.test("fold() reports a case that neither started nor was skipped as ERROR never ran", () => {
  const results = folded([item("a"), item("b"), start("a"), end("a")]);
  assertEquals(results.tests[1]?.reason, "never ran");
  assertEquals(results.verdict?.exit, 3);
});

Deno.test("fold() says why a run is incomplete, and what is missing", () => {
  const whole = [item("a"), start("a"), end("a")];
  const cut = run({ run: { cut: "the run was interrupted" } });
  const missing = [item("b"), item("c"), item("d"), start("b")];
  assertEquals(folded(whole).run.cut, undefined);
  assertEquals(folded([...whole, cut]).run.cut, "the run was interrupted");
  assertEquals(
    folded([...whole, ...missing, cut]).run.cut,
    "the run was interrupted: 1 case died (loopback: b), 2 cases never ran",
  );
  assertEquals(folded([...whole, item("b")]).run.cut, "1 case never ran");
});

Deno.test("fold() rejects the result of a case that is not registered, or registered twice", () => {
  const unknown = folded([start("a"), end("a")]);
  assertEquals(unknown.tests[0]?.outcome, "ERROR");
  const twice = folded([item("a"), item("a"), start("a"), end("a")]);
  assertEquals(twice.tests.length, 1);
  assertMatch(twice.tests[0]?.reason ?? "", /registered 2 times/);
  const failed = folded([item("a"), item("a"), end("a", { ...pass, outcome: "FAIL" })]);
  assertEquals(failed.verdict?.exit, 1);
});

Deno.test("fold() reports an unreadable line, but not a torn last one", () => {
  const whole = [item("a"), end("a")].map((line) => JSON.stringify(line));
  const torn = fold(parseJournal(`${whole[0]}\n${whole[1]}\n{"line":"en`));
  assertEquals(torn.tests.map(({ name }) => name), ["a", "journal"]);
  const damaged = fold(parseJournal(`${whole[0]}\nGARBAGE\n${whole[1]}\n`));
  assertEquals(damaged.verdict?.exit, 3);
  assertEquals(damaged.tests[1]?.name, "journal line 2");
  assertEquals(damaged.tests[1]?.suite, "infrastructure");
});

Deno.test("fold() of an empty journal gives exit status 3", () => {
  const results = folded([]);
  assertEquals(results.tests, []);
  assertEquals(results.verdict?.exit, 3);
});

Deno.test("fold() judges each direction over all controls together", () => {
  const base = [incoherent, item("a"), end("a"), control("x"), control("y")];
  const both = folded([
    ...base,
    end("x", { ...xfail, evidence: { tx: true, rx: false } }),
    end("y", { ...xfail, evidence: { tx: false, rx: true } }),
  ]);
  assertEquals([both.power.coherence, both.power.tx, both.power.rx], [true, true, true]);
  assertEquals(both.verdict?.exit, 0);

  const half = folded([
    ...base,
    end("x", { ...xfail, evidence: { tx: true, rx: false } }),
    end("y", { ...xfail, evidence: { tx: true, rx: false } }),
  ]);
  assertEquals([half.power.coherence, half.power.tx, half.power.rx], [false, true, false]);
  assertStringIncludes(half.power.detail, "in tx only");
  assertEquals([half.verdict?.exit, half.verdict?.reason], [
    3,
    "Policy none failed in tx only, and on a non-coherent board it must fail in both directions: " +
    "this run cannot reveal a missing sync in rx",
  ]);

  const oneWay = folded([
    ...base,
    end("x", { ...xfail, evidence: { rx: true } }),
    end("y", { ...xfail, evidence: { rx: true } }),
  ]);
  assertEquals([oneWay.power.coherence, oneWay.power.tx, oneWay.power.rx], [true, false, true]);
  assertEquals(oneWay.verdict?.exit, 0);

  const blind = folded([...base, end("x", xfail), end("y", xfail)]);
  assertEquals([blind.power.coherence, blind.power.tx, blind.power.rx], [true, false, false]);

  const none = folded([
    ...base,
    end("x", { ...pass, evidence: { tx: false, rx: false } }),
    end("y", { ...pass, evidence: { tx: false, rx: false } }),
  ]);
  assertEquals([none.power.coherence, none.power.tx, none.power.rx], [false, false, false]);
  assertEquals(none.verdict?.exit, 3);
});

Deno.test("fold() says that a pattern of equal frames cannot reveal a stale one", () => {
  const detailOf = (pattern: string) =>
    folded([incoherent, run({ run: { pattern } }), item("a"), start("a"), end("a")]).power.detail;
  assertMatch(
    detailOf("zeros"),
    /; all frames of pattern zeros are equal, so it cannot reveal .*$/,
  );
  for (const other of ["tagged", "counter8", "no such pattern"]) {
    assertEquals(detailOf(other).includes("equal"), false, other);
  }
});

Deno.test("fold() says in the verdict that a pattern of equal frames shows one direction only", () => {
  const { verdict } = folded([
    incoherent,
    run({ run: { pattern: "zeros" } }),
    item("a"),
    end("a"),
    control("x"),
    end("x", { ...xfail, evidence: { tx: false, rx: true } }),
  ]);
  assertEquals(verdict?.exit, 3);
  assertMatch(
    verdict?.reason ?? "",
    /^Policy none failed in rx only, .* missing sync in tx; all frames of pattern zeros are equal/,
  );
});

Deno.test("fold() says that a control proves nothing on a coherent board", () => {
  const results = folded([
    coherent,
    item("a"),
    end("a"),
    control("x"),
    end("x", { ...pass, evidence: { tx: false, rx: false } }),
  ]);
  assertEquals(results.power.coherence, false);
  assertStringIncludes(results.power.detail, "the board is cache coherent");
  assertEquals(results.verdict?.exit, 0);
});

Deno.test("fold() says that power is unknown if no control ran", () => {
  const results = folded([incoherent, item("a"), end("a")]);
  assertEquals(results.power.coherence, false);
  assertStringIncludes(results.power.detail, "did not run");
  assertEquals(results.verdict?.exit, 0);
});

Deno.test("fold() says that power is unknown if every control ended in an error", () => {
  const error = { outcome: "ERROR", reason: "no memory", evidence: {} } as const;
  const results = folded([incoherent, control("x"), end("x", { ...pass, ...error })]);
  assertEquals(
    results.power.detail,
    "policy none reached no result in 1 case, so it is unknown whether this board can reveal " +
      "missing syncs",
  );
});

Deno.test("fold() uses the first header that holds a fact", () => {
  const results = folded([
    run({ run: { command: ["plumbline", "run"] }, board: { kind: "vm", arch: null } }),
    run({ run: { command: ["deno", "test"], seed: 5 }, board: { arch: "x86_64", kind: "local" } }),
  ]);
  assertEquals(results.run.command, ["plumbline", "run"]);
  assertEquals(results.run.seed, 5);
  assertEquals([results.board.kind, results.board.arch], ["vm", "x86_64"]);
});

Deno.test("fold() counts no frame of a control as verified", () => {
  const verdictWith = (frames: number) =>
    folded([
      incoherent,
      item("a"),
      control("b"),
      start("a"),
      end("a", { ...pass, frames }),
      start("b"),
      end("b", { ...xfail, frames: 10, evidence: { tx: true, rx: true } }),
    ]).verdict;
  assertEquals(verdictWith(1)?.reason, "1 case passed, 1 control failed as expected");
  assertStringIncludes(verdictWith(0)?.reason ?? "", "no frame was verified");
});
