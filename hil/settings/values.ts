// SPDX-License-Identifier: MIT
/**
 * Values of settings as people write them: on a command line, behind `--`, or in `PLUMBLINE_*`.
 *
 * Each function throws a `RangeError` that says what the option takes and what was found instead.
 *
 * @module
 */

import { nearest } from "../text/nearest.ts";

/** A frame size: bytes, or a name for what the board can do at most. */
export type FrameSize = number | "largest" | "block";

/**
 * Take a list apart.
 *
 * @param what The option, for errors
 * @param text Items with commas between them, or `all`
 * @param parse Reads one item
 * @returns The items, each once; `null` for `all`
 */
export function parseList<T>(
  what: string,
  text: string,
  parse: (what: string, item: string) => T,
): T[] | null {
  const items = text.split(",").map((item) => item.trim());
  if (items.includes("")) throw new RangeError(`${what} has an empty item: "${text}"`);
  if (items.includes("all")) return null;
  return [...new Set(items.map((item) => parse(what, item)))];
}

/**
 * Read a name.
 *
 * @param what The option, for errors
 * @param text The name
 * @param known The names that there are
 * @returns The name
 */
export function parseName<Name extends string>(
  what: string,
  text: string,
  known: readonly Name[],
): Name {
  const name = known.find((one) => one === text);
  if (name !== undefined) return name;
  const guess = nearest(text, known);
  throw new RangeError(
    `${what} knows no "${text}": ` +
      (guess === null ? `use one of ${known.join(", ")}` : `did you mean ${guess}?`),
  );
}

/**
 * Read a whole number.
 *
 * @param what The option, for errors
 * @param text The number
 * @param least The least that it may be
 * @param most The most that it may be
 * @returns The number
 */
export function parseWhole(
  what: string,
  text: string,
  least: number,
  most: number = Number.MAX_SAFE_INTEGER,
): number {
  const value = /^\d+$/.test(text) ? Number(text) : NaN;
  if (value >= least && value <= most) return value;
  const range = most === Number.MAX_SAFE_INTEGER ? `from ${least}` : `from ${least} to ${most}`;
  throw new RangeError(`${what} takes a whole number ${range}, not "${text}"`);
}

/**
 * Read a frame size: bytes, with K, M or G (KiB, MiB, GiB) for powers of 1024, `largest` or `block`.
 *
 * @param what The option, for errors
 * @param text The size
 * @returns The size
 */
export function parseSize(what: string, text: string): FrameSize {
  if (text === "largest" || text === "block") return text;
  const [, digits, unit = ""] = /^(\d+)(?:([KMG])(?:i?B)?)?$/i.exec(text) ?? [];
  const factor = { "": 1, K: 2 ** 10, M: 2 ** 20, G: 2 ** 30 }[unit.toUpperCase()] ?? NaN;
  const size = digits === undefined ? NaN : Number(digits) * factor;
  if (size >= 1 && size <= Number.MAX_SAFE_INTEGER) return size;
  throw new RangeError(
    `${what} takes bytes from 1, such as 64, 4K or 1M, or largest, block, not "${text}"`,
  );
}

/**
 * Read a queue depth: blocks in flight at once, or `max` for full queues.
 *
 * @param what The option, for errors
 * @param text The depth
 * @returns The depth
 */
export function parseDepth(what: string, text: string): number | "max" {
  return text === "max" ? text : parseWhole(what, text, 1);
}

/**
 * Read a duration: seconds, or a number with s, m or h behind it.
 *
 * @param what The option, for errors
 * @param text The duration, at most 500 hours: a timer of more than 2^31 ms would fire at once
 * @returns Seconds
 */
export function parseDuration(what: string, text: string): number {
  const [, digits, unit = "s"] = /^(\d+(?:\.\d+)?)([smh])?$/.exec(text) ?? [];
  const factor = { s: 1, m: 60, h: 3600 }[unit] ?? NaN;
  const seconds = digits === undefined ? NaN : Number(digits) * factor;
  if (seconds > 0 && seconds <= 500 * 3600) return seconds;
  throw new RangeError(`${what} takes a time up to 500h, such as 90s, 10m or 2h, not "${text}"`);
}

/**
 * Read a device node.
 *
 * @param what The option, for errors
 * @param text Its absolute path
 * @returns The path
 */
export function parseDevice(what: string, text: string): string {
  if (text.startsWith("/")) return text;
  throw new RangeError(`${what} takes an absolute path, not "${text}": try /dev/${text}`);
}
