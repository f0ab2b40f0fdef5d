// SPDX-License-Identifier: MIT
/**
 * Which frames and which blocks separate wrong frames from intact ones.
 *
 * @module
 */
import { plural } from "../text/format.ts";
import { BOUND, chanceOfAll, isForced } from "./chance.ts";
import type { Group } from "./groups.ts";
import type { CaseRow, FaultRow } from "./observations.ts";
import type { Finding, Signature } from "./signature.ts";

/** The share of wrong frames from which every frame counts as wrong: a stuck bit spares some data. */
const EVERY = 0.9;

/** The least number of blocks behind a full queue, and the most of any queue. */
const FULL = 4;
const MOST_BLOCKS = 65_536;

/** The wrong frames of a case, in their order. */
interface WrongFrames {
  readonly case: CaseRow;
  readonly frames: readonly number[];
}

/**
 * Lists the wrong frames of each case of a group.
 *
 * @param group The group
 * @returns The frames, without a case that has none
 */
function wrongFrames({ faults }: Pick<Group, "faults">): WrongFrames[] {
  const cases = Map.groupBy(faults, (row) => row.case);
  return [...cases].map(([one, rows]) => ({
    case: one,
    frames: [...new Set(rows.map(({ fault }) => fault.frame))].sort((a, b) => a - b),
  }));
}

/**
 * Finds which frames are wrong.
 *
 * @param group The group
 * @returns The finding
 */
export function frameOf(group: Group): Finding<Signature["frame"]> {
  const wrong = wrongFrames(group);
  if (wrong.length === 0) return { value: "unknown" };
  const indices = [...new Set(wrong.flatMap(({ frames }) => frames))];
  const [only] = indices;
  // with a wrong frame behind the first one, reset did not cause it
  const left = indices.every((index) => index === 0)
    ? {}
    : { left: ["any", "same", "periodic", "from", "every"] } as const;
  if (indices.length === 1 && only !== undefined) {
    // by chance, each case would have to choose the same one of its frames
    const others = wrong.map((one) => 1 / Math.max(1, one.case.frames));
    const chance = others.reduce((product, one) => product * one, only === 0 ? 1 : BOUND ** -0.25);
    if (!isForced(chance)) return { value: "unknown", ...left };
    return only === 0
      ? { value: "first", text: "Only the first frame of a case is wrong" }
      : { value: "same", facts: { frame: only }, text: `Only frame ${only} of a case is wrong` };
  }
  const long = wrong.filter((one) => one.case.frames >= 4);
  if (long.length === 0) return { value: "unknown", ...left };
  if (rate(long) >= EVERY) {
    return { value: "every", text: "At least 9 of 10 frames of these cases are wrong" };
  }
  return fromOne(long) ?? everyNth(long) ?? {
    value: indices.length >= 3 ? "any" : "unknown",
    ...left,
  };
}

/** All frames from one on are wrong, and none before it, in each case. */
function fromOne(wrong: readonly WrongFrames[]): Finding<"from"> | null {
  const first = wrong[0]?.frames[0] ?? 0;
  const same = wrong.every(({ frames }) =>
    frames[0] === first && frames.length >= 4 && isRow(frames)
  );
  if (first === 0 || !same) return null;
  return {
    value: "from",
    facts: { frame: first },
    text: `All frames from frame ${first} on are wrong`,
  };
}

function isRow(frames: readonly number[]): boolean {
  return frames.every((frame, i) => i === 0 || frame === (frames[i - 1] ?? 0) + 1);
}

/** Every n-th frame is wrong, with the same n in each case. */
function everyNth(wrong: readonly WrongFrames[]): Finding<"periodic"> | null {
  const several = wrong.filter(({ frames }) => frames.length >= 3);
  const period = several.flatMap(({ frames }) => steps(frames)).reduce(gcd, 0);
  if (period < 2) return null;
  const count = several.reduce((sum, { frames }) => sum + frames.length - 1, 1);
  if (!isForced(chanceOfAll(count, 1 / period))) return null;
  // frames between the wrong ones may be intact, because the cause may need more than its turn
  return {
    value: "periodic",
    facts: { period, nth: ordinal(period) },
    text: `Only every ${ordinal(period)} frame is wrong`,
  };
}

/**
 * Finds whether damage is in one block of several, or in some of them.
 *
 * @param group The group
 * @returns The finding
 */
