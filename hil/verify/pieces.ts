// SPDX-License-Identifier: MIT
/**
 * Pieces of a frame at another place than their own: pieces in another order, a piece that was written to a wrong
 * address, and a piece that came a second time. After a piece, the frame continues in its place, so nothing was
 * lost or inserted.
 *
 * @module
 */

import { plural } from "../text/format.ts";
import type { Difference } from "./difference.ts";
import type { FrameSource, Range, Segment } from "./source.ts";

/** Bytes that are not equal by chance. */
const BEAT = 8;
/** The most pieces that are looked at together. */
const MAX_PIECES = 256;
/** The most series from one piece on that are compared. */
const MAX_CANDIDATES = 8;

/** A segment of the frame itself, displaced. */
interface Piece {
  readonly segment: Segment;
  readonly source: FrameSource;
  /** Where its bytes belong. */
  readonly home: Range;
}

/** Segments and the differences that they make. */
export interface Pieces {
  /** The segments that are explained. */
  readonly segments: ReadonlySet<Segment>;
  /** What they mean. */
  readonly differences: readonly Difference[];
}

const COMMON = { shift: 0, by: 0, keep: null } as const;

/**
 * Finds the pieces of a frame that are at another place.
 *
 * @param segments The segments of the frame, from start to end
 * @param sequence Number of the frame
 * @returns The pieces, and the old content at the places where they belong
 */
export function findPieces(segments: readonly Segment[], sequence: number): Pieces {
  const explained = new Set<Segment>();
  const differences: Difference[] = [];
  const holes = segments.filter(({ source }) =>
    source.kind !== "frame" || source.sequence !== sequence
  );
  const pieces = segments.flatMap((segment, i): Piece[] => {
    const { source, from, to } = segment;
    if (source.kind !== "frame" || source.sequence !== sequence || source.shift === 0) return [];
    const piece = { segment, source, home: { from: from - source.shift, to: to - source.shift } };
    const fits = isPiece(segments, i, source.shift) &&
      (holeAt(holes, piece.home) !== undefined || isInPlace(segments, i, sequence));
    return fits ? [piece] : [];
  });
  for (let i = 0; i < pieces.length;) {
    const group = reorderedFrom(pieces, i);
    if (group === null) {
      i++;
      continue;
    }
    for (const { segment } of group) explained.add(segment);
    differences.push(...describeOrder(group));
    i += group.length;
  }
  for (const { segment, source, home } of pieces) {
    if (explained.has(segment)) continue;
    const { from, to } = segment;
    const hole = holeAt(holes, home);
    explained.add(segment);
    if (hole === undefined) {
      const text = `the ${plural(to - from, "byte")} of offset ${home.from} came a second time`;
      differences.push({ ...COMMON, from, to, type: "repeated", source, text });
      continue;
    }
    const text = `holds the ${plural(to - from, "byte")} that belong at offset ${home.from}`;
    differences.push({ ...COMMON, from, to, type: "misplaced", source, text });
    if (explained.has(hole)) continue;
    explained.add(hole);
    differences.push({
      ...COMMON,
      from: hole.from,
      to: hole.to,
      type: "misplaced",
      source: hole.source,
      text: `the ${plural(hole.to - hole.from, "byte")} of this place are at offset ${from}`,
    });
  }
  return { segments: explained, differences };
}

/** The segment of other content that lies where a piece belongs. The segments are sorted. */
function holeAt(holes: readonly Segment[], home: Range): Segment | undefined {
  let [low, high] = [0, holes.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((holes[middle]?.to ?? 0) <= home.from) low = middle + 1;
    else high = middle;
  }
  const hole = holes[low];
  if (hole === undefined) return undefined;
  const [room, size] = [hole.to - hole.from, home.to - home.from];
  return overlap(hole, home) >= Math.min(room, size) - BEAT && room < size + BEAT
    ? hole
    : undefined;
}

/** The consecutive segments around one that all belong, as the indices of the first and the last. */
function runAround(
  segments: readonly Segment[],
  index: number,
  belongs: (segment: Segment) => boolean,
): [first: number, last: number] {
  let [first, last] = [index, index];
  while (first > 0 && belongs(segments[first - 1] as Segment)) first--;
  while (last + 1 < segments.length && belongs(segments[last + 1] as Segment)) last++;
  return [first, last];
}

/** How far a segment is displaced, if it comes from a frame. */
function shiftOf({ source }: Segment): number {
  return source.kind === "frame" ? source.shift : 0;
}

/**
 * Whether a displaced segment is a piece: the frame continues in its place after it, and it is not longer than
 * its displacement, or belongs to a series of displaced segments. Otherwise bytes were lost before it and others
 * inserted after it, or the other way round.
 */
