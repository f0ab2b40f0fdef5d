// SPDX-License-Identifier: MIT
/**
 * What a pattern is: the bytes of every frame of a run.
 *
 * A pattern keeps its bytes in memory, and a frame is a view of them, perhaps with a stamp at its end. To send
 * a frame takes one copy, to verify it takes one comparison, and neither allocates more than the view.
 *
 * @module
 */

/** The frames of one run. {@linkcode PatternSpec.create} makes it. */
export interface Pattern {
  /** Name of the pattern, as `--pattern` takes it. */
  readonly name: string;
  /** The seed, 0 to 2^32 - 1. Patterns without random content use it for the poison only. */
  readonly seed: number;
  /** Size of the longest frame or block, bytes. */
  readonly maxLength: number;
  /**
   * Number of frames after which the same bytes repeat, except for a stamp. Within a period, frames of
   * at least one word and 8 bytes (video: 32 pixels) all differ. Shorter frames may repeat earlier;
   * {@linkcode framesRepeat} says whether they do. If the period is 1, all frames are the same: then a
   * frame that is lost, duplicated, swapped or stale looks like the expected one.
   */
  readonly period: number;

  /**
   * Gets the bytes of a frame without its stamp, which {@linkcode wholeFrame} adds. Do not write to the view. It
   * is valid until the next call.
   *
   * @param sequence Number of the frame, from 0
   * @param length Bytes of the frame
   * @returns A view of `length` bytes
   * @throws {RangeError} If the frame is longer than `maxLength`
   */
  body(sequence: number, length: number): Uint8Array<ArrayBuffer>;

  /**
   * Gets the stamp: a little-endian word of four bytes that replaces the last ones of the
   * body.
   *
   * @param sequence Number of the frame, from 0
   * @param length Bytes of the frame
   * @returns -2^31 to 2^31 - 1, or `null` if the frame has no stamp
   */
  stamp(sequence: number, length: number): number | null;

  /**
   * Writes a whole frame.
   *
   * @param target Where to write it. Its length is the length of the frame
   * @param sequence Number of the frame, from 0
   */
  write(target: Uint8Array, sequence: number): void;

  /**
   * Gets the poison: what a receive block holds before a frame is written. Do not write to the view.
   *
   * @param offset Offset in the block, bytes
   * @param length Bytes
   * @returns A view of `length` bytes
   */
  poison(offset: number, length: number): Uint8Array<ArrayBuffer>;

  /**
   * Leaves out places of a generator that a later frame contradicts, where its first frame fits several ones.
   *
   * Absent if there is never more than one.
   *
   * @param sequence Number of the frame
   * @param frame The frame as received
   * @returns The pattern at a place that fits this frame, too. It is this pattern if nothing was left out: all
   * places fit, only one was left, or the frame fits none, because it is wrong
   */
  narrow?(sequence: number, frame: Uint8Array): Pattern;
}

/** A pattern whose bytes are not made yet, because they depend on the seed and on the longest frame. */
export interface PatternSpec {
  /** Name of the pattern, as `--pattern` takes it. */
  readonly name: string;
  /**
   * Makes the bytes of the pattern.
   *
   * @param options `seed`: 0 to 2^32 - 1; `maxLength`: bytes of the longest frame or block
   * @returns The pattern
   * @throws {RangeError} If the seed or the length is out of range
   */
  create(options: { seed: number; maxLength: number }): Pattern;

  /**
   * Locks on to a generator in the design whose phase is unknown. Some bytes of its first frame may be
   * wrong.
   *
   * Absent if a generator cannot begin anywhere in the pattern; then it needs the seed.
   *
   * @param first The first frame as received. Every other frame must have the same length
   * @param options As for {@linkcode create}, with a `maxLength` not below the length of the frame;
   * `frames`: how many frames will be compared with the pattern, including this one. Defaults to 1
   * @returns The pattern. Its frame 0 is what `first` should have been, and its frames follow each other
   * without a gap. If several places fit the frame equally well, it is one at the start of a word, if there is
   * one, and {@linkcode Pattern.narrow} decides with later frames. `null` if most words of the frame are wrong,
   * or if so many frames of this length are too short: if more than one of 2^24 random frames would be taken
   * for the pattern
   */
  expectFrom?(
    first: Uint8Array,
    options: { seed: number; maxLength: number; frames?: number },
  ): Pattern | null;
}

/**
 * Makes a frame with its stamp.
 *
 * @param pattern The pattern
 * @param sequence Number of the frame, from 0
 * @param length Bytes of the frame
 * @returns A new array
 * @throws {RangeError} If the frame is longer than the pattern's `maxLength`
 *
 * @example A frame that ends with a stamp
 * ```ts
 * import { patterns, wholeFrame } from "./mod.ts";
 * import { assertNotEquals } from "@std/assert";
 *
 * const pattern = patterns.tagged().create({ seed: 1, maxLength: 64 });
 * assertNotEquals(wholeFrame(pattern, 5, 64), pattern.body(5, 64).slice());
 * ```
 */
export function wholeFrame(
  pattern: Pattern,
  sequence: number,
  length: number,
): Uint8Array<ArrayBuffer> {
  const frame = new Uint8Array(length);
  pattern.write(frame, sequence);
  return frame;
}

/** Frames that are compared, and the most bytes of each. */
const FRAMES = 16;
const COMPARED = 4096;

/**
 * Whether the frames of a size repeat after a distance. If they do, a block that is used again after this
 * distance holds the expected frame even if nothing wrote it.
 *
 * Compares the first 16 frames with those `distance` later, up to 4096 bytes of each. Short frames may
 * repeat earlier than {@linkcode Pattern.period} says. For longer frames with the same beginning, the
 * period decides.
 *
 * @param pattern The pattern
 * @param size Bytes of a frame, 1 to the pattern's `maxLength`
 * @param distance Distance in frames, from 1
 * @returns Whether all pairs are equal
 *
 * @example One byte of a counter repeats after 256 frames
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
  const beginning = (sequence: number) => pattern.body(sequence, size).slice(0, COMPARED);
  for (let sequence = 0; sequence < FRAMES; sequence++) {
    const other = sequence + distance;
    if (pattern.stamp(sequence, size) !== pattern.stamp(other, size)) return false;
    const later = beginning(other);
    if (!beginning(sequence).every((byte, at) => byte === later[at])) return false;
  }
  return size <= COMPARED || distance % pattern.period === 0;
}
