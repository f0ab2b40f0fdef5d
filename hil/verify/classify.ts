// SPDX-License-Identifier: MIT
/**
 * Names what is wrong with a received frame, and lays it on one part of the path.
 *
 * The frame is cut into pieces by where their bytes come from (`cover.ts`, `sources.ts`): this frame in its
 * place or displaced, another frame, poison, one and the same byte, this frame with its byte lanes mixed
 * up, or nothing known. What then differs still is single bits. Each piece that is not right is a fault.
 *
 * Blame comes from check values. The core computes a CRC-32 over what it read and over what it wrote;
 * held against the CRC-32 of what was sent and of what the CPU sees, each pair that differs is a place
 * where data changed: before the core (`tx`), in it (`core`), or after it (`rx`). When there are several, those
 * faults are laid on `tx` that make up the first check value when put into what was sent, and those on
 * `rx` that make up the second when taken out of what the CPU sees. Without check values the shape has to
 * do: caches hold whole lines of what a block held before, and displace nothing.
 *
 * @module
 */

import { crc32 } from "node:zlib";
import type { Pattern } from "../patterns/pattern.ts";
import type { Blame, Fault, FaultKind } from "../results.ts";
import { type Alignment, alignmentOf, extentText, type Units } from "./alignment.ts";
import { findStuck, keepMask, type Stuck } from "./bits.ts";
import { cover, type Flaw } from "./cover.ts";
import type { FaultHistory } from "./history.ts";
import { type Held, type Run, type Source, Sources } from "./sources.ts";
import { gatherLanes, gatherStuck } from "./wires.ts";

export type { Alignment, Units } from "./alignment.ts";
export { FaultHistory } from "./history.ts";
export type { Held } from "./sources.ts";

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
  /** What was sent, when the design transforms; what was due when left out. */
  readonly sent?: Uint8Array;
  /** Guard zones, whether they changed or not. */
  readonly guards?: readonly Guard[];
}

/** A range of the block outside of the frame that nobody should write. */
export interface Guard {
  /** Where it begins, from the start of the frame; negative before it. */
  readonly offset: number;
  /** What it held. */
  readonly expected: Uint8Array;
  /** What it holds, as many bytes. */
  readonly received: Uint8Array;
}

/** What is known of a run besides the frame. */
export interface Context {
  /** The pattern that made the frame. */
  readonly pattern: Pattern;
  /** Where the frame begins in its receive block, bytes; one cache line when left out. */
  readonly base?: number;
  /** The board's units. */
  readonly units?: Units;
  /** What the receive block held there before: the frame that used it last, or what primed it. */
  readonly rxHeld?: Held;
  /** What the transmit block held there before. */
  readonly txHeld?: Held;
  /** What is due for another frame, when the design transforms; the pattern's own when left out. */
  readonly frameOf?: (sequence: number) => Uint8Array;
  /** Faults of the frames before, for those that take several frames to be named. */
  readonly history?: FaultHistory;
}

/** A fault with the unit that it is made of. */
export interface NamedFault extends Fault {
  /** The largest unit of memory or bus of which its extent consists. */
  readonly alignment: Alignment;
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

/** Bytes that are not alike by chance. */
const BEAT = 8;
/** Faults of one frame that are told one by one; further ones are told together. */
const MOST_FAULTS = 16;
/** Wrong bits of a frame that can each be one that is stuck over several frames. */
const FEW = 4;
/** Bytes of check values that may be computed to lay faults of one frame on several stages. */
const CHECKED = 64 * 2 ** 20;

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
 * Name what is wrong with a frame. Takes time in proportion to its length, whatever it holds.
 *
 * What cannot be told: in a pattern whose frames are alike, one frame from another; without check values,
 * old data that the core did not replace from old data in a cache, unless it is less than a line; in
 * frames of a few bytes, one bit flipped from another frame that differs by one bit. A frame that the
 * core lost and one swapped with the next look alike until the next has come: give a
 * {@linkcode FaultHistory}, and let it settle the faults in the end.
 *
 * @param frame The frame, with at least one byte wrong or missing, in it or in its guards
 * @param context What is known besides
 * @returns The faults, at least one, in the order of their offsets
 */
export function classify(frame: ReceivedFrame, context: Context): NamedFault[] {
  return new Case(frame, context).faults();
}

/** What happened to some bytes, before it has a name. */
interface Finding {
  readonly from: number;
  readonly to: number;
  readonly what: "content" | "displaced" | "shifted" | "exchanged" | "bits" | "stuck" | "lanes";
  /** Where the bytes come from. */
  readonly source: Source;
  /** What they would be without this: this frame, displaced by so many bytes. */
  readonly shift: number;
  /** For displaced: bytes lost (negative) or surplus (positive). */
  readonly by: number;
  /** Bits that it leaves alone, by byte modulo 64; null when it concerns whole bytes. */
  readonly keep: Uint8Array | null;
  /** For stuck: which bits. */
  readonly stuck?: Stuck;
  readonly text: string;
}

type Stage = Blame;

/** One frame on trial. */
class Case {
  readonly #frame: ReceivedFrame;
  readonly #context: Context;
  #sources: Sources;
  #findings: readonly Finding[];
  readonly #seen: Sightings;
  readonly #end: number;
  readonly #length: number;
  readonly #base: number;
  readonly #units: Units;

