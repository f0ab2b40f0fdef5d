// SPDX-License-Identifier: MIT
/**
 * Who changed the data, by the check values of the core.
 *
 * The core computes a CRC-32 over what it read and over what it wrote; held against the CRC-32 of what was
 * sent and of what the CPU sees, each pair that differs is a place where data changed: before the core
 * (`tx`), in it (`core`), or after it (`rx`). When there are several, those faults are laid on `tx` that make
 * up the first check value when put into what was sent, and those on `rx` that make up the second when
 * taken out of what the CPU sees.
 *
 * @module
 */

import { crc32 } from "node:zlib";
import type { Blame } from "./fault.ts";
import type { Stuck } from "./bits.ts";
import type { Finding } from "./findings.ts";
import type { Context, ReceivedFrame } from "./frame.ts";

/** Bytes of check values that may be computed for one frame. */
const CHECKED = 64 * 2 ** 20;

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
  const transforms = frame.sent !== undefined;
  const sent = crc32(frame.sent ?? expected);
  const seen = crc32(received.subarray(0, moved));
  const both = txCheck !== null && rxCheck !== null;
  return {
    tx: txCheck === null ? null : txCheck !== sent,
    // what a design that transforms should make of what it read is known only where that was right
    core: !both || (transforms && txCheck !== sent)
      ? null
      : rxCheck !== (transforms ? crc32(expected) : txCheck),
    rx: rxCheck === null ? null : rxCheck !== seen,
  };
}

/**
 * The first place where data changed.
 *
 * @param seen Where data were seen to change
 * @returns The part of the path
 */
export function blameOf({ tx, core, rx }: Sightings): Blame {
  if (tx === true) return "tx";
  if (core === true) return "core";
  if (rx === true) return "rx";
  return null;
}

/**
 * Lay each finding on a part of the path; null where the check values do not tell.
 *
 * @param findings What is wrong
 * @param frame The frame
 * @param context What is known besides
 * @param seen Where data were seen to change
 * @returns For each finding, whom to blame
 */
export function blamesOf(
  findings: readonly Finding[],
  frame: ReceivedFrame,
  context: Context,
  seen: Sightings,
): Blame[] {
  return new Court(frame, context, seen).blames(findings);
}

/** Weighs findings against the check values of their frame. */
class Court {
  readonly #frame: ReceivedFrame;
  readonly #context: Context;
  readonly #seen: Sightings;
  readonly #end: number;
  readonly #length: number;

  constructor(frame: ReceivedFrame, context: Context, seen: Sightings) {
    this.#frame = frame;
    this.#context = context;
    this.#seen = seen;
    this.#length = frame.expected.length;
    this.#end = Math.max(0, Math.min(frame.moved, this.#length));
  }

  blames(findings: readonly Finding[]): Blame[] {
    const { tx, core, rx } = this.#seen;
    const only = (stage: Blame) => findings.map(() => stage);
    if (tx === null && rx === null) return only(null);
    if (tx === true && core === false && rx === false) return only("tx");
    if (tx === false && core === true && rx === false) return only("core");
    if (tx === false && core === false && rx === true) return only("rx");
    if (this.#frame.sent !== undefined) return only(blameOf(this.#seen));
    const onTx = tx === true ? this.#chosen(findings, (set) => this.#readCheck(set, findings)) : [];
    const rest = findings.filter((finding) => !(onTx ?? []).includes(finding));
    const onRx = rx === true ? this.#chosen(rest, (set) => this.#writtenCheck(set, rest)) : [];
    return findings.map((finding) => {
      if (onTx?.includes(finding)) return "tx";
      if (onRx?.includes(finding)) return "rx";
      const open = [
        onTx === null || tx === null ? "tx" as const : null,
        core !== false ? "core" as const : null,
        // where nothing taken out of it makes what the core wrote, the core wrote less than is there
        rx === null || (onRx === null && core !== true) ? "rx" as const : null,
      ].filter((stage) => stage !== null);
      return open.length === 1 ? open[0] ?? null : this.#likely(finding, open);
    });
  }

  /** Of several stages, the one that the shape of a finding speaks for. */
  #likely({ what, source }: Finding, stages: readonly Blame[]): Blame {
    const { rxHeld, txHeld } = this.#context;
    const held = source.kind === "frame" ? source.sequence : source.kind;
    const asks: Blame[] = [];
    if (what === "displaced" || what === "shifted") asks.push("core");
    if (held === (rxHeld ?? "poison")) asks.push("rx");
    if (held === txHeld) asks.push("tx");
    return [...asks, "core" as const].find((stage) => stages.includes(stage)) ?? stages[0] ?? null;
  }

