// SPDX-License-Identifier: MIT
/**
 * Faults that only several frames together can name.
 *
 * @module
 */

import type { Fault } from "./fault.ts";
import { WIDTHS } from "./bits.ts";

/** Frames with a flipped bit from which the bit is called stuck. */
const EVIDENCE = 3;
/** Faults that are remembered. */
const MOST = 4096;
/** Frames longer than this show a stuck bit by themselves. */
const LONGEST = 1 << 16;

/** A whole frame in the place of another. */
interface Moved {
  readonly due: number;
  readonly found: number;
}

/** A bit that was wrong: where, and in which words it could be stuck. */
interface Flipped {
  readonly frame: number;
  readonly at: number;
  readonly bits: number;
  readonly value: number;
  /** Bytes of words in whose every one the bit has this value. */
  readonly widths: readonly number[];
}

/**
 * Remembers faults of a run, and names those anew that later frames explain: two frames swapped, one
 * lost and all that follow early, a bit of a word that is wrong in frame after frame.
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
 * const faults = [[5, 6], [6, 5]].flatMap(([due = 0, found = 0]) =>
 *   classify({
 *     sequence: due,
 *     expected: frame(due),
 *     received: frame(found),
 *     moved: 4096,
 *     txCheck: null,
 *     rxCheck: null,
 *   }, { pattern, history })
 * );
 * assertEquals(history.settle(faults).map(({ kind }) => kind), ["swapped", "swapped"]);
 * ```
 */
export class FaultHistory {
  readonly #moved = new Map<string, Moved>();
  readonly #flipped = new Map<string, Flipped>();

  /**
   * Note that a whole frame was found in the place of another.
   *
   * @param fault The fault as named so far
   * @param due Number of the frame that was due
   * @param found Number of the one that was there
   */
  moved(fault: Fault, due: number, found: number): void {
    if (this.#moved.size < MOST) this.#moved.set(keyOf(fault), { due, found });
  }

  /**
   * Note that bits of a frame are wrong.
   *
   * @param fault The fault as named so far
   * @param frame The frame
   * @param from First byte
   * @param to Behind the last byte
   */
  flipped(
    fault: Fault,
    frame: { readonly expected: Uint8Array; readonly received: Uint8Array },
    from: number,
    to: number,
  ): void {
    const { expected, received } = frame;
    const bits = (expected[from] ?? 0) ^ (received[from] ?? 0);
    if (to - from !== 1 || (bits & (bits - 1)) !== 0) return;
    if (this.#flipped.size >= MOST || received.length > LONGEST) return;
    const value = (received[from] ?? 0) & bits;
    const widths = WIDTHS.filter((width) => {
      for (let at = from % width; at < received.length; at += width) {
        if (((received[at] ?? 0) & bits) !== value) return false;
      }
      return true;
    });
    this.#flipped.set(keyOf(fault), { frame: fault.frame, at: from, bits, value, widths });
  }

  /**
   * Name faults anew that others explain.
   *
   * @param faults Faults of a run, as `classify()` gave them or copies of them with more in them
   * @returns As many, in the same order
   */
  settle<Item extends Fault>(faults: readonly Item[]): Item[] {
    const stuck = this.#stuck(faults);
    const found = new Map<number, number>();
    for (const fault of faults) {
      const moved = this.#moved.get(keyOf(fault));
      if (moved !== undefined) found.set(moved.due, moved.found);
    }
    const faulty = new Set(faults.map(({ frame }) => frame));
    return faults.map((fault) => {
      const text = stuck.get(fault);
      if (text !== undefined) return { ...fault, kind: "stuck-bit", detail: text };
      const moved = this.#moved.get(keyOf(fault));
      return moved === undefined
        ? fault
        : { ...fault, ...settleMoved(moved, found, faulty, fault) };
    });
  }

  /** Flipped bits that are one bit of a word, wrong in several frames. */
  #stuck(faults: readonly Fault[]): Map<Fault, string> {
    const named = new Map<Fault, string>();
    for (const width of WIDTHS) {
      const left = faults.filter((fault) =>
        !named.has(fault) && this.#flipped.get(keyOf(fault))?.widths.includes(width)
      );
      const groups = Map.groupBy(left, (fault) => {
        const { at, bits, value } = this.#flipped.get(keyOf(fault)) as Flipped;
        return `${(at % width) * 8 + 31 - Math.clz32(bits)} ${value === 0 ? 0 : 1}`;
      });
      for (const [key, group] of groups) {
        if (new Set(group.map(({ frame }) => frame)).size < EVIDENCE) continue;
        // a bit that is stuck is all that is wrong: among random ones a few agree by chance
        if (group.length * 4 < this.#flipped.size * 3) continue;
        const [bit, value] = key.split(" ");
        for (const fault of group) {
          const text = `bit ${bit} of every ${
            8 * width
          }-bit word is ${value} in ${group.length} frames`;
          named.set(fault, text);
        }
      }
    }
    return named;
  }
}

/** What a fault has in common with its copies, and with no other fault of the run. */
function keyOf({ kind, frame, offset, length }: Fault): string {
  return `${kind} ${frame} ${offset} ${length}`;
}

/** Tell why a whole frame is in the place of another, from what was found in the place of others. */
function settleMoved(
  { due, found }: Moved,
  all: ReadonlyMap<number, number>,
  faulty: ReadonlySet<number>,
  { kind, detail }: Fault,
): Pick<Fault, "kind" | "detail"> {
  const by = found - due;
  if (all.get(found) === due) {
    return { kind: "swapped", detail: `${detail}; frame ${found} holds this one` };
  }
  const follows = all.get(due - 1) === found - 1;
  const goesOn = all.get(due + 1) === found + 1;
  const frames = Math.abs(by) === 1 ? "one frame" : `${Math.abs(by)} frames`;
  if (by > 0 && (follows || goesOn)) {
    const text = follows
      ? "; follows from the frame before"
      : `; all that follow are ${frames} early`;
    return { kind: "lost", detail: detail + text };
  }
  if (by < 0 && !follows && !goesOn) return { kind, detail };
  if (by < 0) {
    const text = follows
      ? "; follows from the frame before"
      : `; all that follow are ${frames} late`;
    return { kind: "duplicated", detail: detail + text };
  }
  // a later frame, which also came where it was due, or did not
  return { kind: faulty.has(found) ? "swapped" : "duplicated", detail };
}
