// SPDX-License-Identifier: MIT
/**
 * A pattern of frames that a test author computes.
 *
 * @module
 */

import type { Pattern } from "./pattern.ts";

/**
 * Makes a pattern from a function.
 *
 * @param seed Seed of the run
 * @param maxLength Bytes of the longest frame or block
 * @param frame Computes the bytes of a frame. It may return the same array each time
 * @returns The pattern. Its poison is zeros, as in blocks that ALLOC returns
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
        "design must return the same number of bytes for every frame of a run",
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
