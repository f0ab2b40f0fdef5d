// SPDX-License-Identifier: MIT
/**
 * Runs what is to be measured until it runs as it will.
 *
 * The compiler works on threads of its own. On a slow processor it takes seconds, and meanwhile the loop
 * is slow, and the engine waits for a processor.
 *
 * @module
 */

import { cpuTime } from "./libc.ts";

/** Seconds after which it is measured even while the compiler is at work. */
const LONGEST = 0.5;

/** What other threads of this process may take of one processor, when it is quiet. */
const QUIET = 0.1;

/** How to warm up. */
export interface WarmUp {
  /** The clock, nanoseconds. */
  readonly now: () => number;
  /** Time to step between two looks at the compiler, seconds. */
  readonly seconds: number;
  /** How often to step at least between them; 1 when left out. */
  readonly least?: number;
  /** Processor time of other threads, seconds; those of this process when left out. */
  readonly others?: () => number;
}

/**
 * Step until the compiler is done, or half a second is over.
 *
 * @param how How long at least, and how often
 * @param step What will be measured
 * @returns Time of a step at the end, nanoseconds
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

/** Processor time of this process that was not this thread's, seconds. */
function otherThreads(): number {
  const [all, own] = [cpuTime("process"), cpuTime("thread")];
  return all.user + all.system - own.user - own.system;
}
