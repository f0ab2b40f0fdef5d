// SPDX-License-Identifier: MIT
/**
 * Wires: bits that are stuck, and bytes of a word that lie in each other's place.
 *
 * Words are counted from the start of the frame, as beats of a bus are.
 *
 * @module
 */

import type { Run } from "./sources.ts";

/** Widths of a word that are tried, bytes. */
export const WIDTHS: readonly number[] = [1, 2, 4, 8, 16, 32, 64];

/** Bits of a word that always have one value. */
export interface Stuck {
  /** Bytes of the word. */
  readonly width: number;
  /** Each bit, by its number in the word, and its value. */
  readonly bits: readonly { readonly bit: number; readonly value: 0 | 1 }[];
}

/** Wrong words from which a bit is called stuck. */
const EVIDENCE = 4;
/** How often at least a stuck bit has its value: a part of the frame may come from elsewhere. */
const ALWAYS = 0.85;
/** The most bits of a word that are; more are another fault. */
const MOST_BITS = 4;
/** Wrong bytes and words from which lanes are believed. */
const LANES = 8;
const LANE_WORDS = 4;

/** The two sides of a frame. */
interface Sides {
  readonly expected: Uint8Array;
  readonly received: Uint8Array;
}

/**
 * Find bits that are stuck all over a range.
 *
 * @param frame What is due and what is there
 * @param from First byte
 * @param to Behind the last byte
 * @returns The bits of the narrowest word that explains them, or null
 */
export function findStuck({ expected, received }: Sides, from: number, to: number): Stuck | null {
  // for each bit of the widest word and each value: how often the other one was due, and how often it
  // was there all the same
  const widest = 8 * 64;
  const due = [new Uint32Array(widest), new Uint32Array(widest)] as const;
  const turned = [new Uint32Array(widest), new Uint32Array(widest)] as const;
  for (let i = from; i < to; i++) {
    const at = (i & 63) * 8;
    const [is, was] = [received[i] ?? 0, expected[i] ?? 0];
    for (let bit = 0; bit < 8; bit++) {
      const value = (was >> bit) & 1 ? 0 : 1;
      const counts = due[value];
      counts[at + bit] = (counts[at + bit] ?? 0) + 1;
      if (((is ^ was) >> bit) & 1) {
        const wrong = turned[value];
        wrong[at + bit] = (wrong[at + bit] ?? 0) + 1;
      }
    }
  }
  for (const width of WIDTHS) {
    const bits: { bit: number; value: 0 | 1 }[] = [];
    for (let bit = 0; bit < 8 * width; bit++) {
      const sum = (counts: Uint32Array) => {
        let total = 0;
        for (let at = bit; at < widest; at += 8 * width) total += counts[at] ?? 0;
        return total;
      };
      for (const value of [0, 1] as const) {
        const wrong = sum(turned[value]);
        const other = value === 0 ? 1 : 0;
        if (
          wrong >= EVIDENCE && wrong >= ALWAYS * sum(due[value]) &&
          sum(turned[other]) <= (1 - ALWAYS) * sum(due[other])
        ) bits.push({ bit, value });
      }
    }
    if (bits.length === 0 || bits.length > MOST_BITS) continue;
    const stuck = { width, bits };
    if (alone({ expected, received }, from, to, stuck)) return stuck;
  }
  return null;
}

/** Whether enough words are wrong in nothing but these bits: in others' place, words differ everywhere. */
function alone({ expected, received }: Sides, from: number, to: number, stuck: Stuck): boolean {
  const keep = keepMask(stuck);
  let wrong = 0;
  let only = 0;
  const word = Math.max(8, stuck.width);
  for (let at = from; at < to; at += word) {
    let any = 0;
    let rest = 0;
    for (let i = at; i < Math.min(at + word, to); i++) {
      const differs = (expected[i] ?? 0) ^ (received[i] ?? 0);
      any |= differs;
      rest |= differs & (keep[i & 63] ?? 0xff);
    }
    if (any !== 0) wrong++;
    if (any !== 0 && rest === 0) only++;
  }
  return only >= EVIDENCE && only * 10 >= wrong;
}

/**
 * Which bits count when some are stuck.
 *
 * @param stuck The stuck bits, or null
 * @returns A mask for each byte modulo 64
 */
export function keepMask(stuck: Stuck | null): Uint8Array {
  const keep = new Uint8Array(64).fill(0xff);
  if (stuck === null) return keep;
  for (let at = 0; at < 64; at += stuck.width) {
    for (const { bit } of stuck.bits) {
      keep[at + (bit >> 3)] = (keep[at + (bit >> 3)] ?? 0) & ~(1 << (bit & 7));
    }
  }
  return keep;
}

/**
 * Find words whose bytes are those due, in another order that is the same for all.
 *
 * @param frame What is due and what is there
 * @param at The first wrong byte
 * @param end Where the bytes that moved end
 * @param keep Bits that count, by byte modulo 64
 * @param shift By how many bytes the frame is displaced there
 * @returns The run, with the narrowest word that explains most; null when there is none
 */
export function findLanes(
  { expected, received }: Sides,
  at: number,
  end: number,
  keep: Uint8Array,
  shift: number,
): Run | null {
  let best: Run | null = null;
  const is = (here: number, due: number) =>
    (((received[here] ?? 0) ^ (expected[due - shift] ?? 0)) & (keep[here & 63] ?? 0xff)) === 0;
  for (const width of WIDTHS) {
    if (width === 1) continue;
    const run = lanesOf(is, at, end, width);
    if (run !== null && run.wrong > (best?.wrong ?? 0)) best = run;
  }
  return best;
}

/** Whether what lies at one byte is what is due at another. */
type Is = (here: number, due: number) => boolean;

function lanesOf(
  is: Is,
  at: number,
  end: number,
  width: number,
): Run | null {
  const start = at - at % width;
  const lanes = Array.from({ length: width }, (_, lane) => lane);
  // from which lanes of what is due each lane can have come: all words so far agree
  let can = lanes.map(() => lanes);
  let last = start;
  let wrong = 0;
  let words = 0;
  for (let word = start; word + width <= end; word += width) {
    const next = can.map((some, lane) => some.filter((from) => is(word + lane, word + from)));
    if (next.some((some) => some.length === 0)) break;
    can = next;
    const differs = lanes.filter((lane) => !is(word + lane, word + lane)).length;
    wrong += differs;
    if (differs > 0) words++;
    if (differs > 0) last = word + width;
  }
  // in one word, or a few, any bytes may be found again somewhere
  if (wrong < LANES || words < Math.min(LANE_WORDS, (end - start) / width)) return null;
  let first = at;
  while (first > start && !is(first - 1, first - 1)) first--;
  while (last > at && is(last - 1, last - 1)) last--;
  const map = can.map((some, lane) => some.includes(lane) ? lane : some[0] ?? lane);
  return { from: first, to: last, source: { kind: "lanes", width, map }, wrong, flaws: [] };
}
