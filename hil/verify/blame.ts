// SPDX-License-Identifier: MIT
/**
 * Finds the part of the path that changed the data, by the check values of the core.
 *
 * The core computes a CRC-32 over what it read and one over what it wrote. They are compared with the
 * CRC-32 of the data sent and of the data that the CPU sees. Each pair that differs is a place where data
 * changed: before the core (`tx`), in it (`core`), or after it (`rx`). If there are several such places,
 * `tx` gets the blame for those differences that turn the data sent into data with the first check value,
 * and `rx` for those whose correction turns the data seen by the CPU into data with the second one.
 *
 * @module
 */

import { crc32 } from "node:zlib";
import { wholeFrame } from "../patterns/pattern.ts";
import type { Difference } from "./difference.ts";
import type { Blame } from "./fault.ts";
import type { Context, ReceivedFrame } from "./frame.ts";
import type { StuckBits } from "./stuck_bits.ts";

/** The most bytes of check values that are computed for one frame. */
const MAX_CHECKED = 64 * 2 ** 20;
/** The most differences of which all sets are tried. */
const MAX_DIFFERENCES = 6;

/** Where the check values show that data changed. */
export interface CheckComparison {
  /** Whether the core read other data than were sent; `null` without a check value. */
  readonly tx: boolean | null;
  /** Whether the core wrote other data than it read; `null` without check values. */
  readonly core: boolean | null;
  /** Whether the CPU sees other data than the core wrote; `null` without a check value. */
  readonly rx: boolean | null;
}

/**
 * Compares the check values along the path.
 *
 * @param frame The frame
 * @returns Where data changed
 */
export function compareCheckValues(frame: ReceivedFrame): CheckComparison {
  const { expected, received, moved, txCheck, rxCheck } = frame;
  const transforms = frame.sent !== undefined;
  const sent = crc32(frame.sent ?? expected);
  const seen = crc32(received.subarray(0, moved));
  const both = txCheck !== null && rxCheck !== null;
  if (frame.inexact === true) {
    const tx = txCheck === null ? null : txCheck !== sent;
    const rx = rxCheck === null ? null : rxCheck !== seen;
    // what the core should have written is not known, but something is wrong
    return { tx, core: tx === false && rx === false ? true : null, rx };
  }
  return {
    tx: txCheck === null ? null : txCheck !== sent,
    // the result of a transformation is known only if the design read the data that were sent
    core: !both || (transforms && txCheck !== sent)
      ? null
      : rxCheck !== (transforms ? crc32(expected) : txCheck),
    rx: rxCheck === null ? null : rxCheck !== seen,
  };
}

/**
 * Gets the first place where data changed.
 *
 * @param checks Where the check values show that data changed
 * @returns The part of the path, or `null` if it is unknown
 */
export function firstChange({ tx, core, rx }: CheckComparison): Blame {
  if (tx === true) return "tx";
  if (core === true) return "core";
  if (rx === true) return "rx";
  return null;
}

/**
 * Assigns each difference to a part of the path.
 *
 * @param differences What happened to the frame
 * @param frame The frame
 * @param context What else is known
 * @param checks Where the check values show that data changed
 * @returns A part of the path for each difference; `null` if the check values do not show it
 */
export function assignBlame(
  differences: readonly Difference[],
  frame: ReceivedFrame,
  context: Context,
  checks: CheckComparison,
): Blame[] {
  return new BlameAssignment(frame, context, checks).assign(differences);
}

/** Compares the check values of a frame with those that it would have with some of its differences. */
class BlameAssignment {
  readonly #frame: ReceivedFrame;
  readonly #context: Context;
  readonly #checks: CheckComparison;
  readonly #end: number;
  readonly #length: number;

  constructor(frame: ReceivedFrame, context: Context, checks: CheckComparison) {
    this.#frame = frame;
    this.#context = context;
    this.#checks = checks;
    this.#length = frame.expected.length;
    this.#end = Math.max(0, Math.min(frame.moved, this.#length));
  }

  assign(differences: readonly Difference[]): Blame[] {
    const { tx, core, rx } = this.#checks;
    const { generated = false } = this.#context;
    const all = (stage: Blame) => differences.map(() => stage);
    if (tx === null && rx === null) return all(null);
    if (tx === true && core === false && rx === false) return all("tx");
    if (tx === false && core === true && rx === false) return all("core");
    if (tx === false && core === false && rx === true) return all("rx");
    if (this.#frame.sent !== undefined) return all(firstChange(this.#checks));
    const onTx = tx === true
      ? this.#smallestSet(differences, (set) => this.#explainsRead(set, differences))
      : [];
    const rest = differences.filter((difference) => !(onTx ?? []).includes(difference));
    const onRx = rx === true
      ? this.#smallestSet(rest, (set) => this.#explainsWritten(set, rest))
      : [];
    return differences.map((difference) => {
      if (onTx?.includes(difference)) return "tx";
      if (onRx?.includes(difference)) return "rx";
      const possible = [
        onTx === null || (tx === null && !generated) ? "tx" as const : null,
        core !== false ? "core" as const : null,
        // if no correction gives what the core wrote, the core wrote less than there is in the block
        rx === null || (onRx === null && core !== true) ? "rx" as const : null,
      ].filter((stage) => stage !== null);
      return possible.length === 1 ? possible[0] ?? null : this.#likely(difference, possible);
    });
  }

  /**
   * Of several parts of the path, the one that fits the type and source of a difference best. If none fits, the
   * core is the likely one only if both check values are known: otherwise it would be a guess.
   */
  #likely({ type, source }: Difference, stages: readonly Blame[]): Blame {
    const { rxHeld, txHeld } = this.#context;
    const content = source.kind === "frame" ? source.sequence : source.kind;
    const fitting: Blame[] = [];
    if (type === "displaced" || type === "shifted") fitting.push("core");
    if (content === (rxHeld ?? "poison")) fitting.push("rx");
    if (content === txHeld) fitting.push("tx");
    const fits = fitting.find((stage) => stages.includes(stage));
    const { tx, rx } = this.#checks;
    if (fits !== undefined || tx === null || rx === null) return fits ?? null;
    return stages.includes("core") ? "core" : stages[0] ?? null;
  }

