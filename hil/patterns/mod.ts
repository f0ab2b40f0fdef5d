// SPDX-License-Identifier: MIT
/**
 * Patterns: what frames are filled with.
 *
 * @module
 */

import type { PatternSpec } from "./pattern.ts";
import { prbs } from "./prbs.ts";
import { TaggedPattern } from "./tagged.ts";
import { video } from "./video.ts";
import {
  address,
  checkerboard,
  checkerboardInverse,
  counter,
  ones,
  random,
  switching,
  walkingOnes,
  walkingZeros,
  zeros,
} from "./words.ts";

export { framesRepeat, wholeFrame } from "./pattern.ts";
export type { Pattern, PatternSpec } from "./pattern.ts";
export type { PrbsOptions, PrbsOrder } from "./prbs.ts";
export type { PictureFormat, PixelFormat } from "./picture.ts";
export type { TestCard } from "./picture_pattern.ts";
export type { VideoOptions } from "./video.ts";
export type { CounterOptions, CounterWidth, WordOptions } from "./words.ts";

/** Every 64-bit word identifies its frame and its position in the frame. The default. */
const TAGGED: PatternSpec = {
  name: "tagged",
  create: (options) => new TaggedPattern(options),
};

function tagged(): PatternSpec {
  return TAGGED; // always the same object, so that all cases share one tape
}

/** All patterns. Each function returns one that a test can choose. */
export const patterns = {
  tagged,
  prbs,
  counter,
  walkingOnes,
  walkingZeros,
  checkerboard,
  checkerboardInverse,
  address,
  zeros,
  ones,
  switching,
  random,
  video,
} as const;

const NAMED: ReadonlyMap<string, PatternSpec> = new Map(
  [
    tagged(),
    prbs(7),
    prbs(15),
    prbs(23),
    prbs(31),
    counter({ width: 8 }),
    counter({ width: 16 }),
    counter({ width: 32 }),
    counter({ width: 64 }),
    walkingOnes(),
    walkingZeros(),
    checkerboard(),
    checkerboardInverse(),
    address(),
    zeros(),
    ones(),
    switching(),
    random(),
    video(),
  ].map((spec) => [spec.name, spec]),
);

/** The names that {@linkcode patternNamed} accepts. */
export const PATTERN_NAMES: readonly string[] = [...NAMED.keys()];

/**
 * Finds a pattern by its name, as `--pattern` does.
 *
 * @param text The name
 * @returns The pattern
 * @throws {RangeError} If no pattern has the name
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
  throw new RangeError(`Expected a pattern, one of ${PATTERN_NAMES.join(", ")}; found ${text}`);
}
