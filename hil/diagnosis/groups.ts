// SPDX-License-Identifier: MIT
/**
 * Puts the faults of one cause together, as far as their class and their frames show it.
 *
 * Faults of one class (what happened to the data, and where) are one group. Two groups that occur in the
 * same frames are one group, because one cause often damages a frame in several ways. This does not hold
 * if check values blame different parts of the path: then these are two causes. Cases that failed
 * without wrong data are groups by the reason of their failure.
 *
 * @module
 */
import type { Blame, FaultKind } from "../verify/fault.ts";
import type { CaseRow, FaultRow, Observations } from "./observations.ts";

/** What happened to the data, without the details by which the kinds of one class differ. */
export const CLASS_OF: Readonly<Record<FaultKind, Damage>> = {
  "bit-flip": "bits",
  "stuck-bit": "bits",
  "byte-lanes": "lanes",
  "stale-tx": "old",
  "stale-rx": "old",
  "not-written": "old",
  "early-completion": "old",
  torn: "old",
  lost: "lost",
  duplicated: "repeated",
  shifted: "shifted",
  reordered: "reordered",
  swapped: "reordered",
  truncated: "short",
  "too-long": "long",
  overrun: "overrun",
  "reads-ones": "ones",
  "out-of-tolerance": "inexact",
  sideband: "beside",
  foreign: "foreign",
};

/** What happened to the data. */
export type Damage =
  | "bits"
  /** The words beside a frame are wrong. */
  | "beside"
  | "lanes"
  | "old"
  /** Bytes are missing, and those that follow are early. */
  | "lost"
  /** Bytes came twice, and those that follow are late. */
  | "repeated"
  /** Whole frames are lost or repeated. */
  | "frames"
  /** Two whole frames changed places. */
  | "exchanged"
  /** The engine ended a transfer with an error. */
  | "failed"
  /** Bytes are at another offset, and nothing else moved. */
  | "shifted"
  /** Pieces of a frame changed places. */
  | "reordered"
  | "short"
  | "long"
  | "overrun"
  | "ones"
  /** Values are further from the expected ones than the test allows. */
  | "inexact"
  | "foreign"
  /** A completion did not come in time. */
  | "timeout"
  /** A completion was that of another block or frame. */
  | "mixed-up"
  /** A completion did not come, and the engine continued. */
  | "missing"
  /** The case failed without wrong data. */
  | "no-data";

/** Failures that belong together. */
export interface Group {
  /**
   * What happened; several if one cause damages frames in several ways, the most frequent first. Damage of
   * less than a tenth of the faults is left out.
   */
  readonly damage: readonly Damage[];
  /** What else the same faults may be, by the evidence of each. */
  readonly alternatives: ReadonlyMap<Damage, readonly Damage[]>;
  /** The faults. None if the cases failed without wrong data. */
  readonly faults: readonly FaultRow[];
  /** The cases, in the order of the results. */
  readonly cases: readonly CaseRow[];
}

/** The share of the faults that one kind of damage must have. */
const SHARE = 0.1;

/** Kinds that concern whole frames, if they extend over a frame. */
const OF_FRAMES: readonly FaultKind[] = ["lost", "duplicated", "swapped"];

/** The share of a frame from which damage extends over the whole frame. */
const WHOLE = 0.9;

/** Bytes that are enough to name their source. */
const BEAT = 8;

/** What a few bytes at the edge of a frame look like, whatever changed them, and what that may be. */
const UNCLEAR: readonly Damage[] = ["bits", "foreign"];
const IN_FRAME: readonly Damage[] = [
  ...["bits", "old", "lost", "repeated", "shifted", "reordered", "foreign"] as const,
];

/** The share of tiny faults from which a group is a remnant of another one. */
const REMNANTS = 0.75;

/** The share of the frames of the smaller group that must be those of the larger one. */
const SAME_FRAMES = 0.6;

/**
 * Groups the failures of a run.
 *
 * @param observed The observations
 * @returns The groups, the one with the most cases first
 */
