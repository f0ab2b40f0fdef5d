// SPDX-License-Identifier: MIT
/**
 * Random numbers that a seed reproduces.
 *
 * @module
 */

/** Random numbers from a seed, by mulberry32. */
export class Random {
  #state: number;

  /** @param seed 0 to 2^32 - 1 */
  constructor(seed: number) {
    this.#state = seed;
  }

  /**
   * Draws a whole number from 0.
   *
   * @param limit The number after the largest possible one
   * @returns The number
   */
  below(limit: number): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return Math.floor(((t ^ (t >>> 14)) >>> 0) / 2 ** 32 * limit);
  }

  /**
   * Draws a whole number from a range.
   *
   * @param low The smallest possible number
   * @param high The largest possible number
   * @returns The number
   */
  between(low: number, high: number): number {
    return low + this.below(high - low + 1);
  }

  /**
   * Draws one of several items.
   *
   * @param items The items, at least one
   * @returns The item
   */
  oneOf<Item>(items: readonly Item[]): Item {
    return items[this.below(items.length)] as Item;
  }
}
