// SPDX-License-Identifier: MIT
/**
 * Which bits of a fault are wrong, for a picture of it.
 *
 * @module
 */

import type { Fault } from "./fault.ts";
import type { ReceivedFrame } from "./frame.ts";

/** Bytes that a fault carries: four cache lines, for every fault is in the results. */
const MOST = 256;

/**
 * Take down which bits are wrong, from the first wrong byte of an extent on.
 *
 * @param frame The frame
 * @param from First byte of the extent, from the start of the frame
 * @param to Behind its last byte
 * @param base Where the frame begins in its block, bytes
 * @returns What a fault carries, or `undefined` where no byte of the frame's data is wrong
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
  const xor = received.slice(offset, Math.min(end, offset + MOST))
    .map((byte, i) => byte ^ (expected[offset + i] ?? 0));
  return { offset, xor: xor.toHex(), base };
}
