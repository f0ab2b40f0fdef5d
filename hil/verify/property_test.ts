// SPDX-License-Identifier: MIT
/**
 * Holds the classifier against damage that is known, at random; see `testing/damage.ts`.
 *
 * PLUMBLINE_SEED draws other cases, PLUMBLINE_FULL=1 ten times as many.
 */

import { assert } from "@std/assert";
import { PATTERN_NAMES } from "../patterns/mod.ts";
import { type Score, score } from "./testing/trial.ts";

/**
 * Pairs of damages that the classifier was developed without: they say how well it does on what nobody
 * tried before.
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

/** Patterns whose frames differ from each other in every few bytes. */
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

function show(name: string, total: Score, wrong: readonly string[]): string {
  const { cases, damages, named, placed, blamed, surplus, foreign } = total;
  const share = (count: number) => `${(100 * count / damages).toFixed(1)} %`;
  const text =
    `seed ${seed}, ${name}: ${cases} frames, ${damages} damages, named ${share(named)}, ` +
    `extent exact ${share(placed)}, blamed ${share(blamed)}, ` +
    `${surplus} faults too many, ${foreign} wrongly foreign`;
  console.log(text);
  return [text, ...wrong.slice(0, 5)].join("\n");
}

function hold(
  name: string,
  trials: Omit<Parameters<typeof score>[0], "wrong">,
  least: { named: number; placed: number; blamed: number; surplus: number },
): void {
  const wrong: string[] = [];
  const { total } = score({ ...trials, wrong: (text) => wrong.push(text) });
  const text = show(name, total, wrong);
  assert(total.cases === trials.cases && total.damages >= 0.9 * trials.cases, text);
  assert(total.named >= least.named * total.damages, text);
  assert(total.placed >= least.placed * total.damages, text);
  assert(total.blamed >= least.blamed * total.damages, text);
  assert(total.surplus <= least.surplus * total.damages, text);
}

Deno.test("classify() names, places and blames what was done to frames of tagged words", () => {
  const trials = { seed, cases: 6500 * times, patterns: ["tagged"], pairs: { without: HELD_OUT } };
  hold("tagged", trials, { named: 0.97, placed: 0.96, blamed: 0.97, surplus: 0.02 });
});

Deno.test("classify() does so for patterns whose words do not say where they belong", () => {
  const trials = {
    seed: seed + 1,
    cases: 2000 * times,
    patterns: RICH,
    pairs: { without: HELD_OUT },
  };
  hold("other patterns", trials, { named: 0.95, placed: 0.95, blamed: 0.95, surplus: 0.03 });
});

Deno.test("classify() does nearly so where bytes repeat after few, or hardly differ between frames", () => {
  const patterns = ["prbs7", "walking-ones", "walking-zeros", "counter8", "video"];
  const trials = { seed: seed + 5, cases: 500 * times, patterns, pairs: { without: HELD_OUT } };
  hold("poor patterns", trials, { named: 0.9, placed: 0.92, blamed: 0.95, surplus: 0.12 });
});

Deno.test("classify() does so for pairs of faults that it was developed without", () => {
  const trials = {
    seed: seed + 2,
    cases: 1000 * times,
    patterns: ["tagged"],
    pairs: { only: HELD_OUT },
  };
  hold("held-out pairs", trials, { named: 0.95, placed: 0.9, blamed: 0.95, surplus: 0.05 });
});

Deno.test("classify() without check values names by shape, and blames rightly or not at all", () => {
  const pairs = { without: HELD_OUT };
  const trials = { seed: seed + 3, cases: 500 * times, patterns: ["tagged"], pairs, blind: true };
  // a frame that a cache hides whole and one that was never written are alike then
  hold("no check values", trials, { named: 0.9, placed: 0.95, blamed: 0.95, surplus: 0.05 });
});

Deno.test("classify() finds a fault in every damaged frame of every pattern", () => {
  for (const name of PATTERN_NAMES) {
    const trials = { seed: seed + 4, cases: 20 * times, patterns: [name], pairs: { without: [] } };
    score(trials); // throws where a damaged frame has no fault
  }
});
