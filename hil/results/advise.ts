// SPDX-License-Identifier: MIT
/**
 * The adviser: which policy to choose, from a run's own measurements.
 *
 * What a policy costs depends on what frames are for, so each use is ranked by itself:
 *
 * - `transmit, written once`: the CPU fills a frame, the design takes it
 * - `receive, read once`: a frame comes, the CPU reads it whole
 * - `receive, read often`: the same, and the CPU goes over it {@linkcode READS} times in all; computed
 *   from the above and from how fast the CPU reads such a block
 *
 * Policies are ranked by payload per second. Where the scatter of the samples leaves open which is
 * faster, the one that takes less processor time is better, and of equals the first in the list of
 * policies. Not ranked are `none`, which is wrong, and `manual`, which costs what its caller makes of it;
 * a policy of which any case failed; one whose throughput at the size could not be measured; and an alias.
 *
 * @module
 */

import { POLICIES, type PolicyName } from "../../driver/uapi.ts";
import type { Advice, Crossover, Measurement, Results, TestResult } from "./schema.ts";
import { bytes, figure } from "../text/text.ts";
import { uncertainty } from "./statistics.ts";

/** Times that the CPU goes over a frame that is read often. */
export const READS = 8;

/** What frames are for. */
export const USES = [
  "transmit, written once",
  "receive, read once",
  "receive, read often",
] as const;

/** A use by name. */
export type Use = typeof USES[number];

/** Policies that are never advised. */
const NEVER: readonly string[] = ["none", "manual"];

/** Whom it is worth to know when one overtakes the other. */
const RIVALS: readonly (readonly [PolicyName, PolicyName])[] = [
  ["streaming", "bounce"],
  ["streaming-lazy", "streaming"],
  ["coherent", "bounce"],
  ["coherent", "streaming"],
  ["coherent", "streaming-lazy"],
];

/** Processor times closer than this are alike: getrusage() counts in ticks on some kernels. */
const ALIKE = 0.95;

/** How a policy did in one use at one size. */
interface Entry {
  readonly policy: string;
  /** Payload, MB/s. */
  readonly rate: number;
  /** How far that may be from the truth. */
  readonly doubt: number;
  /** Processor time of a frame, µs; null when it was not measured. */
  readonly cpu: number | null;
  /** Time of a frame that went into handing it over, µs; null when it was not measured. */
  readonly handover: number | null;
  /** How fast the CPU reads a block, MB/s; null when it was not measured. */
  readonly reading: number | null;
}

/** What the results need to have. */
type Measured = Pick<Results, "tests" | "board">;

/**
 * Add what follows from measurements of the bench, where there are any.
 *
 * @param results Results
 * @returns The same with `advice` and `crossovers`, or without
 */
export function withAdvice<R extends Results>(results: R): R {
  const advice = advise(results);
  return advice.length === 0
    ? results
    : { ...results, advice, crossovers: findCrossovers(results) };
}

/**
 * Advise.
 *
 * @param results Results, with measurements of the bench or without
 * @returns One advice for each use and measured size; none without such measurements
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
        ratio: best === undefined || next === undefined || alike(best, next)
          ? null
          : best.rate / next.rate,
        why: [simulated + explain(use, size, best, next), ...leftOut(results.tests, size)]
          .join("; "),
      };
    });
  });
}

/**
 * Find from which size on one policy is faster than another.
 *
 * @param results Results, with measurements of the bench or without
 * @returns One for each use and each two rivals that were both measured
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
        if (one.rate > other.rate && !alike(one, other)) won.push(size);
      }
      if (sizes.length === 0) return [];
      const lost = sizes.filter((size) => !won.includes(size));
      const from = won.find((size) => lost.every((other) => other < size)) ?? null;
      const where = won.length === 0
        ? "at no measured size"
        : lost.length === 0
        ? "at every measured size"
        : from !== null && won[0] === from
        ? `from ${bytes(from)} on`
        : `at ${won.map(bytes).join(", ")}`;
      return [{ use, faster, than, from, detail: `${faster} beats ${than} ${where}` }];
    });
  });
}

/** Best first. */
function rank(all: readonly Entry[]): Entry[] {
  const left = all.toSorted((a, b) =>
    POLICIES.indexOf(a.policy as PolicyName) - POLICIES.indexOf(b.policy as PolicyName)
  );
  const ranked: Entry[] = [];
  while (left.length > 0) {
    // being alike is not transitive: to be alike to the fastest is not enough
    const best = left.filter((one) =>
      !left.some((other) => other.rate > one.rate && !alike(one, other))
    ).reduce((best, one) =>
      best.cpu !== null && one.cpu !== null && one.cpu < best.cpu * ALIKE ? one : best
    );
    ranked.push(...left.splice(left.indexOf(best), 1));
  }
  return ranked;
}

