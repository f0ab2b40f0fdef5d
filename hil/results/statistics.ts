// SPDX-License-Identifier: MIT
/**
 * Statistics of samples: percentiles, median, spread and uncertainty.
 *
 * @module
 */

import type { Spread } from "./schema.ts";

/** The median and the spread of samples, as in a measurement. */
export interface Summary {
  /** The median. */
  readonly value: number;
  /** The spread of the samples. */
  readonly spread: Spread;
}

/**
 * Returns a percentile, by linear interpolation between the two nearest samples: type 7 of Hyndman and
 * Fan (1996), the default of R and NumPy.
 *
 * @param sorted Samples in ascending order, at least one
 * @param percent The percentage, from 0 to 100
 * @returns The percentile
 * @throws {RangeError} If there is no sample, or if the percentage is out of range
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

/** The percentages at which a distribution is reported. */
const PERCENTILES = [1, 5, 25, 50, 75, 90, 95, 99, 99.9];

/** Samples that must lie on either side of a percentile. With fewer, it depends on chance. */
const BEYOND = 10;

/**
 * Returns the percentiles for which there are enough samples.
 *
 * @param samples The samples, in any order
 * @returns Pairs of percentage and percentile, each with at least ten samples on either side
 */
export function distribution(samples: readonly number[]): [number, number][] {
  const sorted = samples.toSorted((a, b) => a - b);
  return PERCENTILES
    .filter((percent) => sorted.length * Math.min(percent, 100 - percent) / 100 >= BEYOND)
    .map((percent) => [percent, percentile(sorted, percent)]);
}

/**
 * Returns the median and the spread of samples.
 *
 * @param samples The samples, in any order, at least one
 * @returns The median and the spread
 * @throws {RangeError} If there is no sample, or if a sample is not finite
 */
export function summarize(samples: readonly number[]): Summary {
  const invalid = samples.find((sample) => !Number.isFinite(sample));
  if (invalid !== undefined) throw new RangeError(`Expected finite samples, found ${invalid}`);
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
 * Converts a median and a spread into another unit.
 *
 * @param summary The median and the spread
 * @param factor The old unit divided by the new one, at least 0
 * @returns The median and the spread in the new unit
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
 * Returns the uncertainty of a median: twice its standard error, if the samples are normally distributed
 * (1.2533 σ / √n). The 90 % of the samples from p5 to p95 give σ (3.29 σ).
 *
 * @param spread The spread of the samples, or undefined if it is unknown
 * @returns The uncertainty in the unit of the samples; 0 without a spread
 */
export function uncertainty(spread: Spread | undefined): number {
  if (spread === undefined) return 0;
  const sigma = (spread.p95 - spread.p5) / 3.29;
  return 2 * 1.2533 * sigma / Math.sqrt(Math.max(1, spread.samples));
}
