// SPDX-License-Identifier: MIT
/**
 * What to do if the driver has too little memory: measure with fewer blocks, or skip the case.
 *
 * @module
 */

import { ERRNO, ErrnoError } from "../../driver/errno.ts";
import type { TestFunction } from "../case/hil.ts";

/**
 * Tries a number of blocks. If they do not fit into memory, it tries half as many, down to one.
 *
 * @param most The number to begin with
 * @param attempt Allocates that many blocks, or none
 * @returns The result of the first attempt that fits
 * @throws {ErrnoError} ENOMEM, if not even one block fits
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
 * Returns whether an error means that the driver, or the kernel, has no memory left.
 *
 * @param error What was thrown
 * @returns True for ENOMEM
 */
export function isOutOfMemory(error: unknown): error is ErrnoError {
  return error instanceof ErrnoError && error.errno === ERRNO.ENOMEM;
}

/**
 * Makes a test that is skipped if its blocks do not fit into memory, because that is a limit of the board.
 *
 * @param test The test
 * @returns The test that skips itself
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
