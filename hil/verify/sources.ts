// SPDX-License-Identifier: MIT
/**
 * Finds where the bytes of a frame come from: this frame, in its place or displaced, another frame,
 * poison, or one byte that is repeated.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { type Pattern, wholeFrame } from "../patterns/pattern.ts";
import { SLOTS, TaggedPattern } from "../patterns/tagged.ts";
import { STEP } from "../patterns/tape.ts";
import { identify } from "../patterns/tags.ts";
import {
  byteOf,
  type FrameSource,
  type PreviousContent,
  type Range,
  type Segment,
  type Source,
  type SourceBytes,
} from "./source.ts";

/** Frames that are tried on either side of the expected one. */
const WINDOW = 64;
/** Size of the cache of other frames, bytes. */
const CACHE_SIZE = 1 << 25;
/** Frames that the cache holds at least, however long they are. */
const MIN_CACHED = 4;
/** The most other frames that are generated while one frame is classified. */
const MAX_GENERATED = 512;
const NO_BYTES = new Uint8Array(0);
/** Wrong bytes that a source must explain, unless it explains the whole frame. */
const MIN_EXPLAINED = 4;
/** Longest mismatch within a segment, and the bytes after it that must match again. */
const MAX_MISMATCH = 8;
const MIN_MATCHING = 12;
/** Bytes that are searched for elsewhere in the frame. */
const KEY = 16;
const WORD = 8;
/** How often a frame is searched, and how often all other frames are tried. */
const MAX_SEARCHES = 24;
const MAX_TRIALS = 256;
/** Displacements up to this are tried before other frames. */
const SMALL_SHIFT = 64;

/** A frame, and every source that its bytes are compared with. */
export class Sources {
  readonly #pattern: Pattern;
  readonly #sequence: number;
  readonly #expected: Uint8Array;
  readonly #received: Uint8Array;
  readonly #frameOf: ((sequence: number) => Uint8Array) | null;
  readonly #lengthOf: ((sequence: number) => number) | null;
  /** Masks of the bits that are compared, by byte modulo 64. Stuck bits are left out. */
  readonly keep: Uint8Array;
  readonly #masked: boolean;
  readonly #cache = new Map<number, Uint8Array>();
  readonly #cacheLimit: number;
  readonly #previous: readonly Source[];
  readonly #spoil: readonly (Uint8Array | undefined)[];
  readonly #others: Source[];
  #searches = 0;
  #trials = 0;
  #generated = 0;

  /**
   * @param frame The expected and the received bytes, of the same length
   * @param known The pattern; `base`, where the frame begins in its block; `previous`, what its blocks
   * held before; `spoil`, what the CPU stored into the transmit block after this frame's completion and
   * after that of the frame before; `keep`, masks of the bits that are compared; `lengthOf`, the lengths of
   * frames, `null` if all are as long as this one
   */
  constructor(
    frame: { sequence: number; expected: Uint8Array; received: Uint8Array },
    known: {
      pattern: Pattern;
      base: number;
      previous: readonly PreviousContent[];
      keep: Uint8Array;
      frameOf: ((sequence: number) => Uint8Array) | null;
      lengthOf: ((sequence: number) => number) | null;
      spoil: readonly (Uint8Array | undefined)[];
    },
  ) {
    this.#pattern = known.pattern;
    this.#sequence = frame.sequence;
    this.#expected = frame.expected;
    this.#received = frame.received;
    this.#frameOf = known.frameOf;
    this.#lengthOf = known.lengthOf;
    this.keep = known.keep;
    this.#masked = known.keep.some((bits) => bits !== 0xff);
    const poison: Source = { kind: "poison", base: known.base };
    this.#spoil = known.spoil;
    this.#previous = [
      ...known.spoil.flatMap((bytes, i) =>
        bytes === undefined ? [] : [{ kind: "spoil", old: i === 1 } as const]
      ),
      ...known.previous.map((content): Source => {
        if (typeof content === "number") return this.#frameSource(content);
        return content === "poison" ? poison : { kind: "constant", value: 0 };
      }),
      poison,
    ];
    this.#cacheLimit = Math.max(MIN_CACHED, Math.floor(CACHE_SIZE / frame.expected.length));
    const window = Math.min(WINDOW, this.#cacheLimit >> 2, known.pattern.period - 1);
    this.#others = [];
    for (let distance = 1; distance <= window; distance++) {
      if (frame.sequence >= distance) {
        this.#others.push(this.#frameSource(frame.sequence - distance));
      }
      this.#others.push(this.#frameSource(frame.sequence + distance));
    }
  }

