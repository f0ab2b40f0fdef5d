// SPDX-License-Identifier: MIT
/**
 * The tagged pattern: every 64-bit word says which frame and which position it belongs to.
 *
 * One long tape of words is made per run. Word `p` of the tape holds `p` in its low 28 bits, a class
 * in the next 4, and a hash of the seed, the class and `p` in its high 32 bits, little-endian. Frame
 * `s` is the piece of the tape that begins at word `(s mod SLOTS) * STEP`. So making a frame is one
 * `memcpy`, checking one is one `memcmp`, and a word found anywhere tells by itself whether it
 * belongs to this run and from where in the tape it came.
 *
 * STEP is odd, so that even a frame of one byte differs from its neighbours. Frames that are SLOTS
 * apart are alike but for the header: frames of at least {@linkcode MIN_STAMPED} bytes begin with one,
 * which holds the full sequence number.
 *
 * The poison is a piece of a tape of another class. It is what a receive block holds before the
 * first frame, and around it.
 *
 * @module
 */

import type { Pattern } from "./pattern.ts";

/** Words between the beginnings of two consecutive frames on the tape. */
export const STEP = 65;

/** Frames until the tape repeats; a prime, above any queue depth. */
export const SLOTS = 4093;

/** Bytes of the header of a stamped frame. */
export const HEADER_SIZE = 32;

/** Frames of at least this many bytes carry a header. */
export const MIN_STAMPED = 64;

const MAGIC = 0x504c_4d42; // "PLMB"
const INDEX_BITS = 28;
const INDEX_MASK = (1 << INDEX_BITS) - 1;
const FRAME_CLASS = 1;
const POISON_CLASS = 2;

/** The longest frame that the index can tell apart, bytes. */
export const MAX_FRAME = (INDEX_MASK + 1 - SLOTS * STEP) * 8;

/** What a word says about itself. */
export type WordIdentity =
  | { readonly class: "frame"; readonly index: number }
  | { readonly class: "poison"; readonly index: number }
  | null;

/** Where a word of the tape belongs, when it is found at a word of a frame. */
export interface Origin {
  /** Sequence number of the frame modulo {@linkcode SLOTS}. */
  readonly slot: number;
  /** Words by which it was found too late (positive) or too early (negative). */
  readonly shift: number;
}

/**
 * Frames of one run.
 *
 * @example Make a frame and tell a word of it
 * ```ts
 * import { TaggedPattern } from "./tagged.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const pattern = new TaggedPattern({ seed: 1, maxLength: 4096 });
 * const frame = new Uint8Array(4096);
 * pattern.write(frame, 7);
 * const view = new DataView(frame.buffer);
 * const word = pattern.identify(view.getUint32(800, true), view.getUint32(804, true));
 * assertEquals(word?.class, "frame");
 * assertEquals(pattern.origin(word!.index, 100), { slot: 7, shift: 0 });
 * ```
 */
export class TaggedPattern implements Pattern {
  readonly name = "tagged";
  readonly period = SLOTS;
  /** The seed. */
  readonly seed: number;
  /** The longest frame, bytes. */
  readonly maxLength: number;
  readonly #tape: Uint8Array<ArrayBuffer>;
  readonly #poison: Uint8Array<ArrayBuffer>;
  readonly #header = new Uint8Array(HEADER_SIZE);
  readonly #headerView = new DataView(this.#header.buffer);

  /**
   * Make the tape.
   *
   * @param options `seed`, 0 to 2^32 - 1; `maxLength`, bytes of the longest frame or block
   * @throws {RangeError} For a seed or a length outside of their ranges
   */
  constructor(options: { seed: number; maxLength: number }) {
    const { seed, maxLength } = options;
    if (seed >>> 0 !== seed) {
      throw new RangeError(`Expected seed to be a whole number from 0 to 2^32 - 1, found ${seed}`);
    }
    if (!Number.isInteger(maxLength) || maxLength < 1 || maxLength > MAX_FRAME) {
      throw new RangeError(`Expected maxLength from 1 to ${MAX_FRAME} bytes, found ${maxLength}`);
    }
    this.seed = seed;
    this.maxLength = maxLength;
    const words = Math.ceil(maxLength / 8);
    this.#tape = makeTape(seed, FRAME_CLASS, words + SLOTS * STEP);
    this.#poison = makeTape(seed, POISON_CLASS, words);
  }

