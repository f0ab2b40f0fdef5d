// SPDX-License-Identifier: MIT
/**
 * Words that say by themselves what they are: 64 bits, little-endian, an index in the low 28, a class
 * in the next 4, and a hash of the seed, the class and the index in the high 32.
 *
 * The frames of the tagged pattern are made of them, and so is the poison of every pattern.
 *
 * @module
 */

/** Class of the words of frames. */
export const FRAME_CLASS = 1;
/** Class of the words of poison. */
export const POISON_CLASS = 2;

const INDEX_BITS = 28;
const INDEX_MASK = (1 << INDEX_BITS) - 1;

/** Words that one class can number. */
export const MAX_WORDS = INDEX_MASK + 1;

/** What a word says about itself: its class and index, or null when it is none of this run's. */
export type WordIdentity =
  | { readonly class: "frame"; readonly index: number }
  | { readonly class: "poison"; readonly index: number }
  | null;

/**
 * Make the words of a class, from index 0.
 *
 * @param seed The seed, 0 to 2^32 - 1
 * @param kind The class
 * @param words How many, at most {@linkcode MAX_WORDS}
 * @returns Their bytes
 */
export function makeTags(seed: number, kind: number, words: number): Uint8Array<ArrayBuffer> {
  const tags = new Uint32Array(words * 2);
  const base = (kind << INDEX_BITS) >>> 0;
  for (let i = 0; i < words; i++) {
    const low = (base | i) >>> 0;
    tags[2 * i] = low;
    tags[2 * i + 1] = hash(low, seed);
  }
  return new Uint8Array(tags.buffer);
}

/**
 * Tell what a word is.
 *
 * @param seed The seed
 * @param low Its low 32 bits
 * @param high Its high 32 bits
 * @returns Its class and index, or null for a word that no part of this run made
 */
export function identify(seed: number, low: number, high: number): WordIdentity {
  const kind = low >>> INDEX_BITS;
  if (kind !== FRAME_CLASS && kind !== POISON_CLASS) return null;
  if (high >>> 0 !== hash(low >>> 0, seed)) return null;
  return { class: kind === FRAME_CLASS ? "frame" : "poison", index: low & INDEX_MASK };
}

/**
 * Hash two 32-bit words; the finalizer is the one of MurmurHash3.
 *
 * @param a One word
 * @param b The other
 * @returns 0 to 2^32 - 1
 */
export function hash(a: number, b: number): number {
  let h = Math.imul(a ^ Math.imul(b, 0x9e37_79b1), 0x85eb_ca6b) ^ b;
  h = Math.imul(h ^ (h >>> 16), 0x85eb_ca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2_ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/**
 * Check what every pattern is made from.
 *
 * @param options Seed and longest frame
 * @param longest The longest frame that the pattern can make, bytes
 * @throws {RangeError} For a seed or a length outside of their ranges
 */
export function checkOptions(
  options: { seed: number; maxLength: number },
  longest: number = MAX_WORDS * 8,
): void {
  const { seed, maxLength } = options;
  if (seed >>> 0 !== seed) {
    throw new RangeError(`Expected seed to be a whole number from 0 to 2^32 - 1, found ${seed}`);
  }
  if (!Number.isInteger(maxLength) || maxLength < 1 || maxLength > longest) {
    throw new RangeError(`Expected maxLength from 1 to ${longest} bytes, found ${maxLength}`);
  }
}
