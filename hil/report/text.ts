// SPDX-License-Identifier: MIT
/**
 * Figures as people read them.
 *
 * @module
 */
import { Html, html } from "./html.ts";

/**
 * Write a figure with three significant digits, or all those before the point.
 *
 * @param value any number
 * @returns such as `0.0123`, `61.2`, `3336` or `12 345`
 *
 * @example Small and large
 * ```ts
 * import { roundFigure } from "./text.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals([0.012345, 61.23, 3336.4].map(roundFigure), ["0.0123", "61.2", "3336"]);
 * ```
 */
export function roundFigure(value: number): string {
  const size = Math.abs(value);
  if (size >= 1e9 || (size > 0 && size < 1e-4)) return value.toPrecision(3);
  const text = size >= 100 ? value.toFixed(0) : String(Number(value.toPrecision(3)));
  return size >= 10_000 ? text.replace(/\B(?=(?:\d{3})+$)/g, "\u202f") : text;
}

/**
 * Show a figure, with the exact one behind it.
 *
 * @param value any number
 * @returns a `data` element
 */
export function figure(value: number): Html {
  return html`<data value="${value}">${roundFigure(value)}</data>`;
}

/**
 * Write a number of bytes in the unit that makes it short.
 *
 * @param bytes how many
 * @returns such as `64 B`, `4 KiB` or `1.5 MiB`
 */
export function sizeText(bytes: number): string {
  for (const [unit, name] of [[1 << 20, "MiB"], [1 << 10, "KiB"]] as const) {
    if (bytes >= unit) return `${Number((bytes / unit).toFixed(2))}\u00a0${name}`;
  }
  return `${bytes}\u00a0B`;
}

/**
 * Say how many of something there are.
 *
 * @param count how many
 * @param one what, in the singular
 * @returns such as `1 case` or `2 cases`
 */
export function plural(count: number, one: string): string {
  return `${count} ${one}${count === 1 ? "" : "s"}`;
}
