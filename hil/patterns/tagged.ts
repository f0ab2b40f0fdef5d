// SPDX-License-Identifier: MIT
/**
 * The tagged pattern: every 64-bit word identifies its frame and its position in the frame.
 *
 * There is one long tape of tags (see `tags.ts`) for each run. Word `p` of the tape is the tag with index
 * `p`. Frame `s` is the piece of the tape that begins at word `(s mod SLOTS) * STEP`. So to write a frame
 * takes one `memcpy`, and to verify it takes one `memcmp`. A word that is found anywhere shows whether it
 * belongs to the run and where on the tape it was.
 *
 * STEP is odd, so even a frame of one byte differs from its neighbours. Frames that are SLOTS apart differ
 * in their stamps only: frames of at least {@linkcode MIN_STAMPED} bytes end with a stamp, which depends on
 * the full sequence number, the seed and the length. The stamp is one word at the end, so that one `memcpy`
 * and one `memcmp` at the same place in memory do for the rest of the frame.
 *
 * The poison is a tape of tags of another class. A receive block holds it before the first frame, and
 * around the frames.
 *
 * @module
 */

import { constant } from "../../driver/constant.ts";
import { STAMP_SIZE } from "../../driver/stamp.ts";
import type { Pattern } from "./pattern.ts";
import { checkOptions, FRAME_CLASS, hash, makeTags, MAX_WORDS, POISON_CLASS } from "./tags.ts";
import { STEP, Tape } from "./tape.ts";

/** Frames until the tape repeats: a prime above any queue depth. */
export const SLOTS = 4093;

/** Frames of at least this many bytes have a stamp. */
export const MIN_STAMPED = 64;

/** Bytes of the longest frame. The index of a tag has no room for more. */
export const MAX_FRAME = (MAX_WORDS - SLOTS * STEP) * 8;

/**
 * The frames of one run.
 *
 * @example Write a frame and identify one of its words
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
  /** Bytes of the longest frame. */
  readonly maxLength: number;
  readonly #tape: Tape;
  readonly #poison: Uint8Array<ArrayBuffer>;
  /** The length of the frame whose stamp was asked for last. */
  #length = 0;
  /** What the stamps of frames of that length have in common, or null if such frames have no stamp. */
  #key: number | null = null;

  /**
   * Makes the tape.
   *
   * @param options `seed`: 0 to 2^32 - 1; `maxLength`: bytes of the longest frame or block
   * @throws {RangeError} If the seed or the length is out of range
   */
  constructor(options: { seed: number; maxLength: number }) {
    checkOptions(options, MAX_FRAME);
    const { seed, maxLength } = options;
    this.seed = seed;
    this.maxLength = maxLength;
    const words = Math.ceil(maxLength / 8);
    const tape = makeTags(seed, FRAME_CLASS, words + (SLOTS - 1) * STEP);
    this.#tape = new Tape(tape, { slots: SLOTS, step: STEP * 8, longest: maxLength });
    this.#poison = constant(makeTags(seed, POISON_CLASS, words));
  }

  /**
   * Gets the bytes of a frame without its stamp. Do not write to the view: it shows the tape.
   *
   * @param sequence Number of the frame, from 0
   * @param length Bytes of the frame
   * @returns A view of `length` bytes
   * @throws {RangeError} If the frame is longer than `maxLength`
   */
  body(sequence: number, length: number): Uint8Array<ArrayBuffer> {
    return this.#tape.piece(sequence % SLOTS, length);
  }

  /**
   * Gets the stamp of a frame, which replaces the last {@linkcode STAMP_SIZE} bytes of its body. For each
   * seed and length, 2^32 frames that follow each other have different stamps, because an odd number is
   * invertible modulo 2^32. With the tape, frames repeat after `SLOTS * 2^32`.
   *
   * @param sequence Number of the frame, from 0
   * @param length Bytes of the frame
   * @returns -2^31 to 2^31 - 1, or `null` if the frame is too short for a stamp
   */
  stamp(sequence: number, length: number): number | null {
    if (length !== this.#length) this.#setLength(length);
    return this.#key === null ? null : Math.imul(sequence, 0x9e37_79b1) ^ this.#key;
  }

  #setLength(length: number): void {
    this.#length = length;
    this.#key = length < MIN_STAMPED ? null : hash(this.seed, length >>> 0);
  }

  /**
   * Writes a whole frame.
   *
   * @param target Where to write it. Its length is the length of the frame
   * @param sequence Number of the frame, from 0
   */
  write(target: Uint8Array, sequence: number): void {
    const { buffer, byteOffset, length } = target;
    target.set(this.body(sequence, length));
    const stamp = this.stamp(sequence, length);
    if (stamp === null) return;
    new DataView(buffer, byteOffset, length).setInt32(length - STAMP_SIZE, stamp, true);
  }

  /**
   * Gets the poison: what a receive block holds before a frame is written. Do not write to the view.
   *
   * @param offset Offset in the block, bytes
   * @param length Bytes
   * @returns A view of `length` bytes
   */
  poison(offset: number, length: number): Uint8Array<ArrayBuffer> {
    return this.#poison.subarray(offset, offset + length);
  }
}
