// SPDX-License-Identifier: MIT
/**
 * The text of a thrown value.
 *
 * @module
 */

/**
 * Returns the message of an error, or the text of any other thrown value.
 *
 * @param error The thrown value
 * @returns The message without the error's name
 *
 * @example An error and a plain value
 * ```ts
 * import { errorMessage } from "./error_message.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(errorMessage(new TypeError("Expected a number")), "Expected a number");
 * assertEquals(errorMessage(42), "42");
 * ```
 */
export function errorMessage(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
