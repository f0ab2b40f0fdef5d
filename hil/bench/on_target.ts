// SPDX-License-Identifier: MIT
/**
 * Measurements on a remote board. The desk records the calls of what it measures, and the agent repeats them in a
 * loop in C and reads the target's clock. So no measurement contains the network or the desk's processor.
 *
 * @module
 */

import type { Device } from "../../driver/device.ts";
import { type Program, Remote, type Repeated } from "../../driver/remote.ts";

/** Longest time of one request to the agent, seconds. */
const LONGEST = 15;

/** Most passes between two readings of the clock. */
const MOST_PASSES = 100_000;

/** Time of a sample beside which the time of reading the clock does not matter, nanoseconds. */
const LONG = 100_000;

/**
 * Returns the target of a device.
 *
 * @param device The device
 * @returns The target, or null for a device that this process reaches itself
 */
export function targetOf({ syscalls }: Pick<Device, "syscalls">): Remote | null {
  return syscalls instanceof Remote ? syscalls : null;
}

/**
 * Records the calls of a function. The function is called twice, because the first call may send data to the target.
 *
 * @param remote The target
 * @param fn The function, after which everything is as it was before
 * @returns The calls
 */
export function recordCalls(remote: Remote, fn: () => unknown): Program {
  fn();
  return remote.record(fn);
}

/**
 * Measures how long a call takes on a target.
 *
 * @param remote The target
 * @param how `seconds`: time for all samples; `calls`: how many calls `fn` makes. Defaults to 1
 * @param fn Makes the calls
 * @returns Time of one call in each sample, nanoseconds
 */
export function timeOnTarget(
  remote: Remote,
  { seconds, calls = 1 }: { readonly seconds: number; readonly calls?: number },
  fn: () => unknown,
): number[] {
  const program = recordCalls(remote, fn);
  const first = remote.repeat(program, { seconds: seconds / 10 });
  const once = average(first);
  const passes = Math.max(1, Math.min(MOST_PASSES, Math.round(LONG / Math.max(1, once))));
  return durations(sample(remote, program, { seconds, passes, least: 5 }))
    .map((ns) => ns / passes / calls);
}

/**
 * Repeats a program for a time, or longer if there are too few samples then.
 *
 * @param remote The target
 * @param program The calls
 * @param how `seconds`: the time; `passes`: passes between two readings of the clock; `least`: smallest number of
 * samples, which may take up to ten times as long; `most`: largest number. Defaults to 2000
 * @returns What the agent measured
 */
export function sample(
  remote: Remote,
  program: Program,
  { seconds, passes = 1, least, most = 2000 }: {
    readonly seconds: number;
    readonly passes?: number;
    readonly least: number;
    readonly most?: number;
  },
): Repeated {
  const measured = remote.repeat(program, { seconds: Math.min(seconds, LONGEST), passes, most });
  if (measured.times >= Math.min(least, most)) return measured;
  const longer = Math.min(10 * seconds, LONGEST);
  return remote.repeat(program, { seconds: longer, passes, most: least });
}

/** How long one time of a program took on average, nanoseconds. */
export function average({ records, times }: Repeated): number {
  return ((records.at(-1) ?? 0) - (records[0] ?? 0)) / Math.max(1, times);
}

/**
 * Returns how long each time took, of a program that records nothing.
 *
 * @param measured What the agent measured
 * @returns Nanoseconds
 */
export function durations({ records }: Repeated): number[] {
  return records.slice(1).map((at, i) => at - (records[i] ?? at));
}

/**
 * Splits records into those of each time.
 *
 * @param measured What the agent measured, of one pass each time
 * @returns For each time what its steps recorded
 */
export function recordsOf({ records, times }: Repeated): number[][] {
  const width = (records.length - 1) / Math.max(1, times);
  return Array.from(
    { length: times },
    (_, i) => records.slice(1 + i * width, (i + 1) * width),
  );
}
