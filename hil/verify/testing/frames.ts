// SPDX-License-Identifier: MIT
/**
 * Frames of the tagged pattern, and the faults that the classifier finds in them.
 *
 * @module
 */

import { crc32 } from "node:zlib";
import { TaggedPattern } from "../../patterns/tagged.ts";
import { classify, type Context, type NamedFault, type ReceivedFrame } from "../classify.ts";

/** Default size of a frame, bytes. */
export const SIZE = 4096;

/** The pattern of the frames. */
export const pattern = new TaggedPattern({ seed: 3, maxLength: 8192 });

/**
 * Makes a frame.
 *
 * @param sequence Its number
 * @param length Its bytes
 * @returns A copy
 */
export function frame(sequence: number, length = SIZE): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  pattern.write(bytes, sequence);
  return bytes;
}

/**
 * Classifies a frame. Without others, the check values are those of a core that wrote what the CPU sees.
 *
 * @param sequence Number of the expected frame
 * @param received The received bytes
 * @param more What else is known about the frame and its context
 * @returns The faults
 */
export function faultsOf(
  sequence: number,
  received: Uint8Array,
  more: Partial<ReceivedFrame & Context> = {},
): NamedFault[] {
  const expected = frame(sequence, received.length);
  const moved = more.moved ?? received.length;
  return classify({
    sequence,
    expected,
    received,
    moved,
    txCheck: crc32(expected),
    rxCheck: crc32(received.subarray(0, moved)),
    ...more,
  }, { pattern, ...more });
}