export function groupFailures(observed: Observations): Group[] {
  let groups = [...Map.groupBy(observed.faults, classOf).values()];
  groups.sort((a, b) => b.length - a.length);
  groups = joinUnknownBlame(joinRemnants(groups));
  const joined: FaultRow[][] = [];
  for (const group of groups) {
    const host = joined.find((other) => sameBlame(group, other) && sharesFrames(group, other));
    if (host === undefined) joined.push([...group]);
    else host.push(...group);
  }
  const found = joined.map((faults): Group => ({
    damage: damageOf(faults),
    alternatives: alternativesOf(faults),
    faults,
    cases: distinct(faults.map((row) => row.case)),
  }));
  return [...found, ...withoutData(observed.cases)]
    .sort((a, b) => b.cases.length - a.cases.length || b.faults.length - a.faults.length);
}

/**
 * Returns whether two groups have different causes for certain: check values blame different parts of the
 * path. Otherwise one may be a consequence of the other.
 *
 * @param one A group
 * @param two Another group
 * @returns Whether both blames are known, and differ
 */
export function areIndependent(one: Group, two: Group): boolean {
  const blames = [one, two].map(blamesOf);
  const [first, second] = blames;
  if (first?.size !== 1 || second?.size !== 1) return false;
  return [...first][0] !== [...second][0];
}

/**
 * Returns the parts of the path that are blamed for the faults of a group. Policy bounce is left out,
 * because it has no check values, so the shape of the damage decides its blame.
 *
 * @param group The group
 * @returns The parts
 */
export function blamesOf({ faults }: Group): Set<Exclude<Blame, null>> {
  const checked = faults.filter((row) => row.case.test.policy !== "bounce");
  return new Set(checked.map(blameOfFault).filter((blame) => blame !== null));
}

/** The damage, by those faults that are large enough to be named. */
function damageOf(faults: readonly FaultRow[]): Damage[] {
  const large = faults.filter((row) => !isTiny(row));
  const damages = (large.length === 0 ? faults : large).map(damageOfFault);
  return byFrequency(damages);
}

/** For each damage, what nearly all of its faults may be as well. */
function alternativesOf(faults: readonly FaultRow[]): Map<Damage, Damage[]> {
  return new Map(
    [...Map.groupBy(faults, damageOfFault)].map(([damage, rows]) => {
      const others = rows.flatMap(({ fault: { alternatives = [] } }) => [
        ...new Set(alternatives.map((kind) => CLASS_OF[kind])),
      ]);
      const common = [...Map.groupBy(others, (one) => one)]
        .filter(([one, same]) => one !== damage && same.length >= WHOLE * rows.length);
      const tiny = UNCLEAR.includes(damage) && rows.every(isTiny) ? IN_FRAME : [];
      return [damage, [...common.map(([one]) => one), ...tiny]];
    }),
  );
}

function classOf(row: FaultRow): string {
  return `${damageOfFault(row)} ${blameOfFault(row)}`;
}

/**
 * The part that is blamed. If the engine failed a read, it is the transmit side; if it failed a write, the
 * frame may have been too long as well.
 */
function blameOfFault(row: FaultRow): Blame {
  if (damageOfFault(row) !== "failed") return row.fault.blame;
  return row.fault.status === "read-failed" ? "tx" : null;
}

/** What happened, by the kind of a fault and its extent. */
function damageOfFault({ fault, case: { size } }: FaultRow): Damage {
  const { kind, offset, length, blame, status, found } = fault;
  // nothing is known about the bytes of a transfer that the engine failed
  if (status !== undefined && kind !== "too-long") return "failed";
  // what nothing answers is a read: no write and no core returns ones for that
  if (kind === "reads-ones" && (blame === "rx" || blame === "core")) return "foreign";
  // the header of a frame has bytes that all frames have
  if (size === null || offset >= BEAT || length < WHOLE * size) return CLASS_OF[kind];
  // without another frame in its place, bytes of this one are lost or repeated
  if (found === undefined) return CLASS_OF[kind];
  if (kind === "swapped") return "exchanged";
  return OF_FRAMES.includes(kind) ? "frames" : CLASS_OF[kind];
}

/**
 * Adds groups whose faults are too small to be named to the largest group of the same blame. Of damage that
 * reaches a few bytes into a frame, those bytes often look like flipped bits, or like bytes of no known
 * source. Frames shorter than a beat hold nothing else.
 */
