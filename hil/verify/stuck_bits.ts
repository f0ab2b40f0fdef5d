// SPDX-License-Identifier: MIT
/**
 * Stuck bits: bits of a word that always have the same value.
 *
 * Words are counted from the start of the frame, as the beats of a bus are.
 *
 * @module
 */

import type { Range } from "./source.ts";

/** Widths of a word that are tried, bytes. */
export const WIDTHS: readonly number[] = [1, 2, 4, 8, 16, 32, 64];

/** Bits of a word that always have the same value. */
export interface StuckBits {
  /** Bytes of the word. */
  readonly width: number;
  /** Each bit, by its number in the word, and its value. */
  readonly bits: readonly { readonly bit: number; readonly value: 0 | 1 }[];
}

/** A stuck bit in a part of a frame. */
export interface StuckGroup<Part> extends Range, StuckBits {
  /** Description for a person. */
  readonly text: string;
  /** The mismatches that the stuck bit explains. */
  readonly parts: readonly Part[];
}

/** Wrong words that a stuck bit must explain. */
const MIN_WORDS = 4;
/** Share of the words in which a stuck bit has its value. A part of the frame may come from elsewhere. */
const ALWAYS = 0.85;
/** The most stuck bits of a word; more of them are another fault. */
const MAX_BITS = 4;

/** The expected and the received bytes of a frame. */
interface Frame {
  readonly expected: Uint8Array;
  readonly received: Uint8Array;
}

/**
 * Describes a stuck bit.
 *
 * @param width Bytes of the word
 * @param bit Number of the bit in the word
 * @param value Its value
 * @returns Such as `bit 40 of every 64-bit word is stuck at 1`
 */
export function stuckText(width: number, bit: number, value: 0 | 1): string {
  return `bit ${bit} of every ${8 * width}-bit word is stuck at ${value}`;
}

/**
 * Finds bits that are stuck all over a range.
 *
 * @param frame The expected and the received bytes
 * @param from Offset of the first byte
 * @param to Offset of the byte after the last one
 * @returns The bits, in the narrowest word that explains them, or `null` if there are none
 */
export function findStuckBits(frame: Frame, from: number, to: number): StuckBits | null {
  const { opposite, turned } = countBits(frame, from, to);
  for (const width of WIDTHS) {
    const bits: { bit: number; value: 0 | 1 }[] = [];
    for (let bit = 0; bit < 8 * width; bit++) {
      const sum = (counts: Uint32Array) => {
        let total = 0;
        for (let at = bit; at < WIDEST; at += 8 * width) total += counts[at] ?? 0;
        return total;
      };
      for (const value of [0, 1] as const) {
        const wrong = sum(turned[value]);
        const other = value === 0 ? 1 : 0;
        if (
          wrong >= MIN_WORDS && wrong >= ALWAYS * sum(opposite[value]) &&
          sum(turned[other]) <= (1 - ALWAYS) * sum(opposite[other])
        ) bits.push({ bit, value });
      }
    }
    if (bits.length === 0 || bits.length > MAX_BITS) continue;
    const stuck = { width, bits };
    if (explainsWords(frame, from, to, stuck)) return stuck;
  }
  return null;
}

/** Bits of the widest word. */
const WIDEST = 8 * 64;

/**
 * Counts, for each bit of the widest word and each value that it could be stuck at, how often the
 * opposite value was expected, and how often the bit turned into the value.
 */
function countBits({ expected, received }: Frame, from: number, to: number) {
  const opposite = [new Uint32Array(WIDEST), new Uint32Array(WIDEST)] as const;
  const turned = [new Uint32Array(WIDEST), new Uint32Array(WIDEST)] as const;
  for (let i = from; i < to; i++) {
    const first = (i & 63) * 8;
    const [now, due] = [received[i] ?? 0, expected[i] ?? 0];
    for (let bit = 0; bit < 8; bit++) {
      const at = first + bit;
      const value = (due >> bit) & 1 ? 0 : 1;
      opposite[value][at] = (opposite[value][at] ?? 0) + 1;
      if (((now ^ due) >> bit) & 1) turned[value][at] = (turned[value][at] ?? 0) + 1;
    }
  }
  return { opposite, turned };
}

/** Whether enough words are wrong in these bits only. Bytes from elsewhere differ in all bits. */
function explainsWords(
  { expected, received }: Frame,
  from: number,
  to: number,
  stuck: StuckBits,
): boolean {
  const keep = keepMask(stuck);
  let wrong = 0;
  let explained = 0;
  const word = Math.max(8, stuck.width);
  for (let at = from; at < to; at += word) {
    let all = 0;
    let rest = 0;
    for (let i = at; i < Math.min(at + word, to); i++) {
      const difference = (expected[i] ?? 0) ^ (received[i] ?? 0);
      all |= difference;
      rest |= difference & (keep[i & 63] ?? 0xff);
    }
    if (all !== 0) wrong++;
    if (all !== 0 && rest === 0) explained++;
  }
  return explained >= MIN_WORDS && explained * 10 >= wrong;
}

/**
 * Makes masks that leave stuck bits out.
 *
 * @param stuck The stuck bits, or `null` if there are none
 * @returns A mask of the other bits for each byte modulo 64
 */
export function keepMask(stuck: StuckBits | null): Uint8Array {
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
 * Finds bits that are stuck in a part of a frame: the same bit of each word has the same value in all
 * words of the part.
 *
 * @param frame The expected and the received bytes
 * @param mismatches Small differences
 * @returns A group for each stuck bit
 */
export function groupStuckBits<Part extends Range>(
  { expected, received }: Frame,
  mismatches: readonly Part[],
): StuckGroup<Part>[] {
  const differenceAt = (at: number) => (expected[at] ?? 0) ^ (received[at] ?? 0);
  const groups: StuckGroup<Part>[] = [];
  let left = mismatches.filter(({ from, to }) => {
    // where the frame is displaced, a byte that its source does not explain can be the expected one
    const bits = differenceAt(from);
    return to - from === 1 && bits !== 0 && (bits & (bits - 1)) === 0;
  });
  for (const width of WIDTHS) {
    const byBit = Map.groupBy(left, ({ from }) => {
      const bits = differenceAt(from);
      return `${from % width} ${bits} ${(received[from] ?? 0) & bits}`;
    });
    for (const parts of byBit.values()) {
      const [first, last] = [parts[0], parts.at(-1)];
      if (parts.length < MIN_WORDS || first === undefined || last === undefined) continue;
      const bits = differenceAt(first.from);
      const state = (received[first.from] ?? 0) & bits;
      let always = true;
      for (let at = first.from; at <= last.from; at += width) {
        if (((received[at] ?? 0) & bits) !== state) always = false;
      }
      if (!always) continue;
      const bit = (first.from % width) * 8 + 31 - Math.clz32(bits);
      const value = state === 0 ? 0 : 1;
      const text = stuckText(width, bit, value);
      groups.push({ from: first.from, to: last.to, text, parts, width, bits: [{ bit, value }] });
    }
    const taken = new Set(groups.flatMap(({ parts }) => parts));
    left = left.filter((mismatch) => !taken.has(mismatch));
  }
  return groups;
}
