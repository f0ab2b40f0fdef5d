// SPDX-License-Identifier: MIT
/**
 * A frame in a block: writing it, comparing it, and its check value.
 *
 * @module
 */

import { crc32 } from "node:zlib";
import type { Block } from "../../driver/block.ts";
import type { Pattern } from "../patterns/pattern.ts";
import type { ReceivedFrame } from "../verify/classify.ts";

/** A frame in a block. */
export interface Framed {
  /** The pattern of the frame. */
  readonly pattern: Pattern;
  /** Number of the frame, from 0. */
  readonly sequence: number;
  /** Bytes of the frame. */
  readonly size: number;
  /** Where in the block it begins, bytes. */
  readonly at: number;
}

/**
 * Writes a frame into a block, by one `memcpy` and one more for the header.
 *
 * @param block The block, owned by the caller
 * @param frame The frame
 */
export function fillFrame(block: Block, { pattern, sequence, size, at }: Framed): void {
  const header = pattern.header(sequence, size);
  if (header === null) {
    block.set(pattern.body(sequence, size), at);
    return;
  }
  const { length } = header;
  block.set(header, at);
  block.set(pattern.body(sequence, size, length), at + length);
}

/**
 * Compares a block with a frame, by one `memcmp` and one more for the header.
 *
 * @param block The block, owned by the caller
 * @param frame The frame
 * @returns False if any byte differs
 */
export function holdsFrame(block: Block, { pattern, sequence, size, at }: Framed): boolean {
  const header = pattern.header(sequence, size);
  if (header === null) return block.equals(pattern.body(sequence, size), at, size);
  const { length } = header;
  return block.equals(header, at) &&
    block.equals(pattern.body(sequence, size, length), at + length, size - length);
}

/**
 * Returns the check value that a core must compute over a frame: CRC-32 as in zlib.
 *
 * @param frame The frame
 * @returns 0 to 2^32 - 1
 */
export function checkOf({ pattern, sequence, size }: Omit<Framed, "at">): number {
  const header = pattern.header(sequence, size);
  if (header === null) return crc32(pattern.body(sequence, size));
  return crc32(pattern.body(sequence, size, header.length), crc32(header));
}

/** Bytes that are classified if only a brief answer is wanted. */
const BRIEF = 1 << 16;

/**
 * Cuts a frame a little after its first wrong byte.
 *
 * @param frame The frame
 * @returns Its beginning, without check values, which are for whole frames
 */
export function beginningOf(frame: ReceivedFrame): ReceivedFrame {
  const { expected, received, moved, sent } = frame;
  let first = 0;
  while (first < expected.length && expected[first] === received[first]) first++;
  const end = Math.ceil((first + BRIEF) / BRIEF) * BRIEF;
  if (end >= expected.length) return frame;
  return {
    ...frame,
    expected: expected.subarray(0, end),
    received: received.subarray(0, end),
    moved: Math.min(moved, end),
    txCheck: null,
    rxCheck: null,
    ...(sent === undefined ? {} : { sent: sent.subarray(0, end) }),
  };
}
