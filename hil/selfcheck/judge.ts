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

/**
 * The share of runs that must be named and blamed correctly. Two faults are harder to separate. Where the board
 * allows several names, no share is required, because only some of them may be right.
 */
const REQUIRED = [
  ["single", "single faults", 0.97],
  ["pairs", "pairs", 0.93],
] as const;

/** The names that were given to one fault, and the part that is blamed for it. */
interface Diagnosis {
  readonly named: readonly string[];
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
 * @param heldOut Whether the fault or the pair was not used for development
 * @returns The result
 */
export function judge(
  injected: readonly SimFault[],
  observed: Observation,
  heldOut: boolean,
): InjectedFault {
  const hits = hitFrames(observed.injected);
  const inHits = observed.faults.filter(({ frame }) => hits.includes(frame));
  const judged = inHits.length > 0 ? inHits : observed.faults;
  const single = injected.length === 1;
  const diagnoses = diagnosesOf(single ? judged.slice(0, 1) : judged, observed.end);
  // a fault of the driver or of a cache is present from the first frame on
  const since = hits.length > 0 ? Math.min(...hits) : 0;
  const first = observed.faults[0]?.frame ?? observed.taken;
  const blamedAny = injected.flatMap(({ blames }) => blames);
  return {
    fault: injected.map(({ name }) => name).join(" + "),
    where: unique(injected.map(({ where }) => where)).join(" + "),
    caught: !observed.intact,
    frames: observed.intact ? null : Math.max(1, first - since + 1),
    named: list(diagnoses.map(({ named }) => named.join(" or "))),
    namedRight: covers(diagnoses, injected, isNamed),
    blamed: list(diagnoses.map(({ blamed }) => blamed).filter((blame) => blame !== null)),
    blamedRight: covers(diagnoses, injected, isBlamed) &&
      diagnoses.every(({ blamed }) => blamed === null || blamedAny.includes(blamed)),
    certain: injected.every(({ names }) => names.length === 1),
    ...(single ? {} : { pair: true as const }),
    heldOut,
  };
}

/** Whether a diagnosis names exactly what is possible. */
function isNamed({ named }: Diagnosis, { names }: SimFault): boolean {
  return named.length === names.length && names.every((name) => named.includes(name));
}

/** Whether a diagnosis blames the right part. Where several are possible, it may leave that open. */
function isBlamed({ blamed }: Diagnosis, { blames }: SimFault): boolean {
  return blames.includes(blamed) || (blamed === null && blames.length > 1);
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
  const single = faults.filter(({ pair }) => pair !== true);
  return {
    faults,
    total: {
      ...countOf(faults),
      single: countOf(single.filter(({ certain }) => certain)),
      ambiguous: countOf(single.filter(({ certain }) => !certain)),
      pairs: countOf(faults.filter(({ pair }) => pair === true)),
      heldOut: countOf(faults.filter(({ heldOut }) => heldOut)),
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
  for (const [what, runs, share] of REQUIRED) {
    const of = total[what];
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

function diagnosesOf(faults: readonly Fault[], end: Observation["end"]): Diagnosis[] {
  if (faults.length > 0) {
    return faults.map(({ kind, alternatives = [], blame }) => ({
      named: [kind, ...alternatives],
      blamed: blame,
    }));
  }
  // the driver reports completions, so it gets the blame for wrong ones; for a missing one, it is unknown
  const ends = {
    "timeout": { named: ["timeout"], blamed: null },
    "mix-up": { named: ["mix-up"], blamed: "driver" },
    "missing": { named: ["mix-up", "timeout"], blamed: "driver" },
  } as const;
  return end === null ? [] : [ends[end]];
}

/** Whether each injected fault has a diagnosis of its own that is right. There are at most two. */
function covers(
  diagnoses: readonly Diagnosis[],
  injected: readonly SimFault[],
  isRight: (diagnosis: Diagnosis, fault: SimFault) => boolean,
): boolean {
  const [first, ...rest] = injected;
  if (first === undefined) return true;
  return diagnoses.some((diagnosis) =>
    isRight(diagnosis, first) &&
    covers(diagnoses.filter((other) => other !== diagnosis), rest, isRight)
  );
}

function unique<Item>(items: readonly Item[]): Item[] {
  return [...new Set(items)];
}

function list(words: readonly string[]): string | null {
  return words.length === 0 ? null : unique(words).join(" + ");
}
