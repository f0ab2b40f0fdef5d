// SPDX-License-Identifier: MIT
/**
 * A source of bytes, and segments of a frame that come from one source.
 *
 * @module
 */

/** What a block held before a frame came: a frame by its number, or its initial content. */
export type PreviousContent = number | "poison" | "zeros";

/** A frame. Its byte `i` is found at byte `i + shift`. */
export interface FrameSource {
  /** Which kind of source it is. */
  readonly kind: "frame";
  /** Number of the frame. */
  readonly sequence: number;
  /** By how many bytes the frame is displaced towards its end. */
  readonly shift: number;
}

/** Where bytes come from. */
export type Source =
  | FrameSource
  | {
    readonly kind: "poison"; /** Offset in the block of the frame's byte 0. */
    readonly base: number;
  }
  | { readonly kind: "constant"; readonly value: number }
  | {
    readonly kind:
      "spoil"; /** Whether the CPU stored it after the frame before, or after this one. */
    readonly old: boolean;
  }
  | { readonly kind: "lanes"; readonly width: number; readonly map: readonly number[] }
  | { readonly kind: "unknown" };

/** A range of bytes. */
export interface Range {
  /** Offset of the first byte. */
  readonly from: number;
  /** Offset of the byte after the last one. */
  readonly to: number;
}

/** Consecutive bytes of one source. */
export interface Segment extends Range {
  /** Where the bytes come from. */
  readonly source: Source;
  /** How many of them differ from what was expected. */
  readonly wrong: number;
  /** Bytes within the segment that the source does not explain. */
  readonly mismatches: readonly Range[];
}

/** The bytes of a source, and where they lie. */
export interface SourceBytes {
  /** The bytes. Empty for a constant. */
  readonly bytes: Uint8Array;
  /** Offset of the first of them in the frame. */
  readonly delta: number;
  /** The value of every byte of a constant; `null` for other sources. */
  readonly value: number | null;
}

/**
 * Gets one byte of a source.
 *
 * @param source The bytes of the source
 * @param at Offset in the frame
 * @returns The byte, or `undefined` if the source has none there
 */
export function byteOf({ bytes, delta, value }: SourceBytes, at: number): number | undefined {
  if (value !== null) return value;
  const index = at - delta;
  return index >= 0 && index < bytes.length ? bytes[index] : undefined;
}
