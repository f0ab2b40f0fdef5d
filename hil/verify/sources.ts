// SPDX-License-Identifier: MIT
/**
 * Where the bytes of a frame can have come from: this frame, displaced or not, other frames, poison, or a
 * constant; and how far each of them explains what is there.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import type { Pattern } from "../patterns/pattern.ts";
import { SLOTS, TaggedPattern } from "../patterns/tagged.ts";
import { STEP } from "../patterns/tape.ts";
import { identify } from "../patterns/tags.ts";

/** What a block held before a frame came: a frame by its number, or what it was made with. */
export type Held = number | "poison" | "zeros";

/** A frame, of which byte `i` is found at byte `i + shift`. */
export interface FrameSource {
  /** Which kind of source it is. */
  readonly kind: "frame";
  /** Number of the frame. */
  readonly sequence: number;
  /** By how many bytes it is displaced, towards the end. */
  readonly shift: number;
}

/** Where bytes come from. */
export type Source =
  | FrameSource
  | { readonly kind: "poison"; /** Its byte at the frame's byte 0. */ readonly base: number }
  | { readonly kind: "constant"; readonly value: number }
  | { readonly kind: "lanes"; readonly width: number; readonly map: readonly number[] }
  | { readonly kind: "unknown" };

/** Consecutive bytes of one source. */
export interface Run {
  /** First byte. */
  readonly from: number;
  /** Behind the last byte. */
  readonly to: number;
  /** Where they come from. */
  readonly source: Source;
  /** How many of them are not what they should be. */
  readonly wrong: number;
  /** Bytes within that the source does not explain either, as ranges. */
  readonly flaws: readonly { readonly from: number; readonly to: number }[];
}

/** Frames on either side of the one due that are tried, half of those that are kept at most. */
const WINDOW = 64;
/** Bytes of other frames that are kept; of large frames, so many. */
const KEPT = 1 << 25;
const FEW = 4;
/** How often other frames are made. */
const MADE = 512;
const NOTHING = new Uint8Array(0);
/** Bytes from which a source is believed. */
const BELIEVED = 4;
/** Longest flaw within a run, and the bytes behind it that must fit again. */
const FLAW = 8;
const FITTING = 12;
/** Bytes that are looked for elsewhere in the frame. */
const KEY = 16;
const WORD = 8;
/** How often that is done, and how often all other frames are tried. */
const SEARCHES = 24;
const EXPLAINED = 256;
/** Displacements up to this are thought of before other frames are. */
const SMALL_SHIFT = 64;

/** Bytes somewhere in a frame. */
export interface Place {
  /** The bytes; none for a constant. */
  readonly bytes: Uint8Array;
  /** Where the first of them lies. */
  readonly delta: number;
  /** The value of all bytes of the frame; null when they are not constant. */
  readonly value: number | null;
}

/**
 * What lies somewhere in a frame.
 *
 * @param place The bytes
 * @param at Where
 * @returns The byte, or `undefined` where there is none
 */
export function byteOf({ bytes, delta, value }: Place, at: number): number | undefined {
  if (value !== null) return value;
  const index = at - delta;
  return index >= 0 && index < bytes.length ? bytes[index] : undefined;
}

/** The frame in question and all that its bytes can be compared with. */
export class Sources {
  readonly #pattern: Pattern;
  readonly #sequence: number;
  readonly #expected: Uint8Array;
  readonly #received: Uint8Array;
  readonly #frameOf: ((sequence: number) => Uint8Array) | null;
  /** Bits that count, by byte modulo 64: all but those that are stuck. */
  readonly keep: Uint8Array;
  readonly #masked: boolean;
  readonly #frames = new Map<number, Uint8Array>();
  readonly #room: number;
  readonly #held: readonly Source[];
  readonly #others: Source[];
  #searches = 0;
  #explained = 0;
  #made = 0;

