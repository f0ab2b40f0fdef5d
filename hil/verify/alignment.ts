// SPDX-License-Identifier: MIT
/**
 * The unit of memory or of the bus that an extent consists of.
 *
 * @module
 */

import { plural } from "../text/format.ts";

/** The largest unit that an extent consists of; `null` if it is smaller than a word or not aligned. */
export type Alignment = "word" | "cache line" | "burst" | "4 KiB" | "page" | null;

/** The units of a board, bytes. */
export interface Units {
  /** Size of a cache line. Defaults to 64. */
  readonly cacheLine?: number;
  /** Size of a page. Defaults to 4096. */
  readonly pageSize?: number;
  /** Size of a burst on the bus, if it is known. */
  readonly burst?: number;
}

/** AXI bursts do not cross a boundary of this many bytes. */
const BOUNDARY = 4096;
const WORD = 8;

/**
 * Finds the largest unit whose edges are the edges of an extent. An edge that is also an edge of the
 * frame does not count, because it says nothing about the cause.
 *
 * @param from Offset of the first byte in the frame
 * @param to Offset of the byte after the last one
 * @param length Bytes of the frame
 * @param base Where the frame begins in its page, bytes
 * @param units The units of the board
 * @returns The unit
 */
export function alignmentOf(
  from: number,
  to: number,
  length: number,
  base: number,
  units: Units,
): Alignment {
  const { cacheLine = 64, pageSize = 4096, burst } = units;
  const edges = [from > 0 ? from : null, to < length ? to : null].filter((edge) => edge !== null);
  if (edges.length === 0) return null;
  const candidates: [Alignment, number][] = [
    ["page", pageSize],
    ["4 KiB", BOUNDARY],
    ["burst", burst ?? Infinity],
    ["cache line", cacheLine],
    ["word", WORD],
  ];
  const fitting = candidates.filter(([, unit]) =>
    edges.every((edge) => (base + edge) % unit === 0)
  );
  return fitting.sort((a, b) => b[1] - a[1])[0]?.[0] ?? null;
}

/**
 * Describes the length of an extent in units, such as `2 cache lines`.
 *
 * @param from Offset of the first byte in the frame
 * @param to Offset of the byte after the last one
 * @param alignment The unit of the extent
 * @param units The units of the board
 * @returns The number of units, or of bytes if the extent is no whole number of units
 */
export function extentText(from: number, to: number, alignment: Alignment, units: Units): string {
  const { cacheLine = 64, pageSize = 4096, burst = Infinity } = units;
  const bytes = to - from;
  const size = {
    "word": WORD,
    "cache line": cacheLine,
    "burst": burst,
    "4 KiB": BOUNDARY,
    "page": pageSize,
  };
  const count = alignment === null ? NaN : bytes / size[alignment];
  if (!Number.isInteger(count) || alignment === null) return plural(bytes, "byte");
  if (alignment === "4 KiB") return `${count * 4} KiB`;
  return count === 1 ? `one ${alignment}` : plural(count, alignment);
}
