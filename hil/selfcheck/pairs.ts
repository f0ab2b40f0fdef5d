// SPDX-License-Identifier: MIT
/**
 * Pairs of faults in the same frame.
 *
 * Every two faults of the list below are a pair. About half of the pairs, by a hash of their names, were
 * held out: they were not used while the classifier was developed, so they show how it does with new
 * pairs.
 *
 * @module
 */

import { crc32 } from "node:zlib";
import type { SimFault } from "../../fixtures/boards/sim/mod.ts";

/** Two faults in one frame. */
export interface Pair {
  /** The faults. */
  readonly faults: readonly [SimFault, SimFault];
  /** Whether the pair was not used for development. */
  readonly heldOut: boolean;
}

/** Faults that leave most of a frame unchanged, so that another fault in it can be found. */
const POOL: readonly string[] = [
  "bit flipped",
  "beat lost",
  "beat twice",
  "two beats exchanged",
  "burst of the frame before",
  "frame ends early",
  "bytes written behind the frame",
  "stream line stuck low",
  "bit flipped in reading",
  "bit flipped in writing",
  "read line stuck high",
  "line of an older frame read",
  "line not written",
  "two lines exchanged",
];

/**
 * Makes all pairs.
 *
 * @param faults The faults that a board can inject. Faults of the list may be absent
 * @returns The pairs, in the order of the faults
 */
export function pairsOf(faults: readonly SimFault[]): Pair[] {
  const pool = faults.filter(({ name }) => POOL.includes(name));
  return pool.flatMap((first, i) =>
    pool.slice(i + 1).map((second) => ({
      faults: [first, second] as const,
      heldOut: (crc32(`${first.name} + ${second.name}`) & 1) === 1,
    }))
  );
}
