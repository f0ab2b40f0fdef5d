// SPDX-License-Identifier: MIT
/**
 * Values of settings as people write them: on a command line, after `--`, or in `PLUMBLINE_*`.
 *
 * Each parser throws a {@linkcode UsageError} that says what was expected and what was found.
 *
 * @module
 */

import { nearest } from "../text/nearest.ts";

/** A frame size: bytes, or a name for the most that the board can transfer. */
export type FrameSize = number | "largest" | "block";

/** The most blocks that a request of the driver can name. */
const MOST_BLOCKS = 2 ** 32 - 1;

/** An option or a value that is not valid. `plumbline` exits with status 2. */
export class UsageError extends RangeError {
  override name = "UsageError";
}

/**
 * Makes the error for a value that is not valid. All commands use this wording.
 *
 * @param option The option or variable, such as `--size` or `PLUMBLINE_SIZE`
 * @param expected What it takes
 * @param found What was found
 * @param guess What the user probably meant. Defaults to no guess
 * @returns The error
 *
 * @example A misspelled name
 * ```ts
 * import { valueError } from "./values.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(
 *   valueError("--bus", "swiotlb or adversarial", "swiotbl", "swiotlb").message,
 *   'Expected --bus to be swiotlb or adversarial, found "swiotbl": did you mean swiotlb?',
 * );
 * ```
 */
export function valueError(
  option: string,
  expected: string,
  found: string,
  guess: string | null = null,
): UsageError {
  const question = guess === null ? "" : `: did you mean ${guess}?`;
  return new UsageError(`Expected ${option} to be ${expected}, found "${found}"${question}`);
}

/**
 * Writes alternatives as a person would.
 *
 * @param names The alternatives
 * @returns Such as `a`, `a or b`, or `a, b or c`
 *
 * @example Three alternatives
 * ```ts
 * import { alternatives } from "./values.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(alternatives(["local", "sim", "vm"]), "local, sim or vm");
 * ```
 */
export function alternatives(names: readonly string[]): string {
  const last = names.at(-1) ?? "";
  return names.length < 2 ? last : `${names.slice(0, -1).join(", ")} or ${last}`;
}

/**
 * Parses a list.
 *
 * @param option The option, for errors
 * @param text Items separated by commas, or `all`
 * @param parse Parses one item
 * @returns Each item once, or `null` for `all`
 * @throws {UsageError} If an item is empty or not valid
 */
export function parseList<T>(
  option: string,
  text: string,
  parse: (option: string, item: string) => T,
): T[] | null {
  const items = text.split(",").map((item) => item.trim());
  if (items.includes("")) {
    throw valueError(option, "items separated by commas, none of them empty", text);
  }
  if (items.includes("all")) return null;
  return [...new Set(items.map((item) => parse(option, item)))];
}

/**
 * Parses a name.
 *
 * @param option The option, for errors
 * @param text The name
 * @param known The valid names
 * @returns The name
 * @throws {UsageError} If the name is not valid, with the nearest valid one
 */
export function parseName<Name extends string>(
  option: string,
  text: string,
  known: readonly Name[],
): Name {
  const name = known.find((one) => one === text);
  if (name !== undefined) return name;
  throw valueError(option, alternatives(known), text, nearest(text, known));
}

/**
 * Parses a whole number.
 *
 * @param option The option, for errors
 * @param text The number
 * @param least The smallest valid number
 * @param most The largest valid number. Defaults to `Number.MAX_SAFE_INTEGER`
 * @returns The number
 * @throws {UsageError} If it is not a whole number in that range
 */
export function parseWhole(
  option: string,
  text: string,
  least: number,
  most: number = Number.MAX_SAFE_INTEGER,
): number {
  const value = /^\d+$/.test(text) ? Number(text) : NaN;
  if (value >= least && value <= most) return value;
  // somebody who wrote a huge number asks for the end of the range
  const range = most === Number.MAX_SAFE_INTEGER && !(value > most)
    ? `of at least ${least}`
    : `from ${least} to ${most}`;
  throw valueError(option, `a whole number ${range}`, text);
}

/**
 * Parses a frame size: bytes, or with K, M or G (KiB, MiB, GiB) multiples of powers of 1024, or
 * `largest`, or `block`.
 *
 * @param option The option, for errors
 * @param text The size
 * @returns The size
 * @throws {UsageError} If it is not a size, or smaller than one byte
 */
export function parseSize(option: string, text: string): FrameSize {
  if (text === "largest" || text === "block") return text;
  const [, digits, unit = ""] = /^(\d+)(?:([KMG])(?:i?B)?)?$/i.exec(text) ?? [];
  const factor = { "": 1, K: 2 ** 10, M: 2 ** 20, G: 2 ** 30 }[unit.toUpperCase()] ?? NaN;
  const size = digits === undefined ? NaN : Number(digits) * factor;
  if (size >= 1 && size <= Number.MAX_SAFE_INTEGER) return size;
  throw valueError(option, "at least 1 byte, such as 64, 4K or 1M, or largest or block", text);
}

/**
 * Parses a queue depth: blocks in flight at once, or `max` for full queues.
 *
 * @param option The option, for errors
 * @param text The depth
 * @returns The depth
 * @throws {UsageError} If it is neither `max` nor a whole number from 1 to 2^32 - 1
 */
export function parseDepth(option: string, text: string): number | "max" {
  if (text === "max") return text;
  const depth = /^\d+$/.test(text) ? Number(text) : NaN;
  if (depth >= 1 && depth <= MOST_BLOCKS) return depth;
  const range = depth > MOST_BLOCKS ? `from 1 to ${MOST_BLOCKS}` : "of at least 1";
  throw valueError(option, `a whole number ${range}, or max`, text);
}

/**
 * Parses a duration: seconds, or a number with the unit s, m or h.
 *
 * @param option The option, for errors
 * @param text The duration: at most 500 hours, because a timer of more than 2^31 ms fires at once
 * @returns Seconds
 * @throws {UsageError} If it is not a duration in that range
 */
export function parseDuration(option: string, text: string): number {
  const [, digits, unit = "s"] = /^(\d+(?:\.\d+)?)([smh])?$/.exec(text) ?? [];
  const factor = { s: 1, m: 60, h: 3600 }[unit] ?? NaN;
  const seconds = digits === undefined ? NaN : Number(digits) * factor;
  if (seconds > 0 && seconds <= 500 * 3600) return seconds;
  throw valueError(option, "a time such as 90s, 10m or 2h, more than 0 and at most 500h", text);
}

/**
 * Parses the path of a device node.
 *
 * @param option The option, for errors
 * @param text An absolute path
 * @returns The path
 * @throws {UsageError} If the path is not absolute
 */
export function parseDevice(option: string, text: string): string {
  if (text.startsWith("/")) return text;
  throw valueError(option, "an absolute path", text, `/dev/${text}`);
}
