// SPDX-License-Identifier: MIT
/**
 * Numbers, sizes and counts as texts. Every message, table and page writes them with these functions.
 *
 * @module
 */

/**
 * Formats a size in the largest binary unit that needs at most two decimals. The result is exact.
 *
 * @param bytes The size, a whole number from 0
 * @returns The size with its unit, such as `64 B`, `4 KiB` or `1.5 MiB`
 *
 * @example Sizes of frames
 * ```ts
 * import { formatBytes } from "./format.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(
 *   [100, 4096, 3 << 19, 1_000_000].map(formatBytes),
 *   ["100 B", "4 KiB", "1.5 MiB", "1000000 B"],
 * );
 * ```
 */
export function formatBytes(bytes: number): string {
  for (const [unit, name] of [[2 ** 20, "MiB"], [2 ** 10, "KiB"]] as const) {
    if (bytes >= unit && Number.isInteger(bytes / unit * 4)) return `${bytes / unit} ${name}`;
  }
  return `${bytes} B`;
}

/**
 * Formats an amount of data with three significant digits, in units of powers of ten.
 *
 * @param bytes The amount
 * @returns The rounded amount with its unit, such as `0 B`, `12.3 kB` or `2.46 MB`
 *
 * @example The data of a run
 * ```ts
 * import { formatDataAmount } from "./format.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals([999, 12_288, 2_457_600].map(formatDataAmount), ["999 B", "12.3 kB", "2.46 MB"]);
 * ```
 */
export function formatDataAmount(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${unit === 0 ? value : value.toPrecision(3)} ${units[unit]}`;
}

/** Options of {@linkcode formatNumber}. */
export interface NumberFormat {
  /** Significant digits. Digits before the decimal point are never rounded away. Defaults to 3. */
  readonly digits?: number;
  /** What separates groups of three digits, from 10 000 on. Defaults to an empty text. */
  readonly separator?: string;
}

/**
 * Formats a number with few significant digits.
 *
 * @param value The number
 * @param options How to format it
 * @returns The rounded number, such as `0.0123`, `61.2` or `3336`; with an exponent from 10^9 on and
 * below 10^-6
 *
 * @example Small and large numbers
 * ```ts
 * import { formatNumber } from "./format.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals([0.012345, 4, 61.23, 3336.4].map((one) => formatNumber(one)), [
 *   "0.0123",
 *   "4",
 *   "61.2",
 *   "3336",
 * ]);
 * assertEquals(formatNumber(50.083, { digits: 4 }), "50.08");
 * assertEquals(formatNumber(12345.6, { separator: " " }), "12 346");
 * ```
 */
export function formatNumber(value: number, options: NumberFormat = {}): string {
  const { digits = 3, separator = "" } = options;
  const size = Math.abs(value);
  if (size >= 1e9) return value.toPrecision(digits);
  const text = size >= 10 ** (digits - 1)
    ? value.toFixed(0)
    : String(Number(value.toPrecision(digits)));
  return size >= 10_000 ? text.replace(/\B(?=(?:\d{3})+$)/g, separator) : text;
}

/**
 * Formats how many things there are.
 *
 * @param count How many
 * @param noun The thing, in the singular
 * @returns The count and the noun, such as `1 case` or `2 cases`
 *
 * @example One and several
 * ```ts
 * import { plural } from "./format.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals([0, 1, 2].map((count) => plural(count, "case")), ["0 cases", "1 case", "2 cases"]);
 * ```
 */
export function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}
