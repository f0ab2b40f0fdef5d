// SPDX-License-Identifier: MIT
/**
 * Names what happened to data that a litmus test finds neither right nor old: lost, moved, reordered, or with
 * wrong bits. A design does that, and no cache.
 *
 * @module
 */

import type { Pattern } from "../../patterns/pattern.ts";
import { classify, type NamedFault, type Units } from "../../verify/classify.ts";
import type { FaultKind } from "../../verify/fault.ts";

/** The kinds that tell of old data or of other frames, which needs to be known where those were. */
const OF_OTHERS: readonly FaultKind[] = [
  ...["stale-tx", "stale-rx", "early-completion", "not-written", "torn", "swapped"] as const,
];

/** Bytes of a range in a round. */
type Content = (round: number, at: number, length: number) => Uint8Array;

/**
 * Names what happened to a range of a block.
 *
 * @param round The round
 * @param range `at`: its offset in the block; `received`: its bytes; `units`: those of the board
 * @param piece What each round should have there
 * @param pattern The pattern of the run
 * @returns The faults, with offsets in the block; null if some of the bytes may be those of another frame
 */
export function shapesOf(
  round: number,
  { at, received, units }: {
    readonly at: number;
    readonly received: Uint8Array;
    readonly units: Units;
  },
  piece: Content,
  pattern: Pattern,
): NamedFault[] | null {
  const expected = piece(round, at, received.length).slice();
  const frame = { sequence: round, expected, received, moved: received.length };
  const faults = classify({ ...frame, txCheck: null, rxCheck: null }, {
    pattern,
    base: at,
    frameOf: (other) => piece(other, at, received.length),
    stale: { tx: false, rx: false },
    units,
  });
  if (faults.some(({ kind }) => OF_OTHERS.includes(kind))) return null;
  return faults.map(({ damage, ...fault }) => ({
    ...fault,
    offset: fault.offset + at,
    ...(damage === undefined ? {} : { damage: { ...damage, offset: damage.offset + at, base: 0 } }),
  }));
}