function isPiece(segments: readonly Segment[], index: number, shift: number): boolean {
  const [first, last] = runAround(segments, index, (segment) => shiftOf(segment) !== 0);
  const { from, to } = segments[index] as Segment;
  if (first === last) return to - from < Math.abs(shift) + BEAT && last + 1 < segments.length;
  // one after the other lost and inserted bytes have displacements that grow or shrink by little; in another
  // order, the pieces that come early are balanced by those that come late
  let [sum, bytes] = [0, 0];
  for (const segment of segments.slice(first, last + 1)) {
    const length = segment.to - segment.from;
    sum += shiftOf(segment) * length;
    bytes += length;
  }
  return Math.abs(sum) <= bytes * BEAT;
}

/** Whether the frame is in its place before and after a series of displaced segments, past other content. */
function isInPlace(segments: readonly Segment[], index: number, sequence: number): boolean {
  const isOwn = ({ source }: Segment) => source.kind === "frame" && source.sequence === sequence;
  const isDisplaced = (segment: Segment) => isOwn(segment) && shiftOf(segment) !== 0;
  const [first, last] = runAround(segments, index, isDisplaced);
  let [before, after] = [first - 1, last + 1];
  while (before >= 0 && !isOwn(segments[before] as Segment)) before--;
  while (after < segments.length && !isOwn(segments[after] as Segment)) after++;
  return [segments[before], segments[after]].every((segment) =>
    segment === undefined || shiftOf(segment) === 0
  );
}

/** The longest series of pieces from one on that fills its own places in another order; `null` if there is none. */
function reorderedFrom(pieces: readonly Piece[], first: number): readonly Piece[] | null {
  const candidates: number[] = [];
  let [balance, bytes] = [0, 0];
  const start = pieces[first]?.segment.from ?? 0;
  let [from, to] = [Infinity, 0];
  for (const [i, { segment, source, home }] of pieces.slice(first, first + MAX_PIECES).entries()) {
    balance += source.shift * (segment.to - segment.from);
    bytes += segment.to - segment.from;
    from = Math.min(from, home.from);
    to = Math.max(to, home.to);
    // what comes early is balanced by what comes late, and places and homes begin and end together; bytes at the
    // edges may be equal by chance
    const closed = Math.abs(balance) <= BEAT * bytes && Math.abs(from - start) <= BEAT &&
      Math.abs(to - segment.to) <= BEAT;
    if (i > 0 && closed) candidates.push(first + i + 1);
  }
  for (const end of candidates.slice(-MAX_CANDIDATES).reverse()) {
    const group = pieces.slice(first, end);
    const places = group.map(({ segment }) => segment);
    const homes = group.map(({ home }) => home).sort((a, b) => a.from - b.from);
    if (difference(places, homes) <= BEAT + 2 * group.length) return group;
  }
  return null;
}

/** How many bytes are in only one of two lists of ranges. Both are sorted by their start. */
function difference(a: readonly Range[], b: readonly Range[]): number {
  const edges = [
    ...a.flatMap(({ from, to }) => [[from, 1, 0], [to, -1, 0]] as const),
    ...b.flatMap(({ from, to }) => [[from, 0, 1], [to, 0, -1]] as const),
  ].sort(([x], [y]) => x - y);
  let [inA, inB, sum, last] = [0, 0, 0, 0];
  for (const [at, changeA, changeB] of edges) {
    if ((inA > 0) !== (inB > 0) || inB > 1) sum += at - last;
    inA += changeA;
    inB += changeB;
    last = at;
  }
  return sum;
}

/** One difference for each range of pieces without correct bytes between them. */
function describeOrder(group: readonly Piece[]): Difference[] {
  const differences: Difference[] = [];
  const [first] = group;
  if (first === undefined) return [];
  const sizes = group.map(({ segment }) => segment.to - segment.from);
  const [least, most] = [Math.min(...sizes), Math.max(...sizes)];
  const range = least === most ? plural(most, "byte") : `${least} to ${plural(most, "byte")}`;
  const text = `${group.length} pieces of ${range} are in another order; nothing is lost`;
  let from = first.segment.from;
  let to = first.segment.to;
  const add = () =>
    differences.push({ ...COMMON, from, to, type: "reordered", source: first.source, text });
  for (const { segment } of group.slice(1)) {
    // a piece may be in its place by chance
    if (segment.from - to >= 4 * BEAT) {
      add();
      from = segment.from;
    }
    to = segment.to;
  }
  add();
  return differences;
}

/** How many bytes two ranges share. */
function overlap(a: Range, b: Range): number {
  return Math.max(0, Math.min(a.to, b.to) - Math.max(a.from, b.from));
}
