// SPDX-License-Identifier: MIT
/**
 * Recommends a policy for each use of the frames, from the measurements of a run.
 *
 * The cost of a policy depends on the use, so each use has its own ranking:
 *
 * - `transmit, written once`: the CPU fills a frame, and the design receives it.
 * - `receive, read once`: the design sends a frame, and the CPU reads all of it.
 * - `receive, read often`: the CPU reads such a frame {@linkcode READS} times. The cost is computed from
 *   the throughput of the second use, and from how fast the CPU reads a block.
 *
 * Policies are ranked by payload per second. If the samples do not show which of two policies is faster,
 * the one that needs less processor time is better. If that is equal too, the first in the list of
 * policies is better. These policies are not ranked: `none`, because it damages data; `manual`, because
 * its cost depends on the program; a policy with a failed case; a policy whose throughput at this size
 * could not be measured; and an alias of another policy.
 *
 * @module
 */

import { POLICIES, type PolicyName } from "../../driver/uapi.ts";
import type { Advice, Crossover, Measurement, Results, TestResult } from "./schema.ts";
import { formatBytes, formatNumber } from "../text/format.ts";
import { uncertainty } from "./statistics.ts";

/** How often the CPU reads a frame of the use `receive, read often`. */
export const READS = 8;

/** The uses of frames. */
export const USES = [
  "transmit, written once",
  "receive, read once",
  "receive, read often",
] as const;

/** The name of a use. */
export type Use = typeof USES[number];

/** Policies that are never recommended. */
const NEVER: readonly string[] = ["none", "manual", "dma-buf"];

/** Pairs of policies for which a crossover is reported: the first may be faster for large frames. */
const RIVALS: readonly (readonly [PolicyName, PolicyName])[] = [
  ["streaming", "bounce"],
  ["streaming-lazy", "streaming"],
  ["coherent", "bounce"],
  ["coherent", "streaming"],
  ["coherent", "streaming-lazy"],
];

/** Processor times whose ratio is above this are equal: getrusage() counts ticks on some kernels. */
const EQUAL_CPU = 0.95;

/** The measurements of a policy for one use at one size. */
interface Entry {
  readonly policy: string;
  /** The throughput of payload in MB/s. */
  readonly rate: number;
  /** The uncertainty of the rate in MB/s. */
  readonly uncertainty: number;
  /** The processor time per frame in µs, or null if it was not measured. */
  readonly cpu: number | null;
  /** The time to hand a frame over in µs, or null if it was not measured. */
  readonly handover: number | null;
  /** The rate at which the CPU reads a block in MB/s, or null if it was not measured. */
  readonly reading: number | null;
}

/** The part of the results that this module needs. */
type Measured = Pick<Results, "tests" | "board">;

/**
 * Adds the recommended policies and the crossovers to the results of a benchmark.
 *
 * @param results The results
 * @returns The results with `advice` and `crossovers`, or unchanged if they hold no benchmark
 */
export function withAdvice<R extends Results>(results: R): R {
  const advice = advise(results);
  return advice.length === 0
    ? results
    : { ...results, advice, crossovers: findCrossovers(results) };
}

/**
 * Recommends policies.
 *
 * @param results The results
 * @returns One recommendation for each use and measured size; none without a benchmark
 */
export function advise(results: Measured): Advice[] {
  const simulated = results.board.simulated ? "SIMULATED, says nothing about hardware: " : "";
  return USES.flatMap((use) => {
    const table = entries(results, use);
    return [...table].map(([size, all]): Advice => {
      const ranked = rank(all);
      const [best, next] = ranked;
      return {
        use,
        size,
        policy: best?.policy ?? null,
        value: best?.rate ?? null,
        unit: "MB/s",
        runnerUp: next?.policy ?? null,
        ratio: best === undefined || next === undefined || equal(best, next)
          ? null
          : best.rate / next.rate,
        why: [simulated + explain(use, size, best, next), ...notRanked(results.tests, size)]
          .join("; "),
      };
    });
  });
}

/**
 * Finds the sizes from which on one policy is faster than another.
 *
 * @param results The results
 * @returns One crossover for each use and each pair of rivals that were both measured
 */
