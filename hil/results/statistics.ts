// SPDX-License-Identifier: MIT
/**
 * Statistics of samples: percentiles, median and spread, uncertainty.
 *
 * @module
 */

import type { Spread } from "./schema.ts";

/** A figure with its scatter, as a measurement holds it. */
export interface Summary {
  /** The median. */
  readonly value: number;
  /** How the samples lay around it. */
  readonly spread: Spread;
}

/**
 * A percentile by linear interpolation between the two nearest samples: Hyndman and Fan's type 7, as in
 * R and NumPy.
 *
 * @param sorted Samples in ascending order, at least one
 * @param percent 0 to 100
 * @returns The percentile
 * @throws {RangeError} Without samples, or for a percentage out of range
 *
 * @example The median of four
 * ```ts
 * import { percentile } from "./statistics.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(percentile([1, 2, 4, 8], 50), 3);
 * ```
 */
export function percentile(sorted: readonly number[], percent: number): number {
  if (!(percent >= 0 && percent <= 100)) {
    throw new RangeError(`Expected a percentage from 0 to 100, found ${percent}`);
  }
  const place = (sorted.length - 1) * percent / 100;
  const low = sorted[Math.floor(place)];
  const high = sorted[Math.ceil(place)];
  if (low === undefined || high === undefined) {
    throw new RangeError("Expected at least one sample, found none");
  }
  return low + (high - low) * (place - Math.floor(place));
}

/** Points of a distribution. */
const PERCENTILES = [1, 5, 25, 50, 75, 90, 95, 99, 99.9];

/** Samples beyond a point, without which it is the luck of a few of them. */
const BEYOND = 10;

/**
 * The points of a distribution that so many samples tell.
 *
 * @param samples The samples, in any order
 * @returns Pairs of percentage and percentile; only those with at least ten samples on either side
 */
export function distribution(samples: readonly number[]): [number, number][] {
  const sorted = samples.toSorted((a, b) => a - b);
  return PERCENTILES
    .filter((percent) => sorted.length * Math.min(percent, 100 - percent) / 100 >= BEYOND)
    .map((percent) => [percent, percentile(sorted, percent)]);
}

/**
 * Summarize samples.
 *
 * @param samples The samples, in any order, at least one
 * @returns Median and spread
 * @throws {RangeError} Without samples, or when one is not finite
 */
export function summarize(samples: readonly number[]): Summary {
  const strange = samples.find((sample) => !Number.isFinite(sample));
  if (strange !== undefined) throw new RangeError(`Expected finite samples, found ${strange}`);
  const sorted = samples.toSorted((a, b) => a - b);
  return {
    value: percentile(sorted, 50),
    spread: {
      samples: sorted.length,
      min: percentile(sorted, 0),
      p5: percentile(sorted, 5),
      p95: percentile(sorted, 95),
      max: percentile(sorted, 100),
    },
  };
}

/**
 * The same in another unit.
 *
 * @param summary What was measured
 * @param factor How much of the new unit one of the old is, at least 0
 * @returns Median and spread, multiplied
 */
export function scale({ value, spread }: Summary, factor: number): Summary {
  return {
    value: value * factor,
    spread: {
      samples: spread.samples,
      min: spread.min * factor,
      p5: spread.p5 * factor,
      p95: spread.p95 * factor,
      max: spread.max * factor,
    },
  };
}

/**
 * How far the median of samples may be from the true one: twice its standard error, if the samples were
 * normally distributed (1.2533 σ / √n), with σ from the 90 % between p5 and p95 (3.29 σ).
 *
 * @param spread How the samples lay; without one nothing is known of the scatter
 * @returns The uncertainty in the unit of the samples; 0 without a spread
 */
export function uncertainty(spread: Spread | undefined): number {
  if (spread === undefined) return 0;
  const sigma = (spread.p95 - spread.p5) / 3.29;
  return 2 * 1.2533 * sigma / Math.sqrt(Math.max(1, spread.samples));
}
