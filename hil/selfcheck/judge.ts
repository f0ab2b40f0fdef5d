// SPDX-License-Identifier: MIT
/**
 * Holds what a run looked like against what was injected.
 *
 * @module
 */

import type { SimFault } from "../../fixtures/boards/sim/mod.ts";
import type { InjectedCount, InjectedFault, Selfcheck } from "../results/schema.ts";
import type { Blame, Fault } from "../verify/fault.ts";
import type { Sight } from "./trial.ts";

/** Share of the runs that must be named, and laid on the right part. Two faults are harder to part. */
const ENOUGH = { single: 0.95, pairs: 0.9 } as const;

/** What a run is said to have. */
interface Said {
  readonly named: string;
  readonly blamed: Blame;
}

/**
 * Judge a run.
 *
 * With one fault the first is judged that was found in a frame which the board says it hit: later
 * ones follow from it. With two, both must be among those found there.
 *
 * @param injected The fault, or two of them
 * @param sight What the run looked like
 * @param heldOut Whether it is a pair that nothing was tuned with; left out for a single fault
 * @returns What came of it
 */
export function judge(
  injected: readonly SimFault[],
  sight: Sight,
  heldOut?: boolean,
): InjectedFault {
  const hits = hitFrames(sight.injected);
  const there = sight.faults.filter(({ frame }) => hits.includes(frame));
  const judged = there.length > 0 ? there : sight.faults;
  const said = saidOf(injected.length === 1 ? judged.slice(0, 1) : judged, sight.end);
  // a fault of the driver, or of a cache, is there from the first frame on
  const since = hits.length > 0 ? Math.min(...hits) : 0;
  const first = sight.faults[0]?.frame ?? sight.taken;
  const expected = injected.map(expectation);
  return {
    fault: injected.map(({ name }) => name).join(" + "),
    where: unique(injected.map(({ where }) => where)).join(" + "),
    caught: !sight.intact,
    frames: sight.intact ? null : Math.max(1, first - since + 1),
    named: list(said.map(({ named }) => named)),
    namedRight: !said.some(({ named }) => named === "foreign") &&
      covers(said, expected, (one) => one.named),
    blamed: list(said.map(({ blamed }) => blamed).filter((blame) => blame !== null)),
    blamedRight: covers(said, expected, (one) => one.blamed) &&
      said.every(({ blamed }) => expected.some((one) => one.blamed === blamed)),
    ...(heldOut === undefined ? {} : { heldOut }),
  };
}

/**
 * Tell which frames a board hit.
 *
 * @param lines What it says that it did
 * @returns Numbers of frames, without those that a fault missed
 */
export function hitFrames(lines: readonly string[]): number[] {
  return lines.filter((line) => !line.includes("missed="))
    .flatMap((line) => /^frame=(\d+) /.exec(line)?.[1] ?? [])
    .map(Number);
}

/**
 * Add up.
 *
 * @param faults What came of each fault and pair
 * @returns The same, with totals
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
 * Say what is not good enough.
 *
 * @param check What a self-check found
 * @returns A line for each reason; none when the suite sees what it must
 */
export function shortfalls({ faults, total }: Selfcheck): string[] {
  const reasons = faults.filter(({ caught }) => !caught)
    .map(({ fault }) => `blind to "${fault}": the run with it was whole`);
  for (const [what, share] of [["single", ENOUGH.single], ["pairs", ENOUGH.pairs]] as const) {
    const of = total[what];
    const runs = what === "single" ? "single faults" : what;
    for (const [done, right] of [["named", of.namedRight], ["blamed", of.blamedRight]] as const) {
      if (right >= share * of.faults) continue;
      reasons.push(`${right} of ${of.faults} ${runs} ${done} rightly, fewer than ${share * 100} %`);
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

/** What should be said of a fault: where no frame is wrong, how the run ends. */
function expectation({ kind, blame }: SimFault): Said {
  return { named: kind ?? (blame === "driver" ? "mix-up" : "timeout"), blamed: blame };
}

function saidOf(faults: readonly Fault[], end: Sight["end"]): Said[] {
  if (faults.length > 0) return faults.map(({ kind, blame }) => ({ named: kind, blamed: blame }));
  // completions are the driver's to tell; who keeps one back nobody knows
  return end === null ? [] : [{ named: end, blamed: end === "mix-up" ? "driver" : null }];
}

/** Whether each that is expected was said, twice where it is expected twice. */
function covers<Value>(
  said: readonly Said[],
  expected: readonly Said[],
  of: (one: Said) => Value,
): boolean {
  const count = (among: readonly Said[], value: Value) =>
    among.filter((one) => of(one) === value).length;
  return expected.every((one) => count(said, of(one)) >= count(expected, of(one)));
}

function unique<Item>(items: readonly Item[]): Item[] {
  return [...new Set(items)];
}

function list(words: readonly string[]): string | null {
  return words.length === 0 ? null : unique(words).join(" + ");
}
