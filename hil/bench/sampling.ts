// SPDX-License-Identifier: MIT
/**
 * Takes samples of a measurement and times calls.
 *
 * @module
 */

import { type WarmUp, warmUp } from "./warm_up.ts";

/** How long to sample, and how many samples to take. */
export interface Sampling extends Omit<WarmUp, "least"> {
  /** Time for all samples, seconds. The warm-up before takes a tenth of it, or more. */
  readonly seconds: number;
  /** Smallest number of samples, even if they take longer. Defaults to 5. */
  readonly least?: number;
  /** Largest number of samples. Defaults to 2000. */
  readonly most?: number;
}

/**
 * Warms up, then takes samples until the time is over. On a slow board, the smallest number of samples may
 * take up to ten times as long.
 *
 * @param sampling How long and how many
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

/** Time of a sample beside which the time of reading the clock does not matter, nanoseconds. */
const LONG = 100_000;

/**
 * Measures how long a call takes. Short calls are batched, to hide the clock's overhead.
 *
 * @param sampling How long and how many
 * @param call The call
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
