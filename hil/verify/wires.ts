// SPDX-License-Identifier: MIT
/**
 * Tells what many small differences have in common: one bit, or some bytes, of every word.
 *
 * @module
 */

import { type Stuck, WIDTHS } from "./bits.ts";
import type { Flaw } from "./cover.ts";

/** Differences from which something in common is believed. */
const EVIDENCE = 4;

/** Differences that are one fault. */
export interface Group<Part> {
  /** First byte. */
  readonly from: number;
  /** Behind the last byte. */
  readonly to: number;
  /** What they have in common. */
  readonly text: string;
  /** The differences. */
  readonly parts: readonly Part[];
}

/**
 * Find bits that are stuck in a part of a frame: the same bit of the word, always with the same value,
 * also where that is right.
 *
 * @param frame What is due and what is there
 * @param flaws Small differences
 * @returns A group for each such bit
 */
export function gatherStuck(
  frame: { readonly expected: Uint8Array; readonly received: Uint8Array },
  flaws: readonly Flaw[],
): (Group<Flaw> & Stuck)[] {
  const { expected, received } = frame;
  const groups: (Group<Flaw> & Stuck)[] = [];
  let left = flaws.filter(({ from, to }) => {
    const bits = (expected[from] ?? 0) ^ (received[from] ?? 0);
    return to - from === 1 && (bits & (bits - 1)) === 0;
  });
  for (const width of WIDTHS) {
    const byBit = Map.groupBy(left, ({ from }) => {
      const bits = (expected[from] ?? 0) ^ (received[from] ?? 0);
      return `${from % width} ${bits} ${(received[from] ?? 0) & bits}`;
    });
    for (const parts of byBit.values()) {
      const [first, last] = [parts[0], parts.at(-1)];
      if (parts.length < EVIDENCE || first === undefined || last === undefined) continue;
      const bits = (expected[first.from] ?? 0) ^ (received[first.from] ?? 0);
      const value = (received[first.from] ?? 0) & bits;
      let always = true;
      for (let at = first.from; at <= last.from; at += width) {
        if (((received[at] ?? 0) & bits) !== value) always = false;
      }
      if (!always) continue;
      const bit = (first.from % width) * 8 + 31 - Math.clz32(bits);
      const stuck = [{ bit, value: value === 0 ? 0 : 1 } as const];
      const text = `bit ${bit} of every ${8 * width}-bit word is ${value === 0 ? 0 : 1}`;
      groups.push({ from: first.from, to: last.to, text, parts, width, bits: stuck });
    }
    const taken = new Set(groups.flatMap(({ parts }) => parts));
    left = left.filter((flaw) => !taken.has(flaw));
  }
  return groups;
}

/** Words in which lanes must be wrong. */
const LANE_WORDS = 8;
/** A difference of so many bytes can show by itself that it is one of lanes. */
const LONG = 64;
/** Groups up to which they are filled up; so many are rather of something else. */
const FEW = 8;
/** How far from a group a difference may lie to belong to it: some words of the widest bus. */
const NEAR = 256;

/**
 * Find differences that lie in the same bytes of a word, and in no others: lanes that were not written, or
 * carry something else.
 *
 * @param right Whether a byte is what it should be
 * @param parts Differences that nothing else explains
 * @returns A group for each lane or set of lanes, of the narrowest word
 */
export function gatherLanes<Part extends { readonly from: number; readonly to: number }>(
  right: (at: number) => boolean,
  parts: readonly Part[],
): Group<Part>[] {
  const long = parts.filter(({ from, to }) => to - from >= LONG);
  const short = parts.filter(({ from, to }) => to - from < LONG);
  const groups: LaneGroup<Part>[] = [];
  for (const some of [...long.map((part) => [part]), short]) {
    const group = lanesOf(right, some);
    const same = groups.find(({ text }) => text === group?.text);
    if (group === null) continue;
    if (same === undefined) groups.push(group);
    else {
      same.from = Math.min(same.from, group.from);
      same.to = Math.max(same.to, group.to);
      for (const part of group.parts) same.parts.push(part);
    }
  }
  // what is wrong in the same lanes nearby, and is too little to show it, belongs to them
  const taken = new Set(groups.flatMap((group) => group.parts));
  const left = new Set(
    groups.length > FEW
      ? []
      : short.filter((part) => !taken.has(part)).sort((a, b) => a.from - b.from),
  );
  for (const group of groups) {
    for (const part of left) {
      const near = part.from >= group.from - NEAR && part.to <= group.to + NEAR;
      const wrong = wrongBytes(right, [part]);
      if (!near || !wrong.every((at) => group.lanes.has(at % group.width))) continue;
      group.parts.push(part);
      group.from = Math.min(group.from, wrong[0] ?? part.from);
      group.to = Math.max(group.to, (wrong.at(-1) ?? part.to - 1) + 1);
      left.delete(part);
    }
  }
  return groups;
}

interface LaneGroup<Part> extends Group<Part> {
  from: number;
  to: number;
  readonly parts: Part[];
  readonly width: number;
  readonly lanes: ReadonlySet<number>;
}

function wrongBytes(
  right: (at: number) => boolean,
  parts: readonly { readonly from: number; readonly to: number }[],
): number[] {
  const wrong: number[] = [];
  for (const { from, to } of parts) {
    for (let at = from; at < to; at++) if (!right(at)) wrong.push(at);
  }
  return wrong;
}

function lanesOf<Part extends { readonly from: number; readonly to: number }>(
  right: (at: number) => boolean,
  parts: readonly Part[],
): LaneGroup<Part> | null {
  const wrong = wrongBytes(right, parts);
  const [first, last] = [wrong[0], wrong.at(-1)];
  if (first === undefined || last === undefined) return null;
  for (const width of WIDTHS) {
    if (width < 2) continue;
    const lanes = new Map<number, number>();
    for (const at of wrong) lanes.set(at % width, (lanes.get(at % width) ?? 0) + 1);
    const words = Math.floor(last / width) - Math.floor(first / width) + 1;
    if (lanes.size * 2 > width || words < LANE_WORDS) continue;
    // each lane is wrong in most words between: single bytes far apart are something else
    if ([...lanes.values()].some((count) => count * 2 < words)) continue;
    const named = [...lanes.keys()].sort((a, b) => a - b).slice(0, 8).join(", ");
    const text = `byte lanes ${named} of ${8 * width}-bit words carry something else`;
    return {
      from: first,
      to: last + 1,
      text,
      parts: [...parts],
      width,
      lanes: new Set(lanes.keys()),
    };
  }
  return null;
}
