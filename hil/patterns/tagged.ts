// SPDX-License-Identifier: MIT
/**
 * The tagged pattern: every 64-bit word says which frame and which position it belongs to.
 *
 * One long tape of words is made per run; word `p` of it holds `p` and a hash (see `tags.ts`). Frame
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
import { checkOptions, FRAME_CLASS, hash, makeTags, MAX_WORDS, POISON_CLASS } from "./tags.ts";
import { STEP } from "./tape.ts";

/** Frames until the tape repeats; a prime, above any queue depth. */
export const SLOTS = 4093;

/** Bytes of the header of a stamped frame. */
export const HEADER_SIZE = 32;

/** Frames of at least this many bytes carry a header. */
export const MIN_STAMPED = 64;

const MAGIC = 0x504c_4d42; // "PLMB"

/** The longest frame that the index can tell apart, bytes. */
export const MAX_FRAME = (MAX_WORDS - SLOTS * STEP) * 8;

/**
 * Frames of one run.
 *
 * @example Make a frame and tell a word of it
 * ```ts
 * import { SLOTS, TaggedPattern } from "./tagged.ts";
 * import { identify } from "./tags.ts";
 * import { STEP } from "./tape.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const pattern = new TaggedPattern({ seed: 1, maxLength: 4096 });
 * const frame = new Uint8Array(4096);
 * pattern.write(frame, 7);
 * const view = new DataView(frame.buffer);
 * const word = identify(1, view.getUint32(800, true), view.getUint32(804, true));
 * assertEquals(word, { class: "frame", index: (7 % SLOTS) * STEP + 100 });
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
  readonly #headerWords = new Uint32Array(this.#header.buffer);

  /**
   * Make the tape.
   *
   * @param options `seed`, 0 to 2^32 - 1; `maxLength`, bytes of the longest frame or block
   * @throws {RangeError} For a seed or a length outside of their ranges
   */
  constructor(options: { seed: number; maxLength: number }) {
    checkOptions(options, MAX_FRAME);
    const { seed, maxLength } = options;
    this.seed = seed;
    this.maxLength = maxLength;
    const words = Math.ceil(maxLength / 8);
    this.#tape = makeTags(seed, FRAME_CLASS, words + SLOTS * STEP);
    this.#poison = makeTags(seed, POISON_CLASS, words);
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
   * these, little-endian, padded with zeros. Words `i` of 32 bits from 2 to 5, which would be alike in
   * all frames, are XORed with `hash(low half of the sequence number, i)`, so that no 64-bit word of a
   * frame is that of the one before. The view is valid until the next call.
   *
   * @param sequence Number of the frame, from 0
   * @param length Bytes of the frame
   * @returns A view of {@linkcode HEADER_SIZE} bytes, or null for a frame too short for one
   */
  header(sequence: number, length: number): Uint8Array<ArrayBuffer> | null {
    if (length < MIN_STAMPED) return null;
    const words = this.#headerWords;
    words[0] = MAGIC;
    words[1] = sequence;
    words[2] = sequence / 2 ** 32;
    words[3] = this.seed;
    words[4] = length;
    words[5] = length / 2 ** 32;
    for (let i = 2; i < 6; i++) words[i] = words[i]! ^ hash(words[1]!, i);
    words[6] = hash(sequence >>> 0, hash(this.seed, length >>> 0));
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
}