  /** The smallest set of differences that explains a check value, or `null` if there is none. */
  #smallestSet(
    differences: readonly Difference[],
    explains: (set: readonly Difference[]) => boolean,
  ): Difference[] | null {
    // only the core can displace data
    const candidates = differences.filter(({ type }) => type !== "displaced" && type !== "shifted");
    const affordable = Math.floor(Math.log2(MAX_CHECKED / Math.max(1, this.#length)));
    if (candidates.length === 0 || candidates.length > Math.min(MAX_DIFFERENCES, affordable)) {
      return explains(candidates) ? candidates : null;
    }
    const sets = Array.from({ length: 2 ** candidates.length }, (_, set) => set);
    const size = (set: number) => set.toString(2).replaceAll("0", "").length;
    for (const set of sets.sort((a, b) => size(a) - size(b))) {
      const chosen = candidates.filter((_, i) => (set >> i) & 1);
      if (explains(chosen)) return chosen;
    }
    return null;
  }

  /** Whether the core read the data sent, but with these differences. */
  #explainsRead(set: readonly Difference[], all: readonly Difference[]): boolean {
    const { expected, received, txCheck } = this.#frame;
    const read = expected.slice();
    // bits that got stuck after the core read them hide what it read
    const hidden = all.some((difference) =>
      difference.stuck !== undefined && !set.includes(difference)
    );
    // a bit that was stuck in reading was stuck in every word, even in those that were replaced later
    for (const { stuck } of set) {
      if (stuck !== undefined) forceBits(read, stuck, 0, read.length);
    }
    for (const { from, to, shift, keep, stuck, source } of set) {
      if (stuck !== undefined) continue;
      const whole = hidden && source.kind === "frame" ? this.#frameOf(source.sequence) : null;
      for (let at = from; at < to; at++) {
        const mask = keep === null ? 0 : keep[at & 63] ?? 0;
        const there = at - shift;
        if (there < 0 || there >= read.length) continue;
        const found = whole?.[there] ?? received[at] ?? 0;
        read[there] = ((read[there] ?? 0) & mask) | (found & ~mask);
      }
    }
    return crc32(read) === txCheck;
  }

  /** A frame as it was expected; `null` if that needs a transformation. */
  #frameOf(sequence: number): Uint8Array | null {
    const { pattern, frameOf } = this.#context;
    if (frameOf !== undefined) return null;
    return wholeFrame(pattern, sequence, this.#length);
  }

  /**
   * Whether the core wrote what the CPU sees, but without these differences, and perhaps without the
   * parts that the block held before.
   */
  #explainsWritten(set: readonly Difference[], all: readonly Difference[]): boolean {
    const { expected, received, rxCheck } = this.#frame;
    const written = received.slice(0, this.#end);
    for (const { from, to, shift, keep } of set) {
      for (let at = from; at < to; at++) {
        const mask = keep === null ? 0 : keep[at & 63] ?? 0;
        written[at] = ((written[at] ?? 0) & mask) | ((expected[at - shift] ?? 0) & ~mask);
      }
    }
    // a bit that was stuck in the core was stuck in the corrected parts, too
    for (const { from, to, stuck } of all) {
      if (stuck === undefined || set.some((difference) => difference.stuck === stuck)) continue;
      forceBits(written, stuck, from, Math.min(to, this.#end));
    }
    if (crc32(written) === rxCheck) return true;
    const unwritten = all.filter((difference) =>
      !set.includes(difference) && this.#isOld(difference)
    ).sort((a, b) => a.from - b.from);
    if (unwritten.length === 0) return false;
    let check = 0;
    let at = 0;
    for (const { from, to } of [...unwritten, { from: this.#end, to: this.#end }]) {
      check = crc32(written.subarray(at, from), check);
      at = to;
    }
    return check === rxCheck;
  }

  /** Whether the bytes are what the receive block held before. */
  #isOld({ type, source }: Difference): boolean {
    if (type !== "content") return false;
    if (source.kind === "poison") return true;
    const { rxHeld } = this.#context;
    return source.kind === "frame" && source.shift === 0 && source.sequence === rxHeld;
  }
}

/** Gives stuck bits their value in every word of a range. */
function forceBits(bytes: Uint8Array, { bits, width }: StuckBits, from: number, to: number): void {
  for (const { bit, value } of bits) {
    const mask = 1 << (bit & 7);
    const lane = bit >> 3;
    const first = lane + Math.max(0, Math.ceil((from - lane) / width)) * width;
    for (let at = first; at < to; at += width) {
      bytes[at] = value === 1 ? (bytes[at] ?? 0) | mask : (bytes[at] ?? 0) & ~mask;
    }
  }
}
