// SPDX-License-Identifier: MIT
// Damaged journals and results: whatever they hold, they are read, and damage is never a pass.
import { assert, assertEquals } from "@std/assert";
import { Random } from "../../driver/testing/random.ts";
import { checkResults, ResultsError } from "../results/check.ts";
import { ELSEWHERE } from "../testing/whole_journal.ts";
import { fold } from "./fold.ts";
import { parseJournal } from "./lines.ts";

const INPUTS = Deno.env.get("PLUMBLINE_FULL") === "1" ? 1_000_000 : 100_000;
const SEED = Number(Deno.env.get("PLUMBLINE_SEED") ?? 1);

/** Draws whole numbers from 0 to below a limit, which depend only on the seed. */
function drawer(): (limit: number) => number {
  const random = new Random(SEED);
  return (limit) => random.below(limit);
}

const at = "2026-01-01T00:00:00.000Z";
const fault = {
  kind: "bit-flip",
  frame: 1,
  block: 2,
  offset: 3,
  length: 1,
  blame: "rx",
  detail: "x",
};
const ended = { seconds: 1, frames: 10, bytes: 640 };
const measurement = { name: "throughput", value: 3, unit: "MB/s", limit: null, at: { size: 64 } };
const LINES = [
  {
    ...{ line: "plan", at, id: "p", schema: 1, by: "plumbline run", files: ["a_test.ts"] },
    writer: ELSEWHERE,
  },
  {
    ...{ line: "run", at, tool: { name: "plumbline", version: "1", deno: "2", git: null } },
    ...{ board: { kind: "vm", simulated: true, coherent: false, cacheLine: 64 } },
    ...{ run: { seed: 1, started: at, command: ["run"] }, environment: { a: 1 } },
    limits: [{ policy: "streaming", measurement: "throughput", min: 1 }],
  },
  { line: "file", at, file: "a_test.ts", suite: "s", state: "started" },
  { line: "case", at, id: "s/a", suite: "s", name: "a", policy: "streaming", params: { size: 64 } },
  { line: "case", at, id: "s/b", suite: "s", name: "b", policy: "none", control: true },
  { line: "start", at, id: "s/a", limit: 60 },
  {
    line: "end",
    at,
    id: "s/a",
    outcome: "PASS",
    reason: null,
    ...ended,
    measurements: [measurement],
  },
  { line: "start", at, id: "s/b" },
  {
    line: "seen",
    at,
    id: "s/b",
    outcome: "FAIL",
    reason: "r",
    frames: 1,
    bytes: 1,
    faults: [fault],
  },
  {
    ...{ line: "end", at, id: "s/b", outcome: "XFAIL", reason: "stale", ...ended, faults: [fault] },
    evidence: { tx: true, rx: true },
  },
  { line: "file", at, file: "a_test.ts", suite: "s", state: "ended" },
  { line: "close", at, id: "p", seconds: 3 },
];
const WHOLE = LINES.map((line) => JSON.stringify(line)).join("\n") + "\n";
const VALUES = [null, true, -1, 0.5, 1e308, "", "PASS", "s/a", "\u0000<b>", [], {}, [null], {
  a: {},
}];

/** Puts another value into a random place of a value made of objects and lists. */
function replaceSome(value: unknown, draw: (limit: number) => number): unknown {
  if (typeof value !== "object" || value === null || draw(6) === 0) {
    return VALUES[draw(VALUES.length)];
  }
  const copy: unknown = structuredClone(value);
  const keys = Object.keys(copy as object);
  if (keys.length === 0) return VALUES[draw(VALUES.length)];
  const key = keys[draw(keys.length)] ?? "";
  const holder = copy as Record<string, unknown>;
  if (draw(8) === 0) delete holder[key];
  else holder[key] = replaceSome(holder[key], draw);
  return copy;
}

/** Changes a text by a few bytes. */
function scribble(text: string, draw: (limit: number) => number): string {
  const at = draw(text.length);
  switch (draw(4)) {
    case 0:
      return text.slice(0, at);
    case 1:
      return text.slice(0, at) + text.slice(at + 1 + draw(40));
    case 2:
      return text.slice(0, at) + String.fromCharCode(draw(0x180)) + text.slice(at + 1);
    default:
      return text.slice(0, at) + text.slice(draw(text.length)) + text.slice(at);
  }
}

Deno.test("fold() makes results of every damaged journal, and lost lines are never a pass", () => {
  const { verdict, tests } = fold(parseJournal(WHOLE), null, () => false);
  assertEquals(verdict.exit, 0, JSON.stringify({ verdict, tests }));
  const draw = drawer();
  let unreadable = 0;
  for (let i = 0; i < INPUTS; i++) {
    let text = WHOLE;
    if (draw(2) === 0) text = scribble(WHOLE, draw);
    else {
      const line = draw(LINES.length);
      const lines: unknown[] = [...LINES];
      lines[line] = replaceSome(lines[line], draw);
      text = lines.map((one) => JSON.stringify(one)).join("\n") + "\n";
    }
    const contents = parseJournal(text);
    const results = fold(contents, null, () => false);
    // results that cannot be read again are lost
    try {
      checkResults(JSON.parse(JSON.stringify(results)));
    } catch (error) {
      throw new Error(`Input ${i}: ${error}\n${text}`);
    }
    const lost = contents.unreadable.length > 0 || contents.torn;
    if (lost) unreadable++;
    assert(!lost || results.verdict.exit !== 0, text);
  }
  assert(unreadable > INPUTS / 10, `${unreadable}`);
});

Deno.test("checkResults() accepts or refuses every damaged file, and throws nothing else", () => {
  const draw = drawer();
  const whole = JSON.parse(JSON.stringify(fold(parseJournal(WHOLE), null, () => false)));
  let refused = 0;
  for (let i = 0; i < INPUTS; i++) {
    try {
      checkResults(replaceSome(whole, draw));
    } catch (error) {
      if (!(error instanceof ResultsError)) throw error;
      refused++;
    }
  }
  assert(refused > INPUTS / 10 && refused < INPUTS, `${refused}`);
});
