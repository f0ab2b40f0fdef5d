// SPDX-License-Identifier: MIT
/**
 * What unit of memory or bus an extent is made of.
 *
 * @module
 */

/** The largest unit of which an extent consists; null when it is smaller than a word or unaligned. */
export type Alignment = "word" | "cache line" | "burst" | "4 KiB" | "page" | null;

/** The units of a board, bytes. */
export interface Units {
  /** A cache line; 64 when left out. */
  readonly cacheLine?: number;
  /** A page; 4096 when left out. */
  readonly pageSize?: number;
  /** A burst of the bus, when it is known. */
  readonly burst?: number;
}

/** The bus may not cross this. */
const BOUNDARY = 4096;
const WORD = 8;

/**
 * Name the largest unit whose edges are those of an extent. An edge that is also that of the frame lies
 * there anyway and says nothing.
 *
 * @param from First byte, from the start of the frame
 * @param to Behind the last byte
 * @param length Bytes of the frame
 * @param base Where the frame begins in its page, bytes
 * @param units The units
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
  const named: [Alignment, number][] = [
    ["page", pageSize],
    ["4 KiB", BOUNDARY],
    ["burst", burst ?? Infinity],
    ["cache line", cacheLine],
    ["word", WORD],
  ];
  const fitting = named.filter(([, unit]) => edges.every((edge) => (base + edge) % unit === 0));
  return fitting.sort((a, b) => b[1] - a[1])[0]?.[0] ?? null;
}

/**
 * Say an extent in units, such as `2 cache lines`.
 *
 * @param from First byte, from the start of the frame
 * @param to Behind the last byte
 * @param alignment Its unit
 * @param units The units
 * @returns Words for a person
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
  if (!Number.isInteger(count) || alignment === null) return plural(bytes);
  if (alignment === "4 KiB") return `${count * 4} KiB`;
  return count === 1 ? `one ${alignment}` : `${count} ${alignment}s`;
}

/**
 * Say a number of bytes.
 *
 * @param bytes How many; the sign is left out
 * @returns Words for a person
 */
export function plural(bytes: number): string {
  const count = Math.abs(bytes);
  return count === 1 ? "1 byte" : `${count} bytes`;
}
