// SPDX-License-Identifier: MIT
/**
 * A frame in a block: writing it, comparing it, and its check value.
 *
 * @module
 */

import { crc32 } from "node:zlib";
import type { Block } from "../../driver/block.ts";
import { STAMP_SIZE } from "../../driver/stamp.ts";
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
 * Writes a frame into a block, by one `memcpy` and one store for the stamp.
 *
 * @param block The block, owned by the caller
 * @param frame The frame
 */
export function fillFrame(block: Block, { pattern, sequence, size, at }: Framed): void {
  const body = pattern.body(sequence, size);
  const stamp = pattern.stamp(sequence, size);
  if (stamp === null) block.set(body, at);
  else block.setStamped(body, stamp, at);
}

/**
 * Compares a block with a frame, by one `memcmp` and one load for the stamp.
 *
 * @param block The block, owned by the caller
 * @param frame The frame
 * @returns False if any byte differs
 */
export function holdsFrame(block: Block, { pattern, sequence, size, at }: Framed): boolean {
  const body = pattern.body(sequence, size);
  const stamp = pattern.stamp(sequence, size);
  return stamp === null ? block.equals(body, at) : block.equalsStamped(body, stamp, at);
}

const stampView = new DataView(new ArrayBuffer(STAMP_SIZE));

/**
 * Returns the check value that a core must compute over a frame: CRC-32 as in zlib.
 *
 * @param frame The frame
 * @returns 0 to 2^32 - 1
 */
export function checkOf({ pattern, sequence, size }: Omit<Framed, "at">): number {
  const stamp = pattern.stamp(sequence, size);
  if (stamp === null) return crc32(pattern.body(sequence, size));
  stampView.setInt32(0, stamp, true);
  return crc32(stampView, crc32(pattern.body(sequence, size).subarray(0, size - STAMP_SIZE)));
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
