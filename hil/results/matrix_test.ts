// SPDX-License-Identifier: MIT
import { assertEquals, assertStringIncludes } from "@std/assert";
import { renderMatrix } from "../render/matrix.ts";
import { resultsOf } from "../testing/results.ts";
import { type BoardRun, exitOfMatrix, matrixOf } from "./matrix.ts";
import { type Outcome, type Verdict, WORST_FIRST } from "./outcome.ts";
import type { TestResult } from "./schema.ts";

/** A run in which the cases ended so, each case as `POLICY/NAME`. */
function run(
  board: string,
  outcomes: Readonly<Record<string, Outcome>>,
  more: { sha256?: string; name?: string; tests?: Partial<TestResult>; rounds?: boolean } = {},
): BoardRun {
  const tests = Object.entries(outcomes).map(([key, outcome]): TestResult => ({
    ...{ suite: "loopback", name: key, policy: key.replace(/\/.*/, ""), outcome },
    reason: outcome === "PASS" ? null : `why ${outcome}`,
    ...{ seconds: 1, frames: 1, bytes: 64, faults: [], measurements: [] },
    ...more.tests,
  }));
  const worst = WORST_FIRST.find((one) => Object.values(outcomes).includes(one));
  const verdict: Verdict = worst === "FAIL"
    ? { exit: 1, word: "FAIL", reason: "The design failed in 1 case" }
    : worst === "ERROR"
    ? { exit: 3, word: "ERROR", reason: "1 infrastructure error" }
    : { exit: 0, word: "PASS", reason: "all passed" };
  const { sha256 = "0123456789abcdef" } = more;
  const plain = resultsOf(tests);
  const bitstream = { ...plain.bitstream, file: "/boot/top.bit", sha256 };
  const soak = {
    ...{ seconds: 1, rounds: 9, failures: 0, first: null, ruleOfThree: null, policies: [] },
    ...{ sensors: [], frames: 1, bytes: 64, faults: 0, errorRateAtMost: null },
  };
  const results = {
    ...{ ...plain, bitstream, verdict },
    ...(more.rounds === true ? { soak } : {}),
  };
  return { board, name: more.name ?? board, results };
}

Deno.test("matrixOf() has a row for each board and bitstream, and the worst outcome of each policy", () => {
  const page = matrixOf([
    run("zed1", { "streaming/a": "PASS", "streaming/b": "PASS", "none/a": "XFAIL" }),
    run("zed2", { "streaming/a": "FAIL", "streaming/b": "PASS", "none/a": "XFAIL" }),
    run("zed2", { "streaming/a": "PASS", "bounce/a": "SKIP" }, { sha256: "f".repeat(64) }),
  ]);
  assertEquals(page.policies, ["streaming", "none", "bounce"]);
  assertEquals(
    page.rows.map(({ board, bitstream, verdict, cells }) => [
      board,
      bitstream,
      verdict.word,
      cells.map(({ policy, worst }) => `${policy} ${worst}`),
    ]),
    [
      ["zed1", "top.bit 0123456789ab", "PASS", ["streaming PASS", "none XFAIL"]],
      ["zed2", "top.bit 0123456789ab", "FAIL", ["streaming FAIL", "none XFAIL"]],
      ["zed2", "top.bit ffffffffffff", "PASS", ["streaming PASS", "bounce SKIP"]],
    ],
  );
  assertEquals(page.rows[1]?.cells[0]?.summary.pass, 1);
  assertEquals(exitOfMatrix(page, false), 1);
  const lines = renderMatrix(page, 100).split("\n");
  assertEquals(lines.slice(0, 4), [
    "board  bitstream             runs  verdict  streaming  none     bounce",
    "zed1   top.bit 0123456789ab  1     PASS     PASS 2     XFAIL 1  .",
    "zed2   top.bit 0123456789ab  1     FAIL     FAIL 1/2   XFAIL 1  .",
    "zed2   top.bit ffffffffffff  1     PASS     PASS 1     .        SKIP 1",
  ]);
});

