// SPDX-License-Identifier: MIT
/**
 * How probable it is that a separation is chance.
 *
 * @module
 */

/**
 * A separation counts if chance alone shows it in at most one of so many runs. A run tries about fifty
 * separations, so one in twenty thousand leaves one wrong separation in four hundred runs.
 */
export const BOUND = 1 / 20_000;

/** A part of the cases or frames. */
export interface Part {
  /** How many of them failed. */
  readonly bad: number;
  /** How many of them there are. */
  readonly all: number;
}

/**
 * Returns the probability that nothing fails in one part, if that part fails as often as the other.
 *
 * The true rate is unknown. The rate that is assumed, `bad / (all + 1)`, is lower than the observed one, so
 * a few cases prove little: of one bad case, two good ones would be needed to halve the probability twice.
 *
 * @param inside The part in which things fail
 * @param outside The number of cases or frames in the other part, none of which failed
 * @returns A probability from 0 to 1
 *
 * @example Ten of ten cases fail on one side, and none of six on the other
 * ```ts
 * import { BOUND, chanceOfNone } from "./chance.ts";
 * import { assert } from "@std/assert";
 *
 * assert(chanceOfNone({ bad: 10, all: 10 }, 6) < BOUND);
 * assert(chanceOfNone({ bad: 1, all: 10 }, 60) > BOUND);
 * ```
 */
export function chanceOfNone({ bad, all }: Part, outside: number): number {
  return Math.pow(1 - bad / (all + 1), outside);
}

/**
 * Returns the probability that items fall into one part by chance.
 *
 * @param count The number of items
 * @param share The part as a share of the whole, from 0 to 1
 * @returns A probability from 0 to 1. The first item is not counted, because it chose the part
 */
export function chanceOfAll(count: number, share: number): number {
  return count < 1 ? 1 : Math.pow(share, count - 1);
}

/**
 * Whether a separation is more than chance.
 *
 * @param chance Its probability
 * @returns Whether it is at most {@linkcode BOUND}
 */
export function isForced(chance: number): boolean {
  return chance <= BOUND;
}