  /**
   * @param frame The frame: what is due and what is there, of one length
   * @param known The pattern, where the frame begins in its block, what its blocks held, and `keep`: the
   * bits that count
   */
  constructor(
    frame: { sequence: number; expected: Uint8Array; received: Uint8Array },
    known: {
      pattern: Pattern;
      base: number;
      held: readonly Held[];
      keep: Uint8Array;
      frameOf: ((sequence: number) => Uint8Array) | null;
    },
  ) {
    this.#pattern = known.pattern;
    this.#sequence = frame.sequence;
    this.#expected = frame.expected;
    this.#received = frame.received;
    this.#frameOf = known.frameOf;
    this.keep = known.keep;
    this.#masked = known.keep.some((bits) => bits !== 0xff);
    const poison: Source = { kind: "poison", base: known.base };
    this.#held = [
      ...known.held.map((held): Source => {
        if (typeof held === "number") return this.#frameSource(held);
        return held === "poison" ? poison : { kind: "constant", value: 0 };
      }),
      poison,
    ];
    this.#room = Math.max(FEW, Math.floor(KEPT / frame.expected.length));
    const window = Math.min(WINDOW, this.#room >> 2, known.pattern.period - 1);
    this.#others = [];
    for (let away = 1; away <= window; away++) {
      if (frame.sequence >= away) this.#others.push(this.#frameSource(frame.sequence - away));
      this.#others.push(this.#frameSource(frame.sequence + away));
    }
  }

