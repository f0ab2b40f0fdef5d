// SPDX-License-Identifier: MIT
/**
 * The text of a thrown value, and what was thrown first if freeing something failed after it.
 *
 * @module
 */

/**
 * Returns the message of an error, or the text of any other thrown value. What was thrown while `using` freed
 * something follows after it.
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
  const { first, later } = inOrder(error);
  return [first, ...later].map(textOf).join("; then ");
}

/**
 * Returns what was thrown, in its order. If `using` fails to free something after an error, JavaScript throws a
 * `SuppressedError` with both, which says nothing by itself.
 *
 * @param thrown The thrown value
 * @returns What was thrown `first`, and what was thrown while things were freed because of it
 */
export function inOrder(thrown: unknown): { first: unknown; later: unknown[] } {
  const later: unknown[] = [];
  let first = thrown;
  for (; first instanceof SuppressedError; first = first.suppressed) later.unshift(first.error);
  return { first, later };
}

function textOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
