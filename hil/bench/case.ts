// SPDX-License-Identifier: MIT
/**
 * What the suites of the benchmark share: times, a pattern, and the check that a measured policy moves data
 * correctly.
 *
 * @module
 */

import { AssertionError } from "node:assert";
import { assertIntact } from "../frames/intact.ts";
import type { CaseContext } from "../case/context.ts";
import { TaggedPattern } from "../patterns/tagged.ts";
import { isOutOfMemory } from "./memory.ts";
import { targetOf, timeOnTarget } from "./on_target.ts";
import { type Sampling, timeCalls } from "./sampling.ts";
import { scale, summarize } from "../results/statistics.ts";

/** Time for one measurement, seconds. */
export const SECONDS = 0.1;

/** Frame sizes of a full benchmark, bytes: 4 KiB to the largest block, which is usually 4 MiB. */
export const SIZES = [4096, 16384, 65536, 262144, 1048576, "block"] as const;

/** Frames in flight: enough to keep any engine busy, and few enough for blocks of 4 MiB. */
export const DEPTH = 8;

let made: TaggedPattern | null = null;

/**
 * Returns frames of a size. Cases of a file share them, unless one needs longer frames.
 *
 * @param context The case
 * @returns The pattern
 */
export function frames({ seed, size }: Pick<CaseContext, "seed" | "size">): TaggedPattern {
  if (made === null || made.maxLength < size) made = new TaggedPattern({ seed, maxLength: size });
  return made;
}

/**
 * Returns how to sample on a board: by its own clock, which is virtual on a simulated board.
 *
 * @param context The case
 * @returns The time and the clock
 */
export function sampling({ device }: Pick<CaseContext, "device">): Sampling {
  return { now: () => device.syscalls.monotonicNs(), seconds: SECONDS };
}

/**
 * Measures how long a call takes, on the machine that has the device.
 *
 * @param context The case
 * @param call The call
 * @param cycle Number of calls after which they begin again from the same state. Defaults to 1
 * @returns Time of one call in each sample, nanoseconds
 */
export function timeAnywhere(
  context: CaseContext,
  call: () => unknown,
  cycle = 1,
): number[] {
  const remote = targetOf(context.device);
  if (remote === null) return timeCalls(sampling(context), call);
  return timeOnTarget(remote, { seconds: SECONDS, calls: cycle }, () => {
    for (let i = 0; i < cycle; i++) call();
  });
}

/**
 * Measures how long a call takes, and adds the measurement to the results in µs.
 *
 * @param context The case
 * @param name What is measured
 * @param at What is varied
 * @param call The call
 * @param cycle Number of calls after which they begin again from the same state. Defaults to 1
 */
export function measureTime(
  context: CaseContext,
  name: string,
  at: Readonly<Record<string, string | number | boolean>>,
  call: () => unknown,
  cycle = 1,
): void {
  const { value, spread } = scale(summarize(timeAnywhere(context, call, cycle)), 1e-3);
  context.measure(name, value, "µs", { at, spread });
}

/**
 * Checks that frames come back intact under the policy of the case. A policy that fails is measured, but
 * never recommended. The control must fail here too.
 *
 * @param context The case
 * @param wrong Number of frames of the measurement itself that were wrong. Defaults to 0
 */
export async function prove(context: CaseContext, wrong = 0): Promise<void> {
  const { device, loop, size, depth, policy } = context;
  // the measurement has compared frames at full depth, where the CPU read them
  const few = Math.min(depth, 2);
  const run = (size: number) => loop.run({ size, frames: few + 2, depth: few, guarded: false });
  try {
    assertIntact(await run(size));
  } catch (error) {
    // this check needs more blocks than a measurement of one block at a time
    if (!isOutOfMemory(error)) throw error;
    assertIntact(await run(Math.min(size, device.info.pageSize)));
  }
  if (wrong === 0 || policy === "none") return;
  throw new AssertionError({ message: `${wrong} frames of the measurement were wrong` });
}
