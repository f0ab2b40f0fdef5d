// SPDX-License-Identifier: MIT
// The suite litmus on the simulated board: no program shows a forbidden outcome, and a driver that makes a
// mistake is named with the program, its outcome and what was allowed.
import { assert, assertEquals, assertGreater, assertMatch } from "@std/assert";
import { Device } from "../../../driver/device.ts";
import { SimBoard, type SimOptions } from "../../../fixtures/boards/sim/mod.ts";
import type { Kind } from "../../suites/coherence/expected.ts";
import { LAYOUTS, LitmusBench } from "../../suites/coherence/generated/bench.ts";
import { generatedTests } from "../../suites/coherence/generated/enumerate.ts";
import { Histogram, lostPower, MACHINES_OF } from "../../suites/coherence/generated/judge.ts";
import { parseProgram } from "../../suites/coherence/generated/program.ts";
import { runOnSim } from "../coherence/testing/run_on_sim.ts";

/** Runs every program once in each layout. */
function runAll(kind: Kind, options: SimOptions): { histogram: Histogram; faults: string[] } {
  using board = new SimBoard(options);
  using device = Device.open({ syscalls: board });
  using bench = new LitmusBench(device, options.seed, { timeoutMs: 10_000 });
  const histogram = new Histogram(MACHINES_OF[kind]);
  const faults: string[] = [];
  for (const layout of LAYOUTS) {
    for (const program of generatedTests()) {
      for (const { detail } of histogram.add(program, bench.run(program, layout))) {
        faults.push(detail);
      }
    }
  }
  return { histogram, faults };
}

for (
  const [what, kind, options] of [
    ["caches, seed 1", "sim", { seed: 1 }],
    ["caches, seed 2", "sim", { seed: 2 }],
    ["caches that draw evenly", "sim", {
      seed: 3,
      cache: { staleRead: 128, staleWrite: 128, evict: 128 },
    }],
    ["bounce buffers", "swiotlb", { seed: 1, bounce: true }],
    ["a coherent device", "coherent", { seed: 1, coherent: true }],
  ] as const
) {
  Deno.test(`no generated litmus program shows a forbidden outcome on sim with ${what}`, () => {
    const { histogram, faults } = runAll(kind, options);
    assertEquals(faults, []);
    assertEquals([histogram.programs, histogram.runs], [17_981, 3 * 17_981]);
    assertEquals(lostPower(kind, histogram), null);
    if (kind === "coherent") assertEquals(histogram.powerful, 0);
    else assertGreater(histogram.powerful, 10_000);
  });
}

Deno.test("caches that draw evenly show more of the allowed outcomes, and never all alike", () => {
  const even = runAll("sim", { seed: 3, cache: { staleRead: 128, staleWrite: 128, evict: 128 } });
  const usual = runAll("sim", { seed: 3 });
  assertGreater(even.histogram.states, usual.histogram.states);
  assert(even.histogram.states <= even.histogram.allowed);
});

Deno.test("a sim without caches has lost its power", () => {
  const { histogram } = runAll("coherent", { seed: 1, coherent: true });
  assertMatch(lostPower("sim", histogram) ?? "", /have lost their power$/);
});

Deno.test("Histogram.add() names the program, the outcome and what was allowed", () => {
  const histogram = new Histogram(["arm64"]);
  const program = parseProgram("tx x, rx y | Sx Dx Rx Wy Cy Ly");
  const run = (...words: string[][]) =>
    histogram.add(program, words.map((each, line) => ({ line, words: each }))).map((fault) =>
      `${fault.kind} ${fault.blame}: ${fault.detail}`
    );
  assertEquals(run(["1"], ["0"]), []);
  assertEquals(run(["1"], ["1", "0"]), [], "words of a line may differ");
  assertEquals(run(["0"], ["1"]), [
    "stale-tx tx: tx x, rx y | Sx Dx Rx Wy Cy Ly: line x showed 0, which arm64 forbids. Allowed: 1",
  ]);
  assertEquals(run(["?"], ["1"])[0]?.slice(0, 13), "foreign null:");
  assertEquals(histogram.text().split("\n").slice(0, 6), [
    "tx x, rx y | Sx Dx Rx Wy Cy Ly",
    "Histogram (4 of 2 states)",
    "1     *> x=1 y=0",
    "1     *> x=1 y=1/0",
    "1     *> x=0 y=1",
    "1     *> x=? y=1",
  ]);
});

const runSuite = (...args: string[]) => runOnSim("litmus", ...args);

Deno.test("the suite litmus samples by seed, and says how many programs ran", () => {
  const { code, results, text } = runSuite("--frames=100", "--seed=7");
  assertEquals(code, 0, text);
  assertEquals(results.tests.map(({ name, notes }) => `${name}: ${notes?.join()}`), [
    "programs on tx: 100 of 1750 programs on tx ran",
    "programs on rx: 100 of 991 programs on rx ran",
    "programs on tx+tx: 100 of 7881 programs on tx+tx ran",
    "programs on tx+rx: 100 of 6389 programs on tx+rx ran",
    "programs on rx+rx: 100 of 970 programs on rx+rx ran",
  ]);
});

for (const [direction, op] of [["tx", "for-device"], ["rx", "for-device"], ["rx", "for-cpu"]]) {
  Deno.test(`the suite litmus names a driver that leaves ${direction} ${op} out`, () => {
    const fault = `--fault=kind=sync-skip direction=${direction} op=${op} rate=1`;
    const { code, results } = runSuite("--frames=400", fault);
    assertEquals(code, 1);
    const failed = results.tests.filter(({ outcome }) => outcome === "FAIL");
    assertGreater(failed.length, 0);
    for (const { name, faults } of failed) {
      assertMatch(name, new RegExp(`\\b${direction}\\b`));
      assertMatch(
        faults[0]?.detail ?? "",
        / \| .*: line [xy] showed .*, which arm forbids\. Allowed: /,
      );
    }
  });
}

Deno.test("the suite litmus names a frame that comes short, and its program", () => {
  // frame 0 of a bench fills the ranges, and the others are lines of programs
  for (const [frame, size] of [[0, 16_384], [3, 64]] as const) {
    const { code, results } = runSuite("--frames=40", `--fault=kind=drop frame=${frame}`);
    assertEquals(code, 1);
    for (const { name, outcome, faults } of results.tests) {
      assertEquals([name, outcome, faults.length], [name, "FAIL", 1]);
      const { kind, blame, offset, length, detail } = faults[0] ?? {};
      assertEquals([kind, blame, offset, length], ["truncated", "core", size - 8, 8]);
      assertMatch(detail ?? "", new RegExp(` \\| .*: ${size - 8} of ${size} bytes arrived$`));
    }
  }
});
