// SPDX-License-Identifier: MIT
/**
 * Frames that a test author computes, in the shape of a pattern.
 *
 * @module
 */

import type { Pattern } from "./pattern.ts";

/**
 * Make a pattern of a function.
 *
 * @param seed Seed of the run
 * @param maxLength Longest frame or block, bytes
 * @param frame Gives the bytes of a frame; it may return the same array again and again
 * @returns The pattern. Where no frame was written its blocks hold zeros, as ALLOC gives them.
 */
export function expectedPattern(
  seed: number,
  maxLength: number,
  frame: (sequence: number, length: number) => Uint8Array<ArrayBuffer>,
): Pattern {
  const zeros = new Uint8Array(maxLength);
  const body = (sequence: number, length: number): Uint8Array<ArrayBuffer> => {
    const bytes = frame(sequence, length);
    if (bytes.length === length) return bytes;
    throw new RangeError(
      `Expected ${length} bytes from expect() for frame ${sequence}, found ${bytes.length}: a ` +
        "design must give as many bytes for every frame of a run",
    );
  };
  return {
    name: "expect",
    seed,
    maxLength,
    period: Infinity,
    body,
    header: () => null,
    write: (target, sequence) => target.set(body(sequence, target.length)),
    poison: (offset, length) => zeros.subarray(offset, offset + length),
  };
}
