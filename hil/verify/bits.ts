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
/** The most bits of a word that are; more are another fault. */
const MOST_BITS = 4;
/** Wrong bytes from which lanes are believed. */
const LANES = 8;

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
  for (const width of WIDTHS) {
    const always1 = new Uint8Array(width).fill(0xff);
    const always0 = new Uint8Array(width).fill(0xff);
    const counts = new Uint32Array(width * 8);
    for (let i = from; i < to; i++) {
      const lane = i % width;
      const byte = received[i] ?? 0;
      always1[lane] = (always1[lane] ?? 0) & byte;
      always0[lane] = (always0[lane] ?? 0) & ~byte;
      for (let bits = byte ^ (expected[i] ?? 0); bits !== 0; bits &= bits - 1) {
        const bit = lane * 8 + 31 - Math.clz32(bits & -bits);
        counts[bit] = (counts[bit] ?? 0) + 1;
      }
    }
    const bits: { bit: number; value: 0 | 1 }[] = [];
    for (let bit = 0; bit < counts.length; bit++) {
      if ((counts[bit] ?? 0) < EVIDENCE) continue;
      const mask = 1 << (bit & 7);
      if ((always1[bit >> 3] ?? 0) & mask) bits.push({ bit, value: 1 });
      else if ((always0[bit >> 3] ?? 0) & mask) bits.push({ bit, value: 0 });
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
 * @returns The run, with the narrowest word that explains most; null when there is none
 */
export function findLanes({ expected, received }: Sides, at: number, end: number): Run | null {
  let best: Run | null = null;
  for (const width of WIDTHS) {
    if (width === 1) continue;
    const run = lanesOf(expected, received, at, end, width);
    if (run !== null && run.wrong > (best?.wrong ?? 0)) best = run;
  }
  return best;
}

function lanesOf(
  expected: Uint8Array,
  received: Uint8Array,
  at: number,
  end: number,
  width: number,
): Run | null {
  const start = at - at % width;
  // from which lane of what is due each lane can have come: all words so far agree
  const can: number[][] = Array.from({ length: width }, () => []);
  let to = start;
  let last = start;
  let wrong = 0;
  for (let word = start; word + width <= end; word += width) {
    let differs = 0;
    for (let lane = 0; lane < width; lane++) {
      const byte = received[word + lane];
      if (byte !== expected[word + lane]) differs++;
      const before = word === start ? Array.from({ length: width }, (_, i) => i) : can[lane] ?? [];
      can[lane] = before.filter((from) => expected[word + from] === byte);
    }
    if (can.some((from) => from.length === 0)) break;
    to = word + width;
    wrong += differs;
    if (differs > 0) last = to;
  }
  if (to === start) return null;
  const map = mapOf(expected, received, start, to, width);
  if (map === null || wrong < LANES) return null;
  let first = at;
  while (first > start && received[first - 1] !== expected[first - 1]) first--;
  while (last > at && received[last - 1] === expected[last - 1]) last--;
  return { from: first, to: last, source: { kind: "lanes", width, map }, wrong, flaws: [] };
}

/** The lane that each lane came from; its own where that fits. Null unless each came from another. */
function mapOf(
  expected: Uint8Array,
  received: Uint8Array,
  start: number,
  to: number,
  width: number,
): number[] | null {
  const map: number[] = [];
  const fits = (lane: number, from: number) => {
    for (let word = start; word < to; word += width) {
      if (received[word + lane] !== expected[word + from]) return false;
    }
    return true;
  };
  const lanes = Array.from({ length: width }, (_, i) => i);
  for (const lane of lanes) {
    const from = fits(lane, lane) ? lane : lanes.find((other) => fits(lane, other));
    if (from === undefined) return null;
    map.push(from);
  }
  return map;
}
