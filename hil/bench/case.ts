// SPDX-License-Identifier: MIT
/**
 * What the bench's suites share: time, a pattern, and the proof that what was measured also works.
 *
 * @module
 */

import { AssertionError } from "node:assert";
import { assertIntact } from "../frames/intact.ts";
import type { CaseContext } from "../case/context.ts";
import { TaggedPattern } from "../patterns/tagged.ts";
import { isOutOfMemory } from "./memory.ts";
import { type Sampling, timeCalls } from "./sampling.ts";
import { scale, summarize } from "../results/statistics.ts";

/** Time for one figure, seconds. */
export const SECONDS = 0.1;

/** Frame sizes of a full bench, bytes: 4 KiB to the largest block, which is 4 MiB mostly. */
export const SIZES = [4096, 16384, 65536, 262144, 1048576, "block"] as const;

/** Frames under way at once: enough to keep any engine busy, and few enough for blocks of 4 MiB. */
export const DEPTH = 8;

let made: TaggedPattern | null = null;

/**
 * Frames of a size. The tape is made once for all cases of a file that need no longer one.
 *
 * @param context The case
 * @returns The pattern
 */
export function frames({ seed, size }: Pick<CaseContext, "seed" | "size">): TaggedPattern {
  if (made === null || made.maxLength < size) made = new TaggedPattern({ seed, maxLength: size });
  return made;
}

/**
 * How to sample on a board: by its own clock, which is virtual on a simulated one.
 *
 * @param context The case
 * @returns Time and clock
 */
export function sampling({ device }: Pick<CaseContext, "device">): Sampling {
  return { now: () => device.syscalls.monotonicNs(), seconds: SECONDS };
}

/**
 * Sample how long a call takes, and add it to the results in µs.
 *
 * @param context The case
 * @param name What is measured
 * @param at What is varied
 * @param call What takes the time
 */
export function measureTime(
  context: CaseContext,
  name: string,
  at: Readonly<Record<string, string | number | boolean>>,
  call: () => unknown,
): void {
  const { value, spread } = scale(summarize(timeCalls(sampling(context), call)), 1e-3);
  context.measure(name, value, "µs", { at, spread });
}

/**
 * Prove that frames come back whole under the case's policy: what fails is measured, but never advised.
 * Also where the control fails, as it must.
 *
 * @param context The case
 * @param wrong How many frames of the measurement itself were not what was sent
 */
export async function prove(context: CaseContext, wrong = 0): Promise<void> {
  const { device, loop, size, depth, policy } = context;
  // what was measured at its full depth has been compared there, where the CPU read it
  const few = Math.min(depth, 2);
  const run = (size: number) => loop.run({ size, frames: few + 2, depth: few, guarded: false });
  try {
    assertIntact(await run(size));
  } catch (error) {
    // the proof takes more blocks than a measurement of one at a time
    if (!isOutOfMemory(error)) throw error;
    assertIntact(await run(Math.min(size, device.info.pageSize)));
  }
  if (wrong === 0 || policy === "none") return;
  throw new AssertionError({ message: `${wrong} frames were not what was sent` });
}
