// SPDX-License-Identifier: MIT
/**
 * Functions of an author that keep state, for callers that ask for a number more than once.
 *
 * @module
 */

/**
 * Calls a function once for each number, in order, so it may keep state.
 *
 * @param make Returns what belongs to a number, which nothing may change later
 * @param keep For how many of the last numbers the result is kept. Defaults to all of them
 * @returns The same for a caller that asks in any order, and again. The other arguments are those of the
 * call that needs the number first
 *
 * @example A counter that two callers share
 * ```ts
 * import { onceInOrder } from "./once_in_order.ts";
 * import { assertEquals } from "@std/assert";
 *
 * let calls = 0;
 * const square = onceInOrder((number) => [number * number, ++calls]);
 * assertEquals([square(1), square(1), square(0)], [[1, 2], [1, 2], [0, 1]]);
 * ```
 */
export function onceInOrder<Rest extends unknown[], Value>(
  make: (sequence: number, ...rest: Rest) => Value,
  keep = Infinity,
): (sequence: number, ...rest: Rest) => Value {
  const made = new Map<number, { readonly value: Value }>();
  let next = 0;
  return (sequence, ...rest) => {
    for (; next <= sequence; next++) {
      made.set(next, { value: make(next, ...rest) });
      made.delete(next - keep);
    }
    const known = made.get(sequence);
    if (known === undefined) {
      throw new RangeError(`Expected one of the last ${keep} frames, found frame ${sequence}`);
    }
    return known.value;
  };
}
