// SPDX-License-Identifier: MIT
/**
 * Byte lanes: bytes of a word that are exchanged with each other, or that are wrong in word after word.
 *
 * Words are counted from the start of the frame, as the beats of a bus are.
 *
 * @module
 */

import type { Range, Segment } from "./source.ts";
import { WIDTHS } from "./stuck_bits.ts";

/** Wrong bytes, and words, that exchanged lanes must explain. */
const MIN_BYTES = 8;
const MIN_WORDS = 4;

/**
 * Finds words that have the expected bytes in another order, which is the same in all words.
 *
 * @param frame The expected and the received bytes
 * @param at Offset of the first wrong byte
 * @param end Where the bytes that were moved end
 * @param keep Masks of the bits that are compared, by byte modulo 64
 * @param shift How far the frame is displaced there, bytes
 * @returns The segment, with the narrowest word that explains most, or `null` if there is none
 */
export function findExchangedLanes(
  { expected, received }: { readonly expected: Uint8Array; readonly received: Uint8Array },
  at: number,
  end: number,
  keep: Uint8Array,
  shift: number,
): Segment | null {
  let best: Segment | null = null;
  const matches = (here: number, there: number) =>
    (((received[here] ?? 0) ^ (expected[there - shift] ?? 0)) & (keep[here & 63] ?? 0xff)) === 0;
  for (const width of WIDTHS) {
    if (width === 1) continue;
    const segment = exchangedIn(matches, at, end, width);
    if (segment !== null && segment.wrong > (best?.wrong ?? 0)) best = segment;
  }
  return best;
}

/** Exchanged lanes of words of one width. `matches` compares a received byte with an expected one. */
function exchangedIn(
  matches: (here: number, there: number) => boolean,
  at: number,
  end: number,
  width: number,
): Segment | null {
  const start = at - at % width;
  const lanes = Array.from({ length: width }, (_, lane) => lane);
  // for each lane, the lanes that its bytes can come from according to all words so far
  let candidates = lanes.map(() => lanes);
  let last = start;
  let wrong = 0;
  let words = 0;
  for (let word = start; word + width <= end; word += width) {
    const next = candidates.map((from, lane) =>
      from.filter((other) => matches(word + lane, word + other))
    );
    if (next.some((from) => from.length === 0)) break;
    candidates = next;
    const differing = lanes.filter((lane) => !matches(word + lane, word + lane)).length;
    wrong += differing;
    if (differing > 0) words++;
    if (differing > 0) last = word + width;
  }
  // in few words, any bytes may match by chance
  if (wrong < MIN_BYTES || words < Math.min(MIN_WORDS, (end - start) / width)) return null;
  let first = at;
  while (first > start && !matches(first - 1, first - 1)) first--;
  while (last > at && matches(last - 1, last - 1)) last--;
  const map = candidates.map((from, lane) => from.includes(lane) ? lane : from[0] ?? lane);
  return { from: first, to: last, source: { kind: "lanes", width, map }, wrong, mismatches: [] };
}

/** Differences that all lie in the same byte lanes. */
export interface LaneGroup<Part> extends Range {
  /** Description for a person. */
  readonly text: string;
  /** The differences. */
  readonly parts: readonly Part[];
}

/** A group that can still grow. */
interface OpenGroup<Part> extends LaneGroup<Part> {
  from: number;
  to: number;
  readonly parts: Part[];
  readonly width: number;
  readonly lanes: ReadonlySet<number>;
}

/** Words in which wrong lanes must show. */
const MIN_LANE_WORDS = 8;
/** A difference of this many bytes can form a group by itself. */
const LONG = 64;
/** If there are more groups than this, no small differences are added to them. */
const MAX_GROUPS = 8;
/** How far from a group a difference may lie to belong to it, bytes: a few words of the widest bus. */
const NEAR = 256;

/**
 * Finds differences that lie in the same bytes of a word and in no others: lanes that were not written,
 * or that carry wrong data.
 *
 * @param isCorrect Whether the byte at an offset is correct
 * @param parts Differences that nothing else explains
 * @returns A group for each lane or set of lanes, in the narrowest word
 */
export function groupByteLanes<Part extends Range>(
  isCorrect: (at: number) => boolean,
  parts: readonly Part[],
): LaneGroup<Part>[] {
  const long = parts.filter(({ from, to }) => to - from >= LONG);
  const short = parts.filter(({ from, to }) => to - from < LONG);
  const groups: OpenGroup<Part>[] = [];
  for (const candidates of [...long.map((part) => [part]), short]) {
    const group = groupOf(isCorrect, candidates);
    const same = groups.find(({ text }) => text === group?.text);
    if (group === null) continue;
    if (same === undefined) groups.push(group);
    else {
      same.from = Math.min(same.from, group.from);
      same.to = Math.max(same.to, group.to);
      for (const part of group.parts) same.parts.push(part);
    }
  }
  if (groups.length <= MAX_GROUPS) addNearby(isCorrect, groups, short);
  return groups;
}

/** Adds small differences to a group nearby if they are wrong in lanes of the group only. */
function addNearby<Part extends Range>(
  isCorrect: (at: number) => boolean,
  groups: readonly OpenGroup<Part>[],
  short: readonly Part[],
): void {
  const taken = new Set(groups.flatMap((group) => group.parts));
  const left = new Set(
    short.filter((part) => !taken.has(part)).sort((a, b) => a.from - b.from),
  );
  for (const group of groups) {
    for (const part of left) {
      const near = part.from >= group.from - NEAR && part.to <= group.to + NEAR;
      const wrong = wrongBytes(isCorrect, [part]);
      if (!near || !wrong.every((at) => group.lanes.has(at % group.width))) continue;
      group.parts.push(part);
      group.from = Math.min(group.from, wrong[0] ?? part.from);
      group.to = Math.max(group.to, (wrong.at(-1) ?? part.to - 1) + 1);
      left.delete(part);
    }
  }
}

function wrongBytes(isCorrect: (at: number) => boolean, parts: readonly Range[]): number[] {
  const wrong: number[] = [];
  for (const { from, to } of parts) {
    for (let at = from; at < to; at++) if (!isCorrect(at)) wrong.push(at);
  }
  return wrong;
}

/** The group of some differences, or `null` if they do not lie in the same lanes. */
function groupOf<Part extends Range>(
  isCorrect: (at: number) => boolean,
  parts: readonly Part[],
): OpenGroup<Part> | null {
  const wrong = wrongBytes(isCorrect, parts);
  const [first, last] = [wrong[0], wrong.at(-1)];
  if (first === undefined || last === undefined) return null;
  for (const width of WIDTHS) {
    if (width < 2) continue;
    const lanes = new Map<number, number>();
    for (const at of wrong) lanes.set(at % width, (lanes.get(at % width) ?? 0) + 1);
    const words = Math.floor(last / width) - Math.floor(first / width) + 1;
    if (lanes.size * 2 > width || words < MIN_LANE_WORDS) continue;
    // each lane is wrong in at least half of the words; single bytes far apart are another fault
    if ([...lanes.values()].some((count) => count * 2 < words)) continue;
    const named = [...lanes.keys()].sort((a, b) => a - b).slice(0, 8).join(", ");
    const noun = lanes.size === 1 ? "byte lane" : "byte lanes";
    const verb = lanes.size === 1 ? "carries" : "carry";
    return {
      from: first,
      to: last + 1,
      text: `${noun} ${named} of ${8 * width}-bit words ${verb} wrong data`,
      parts: [...parts],
      width,
      lanes: new Set(lanes.keys()),
    };
  }
  return null;
}