export function findCrossovers(results: Measured): Crossover[] {
  return USES.flatMap((use) => {
    const table = [...entries(results, use)];
    return RIVALS.flatMap(([faster, than]): Crossover[] => {
      const sizes: number[] = [];
      const won: number[] = [];
      for (const [size, all] of table) {
        const one = all.find(({ policy }) => policy === faster);
        const other = all.find(({ policy }) => policy === than);
        if (one === undefined || other === undefined) continue;
        sizes.push(size);
        if (one.rate > other.rate && !equal(one, other)) won.push(size);
      }
      if (sizes.length === 0) return [];
      const lost = sizes.filter((size) => !won.includes(size));
      const from = won.find((size) => lost.every((other) => other < size)) ?? null;
      const where = won.length === 0
        ? "at no measured size"
        : lost.length === 0
        ? "at every measured size"
        : from !== null && won[0] === from
        ? `from ${formatBytes(from)} on`
        : `at ${won.map(formatBytes).join(", ")}`;
      return [{ use, faster, than, from, detail: `${faster} beats ${than} ${where}` }];
    });
  });
}

/** Sorts policies, the best first. */
function rank(all: readonly Entry[]): Entry[] {
  const left = all.toSorted((a, b) =>
    POLICIES.indexOf(a.policy as PolicyName) - POLICIES.indexOf(b.policy as PolicyName)
  );
  const ranked: Entry[] = [];
  while (left.length > 0) {
    // equality is not transitive: the best must be equal to every policy that is faster
    const best = left.filter((one) =>
      !left.some((other) => other.rate > one.rate && !equal(one, other))
    ).reduce((best, one) =>
      best.cpu !== null && one.cpu !== null && one.cpu < best.cpu * EQUAL_CPU ? one : best
    );
    ranked.push(...left.splice(left.indexOf(best), 1));
  }
  return ranked;
}

/** Whether the samples do not show which of two policies is faster. */
function equal(a: Entry, b: Entry): boolean {
  return Math.abs(a.rate - b.rate) <= Math.hypot(a.uncertainty, b.uncertainty);
}

function explain(
  use: Use,
  size: number,
  best: Entry | undefined,
  next: Entry | undefined,
): string {
  if (best === undefined) return "no measured policy can be recommended";
  if (next === undefined) return "no other measured policy can be recommended";
  if (equal(best, next)) {
    const same = `the samples show no difference to ${next.policy}`;
    if (best.cpu === null || next.cpu === null || best.cpu >= next.cpu * EQUAL_CPU) return same;
    return `${same}, but ${best.policy} needs less processor time per frame: ` +
      `${formatNumber(best.cpu)} µs instead of ${formatNumber(next.cpu)} µs`;
  }
  const longer = size / next.rate - size / best.rate;
  const takes = `${next.policy} takes ${formatNumber(longer)} µs longer per frame`;
  const handing = (next.handover ?? 0) - (best.handover ?? 0);
  if (handing > longer / 4) {
    return `${takes}, ${formatNumber(handing)} µs of it to hand the frame over`;
  }
  const isSlow = best.reading !== null && next.reading !== null &&
    best.reading > next.reading * 1.25;
  if (isSlow && use !== "transmit, written once") {
    const factor = formatNumber((best.reading ?? NaN) / (next.reading ?? NaN));
    return `${takes}, because the CPU reads its blocks ${factor} times as slowly`;
  }
  return takes;
}

/** The policies with a failed case in any suite. */
function failed(tests: readonly TestResult[]): Set<string | null> {
  return new Set(
    tests.filter(({ outcome }) => outcome === "FAIL" || outcome === "TIMEOUT")
      .map(({ policy }) => policy),
  );
}

/** The cases whose throughput could not be measured. They say nothing about other sizes. */
function unmeasured(tests: readonly TestResult[]): TestResult[] {
  return tests.filter(({ suite, outcome }) => suite === "throughput" && outcome === "ERROR");
}

/** Says which policies are not ranked at a size, and why. */
function notRanked(tests: readonly TestResult[], size: number): string[] {
  const broken = failed(tests);
  const lost = unmeasured(tests).filter(({ params }) => params?.["size"] === size);
  const list = (what: string, policies: Set<string | null>): string[] => {
    const names = [...policies].filter((policy) => policy !== null && !NEVER.includes(policy));
    return names.length === 0 ? [] : [`${what}: ${names.join(", ")}`];
  };
  return [
    ...list("failed", broken),
    ...list("not measured", new Set(lost.map(({ policy }) => policy)).difference(broken)),
  ];
}

