// SPDX-License-Identifier: MIT
/**
 * Tags: 64-bit words that identify themselves. A tag is little-endian. It has an index in its low 28 bits,
 * a class in the next 4 bits, and a hash of the seed, the class and the index in its high 32 bits.
 *
 * The frames of the tagged pattern and the poison of every pattern consist of tags.
 *
 * @module
 */

/** Class of tags in frames. */
export const FRAME_CLASS = 1;
/** Class of tags in poison. */
export const POISON_CLASS = 2;

const INDEX_BITS = 28;
const INDEX_MASK = (1 << INDEX_BITS) - 1;

/** The most tags of one class. */
export const MAX_WORDS = INDEX_MASK + 1;

/** What a word is: a tag with a class and an index, or `null` for a word that is no tag of the run. */
export type WordIdentity =
  | { readonly class: "frame"; readonly index: number }
  | { readonly class: "poison"; readonly index: number }
  | null;

/**
 * Makes the tags of a class, from index 0 on.
 *
 * @param seed The seed, 0 to 2^32 - 1
 * @param kind The class
 * @param words How many tags, at most {@linkcode MAX_WORDS}
 * @returns The bytes of the tags
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
 * Finds out whether a word is a tag of the run.
 *
 * @param seed The seed of the run
 * @param low The low 32 bits of the word
 * @param high The high 32 bits of the word
 * @returns The class and index of the tag, or `null` if the word is no tag of the run
 */
export function identify(seed: number, low: number, high: number): WordIdentity {
  const kind = low >>> INDEX_BITS;
  if (kind !== FRAME_CLASS && kind !== POISON_CLASS) return null;
  if (high >>> 0 !== hash(low >>> 0, seed)) return null;
  return { class: kind === FRAME_CLASS ? "frame" : "poison", index: low & INDEX_MASK };
}

/**
 * Hashes two 32-bit words, with the finalizer of MurmurHash3.
 *
 * @param a The first word
 * @param b The second word
 * @returns The hash, 0 to 2^32 - 1
 */
export function hash(a: number, b: number): number {
  let h = Math.imul(a ^ Math.imul(b, 0x9e37_79b1), 0x85eb_ca6b) ^ b;
  h = Math.imul(h ^ (h >>> 16), 0x85eb_ca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2_ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/**
 * Checks the options that every pattern has.
 *
 * @param options Seed and longest frame
 * @param longest Bytes of the longest frame that the pattern can make
 * @throws {RangeError} If the seed or the length is out of range
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
