// SPDX-License-Identifier: MIT
/**
 * Patterns that repeat a cycle of words, and the place in the cycle at which a generator began.
 *
 * @module
 */

import type { Pattern, PatternSpec } from "./pattern.ts";
import { gcd, type PatternInit, TapePattern } from "./tape.ts";
import { checkOptions } from "./tags.ts";

/** Bytes at the start of a frame that are compared with a cycle: eight words of the widest bus. */
const COMPARED = 1024;
/** The most frames that a design may have lost or repeated where two places of a cycle are told apart. */
const MOST_DISPLACED = 16;

/**
 * A pattern that repeats a cycle of words. Frame `s` begins `s` words after frame 0.
 *
 * @param name Its name
 * @param cycle The words that repeat
 * @param options `width`: bits of a word; `period`: number of frames after which the same bytes repeat
 * @returns The pattern
 */
export function cyclic(
  name: string,
  cycle: Uint8Array<ArrayBuffer>,
  { width, period }: { width: number; period: number },
): PatternSpec {
  const make = (skip: number) => (bytes: number) => {
    const tape = new Uint8Array(Math.max(bytes, cycle.length));
    tape.set(cycle.subarray(skip));
    tape.set(cycle.subarray(0, skip), cycle.length - skip);
    // the filled part doubles until the tape is full
    for (let full = cycle.length; full < bytes; full *= 2) tape.copyWithin(full, 0, full);
    return tape;
  };
  return {
    name,
    create(made) {
      checkOptions(made);
      return new TapePattern({ name, ...made, period, step: width / 8 }, make(0));
    },
    expectFrom(first, { frames = 1, ...made }) {
      checkOptions(made);
      const skips = align(cycle, width / 8, first, frames);
      if (skips.length === 0) return null;
      const step = first.length % cycle.length;
      const period = step === 0 ? 1 : cycle.length / gcd(cycle.length, step);
      return new CyclicPattern({ name, ...made, period, step }, { cycle, skips, make });
    },
  };
}

/** Frames of a cycle of words whose place in the first frame may be known only when later ones come. */
class CyclicPattern extends TapePattern {
  readonly #init: PatternInit & { readonly step: number };
  readonly #places: Places;

  constructor(init: PatternInit & { readonly step: number }, places: Places) {
    super(init, places.make(places.skips[0] ?? 0));
    this.#init = init;
    this.#places = places;
  }

  narrow(sequence: number, frame: Uint8Array): Pattern {
    const { cycle, skips } = this.#places;
    if (skips.length === 1) return this;
    const left = skips.filter((skip) => {
      const start = skip + (sequence % this.period) * this.#init.step;
      return frame.every((byte, i) => byte === cycle[(start + i) % cycle.length]);
    });
    if (left.length === 0 || left.length === skips.length) return this;
    return new CyclicPattern(this.#init, { ...this.#places, skips: left });
  }
}

/** The places of a cycle at which frame 0 may begin. */
interface Places {
  /** The bytes that repeat. */
  readonly cycle: Uint8Array<ArrayBuffer>;
  /** By how many bytes the cycle is rotated, at least one entry. The first one is the likeliest. */
  readonly skips: readonly number[];
  /** Makes a tape of the given number of bytes for a rotation. */
  readonly make: (skip: number) => (bytes: number) => Uint8Array<ArrayBuffer>;
}

/**
 * Finds by how many bytes a cycle must be rotated to match a frame best. Returns nothing if most words are
 * wrong even then, or if there are too few words. Several rotations may match equally well, for example
 * with walking bits in a frame without the first and the last word of the cycle. Then a rotation by whole
 * words comes first. Rotations are left out with which frames that a design lost or repeated would look right.
 */
function align(
  cycle: Uint8Array,
  word: number,
  first: Uint8Array,
  frames: number,
): number[] {
  const length = Math.min(first.length, COMPARED);
  let best = length;
  let found: number[] = [];
  for (let skip = 0; skip < cycle.length; skip++) {
    const lead = (word - skip % word) % word; // bytes of a word that began in the frame before
    const words = Math.floor((length - lead) / word);
    let wrong = 0;
    let wrongWords = 0;
    let last = -1;
    for (let i = 0; i < length && wrong <= best && 2 * wrongWords < words; i++) {
      if (cycle[(skip + i) % cycle.length] === first[i]) continue;
      wrong++;
      const at = Math.floor((i - lead) / word);
      if (at > last && at < words) wrongWords++;
      last = at;
    }
    if (wrong > best || !isEnough(words - wrongWords, words, 8 * word, frames)) continue;
    if (wrong < best) found = [];
    found.push(skip);
    best = wrong;
  }
  // those that match the beginning equally well may differ in the rest of the cycle
  if (found.length > 1 && first.length > length) found = bestOf(found, cycle, first);
  // without a place at the start of a word, a frame that is wrong may fit anywhere by chance
  const isClear = found.length === 1 || best === 0;
  const likeliest = found.findLast((skip) => skip % word === 0) ?? (isClear ? found[0] : undefined);
  if (likeliest === undefined) return [];
  const displaced = new Set<number>();
  for (let by = -MOST_DISPLACED; by <= MOST_DISPLACED; by++) {
    const skip = (likeliest + by * first.length) % cycle.length;
    displaced.add((skip + cycle.length) % cycle.length);
  }
  return [likeliest, ...found.filter((skip) => !displaced.has(skip))];
}

/** Those rotations of a cycle with which the fewest bytes of a frame are wrong. */
function bestOf(skips: readonly number[], cycle: Uint8Array, first: Uint8Array): number[] {
  const length = Math.min(first.length, cycle.length);
  let best = length;
  let found: number[] = [];
  for (const skip of skips) {
    let wrong = 0;
    for (let i = 0; i < length && wrong <= best; i++) {
      if (cycle[(skip + i) % cycle.length] !== first[i]) wrong++;
    }
    if (wrong > best) continue;
    if (wrong < best) found = [];
    found.push(skip);
    best = wrong;
  }
  return found;
}

/**
 * Whether enough words agree with a pattern: more than half of them, and in all frames together at least
 * one word more than make up 32 bits. Random bytes agree that much in at most one of 2^24 frames.
 *
 * @param agree Words of the first frame that agree
 * @param words All its words
 * @param width Bits of a word
 * @param frames Frames that will be compared
 * @returns Whether they are enough
 */
export function isEnough(agree: number, words: number, width: number, frames: number): boolean {
  return 2 * agree > words && agree * frames > Math.ceil(32 / width);
}
