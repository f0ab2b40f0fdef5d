// SPDX-License-Identifier: MIT
/**
 * Kinds of faults that show only in several frames: frames that were swapped, lost or duplicated, bits that
 * are wrong in frame after frame, and data that a cache hid when they came.
 *
 * @module
 */

import type { Blame, Fault } from "./fault.ts";
import { plural } from "../text/format.ts";
import { stuckText, WIDTHS } from "./stuck_bits.ts";

/** Frames with the same flipped bit from which the bit counts as stuck. */
const MIN_FRAMES = 3;
/** The most faults of each kind that are remembered. */
const MAX_REMEMBERED = 4096;
/** In longer frames, a stuck bit shows without the other frames. */
const MAX_LENGTH = 1 << 16;

/** A whole frame in the place of another one. */
interface MovedFrame {
  /** Number of the expected frame. */
  readonly expected: number;
  /** Number of the frame that was there. */
  readonly found: number;
}

/** A wrong bit, and the words in which it could be stuck. */
interface FlippedBit {
  readonly frame: number;
  /** Offset of its byte. */
  readonly at: number;
  /** Mask of the bit in its byte. */
  readonly mask: number;
  readonly value: 0 | 1;
  /** Widths of words in which the bit has this value in the whole frame, bytes. */
  readonly widths: readonly number[];
}

/**
 * Remembers faults of a run, and changes the kind of those that later frames explain: two frames that
 * changed places, a lost frame after which all frames are early, a bit of a word that is wrong in frame
 * after frame.
 *
 * @example Two frames that changed places
 * ```ts
 * import { classify, FaultHistory } from "./classify.ts";
 * import { patterns } from "../patterns/mod.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const pattern = patterns.tagged().create({ seed: 1, maxLength: 4096 });
 * const frame = (sequence: number) => {
 *   const bytes = new Uint8Array(4096);
 *   pattern.write(bytes, sequence);
 *   return bytes;
 * };
 * const history = new FaultHistory();
 * const faults = [[5, 6], [6, 5]].flatMap(([expected = 0, found = 0]) =>
 *   classify({
 *     sequence: expected,
 *     expected: frame(expected),
 *     received: frame(found),
 *     moved: 4096,
 *     txCheck: null,
 *     rxCheck: null,
 *   }, { pattern, history })
 * );
 * assertEquals(history.reclassify(faults).map(({ kind }) => kind), ["swapped", "swapped"]);
 * ```
 */
export class FaultHistory {
  readonly #moved = new Map<string, MovedFrame>();
  readonly #flipped = new Map<string, FlippedBit>();

