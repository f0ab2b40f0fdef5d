// SPDX-License-Identifier: MIT
/**
 * Patterns whose frames are pieces of a tape, and those whose frames follow each other in a stream.
 *
 * @module
 */

import type { Pattern } from "./pattern.ts";
import { makeTags, POISON_CLASS } from "./tags.ts";

/** Words by which the frames of a tape are apart; odd, so that a whole number of cycles never is. */
export const STEP = 65;

/** The most frames until a tape repeats: a prime, so that no queue depth divides it. */
const LONGEST_PERIOD = 4093;

/**
 * How many frames of a tape differ, when its words come again after a cycle.
 *
 * @param cycle Words after which the tape repeats; no multiple of 5 or 13
 * @returns The largest prime not above the cycle, at most 4093; or the cycle when that is below 2
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
 * The greatest common divisor.
 *
 * @param a A whole number from 0
 * @param b Another
 * @returns Theirs
 */
export function gcd(a: number, b: number): number {
  while (b !== 0) [a, b] = [b, a % b];
  return a;
}

/** What a pattern is made from, besides its bytes. */
export interface PatternInit {
  /** Its name. */
  readonly name: string;
  /** The seed. */
  readonly seed: number;
  /** The longest frame or block, bytes. */
  readonly maxLength: number;
  /** Frames after which the same bytes come again. */
  readonly period: number;
}

/** What the patterns of this file have in common. */
abstract class Plain implements Pattern {
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
    this.#poison = makeTags(seed, POISON_CLASS, Math.ceil(maxLength / 8));
  }

  abstract body(sequence: number, length: number): Uint8Array<ArrayBuffer>;

  header(_sequence: number, _length: number): null {
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
export class TapePattern extends Plain {
  readonly #tape: Uint8Array<ArrayBuffer>;
  readonly #step: number;

  /**
   * Keep a tape.
   *
   * @param init What it is called, and `step`, bytes from frame to frame
   * @param make Makes the tape, of so many bytes
   */
  constructor(
    init: PatternInit & { readonly step: number },
    make: (bytes: number) => Uint8Array<ArrayBuffer>,
  ) {
    super(init);
    this.#step = init.step;
    this.#tape = make(init.maxLength + (init.period - 1) * init.step);
  }

  override body(sequence: number, length: number): Uint8Array<ArrayBuffer> {
    this.check(length);
    const start = (sequence % this.period) * this.#step;
    return this.#tape.subarray(start, start + length);
  }
}

/**
 * Frames that a generator in the design cuts from one endless stream: frame `s` of `length` bytes begins
 * at byte `s * length`. All frames must have one length.
 */
export class StreamPattern extends Plain {
  readonly #fill: (target: Uint8Array, at: number) => void;
  readonly #frame: Uint8Array<ArrayBuffer>;
  #held = -1;
  #length = -1;

  /**
   * Keep a way to make any piece of the stream.
   *
   * @param init What it is called
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
    if (sequence !== this.#held || length !== this.#length) {
      this.#fill(view, sequence * length);
      this.#held = sequence;
      this.#length = length;
    }
    return view;
  }
}
