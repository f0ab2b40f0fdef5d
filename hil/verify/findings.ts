// SPDX-License-Identifier: MIT
/**
 * What happened to the bytes of a frame, before it has a name.
 *
 * @module
 */

import { findStuck, keepMask, type Stuck } from "./bits.ts";
import { plural } from "./alignment.ts";
import { cover, type Flaw } from "./cover.ts";
import type { Context, ReceivedFrame } from "./frame.ts";
import { byteOf, type Run, type Source, Sources } from "./sources.ts";
import { gatherLanes, gatherStuck } from "./wires.ts";

/** Bytes that are not alike by chance. */
const BEAT = 8;

/** What happened to some bytes, before it has a name. */
export interface Finding {
  /** First byte. */
  readonly from: number;
  /** Behind the last byte. */
  readonly to: number;
  /** What it is. */
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
  /** What else is to be said. */
  readonly text: string;
}

/** A frame, read. */
export interface Reading {
  /** What is wrong with it. */
  readonly findings: readonly Finding[];
  /** What its bytes can have come from. */
  readonly sources: Sources;
}

/**
 * Read a frame, with or without stuck bits: as it takes the fewest faults to explain it.
 *
 * @param frame The frame
 * @param context What is known besides
 * @param base Where it begins in its block, bytes
 * @param end Where the bytes that moved end
 * @returns What is wrong with it
 */
export function readFrame(
  frame: ReceivedFrame,
  context: Context,
  base: number,
  end: number,
): Reading {
  const plain = new Reader(frame, context, base, end, null).read();
  if (effort(plain.findings) < 2) return plain;
  const stuck = findStuck(frame, 0, end);
  if (stuck === null) return plain;
  const masked = new Reader(frame, context, base, end, stuck).read();
  return effort(masked.findings) < effort(plain.findings) ? masked : plain;
}

/** Reads a frame, leaving stuck bits out of account. */
class Reader {
  readonly #frame: ReceivedFrame;
  readonly #base: number;
  readonly #line: number;
  readonly #end: number;
  readonly #stuck: Stuck | null;
  readonly #sources: Sources;

  constructor(
    frame: ReceivedFrame,
    context: Context,
    base: number,
    end: number,
    stuck: Stuck | null,
  ) {
    const { sequence, expected, received } = frame;
    const { pattern, rxHeld, txHeld, frameOf = null, units } = context;
    this.#frame = frame;
    this.#base = base;
    this.#line = units?.cacheLine ?? 64;
    this.#end = end;
    this.#stuck = stuck;
    const keep = keepMask(stuck);
    const clear = (bytes: Uint8Array) =>
      stuck === null ? bytes : bytes.map((byte, at) => byte & (keep[at & 63] ?? 0xff));
    const held = [rxHeld, txHeld].filter((what) => what !== undefined);
    this.#sources = new Sources(
      { sequence, expected: clear(expected), received: clear(received) },
      { pattern, base, held, keep, frameOf },
    );
  }

  /** What happened to the bytes that moved. */
  read(): Reading {
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
    const unknownAt = (from: number) =>
      ({ source: { kind: "unknown" }, shift: shiftAt(from), by: 0 }) as const;
    for (const { from, to, text, width, bits } of stuck) {
      const known = { width, bits };
      const finding = { ...unknownAt(from), from, to, keep: keepMask(known), stuck: known, text };
      findings.push({ ...finding, what: "stuck" });
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
      findings.push({ ...unknownAt(from), from, to, what: "lanes", keep: null, text });
    }
    // at the edges of a displaced frame a byte or two of something else may look like bits
    const displaced = findings.filter(({ what }) => what === "displaced" || what === "shifted");
    const atEdge = (flaw: Flaw) =>
      displaced.some(({ from, to, by, shift }) =>
        by > 0
          ? flaw.from >= from && flaw.to <= from + by
          : to >= this.#end && flaw.from >= this.#end + shift
      );
    for (const flaw of rest) {
      if (!taken.has(flaw) && !atEdge(flaw)) findings.push(this.#flaw(flaw, shiftAt(flaw.from)));
    }
    findings.push(...this.#stuckBits());
    return {
      findings: findings.filter((finding) => !taken.has(finding)),
      sources: this.#sources,
    };
  }

  /** The bits that are stuck all over the frame, and from where to where they show. */
  #stuckBits(): Finding[] {
    if (this.#stuck === null) return [];
    const { expected, received } = this.#frame;
    const { bits, width } = this.#stuck;
    return bits.map((bit) => {
      const stuck = { width, bits: [bit] };
      const keep = keepMask(stuck);
      const differs = (at: number) =>
        (((expected[at] ?? 0) ^ (received[at] ?? 0)) & ~(keep[at & 63] ?? 0)) !== 0;
      let [from, to] = [0, this.#end];
      while (from < to && !differs(from)) from++;
      while (to > from && !differs(to - 1)) to--;
      const text = `bit ${bit.bit} of every ${8 * width}-bit word is ${bit.value}`;
      const source = { kind: "unknown" } as const;
      return { from, to, what: "stuck", source, shift: 0, by: 0, keep, stuck, text };
    });
  }

  /** A small difference: bits, or bytes that nobody knows. */
  #flaw({ from, to, source }: Flaw, shift: number): Finding {
    const place = this.#sources.place(source);
    const { received } = this.#frame;
    let bits = 0;
    const named: string[] = [];
    for (let at = from; at < to; at++) {
      for (
        let x = (received[at] ?? 0) ^ (byteOf(place, at) ?? 0);
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
    const { sequence, moved, expected } = this.#frame;
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
      const text = `${plural(to - second.from)} at ${from} and ${apart} further on changed places`;
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
        const whole = piece.from === 0 && moved === expected.length;
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
      for (const unit of [BEAT, this.#line]) {
        const before = Math.max(0, from - (this.#base + from) % unit);
        if (from - before < BEAT && this.#sources.covers(source, before, from)) from = before;
        const behind = Math.min(this.#end, to + (unit - (this.#base + to) % unit) % unit);
        if (behind - to < BEAT && this.#sources.covers(source, to, behind)) to = behind;
      }
    }
    const what = source.kind === "lanes" ? "lanes" : "content";
    return { from, to, what, source, shift, by: 0, keep: null, text: "" };
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
