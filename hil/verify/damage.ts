// SPDX-License-Identifier: MIT
/**
 * The wrong bits of a fault, from which a report draws a picture.
 *
 * @module
 */

import type { Fault } from "./fault.ts";
import type { ReceivedFrame } from "./frame.ts";

/** The most bytes that a fault carries: four cache lines, because the results contain every fault. */
const MAX_BYTES = 256;

/** The most expected bytes that a fault carries: as many as a reader compares. */
const EXAMPLE_BYTES = 16;

/**
 * Gets the wrong bits of an extent, from its first wrong byte on.
 *
 * @param frame The frame
 * @param from Offset of the extent's first byte in the frame
 * @param to Offset of the byte after the last one
 * @param base Where the frame begins in its block, bytes
 * @returns The `damage` of a fault, or `undefined` if no byte of the frame's data is wrong there
 */
export function damageOf(
  { expected, received }: Pick<ReceivedFrame, "expected" | "received">,
  from: number,
  to: number,
  base: number,
): Fault["damage"] {
  const end = Math.min(to, expected.length, received.length);
  let offset = Math.max(0, from);
  while (offset < end && expected[offset] === received[offset]) offset++;
  if (offset >= end) return undefined;
  const xor = received.slice(offset, Math.min(end, offset + MAX_BYTES))
    .map((byte, i) => byte ^ (expected[offset + i] ?? 0));
  const example = expected.slice(offset, Math.min(end, offset + EXAMPLE_BYTES));
  return { offset, xor: xor.toHex(), base, expected: example.toHex() };
}