  /**
   * The bytes of a frame but for its header: a view of the tape, not to be written to.
   *
   * @param sequence Number of the frame, from 0
   * @param length Bytes
   * @returns A view of `length` bytes
   * @throws {RangeError} For a frame longer than the pattern was made for
   */
  body(sequence: number, length: number): Uint8Array<ArrayBuffer> {
    if (length > this.maxLength) {
      throw new RangeError(`Expected at most ${this.maxLength} bytes, found ${length}`);
    }
    const start = (sequence % SLOTS) * STEP * 8;
    return this.#tape.subarray(start, start + length);
  }

  /**
   * The header of a frame: magic, sequence number (8 bytes), seed, length (8 bytes), a hash over
   * these, little-endian, padded with zeros. The view is valid until the next call.
   *
   * @param sequence Number of the frame, from 0
   * @param length Bytes of the frame
   * @returns A view of {@linkcode HEADER_SIZE} bytes, or null for a frame too short for one
   */
  header(sequence: number, length: number): Uint8Array<ArrayBuffer> | null {
    if (length < MIN_STAMPED) return null;
    const view = this.#headerView;
    view.setUint32(0, MAGIC, true);
    view.setUint32(4, sequence >>> 0, true);
    view.setUint32(8, Math.floor(sequence / 2 ** 32), true);
    view.setUint32(12, this.seed, true);
    view.setUint32(16, length >>> 0, true);
    view.setUint32(20, Math.floor(length / 2 ** 32), true);
    view.setUint32(24, hash(sequence >>> 0, hash(this.seed, length >>> 0)), true);
    return this.#header;
  }

  /**
   * Write a whole frame.
   *
   * @param target Where to; its length is that of the frame
   * @param sequence Number of the frame, from 0
   */
  write(target: Uint8Array, sequence: number): void {
    target.set(this.body(sequence, target.length));
    const header = this.header(sequence, target.length);
    if (header !== null) target.set(header);
  }

  /**
   * What a receive block holds where no frame was written: a view, not to be written to.
   *
   * @param offset Start in the block, bytes
   * @param length Bytes
   * @returns A view of `length` bytes
   */
  poison(offset: number, length: number): Uint8Array<ArrayBuffer> {
    return this.#poison.subarray(offset, offset + length);
  }

  /**
   * Tell what a word is.
   *
   * @param low Its low 32 bits
   * @param high Its high 32 bits
   * @returns Its class and index, or null for a word that no part of this run made
   */
  identify(low: number, high: number): WordIdentity {
    const index = low & INDEX_MASK;
    const kind = low >>> INDEX_BITS;
    if (kind !== FRAME_CLASS && kind !== POISON_CLASS) return null;
    if (high >>> 0 !== hash(low >>> 0, this.seed)) return null;
    return { class: kind === FRAME_CLASS ? "frame" : "poison", index };
  }

  /**
   * Tell which frame a word of the tape belongs to, from where it was found.
   *
   * @param index Index of the word on the tape
   * @param position Word of the frame at which it was found
   * @returns The frame whose beginning is nearest, and the shift that remains
   */
  origin(index: number, position: number): Origin {
    const start = index - position;
    const slot = Math.round(start / STEP);
    return { slot: ((slot % SLOTS) + SLOTS) % SLOTS, shift: slot * STEP - start };
  }
}

/** A hash of two 32-bit words; the finalizer is the one of MurmurHash3. */
function hash(a: number, b: number): number {
  let h = Math.imul(a ^ Math.imul(b, 0x9e37_79b1), 0x85eb_ca6b) ^ b;
  h = Math.imul(h ^ (h >>> 16), 0x85eb_ca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2_ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

function makeTape(seed: number, kind: number, words: number): Uint8Array<ArrayBuffer> {
  const tape = new Uint32Array(words * 2);
  const tag = (kind << INDEX_BITS) >>> 0;
  for (let i = 0; i < words; i++) {
    const low = (tag | i) >>> 0;
    tape[2 * i] = low;
    tape[2 * i + 1] = hash(low, seed);
  }
  return new Uint8Array(tape.buffer);
}
