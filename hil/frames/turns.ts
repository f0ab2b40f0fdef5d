// SPDX-License-Identifier: MIT
/**
 * How many blocks are used in turn, so that a frame that is not written does not look like the expected one.
 *
 * @module
 */

import { framesRepeat, type Pattern } from "../patterns/pattern.ts";

/** Largest number of extra blocks that make a frame differ from the one before in its block. */
const SPARE = 8;

/**
 * Returns how many blocks to use in turn.
 *
 * @param pattern Frames that arrive in them
 * @param size Bytes of a frame
 * @param least Blocks in flight
 * @param most Largest number of blocks
 * @returns The smallest number, from `least` on, after which a different frame arrives; null if there is none
 */
export function turns(pattern: Pattern, size: number, least: number, most: number): number | null {
  for (let count = least; count <= Math.min(least + SPARE, most); count++) {
    if (!framesRepeat(pattern, size, count)) return count;
  }
  return null;
}
