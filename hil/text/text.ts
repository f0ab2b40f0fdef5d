// SPDX-License-Identifier: MIT
/**
 * Sizes, figures and texts as people read them, in a terminal or a message.
 *
 * @module
 */

/**
 * Write a number of bytes in the largest unit that leaves a whole number.
 *
 * @param size how many
 * @returns such as `64 B`, `4 KiB` or `1 MiB`
 *
 * @example Sizes of frames
 * ```ts
 * import { bytes } from "./text.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals([100, 4096, 1 << 20, 1_000_000].map(bytes), ["100 B", "4 KiB", "1 MiB", "1000000 B"]);
 * ```
 */
export function bytes(size: number): string {
  if (size >= 2 ** 20 && size % 2 ** 20 === 0) return `${size / 2 ** 20} MiB`;
  if (size >= 1024 && size % 1024 === 0) return `${size / 1024} KiB`;
  return `${size} B`;
}

/**
 * Write a figure with so many digits at most, or all those before the point.
 *
 * @param value any number
 * @param digits how many; 3 when left out
 * @returns such as `0.0123`, `61.2` or `3336`
 *
 * @example Small and large
 * ```ts
 * import { figure } from "./text.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals([0.012345, 4, 61.23, 3336.4].map((one) => figure(one)), ["0.0123", "4", "61.2", "3336"]);
 * assertEquals([50.083, 12345.6].map((one) => figure(one, 4)), ["50.08", "12346"]);
 * ```
 */
export function figure(value: number, digits = 3): string {
  return Math.abs(value) >= 10 ** (digits - 1)
    ? value.toFixed(0)
    : String(Number(value.toPrecision(digits)));
}

/**
 * Show a value of a file in an error.
 *
 * @param value what JSON.parse() gave; undefined where nothing is
 * @returns JSON of at most 40 characters
 */
export function show(value: unknown): string {
  if (value === undefined) return "nothing";
  const text = JSON.stringify(value);
  return text.length > 40 ? `${text.slice(0, 37)}...` : text;
}

/**
 * Make a text safe for a terminal: results may come from anywhere, and nothing in them may move the
 * cursor or clear the screen.
 *
 * @param text any text
 * @returns it, with a blank for control characters
 */
export function printable(text: string): string {
  // deno-lint-ignore no-control-regex
  return text.replace(/[\x00-\x1f\x7f-\x9f]+/g, " ");
}

/**
 * Break a text at blanks; a word that is too long is broken anywhere.
 *
 * @param text any text; blanks that it begins with stand before each line
 * @param width columns to stay within
 * @param indent what else stands before each line but the first
 * @returns the lines
 */
export function fold(text: string, width: number, indent: string): string[] {
  const lines: string[] = [];
  const lead = /^ */.exec(text)?.[0] ?? "";
  let line = lead;
  for (let word of printable(text).trim().split(/ +/)) {
    const blank = line.trim() === "" ? "" : " ";
    if (line.length + blank.length + word.length <= width) {
      line += blank + word;
      continue;
    }
    if (blank !== "") {
      lines.push(line);
      line = lead + indent;
    }
    while (line.length + word.length > width) {
      const room = Math.max(1, width - line.length);
      lines.push(line + word.slice(0, room));
      word = word.slice(room);
      line = lead + indent;
    }
    line += word;
  }
  lines.push(line);
  return lines;
}