  #frameSource(sequence: number): Source {
    return { kind: "frame", sequence, shift: 0 };
  }

  /**
   * Whether what lies at a byte is what a source has there.
   *
   * @param place The source's bytes
   * @param at The byte
   * @returns Whether it is
   */
  fits(place: Place, at: number): boolean {
    const due = byteOf(place, at);
    if (due === undefined) return false;
    return (((this.#received[at] ?? 0) ^ due) & (this.keep[at & 63] ?? 0xff)) === 0;
  }

  /**
   * Whether a byte is what it should be.
   *
   * @param at The byte
   * @returns Whether it is
   */
  right(at: number): boolean {
    const differs = (this.#received[at] ?? 0) ^ (this.#expected[at] ?? 0);
    return (differs & (this.keep[at & 63] ?? 0xff)) === 0;
  }

  /**
   * The bytes of a source.
   *
   * @param source The source
   * @returns Its bytes, none for those that are not known
   */
  place(source: Source): Place {
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
        return { bytes: NOTHING, delta: 0, value: source.value };
      default:
        return { bytes: NOTHING, delta: 0, value: null };
    }
  }

  /** Another frame; nothing when so many were made that this one is not. */
  #frame(sequence: number): Uint8Array {
    let bytes = this.#frames.get(sequence);
    if (bytes === undefined) {
      if (this.#made++ >= MADE) return NOTHING;
      if (this.#frameOf !== null) bytes = this.#frameOf(sequence);
      else {
        bytes = new Uint8Array(this.#expected.length);
        this.#pattern.write(bytes, sequence);
      }
    }
    // the one used last is the last to go
    this.#frames.delete(sequence);
    for (const oldest of this.#frames.keys()) {
      if (this.#frames.size < this.#room) break;
      this.#frames.delete(oldest);
    }
    this.#frames.set(sequence, bytes);
    return bytes;
  }

  /**
   * Find the source that explains most of what follows a wrong byte.
   *
   * @param at The first wrong byte
   * @param end Where the bytes that moved end
   * @param shift By how much this frame is displaced there
   * @param others Whether frames are tried that neither a block held nor the words name
   * @returns The run, or null when nothing explains enough of it
   */
  explain(at: number, end: number, shift: number, others = true): Run | null {
    let best: Run | null = null;
    const named = this.#tags(at, end, shift);
    const displaced = this.#displaced(at, end);
    const consider = (sources: readonly Source[], toEnd = false) => {
      for (const source of sources) {
        const run = this.#run(source, at, end);
        if (run === null || (toEnd && run.to < end - SMALL_SHIFT)) continue;
        if (run.wrong > (best?.wrong ?? 0)) best = run;
      }
    };
    // what is thought of first wins a tie: what a block held, a small displacement of all that follows,
    // other frames
    consider(this.#held);
    consider(displaced.filter((source) => Math.abs(source.shift) <= SMALL_SHIFT), true);
    consider(named);
    if (others && this.#explained++ < EXPLAINED) consider(this.#others);
    consider(displaced);
    consider(this.#constantAt(at, end));
    const run = best as Run | null;
    if (run === null || run.wrong >= BELIEVED) return run;
    return this.covers(run.source, 0, end) ? run : null;
  }

  /**
   * Whether a source has all that lies in a range.
   *
   * @param source The source
   * @param from First byte
   * @param to Behind the last byte
   * @returns Whether it has
   */
  covers(source: Source, from: number, to: number): boolean {
    const place = this.place(source);
    for (let at = from; at < to; at++) if (!this.fits(place, at)) return false;
    return true;
  }

  /** Follow a source from a byte on, over small flaws. */
  #run(source: Source, from: number, end: number): Run | null {
    const place = this.place(source);
    const flaws: { from: number; to: number }[] = [];
    let wrong = 0;
    let at = from;
    let last = from; // behind the last wrong byte that is explained
    while (at < end) {
      if (this.fits(place, at)) {
        if (!this.right(at)) {
          wrong++;
          last = at + 1;
        }
        at++;
        continue;
      }
      // nor does a run begin with a flaw, or with little before one
      if (wrong < BELIEVED) break;
      const again = this.#again(place, at, end);
      // a flaw is one only when the source goes on behind it where nothing else explains the bytes
      if (again === null) break;
      flaws.push({ from: at, to: again });
      at = again;
    }
    if (wrong === 0) return null;
    // what is right behind the last wrong byte belongs to nobody; a displaced frame goes on to its end
    const to = source.kind === "frame" && source.shift !== 0 ? at : last;
    return { from, to, source, wrong, flaws: flaws.filter((flaw) => flaw.to <= to) };
  }

  /** Where a source fits again behind a flaw, with wrong bytes that it explains. */
  #again(place: Place, at: number, end: number): number | null {
    for (let next = at + 1; next <= Math.min(at + FLAW, end - FITTING); next++) {
      let explained = 0;
      let fitting = 0;
      while (fitting < FITTING && this.fits(place, next + fitting)) {
        if (!this.right(next + fitting)) explained++;
        fitting++;
      }
      if (fitting === FITTING && explained >= 2) return next;
    }
    return null;
  }

  /** Sources that the words themselves name. */
  #tags(at: number, end: number, shift: number): Source[] {
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
        const source = this.#origin(identity.index * 8, word, shift);
        if (source.sequence === this.#sequence && source.shift === 0) continue;
        found.push(source);
      }
      if (found.length === 3) break;
    }
    return found;
  }

  /** Which frame a word of the tape of the tagged pattern belongs to, found at a byte. */
  #origin(tape: number, at: number, shift: number): FrameSource {
    const step = STEP * 8;
    const cycle = SLOTS * step;
    const { length } = this.#expected;
    const sequence = this.#sequence;
    // in place of another frame, or where that would be as displaced as this frame is
    for (const by of shift === 0 ? [0] : [0, shift]) {
      const start = tape - at + by;
      if (start % step !== 0) continue;
      const slot = ((start / step % SLOTS) + SLOTS) % SLOTS;
      let ago = ((sequence - slot) % SLOTS + SLOTS) % SLOTS;
      if (ago > SLOTS / 2) ago -= SLOTS;
      if (ago <= sequence) return { kind: "frame", sequence: sequence - ago, shift: by };
    }
    // this frame, displaced; or, if the word is none of it, the nearest that has it
    let inside = ((tape - (sequence % SLOTS) * step) % cycle + cycle) % cycle;
    if (inside >= length && inside > cycle / 2) inside -= cycle;
    if (inside >= 0 && inside < length) {
      return { kind: "frame", sequence, shift: at - inside };
    }
    const away = inside < 0 ? Math.floor(inside / step) : Math.ceil((inside - length + 1) / step);
    return { kind: "frame", sequence: sequence + away, shift: at - (inside - away * step) };
  }

  /** A byte that is repeated for a while. */
  #constantAt(at: number, end: number): Source[] {
    const value = this.#received[at] ?? 0;
    const some = this.#received.subarray(at, Math.min(at + KEY, end));
    return some.every((byte) => byte === value) ? [{ kind: "constant", value }] : [];
  }

  /** This frame's own bytes, displaced: found by looking for a few of them elsewhere in it. */
  #displaced(at: number, end: number): FrameSource[] {
    const length = Math.min(KEY, end - at);
    if (length < BELIEVED || this.#searches++ >= SEARCHES) return [];
    const key = this.#received.subarray(at, at + length);
    if (key.every((byte) => byte === key[0])) return [];
    const expected = Buffer.from(
      this.#expected.buffer,
      this.#expected.byteOffset,
      this.#expected.length,
    );
    // where words do not say where they belong, one may have to do
    const keys = this.#masked ? [key, key.subarray(0, WORD)] : [key];
    const found = keys.map((some) => [expected.indexOf(some, at), expected.lastIndexOf(some, at)])
      .find((places) => places.some((place) => place >= 0 && place !== at)) ?? [];
    return found
      .filter((found) => found >= 0 && found !== at)
      .map((found) => ({ kind: "frame", sequence: this.#sequence, shift: at - found }) as const)
      .sort((a, b) => Math.abs(a.shift) - Math.abs(b.shift));
  }
}
