// SPDX-License-Identifier: MIT
/**
 * Tells what many small differences have in common: one bit, or some bytes, of every word.
 *
 * @module
 */

import { WIDTHS } from "./bits.ts";
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
): (Group<Flaw> & { readonly flaws: readonly Flaw[] })[] {
  const { expected, received } = frame;
  const groups: (Group<Flaw> & { readonly flaws: readonly Flaw[] })[] = [];
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
      const text = `bit ${bit} of every ${8 * width}-bit word is ${value === 0 ? 0 : 1}`;
      groups.push({ from: first.from, to: last.to, text, parts, flaws: parts });
    }
    left = left.filter((flaw) => !groups.some(({ parts }) => parts.includes(flaw)));
  }
  return groups;
}

/**
 * Find differences that lie in the same bytes of a word, and in no others: lanes that were not written, or
 * carry something else.
 *
 * @param parts Differences that nothing else explains
 * @returns At most one group, of the narrowest word; it takes all differences or none
 */
export function gatherLanes<Part extends { readonly from: number; readonly to: number }>(
  parts: readonly Part[],
): Group<Part>[] {
  const bytes = parts.reduce((sum, { from, to }) => sum + to - from, 0);
  if (parts.length < EVIDENCE || bytes > 1 << 20) return [];
  const sorted = [...parts].sort((a, b) => a.from - b.from);
  const [from, to] = [sorted[0]?.from ?? 0, sorted.at(-1)?.to ?? 0];
  for (const width of WIDTHS) {
    if (width < 2) continue;
    const lanes = new Set<number>();
    for (const part of parts) for (let at = part.from; at < part.to; at++) lanes.add(at % width);
    // of the words between, most must be wrong there: single bits far apart are something else
    const words = Math.ceil((to - from) / width);
    if (lanes.size * 2 > width || bytes * 2 < words * lanes.size) continue;
    const named = [...lanes].sort((a, b) => a - b).slice(0, 8).join(", ");
    const text = `byte lanes ${named} of ${8 * width}-bit words carry something else`;
    return [{ from, to, text, parts }];
  }
  return [];
}
