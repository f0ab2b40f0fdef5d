// SPDX-License-Identifier: MIT
/**
 * A pattern of frames that a test author computes.
 *
 * @module
 */

import { onceInOrder } from "./once_in_order.ts";
import type { Pattern } from "./pattern.ts";

/**
 * Makes a pattern from a function. The function is called once for each frame, in order, so it may keep
 * state.
 *
 * @param seed Seed of the run
 * @param maxLength Bytes of the longest frame or block
 * @param frame Computes the bytes of a frame. It may return the same array each time
 * @param keep How many of the last frames can be asked for again. Defaults to all of them
 * @returns The pattern. Its poison is zeros, as in blocks that ALLOC returns
 */
export function expectedPattern(
  seed: number,
  maxLength: number,
  frame: (sequence: number, length: number) => Uint8Array<ArrayBuffer>,
  keep = Infinity,
): Pattern {
  const zeros = new Uint8Array(maxLength);
  const make = onceInOrder((sequence, length: number) => {
    const bytes = frame(sequence, length);
    if (!(bytes instanceof Uint8Array) || bytes.length !== length) {
      throw new RangeError(
        `Expected ${length} bytes from the function that makes frame ${sequence}, found ` +
          `${
            bytes instanceof Uint8Array ? bytes.length : bytes
          }: use lengths if frames differ in ` +
          "length",
      );
    }
    return new Uint8Array(bytes);
  }, keep);
  const body = (sequence: number, length: number): Uint8Array<ArrayBuffer> => {
    const bytes = make(sequence, length);
    if (bytes.length === length) return bytes;
    const other = new Uint8Array(length);
    other.set(bytes.subarray(0, length));
    return other;
  };
  return {
    name: "expect",
    seed,
    maxLength,
    period: Infinity,
    body,
    stamp: () => null,
    write: (target, sequence) => target.set(body(sequence, target.length)),
    poison: (offset, length) => zeros.subarray(offset, offset + length),
  };
}
