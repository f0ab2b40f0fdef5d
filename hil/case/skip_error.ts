// SPDX-License-Identifier: MIT
/**
 * What ends a case as skipped.
 *
 * @module
 */

/** A case ended as skipped: the test said so, or a run cannot do what its policy needs. */
export class SkipError extends Error {
  override readonly name = "SkipError";
}
