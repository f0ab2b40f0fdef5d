// SPDX-License-Identifier: MIT
/**
 * Classifies frames with known random damages; see `testing/damage.ts`.
 *
 * `PLUMBLINE_SEED` draws other frames. `PLUMBLINE_FULL=1` draws ten times as many.
 */

import { assert } from "@std/assert";
import { PATTERN_NAMES } from "../patterns/mod.ts";
import { type Score, score } from "./testing/trial.ts";

/**
 * Pairs of damages that were not used while the classifier was developed. They show how well it classifies
 * what it was not developed for.
 */
const HELD_OUT = [
  "lost beat + stale-rx lines",
  "doubled beat + flip rx",
  "stale-tx lines + stale-rx lines",
  "lanes swapped + flip core",
  "torn middle + short",
  "flip tx + hole",
  "lost beats + doubled beat",
  "stuck bit + stale-rx lines",
];

const seed = Number(Deno.env.get("PLUMBLINE_SEED") ?? 20_260_401);
const times = Deno.env.get("PLUMBLINE_FULL") === "1" ? 10 : 1;

/** Patterns whose frames differ from each other every few bytes. */
const RICH = [
  "prbs15",
  "prbs23",
  "prbs31",
  "counter16",
  "counter32",
  "counter64",
  "address",
  "random",
];

function summarize(name: string, total: Score, wrong: readonly string[]): string {
  const { cases, damages, named, placed, blamed, surplus, foreign } = total;
  const share = (count: number) => `${(100 * count / damages).toFixed(1)} %`;
  const text =
    `seed ${seed}, ${name}: ${cases} frames, ${damages} damages, named ${share(named)}, ` +
    `extent exact ${share(placed)}, blamed ${share(blamed)}, ` +
    `${surplus} surplus faults, ${foreign} wrongly foreign`;
  console.log(text);
  return [text, ...wrong.slice(0, 5)].join("\n");
}

function assertScore(
  name: string,
  trials: Omit<Parameters<typeof score>[0], "wrong">,
  least: { named: number; placed: number; blamed: number; surplus: number },
): void {
  const wrong: string[] = [];
  const { total } = score({ ...trials, wrong: (text) => wrong.push(text) });
  const text = summarize(name, total, wrong);
  assert(total.cases === trials.cases && total.damages >= 0.9 * trials.cases, text);
  assert(total.named >= least.named * total.damages, text);
  assert(total.placed >= least.placed * total.damages, text);
  assert(total.blamed >= least.blamed * total.damages, text);
  assert(total.surplus <= least.surplus * total.damages, text);
}

Deno.test("classify() names, locates and blames damages of tagged frames", () => {
  const trials = { seed, cases: 6500 * times, patterns: ["tagged"], pairs: { without: HELD_OUT } };
  assertScore("tagged", trials, { named: 0.97, placed: 0.96, blamed: 0.97, surplus: 0.02 });
});

Deno.test("classify() names, locates and blames damages of frames whose words do not identify themselves", () => {
  const trials = {
    seed: seed + 1,
    cases: 2000 * times,
    patterns: RICH,
    pairs: { without: HELD_OUT },
  };
  assertScore("other patterns", trials, { named: 0.95, placed: 0.95, blamed: 0.95, surplus: 0.03 });
});

Deno.test("classify() names, locates and blames most damages of frames that repeat soon or hardly differ", () => {
  const patterns = ["prbs7", "walking-ones", "walking-zeros", "counter8", "video"];
  const trials = { seed: seed + 5, cases: 500 * times, patterns, pairs: { without: HELD_OUT } };
  assertScore("poor patterns", trials, { named: 0.9, placed: 0.92, blamed: 0.95, surplus: 0.12 });
});

Deno.test("classify() names, locates and blames pairs of damages that it was not developed with", () => {
  const trials = {
    seed: seed + 2,
    cases: 1000 * times,
    patterns: ["tagged"],
    pairs: { only: HELD_OUT },
  };
  assertScore("held-out pairs", trials, { named: 0.95, placed: 0.9, blamed: 0.95, surplus: 0.05 });
});

Deno.test("classify() without check values names damages by their shape, and seldom blames the wrong part", () => {
  const pairs = { without: HELD_OUT };
  const trials = {
    seed: seed + 3,
    cases: 500 * times,
    patterns: ["tagged"],
    pairs,
    unchecked: true,
  };
  // then a frame that a cache hides entirely looks like one that was never written
  assertScore("no check values", trials, { named: 0.9, placed: 0.95, blamed: 0.95, surplus: 0.05 });
});

Deno.test("classify() finds a fault in every damaged frame of every pattern", () => {
  for (const name of PATTERN_NAMES) {
    const trials = { seed: seed + 4, cases: 20 * times, patterns: [name], pairs: { without: [] } };
    score(trials); // throws if a damaged frame has no fault
  }
});
