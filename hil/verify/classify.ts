// SPDX-License-Identifier: MIT
/**
 * Names what is wrong with a received frame, and lays it on one part of the path.
 *
 * Blame comes from check values. The core computes a CRC-32 over what it read and over what it wrote;
 * held against the CRC-32 of what was sent and of what the CPU sees, the first pair that differs is
 * where the data changed: before the core (`tx`), in it (`core`), or after it (`rx`).
 *
 * @module
 */

import { crc32 } from "node:zlib";
import type { Pattern } from "../patterns/pattern.ts";
import { HEADER_SIZE, MIN_STAMPED, SLOTS, TaggedPattern } from "../patterns/tagged.ts";
import type { Blame, Fault, FaultKind } from "../results.ts";

/** A frame as it was received. */
export interface ReceivedFrame {
  /** Number of the frame that was due, from 0. */
  readonly sequence: number;
  /** What was due. */
  readonly expected: Uint8Array;
  /** What is in its place, as many bytes. */
  readonly received: Uint8Array;
  /** Bytes that the engine says it moved. */
  readonly moved: number;
  /** Check value over what the core read, or null when it computes none. */
  readonly txCheck: number | null;
  /** Check value over what the core wrote, or null when it computes none. */
  readonly rxCheck: number | null;
}

/** What is known of a run besides the frame. */
export interface Context {
  /** The pattern that made the frame. */
  readonly pattern: Pattern;
}

/** Where data were seen to change, apart from what is wrong with them. */
export interface Sightings {
  /** The core read something else than was sent; null without a check value. */
  readonly tx: boolean | null;
  /** The core wrote something else than it read; null without check values. */
  readonly core: boolean | null;
  /** The CPU sees something else than the core wrote; null without a check value. */
  readonly rx: boolean | null;
}

/**
 * Compare the check values along the path.
 *
 * @param frame The frame
 * @returns Where data changed
 */
export function sight(frame: ReceivedFrame): Sightings {
  const { expected, received, moved, txCheck, rxCheck } = frame;
  const sent = crc32(expected);
  const seen = crc32(received.subarray(0, moved));
  return {
    tx: txCheck === null ? null : txCheck !== sent,
    core: txCheck === null || rxCheck === null ? null : txCheck !== rxCheck,
    rx: rxCheck === null ? null : rxCheck !== seen,
  };
}

/**
 * Name what is wrong with a frame.
 *
 * @param frame The frame, with at least one byte wrong or missing
 * @param context What is known besides
 * @returns The faults, at least one, with their extents in the frame
 */
export function classify(frame: ReceivedFrame, context: Context): Fault[] {
  return [nameFault(frame, context.pattern)];
}

function nameFault(frame: ReceivedFrame, pattern: Pattern): Fault {
  const { expected, received, sequence, moved } = frame;
  const sightings = sight(frame);
  const blame = blameOf(sightings);
  let first = 0;
  while (first < expected.length && expected[first] === received[first]) first++;
  let last = expected.length - 1;
  while (last > first && expected[last] === received[last]) last--;
  if (moved < expected.length && first >= moved) {
    return {
      kind: "truncated",
      frame: sequence,
      offset: moved,
      length: expected.length - moved,
      blame: blame ?? "core",
      detail: `${moved} of ${expected.length} bytes arrived`,
    };
  }
  const words = survey(pattern, frame, first, last);
  const { kind, detail } = nameIt(words, blame, sightings, frame);
  return { kind, frame: sequence, offset: first, length: last - first + 1, blame, detail };
}

/** What the wrong words of a frame turned out to be. */
interface Survey {
  wrongBytes: number;
  wrongBits: number;
  wrongWords: number;
  poison: number;
  unknown: number;
  /** Words of this frame at another place, by shift. */
  shifted: Map<number, number>;
  /** Words of another frame at their place, by slot. */
  others: Map<number, number>;
}