  /**
   * Remembers that a whole frame was found in the place of another one.
   *
   * @param fault The fault as it is named so far
   * @param expected Number of the expected frame
   * @param found Number of the frame that was there
   */
  moved(fault: Fault, expected: number, found: number): void {
    if (this.#moved.size < MAX_REMEMBERED) this.#moved.set(keyOf(fault), { expected, found });
  }

  /**
   * Remembers that bits of a frame are wrong.
   *
   * @param fault The fault as it is named so far
   * @param frame The frame
   * @param from Offset of the first byte
   * @param to Offset of the byte after the last one
   */
  flipped(
    fault: Fault,
    frame: { readonly expected: Uint8Array; readonly received: Uint8Array },
    from: number,
    to: number,
  ): void {
    const { expected, received } = frame;
    const mask = (expected[from] ?? 0) ^ (received[from] ?? 0);
    if (to - from !== 1 || (mask & (mask - 1)) !== 0) return;
    if (this.#flipped.size >= MAX_REMEMBERED || received.length > MAX_LENGTH) return;
    const state = (received[from] ?? 0) & mask;
    const widths = WIDTHS.filter((width) => {
      for (let at = from % width; at < received.length; at += width) {
        if (((received[at] ?? 0) & mask) !== state) return false;
      }
      return true;
    });
    const value = state === 0 ? 0 : 1;
    this.#flipped.set(keyOf(fault), { frame: fault.frame, at: from, mask, value, widths });
  }

  /**
   * Changes the kind of faults that other frames explain.
   *
   * @param faults Faults of a run, as `classify()` returned them, or copies with more members
   * @returns The same number of faults in the same order
   */
  reclassify<Item extends Fault>(faults: readonly Item[]): Item[] {
    const stuck = this.#stuckBits(faults);
    const found = new Map<number, number>();
    for (const fault of faults) {
      const moved = this.#moved.get(keyOf(fault));
      if (moved !== undefined) found.set(moved.expected, moved.found);
    }
    const faulty = new Set(faults.map(({ frame }) => frame));
    const blames = this.#blamesOfChains(faults, found);
    const written = faults.filter((fault) => wasWritten(fault, faults));
    return faults.map((fault) => {
      if (written.includes(fault)) {
        return proveStale(fault, "a later frame of the block shows that the data were written");
      }
      // a cache that is proved to hide data hides those that look the same
      if (written.some((proved) => looksLike(fault, proved))) {
        return proveStale(fault, "other frames of the run show that such data were written");
      }
      const detail = stuck.get(fault);
      if (detail !== undefined) return { ...fault, kind: "stuck-bit", detail };
      const moved = this.#moved.get(keyOf(fault));
      return moved === undefined
        ? fault
        : { ...fault, ...reclassifyMoved(moved, found, faulty, fault), ...blames.get(fault) };
    });
  }

  /**
   * Blames for those frames that are early or late as the frame beside them, and whose own blame is unknown. The
   * whole chain has one cause, so what one frame of it shows is true for all of them.
   */
  #blamesOfChains(
    faults: readonly Fault[],
    found: ReadonlyMap<number, number>,
  ): Map<Fault, { blame: Blame }> {
    const unknown = new Map<Fault, number>();
    const known = new Map<number, Blame>();
    for (const fault of faults) {
      const moved = this.#moved.get(keyOf(fault));
      if (moved === undefined || !isInChain(moved, found)) continue;
      const ahead = moved.found - moved.expected;
      if (fault.blame === null) unknown.set(fault, ahead);
      else if (!known.has(ahead)) known.set(ahead, fault.blame);
    }
    const blames = new Map<Fault, { blame: Blame }>();
    for (const [fault, ahead] of unknown) {
      const blame = known.get(ahead);
      if (blame !== undefined) blames.set(fault, { blame });
    }
    return blames;
  }

  /** Details for those flipped bits that are one bit of a word and wrong in several frames. */
  #stuckBits(faults: readonly Fault[]): Map<Fault, string> {
    const details = new Map<Fault, string>();
    for (const width of WIDTHS) {
      const groups = new Map<string, { bit: number; value: 0 | 1; group: Fault[] }>();
      for (const fault of faults) {
        const flipped = this.#flipped.get(keyOf(fault));
        if (flipped === undefined || details.has(fault)) continue;
        if (!flipped.widths.includes(width)) continue;
        const bit = (flipped.at % width) * 8 + 31 - Math.clz32(flipped.mask);
        const key = `${bit} ${flipped.value}`;
        const same = groups.get(key) ?? { bit, value: flipped.value, group: [] };
        same.group.push(fault);
        groups.set(key, same);
      }
      for (const { bit, value, group } of groups.values()) {
        if (new Set(group.map(({ frame }) => frame)).size < MIN_FRAMES) continue;
        // a stuck bit explains most flipped bits; among random ones, a few are the same by chance
        if (group.length * 4 < this.#flipped.size * 3) continue;
        const detail = `${stuckText(width, bit, value)} in ${plural(group.length, "frame")}`;
        for (const fault of group) details.set(fault, detail);
      }
    }
    return details;
  }
}

/**
 * Whether a later frame proves that the data of a fault were written: it shows them as old data of its block, in
 * the same place.
 */
function wasWritten(
  { kind, alternatives, frame, block, offset, length }: Fault,
  all: readonly Fault[],
) {
  return kind === "stale-rx" && alternatives?.includes("not-written") === true &&
    all.some((later) =>
      later.found === frame && later.frame > frame && later.block === block &&
      later.kind === "stale-rx" && later.offset < offset + length &&
      later.offset + later.length > offset
    );
}

/** Whether two faults have the same kinds and the same blame. */
function looksLike(one: Fault, other: Fault): boolean {
  return one.kind === other.kind && one.blame === other.blame &&
    String(one.alternatives) === String(other.alternatives);
}

/** A fault whose data were written, so that only an old copy, or a late arrival, can have hidden them. */
function proveStale<Item extends Fault>({ alternatives = [], ...fault }: Item, why: string): Item {
  const left = alternatives.filter((kind) => kind !== "not-written");
  return {
    ...fault,
    ...(left.length === 0 ? {} : { alternatives: left }),
    detail: `${fault.detail}; ${why}`,
  } as unknown as Item;
}

/** What a fault has in common with its copies, and with no other fault of the run. */
function keyOf({ kind, frame, offset, length }: Fault): string {
  return `${kind} ${frame} ${offset} ${length}`;
}

/** Whether the frame before or after is early or late by as many frames. */
function isInChain(
  { expected, found }: MovedFrame,
  foundFor: ReadonlyMap<number, number>,
): boolean {
  return foundFor.get(expected - 1) === found - 1 || foundFor.get(expected + 1) === found + 1;
}

/**
 * Finds why a whole frame is in the place of another one.
 *
 * @param moved The expected and the found frame
 * @param foundFor The found frame for each expected one that was replaced by another frame
 * @param faulty Numbers of all frames with faults
 * @param fault The fault as it is named so far
 * @returns Its kind and detail
 */
function reclassifyMoved(
  { expected, found }: MovedFrame,
  foundFor: ReadonlyMap<number, number>,
  faulty: ReadonlySet<number>,
  { kind, detail }: Fault,
): Pick<Fault, "kind" | "detail"> {
  const ahead = found - expected;
  if (foundFor.get(found) === expected) {
    return { kind: "swapped", detail: `${detail}; it changed places with frame ${found}` };
  }
  const follows = foundFor.get(expected - 1) === found - 1;
  const continues = foundFor.get(expected + 1) === found + 1;
  const distance = Math.abs(ahead) === 1 ? "one frame" : `${Math.abs(ahead)} frames`;
  const consequence = follows
    ? "; a consequence of the fault in the frame before"
    : `; all frames after it are ${distance} ${ahead > 0 ? "early" : "late"}`;
  if (ahead > 0 && (follows || continues)) return { kind: "lost", detail: detail + consequence };
  if (ahead < 0 && !follows && !continues) return { kind, detail };
  if (ahead < 0) return { kind: "duplicated", detail: detail + consequence };
  // a later frame: if it also arrived in its own place, it was duplicated
  return { kind: faulty.has(found) ? "swapped" : "duplicated", detail };
}
