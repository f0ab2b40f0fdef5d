// SPDX-License-Identifier: MIT
/**
 * Takes samples of a measurement and times calls.
 *
 * @module
 */

import { type WarmUp, warmUp } from "./warm_up.ts";

/** How long and how often to sample. */
export interface Sampling extends Omit<WarmUp, "least"> {
  /** Time for all samples, seconds; a tenth of it before, or more, to warm up. */
  readonly seconds: number;
  /** Samples to take even when the time is over; 5 when left out. */
  readonly least?: number;
  /** Samples after which there are enough; 2000 when left out. */
  readonly most?: number;
}

/**
 * Sample until the time is over, once it is warm. A bench on a slow board may take ten times its time
 * for the least number of samples, no longer.
 *
 * @param sampling How long and how often
 * @param take Takes one sample
 * @returns The samples in their order, at least one
 */
export function takeSamples(sampling: Sampling, take: () => number): number[] {
  const { now, seconds, least = 5, most = 2000 } = sampling;
  warmUp({ ...sampling, seconds: seconds / 10, least: 1 }, take);
  const start = now();
  const passed = () => (now() - start) / 1e9;
  const samples: number[] = [];
  do samples.push(take()); while (
    samples.length < most &&
    (passed() < seconds || (samples.length < least && passed() < 10 * seconds))
  );
  return samples;
}

/** Time of a sample that the clock, and the call of it, leave as it is, nanoseconds. */
const LONG = 100_000;

/**
 * Sample how long a call takes. Short ones are timed many at once.
 *
 * @param sampling How long and how often
 * @param call What takes the time
 * @returns Time of one call in each sample, nanoseconds
 */
export function timeCalls(sampling: Sampling, call: () => unknown): number[] {
  const { now, seconds } = sampling;
  const once = warmUp({ ...sampling, seconds: seconds / 10, least: 1 }, call);
  const calls = Math.max(1, Math.round(LONG / Math.max(1, once)));
  return takeSamples(sampling, () => {
    const start = now();
    for (let i = 0; i < calls; i++) call();
    return (now() - start) / calls;
  });
}