function survey(
  pattern: Pattern,
  frame: ReceivedFrame,
  first: number,
  last: number,
): Survey {
  const { expected, received, sequence } = frame;
  const result: Survey = {
    wrongBytes: 0,
    wrongBits: 0,
    wrongWords: 0,
    poison: 0,
    unknown: 0,
    shifted: new Map(),
    others: new Map(),
  };
  for (let at = first; at <= last; at++) {
    let bits = (expected[at] ?? 0) ^ (received[at] ?? 0);
    if (bits !== 0) result.wrongBytes++;
    for (; bits !== 0; bits &= bits - 1) result.wrongBits++;
  }
  const view = new DataView(received.buffer, received.byteOffset, received.byteLength);
  const wanted = new DataView(expected.buffer, expected.byteOffset, expected.byteLength);
  const slot = sequence % SLOTS;
  // the header is not of the tape: what the rest says holds for it too
  const body = expected.length >= MIN_STAMPED ? HEADER_SIZE : 0;
  for (let at = Math.max(first & ~7, body); at + 8 <= expected.length && at <= last; at += 8) {
    const [low, high] = [view.getUint32(at, true), view.getUint32(at + 4, true)];
    if (low === wanted.getUint32(at, true) && high === wanted.getUint32(at + 4, true)) continue;
    result.wrongWords++;
    const tags = pattern instanceof TaggedPattern ? pattern : null;
    const identity = tags?.identify(low, high) ?? null;
    if (identity === null || tags === null) {
      result.unknown++;
    } else if (identity.class === "poison") {
      result.poison++;
    } else {
      const origin = tags.origin(identity.index, at / 8);
      if (origin.slot === slot) count(result.shifted, origin.shift);
      else count(result.others, origin.slot);
    }
  }
  return result;
}

function count(map: Map<number, number>, key: number): void {
  map.set(key, (map.get(key) ?? 0) + 1);
}

function nameIt(
  words: Survey,
  blame: Blame,
  sightings: Sightings,
  frame: ReceivedFrame,
): { kind: FaultKind; detail: string } {
  const { wrongBytes, wrongBits, wrongWords } = words;
  const amount = `${wrongBytes} of ${frame.expected.length} bytes wrong`;
  const content = describe(words, frame);
  const text = content === "" ? amount : `${amount}: ${content}`;
  if (blame === "tx") return { kind: "stale-tx", detail: `the core read old data; ${text}` };
  if (blame === "rx") return { kind: "stale-rx", detail: `the CPU reads old data; ${text}` };
  if (wrongBits === 1) return { kind: "bit-flip", detail: "1 bit wrong" };
  const most = [...words.shifted.entries()].sort((a, b) => b[1] - a[1])[0];
  if (most !== undefined && most[1] * 2 > wrongWords) {
    return { kind: most[0] > 0 ? "duplicated" : "lost", detail: text };
  }
  if (words.poison > 0 && words.poison === wrongWords) return { kind: "not-written", detail: text };
  const [other] = words.others.keys();
  if (other !== undefined && words.unknown === 0 && words.poison === 0 && words.others.size === 1) {
    const whole = frame.received.length < MIN_STAMPED + 8 || wrongWords * 8 + HEADER_SIZE + 8 >
        frame.expected.length;
    if (!whole) return { kind: "torn", detail: text };
    // an older frame that the core did not write just now was in the block before
    if (sightings.rx === true) return { kind: "not-written", detail: text };
    const newer = age(other, frame.sequence) < 0;
    return { kind: newer ? "swapped" : "duplicated", detail: text };
  }
  return { kind: "foreign", detail: text };
}

/** How many frames ago a slot was last used; negative for a frame that comes later. */
function age(slot: number, sequence: number): number {
  const ago = (((sequence % SLOTS) - slot) % SLOTS + SLOTS) % SLOTS;
  return ago > SLOTS / 2 ? ago - SLOTS : ago;
}

function describe(words: Survey, frame: ReceivedFrame): string {
  const parts: string[] = [];
  for (const [shift, n] of [...words.shifted].slice(0, 2)) {
    const way = shift > 0 ? "late" : "early";
    parts.push(`${n} words ${Math.abs(shift)} too ${way}`);
  }
  for (const [slot, n] of [...words.others].slice(0, 2)) {
    const other = frame.sequence - age(slot, frame.sequence);
    parts.push(other < 0 ? `${n} words of no frame yet` : `${n} words of frame ${other}`);
  }
  if (words.poison > 0) parts.push(`${words.poison} words never written`);
  if (words.unknown > 0) parts.push(`${words.unknown} words unknown`);
  return parts.join(", ");
}

/** The first place where data changed. */
function blameOf({ tx, core, rx }: Sightings): Blame {
  if (tx === true) return "tx";
  if (core === true) return "core";
  if (rx === true) return "rx";
  return null;
}
