// SPDX-License-Identifier: MIT
import { assertEquals, assertStringIncludes } from "@std/assert";
import { ELSEWHERE } from "../testing/whole_journal.ts";
import { fold } from "./fold.ts";
import { JOURNAL_SCHEMA, parseJournal } from "./lines.ts";
import { doneBefore } from "./resume.ts";

const at = "2026-01-01T00:00:00Z";
const PLAN = { line: "plan", at, id: "p", schema: JOURNAL_SCHEMA, by: "plumbline run" };
const FILE = { line: "file", at, file: "s_test.ts", suite: "s" };
const RESUME = { line: "resume", at, id: "p", writer: ELSEWHERE };
const CLOSE = { line: "close", at, id: "p" };
const FAULT = { kind: "bit-flip", frame: 5, offset: 1, length: 1, blame: null, detail: "bit 0" };

function plan() {
  return { ...PLAN, files: ["s_test.ts"], writer: ELSEWHERE };
}

function cases() {
  return ["a", "b"].map((id) => ({
    ...{ line: "case", at, id, suite: "s", name: id, policy: "streaming" },
  }));
}

function start(id: string, round: number) {
  return { line: "start", at, id, round };
}

function end(id: string, round: number, outcome = "PASS") {
  return {
    ...{ line: "end", at, id, outcome, reason: outcome === "PASS" ? null : "wrong" },
    ...{ seconds: 1, frames: 10, bytes: 640, round: { number: round } },
  };
}

function journal(lines: readonly object[]) {
  return parseJournal(lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
}

/** A run that died in the second round of b. */
function firstPart(found: readonly object[] = []) {
  return [
    ...[plan(), { ...FILE, state: "started" }, ...cases()],
    ...[start("a", 1), end("a", 1), start("b", 1), end("b", 1), start("a", 2), end("a", 2)],
    ...[start("b", 2), ...found],
  ];
}

/** What the run did after that. */
function secondPart() {
  return [
    ...[RESUME, { ...FILE, state: "started" }, ...cases(), start("b", 2), end("b", 2)],
    ...[{ ...FILE, state: "ended" }, CLOSE],
  ];
}

Deno.test("fold() joins the parts of a resumed run", () => {
  const dead = fold(journal(firstPart()));
  assertEquals([dead.verdict.word, dead.tests[1]?.outcome], ["ERROR", "ERROR"]);
  const whole = fold(journal([...firstPart(), ...secondPart()]));
  assertEquals(
    whole.tests.map(({ name, outcome, frames, attempts }) => [name, outcome, frames, attempts]),
    [["a", "PASS", 20, 2], ["b", "PASS", 20, 2]],
  );
  assertEquals(whole.verdict.word, "PASS");
  assertEquals(whole.run.resumed, ["within b"]);
  assertEquals([whole.soak?.frames, whole.run.seconds], [40, 4]);
});

Deno.test("fold() keeps damage that the run found before it ended", () => {
  const seen = { line: "seen", at, id: "b", outcome: "FAIL", reason: "frame 5 is wrong" };
  const found = { ...seen, frames: 7, bytes: 448, faults: [FAULT] };
  const { tests, verdict, soak } = fold(journal([...firstPart([found]), ...secondPart()]));
  assertEquals([tests[1]?.outcome, verdict.exit], ["FAIL", 1]);
  assertStringIncludes(tests[1]?.reason ?? "", "frame 5 is wrong; then the run ended early");
  assertEquals([soak?.faults, soak?.failures, soak?.first?.round], [1, 1, 2]);
});

Deno.test("fold() keeps earlier failures of a resumed run, and a case that dies again is an error", () => {
  const failed = firstPart().map((line) =>
    "outcome" in line && "id" in line && line.id === "a"
      ? { ...line, outcome: "FAIL", reason: "wrong" }
      : line
  );
  assertEquals(fold(journal([...failed, ...secondPart()])).verdict.exit, 1);
  const again = fold(journal([...firstPart(), RESUME, ...cases(), start("b", 2)]));
  assertEquals([again.verdict.word, again.tests[1]?.reason], ["ERROR", "died here"]);
});

Deno.test("fold() excuses a torn line only where a run was resumed", () => {
  const text = (lines: readonly object[]) =>
    lines.map((line) => `${JSON.stringify(line)}\n`).join("");
  const torn = `${text(firstPart())}{"line":"end","at\n${text(secondPart())}`;
  assertEquals(fold(parseJournal(torn)).verdict.word, "PASS");
  const damaged = `${text(firstPart())}${text(secondPart().slice(0, 2))}{"line":"en\n` +
    text(secondPart().slice(2));
  assertEquals(fold(parseJournal(damaged)).verdict.word, "ERROR");
});

Deno.test("fold() does not excuse a run that was interrupted and not resumed to its end", () => {
  const cut = [
    { line: "run", at, run: { cut: "the run was interrupted" } },
    ...[{ line: "case", at, id: "infrastructure/run", suite: "infrastructure", name: "run" }].map(
      (line) => ({ ...line, policy: null }),
    ),
    { ...end("infrastructure/run", 1, "ERROR"), round: undefined },
    CLOSE,
  ];
  assertEquals(fold(journal([...firstPart(), ...cut])).verdict.word, "ERROR");
  assertEquals(fold(journal([...firstPart(), ...cut, ...secondPart()])).verdict.word, "PASS");
  const open = secondPart().slice(0, -1);
  assertEquals(fold(journal([...firstPart(), ...cut, ...open])).verdict.word, "ERROR");
});

Deno.test("fold() still finds a case that one part registers twice", () => {
  const [a] = cases();
  const twice = secondPart().flatMap((line) => line === CLOSE ? [a ?? {}, line] : [line]);
  assertEquals(fold(journal([...firstPart(), ...twice])).tests[0]?.outcome, "ERROR");
});

Deno.test("doneBefore() counts what earlier parts have done, and nothing for a run in one part", () => {
  const { cases: done, seconds } = doneBefore(journal([...firstPart(), ...secondPart()]).lines);
  assertEquals([[...done], [...seconds]], [[["a", 2], ["b", 1]], [["s", 3]]]);
  assertEquals(doneBefore(journal(firstPart()).lines).cases.size, 0);
});

Deno.test("fold() passes no resumed run whose journal is cut, wherever that is", () => {
  const text = [...firstPart(), ...secondPart()].map((line) => `${JSON.stringify(line)}\n`).join(
    "",
  );
  const passed: number[] = [];
  for (let length = 0; length <= text.length; length++) {
    if (fold(parseJournal(text.slice(0, length))).verdict.exit === 0) passed.push(length);
  }
  assertEquals(passed, [text.length]);
});
