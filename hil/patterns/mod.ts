// SPDX-License-Identifier: MIT
/**
 * Patterns: what frames are filled with.
 *
 * @module
 */

import type { PatternSpec } from "./pattern.ts";
import { TaggedPattern } from "./tagged.ts";

export type { Pattern, PatternSpec } from "./pattern.ts";

/** Every pattern. */
export const patterns = {
  /** Every 64-bit word says which frame and which position it belongs to. The default. */
  tagged: (): PatternSpec => ({
    name: "tagged",
    create: (options) => new TaggedPattern(options),
  }),
};

const NAMED: ReadonlyMap<string, PatternSpec> = new Map(
  [patterns.tagged()].map((spec) => [spec.name, spec]),
);

/**
 * Find a pattern by its name, as `--pattern` does.
 *
 * @param text The name
 * @returns The pattern
 * @throws {RangeError} For a name that no pattern has
 *
 * @example The default
 * ```ts
 * import { patternNamed } from "./mod.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const pattern = patternNamed("tagged").create({ seed: 1, maxLength: 4096 });
 * assertEquals(pattern.body(0, 64).length, 64);
 * ```
 */
export function patternNamed(text: string): PatternSpec {
  const spec = NAMED.get(text);
  if (spec !== undefined) return spec;
  throw new RangeError(`Expected a pattern, one of ${[...NAMED.keys()].join(", ")}; found ${text}`);
}
