// SPDX-License-Identifier: MIT
/**
 * Finds the differences between the received and the expected bytes of a frame.
 *
 * @module
 */

import { groupByteLanes } from "./byte_lanes.ts";
import type { Difference } from "./difference.ts";
import { Displacement } from "./displacement.ts";
import type { Context, ReceivedFrame } from "./frame.ts";
import { findPieces } from "./pieces.ts";
import { type Mismatch, splitFrame } from "./segments.ts";
import { byteOf, type Segment, type Source } from "./source.ts";
import { Sources } from "./sources.ts";
import {
  findStuckBits,
  groupStuckBits,
  keepMask,
  type StuckBits,
  stuckText,
} from "./stuck_bits.ts";

/** Bytes that no known source explains. */
const UNKNOWN: Source = { kind: "unknown" };

/** An explanation of all wrong bytes of a frame. */
export interface Explanation {
  /** What happened to its bytes. */
  readonly differences: readonly Difference[];
  /** The sources of its bytes. */
  readonly sources: Sources;
}

/**
 * Finds what happened to the bytes of a frame. Of two explanations, one with bits that are stuck all
 * over the frame and one without, it takes the one that needs fewer faults.
 *
 * @param frame The frame
 * @param context What else is known
 * @param base Where the frame begins in its block, bytes
 * @param end Where the bytes that were moved end
 * @returns The differences and the sources of the bytes
 */
export function findDifferences(
  frame: ReceivedFrame,
  context: Context,
  base: number,
  end: number,
): Explanation {
  const plain = new Comparison(frame, context, base, end, null).explain();
  if (cost(plain.differences) < 2) return plain;
  const stuck = findStuckBits(frame, 0, end);
  if (stuck === null) return plain;
  const masked = new Comparison(frame, context, base, end, stuck).explain();
  return cost(masked.differences) < cost(plain.differences) ? masked : plain;
}

/** Compares a frame with what was expected, without the bits that are stuck all over it. */
class Comparison {
  readonly #frame: ReceivedFrame;
  readonly #base: number;
  readonly #cacheLine: number;
  readonly #end: number;
  readonly #stuck: StuckBits | null;
  readonly #sources: Sources;

