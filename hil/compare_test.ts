// SPDX-License-Identifier: MIT
import { assertEquals } from "@std/assert";
import { compareFigures, compareResults, moreIsBetter } from "./compare.ts";
import { fold } from "./journal_fold.ts";
import type { Outcome } from "./outcome.ts";
import type { Measurement, Results, TestResult } from "./results.ts";

function figure(value: number, half: number, more: Partial<Measurement> = {}): Measurement {
  const spread = { samples: 20, min: value - 2 * half, p5: value - half, p95: value + half };
  return {
    name: "throughput",
    value,
    unit: "MB/s",
    limit: null,
    spread: { ...spread, max: value + 9 * half },
    ...more,
  };
}

function test(name: string, outcome: Outcome, measurements: Measurement[] = []): TestResult {
  const reason = outcome === "PASS" ? null : "because";
  const counts = { seconds: 1, frames: 1, bytes: 1, faults: [] };
  return { suite: "s", name, policy: "streaming", outcome, reason, ...counts, measurements };
}

function results(...tests: TestResult[]): Results {
  return { ...fold({ lines: [], unreadable: [], torn: false }), tests };
}

Deno.test("compareFigures() calls a change what lies outside of both spreads, and nothing else", () => {
  const cases: [from: Measurement, to: Measurement, says: string][] = [
    // the same 10 %: a change in a quiet figure, none in a noisy one, whichever run was noisy
    [figure(100, 2), figure(90, 2), "worse"],
    [figure(100, 6), figure(90, 6), "same"],
    [figure(100, 9), figure(90, 2), "same"],
    [figure(100, 2), figure(90, 9), "same"],
    [figure(100, 2), figure(110, 2), "better"],
    [figure(100, 2, { unit: "µs" }), figure(110, 2, { unit: "µs" }), "worse"],
    [figure(100, 2, { unit: "µs" }), figure(90, 2, { unit: "µs" }), "better"],
    // intervals that touch
    [figure(100, 5), figure(90, 5), "same"],
    // figures of exactly one value
    [figure(2, 0, { unit: "B/B" }), figure(2, 0, { unit: "B/B" }), "same"],
    [figure(2, 0, { unit: "B/B" }), figure(3, 0, { unit: "B/B" }), "worse"],
  ];
  for (const [from, to, says] of cases) {
    assertEquals(compareFigures(from, to), says, `${JSON.stringify([from, to])}`);
  }
});

Deno.test("compareFigures() judges nothing by fewer than five samples, or without a spread", () => {
  const spread = { samples: 4, min: 1, p5: 1, p95: 1, max: 1 };
  const { spread: _none, ...bare } = figure(10, 1);
  assertEquals(compareFigures(bare, figure(100, 1)), "unknown");
  assertEquals(compareFigures(figure(100, 1), bare), "unknown");
  assertEquals(compareFigures(figure(1, 0, { spread }), figure(9, 0)), "unknown");
  assertEquals(compareFigures(figure(9, 0), figure(1, 0, { spread })), "unknown");
});

Deno.test("moreIsBetter() knows rates and ratios from costs", () => {
  for (const unit of ["MB/s", "GB/s", "1/s", "ratio"]) assertEquals(moreIsBetter(unit), true);
  for (const unit of ["µs", "ns", "s", "%", "B/B", "B", ""]) {
    assertEquals(moreIsBetter(unit), false);
  }
});

Deno.test("compareResults() tells what failed since from what merely changed", () => {
  const outcomes: [from: Outcome, to: Outcome, worse: boolean][] = [
    ["PASS", "FAIL", true],
    ["PASS", "TIMEOUT", true],
    ["PASS", "ERROR", true],
    ["SKIP", "FAIL", true],
    ["XFAIL", "FAIL", true],
    ["XFAIL", "XPASS", true],
    ["PASS", "SKIP", false],
    ["FAIL", "PASS", false],
    ["FAIL", "TIMEOUT", false],
    ["XPASS", "XFAIL", false],
  ];
  for (const [from, to, worse] of outcomes) {
    const found = compareResults(results(test("a", from)), results(test("a", to)));
    assertEquals(found.outcomes.map((one) => one.worse), [worse], `${from} to ${to}`);
    assertEquals(found.regressions, worse ? 1 : 0, `${from} to ${to}`);
  }
  const same = compareResults(results(test("a", "FAIL")), results(test("a", "FAIL")));
  assertEquals([same.outcomes.length, same.regressions], [0, 0]);
});

Deno.test("compareResults() names cases that are gone, and puts what is worse first", () => {
  const base = results(test("gone", "PASS"), test("fixed", "FAIL"), test("broken", "PASS"));
  const now = results(test("fixed", "PASS"), test("broken", "FAIL"), test("new", "FAIL"));
  const { outcomes, regressions } = compareResults(base, now);
  assertEquals(outcomes.map(({ name, to }) => [name, to]), [
    ["broken", "FAIL"],
    ["gone", null],
    ["fixed", "PASS"],
  ]);
  assertEquals(regressions, 1);
});

Deno.test("compareResults() holds figures against those of the same place only", () => {
  const at = (size: number, value: number): Measurement => figure(value, 1, { at: { size } });
  const base = results(test("a", "PASS", [at(64, 100), at(4096, 500), figure(7, 1)]));
  const swapped = figure(500, 1, { at: { size: 4096 } });
  const now = results(test("a", "PASS", [swapped, at(64, 50), at(128, 1), figure(70, 1)]));
  const found = compareResults(base, now);
  assertEquals(found.judged, 3);
  assertEquals(found.figures.map(({ from, to, worse }) => [from.value, to.value, worse]), [
    [100, 50, true],
    [7, 70, false],
  ]);
  // keys in another order are the same place
  const two = (at: Record<string, number>): Results =>
    results(test("a", "PASS", [figure(1, 0, { at })]));
  assertEquals(compareResults(two({ a: 1, b: 2 }), two({ b: 2, a: 1 })).judged, 1);
  // without spreads: counted, not judged
  const { spread: _spread, ...bare } = at(64, 1);
  const found2 = compareResults(base, results(test("a", "PASS", [bare])));
  assertEquals([found2.judged, found2.unjudged, found2.figures.length], [0, 1, 0]);
});

Deno.test("compareResults() lists what changed of the machine alone, and calls it no regression", () => {
  const at = { memory: "ordinary", size: 64 };
  const run = (value: number): Results =>
    results(test("a", "PASS", [
      figure(value, 1, { name: "memcpy" }),
      figure(value, 1, { name: "cpu access", at }),
      figure(value, 1, { name: "cpu access", at: { ...at, memory: "block" } }),
    ]));
  const { figures, regressions } = compareResults(run(100), run(50));
  assertEquals(figures.map(({ worse, reference }) => [worse, reference]), [
    [true, false],
    [false, true],
    [false, true],
  ]);
  assertEquals(regressions, 1);
});

Deno.test("compareResults() says in what the runs differ besides", () => {
  const base = results();
  const now: Results = { ...base, board: { ...base.board, kernel: "6.12", coherent: true } };
  assertEquals(compareResults(base, now).differences, [
    "kernel: unknown in the base, 6.12 now",
    "coherent: unknown in the base, true now",
  ]);
  assertEquals(compareResults(base, base).differences, []);
});
