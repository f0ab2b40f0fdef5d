// SPDX-License-Identifier: MIT
/**
 * What to do where the driver has not memory enough: measure with fewer blocks, or say so.
 *
 * @module
 */

import { ERRNO, ErrnoError } from "../../driver/errno.ts";
import type { TestFunction } from "../case/hil.ts";

/**
 * Try with as many blocks as asked for; where they do not fit, with half as many, down to one.
 *
 * @param most How many blocks
 * @param attempt Makes so many, or none
 * @returns What came of the first attempt with memory enough
 * @throws {ErrnoError} ENOMEM when not even one fits
 */
export function whatFits<T>(most: number, attempt: (count: number) => T): T {
  for (let count = most;; count >>= 1) {
    try {
      return attempt(count);
    } catch (error) {
      if (!isOutOfMemory(error) || count <= 1) throw error;
    }
  }
}

/**
 * Whether the driver, or the kernel, had no memory left.
 *
 * @param error What was thrown
 * @returns True for ENOMEM
 */
export function isOutOfMemory(error: unknown): error is ErrnoError {
  return error instanceof ErrnoError && error.errno === ERRNO.ENOMEM;
}

/**
 * Skip cases whose blocks do not fit into memory: that is a limit of the board, and no error.
 *
 * @param test The test
 * @returns The test, skipped for want of memory
 */
export function ifItFits(test: TestFunction): TestFunction {
  return async (context) => {
    try {
      await test(context);
    } catch (error) {
      if (!isOutOfMemory(error)) throw error;
      context.skip(`not even one block of ${context.size} bytes fits: ${error.message}`);
    }
  };
}