  #frameSource(sequence: number): FrameSource {
    return { kind: "frame", sequence, shift: 0 };
  }

  /**
   * Whether the received byte is the one that a source has at the same offset.
   *
   * @param source The bytes of the source
   * @param at Offset of the byte
   * @returns Whether they are equal in all bits that are compared
   */
  matches(source: SourceBytes, at: number): boolean {
    const byte = byteOf(source, at);
    if (byte === undefined) return false;
    return (((this.#received[at] ?? 0) ^ byte) & (this.keep[at & 63] ?? 0xff)) === 0;
  }

  /**
   * Whether the received byte is the expected one.
   *
   * @param at Offset of the byte
   * @returns Whether they are equal in all bits that are compared
   */
  isCorrect(at: number): boolean {
    const difference = (this.#received[at] ?? 0) ^ (this.#expected[at] ?? 0);
    return (difference & (this.keep[at & 63] ?? 0xff)) === 0;
  }

  /**
   * Gets the bytes of a source.
   *
   * @param source The source
   * @returns Its bytes; empty if they are unknown
   */
  bytesOf(source: Source): SourceBytes {
    switch (source.kind) {
      case "frame": {
        const bytes = source.sequence === this.#sequence
          ? this.#expected
          : this.#frame(source.sequence);
        return { bytes, delta: source.shift, value: null };
      }
      case "poison": {
        const delta = Math.max(0, -source.base);
        const bytes = this.#pattern.poison(source.base + delta, this.#expected.length - delta);
        return { bytes, delta, value: null };
      }
      case "constant":
        return { bytes: NO_BYTES, delta: 0, value: source.value };
      case "spoil":
        return { bytes: this.#spoil[source.old ? 1 : 0] ?? NO_BYTES, delta: 0, value: null };
      default:
        return { bytes: NO_BYTES, delta: 0, value: null };
    }
  }

  /** Another frame; empty if too many others were generated before. */
  #frame(sequence: number): Uint8Array {
    let bytes = this.#cache.get(sequence);
    if (bytes === undefined) {
      if (this.#generated++ >= MAX_GENERATED) return NO_BYTES;
      bytes = this.#frameOf === null
        ? wholeFrame(this.#pattern, sequence, this.#expected.length)
        : this.#frameOf(sequence);
    }
    // the map keeps the order of insertion, so its first entry is the least recently used one
    this.#cache.delete(sequence);
    for (const oldest of this.#cache.keys()) {
      if (this.#cache.size < this.#cacheLimit) break;
      this.#cache.delete(oldest);
    }
    this.#cache.set(sequence, bytes);
    return bytes;
  }

  /**
   * Finds the source that explains most of the bytes that follow a wrong one.
   *
   * @param at Offset of the first wrong byte
   * @param end Where the bytes that were moved end
   * @param shift How far this frame is displaced there
   * @param others Whether to try frames that neither were in a block before nor are named by the words
   * @returns The segment, or `null` if no source explains enough
   */
  explain(at: number, end: number, shift: number, others = true): Segment | null {
    let best: Segment | null = null;
    const named = this.#namedByWords(at, end, shift);
    const displaced = this.#displaced(at, end);
    const consider = (sources: readonly Source[], toEnd = false) => {
      for (const source of sources) {
        const segment = this.#follow(source, at, end);
        if (segment === null || (toEnd && segment.to < end - SMALL_SHIFT)) continue;
        if (segment.wrong > (best?.wrong ?? 0)) best = segment;
      }
    };
    // a tie goes to the source that is tried first: the previous content of a block, a small displacement
    // of the rest of the frame, then other frames
    consider(this.#previous);
    consider(displaced.filter((source) => Math.abs(source.shift) <= SMALL_SHIFT), true);
    consider(named);
    if (others && this.#trials++ < MAX_TRIALS) consider(this.#others);
    consider(displaced);
    consider(this.#constantAt(at, end));
    const segment = best as Segment | null;
    if (segment === null || segment.wrong >= MIN_EXPLAINED) return segment;
    return this.covers(segment.source, 0, end) ? segment : null;
  }

  /**
   * Finds another frame that came in place of this one, of another length: it explains how many bytes were moved,
   * and all of them. The nearest frame wins.
   *
   * @param moved Bytes that were moved
   * @returns The frame, or `null` if there is none, or if the bytes that came are those of this frame
   */
  otherFrame(moved: number): FrameSource | null {
    const end = Math.min(moved, this.#expected.length);
    if (end === 0 || moved === this.#expected.length) return null;
    if (this.covers(this.#frameSource(this.#sequence), 0, end)) return null;
    return [...this.#others, ...this.#previous].find((source) =>
      this.hasLength(source, moved) && this.covers(source, 0, end)
    ) as FrameSource | undefined ?? null;
  }

  /**
   * Whether a source is a frame of some length.
   *
   * @param source The source
   * @param length Bytes
   * @returns False also if the frames of the run do not differ in length
   */
  hasLength(source: Source, length: number): boolean {
    return source.kind === "frame" && source.shift === 0 &&
      this.#lengthOf?.(source.sequence) === length;
  }

  /**
   * Whether a source explains every byte of a range.
   *
   * @param source The source
   * @param from Offset of the first byte
   * @param to Offset of the byte after the last one
   * @returns Whether all bytes match
   */
  covers(source: Source, from: number, to: number): boolean {
    const bytes = this.bytesOf(source);
    for (let at = from; at < to; at++) if (!this.matches(bytes, at)) return false;
    return true;
  }

  /** Follows a source from a byte on, past small mismatches. */
  #follow(source: Source, from: number, end: number): Segment | null {
    const bytes = this.bytesOf(source);
    const mismatches: Range[] = [];
    let wrong = 0;
    let at = from;
    let last = from; // after the last wrong byte that the source explains
    while (at < end) {
      if (this.matches(bytes, at)) {
        if (!this.isCorrect(at)) {
          wrong++;
          last = at + 1;
        }
        at++;
        continue;
      }
      // a mismatch needs enough explained bytes before it
      if (wrong < MIN_EXPLAINED) break;
      const next = this.#nextMatch(bytes, at, end);
      // and after it the source must explain bytes that nothing else explains
      if (next === null) break;
      mismatches.push({ from: at, to: next });
      at = next;
    }
    if (wrong === 0) return null;
    // correct bytes after the last wrong one belong to no segment, but a displaced frame continues
    const to = source.kind === "frame" && source.shift !== 0 ? at : last;
    return { from, to, source, wrong, mismatches: mismatches.filter((range) => range.to <= to) };
  }

  /** Where a source matches again after a mismatch and explains wrong bytes. */
  #nextMatch(source: SourceBytes, at: number, end: number): number | null {
    for (let next = at + 1; next <= Math.min(at + MAX_MISMATCH, end - MIN_MATCHING); next++) {
      let explained = 0;
      let matching = 0;
      while (matching < MIN_MATCHING && this.matches(source, next + matching)) {
        if (!this.isCorrect(next + matching)) explained++;
        matching++;
      }
      if (matching === MIN_MATCHING && explained >= 2) return next;
    }
    return null;
  }

  /** Sources that the received words name themselves. */
  #namedByWords(at: number, end: number, shift: number): Source[] {
    if (this.#masked) return [];
    const view = new DataView(this.#received.buffer, this.#received.byteOffset, end);
    const { seed } = this.#pattern;
    const found: Source[] = [];
    const tagged = this.#pattern instanceof TaggedPattern && this.#frameOf === null;
    for (let word = Math.max(0, at - 7); word + 8 <= Math.min(end, at + 128); word++) {
      const identity = identify(seed, view.getUint32(word, true), view.getUint32(word + 4, true));
      if (identity === null || (identity.class === "frame" && !tagged)) continue;
      if (identity.class === "poison") {
        found.push({ kind: "poison", base: identity.index * 8 - word });
      } else {
        const source = this.#frameOfWord(identity.index * 8, word, shift);
        if (source.sequence === this.#sequence && source.shift === 0) continue;
        found.push(source);
      }
      if (found.length === 3) break;
    }
    return found;
  }

  /** The frame of the tagged pattern to which a word belongs, from its place on the tape and in the frame. */
  #frameOfWord(tape: number, at: number, shift: number): FrameSource {
    const step = STEP * 8;
    const cycle = SLOTS * step;
    const { length } = this.#expected;
    const sequence = this.#sequence;
    // another frame, in its place or displaced as far as this frame is
    for (const by of shift === 0 ? [0] : [0, shift]) {
      const start = tape - at + by;
      if (start % step !== 0) continue;
      const slot = ((start / step % SLOTS) + SLOTS) % SLOTS;
      let ago = ((sequence - slot) % SLOTS + SLOTS) % SLOTS;
      if (ago > SLOTS / 2) ago -= SLOTS;
      if (ago <= sequence) return { kind: "frame", sequence: sequence - ago, shift: by };
    }
    // this frame, displaced; if the word is not part of it, the nearest frame that has the word
    let inside = ((tape - (sequence % SLOTS) * step) % cycle + cycle) % cycle;
    if (inside >= length && inside > cycle / 2) inside -= cycle;
    if (inside >= 0 && inside < length) {
      return { kind: "frame", sequence, shift: at - inside };
    }
    const distance = inside < 0
      ? Math.floor(inside / step)
      : Math.ceil((inside - length + 1) / step);
    const shiftThere = at - (inside - distance * step);
    return { kind: "frame", sequence: sequence + distance, shift: shiftThere };
  }

  /** A constant, if the byte at an offset is repeated for a while. */
  #constantAt(at: number, end: number): Source[] {
    const value = this.#received[at] ?? 0;
    const following = this.#received.subarray(at, Math.min(at + KEY, end));
    return following.every((byte) => byte === value) ? [{ kind: "constant", value }] : [];
  }

  /** This frame, displaced: searches the expected bytes for a few of the received ones. */
  #displaced(at: number, end: number): FrameSource[] {
    const length = Math.min(KEY, end - at);
    if (length < MIN_EXPLAINED || this.#searches++ >= MAX_SEARCHES) return [];
    const key = this.#received.subarray(at, at + length);
    if (key.every((byte) => byte === key[0])) return [];
    const expected = Buffer.from(
      this.#expected.buffer,
      this.#expected.byteOffset,
      this.#expected.length,
    );
    // with stuck bits masked fewer bytes match, and in another order each word has its own displacement
    const keys = [key, key.subarray(0, WORD)];
    const places = keys.map((bytes) => [
      expected.indexOf(bytes, at),
      expected.lastIndexOf(bytes, at),
    ]).find((offsets) => offsets.some((offset) => offset >= 0 && offset !== at)) ?? [];
    return places
      .filter((place) => place >= 0 && place !== at)
      .map((place) => ({ kind: "frame", sequence: this.#sequence, shift: at - place }) as const)
      .sort((a, b) => Math.abs(a.shift) - Math.abs(b.shift));
  }
}