/** The measurements of the policies that can be recommended for a use, by size, the smallest first. */
function entries(results: Measured, use: Use): Map<number, Entry[]> {
  const direction = use === "transmit, written once" ? "tx" : "rx";
  const [broken, errors] = [failed(results.tests), unmeasured(results.tests)];
  const found = new Map<number, Map<string, { entry: Entry; depth: number }>>();
  for (const test of results.tests) {
    const { policy } = test;
    if (policy === null || NEVER.includes(policy) || test.params?.["alias"] === true) continue;
    if (test.outcome === "SKIP") continue; // its measurements may be incomplete and were not verified
    for (const measurement of test.measurements) {
      const { at } = measurement;
      if (measurement.name !== "throughput" || at?.["touched"] !== true) continue;
      if (at["direction"] !== direction || !(measurement.value > 0)) continue;
      const entry = toEntry(results.tests, test, policy, measurement, use);
      if (entry === null) continue;
      const [size, depth] = [Number(at["size"]), Number(at["depth"])];
      const sizes = found.get(size) ?? new Map<string, { entry: Entry; depth: number }>();
      found.set(size, sizes);
      if (broken.has(policy)) continue;
      if (errors.some((one) => one.policy === policy && one.params?.["size"] === size)) continue;
      const known = sizes.get(policy);
      if (known === undefined || known.depth < depth) sizes.set(policy, { entry, depth });
    }
  }
  return new Map(
    [...found].sort(([a], [b]) => a - b)
      .map(([size, all]) => [size, [...all.values()].map(({ entry }) => entry)]),
  );
}

function toEntry(
  tests: readonly TestResult[],
  test: TestResult,
  policy: string,
  throughput: Measurement,
  use: Use,
): Entry | null {
  const { value: rate, at = {} } = throughput;
  const size = Number(at["size"]);
  const valueOf = (name: string): number | null =>
    test.measurements.find((one) => one.name === name && sameAt(one.at, at))?.value ?? null;
  const share = valueOf("cpu share");
  const cpu = share === null ? null : share / 100 * size / rate;
  const reading = readingRate(tests, policy, size);
  const once: Entry = {
    policy,
    rate,
    uncertainty: uncertainty(throughput.spread),
    cpu,
    handover: valueOf("handover time"),
    reading: reading?.value ?? null,
  };
  if (use !== "receive, read often") return once;
  if (reading === null) return null;
  const again = (READS - 1) / reading.value;
  const often = 1 / (1 / rate + again);
  // the uncertainty of a sum of times, each of which is the inverse of a rate
  const spread = often ** 2 * Math.hypot(
    once.uncertainty / rate ** 2,
    (READS - 1) * uncertainty(reading.spread) / reading.value ** 2,
  );
  return {
    ...once,
    rate: often,
    uncertainty: spread,
    cpu: cpu === null ? null : cpu + again * size,
  };
}

/**
 * The rate at which the CPU reads a block, measured at the nearest size. A frame that read() copied under
 * policy `bounce` is in ordinary memory.
 */
function readingRate(
  tests: readonly TestResult[],
  policy: string,
  size: number,
): Measurement | null {
  const memory = policy === "bounce" ? "ordinary" : "block";
  const known = tests.filter((test) => policy === "bounce" || test.policy === policy)
    .flatMap((test) => test.measurements)
    .filter(({ name, value, at }) =>
      name === "cpu access" && at?.["access"] === "memcpy out" && at["memory"] === memory &&
      value > 0
    );
  const distance = ({ at }: Measurement): number => Math.abs(Math.log(Number(at?.["size"]) / size));
  return known.toSorted((a, b) => distance(a) - distance(b))[0] ?? null;
}

function sameAt(a: Measurement["at"], b: NonNullable<Measurement["at"]>): boolean {
  const keys = Object.keys(b);
  return a !== undefined && Object.keys(a).length === keys.length &&
    keys.every((key) => a[key] === b[key]);
}
