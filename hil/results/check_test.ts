// SPDX-License-Identifier: MIT
import { assertEquals, assertThrows } from "@std/assert";
import { checkResults, ResultsError } from "./check.ts";
import type { Results } from "./schema.ts";

/** Valid results with one case. */
function example(): Record<string, unknown> {
  const results: Results = {
    schema: 1,
    tool: { name: "plumbline", version: "0.1.0", deno: "2.9.5", git: null },
    board: {
      kind: "vm",
      simulated: true,
      arch: "aarch64",
      kernel: "6.1",
      coherent: false,
      cacheLine: 64,
      engine: "pl_softdma",
      core: null,
    },
    bitstream: { file: null, sha256: null, part: null, identity: "unknown" },
    run: { seed: 1, started: "2026-01-01T00:00:00Z", seconds: 12.3, command: ["plumbline"] },
    tests: [{
      suite: "loopback",
      name: "a",
      policy: "streaming",
      outcome: "FAIL",
      reason: "1 fault",
      seconds: 0.4,
      frames: 1000,
      bytes: 1048576000,
      faults: [{
        kind: "stale-rx",
        frame: 17,
        offset: 4096,
        length: 64,
        blame: "rx",
        detail: "frame 16 is still there",
      }],
      measurements: [{ name: "throughput", value: 612, unit: "MB/s", limit: null }],
    }],
    summary: { pass: 0, fail: 1, xfail: 0, xpass: 0, error: 0, timeout: 0, skip: 0 },
    power: { coherence: true, tx: true, rx: true, detail: "fine" },
  };
  return JSON.parse(JSON.stringify(results));
}

Deno.test("checkResults() accepts valid results and unknown keys", () => {
  const value = example();
  assertEquals(checkResults(value) as unknown, value);
  checkResults({ ...value, extra: { anything: 1 } });
});

const changes: [string, unknown, string][] = [
  ["schema", 2, "schema: expected 1, found 2"],
  ["tool.version", undefined, "tool.version: expected a string, found nothing"],
  ["board.simulated", "yes", 'board.simulated: expected true or false, found "yes"'],
  ["board.cacheLine", -1, "board.cacheLine: expected a whole number from 0, found -1"],
  ["bitstream.identity", "good", "bitstream.identity: expected one of proved, loaded"],
  ["run.started", "yesterday", 'run.started: expected a time, found "yesterday"'],
  ["run.command", ["a", 1], "run.command[1]: expected a string, found 1"],
  ["tests", {}, "tests: expected a list, found {}"],
  ["tests.0.outcome", "OK", "tests[0].outcome: expected one of PASS, FAIL, XFAIL"],
  ["tests.0.frames", 1.5, "tests[0].frames: expected a whole number from 0, found 1.5"],
  ["tests.0.faults.0.kind", "odd", "tests[0].faults[0].kind: expected one of stale-tx"],
  ["tests.0.faults.0.blame", "cpu", "tests[0].faults[0].blame: expected one of tx, core, rx"],
  ["tests.0.faults.0.damage", { offset: 0, base: 0, xor: "0g" }, "damage.xor: expected up to 512"],
  ["tests.0.faults.0.damage", { offset: 0, base: -1, xor: "00" }, "damage.base: expected a whole"],
  ["tests.0.measurements.0.value", null, "tests[0].measurements[0].value: expected a number"],
  ["summary.fail", 0, "summary.fail: expected 1 as in tests, found 0"],
  ["verdict", { exit: 2, word: "PASS", reason: "" }, "verdict.exit: expected 0, 1 or 3, found 2"],
  ["verdict", { exit: 0, word: "OK", reason: "" }, "verdict.word: expected one of PASS, FAIL"],
  ["crossovers", [{ use: "u", faster: "a", than: "b", from: -1, detail: "" }], "from: expected a"],
  ["tests.0.injected", [1], "tests[0].injected[0]: expected a string, found 1"],
  ["diagnosis", { sentences: [1], groups: [] }, "diagnosis.sentences[0]: expected a string"],
  [
    "diagnosis",
    { sentences: [], groups: [group({ status: "sure" })] },
    "groups[0].status: expected",
  ],
  [
    "diagnosis",
    { sentences: [], groups: [group({ tests: [] })] },
    "tests: expected at least one case",
  ],
  [
    "diagnosis",
    { sentences: [], groups: [group({ tests: [99] })] },
    "tests: expected numbers below",
  ],
  [
    "diagnosis",
    { sentences: [], groups: [group({ causes: [{}] })] },
    "causes[0].id: expected a string",
  ],
  ["tests.0.late", late({ direction: "up" }), "late.direction: expected one of tx, rx"],
  ["tests.0.late", late({ arrived: -1 }), "late.arrived: expected a whole number from 0"],
  ["tests.0.late", late({ idle: "yes" }), "late.idle: expected true or false"],
  ["tests.0.late", late({ log: undefined }), "late.log: expected a list, found nothing"],
  ["power.tx", null, "power.tx: expected true or false, found null"],
];

Deno.test("checkResults() accepts what a board shows of a late completion, and what it does not", () => {
  const value = example();
  const [test] = value["tests"] as Record<string, unknown>[];
  const unknown = { transmitted: null, arrived: null, changed: null, idle: null };
  for (const one of [late({}), late({ direction: null, ...unknown })]) {
    Object.assign(test ?? {}, { late: one });
    assertEquals(checkResults(value) as unknown, value);
  }
});

for (const [path, value, message] of changes) {
  Deno.test(`checkResults() refuses ${path} = ${JSON.stringify(value)}`, () => {
    const root = example();
    const keys = path.split(".");
    const last = keys.pop() ?? "";
    let at = root;
    for (const key of keys) at = at[key] as Record<string, unknown>;
    if (value === undefined) delete at[last];
    else at[last] = value;
    assertThrows(() => checkResults(root), ResultsError, message);
  });
}

Deno.test("checkResults() refuses a value that is not an object", () => {
  for (const value of [null, [], "text", 3]) {
    assertThrows(() => checkResults(value), ResultsError, "results: expected an object");
  }
});

/** A group of failures of a diagnosis, with some keys replaced. */
function group(change: object): object {
  const texts = { sentence: "", evidence: [], unknown: [] };
  return { ...texts, status: "open", causes: [], tests: [0], faults: 1, ...change };
}

/** What a board shows of a late completion, with some keys replaced. */
function late(change: object): object {
  const known = {
    direction: "rx",
    frame: 5,
    primer: false,
    transmitted: true,
    size: 64,
    arrived: 64,
  };
  return { ...known, changed: true, idle: true, interrupts: null, log: [], ...change };
}
