// SPDX-License-Identifier: MIT
/**
 * Runs code before it is measured, until its speed is stable.
 *
 * The JavaScript compiler runs on threads of its own. On a slow processor it takes seconds. During that time
 * the loop is slow, and the engine waits for a processor.
 *
 * @module
 */

import { cpuTime } from "./libc.ts";

/** Seconds after which the measurement begins even if the compiler is busy. */
const LONGEST = 0.5;

/** Share of one processor that other threads may use while the process counts as quiet. */
const QUIET = 0.1;

/** How to warm up. */
export interface WarmUp {
  /** The clock, nanoseconds. */
  readonly now: () => number;
  /** Time between two checks of the compiler, seconds. */
  readonly seconds: number;
  /** Smallest number of steps between them. Defaults to 1. */
  readonly least?: number;
  /** Processor time of other threads, seconds. Defaults to that of the other threads of this process. */
  readonly others?: () => number;
}

/**
 * Calls the code until the compiler is done, or for half a second.
 *
 * @param how The clock and the time between checks
 * @param step The code that will be measured
 * @returns Time of one call at the end, nanoseconds
 */
export function warmUp(how: WarmUp, step: () => unknown): number {
  const { now, seconds, least = 1, others = otherThreads } = how;
  const start = performance.now();
  for (;;) {
    const [spent, wall, before] = [others(), performance.now(), now()];
    let steps = 0;
    do {
      step();
      steps++;
    } while (steps < least || now() - before < seconds * 1e9);
    const passed = now() - before;
    const busy = (others() - spent) / Math.max(1e-9, (performance.now() - wall) / 1000);
    if (busy < QUIET || performance.now() - start > LONGEST * 1000) return passed / steps;
  }
}

/** Processor time of all other threads of this process, seconds. */
function otherThreads(): number {
  const [all, own] = [cpuTime("process"), cpuTime("thread")];
  return all.user + all.system - own.user - own.system;
}
