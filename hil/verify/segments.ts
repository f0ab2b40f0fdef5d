// SPDX-License-Identifier: MIT
/**
 * Splits a frame into segments: consecutive bytes of one source.
 *
 * @module
 */

import { findExchangedLanes } from "./byte_lanes.ts";
import { byteOf, type FrameSource, type Range, type Segment, type Source } from "./source.ts";
import type { Sources } from "./sources.ts";

/** A small difference between received bytes and the source around them. */
export interface Mismatch extends Range {
  /** The source of the bytes around the mismatch. */
  readonly source: Source;
}

/** A frame, split. */
export interface Split {
  /** Segments from start to end without a gap. Correct bytes are this frame with a shift of 0. */
  readonly segments: readonly Segment[];
  /** Small differences within the segments, from start to end. */
  readonly mismatches: readonly Mismatch[];
}

/** Bytes that must match before a source is taken for what follows. */
const STEADY = 16;
/** Longest difference that is taken for wrong bits when another source explains little more. */
const MAX_MISMATCH = 2;
/** Frames up to this length are compared with others even for a small difference. */
const SHORT = 64;
/** Segments and mismatches after which the rest of the frame counts as unknown. */
const MAX_PARTS = 1 << 16;
/** How far the end of a difference is searched for, bytes. */
const MAX_DIFFERENCE = 4096;
/** How often exchanged lanes are tried: this is slow where bytes hardly change. */
const MAX_LANE_TRIALS = 16;
/** Wrong bytes from which a segment of a known source is certain. */
const CERTAIN = 32;

/** The frame that is split. */
interface Frame {
  readonly sequence: number;
  readonly expected: Uint8Array;
  readonly received: Uint8Array;
}

/**
 * Splits a frame into segments.
 *
 * @param sources The sources that its bytes can have come from
 * @param frame The expected and the received bytes
 * @param end Where the bytes that were moved end
 * @returns The segments and the mismatches within them
 */
export function splitFrame(sources: Sources, frame: Frame, end: number): Split {
  return new Splitter(sources, frame, end).split();
}

/** What begins at a byte that does not match this frame as it is displaced so far. */
type Next =
  /** A displaced frame that continues in its place. */
  | { readonly state: "in place" }
  /** Bytes of another source, or of this frame with another displacement. */
  | { readonly state: "segment"; readonly segment: Segment }
  /** A few wrong bits. */
  | { readonly state: "bits"; readonly mismatches: readonly Mismatch[]; readonly to: number }
  /** Bytes of no known source up to `to`, where `then` begins if that is known. */
  | { readonly state: "unknown"; readonly to: number; readonly then: Segment | null };

/** Goes through a frame from start to end. */
class Splitter {
  readonly #sources: Sources;
  readonly #frame: Frame;
  readonly #end: number;
  readonly #segments: Segment[] = [];
  readonly #mismatches: Mismatch[] = [];
  /** This frame, displaced as it is at the current byte. */
  #current: FrameSource;
  /** Where the segment of the current source begins. */
  #start = 0;
  /** The current byte. */
  #at = 0;
  #laneTrials = 0;

  constructor(sources: Sources, frame: Frame, end: number) {
    this.#sources = sources;
    this.#frame = frame;
    this.#end = end;
    this.#current = this.#displacedBy(0);
  }

