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
 * in their headers only: frames of at least {@linkcode MIN_STAMPED} bytes begin with a header, which
 * contains the full sequence number.
 *
 * The poison is a tape of tags of another class. A receive block holds it before the first frame, and
 * around the frames.
 *
 * @module
 */

import { constant } from "../../driver/constant.ts";
import type { Pattern } from "./pattern.ts";
import { checkOptions, FRAME_CLASS, hash, makeTags, MAX_WORDS, POISON_CLASS } from "./tags.ts";
import { STEP } from "./tape.ts";

/** Frames until the tape repeats: a prime above any queue depth. */
export const SLOTS = 4093;

/** Bytes of the header. */
export const HEADER_SIZE = 32;

/** Frames of at least this many bytes have a header. */
export const MIN_STAMPED = 64;

const MAGIC = 0x504c_4d42; // "PLMB"

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
  readonly #tape: Uint8Array<ArrayBuffer>;
  readonly #poison: Uint8Array<ArrayBuffer>;
  /** What follows the header in frames of {@linkcode TaggedPattern.#length} bytes, by slot. */
  #rests: Uint8Array<ArrayBuffer>[] = [];
  #length = -1;
  readonly #header = new Uint8Array(HEADER_SIZE);
  readonly #headerWords = new Uint32Array(this.#header.buffer);

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
    this.#tape = constant(makeTags(seed, FRAME_CLASS, words + SLOTS * STEP));
    this.#poison = constant(makeTags(seed, POISON_CLASS, words));
  }

  /**
   * Gets the bytes of a frame without its header. Do not write to the view: it shows the tape.
   *
   * @param sequence Number of the frame, from 0
   * @param length Bytes of the frame
   * @param from First byte of the frame that is shown, 0 or {@linkcode HEADER_SIZE}. Defaults to 0
   * @returns A view of `length - from` bytes
   * @throws {RangeError} If the frame is longer than `maxLength`
   */
  body(sequence: number, length: number, from = 0): Uint8Array<ArrayBuffer> {
    if (length > this.maxLength) {
      throw new RangeError(`Expected at most ${this.maxLength} bytes, found ${length}`);
    }
    const slot = sequence % SLOTS;
    const start = slot * STEP * 8;
    if (from === 0) return this.#tape.subarray(start, start + length);
    // to make a view takes as long as to copy a kilobyte
    if (length !== this.#length) {
      this.#rests = [];
      this.#length = length;
    }
    return this.#rests[slot] ??= this.#tape.subarray(start + HEADER_SIZE, start + length);
  }

  /**
   * Gets the header of a frame. It contains, in little-endian order, a magic number, the sequence number
   * (8 bytes), the seed, the length (8 bytes) and a hash of these, and zeros up to its end. The 32-bit
   * words 2 to 5 would be equal in all frames. Therefore word `i` of them is XORed with
   * `hash(low half of the sequence number, i)`, so that each 64-bit word differs from that of the frame
   * before. The view is valid until the next call.
   *
   * @param sequence Number of the frame, from 0
   * @param length Bytes of the frame
   * @returns A view of {@linkcode HEADER_SIZE} bytes, or `null` if the frame is too short for a header
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
   * Writes a whole frame.
   *
   * @param target Where to write it. Its length is the length of the frame
   * @param sequence Number of the frame, from 0
   */
  write(target: Uint8Array, sequence: number): void {
    target.set(this.body(sequence, target.length));
    const header = this.header(sequence, target.length);
    if (header !== null) target.set(header);
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