  constructor(frame: ReceivedFrame, context: Context) {
    this.#frame = frame;
    this.#context = context;
    this.#units = context.units ?? {};
    this.#base = context.base ?? this.#units.cacheLine ?? 64;
    this.#length = frame.expected.length;
    this.#end = Math.max(0, Math.min(frame.moved, this.#length));
    this.#seen = sight(frame);
    this.#sources = this.#sourcesBut(null);
    this.#findings = this.#find(null);
    if (effort(this.#findings) < 2) return;
    const stuck = findStuck(frame, 0, this.#end);
    if (stuck === null) return;
    // the explanation that needs the fewest faults
    const plain = this.#sources;
    this.#sources = this.#sourcesBut(stuck);
    const findings = this.#find(stuck);
    if (effort(findings) < effort(this.#findings)) this.#findings = findings;
    else this.#sources = plain;
  }

  /** What bytes can have come from, leaving stuck bits out of account. */
  #sourcesBut(stuck: Stuck | null): Sources {
    const { sequence, expected, received } = this.#frame;
    const { pattern, rxHeld, txHeld, frameOf = null } = this.#context;
    const keep = keepMask(stuck);
    const clear = (bytes: Uint8Array) =>
      stuck === null ? bytes : bytes.map((byte, at) => byte & (keep[at & 63] ?? 0xff));
    return new Sources(
      { sequence, expected: clear(expected), received: clear(received) },
      {
        pattern,
        base: this.#base,
        held: [rxHeld, txHeld].filter((what) => what !== undefined),
        keep,
        frameOf,
      },
    );
  }

  faults(): NamedFault[] {
    const faults = this.#guards();
    const findings = this.#findings;
    const stages = this.#stages(findings);
    for (const [i, finding] of findings.entries()) {
      faults.push(this.#name(finding, stages[i] ?? null));
    }
    const short = this.#shortage(findings);
    if (short !== null) faults.push(short);
    if (faults.length === 0) faults.push(this.#unexplained());
    return this.#gather(faults.sort((a, b) => a.offset - b.offset));
  }

  /** Guards that changed. */
  #guards(): NamedFault[] {
    const faults: NamedFault[] = [];
    for (const { offset, expected, received } of this.#frame.guards ?? []) {
      let from = 0;
      while (from < expected.length && expected[from] === received[from]) from++;
      if (from === expected.length) continue;
      let to = expected.length;
      while (expected[to - 1] === received[to - 1]) to--;
      const side = offset < 0 ? "before" : "after";
      const where = `the guard ${side} the frame was written`;
      faults.push(this.#fault("overrun", offset + from, offset + to, "core", where));
    }
    const { moved } = this.#frame;
    if (moved > this.#length && faults.length === 0) {
      const text = `${moved} bytes are said to have moved, there was room for ${this.#length}`;
      faults.push(this.#fault("overrun", this.#length, moved, "driver", text));
    }
    return faults;
  }

  /** What happened to the bytes that moved. */
  #find(allStuck: Stuck | null): Finding[] {
    const { expected, received, sequence } = this.#frame;
    const { pieces, flaws } = cover(this.#sources, this.#frame, this.#end);
    const findings = this.#places(pieces, flaws);
    const shiftAt = (at: number): number => {
      let [low, high] = [0, pieces.length - 1];
      while (low < high) {
        const middle = (low + high) >> 1;
        if ((pieces[middle]?.to ?? 0) <= at) low = middle + 1;
        else high = middle;
      }
      const source = pieces[low]?.source;
      return source?.kind === "frame" && source.sequence === sequence ? source.shift : 0;
    };
    const stuck = gatherStuck(this.#frame, flaws);
    const isStuck = new Set(stuck.flatMap((group) => group.parts));
    const rest = flaws.filter((flaw) => !isStuck.has(flaw));
    for (const { from, to, text } of stuck) {
      const finding = {
        from,
        to,
        source: { kind: "unknown" },
        shift: shiftAt(from),
        by: 0,
      } as const;
      findings.push({ ...finding, what: "stuck", keep: null, text });
    }
    const unknown = findings.filter(({ what, source }) =>
      what === "content" && source.kind === "unknown"
    );
    const lanes = gatherLanes(
      (at) => received[at] === expected[at - shiftAt(at)],
      [...rest, ...unknown],
    );
    const taken = new Set<Flaw | Finding>(lanes.flatMap((group) => group.parts));
    for (const { from, to, text } of lanes) {
      const finding = {
        from,
        to,
        source: { kind: "unknown" },
        shift: shiftAt(from),
        by: 0,
      } as const;
      findings.push({ ...finding, what: "lanes", keep: null, text });
    }
    for (const flaw of rest) {
      if (!taken.has(flaw)) findings.push(this.#flaw(flaw, shiftAt(flaw.from)));
    }
    if (allStuck !== null) {
      const { bits, width } = allStuck;
      for (const { bit, value } of bits) {
        const stuck = { width, bits: [{ bit, value }] };
        const one = keepMask(stuck);
        const differs = (at: number) =>
          (((expected[at] ?? 0) ^ (received[at] ?? 0)) & ~(one[at & 63] ?? 0)) !== 0;
        let from = 0;
        while (from < this.#end && !differs(from)) from++;
        let to = this.#end;
        while (to > from && !differs(to - 1)) to--;
        const text = `bit ${bit} of every ${8 * width}-bit word is ${value}`;
        const source = { kind: "unknown" } as const;
        findings.push({ from, to, what: "stuck", source, shift: 0, by: 0, keep: one, stuck, text });
      }
    }
    return findings.filter((finding) => !taken.has(finding));
  }

  /** A small difference: bits, or bytes that nobody knows. */
  #flaw({ from, to, source }: Flaw, shift: number): Finding {
    const place = this.#sources.place(source);
    const { received } = this.#frame;
    let bits = 0;
    const named: string[] = [];
    for (let at = from; at < to; at++) {
      for (
        let x = (received[at] ?? 0) ^ (place.bytes[at - place.delta] ?? 0);
        x !== 0;
        x &= x - 1
      ) {
        bits++;
        named.push(`bit ${31 - Math.clz32(x & -x)} of byte ${at}`);
      }
    }
    const what = bits <= 2 * (to - from) ? "bits" : "content";
    const text = bits === 1 ? `${named[0]} is wrong` : `${bits} bits wrong: ${named.slice(0, 4)}`;
    return { from, to, what, source: { kind: "unknown" }, shift, by: 0, keep: null, text };
  }

  /** Read the pieces from start to end: what is in the place of what, and where the frame is displaced. */
  #places(pieces: readonly Run[], flaws: readonly Flaw[]): Finding[] {
    const { sequence, moved } = this.#frame;
    const findings: Finding[] = [];
    const common = { by: 0, keep: null, text: "" } as const;
    let shift = 0;
    let hole: Run | null = null; // directly before, in the place of the frame's own bytes
    let open: { from: number; by: number; what: "displaced" | "shifted" } | null = null;
    const exchanged = exchanges(pieces, sequence);
    for (const [first, second] of exchanged) {
      const { from } = first;
      const { to } = second;
      const apart = second.from - from;
      const text = `${
        bytesText(to - second.from)
      } at ${from} and ${apart} further on changed places`;
      const { source } = first;
      findings.push({ ...common, from, to, what: "exchanged", source, shift: 0, text });
    }
    const inPlace = new Set(exchanged.flat());
    const close = (to: number) => {
      if (open === null) return;
      const { from, by, what } = open;
      const source = { kind: "frame", sequence, shift } as const;
      findings.push({ ...common, from, to, what, source, shift, by });
      open = null;
    };
    for (const piece of pieces) {
      const { source } = piece;
      if (inPlace.has(piece)) continue;
      if (source.kind !== "frame" || source.sequence !== sequence) {
        if (hole !== null) findings.push(this.#content(hole, shift));
        hole = piece;
        continue;
      }
      const by = source.shift - shift;
      if (by === 0) {
        if (hole !== null) findings.push(this.#content(hole, shift));
      } else {
        // what a frame that comes late leaves free holds something else, of which a byte or two may look
        // like bits that are wrong
        const filled = by < 0
          ? undefined
          : hole === null
          ? flaws.find(({ from, to }) => from >= piece.from - by && to <= piece.from)
          : hole.to - hole.from <= by
          ? hole
          : undefined;
        if (hole !== null && filled === undefined) findings.push(this.#content(hole, shift));
        const from = filled?.from ?? piece.from;
        // the same bytes again and again, or some lost after others, are one displacement
        const before = open as { from: number; by: number; what: "displaced" | "shifted" } | null;
        const goesOn = before !== null && before.by * by > 0 && source.shift !== 0 &&
          filled === undefined && from - before.from <= Math.abs(before.by);
        if (goesOn) {
          open = { ...before, by: before.by + by };
          shift = source.shift;
          hole = null;
          continue;
        }
        close(from);
        shift = source.shift;
        const whole = piece.from === 0 && moved === this.#length;
        const what = filled !== undefined || whole ? "shifted" : "displaced";
        // where the frame is in its place again, nothing more is wrong
        if (shift === 0) findings.push({ ...common, from, to: from, what, source, shift, by });
        else open = { from, by, what };
      }
      hole = null;
    }
    const tail: Run | null = hole;
    const opened = open as { from: number; by: number; what: "displaced" | "shifted" } | null;
    if (tail !== null && opened !== null && shift < 0 && tail.to - tail.from <= -shift) {
      // the end of a frame that moved up was not written
      close(tail.to);
    } else {
      if (tail !== null) findings.push(this.#content(tail, shift));
      close(tail?.from ?? this.#end);
    }
    return findings;
  }

  /** A piece in the place of the frame's own bytes; to the edge of a word or line where that fits. */
  #content(run: Run, shift: number): Finding {
    const { source } = run;
    let { from, to } = run;
    if (source.kind !== "unknown" && source.kind !== "lanes") {
      for (const unit of [8, this.#units.cacheLine ?? 64]) {
        const before = Math.max(0, from - (this.#base + from) % unit);
        if (from - before < 8 && this.#sources.covers(source, before, from)) from = before;
        const behind = Math.min(this.#end, to + (unit - (this.#base + to) % unit) % unit);
        if (behind - to < 8 && this.#sources.covers(source, to, behind)) to = behind;
      }
    }
    const what = source.kind === "lanes" ? "lanes" : "content";
    return { from, to, what, source, shift, by: 0, keep: null, text: "" };
  }

  /** The bytes that did not move, unless those that were lost before account for them. */
  #shortage(findings: readonly Finding[]): NamedFault | null {
    const { moved } = this.#frame;
    if (moved >= this.#length) return null;
    const lost = findings.reduce((sum, { by }) => sum + Math.max(0, -by), 0);
    if (lost >= this.#length - moved) return null;
    const text = `${moved} of ${this.#length} bytes arrived`;
    // a block that holds what it is said to lack was written whole
    const own = { kind: "frame", sequence: this.#frame.sequence, shift: 0 } as const;
    const there = this.#length - moved >= BEAT && this.#sources.covers(own, moved, this.#length);
    return there
      ? this.#fault(
        "truncated",
        moved,
        this.#length,
        "driver",
        `${text}, it is said, and all are there`,
      )
      : this.#fault("truncated", moved, this.#length, "core", text);
  }

  /** Nothing in the bytes is wrong, and yet somebody thinks so. */
  #unexplained(): NamedFault {
    const text = "the bytes are right now: they were wrong when they were compared";
    return this.#fault("foreign", 0, this.#length, blameOf(this.#seen), text);
  }

  /** On which stage each finding is laid by the check values; null where they do not tell. */
  #stages(findings: readonly Finding[]): Stage[] {
    const { tx, core, rx } = this.#seen;
    const only = (stage: Stage) => findings.map(() => stage);
    if (tx === null && rx === null) return only(null);
    if (tx === true && core === false && rx === false) return only("tx");
    if (tx === false && core === true && rx === false) return only("core");
    if (tx === false && core === false && rx === true) return only("rx");
    if (this.#frame.sent !== undefined) return only(blameOf(this.#seen));
    const onTx = tx === true ? this.#chosen(findings, (set) => this.#readCheck(set)) : [];
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
  #likely({ what, source }: Finding, stages: readonly Stage[]): Stage {
    const { rxHeld, txHeld } = this.#context;
    const held = source.kind === "frame" ? source.sequence : source.kind;
    const asks: Stage[] = [];
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
  #readCheck(set: readonly Finding[]): boolean {
    const { expected, received, txCheck } = this.#frame;
    const read = expected.slice();
    for (const { from, to, shift, keep } of set) {
      for (let at = from; at < to; at++) {
        const mask = keep === null ? 0 : keep[at & 63] ?? 0;
        const there = at - shift;
        if (there < 0 || there >= read.length) continue;
        read[there] = ((read[there] ?? 0) & mask) | ((received[at] ?? 0) & ~mask);
      }
    }
    return crc32(read) === txCheck;
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
      for (const { bit, value } of stuck.bits) {
        const mask = 1 << (bit & 7);
        for (let at = bit >> 3; at < this.#end; at += stuck.width) {
          if (at < from || at >= to) continue;
          written[at] = value === 1 ? (written[at] ?? 0) | mask : (written[at] ?? 0) & ~mask;
        }
      }
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

  #name(finding: Finding, stage: Stage): NamedFault {
    const { from, to, what, by, text } = finding;
    switch (what) {
      case "bits":
        return this.#fault("bit-flip", from, to, stage, text, finding);
      case "stuck":
        return this.#fault("stuck-bit", from, to, stage, text);
      case "lanes":
        return this.#fault("byte-lanes", from, to, stage, text || lanesText(finding.source));
      case "exchanged":
        return this.#fault("swapped", from, to, stage, text);
      case "shifted": {
        const way = by > 0 ? "late" : "early";
        const told = `holds this frame ${bytesText(by)} too ${way}`;
        return this.#fault("shifted", from, to, stage ?? "core", told);
      }
      case "displaced": {
        const told = by < 0
          ? `${bytesText(by)} lost: what follows comes early`
          : `${bytesText(by)} twice: what follows comes late`;
        // the last of several displacements may end where the frame is in its place again
        const end = Math.max(to, Math.min(from + Math.abs(by), this.#end));
        return this.#fault(by < 0 ? "lost" : "duplicated", from, end, stage ?? "core", told);
      }
      default:
        return this.#contentFault(finding, stage);
    }
  }

  /** Bytes of something else in the place of the frame's own. */
  #contentFault({ from, to, source }: Finding, stage: Stage): NamedFault {
    const { sequence, moved, rxCheck } = this.#frame;
    const { rxHeld, txHeld } = this.#context;
    const other = source.kind === "frame" ? source.sequence : null;
    const whole = moved >= this.#length && this.#findings.length === 1 &&
      this.#sources.covers(source, 0, this.#length);
    if (whole) [from, to] = [0, this.#length];
    const inPlace = source.kind !== "frame" || source.shift === 0;
    const isPoison = source.kind === "poison";
    const isZero = source.kind === "constant" && source.value === 0;
    const is = (held: Held | undefined) =>
      inPlace && held !== undefined &&
      (held === other || (held === "poison" && isPoison) || (held === "zeros" && isZero));
    const old = isPoison || is(rxHeld) || is(txHeld) || (other !== null && other < sequence);
    const lines = this.#wholeLines(from, to);
    const told = `holds ${sourceText(source, sequence)}`;
    const make = (kind: FaultKind, blame: Blame, why: string) =>
      this.#fault(kind, from, to, blame, why === "" ? told : `${told}: ${why}`);
    const moving = whole && other !== null
      ? (blame: Blame) => this.#moved(make, other, blame)
      : null;

    if (stage === "tx") {
      const known = txHeld === undefined || is(txHeld);
      if (moving !== null && !is(txHeld)) return moving(stage);
      if (isZero || isPoison || (old && (known || lines))) {
        return make("stale-tx", stage, "old data that the core read");
      }
      if (other !== null) return make("torn", stage, "another frame's data that the core read");
      if (lines) return make("stale-tx", stage, "whole cache lines that the core read");
      return make("foreign", stage, "");
    }
    if (stage === "rx") {
      if (whole && rxCheck === 0) return make("not-written", "core", "the core wrote nothing");
      const known = rxHeld === undefined || is(rxHeld);
      if (isZero || isPoison || (old && known)) {
        if (lines) return make("stale-rx", stage, "a stale cache line on the CPU side");
        const edge = from === 0 || to >= this.#end;
        if (edge && other !== null) {
          return make("torn", stage, "the rest of the frame was not written");
        }
        return make("not-written", stage, "less than a cache line, so no cache did it");
      }
      if (moving !== null) return moving(stage);
      if (other !== null) return make("torn", stage, "another frame's data behind the core");
      if (lines && source.kind === "unknown") return make("stale-rx", stage, "a stale cache line");
      return make("foreign", stage, "");
    }
    const written = this.#seen.rx === false;
    if (stage === "core") {
      if (
        (isPoison && inPlace) || (is(rxHeld) && !(whole && written)) || (whole && old && !written)
      ) {
        return make("not-written", stage, "what was there before the core wrote");
      }
      if (moving !== null) return moving(stage);
      if (other !== null) return make("torn", stage, "another frame's data");
      return make("foreign", stage, "");
    }
    // no check values
    if (whole && (isPoison || is(rxHeld))) {
      return make("not-written", null, "not written, or old data in a cache");
    }
    if (is(rxHeld) || isPoison) {
      if (!lines) return make("not-written", "core", "less than a cache line, so no cache did it");
      if (isPoison) return make("not-written", null, "not written, or old data in a cache");
      const sure = !is(txHeld);
      return make("stale-rx", sure ? "rx" : null, "what the receive block held before");
    }
    if (is(txHeld) && (lines || whole)) {
      return make("stale-tx", "tx", "what the transmit block held before");
    }
    if (moving !== null) return moving(null);
    return make(
      other !== null ? "torn" : "foreign",
      null,
      other !== null ? "another frame's data" : "",
    );
  }

  /** A whole frame in the place of another: which of several things it is, later frames tell. */
  #moved(
    make: (kind: FaultKind, blame: Blame, why: string) => NamedFault,
    found: number,
    blame: Blame,
  ): NamedFault {
    const late = found < this.#frame.sequence;
    const fault = late
      // which of the two it is, the block's history would say
      ? make(blame === "tx" ? "stale-tx" : "duplicated", blame, "it came again")
      : make("swapped", blame, "it came before the frame that was due");
    this.#context.history?.moved(fault, this.#frame.sequence, found);
    return fault;
  }

  /** Whether both edges are edges of cache lines, or of the frame. */
  #wholeLines(from: number, to: number): boolean {
    const line = this.#units.cacheLine ?? 64;
    const on = (edge: number) => (this.#base + edge) % line === 0;
    return (from === 0 || on(from)) && (to >= this.#end || on(to));
  }

  #fault(
    kind: FaultKind,
    from: number,
    to: number,
    blame: Blame,
    text: string,
    bits: Finding | null = null,
  ): NamedFault {
    const units = this.#units;
    const alignment = alignmentOf(from, to, this.#length, this.#base, units);
    const detail = `${extentText(from, to, alignment, units)}: ${text}${this.#evidence(blame)}`;
    const { sequence } = this.#frame;
    const fault = {
      kind,
      frame: sequence,
      offset: from,
      length: to - from,
      blame,
      detail,
      alignment,
    };
    if (bits !== null && this.#findings.length <= FEW) {
      this.#context.history?.flipped(fault, this.#frame, from, to);
    }
    return fault;
  }

  /** What the check values say for a blame. */
  #evidence(blame: Blame): string {
    const { tx, rx } = this.#seen;
    if (blame === "tx" && tx === true) {
      return "; the core's check value is not that of what was sent";
    }
    if (blame === "rx" && rx === true && tx === false) {
      return "; the core's check value matches what was sent";
    }
    if (blame === "core" && tx === false) return "; the core read what was sent";
    return "";
  }

  /** So many faults one by one; the rest of a kind together. */
  #gather(faults: NamedFault[]): NamedFault[] {
    if (faults.length <= MOST_FAULTS) return faults;
    const groups = new Map<string, NamedFault[]>();
    for (const fault of faults) {
      const key = `${fault.kind} ${fault.blame}`;
      const group = groups.get(key);
      if (group === undefined) groups.set(key, [fault]);
      else group.push(fault);
    }
    return [...groups.values()].map((group) => {
      const [first] = group as [NamedFault];
      if (group.length === 1) return first;
      const to = group.reduce((most, { offset, length }) => Math.max(most, offset + length), 0);
      const detail = `in ${group.length} places, the first: ${first.detail}`;
      return { ...first, length: to - first.offset, detail, alignment: null };
    });
  }
}

/** Pairs of pieces of a frame that lie in each other's place. */
function exchanges(pieces: readonly Run[], sequence: number): (readonly [Run, Run])[] {
  const own = pieces.filter(({ source }) =>
    source.kind === "frame" && source.sequence === sequence && source.shift !== 0
  );
  const pairs: (readonly [Run, Run])[] = [];
  for (const [i, first] of own.entries()) {
    const second = own[i + 1];
    if (second === undefined || pairs.at(-1)?.[1] === first) continue;
    const shifts = [first, second].map(({ source }) => source.kind === "frame" ? source.shift : 0);
    const [a = 0, b = 0] = shifts;
    const [m, n] = [first.to - first.from, second.to - second.from];
    // edges may be alike by chance
    const close = Math.abs(second.from - first.from - b) < BEAT && Math.abs(m - n) < BEAT;
    if (a === -b && b > 0 && m < b + BEAT && close) pairs.push([first, second]);
  }
  return pairs;
}

/** How much it takes to explain a frame by these: bytes of no known source are the dearest. */
function effort(findings: readonly Finding[]): number {
  return findings.reduce((sum, { what, source, from, to }) => {
    return sum + 1 + (what === "content" && source.kind === "unknown" ? (to - from) / 8 : 0);
  }, 0);
}

/** The first place where data changed. */
function blameOf({ tx, core, rx }: Sightings): Blame {
  if (tx === true) return "tx";
  if (core === true) return "core";
  if (rx === true) return "rx";
  return null;
}

function bytesText(by: number): string {
  const count = Math.abs(by);
  return count === 1 ? "1 byte" : `${count} bytes`;
}

function sourceText(source: Source, sequence: number): string {
  switch (source.kind) {
    case "frame": {
      const away = sequence - source.sequence;
      if (away === 0) return `this frame, ${bytesText(source.shift)} displaced`;
      const count = Math.abs(away) === 1 ? "1 frame" : `${Math.abs(away)} frames`;
      const where = source.shift === 0 ? "" : `, ${bytesText(source.shift)} displaced`;
      return `frame ${source.sequence}, ${count} ${away > 0 ? "old" : "ahead"}${where}`;
    }
    case "poison":
      return "poison, which no frame has replaced yet";
    case "constant":
      return `0x${source.value.toString(16).padStart(2, "0")} everywhere`;
    default:
      return "nothing that this run made";
  }
}

function lanesText(source: Source): string {
  if (source.kind !== "lanes") return "";
  const moved = source.map.map((from, lane) => [lane, from] as const).filter(([a, b]) => a !== b);
  const named = moved.slice(0, 8).map(([lane, from]) => `${lane} from ${from}`).join(", ");
  return `byte lanes of ${8 * source.width}-bit words mixed up: ${named}`;
}
