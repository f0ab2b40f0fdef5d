// SPDX-License-Identifier: MIT
/**
 * What a soak proves: how many bits were compared, and how large the bit error rate can be at most.
 *
 * @module
 */

/** One value of a sensor of the machine. */
export interface SensorReading {
  /** The sensor, such as `xadc in_temp0`. */
  readonly name: string;
  /** `°C` or `V`. */
  readonly unit: string;
  /** The value. */
  readonly value: number;
}

/** The frames of some cases, and the bit error rate that they allow. */
export interface SoakCount {
  /** The number of verified frames. */
  readonly frames: number;
  /** The number of verified bytes. */
  readonly bytes: number;
  /** The number of faults. A fault is one contiguous damage of a frame, whatever its length. */
  readonly faults: number;
  /**
   * The largest bit error rate that fits the faults, in faults per bit, at 95 % confidence: the exact
   * Poisson bound. Null if no byte was verified.
   */
  readonly errorRateAtMost: number | null;
}

/** The first failure of a soak. */
export interface FirstFailure {
  /** The time that cases had run until then, in seconds. */
  readonly seconds: number;
  /** The frames that were verified in the rounds before that one. */
  readonly framesBefore: number;
  /** The round, from 1. */
  readonly round: number;
  /** The case, as `suite: name`. */
  readonly case: string;
  /** What the sensors showed when that round of the case ended. */
  readonly sensors: readonly SensorReading[];
}

/** The values of a sensor over a soak. */
export interface SensorRange {
  /** The sensor, such as `xadc in_temp0`. */
  readonly name: string;
  /** `°C` or `V`. */
  readonly unit: string;
  /** How often it was read. */
  readonly samples: number;
  /** The smallest value. */
  readonly min: number;
  /** The largest value. */
  readonly max: number;
}

/** The results of a run with `--duration`. Controls do not count, because they must fail. */
export interface Soak extends SoakCount {
  /** The time that cases ran, in seconds. */
  readonly seconds: number;
  /** The number of rounds of the case that had most. */
  readonly rounds: number;
  /** Three divided by the number of bits, for comparison; null with a fault or without bits. */
  readonly ruleOfThree: number | null;
  /** How many rounds of a case ended in FAIL, TIMEOUT or ERROR. */
  readonly failures: number;
  /** The first of them, or null. */
  readonly first: FirstFailure | null;
  /** The same counts for each policy, in the order in which they ran. */
  readonly policies: readonly (SoakCount & { readonly policy: string })[];
  /** The sensors of the machine. Empty if it has none. */
  readonly sensors: readonly SensorRange[];
}

/** The confidence of every bound. */
const CONFIDENCE = 0.95;

/**
 * Returns the largest expected number of events that fits an observed number: with a larger one, so few
 * events would be seen in less than 5 % of all soaks. It is the exact one-sided bound of Garwood
 * (Biometrika 28, 1936), half the 95 % quantile of chi-square with 2 n + 2 degrees of freedom. It holds
 * if events are independent.
 *
 * @param events The number of observed events, a whole number from 0
 * @returns The bound; 2.9957 for no event, which the rule of three rounds to 3
 * @throws {RangeError} If it is not a whole number from 0
 *
 * @example No event, and one
 * ```ts
 * import { poissonUpperBound } from "./soak.ts";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * assertAlmostEquals(poissonUpperBound(0), -Math.log(0.05), 1e-9);
 * assertAlmostEquals(poissonUpperBound(1), 4.7439, 1e-4);
 * ```
 */
export function poissonUpperBound(events: number): number {
  if (!Number.isSafeInteger(events) || events < 0) {
    throw new RangeError(`Expected a whole number of events from 0, found ${events}`);
  }
  let low = events;
  let high = events + 10 * Math.sqrt(events + 1) + 10;
  // the chance falls as the expected number grows
  while (high - low > 1e-12 * high) {
    const middle = (low + high) / 2;
    if (middle === low || middle === high) break;
    if (chanceOfAtMost(events, middle) > 1 - CONFIDENCE) low = middle;
    else high = middle;
  }
  return high;
}

/** The chance of at most so many events, if `mean` of them are expected. */
function chanceOfAtMost(events: number, mean: number): number {
  // from the largest term down, each divided by the largest, so that nothing overflows
  let term = 1;
  let sum = 1;
  for (let i = events; i > 0 && term > 1e-18; i--) {
    term *= i / mean;
    sum += term;
  }
  let largest = events * Math.log(mean) - mean;
  for (let i = 2; i <= events; i++) largest -= Math.log(i);
  return sum * Math.exp(largest);
}

/**
 * Returns counts with the bit error rate that they allow.
 *
 * @param counts Verified frames and bytes, and the faults among them
 * @returns The same with the bound
 */
export function withBound(counts: Omit<SoakCount, "errorRateAtMost">): SoakCount {
  const { frames, bytes, faults } = counts;
  const rate = bytes === 0 ? null : Math.min(1, poissonUpperBound(faults) / (8 * bytes));
  return { frames, bytes, faults, errorRateAtMost: rate };
}
