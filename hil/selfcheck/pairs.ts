// SPDX-License-Identifier: MIT
/**
 * Pairs of faults that strike the same frame.
 *
 * Every pair of the faults below is one. About half of them, by a hash of their names, were never
 * looked at while anything was tuned: what they say is what a new pair would say.
 *
 * @module
 */

import { crc32 } from "node:zlib";
import type { SimFault } from "../../fixtures/boards/sim/mod.ts";

/** Two faults of one frame. */
export interface Pair {
  /** The faults. */
  readonly faults: readonly [SimFault, SimFault];
  /** Whether nothing was tuned with it. */
  readonly heldOut: boolean;
}

/** Faults that leave most of a frame as it is, so that another can be told beside them. */
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
 * Make every pair.
 *
 * @param faults The faults that there are; those that pairs are made of may be absent
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