  /** The smallest set of findings for which a check value comes out; null when there is none. */
  #chosen(
    findings: readonly Finding[],
    check: (set: readonly Finding[]) => boolean,
  ): Finding[] | null {
    const can = findings.filter(({ what }) => what !== "displaced" && what !== "shifted");
    const most = Math.min(6, Math.floor(Math.log2(CHECKED / Math.max(1, this.#length))));
    if (can.length === 0 || can.length > most) return check(can) ? can : null;
    const sets = Array.from({ length: 2 ** can.length }, (_, set) => set);
    const size = (set: number) => set.toString(2).replaceAll("0", "").length;
    for (const set of sets.sort((a, b) => size(a) - size(b))) {
      const chosen = can.filter((_, i) => (set >> i) & 1);
      if (check(chosen)) return chosen;
    }
    return null;
  }

  /** Whether the core read what was sent but for these. */
  #readCheck(set: readonly Finding[], all: readonly Finding[]): boolean {
    const { expected, received, txCheck } = this.#frame;
    const read = expected.slice();
    // bits that got stuck behind it hide what was read
    const hidden = all.some((finding) => finding.stuck !== undefined && !set.includes(finding));
    // what was stuck in reading was so in every word, also where something else came in its place later
    for (const { stuck } of set) if (stuck !== undefined) holdBits(read, stuck, 0, read.length);
    for (const { from, to, shift, keep, stuck, source } of set) {
      if (stuck !== undefined) continue;
      const whole = hidden && source.kind === "frame" ? this.#frameOf(source.sequence) : null;
      for (let at = from; at < to; at++) {
        const mask = keep === null ? 0 : keep[at & 63] ?? 0;
        const there = at - shift;
        if (there < 0 || there >= read.length) continue;
        const found = whole?.[at - shift] ?? received[at] ?? 0;
        read[there] = ((read[there] ?? 0) & mask) | (found & ~mask);
      }
    }
    return crc32(read) === txCheck;
  }

  /** A frame as it was due; null where it takes a transformation to tell. */
  #frameOf(sequence: number): Uint8Array | null {
    const { pattern, frameOf } = this.#context;
    if (frameOf !== undefined) return null;
    const bytes = new Uint8Array(this.#length);
    pattern.write(bytes, sequence);
    return bytes;
  }

  /** Whether the core wrote what the CPU sees but for these, and perhaps not what is old besides. */
  #writtenCheck(set: readonly Finding[], all: readonly Finding[]): boolean {
    const { expected, received, rxCheck } = this.#frame;
    const written = received.slice(0, this.#end);
    for (const { from, to, shift, keep } of set) {
      for (let at = from; at < to; at++) {
        const mask = keep === null ? 0 : keep[at & 63] ?? 0;
        written[at] = ((written[at] ?? 0) & mask) | ((expected[at - shift] ?? 0) & ~mask);
      }
    }
    // what was stuck in the core was so there, too
    for (const { from, to, stuck } of all) {
      if (stuck === undefined || set.some((finding) => finding.stuck === stuck)) continue;
      holdBits(written, stuck, from, Math.min(to, this.#end));
    }
    if (crc32(written) === rxCheck) return true;
    const holes = all.filter((finding) => !set.includes(finding) && this.#isOld(finding));
    if (holes.length === 0) return false;
    let check = 0;
    let at = 0;
    for (
      const { from, to } of [...holes.sort((a, b) => a.from - b.from), null].map((hole) =>
        hole ?? { from: this.#end, to: this.#end }
      )
    ) {
      check = crc32(written.subarray(at, from), check);
      at = to;
    }
    return check === rxCheck;
  }

  /** Whether a piece holds what the receive block held before. */
  #isOld({ what, source }: Finding): boolean {
    if (what !== "content") return false;
    if (source.kind === "poison") return true;
    const { rxHeld } = this.#context;
    return source.kind === "frame" && source.shift === 0 && source.sequence === rxHeld;
  }
}

/** Give bits that are stuck their value in every word of a range. */
function holdBits(bytes: Uint8Array, { bits, width }: Stuck, from: number, to: number): void {
  for (const { bit, value } of bits) {
    const mask = 1 << (bit & 7);
    const lane = bit >> 3;
    for (
      let at = lane + Math.max(0, Math.ceil((from - lane) / width)) * width;
      at < to;
      at += width
    ) {
      bytes[at] = value === 1 ? (bytes[at] ?? 0) | mask : (bytes[at] ?? 0) & ~mask;
    }
  }
}