Deno.test("matrixOf() names flaky cases with k of n, and never hides one", () => {
  const page = matrixOf([
    run("zed1", { "streaming/a": "PASS", "streaming/b": "FAIL", "streaming/c": "TIMEOUT" }),
    run("zed1", { "streaming/a": "PASS", "streaming/b": "PASS", "streaming/c": "TIMEOUT" }),
    run("zed1", { "streaming/a": "PASS", "streaming/b": "PASS", "streaming/c": "SKIP" }),
    // the same case on another board counts apart
    run("zed2", { "streaming/b": "PASS" }),
  ]);
  const short = ({ board, name, failed, of }: typeof page.flaky[number]) =>
    `${board} ${name} ${failed}/${of}`;
  assertEquals(page.flaky.map(short), ["zed1 streaming/b 1/3"]);
  assertEquals(page.failing.map(short), ["zed1 streaming/c 2/2"]);
  assertEquals(page.flaky[0]?.reason, "why FAIL");
  assertEquals(page.rows[0]?.cells[0]?.worst, "FAIL");
  assertStringIncludes(
    renderMatrix(page, 200),
    "Flaky:\n  1 of 3, zed1, top.bit 0123456789ab, loopback: streaming/b: why FAIL",
  );
});

Deno.test("matrixOf() counts the rounds of --duration, but not plain repeats", () => {
  const soak = run("zed1", { "streaming/a": "FAIL" }, {
    rounds: true,
    tests: { attempts: 48, failures: 3 },
  });
  const plain = run("zed1", { "streaming/a": "PASS" }, { tests: { attempts: 2 } });
  const [one] = matrixOf([soak, plain]).flaky;
  assertEquals([one?.failed, one?.of], [3, 49]);
});

Deno.test("matrixOf() compares each board with its own baseline, of the same bitstream if there is one", () => {
  const other = { sha256: "f".repeat(64) };
  const page = matrixOf([
    run("zed1", { "streaming/a": "FAIL", "streaming/b": "PASS" }),
    run("zed2", { "streaming/a": "FAIL" }),
    run("zed3", { "streaming/a": "PASS" }),
  ], [
    run("zed1", { "streaming/a": "PASS", "streaming/b": "PASS" }, { name: "same" }),
    run("zed1", { "streaming/a": "FAIL" }, { ...other, name: "other" }),
    run("zed2", { "streaming/a": "FAIL", "streaming/b": "PASS" }, { ...other, name: "old" }),
  ]);
  assertEquals(
    page.rows.map(({ changes }) =>
      changes === null ? null : [changes.base, changes.regressions, changes.lost]
    ),
    [["same", 1, 0], ["old", 0, 1], null],
  );
  assertStringIncludes(
    renderMatrix(page, 100),
    "Since same, zed1, top.bit 0123456789ab: 1 worse, 0 lost\n  worse: loopback: streaming/a: PASS to FAIL",
  );
});

Deno.test("matrixOf() keeps a board without results, and one that only the baseline has", () => {
  const passed = run("zed1", { "streaming/a": "PASS" });
  const dead: BoardRun = { board: "zed2", name: "zed2", results: "no results: the board died" };
  const page = matrixOf([passed, dead], [
    passed,
    run("zed2", { "streaming/a": "PASS" }),
    run("zed3", { "streaming/a": "PASS" }),
  ]);
  assertEquals(
    page.rows.map(({ board, verdict, changes }) => [
      board,
      verdict.word,
      changes?.lost,
    ]),
    [["zed1", "PASS", 0], ["zed2", "ERROR", 1], ["zed3", "ERROR", 1]],
  );
  assertEquals([exitOfMatrix(page, false), exitOfMatrix(page, true)], [3, 1]);
  assertEquals(exitOfMatrix(matrixOf([passed], [passed]), true), 0);
  assertStringIncludes(renderMatrix(page, 100), "no results: the board died");
});

Deno.test("renderMatrix() splits the policies where the terminal is narrow", () => {
  const policies = [
    "coherent",
    "streaming",
    "user-pages",
    "user-pages-registered",
    "bounce",
    "none",
  ];
  const outcomes = Object.fromEntries(policies.map((one) => [`${one}/a`, "PASS" as const]));
  const lines = renderMatrix(matrixOf([run("zed1", outcomes)]), 80).split("\n");
  assertEquals(lines.filter((line) => line.length > 80), []);
  const heads = lines.filter((line) => line.startsWith("board")).join(" ").split(/\s+/);
  assertEquals(policies.filter((policy) => !heads.includes(policy)), []);
  assertEquals(lines.filter((line) => line.startsWith("zed1")).length, 3);
});

Deno.test("exitOfMatrix() takes a page without boards for an error", () => {
  assertEquals(exitOfMatrix(matrixOf([], []), false), 3);
});