  split(): Split {
    while (this.#skipMatching()) {
      if (this.#segments.length + this.#mismatches.length >= MAX_PARTS) {
        this.#close(this.#at);
        this.#addUnknown(this.#at, this.#end);
        this.#start = this.#end;
        break;
      }
      this.#take(this.#next());
    }
    this.#close(this.#end);
    const mismatches = this.#mismatches.sort((a, b) => a.from - b.from);
    return { segments: this.#segments, mismatches };
  }

  /** Moves to the next byte that does not match the current source; returns whether there is one. */
  #skipMatching(): boolean {
    const bytes = this.#sources.bytesOf(this.#current);
    while (this.#at < this.#end && this.#sources.matches(bytes, this.#at)) this.#at++;
    return this.#at < this.#end;
  }

  /** Decides what begins at the current byte. */
  #next(): Next {
    const [at, end] = [this.#at, this.#end];
    const { shift } = this.#current;
    if (shift !== 0 && this.#sources.covers(this.#displacedBy(0), at, Math.min(at + STEADY, end))) {
      return { state: "in place" };
    }
    const to = this.#differenceEnd();
    const small = to - at <= MAX_MISMATCH;
    const bits = small ? this.#wrongBits(to) : null;
    let segment = this.#sources.explain(at, end, shift, bits === null || end <= SHORT);
    if ((segment === null || segment.wrong < CERTAIN) && this.#laneTrials++ < MAX_LANE_TRIALS) {
      const lanes = findExchangedLanes(this.#frame, at, end, this.#sources.keep, shift);
      if (lanes !== null && lanes.wrong > (segment?.wrong ?? 0)) segment = lanes;
    }
    if (segment !== null) {
      const explainsLittle = small && segment.wrong < 2 * (to - at);
      if (!explainsLittle || this.#isWhole(segment.source)) return { state: "segment", segment };
    }
    const mismatches = bits ?? this.#wrongBits(to);
    if (mismatches !== null) return { state: "bits", mismatches, to };
    const then = this.#nextKnown(to);
    return { state: "unknown", to: then?.from ?? to, then };
  }

  /** Adds what begins at the current byte, and moves to its end. */
  #take(next: Next): void {
    switch (next.state) {
      case "in place":
        this.#close(this.#at);
        this.#start = this.#at;
        this.#current = this.#displacedBy(0);
        break;
      case "segment":
        this.#takeSegment(next.segment);
        break;
      case "bits":
        for (const mismatch of next.mismatches) this.#mismatches.push(mismatch);
        this.#at = next.to;
        break;
      case "unknown":
        this.#takeUnknown(next.to);
        if (next.then !== null) this.#takeSegment(next.then);
        break;
    }
  }

  #takeSegment(segment: Segment): void {
    const { from, to, source } = segment;
    this.#close(from);
    for (const mismatch of segment.mismatches) this.#mismatches.push({ ...mismatch, source });
    this.#at = to;
    if (source.kind === "frame" && source.sequence === this.#frame.sequence) {
      this.#current = source;
      this.#start = from;
    } else {
      this.#segments.push(segment);
      this.#start = to;
    }
  }

  #takeUnknown(to: number): void {
    const before = this.#segments.at(-1);
    const joins = before?.source.kind === "unknown" && before.to === this.#start &&
      this.#at - this.#start < STEADY;
    // a few bytes that are correct by chance do not divide unknown ones
    if (joins) {
      this.#segments.pop();
      this.#addUnknown(before.from, to);
    } else {
      this.#close(this.#at);
      this.#addUnknown(this.#at, to);
    }
    this.#start = this.#at = to;
  }

  /** Ends the segment of the current source, if it has any bytes. */
  #close(to: number): void {
    if (to <= this.#start) return;
    const source = this.#current;
    this.#segments.push({ from: this.#start, to, source, wrong: 0, mismatches: [] });
  }

  #addUnknown(from: number, to: number): void {
    const source = { kind: "unknown" } as const;
    this.#segments.push({ from, to, source, wrong: to - from, mismatches: [] });
  }

  #displacedBy(shift: number): FrameSource {
    return { kind: "frame", sequence: this.#frame.sequence, shift };
  }

  /** Whether a short frame comes from a source entirely, and not by a single wrong bit of one byte. */
  #isWhole(source: Source): boolean {
    const { expected, received } = this.#frame;
    const bits = (expected[0] ?? 0) ^ (received[0] ?? 0);
    const couldBeBit = this.#end === 1 && (bits & (bits - 1)) === 0;
    return !couldBeBit && this.#sources.covers(source, 0, this.#end);
  }

  /** Where the current source matches again for a while. */
  #differenceEnd(): number {
    const bytes = this.#sources.bytesOf(this.#current);
    const limit = Math.min(this.#end, this.#at + MAX_DIFFERENCE);
    let to = this.#at + 1;
    for (let next = this.#at + 1; next < limit && next - to < STEADY; next++) {
      if (!this.#sources.matches(bytes, next)) to = next + 1;
    }
    return to;
  }

  /** The wrong bits from the current byte on, or `null` if more than two bits of a byte are wrong. */
  #wrongBits(to: number): Mismatch[] | null {
    const source = this.#current;
    const bytes = this.#sources.bytesOf(source);
    const mismatches: Mismatch[] = [];
    for (let at = this.#at; at < to; at++) {
      if (this.#sources.matches(bytes, at)) continue;
      const bits = (this.#frame.received[at] ?? 0) ^ (byteOf(bytes, at) ?? 0);
      const withoutLowest = bits & (bits - 1);
      if ((withoutLowest & (withoutLowest - 1)) !== 0) return null;
      mismatches.push({ from: at, to: at + 1, source });
    }
    return mismatches;
  }

  /** The next segment of a known source before an offset. */
  #nextKnown(before: number): Segment | null {
    const from = this.#at;
    for (let ahead = 4; from + ahead < before; ahead = Math.ceil(ahead * 1.25)) {
      const segment = this.#sources.explain(from + ahead, this.#end, this.#current.shift);
      if (segment === null) continue;
      const bytes = this.#sources.bytesOf(segment.source);
      let at = from + ahead;
      while (at > from + 1 && this.#sources.matches(bytes, at - 1)) at--;
      return { ...segment, from: at };
    }
    return null;
  }
}
