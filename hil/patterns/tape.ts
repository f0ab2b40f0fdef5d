// SPDX-License-Identifier: MIT
/**
 * Patterns whose frames are pieces of a tape in memory, and patterns whose frames follow each other in an
 * endless stream.
 *
 * @module
 */

import { constant } from "../../driver/constant.ts";
import type { Pattern } from "./pattern.ts";
import { makeTags, POISON_CLASS } from "./tags.ts";

/** Distance of two frames on a tape, words. It is odd, so that it is no multiple of a cycle. */
export const STEP = 65;

/** The most frames until a tape repeats: a prime, so that it is no multiple of a queue depth. */
const LONGEST_PERIOD = 4093;

/**
 * Computes how many frames of a tape differ if its words repeat after a cycle.
 *
 * @param cycle Words after which the tape repeats; not a multiple of 5 or 13
 * @returns The largest prime not above the cycle, at most 4093; 1 if the cycle is below 2
 */
export function periodOf(cycle: number): number {
  for (let n = Math.min(cycle, LONGEST_PERIOD); n >= 2; n--) {
    let divisor = 2;
    while (divisor * divisor <= n && n % divisor !== 0) divisor++;
    if (divisor * divisor > n) return n;
  }
  return 1;
}

/**
 * Computes the greatest common divisor.
 *
 * @param a A whole number from 0
 * @param b Another one
 * @returns The greatest common divisor of both
 */
export function gcd(a: number, b: number): number {
  while (b !== 0) [a, b] = [b, a % b];
  return a;
}

/** The bytes that the frames of a pattern are pieces of: slot `n` begins at byte `n * step`. */
export class Tape {
  readonly #bytes: Uint8Array<ArrayBuffer>;
  readonly #step: number;
  readonly #longest: number;
  /** The last view of each slot. To make a view takes as long as to copy a kilobyte. */
  readonly #views: (Uint8Array<ArrayBuffer> | undefined)[];

  /**
   * Takes over the bytes, which must not change any more.
   *
   * @param bytes The bytes, at least those of the last slot
   * @param layout `slots`: the number of slots; `step`: distance of two slots, bytes; `longest`: bytes of the
   * longest piece
   */
  constructor(
    bytes: Uint8Array<ArrayBuffer>,
    { slots, step, longest }: { slots: number; step: number; longest: number },
  ) {
    this.#bytes = constant(bytes);
    this.#step = step;
    this.#longest = longest;
    this.#views = new Array(slots).fill(undefined);
  }

  /**
   * Gets the beginning of a slot. Do not write to it.
   *
   * @param slot The slot
   * @param length Bytes
   * @returns A view
   * @throws {RangeError} If the length is above that of the longest piece
   */
  piece(slot: number, length: number): Uint8Array<ArrayBuffer> {
    const kept = this.#views[slot];
    return kept !== undefined && kept.length === length ? kept : this.#view(slot, length);
  }

  #view(slot: number, length: number): Uint8Array<ArrayBuffer> {
    if (length > this.#longest) {
      throw new RangeError(`Expected at most ${this.#longest} bytes, found ${length}`);
    }
    const start = slot * this.#step;
    return this.#views[slot] = this.#bytes.subarray(start, start + length);
  }
}

/** The properties of a pattern besides its bytes. */
export interface PatternInit {
  /** Its name. */
  readonly name: string;
  /** The seed. */
  readonly seed: number;
  /** Bytes of the longest frame or block. */
  readonly maxLength: number;
  /** Number of frames after which the same bytes repeat. */
  readonly period: number;
}

/** A pattern without stamps, with the usual poison. */
abstract class BasePattern implements Pattern {
  readonly name: string;
  readonly seed: number;
  readonly maxLength: number;
  readonly period: number;
  readonly #poison: Uint8Array<ArrayBuffer>;

  constructor({ name, seed, maxLength, period }: PatternInit) {
    this.name = name;
    this.seed = seed;
    this.maxLength = maxLength;
    this.period = period;
    this.#poison = constant(makeTags(seed, POISON_CLASS, Math.ceil(maxLength / 8)));
  }

  abstract body(sequence: number, length: number): Uint8Array<ArrayBuffer>;

  stamp(_sequence: number, _length: number): null {
    return null;
  }

  write(target: Uint8Array, sequence: number): void {
    target.set(this.body(sequence, target.length));
  }

  poison(offset: number, length: number): Uint8Array<ArrayBuffer> {
    return this.#poison.subarray(offset, offset + length);
  }

  protected check(length: number): void {
    if (length > this.maxLength) {
      throw new RangeError(`Expected at most ${this.maxLength} bytes, found ${length}`);
    }
  }
}

/** Frame `s` is the piece of a tape that begins at byte `(s mod period) * step`. */
export class TapePattern extends BasePattern {
  readonly #tape: Tape;

  /**
   * Makes the tape.
   *
   * @param init The properties of the pattern; `step`: distance of two frames on the tape, bytes
   * @param make Makes a tape of the given number of bytes
   */
  constructor(
    init: PatternInit & { readonly step: number },
    make: (bytes: number) => Uint8Array<ArrayBuffer>,
  ) {
    super(init);
    const { maxLength, period, step } = init;
    const bytes = make(maxLength + (period - 1) * step);
    this.#tape = new Tape(bytes, { slots: period, step, longest: maxLength });
  }

  override body(sequence: number, length: number): Uint8Array<ArrayBuffer> {
    return this.#tape.piece(sequence % this.period, length);
  }
}

/**
 * The frames of a generator in the design, which divides an endless stream into frames: frame `s` of
 * `length` bytes begins at byte `s * length`. All frames must have the same length.
 */
export class StreamPattern extends BasePattern {
  readonly #fill: (target: Uint8Array, at: number) => void;
  readonly #frame: Uint8Array<ArrayBuffer>;
  #sequence = -1;
  #length = -1;

  /**
   * Takes a function that generates any piece of the stream.
   *
   * @param init The properties of the pattern
   * @param fill Writes the bytes of the stream from byte `at` on
   */
  constructor(init: PatternInit, fill: (target: Uint8Array, at: number) => void) {
    super(init);
    this.#fill = fill;
    this.#frame = new Uint8Array(init.maxLength);
  }

  override body(sequence: number, length: number): Uint8Array<ArrayBuffer> {
    this.check(length);
    const view = this.#frame.subarray(0, length);
    if (sequence !== this.#sequence || length !== this.#length) {
      this.#fill(view, sequence * length);
      this.#sequence = sequence;
      this.#length = length;
    }
    return view;
  }
}
