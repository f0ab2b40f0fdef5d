// SPDX-License-Identifier: MIT
/**
 * All mutants, and how to choose among them.
 *
 * @module
 */

import { CACHE_MUTANTS } from "./cache_mutants.ts";
import { DRIVER_MUTANTS } from "./driver/mod.ts";
import type { Mutant, Part } from "./mutant.ts";
import { SIM_MUTANTS } from "./sim_mutants.ts";
import { VERDICT_MUTANTS } from "./verdict_mutants.ts";

/** The mutants of each part. */
export const MUTANTS: Readonly<Record<Part, readonly Mutant[]>> = {
  sim: SIM_MUTANTS,
  verdict: VERDICT_MUTANTS,
  cache: CACHE_MUTANTS,
  driver: DRIVER_MUTANTS,
};

/**
 * Chooses a sample. The same seed chooses the same items from the same list.
 *
 * @param items All items
 * @param count How many to choose
 * @param seed 0 to 2^32 - 1
 * @returns The chosen items, in their order in the list
 *
 * @example The same seed chooses the same items
 * ```ts
 * import { sample } from "./catalogue.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const items = ["a", "b", "c", "d", "e"];
 * assertEquals(sample(items, 2, 7), sample(items, 2, 7));
 * assertEquals(sample(items, 9, 7), items);
 * ```
 */
export function sample<Item>(items: readonly Item[], count: number, seed: number): Item[] {
  return items.map((item, index) => ({ item, index, draw: hash(seed, index) }))
    .sort((a, b) => a.draw - b.draw || a.index - b.index)
    .slice(0, count)
    .sort((a, b) => a.index - b.index)
    .map(({ item }) => item);
}

/** Hashes two words. The finalizer is that of MurmurHash3. */
function hash(seed: number, index: number): number {
  let h = Math.imul(seed ^ Math.imul(index + 1, 0x9e37_79b1), 0x85eb_ca6b) ^ index;
  h = Math.imul(h ^ (h >>> 16), 0x85eb_ca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2_ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