/** Whether the scatter of the samples leaves open which is faster. */
function alike(a: Entry, b: Entry): boolean {
  return Math.abs(a.rate - b.rate) <= Math.hypot(a.doubt, b.doubt);
}

function explain(
  use: Use,
  size: number,
  best: Entry | undefined,
  next: Entry | undefined,
): string {
  if (best === undefined) return "no policy was measured that may be advised";
  if (next === undefined) return "no other policy was measured that may be advised";
  if (alike(best, next)) {
    const open = `as fast as ${next.policy} as far as the samples tell`;
    if (best.cpu === null || next.cpu === null || best.cpu >= next.cpu * ALIKE) return open;
    return `${open}, for ${figure(best.cpu)} µs of processor time a frame instead of ` +
      figure(next.cpu);
  }
  const longer = size / next.rate - size / best.rate;
  const takes = `${next.policy} takes ${figure(longer)} µs a frame longer`;
  const handing = (next.handover ?? 0) - (best.handover ?? 0);
  if (handing > longer / 4) return `${takes}: ${figure(handing)} µs more to hand it over`;
  const slow = best.reading !== null && next.reading !== null && best.reading > next.reading * 1.25;
  if (slow && use !== "transmit, written once") {
    return `${takes}: the CPU reads its blocks ${
      figure((best.reading ?? NaN) / (next.reading ?? NaN))
    } times as slowly`;
  }
  return takes;
}

/** Policies that failed, wherever that was. */
function failed(tests: readonly TestResult[]): Set<string | null> {
  return new Set(
    tests.filter(({ outcome }) => outcome === "FAIL" || outcome === "TIMEOUT")
      .map(({ policy }) => policy),
  );
}

/** Cases whose throughput the bench could not measure: of other sizes they say nothing. */
function unmeasured(tests: readonly TestResult[]): TestResult[] {
  return tests.filter(({ suite, outcome }) => suite === "throughput" && outcome === "ERROR");
}

/** Which policies could have been ranked at a size, and why they are not. */
function leftOut(tests: readonly TestResult[], size: number): string[] {
  const broken = failed(tests);
  const lost = unmeasured(tests).filter(({ params }) => params?.["size"] === size);
  const say = (what: string, policies: Set<string | null>): string[] => {
    const names = [...policies].filter((policy) => policy !== null && !NEVER.includes(policy));
    return names.length === 0 ? [] : [`${what}: ${names.join(", ")}`];
  };
  return [
    ...say("failed", broken),
    ...say("not measured", new Set(lost.map(({ policy }) => policy)).difference(broken)),
  ];
}

/** How each policy that may be advised did in one use, by size, smallest first; sizes of others are empty. */
function entries(results: Measured, use: Use): Map<number, Entry[]> {
  const direction = use === "transmit, written once" ? "tx" : "rx";
  const [broken, errors] = [failed(results.tests), unmeasured(results.tests)];
  const found = new Map<number, Map<string, { entry: Entry; depth: number }>>();
  for (const test of results.tests) {
    const { policy } = test;
    if (policy === null || NEVER.includes(policy) || test.params?.["alias"] === true) continue;
    if (test.outcome === "SKIP") continue; // measured in part, and not proved
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
  const beside = (name: string): number | null =>
    test.measurements.find((one) => one.name === name && sameAt(one.at, at))?.value ?? null;
  const share = beside("cpu share");
  const cpu = share === null ? null : share / 100 * size / rate;
  const reading = readingRate(tests, policy, size);
  const once: Entry = {
    policy,
    rate,
    doubt: uncertainty(throughput.spread),
    cpu,
    handover: beside("handover time"),
    reading: reading?.value ?? null,
  };
  if (use !== "receive, read often") return once;
  if (reading === null) return null;
  const again = (READS - 1) / reading.value;
  const often = 1 / (1 / rate + again);
  // of a sum of times, each the inverse of a rate
  const doubt = often ** 2 * Math.hypot(
    once.doubt / rate ** 2,
    (READS - 1) * uncertainty(reading.spread) / reading.value ** 2,
  );
  return { ...once, rate: often, doubt, cpu: cpu === null ? null : cpu + again * size };
}

/** How fast the CPU reads a block, measured at the nearest size; what read() gives is ordinary memory. */
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
  const far = ({ at }: Measurement): number => Math.abs(Math.log(Number(at?.["size"]) / size));
  return known.toSorted((a, b) => far(a) - far(b))[0] ?? null;
}

function sameAt(a: Measurement["at"], b: NonNullable<Measurement["at"]>): boolean {
  const keys = Object.keys(b);
  return a !== undefined && Object.keys(a).length === keys.length &&
    keys.every((key) => a[key] === b[key]);
}
