// SPDX-License-Identifier: MIT
import { assertEquals } from "@std/assert";
import { resultsOf } from "../testing/results.ts";
import { type Change, compareMeasurements, compareResults, moreIsBetter } from "./compare.ts";
import type { Outcome } from "./outcome.ts";
import type { Measurement, Results, TestResult } from "./schema.ts";

function measured(value: number, half: number, more: Partial<Measurement> = {}): Measurement {
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

function counted(value: number): Measurement {
  return { name: "bytes synced per byte", value, unit: "B/B", limit: null };
}

function test(name: string, outcome: Outcome, measurements: Measurement[] = []): TestResult {
  const reason = outcome === "PASS" ? null : "because";
  const counts = { seconds: 1, frames: 1, bytes: 1, faults: [] };
  return { suite: "s", name, policy: "streaming", outcome, reason, ...counts, measurements };
}

function results(...tests: TestResult[]): Results {
  return resultsOf(tests);
}

Deno.test("compareMeasurements() finds a change only if the 5–95 % ranges do not overlap", () => {
  const cases: [from: Measurement, to: Measurement, expected: string][] = [
    // the same 10 %: a change if both runs are quiet, none if either is noisy
    [measured(100, 2), measured(90, 2), "worse"],
    [measured(100, 6), measured(90, 6), "same"],
    [measured(100, 9), measured(90, 2), "same"],
    [measured(100, 2), measured(90, 9), "same"],
    [measured(100, 2), measured(110, 2), "better"],
    [measured(100, 2, { unit: "µs" }), measured(110, 2, { unit: "µs" }), "worse"],
    [measured(100, 2, { unit: "µs" }), measured(90, 2, { unit: "µs" }), "better"],
    // the ranges touch
    [measured(100, 5), measured(90, 5), "same"],
    // counters are exact and have no spread
    [counted(2), counted(2), "same"],
    [counted(2), counted(4), "worse"],
    [counted(2), counted(1), "better"],
  ];
  for (const [from, to, expected] of cases) {
    assertEquals(compareMeasurements(from, to), expected, `${JSON.stringify([from, to])}`);
  }
});

Deno.test("compareMeasurements() returns unknown without a spread, or with fewer than five samples", () => {
  const spread = { samples: 4, min: 1, p5: 1, p95: 1, max: 1 };
  const { spread: _none, ...bare } = measured(10, 1);
  assertEquals(compareMeasurements(bare, measured(100, 1)), "unknown");
  assertEquals(compareMeasurements(measured(100, 1), bare), "unknown");
  assertEquals(compareMeasurements(measured(1, 0, { spread }), measured(9, 0)), "unknown");
  assertEquals(compareMeasurements(measured(9, 0), measured(1, 0, { spread })), "unknown");
});

Deno.test("moreIsBetter() is true for rates and ratios, and false for costs", () => {
  for (const unit of ["MB/s", "GB/s", "1/s", "ratio"]) assertEquals(moreIsBetter(unit), true);
  for (const unit of ["µs", "ns", "s", "%", "B/B", "B", ""]) {
    assertEquals(moreIsBetter(unit), false);
  }
});

Deno.test("compareResults() distinguishes regressions, lost cases and other changes", () => {
  const outcomes: [from: Outcome, to: Outcome | null, change: Change][] = [
    ["PASS", "FAIL", "worse"],
    ["PASS", "TIMEOUT", "worse"],
    ["PASS", "ERROR", "worse"],
    ["SKIP", "FAIL", "worse"],
    ["XFAIL", "FAIL", "worse"],
    ["XFAIL", "XPASS", "worse"],
    ["PASS", "SKIP", "lost"],
    ["XFAIL", "SKIP", "lost"],
    ["PASS", null, "lost"],
    ["XFAIL", null, "lost"],
    ["FAIL", null, "changed"],
    ["SKIP", null, "changed"],
    ["FAIL", "PASS", "changed"],
    ["FAIL", "TIMEOUT", "changed"],
    ["XPASS", "XFAIL", "changed"],
  ];
  for (const [from, to, change] of outcomes) {
    const now = to === null ? results() : results(test("a", to));
    const found = compareResults(results(test("a", from)), now);
    assertEquals(found.outcomes.map((one) => one.change), [change], `${from} to ${to}`);
    const counts = [change === "worse" ? 1 : 0, change === "lost" ? 1 : 0];
    assertEquals([found.regressions, found.lost], counts, `${from} to ${to}`);
  }
  const same = compareResults(results(test("a", "FAIL")), results(test("a", "FAIL")));
  assertEquals([same.outcomes.length, same.regressions, same.lost], [0, 0, 0]);
});

Deno.test("compareResults() lists lost cases and new failures, the worst change first", () => {
  const base = results(test("gone", "PASS"), test("fixed", "FAIL"), test("broken", "PASS"));
  const now = results(
    test("fixed", "PASS"),
    test("new", "FAIL"),
    test("also new", "PASS"),
    test("broken", "FAIL"),
  );
  const { outcomes, regressions, lost } = compareResults(base, now);
  assertEquals(outcomes.map(({ name, from, to, change }) => [name, from, to, change]), [
    ["broken", "PASS", "FAIL", "worse"],
    ["gone", "PASS", null, "lost"],
    ["new", null, "FAIL", "new"],
    ["fixed", "FAIL", "PASS", "changed"],
  ]);
  assertEquals([regressions, lost], [1, 1]);
});

Deno.test("compareResults() lists lost measurements only of cases that ended as expected", () => {
  const { spread: _spread, ...bare } = measured(3, 1, { name: "bare" });
  const base = results(test("a", "PASS", [measured(100, 1), counted(2), bare]));
  const found = compareResults(base, results(test("a", "PASS")));
  assertEquals(found.measurements.map(({ from, to, change }) => [from.name, to, change]), [
    ["throughput", null, "lost"],
    ["bytes synced per byte", null, "lost"],
  ]);
  assertEquals([found.regressions, found.lost], [0, 2]);
  for (const outcome of ["FAIL", "SKIP"] as const) {
    assertEquals(compareResults(base, results(test("a", outcome))).measurements, [], outcome);
  }
});

Deno.test("compareResults() compares measurements with the same conditions only", () => {
  const at = (size: number, value: number): Measurement => measured(value, 1, { at: { size } });
  const base = results(test("a", "PASS", [at(64, 100), at(4096, 500), measured(7, 1)]));
  const swapped = measured(500, 1, { at: { size: 4096 } });
  const now = results(test("a", "PASS", [swapped, at(64, 50), at(128, 1), measured(70, 1)]));
  const found = compareResults(base, now);
  assertEquals(found.judged, 3);
  assertEquals(found.measurements.map(({ from, to, change }) => [from.value, to?.value, change]), [
    [100, 50, "worse"],
    [7, 70, "better"],
  ]);
  // the order of the keys does not matter
  const two = (at: Record<string, number>): Results =>
    results(test("a", "PASS", [measured(1, 0, { at })]));
  assertEquals(compareResults(two({ a: 1, b: 2 }), two({ b: 2, a: 1 })).judged, 1);
});

Deno.test("compareResults() counts changes of unknown noise, and lists the largest", () => {
  const bare = (value: number, size: number, unit: string): Measurement => {
    const { spread: _spread, ...rest } = measured(value, 0, { at: { size }, unit });
    return rest;
  };
  const run = (...values: number[]): Results =>
    results(test("a", "PASS", values.map((value, i) => bare(value, i, i < 4 ? "MB/s" : "%"))));
  const found = compareResults(run(1, 10, 100, 5, 0, 1, 9), run(3, 11, 10, 5, 2, 1.5, 90));
  assertEquals([found.judged, found.unjudged, found.measurements.length], [0, 6, 0]);
  // a share that was 0 is not the largest change
  assertEquals(found.largestUnjudged.map(({ from, change }) => [from.value, change]), [
    [100, "unjudged"],
    [9, "unjudged"],
    [1, "unjudged"],
    [10, "unjudged"],
    [0, "unjudged"],
  ]);
});

Deno.test("compareResults() does not count a change of the machine as a regression", () => {
  const at = { memory: "ordinary", size: 64 };
  const run = (value: number): Results =>
    results(test("a", "PASS", [
      measured(value, 1, { name: "memcpy" }),
      measured(value, 1, { name: "cpu access", at }),
      measured(value, 1, { name: "cpu access", at: { ...at, memory: "block" } }),
    ]));
  const { measurements, regressions } = compareResults(run(100), run(50));
  assertEquals(measurements.map(({ change }) => change), ["worse", "machine", "machine"]);
  assertEquals(regressions, 1);
});

Deno.test("compareResults() lists other differences between the runs", () => {
  const base = results();
  const environment = { "load average": "1", "CPU frequency (MHz)": 1200, "CPU governor": "a" };
  const before = { ...base, environment: { ...environment, machine: null } };
  const now: Results = {
    ...base,
    board: { ...base.board, kernel: "6.12", coherent: true, bus: "adversarial" },
    environment: {
      ...{ "load average": "2", "CPU frequency (MHz)": 600, "CPU governor": "b" },
      ...{ "module pldma": "0.1.0", "kernel command line": "x".repeat(5000) },
    },
  };
  assertEquals(compareResults(before, now).differences, [
    "kernel: unknown in the base, 6.12 now",
    "coherent: unknown in the base, true now",
    "bus: unknown in the base, adversarial now",
    "CPU governor: a in the base, b now",
    "module pldma: unknown in the base, 0.1.0 now",
    `kernel command line: unknown in the base, ${"x".repeat(399)}… now`,
  ]);
  assertEquals(compareResults(before, before).differences, []);
});