export function blockOf({ faults }: Group): Finding<Signature["block"]> {
  const queued = faults.filter(({ case: { depth }, fault }) =>
    depth !== null && depth > 1 && fault.block !== undefined
  );
  // with one block, its damage would show in every frame
  const single = wrongFrames({ faults }).filter((one) =>
    one.case.depth === 1 && one.case.frames >= 4
  );
  if (single.length > 0 && rate(single) < EVERY) return { value: "any" };
  const turns = [...Map.groupBy(queued, (row) => row.case).values()].map(turnsOf);
  // cases with the same wrong frames are no more evidence than one of them, because the frames chose the blocks
  const distinct = [...new Map(turns.map((one) => [one.where, one])).values()];
  if (distinct.some(({ hit, all }) => hit > 1 && hit >= all)) return { value: "any" };
  const chance = distinct.reduce(
    (product, { frames, hit, all }) =>
      product * Math.min(1, choose(all, hit) * (hit / all) ** frames),
    1,
  );
  const areSeveral = turns.some(({ hit }) => hit > 1);
  if (!isForced(chance)) return { value: areSeveral ? "any" : "unknown" };
  if (areSeveral) {
    return { value: "some", text: "Some of the blocks that take turns are never damaged" };
  }
  const names = blocks(queued);
  const [block = 0] = names;
  return {
    value: "one",
    facts: { block },
    text: names.size === 1
      ? `All damage is in block ${block}, although several blocks take turns`
      : "In each case all damage is in one block, although several blocks take turns",
  };
}

/** Which blocks are damaged in a case. */
interface Turns {
  /** The wrong frames with their blocks, as text. */
  readonly where: string;
  /** How many frames are wrong. */
  readonly frames: number;
  /** How many blocks they hit. */
  readonly hit: number;
  /** How many blocks take turns; the number of those that are hit if the run does not show it. */
  readonly all: number;
}

function turnsOf(rows: readonly FaultRow[]): Turns {
  const frames = new Set(rows.map(({ fault }) => fault.frame));
  const hit = blocks(rows);
  const depth = rows[0]?.case.depth ?? 1;
  return {
    where: rows.map(({ fault: { frame, block } }) => `${frame} ${block}`).join(),
    frames: frames.size,
    hit: hit.size,
    all: hit.size === 1 ? Math.min(depth, FULL) : blocksInTurn(rows) ?? hit.size,
  };
}

/** The least number of blocks with which the frames of a case are in these blocks; null if none is proved. */
function blocksInTurn(rows: readonly FaultRow[]): number | null {
  const ids = [...blocks(rows)];
  // blocks are used in turn, so their number divides each difference of a frame and its block
  const offsets = rows.map(({ fault: { frame, block = 0 } }) => frame - block);
  const turned = offsets.map((offset) => Math.abs(offset - (offsets[0] ?? 0))).reduce(gcd, 0);
  const most = Math.min(turned, MOST_BLOCKS);
  for (let all = Math.max(...ids) - Math.min(...ids) + 1; all <= most; all++) {
    if (turned % all === 0) return all;
  }
  return null;
}

/** The number of ways to choose some of several. */
function choose(all: number, some: number): number {
  return some === 0 ? 1 : choose(all - 1, some - 1) * all / some;
}

function blocks(rows: readonly FaultRow[]): Set<number> {
  return new Set(rows.map(({ fault }) => fault.block).filter((block) => block !== undefined));
}

/**
 * Finds how many frames of the failing cases are wrong.
 *
 * @param group The group
 * @returns The finding
 */
export function rateOf(group: Group): Finding<Signature["rate"]> {
  const wrong = wrongFrames(group).filter((one) => one.case.frames >= 4);
  if (wrong.length === 0) return { value: "unknown" };
  const bad = wrong.reduce((sum, { frames }) => sum + frames.length, 0);
  const all = wrong.reduce((sum, one) => sum + Math.max(one.case.frames, one.frames.length), 0);
  const text = `${bad} of ${plural(all, "frame")} of these cases are wrong`;
  return { value: bad >= EVERY * all ? "every" : "some", text };
}

function rate(wrong: readonly WrongFrames[]): number {
  const bad = wrong.reduce((sum, { frames }) => sum + frames.length, 0);
  return bad / wrong.reduce((sum, one) => sum + Math.max(one.case.frames, one.frames.length), 0);
}

function steps(frames: readonly number[]): number[] {
  return frames.slice(1).map((frame, i) => frame - (frames[i] ?? 0));
}

/**
 * Returns the greatest common divisor.
 *
 * @param a A whole number from 0
 * @param b A whole number from 0
 * @returns Their greatest common divisor; the other number if one is 0
 */
export function gcd(a: number, b: number): number {
  while (b > 0) [a, b] = [b, a % b];
  return a;
}

/**
 * Writes an ordinal number.
 *
 * @param n A whole number from 1
 * @returns Such as `second`, or `16th`
 */
export function ordinal(n: number): string {
  const words = ["", "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth"];
  const end = n % 100 > 10 && n % 100 < 14 ? "th" : ["th", "st", "nd", "rd"][n % 10] ?? "th";
  return words[n] || `${n}${end}`;
}
