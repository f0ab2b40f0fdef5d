// SPDX-License-Identifier: MIT
/**
 * What a pattern is: the bytes of every frame of a run, made and checked at memory speed.
 *
 * A pattern keeps its bytes ready, so that a frame is a view: sending it is one copy, checking it one
 * compare, and neither allocates more than the view.
 *
 * @module
 */

/** Frames of one run. Made by {@linkcode PatternSpec.create}. */
export interface Pattern {
  /** Its name, as for `--pattern`. */
  readonly name: string;
  /** The seed, 0 to 2^32 - 1. Patterns that have nothing to draw use it for the poison only. */
  readonly seed: number;
  /** The longest frame or block, bytes. */
  readonly maxLength: number;
  /**
   * Frames after which the same bytes come again, but for a header. Before that, no two are alike that
   * hold a word and 8 bytes at least, of video 32 pixels; shorter ones may come again earlier, as
   * {@linkcode framesRepeat} tells. 1 when all frames are alike: then a frame that is lost, repeated,
   * swapped or stale cannot be told from the one that was due.
   */
  readonly period: number;

  /**
   * The bytes of a frame but for its header: a view that is not to be written to, valid until the
   * next call.
   *
   * @param sequence Number of the frame, from 0
   * @param length Bytes
   * @returns A view of `length` bytes
   * @throws {RangeError} For a frame longer than the pattern was made for
   */
  body(sequence: number, length: number): Uint8Array<ArrayBuffer>;

  /**
   * What lies over the first bytes of the body, valid until the next call.
   *
   * @param sequence Number of the frame, from 0
   * @param length Bytes of the frame
   * @returns A view that is no longer than the frame; null when the body is all of it
   */
  header(sequence: number, length: number): Uint8Array<ArrayBuffer> | null;

  /**
   * Write a whole frame.
   *
   * @param target Where to; its length is that of the frame
   * @param sequence Number of the frame, from 0
   */
  write(target: Uint8Array, sequence: number): void;

  /**
   * What a receive block holds where no frame was written: a view, not to be written to.
   *
   * @param offset Start in the block, bytes
   * @param length Bytes
   * @returns A view of `length` bytes
   */
  poison(offset: number, length: number): Uint8Array<ArrayBuffer>;
}

/** A pattern that is chosen but not made yet: its bytes depend on seed and longest frame. */
export interface PatternSpec {
  /** Its name, as for `--pattern`. */
  readonly name: string;
  /**
   * Make it.
   *
   * @param options `seed`, 0 to 2^32 - 1; `maxLength`, bytes of the longest frame or block
   * @returns The pattern
   * @throws {RangeError} For a seed or a length outside of their ranges
   */
  create(options: { seed: number; maxLength: number }): Pattern;

  /**
   * Lock on to what a generator in the design sends, whose phase nobody knows: find it in the first
   * frame, of which some bytes may be wrong.
   *
   * Left out by patterns that a generator cannot begin anywhere, and so must be told the seed.
   *
   * @param first The first frame as received; every frame must have its length
   * @param options As for {@linkcode create}; `maxLength` at least that of the frame; `frames` that will
   * be held against the pattern, this one included, 1 when left out
   * @returns The pattern whose frame 0 is what `first` should have been, and whose frames follow each
   * other without a gap; null when most words of the frame are wrong, or so many frames hold too little
   * of the pattern to tell: when one of 2^24 random ones would be taken for it too
   */
  expectFrom?(
    first: Uint8Array,
    options: { seed: number; maxLength: number; frames?: number },
  ): Pattern | null;
}

/** Frames that are compared, and bytes of each at most. */
const FRAMES = 16;
const COMPARED = 4096;

/**
 * Whether frames of a size come again after so many, so that a block which is used again then and was
 * not written would hold the frame that is due.
 *
 * The first 16 frames are made and compared with those `distance` later, by 4096 bytes. Short frames
 * repeat earlier than {@linkcode Pattern.period} says; longer ones that begin alike are believed what it
 * says.
 *
 * @param pattern The frames
 * @param size Bytes of a frame, 1 to the pattern's `maxLength`
 * @param distance Frames apart, from 1
 * @returns True when all of them are alike; false when one pair differs
 *
 * @example One byte of the counter is the same 256 frames later
 * ```ts
 * import { framesRepeat, patterns } from "./mod.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const pattern = patterns.counter({ width: 32 }).create({ seed: 1, maxLength: 64 });
 * assertEquals(framesRepeat(pattern, 1, 256), true);
 * assertEquals(framesRepeat(pattern, 64, 256), false);
 * ```
 */
export function framesRepeat(pattern: Pattern, size: number, distance: number): boolean {
  const begin = (sequence: number) => {
    const bytes = pattern.body(sequence, size).slice(0, COMPARED);
    const header = pattern.header(sequence, size);
    if (header !== null) bytes.set(header);
    return bytes;
  };
  for (let sequence = 0; sequence < FRAMES; sequence++) {
    const later = begin(sequence + distance);
    if (!begin(sequence).every((byte, at) => byte === later[at])) return false;
  }
  return size <= COMPARED || distance % pattern.period === 0;
}
