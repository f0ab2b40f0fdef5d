// SPDX-License-Identifier: MIT
/**
 * Samples: how they are taken, and how they lay.
 *
 * @module
 */

import type { Spread } from "../results.ts";

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

/** How long and how often to sample. */
export interface Sampling {
  /** The clock, nanoseconds. */
  readonly now: () => number;
  /** Time for all samples, seconds; the first tenth of it warms up. */
  readonly seconds: number;
  /** Samples to take even when the time is over; 5 when left out. */
  readonly least?: number;
  /** Samples after which there are enough; 2000 when left out. */
  readonly most?: number;
}

/**
 * Sample until the time is over. At least one call warms up and is not counted. A bench on a slow board
 * may take ten times its time for the least number of samples, no longer.
 *
 * @param sampling How long and how often
 * @param take Takes one sample
 * @returns The samples in their order, at least one
 */
export function takeSamples(sampling: Sampling, take: () => number): number[] {
  const { now, seconds, least = 5, most = 2000 } = sampling;
  const start = now();
  const passed = () => (now() - start) / 1e9;
  do take(); while (passed() < seconds / 10);
  const samples: number[] = [];
  do samples.push(take()); while (
    samples.length < most &&
    (passed() < seconds || (samples.length < least && passed() < 10 * seconds))
  );
  return samples;
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
