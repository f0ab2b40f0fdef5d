// SPDX-License-Identifier: MIT
/**
 * The frames that come back from a loopback design, or from one that transforms.
 *
 * @module
 */

import { expectedPattern } from "../patterns/computed.ts";
import type { Pattern } from "../patterns/pattern.ts";
import type { LoopFlowOptions } from "./options.ts";

/** The frames that come back from a design. */
export interface Returned {
  /** Their pattern. It is the pattern that was sent, unless the design transforms. */
  readonly pattern: Pattern;
  /** Bytes of each. */
  readonly size: number;
}

/**
 * Returns the frames that must come back from a loop.
 *
 * @param pattern The frames that are sent
 * @param options Their size, and what the design makes of a frame
 * @returns The frames that must come back
 * @throws {RangeError} If `expect` returns a frame without bytes
 */
export function returnedFrames(
  pattern: Pattern,
  { size, expect }: Pick<LoopFlowOptions, "size" | "expect">,
): Returned {
  if (expect === undefined) return { pattern, size };
  const sent = new Uint8Array(size);
  const frame = (sequence: number): Uint8Array<ArrayBuffer> => {
    pattern.write(sent, sequence);
    return expect(sent);
  };
  const { length } = frame(0);
  if (length === 0) throw new RangeError("Expected a frame from expect(), found 0 bytes");
  return { pattern: expectedPattern(pattern.seed, pattern.maxLength, frame), size: length };
}
