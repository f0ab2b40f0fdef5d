// SPDX-License-Identifier: MIT
import { assertEquals } from "@std/assert";
import type { Measurement, TestResult } from "../results/schema.ts";
import { collectFigures, pointsAt } from "./figures.ts";
import { exampleResults } from "./testing/example.ts";

function test(
  policy: string | null,
  params: NonNullable<TestResult["params"]>,
  ...measurements: Measurement[]
): TestResult {
  const base = { suite: "s", name: "a", outcome: "PASS" as const, reason: null };
  return { ...base, seconds: 1, frames: 1, bytes: 1, faults: [], policy, params, measurements };
}

function figure(name: string, value: number, at?: Measurement["at"]): Measurement {
  return { name, value, unit: "MB/s", limit: null, ...(at === undefined ? {} : { at }) };
}

Deno.test("collectFigures() makes a panel of what differs in anything but size and policy", () => {
  const at = (direction: string, touched: boolean) => ({ size: 64, direction, touched, depth: 1 });
  const { figures } = collectFigures({
    tests: [
      test("none", {}, figure("throughput", 1, at("rx", true))),
      test("coherent", {}, figure("throughput", 2, at("rx", true))),
      test("coherent", {}, figure("throughput", 3, at("tx", false))),
    ],
  });
  assertEquals(figures.length, 1);
  assertEquals(figures[0]?.panels.map(({ title, series }) => [title, series]), [
    ["transmit, data untouched, one at a time", ["coherent"]],
    ["receive, data touched, one at a time", ["coherent", "none"]],
  ]);
});

Deno.test("collectFigures() draws one line through a queue that is full, however deep it is", () => {
  const { figures } = collectFigures({
    tests: [
      test("coherent", { depth: "max" }, figure("throughput", 1, { size: 64, depth: 63 })),
      test("coherent", { depth: "max" }, figure("throughput", 2, { size: 4096, depth: 7 })),
      test("coherent", { depth: 2 }, figure("throughput", 3, { size: 64, depth: 2 })),
    ],
  });
  assertEquals(figures[0]?.panels.map(({ title, sizes }) => [title, sizes]), [
    ["queue full", [64, 4096]],
    ["depth 2", [64]],
  ]);
});

Deno.test("collectFigures() sorts sync calls under their policy, and ordinary memory beside blocks", () => {
  const { figures } = collectFigures(exampleResults());
  const sync = figures.find(({ name }) => name === "sync call");
  assertEquals(sync?.panels.map(({ title }) => title).slice(0, 2), ["coherent", "write-combine"]);
  assertEquals(sync?.panels[0]?.series, [
    "for_device tx",
    "for_cpu tx",
    "for_device rx",
    "for_cpu rx",
  ]);
  const access = figures.find(({ name }) => name === "cpu access");
  assertEquals(access?.panels.map(({ title }) => title), ["byte read", "memcpy out"]);
  assertEquals(access?.panels[0]?.series.at(-1), "ordinary memory");
});

Deno.test("collectFigures() keeps a bench's short verified loops apart, by suite", () => {
  const short = test("none", { size: 64, depth: 1 }, figure("throughput", 5));
  const long = test("none", {}, figure("throughput", 7, { size: 64 }));
  const found = (...tests: TestResult[]) =>
    collectFigures({ tests }).figures.flatMap(({ name, panels }) =>
      panels.map(({ title, points }) => [name, title, points.map((one) => one.measurement.value)])
    );
  assertEquals(found(short, { ...short, suite: "t" }, long), [
    ["throughput of short loops", "one at a time, suite s", [5]],
    ["throughput of short loops", "one at a time, suite t", [5]],
    ["throughput", "", [7]],
  ]);
  assertEquals(found(short), [["throughput", "one at a time", [5]]]);
});

Deno.test("pointsAt() finds the figures of a cell, and no percentile among them", () => {
  const panel = collectFigures(exampleResults()).figures
    .find(({ name }) => name === "completion latency")?.panels[0];
  assertEquals(panel === undefined ? 0 : pointsAt(panel, 4096, "streaming").length, 1);
  assertEquals(panel === undefined ? 0 : pointsAt(panel, 4097, "streaming").length, 0);
});

Deno.test("collectFigures() counts what is too much for a page", () => {
  const names = Array.from({ length: 100 }, (_, i) => figure(`figure ${i}`, i, { size: 64 }));
  const many = Array.from({ length: 5000 }, (_, i) => figure("x", i, { size: i % 60 }));
  const wide = Array.from({ length: 100 }, (_, i) => figure("x", i, { policy: `p${i}`, size: 64 }));
  const omitted = (measurements: Measurement[]) =>
    collectFigures({ tests: [test("none", {}, ...measurements)] }).omitted;
  assertEquals(omitted(names), 52);
  assertEquals(omitted(many), 5000 - 4096);
  assertEquals(omitted(wide), 76);
});