  constructor(
    frame: ReceivedFrame,
    context: Context,
    base: number,
    end: number,
    stuck: StuckBits | null,
  ) {
    const { sequence, expected, received } = frame;
    const { pattern, rxHeld, txHeld, frameOf = null, lengthOf = null, units } = context;
    const spoil = [context.spoil, context.oldSpoil];
    this.#frame = frame;
    this.#base = base;
    this.#cacheLine = units?.cacheLine ?? 64;
    this.#end = end;
    this.#stuck = stuck;
    const keep = keepMask(stuck);
    const clear = (bytes: Uint8Array) =>
      stuck === null ? bytes : bytes.map((byte, at) => byte & (keep[at & 63] ?? 0xff));
    const previous = [rxHeld, txHeld].filter((content) => content !== undefined);
    this.#sources = new Sources(
      { sequence, expected: clear(expected), received: clear(received) },
      { pattern, base, previous, keep, frameOf, lengthOf, spoil },
    );
  }

  explain(): Explanation {
    const { expected, received, moved } = this.#frame;
    const other = this.#stuck === null ? this.#sources.otherFrame(moved) : null;
    if (other !== null) {
      const all = { from: 0, to: this.#end, type: "content", source: other } as const;
      const differences = [{ ...all, shift: 0, by: 0, keep: null, text: "" }];
      return { differences, sources: this.#sources };
    }
    const { segments, mismatches } = splitFrame(this.#sources, this.#frame, this.#end);
    const shiftAt = shifts(segments, this.#frame.sequence);
    const placed = this.#placed(segments, mismatches);
    const stuck = groupStuckBits(this.#frame, mismatches);
    const inStuck = new Set(stuck.flatMap(({ parts }) => parts));
    const rest = mismatches.filter((mismatch) => !inStuck.has(mismatch));
    const unknown = placed.filter(({ type, source }) =>
      type === "content" && source.kind === "unknown"
    );
    const lanes = groupByteLanes(
      (at) => received[at] === expected[at - shiftAt(at)],
      [...rest, ...unknown],
    );
    const inLanes = new Set<Mismatch | Difference>(lanes.flatMap(({ parts }) => parts));
    const isEdge = this.#edges(placed);
    const at = (from: number) => ({ source: UNKNOWN, shift: shiftAt(from), by: 0 });
    const differences: Difference[] = [
      ...placed.filter((difference) => !inLanes.has(difference)),
      ...stuck.map(({ from, to, text, width, bits }): Difference => {
        const known = { width, bits };
        return {
          ...at(from),
          from,
          to,
          type: "stuck",
          keep: keepMask(known),
          stuck: known,
          text,
        };
      }),
      ...lanes.map(({ from, to, text }): Difference => (
        { ...at(from), from, to, type: "lanes", keep: null, text }
      )),
      ...rest.filter((mismatch) => !inLanes.has(mismatch) && !isEdge(mismatch))
        .map((mismatch) => this.#small(mismatch, shiftAt(mismatch.from))),
      ...this.#stuckEverywhere(),
    ];
    return { differences, sources: this.#sources };
  }

  /** Differences between segments: bytes from elsewhere, displacements, and pieces at another place. */
  #placed(segments: readonly Segment[], mismatches: readonly Mismatch[]): Difference[] {
    const { sequence, moved, expected } = this.#frame;
    const pieces = findPieces(segments, sequence);
    const displacement = new Displacement(
      {
        sequence,
        complete: moved === expected.length,
        base: this.#base,
        end: this.#end,
        cacheLine: this.#cacheLine,
      },
      this.#sources,
      mismatches,
    );
    for (const segment of segments) {
      if (!pieces.segments.has(segment)) displacement.add(segment);
    }
    return [...pieces.differences, ...displacement.finish()];
  }

  /** Whether a mismatch is part of a displacement: at its edge, other bytes may look like wrong bits. */
  #edges(placed: readonly Difference[]): (mismatch: Mismatch) => boolean {
    const displaced = placed.filter(({ type }) => type === "displaced" || type === "shifted");
    return (mismatch) =>
      displaced.some(({ from, to, by, shift }) =>
        by > 0
          ? mismatch.from >= from && mismatch.to <= from + by
          : to >= this.#end && mismatch.from >= this.#end + shift
      );
  }

  /** The bits that are stuck all over the frame, from the first to the last byte in which they show. */
  #stuckEverywhere(): Difference[] {
    if (this.#stuck === null) return [];
    const { expected, received } = this.#frame;
    const { bits, width } = this.#stuck;
    return bits.map((bit) => {
      const stuck = { width, bits: [bit] };
      const keep = keepMask(stuck);
      const shows = (at: number) =>
        (((expected[at] ?? 0) ^ (received[at] ?? 0)) & ~(keep[at & 63] ?? 0)) !== 0;
      let [from, to] = [0, this.#end];
      while (from < to && !shows(from)) from++;
      while (to > from && !shows(to - 1)) to--;
      const text = stuckText(width, bit.bit, bit.value);
      return { from, to, type: "stuck", source: UNKNOWN, shift: 0, by: 0, keep, stuck, text };
    });
  }

  /** A mismatch: single bits, or bytes of no known source. */
  #small({ from, to, source }: Mismatch, shift: number): Difference {
    const bytes = this.#sources.bytesOf(source);
    const { received } = this.#frame;
    const bits: string[] = [];
    for (let at = from; at < to; at++) {
      const wrong = (received[at] ?? 0) ^ (byteOf(bytes, at) ?? 0);
      for (let left = wrong; left !== 0; left &= left - 1) {
        bits.push(`bit ${31 - Math.clz32(left & -left)} of byte ${at}`);
      }
    }
    const type = bits.length <= 2 * (to - from) ? "bits" : "content";
    const text = bitsText(bits);
    return { from, to, type, source: UNKNOWN, shift, by: 0, keep: null, text };
  }
}

/** Says which bits are wrong; names the first four of them. */
function bitsText(bits: readonly string[]): string {
  if (bits.length === 1) return `${bits[0]} is wrong`;
  const more = bits.length > 4 ? ", …" : "";
  return `${bits.length} bits are wrong: ${bits.slice(0, 4).join(", ")}${more}`;
}

/** Gives how far a frame is displaced at an offset; 0 where its bytes come from elsewhere. */
function shifts(segments: readonly Segment[], sequence: number): (at: number) => number {
  return (at) => {
    let [low, high] = [0, segments.length - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((segments[middle]?.to ?? 0) <= at) low = middle + 1;
      else high = middle;
    }
    const source = segments[low]?.source;
    return source?.kind === "frame" && source.sequence === sequence ? source.shift : 0;
  };
}

/** How many faults an explanation needs. Bytes of no known source cost most. */
function cost(differences: readonly Difference[]): number {
  return differences.reduce((sum, { type, source, from, to }) => {
    return sum + 1 + (type === "content" && source.kind === "unknown" ? (to - from) / 8 : 0);
  }, 0);
}
