// SPDX-License-Identifier: MIT
/**
 * The rounds of a test file under `--duration`: all cases run again and again, so that each policy, size
 * and depth is tested at every temperature, and not only in its own part of the night.
 *
 * @module
 */
import type { KernelFiles } from "../../driver/remote.ts";
import { readSensors } from "../board/sensors.ts";
import type { CaseResult } from "../journal/journal.ts";
import { patternNamed, type PatternSpec } from "../patterns/mod.ts";
import type { SensorReading } from "../results/soak.ts";
import type { Settings } from "../settings/settings.ts";

/** The least time of a case in a round, in seconds. To open a device and prime its blocks takes time too. */
const LEAST_SECONDS = 2;

/** The most rounds by default. With more, the journal grows, and it must not grow with the duration. */
const MOST_ROUNDS = 48;

/** The most faults of a round that the journal lists after the first round. */
const MOST_FAULTS = 2;

/** The patterns of tests that choose none. `tagged` is every other one, because it names faults best. */
const PATTERNS = ["tagged", "prbs31", "tagged", "random"] as const;

/**
 * Returns the number of rounds.
 *
 * @param settings The settings, with a duration or without
 * @param cases The number of cases that run
 * @returns At least 1; 1 without a duration
 */
export function countRounds(
  { duration, rounds }: Pick<Settings, "duration" | "rounds">,
  cases: number,
): number {
  if (duration === null) return 1;
  const fit = Math.floor(duration / (Math.max(1, cases) * LEAST_SECONDS));
  return rounds ?? Math.max(1, Math.min(MOST_ROUNDS, fit));
}

/**
 * Returns the pattern of a round, for tests that choose none.
 *
 * @param round The number of the round, from 1
 * @returns The pattern
 */
export function patternOf(round: number): PatternSpec {
  return patternNamed(PATTERNS[(round - 1) % PATTERNS.length] ?? PATTERNS[0]);
}

/** Divides a duration among the cases that are left. */
export class Shares {
  readonly #seconds: number;
  #left: number;
  #end: number | null = null;

  /**
   * @param seconds The time that is left
   * @param cases The number of times that a case will run
   */
  constructor(seconds: number, cases: number) {
    this.#seconds = seconds;
    this.#left = cases;
  }

  /**
   * Takes the share of the next case. A case that ends early leaves its time to those after it.
   *
   * @param now The time, in milliseconds
   * @returns Seconds; 0 if the time is over
   */
  take(now: number = performance.now()): number {
    this.#end ??= now + this.#seconds * 1000;
    const share = Math.max(0, this.#end - now) / 1000 / Math.max(1, this.#left);
    this.#left--;
    return share;
  }
}

/**
 * Adds to a result what all rounds need.
 *
 * @param result The result of a case
 * @param round The number of the round, from 1, and the time from the start of the case to its first fault in
 * seconds, or null
 * @param files The files of the machine, for its sensors; null if it has none
 * @returns The result for the journal
 */
export function resultOfRound(
  result: CaseResult,
  round: { readonly number: number; readonly faultAfter: number | null },
  files: KernelFiles | null,
): CaseResult {
  const { number, faultAfter } = round;
  const { faults = [], measurements: _speed, ...rest } = result;
  const listed = number === 1 ? faults : faults.slice(0, MOST_FAULTS);
  // a board that was lost cannot be read either
  const sensors = files === null || result.outcome === "ERROR" ? [] : sensorsOf(files);
  return {
    ...rest,
    // the speed of every round would make the journal grow
    ...(number === 1 ? { measurements: result.measurements ?? [] } : {}),
    faults: listed,
    round: {
      number,
      ...(faultAfter === null ? {} : { faultAfter }),
      ...(listed.length === faults.length ? {} : { allFaults: faults.length }),
      ...(sensors.length === 0 ? {} : { sensors }),
    },
  };
}

/** Reads the sensors, and none if the board is lost meanwhile, because the result must not be lost with it. */
function sensorsOf(files: KernelFiles): SensorReading[] {
  try {
    return readSensors(files);
  } catch {
    return [];
  }
}
