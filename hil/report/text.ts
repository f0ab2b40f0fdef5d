// SPDX-License-Identifier: MIT
/**
 * Numbers and sizes as HTML: with spaces at which no line breaks, and with the exact value behind them.
 *
 * @module
 */
import { formatBytes, formatNumber } from "../text/format.ts";
import { type Html, html } from "./html.ts";

/**
 * Formats a value with three significant digits, and with narrow spaces between thousands.
 *
 * @param value The value
 * @returns The rounded value, such as `0.0123`, `3336` or `12 346`
 */
export function valueText(value: number): string {
  return formatNumber(value, { separator: "\u202f" });
}

/**
 * Shows a rounded value, with the exact one as a machine-readable attribute.
 *
 * @param value The value
 * @returns A `data` element
 */
export function valueData(value: number): Html {
  return html`<data value="${value}">${valueText(value)}</data>`;
}

/**
 * Formats a size on one line.
 *
 * @param bytes The size
 * @returns The size, such as `64 B`, `4 KiB` or `1.5 MiB`, with a no-break space
 */
export function sizeText(bytes: number): string {
  return formatBytes(bytes).replace(" ", "\u00a0");
}
