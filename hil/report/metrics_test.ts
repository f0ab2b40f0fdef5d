// SPDX-License-Identifier: MIT
import { assertEquals } from "@std/assert";
import type { Measurement, TestResult } from "../results/schema.ts";
import { collectMetrics, pointsAt } from "./metrics.ts";
import { exampleResults } from "./testing/example.ts";

function test(
  policy: string | null,
  params: NonNullable<TestResult["params"]>,
  ...measurements: Measurement[]
): TestResult {
  const base = { suite: "s", name: "a", outcome: "PASS" as const, reason: null };
  return { ...base, seconds: 1, frames: 1, bytes: 1, faults: [], policy, params, measurements };
}

function measurement(name: string, value: number, at?: Measurement["at"]): Measurement {
  return { name, value, unit: "MB/s", limit: null, ...(at === undefined ? {} : { at }) };
}

Deno.test("collectMetrics() makes a panel for each combination of conditions but size and policy", () => {
  const at = (direction: string, touched: boolean) => ({ size: 64, direction, touched, depth: 1 });
  const { metrics } = collectMetrics({
    tests: [
      test("none", {}, measurement("throughput", 1, at("rx", true))),
      test("coherent", {}, measurement("throughput", 2, at("rx", true))),
      test("coherent", {}, measurement("throughput", 3, at("tx", false))),
    ],
  });
  assertEquals(metrics.length, 1);
  assertEquals(metrics[0]?.panels.map(({ title, series }) => [title, series]), [
    ["transmit, data not accessed, one at a time", ["coherent"]],
    ["receive, data accessed, one at a time", ["coherent", "none"]],
  ]);
});

Deno.test("collectMetrics() puts full queues of any depth into one panel", () => {
  const { metrics } = collectMetrics({
    tests: [
      test("coherent", { depth: "max" }, measurement("throughput", 1, { size: 64, depth: 63 })),
      test("coherent", { depth: "max" }, measurement("throughput", 2, { size: 4096, depth: 7 })),
      test("coherent", { depth: 2 }, measurement("throughput", 3, { size: 64, depth: 2 })),
    ],
  });
  assertEquals(metrics[0]?.panels.map(({ title, sizes }) => [title, sizes]), [
    ["queue full", [64, 4096]],
    ["depth 2", [64]],
  ]);
});

Deno.test("collectMetrics() groups sync calls by policy, and adds ordinary memory as a series", () => {
  const { metrics } = collectMetrics(exampleResults());
  const sync = metrics.find(({ name }) => name === "sync call");
  assertEquals(sync?.panels.map(({ title }) => title).slice(0, 2), ["coherent", "write-combine"]);
  assertEquals(sync?.panels[0]?.series, [
    "for_device tx",
    "for_cpu tx",
    "for_device rx",
    "for_cpu rx",
  ]);
  const access = metrics.find(({ name }) => name === "cpu access");
  assertEquals(access?.panels.map(({ title }) => title), ["byte read", "memcpy out"]);
  assertEquals(access?.panels[0]?.series.at(-1), "ordinary memory");
});

Deno.test("collectMetrics() separates the short verified loops of a benchmark, by suite", () => {
  const short = test("none", { size: 64, depth: 1 }, measurement("throughput", 5));
  const long = test("none", {}, measurement("throughput", 7, { size: 64 }));
  const found = (...tests: TestResult[]) =>
    collectMetrics({ tests }).metrics.flatMap(({ name, panels }) =>
      panels.map(({ title, points }) => [name, title, points.map((one) => one.measurement.value)])
    );
  assertEquals(found(short, { ...short, suite: "t" }, long), [
    ["throughput of short loops", "one at a time, suite s", [5]],
    ["throughput of short loops", "one at a time, suite t", [5]],
    ["throughput", "", [7]],
  ]);
  assertEquals(found(short), [["throughput", "one at a time", [5]]]);
});

Deno.test("pointsAt() finds the points of a cell, but no percentile", () => {
  const panel = collectMetrics(exampleResults()).metrics
    .find(({ name }) => name === "completion latency")?.panels[0];
  assertEquals(panel === undefined ? 0 : pointsAt(panel, 4096, "streaming").length, 1);
  assertEquals(panel === undefined ? 0 : pointsAt(panel, 4097, "streaming").length, 0);
});

Deno.test("collectMetrics() counts the measurements that are too many for a page", () => {
  const names = Array.from({ length: 100 }, (_, i) => measurement(`metric ${i}`, i, { size: 64 }));
  const many = Array.from({ length: 5000 }, (_, i) => measurement("x", i, { size: i % 60 }));
  const wide = Array.from(
    { length: 100 },
    (_, i) => measurement("x", i, { policy: `p${i}`, size: 64 }),
  );
  const omitted = (measurements: Measurement[]) =>
    collectMetrics({ tests: [test("none", {}, ...measurements)] }).omitted;
  assertEquals(omitted(names), 52);
  assertEquals(omitted(many), 5000 - 4096);
  assertEquals(omitted(wide), 76);
});
