// SPDX-License-Identifier: MIT

/**
 * The size of a stamp. It stands in a file of its own, so that a pattern can use it without the driver.
 *
 * @module
 */

/** Bytes of a stamp, the word at the end of a frame that `Block.setStamped()` stores. */
export const STAMP_SIZE = 4;