function joinRemnants(groups: FaultRow[][]): FaultRow[][] {
  const isRemnant = (group: FaultRow[]) => group.filter(isTiny).length >= REMNANTS * group.length;
  const whole = groups.filter((group) => !isRemnant(group));
  for (const group of groups.filter(isRemnant)) {
    const host = whole.find((other) => sameBlame(group, other));
    if (host === undefined) whole.push(group);
    else host.push(...group);
  }
  return whole;
}

function isTiny({ fault: { offset, length }, case: { size } }: FaultRow): boolean {
  if (size === null) return false;
  return size <= BEAT || (length < BEAT && (offset < BEAT || offset + length >= size));
}

/** Adds faults of unknown blame to the only group with the same damage, if there is one. */
function joinUnknownBlame(groups: FaultRow[][]): FaultRow[][] {
  const kindOf = (group: FaultRow[]) => group[0] && damageOfFault(group[0]);
  const known = groups.filter((group) => blameOf(group) !== null);
  for (const group of groups.filter((group) => blameOf(group) === null)) {
    const same = known.filter((other) => kindOf(other) === kindOf(group));
    const [only] = same;
    if (same.length === 1 && only !== undefined) only.push(...group);
    else known.push(group);
  }
  return known;
}

function blameOf(group: readonly FaultRow[]): Blame {
  return group.map(blameOfFault).find((blame) => blame !== null) ?? null;
}

function sameBlame(group: readonly FaultRow[], other: readonly FaultRow[]): boolean {
  const [one, two] = [blameOf(group), blameOf(other)];
  return one === null || two === null || one === two;
}

const frameOf = (row: FaultRow): string => `${row.case.index} ${row.fault.frame}`;

/** Whether most frames of a group are those of another one. */
function sharesFrames(group: readonly FaultRow[], other: readonly FaultRow[]): boolean {
  const theirs = new Set(other.map(frameOf));
  const own = new Set(group.map(frameOf));
  return [...own].filter((frame) => theirs.has(frame)).length >= SAME_FRAMES * own.size;
}

/** How the driver's state of a block differs from that of the program, in the words of a reason. */
const MIXED_UP = /^(MixUpError|BlockStateError|AnswerError)|\b(EBUSY|ENODATA|ENOENT)\b/;

/** Cases that failed without wrong data, by how they ended and by the words of their reason. */
function withoutData(cases: readonly CaseRow[]): Group[] {
  const bad = cases.filter(({ failed, test }) => failed && test.faults.length === 0);
  const late = bad.filter(({ test }) => test.outcome === "TIMEOUT");
  const mixed = bad.filter((row) => !late.includes(row) && MIXED_UP.test(row.test.reason ?? ""));
  const others = bad.filter((row) => !late.includes(row) && !mixed.includes(row));
  const reasons = Map.groupBy(others, ({ test }) => (test.reason ?? "").replaceAll(/\d+/g, "#"));
  // with several blocks in flight, the next completion comes in place of a missing one
  const isMissing = late.length > 0 && mixed.length > 0 &&
    late.every(({ depth }) => depth === 1) && mixed.every(({ depth }) => depth !== 1);
  return [
    ...(isMissing
      ? [withCases("missing", [...late, ...mixed].sort((a, b) => a.index - b.index))]
      : [withCases("timeout", late), withCases("mixed-up", mixed)]),
    ...[...reasons.values()].map((rows) => withCases("no-data", rows)),
  ].filter((group) => group.cases.length > 0);
}

function withCases(damage: Damage, cases: readonly CaseRow[]): Group {
  return { damage: [damage], alternatives: new Map(), faults: [], cases };
}

function byFrequency<T>(items: readonly T[]): T[] {
  return [...Map.groupBy(items, (item) => item)]
    .filter(([, same]) => same.length >= SHARE * items.length)
    .sort(([, a], [, b]) => b.length - a.length).map(([item]) => item);
}

function distinct(cases: readonly CaseRow[]): CaseRow[] {
  return [...new Set(cases)].sort((a, b) => a.index - b.index);
}
