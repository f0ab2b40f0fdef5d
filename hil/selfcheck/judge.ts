// SPDX-License-Identifier: MIT
/**
 * Compares what was observed in a run with what was injected.
 *
 * @module
 */

import type { SimFault } from "../../fixtures/boards/sim/mod.ts";
import type { InjectedCount, InjectedFault, Selfcheck } from "../results/schema.ts";
import type { Blame, Fault } from "../verify/fault.ts";
import type { Observation } from "./trial.ts";

/** The share of runs that must be named and blamed correctly. Two faults are harder to separate. */
const REQUIRED = { single: 0.95, pairs: 0.9 } as const;

/** A kind of fault, and the part that is blamed for it. */
interface Diagnosis {
  readonly named: string;
  readonly blamed: Blame;
}

/**
 * Judges a run.
 *
 * If one fault was injected, only the first fault is judged that was found in a frame which the board
 * reported as hit, because later faults may be its consequences. If two were injected, both must be among
 * the faults found there.
 *
 * @param injected The fault, or two faults
 * @param observed What was observed in the run
 * @param heldOut Whether it is a pair that was not used for development; absent for a single fault
 * @returns The result
 */
export function judge(
  injected: readonly SimFault[],
  observed: Observation,
  heldOut?: boolean,
): InjectedFault {
  const hits = hitFrames(observed.injected);
  const inHits = observed.faults.filter(({ frame }) => hits.includes(frame));
  const judged = inHits.length > 0 ? inHits : observed.faults;
  const diagnoses = diagnosesOf(injected.length === 1 ? judged.slice(0, 1) : judged, observed.end);
  // a fault of the driver or of a cache is present from the first frame on
  const since = hits.length > 0 ? Math.min(...hits) : 0;
  const first = observed.faults[0]?.frame ?? observed.taken;
  const expected = injected.map(expectation);
  return {
    fault: injected.map(({ name }) => name).join(" + "),
    where: unique(injected.map(({ where }) => where)).join(" + "),
    caught: !observed.intact,
    frames: observed.intact ? null : Math.max(1, first - since + 1),
    named: list(diagnoses.map(({ named }) => named)),
    namedRight: !diagnoses.some(({ named }) => named === "foreign") &&
      covers(diagnoses, expected, (one) => one.named),
    blamed: list(diagnoses.map(({ blamed }) => blamed).filter((blame) => blame !== null)),
    blamedRight: covers(diagnoses, expected, (one) => one.blamed) &&
      diagnoses.every(({ blamed }) => expected.some((one) => one.blamed === blamed)),
    ...(heldOut === undefined ? {} : { heldOut }),
  };
}

/**
 * Gets the frames that a board hit.
 *
 * @param lines What the board reported as injected
 * @returns Numbers of the frames. Frames that a fault missed are left out
 */
export function hitFrames(lines: readonly string[]): number[] {
  return lines.filter((line) => !line.includes("missed="))
    .flatMap((line) => /^frame=(\d+) /.exec(line)?.[1] ?? [])
    .map(Number);
}

/**
 * Counts the results.
 *
 * @param faults The results of all faults and pairs
 * @returns The results with their totals
 */
export function totals(faults: readonly InjectedFault[]): Selfcheck {
  const single = faults.filter(({ heldOut }) => heldOut === undefined);
  const pairs = faults.filter(({ heldOut }) => heldOut !== undefined);
  return {
    faults,
    total: {
      ...countOf(faults),
      single: countOf(single),
      pairs: countOf(pairs),
      heldOut: countOf(pairs.filter(({ heldOut }) => heldOut)),
    },
  };
}

/**
 * Finds the reasons for which a self-check fails.
 *
 * @param check The results of the self-check
 * @returns A line for each reason; empty if the self-check passes
 */
export function shortfalls({ faults, total }: Selfcheck): string[] {
  const reasons = faults.filter(({ caught }) => !caught)
    .map(({ fault }) => `not caught: "${fault}" was injected, but all frames of the run passed`);
  for (const [what, share] of [["single", REQUIRED.single], ["pairs", REQUIRED.pairs]] as const) {
    const of = total[what];
    const runs = what === "single" ? "single faults" : what;
    for (const [done, right] of [["named", of.namedRight], ["blamed", of.blamedRight]] as const) {
      if (right >= share * of.faults) continue;
      reasons.push(
        `${right} of ${of.faults} ${runs} ${done} correctly, fewer than ${share * 100} %`,
      );
    }
  }
  return reasons;
}

function countOf(faults: readonly InjectedFault[]): InjectedCount {
  const count = (of: (fault: InjectedFault) => boolean) => faults.filter(of).length;
  return {
    faults: faults.length,
    caught: count(({ caught }) => caught),
    namedRight: count(({ namedRight }) => namedRight),
    blamedRight: count(({ blamedRight }) => blamedRight),
  };
}

/** The correct diagnosis of a fault. If it makes no frame wrong, this is how the run ends. */
function expectation({ kind, blame }: SimFault): Diagnosis {
  return { named: kind ?? (blame === "driver" ? "mix-up" : "timeout"), blamed: blame };
}

function diagnosesOf(faults: readonly Fault[], end: Observation["end"]): Diagnosis[] {
  if (faults.length > 0) return faults.map(({ kind, blame }) => ({ named: kind, blamed: blame }));
  // the driver reports completions, so it gets the blame for wrong ones; for a missing one, it is unknown
  return end === null ? [] : [{ named: end, blamed: end === "mix-up" ? "driver" : null }];
}

/** Whether there is a diagnosis for each expected one: two if it is expected twice. */
function covers<Value>(
  diagnoses: readonly Diagnosis[],
  expected: readonly Diagnosis[],
  of: (one: Diagnosis) => Value,
): boolean {
  const count = (among: readonly Diagnosis[], value: Value) =>
    among.filter((one) => of(one) === value).length;
  return expected.every((one) => count(diagnoses, of(one)) >= count(expected, of(one)));
}

function unique<Item>(items: readonly Item[]): Item[] {
  return [...new Set(items)];
}

function list(words: readonly string[]): string | null {
  return words.length === 0 ? null : unique(words).join(" + ");
}
