// SPDX-License-Identifier: MIT
/**
 * Texts that are safe to print, and that fit where they are printed.
 *
 * @module
 */

/**
 * Shows a value from a file in an error message.
 *
 * @param value A result of `JSON.parse()`, or undefined for a missing value
 * @returns JSON of at most 40 characters, or `nothing`
 *
 * @example A value and a missing one
 * ```ts
 * import { show } from "./text.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals([show({ a: [1] }), show(undefined)], ['{"a":[1]}', "nothing"]);
 * ```
 */
export function show(value: unknown): string {
  if (value === undefined) return "nothing";
  return truncate(JSON.stringify(value), 40);
}

/**
 * Shortens a text that is too long.
 *
 * @param text Any text
 * @param length Characters to keep, at least 1
 * @returns The text; a longer one ends in `…`
 *
 * @example A long word
 * ```ts
 * import { truncate } from "./text.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals([truncate("loopback", 8), truncate("loopback", 5)], ["loopback", "loop…"]);
 * ```
 */
export function truncate(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, Math.max(0, length - 1))}…`;
}

/**
 * Replaces control characters, because texts of unknown origin must not move the cursor of a terminal
 * or clear its screen.
 *
 * @param text Any text
 * @returns The text with a space for each run of control characters
 *
 * @example An escape sequence
 * ```ts
 * import { printable } from "./text.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(printable("red\x1b[2Jgone\r\nnext"), "red [2Jgone next");
 * ```
 */
export function printable(text: string): string {
  // deno-lint-ignore no-control-regex
  return text.replace(/[\x00-\x1f\x7f-\x9f]+/g, " ");
}

/**
 * Wraps a text at spaces. A word that is longer than a line is broken anywhere.
 *
 * @param text Any text; each line begins with the spaces at its start
 * @param width Columns of a line
 * @param indent What else each line but the first begins with
 * @returns The lines, without control characters
 *
 * @example A text that needs two lines
 * ```ts
 * import { wrap } from "./text.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(wrap("FAIL: the design failed", 16, "  "), ["FAIL: the design", "  failed"]);
 * ```
 */
export function wrap(text: string, width: number, indent: string): string[] {
  const lines: string[] = [];
  const lead = /^ */.exec(text)?.[0] ?? "";
  let line = lead;
  for (let word of printable(text).trim().split(/ +/)) {
    const space = line.trim() === "" ? "" : " ";
    if (line.length + space.length + word.length <= width) {
      line += space + word;
      continue;
    }
    if (space !== "") {
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
