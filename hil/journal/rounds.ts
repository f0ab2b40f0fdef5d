// SPDX-License-Identifier: MIT
/**
 * Folds the rounds of a run with `--duration`: each case has one result for each round.
 *
 * @module
 */
import { isFine } from "../results/outcome.ts";
import type { SensorRange, Soak, SoakCount } from "../results/soak.ts";
import { withBound } from "../results/soak.ts";
import type { TestResult } from "../results/schema.ts";
import type { Fault } from "../verify/fault.ts";
import type { Case, CaseResult, JournalLine } from "./lines.ts";

/** The most faults of a case that results list. All are counted. */
const MOST_FAULTS = 64;

/** All rounds of one case. */
export interface RoundSums {
  /** The time of the case, in seconds. */
  seconds: number;
  /** The verified frames. */
  frames: number;
  /** The verified bytes. */
  bytes: number;
  /** The first faults. */
  faults: Fault[];
  /** The number of all faults. */
  allFaults: number;
  /** How many rounds ended in FAIL, TIMEOUT or ERROR. */
  failures: number;
  /** The number of rounds that ended. */
  rounds: number;
}

/**
 * Adds the result of a round to those of the rounds before.
 *
 * @param sums The rounds before, which are changed; null for the first one
 * @param result The result of the round
 * @returns The sums
 */
export function addRound(sums: RoundSums | null, result: CaseResult): RoundSums {
  const all = sums ??
    { seconds: 0, frames: 0, bytes: 0, faults: [], allFaults: 0, failures: 0, rounds: 0 };
  const { faults = [], round } = result;
  all.seconds += result.seconds;
  all.frames += result.frames;
  all.bytes += result.bytes;
  all.faults.push(...faults.slice(0, MOST_FAULTS - all.faults.length));
  all.allFaults += round?.allFaults ?? faults.length;
  all.failures += isFine(result.outcome) ? 0 : 1;
  all.rounds++;
  return all;
}

/**
 * Gives a case what all of its rounds did.
 *
 * @param test The case with its worst round
 * @param sums Its rounds; null for a case without rounds
 * @returns The case with the sums, and a reason that says how many rounds failed
 */
export function withRounds(test: TestResult, sums: RoundSums | null): TestResult {
  if (sums === null) return test;
  const { seconds, frames, bytes, faults, allFaults, failures, rounds } = sums;
  const often = failures > 0 && rounds > 1 ? `; failed in ${failures} of ${rounds} rounds` : "";
  return {
    ...test,
    ...{ seconds, frames, bytes, faults },
    reason: test.reason === null ? null : test.reason + often,
    ...(failures === 0 ? {} : { failures }),
    ...(allFaults === faults.length ? {} : { allFaults }),
  };
}

/**
 * Computes what all rounds of a run prove.
 *
 * @param lines The lines of the journal
 * @returns The counts and bounds; null if the run had no rounds
 */
export function soakOf(lines: readonly JournalLine[]): Soak | null {
  const cases = new Map<string, Case>();
  const policies = new Map<string, Omit<SoakCount, "errorRateAtMost">>();
  const sensors = new Map<string, SensorRange>();
  let [seconds, rounds, failures] = [0, 0, 0];
  let [frames, bytes, faults] = [0, 0, 0];
  let first: Soak["first"] = null;
  for (const line of lines) {
    if (line.line === "case") cases.set(line.id, line);
    if (line.line !== "end" || line.round === undefined) continue;
    const { round } = line;
    rounds = Math.max(rounds, round.number);
    for (const { name, unit, value } of round.sensors ?? []) {
      const { samples = 0, min = value, max = value } = sensors.get(name) ?? {};
      const range = { min: Math.min(min, value), max: Math.max(max, value) };
      sensors.set(name, { name, unit, samples: samples + 1, ...range });
    }
    const item = cases.get(line.id);
    // what a control finds is no failure, and what it verifies is no proof
    if (item !== undefined && item.control !== true) {
      const found = round.allFaults ?? line.faults?.length ?? 0;
      if (!isFine(line.outcome)) {
        failures++;
        first ??= {
          seconds: seconds + (round.faultAfter ?? line.seconds),
          framesBefore: frames,
          round: round.number,
          case: `${item.suite}: ${item.name}`,
          sensors: round.sensors ?? [],
        };
      }
      frames += line.frames;
      bytes += line.bytes;
      faults += found;
      const policy = item.policy ?? "-";
      const before = policies.get(policy) ?? { frames: 0, bytes: 0, faults: 0 };
      policies.set(policy, {
        frames: before.frames + line.frames,
        bytes: before.bytes + line.bytes,
        faults: before.faults + found,
      });
    }
    seconds += line.seconds;
  }
  if (rounds === 0) return null;
  return {
    ...{ seconds, rounds, failures, first },
    ...withBound({ frames, bytes, faults }),
    ruleOfThree: faults === 0 && bytes > 0 ? Math.min(1, 3 / (8 * bytes)) : null,
    policies: [...policies].map(([policy, counts]) => ({ policy, ...withBound(counts) })),
    sensors: [...sensors.values()],
  };
}
