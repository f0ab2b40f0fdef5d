// SPDX-License-Identifier: MIT
/**
 * The lengths of frames that are not all alike.
 *
 * @module
 */

import { hash } from "../patterns/tags.ts";
import { show } from "../text/text.ts";

/** Lengths that the seed of the run draws, bytes. Every length is equally likely. */
export interface RandomLengths {
  /** The smallest length. Defaults to {@linkcode multiple}. Frame 1 has it. */
  readonly min?: number;
  /** The largest length. Frame 0 has it. */
  readonly max: number;
  /** Number of bytes of which every length is a multiple, such as those of a bus word. Defaults to 1. */
  readonly multiple?: number;
}

/**
 * Lengths of frames, bytes: a schedule that repeats, lengths that the seed draws, or a function of the
 * frame's number, which must return the same length for the same number.
 */
export type Lengths = readonly number[] | RandomLengths | ((sequence: number) => number);

/** Lengths as a run uses them. */
export interface FrameLengths {
  /** Bytes of the longest frame. */
  readonly size: number;
  /** Returns the length of a frame, 1 to `size`. */
  readonly lengthOf: (sequence: number) => number;
}

/**
 * Checks lengths, and finds the largest one.
 *
 * @param lengths The lengths
 * @param size Bytes of the longest frame, where a function decides
 * @param seed Seed of the run
 * @returns The lengths
 * @throws {RangeError} If a length is no whole number above 0. A function is checked frame by frame
 *
 * @example A schedule
 * ```ts
 * import { frameLengths } from "./lengths.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const { size, lengthOf } = frameLengths([64, 1500, 8], 0, 1);
 * assertEquals([size, lengthOf(0), lengthOf(4)], [1500, 64, 1500]);
 * ```
 */
export function frameLengths(lengths: Lengths, size: number, seed: number): FrameLengths {
  if (typeof lengths === "function") {
    return {
      size,
      lengthOf: (sequence) => check(`the length of frame ${sequence}`, lengths(sequence), size),
    };
  }
  if (Array.isArray(lengths)) {
    if (lengths.length === 0) throw new RangeError("Expected at least one length, found none");
    lengths.forEach((length, i) => check(`length ${i} of the schedule`, length));
    return {
      size: Math.max(...lengths),
      lengthOf: (sequence) => lengths[sequence % lengths.length],
    };
  }
  const { max, multiple = 1, min = multiple } = lengths as RandomLengths;
  check("lengths.multiple", multiple);
  check("lengths.max", max);
  check("lengths.min", min, max);
  if (min % multiple !== 0 || max % multiple !== 0) {
    throw new RangeError(
      `Expected lengths.min and lengths.max to be multiples of ${multiple}, found ${min} and ${max}`,
    );
  }
  const steps = (max - min) / multiple + 1;
  return {
    size: max,
    lengthOf: (sequence) => {
      // both bounds occur in the shortest run
      if (sequence < 2) return sequence === 0 ? max : min;
      return min + multiple * (hash(sequence, seed ^ 0x6c65_6e67) % steps);
    },
  };
}

function check(what: string, length: unknown, most = Number.MAX_SAFE_INTEGER): number {
  if (Number.isSafeInteger(length) && Number(length) > 0 && Number(length) <= most) {
    return Number(length);
  }
  const bound = most === Number.MAX_SAFE_INTEGER ? "from 1" : `from 1 to ${most}`;
  throw new RangeError(
    `Expected ${what} to be a whole number of bytes ${bound}, found ${show(length)}`,
  );
}

/**
 * Replaces the option `lengths` by what a run uses.
 *
 * @param options The options of a run
 * @param seed Seed of the run
 * @returns The same with the size of the longest frame
 * @throws {RangeError} If a length is no whole number above 0
 */
export function withLengths<Options extends { readonly lengths?: Lengths; readonly size: number }>(
  options: Options,
  seed: number,
): Options & Partial<FrameLengths> {
  const { lengths, size } = options;
  return lengths === undefined ? options : { ...options, ...frameLengths(lengths, size, seed) };
}
