// SPDX-License-Identifier: MIT
/**
 * Pseudo-random bit sequences, as ITU-T O.150 (05/96) defines them.
 *
 * Bit `t` is the sum modulo 2 of bits `t - k` and `t - n`. This is a shift register of `n` stages: the sum
 * of stages `k` and `n` is fed back to the first stage. Its polynomial is `x^n + x^k + 1`, its period
 * `2^n - 1`.
 *
 * | order n | k | output in the Recommendation | longest run of zeros |
 * | ------: | -: | --- | ---: |
 * | 7 | 6 | not in the Recommendation; commonly not inverted | 6 |
 * | 15 | 14 | inverted (5.3) | 15 |
 * | 23 | 18 | inverted (5.6) | 23 |
 * | 31 | 28 | inverted (5.8) | 31 |
 *
 * The first bit in time is the least significant bit of the first byte, so it is also the least
 * significant bit of a little-endian word. `msbFirst` is for designs that send the most significant bit of
 * a word first.
 *
 * @module
 */

import type { PatternSpec } from "./pattern.ts";
import { gcd, periodOf, STEP, StreamPattern, TapePattern } from "./tape.ts";
import { checkOptions, hash } from "./tags.ts";

/** Order of a sequence: the number of stages of its shift register. */
export type PrbsOrder = 7 | 15 | 23 | 31;

/** How a design differs from the Recommendation. */
export interface PrbsOptions {
  /** Whether the output is inverted. Defaults to the table above: true for all orders but 7. */
  readonly inverted?: boolean;
  /**
   * Bits of a word whose most significant bit comes first. Defaults to 0: the least significant bit of
   * each byte comes first.
   */
  readonly msbFirst?: 0 | 8 | 16 | 32 | 64 | 128 | 256 | 512;
}

const TAPS: Readonly<Record<PrbsOrder, number>> = { 7: 6, 15: 14, 23: 18, 31: 28 };

/** Bytes of a frame that are searched for a run without errors. */
const SEARCHED = 4096;
/** One of 2 to this power random frames has a run that is taken for the sequence by chance. */
const CHANCE = 24;

/**
 * A pseudo-random bit sequence.
 *
 * In a loop, frame `s` begins 520 bytes after frame `s - 1`, and the seed decides where frame 0 begins.
 * The frames of a generator follow each other without a gap; see {@linkcode PatternSpec.expectFrom}.
 *
 * @param order Number of stages of the shift register
 * @param options How the design differs from the Recommendation
 * @returns The pattern
 */
export function prbs(order: PrbsOrder, options: PrbsOptions = {}): PatternSpec {
  const name = `prbs${order}`;
  const cycle = 2 ** order - 1; // of the bits; because it is odd, also of the bytes
  const finish = finisher(order, options);
  return {
    name,
    create(made) {
      checkOptions(made);
      const skip = hash(made.seed, order) % cycle;
      return new TapePattern(
        { name, ...made, period: periodOf(cycle), step: STEP * 8 },
        (bytes) => {
          const tape = new Uint8Array(Math.ceil(bytes / 64) * 64);
          prbsBytes(order, ones(order), skip, tape);
          finish(tape);
          return tape;
        },
      );
    },
    expectFrom(first, made) {
      checkOptions(made);
      const state = synchronize(order, first, finish);
      if (state === null) return null;
      const period = cycle / gcd(cycle, first.length);
      const word = Math.max(1, (options.msbFirst ?? 0) / 8);
      const scratch = new Uint8Array(Math.ceil(made.maxLength / 4) * 4 + 2 * word);
      return new StreamPattern({ name, ...made, period }, (target, at) => {
        const over = at % word;
        const whole = scratch.subarray(0, Math.ceil((over + target.length) / word) * word);
        prbsBytes(order, state, 8 * ((at - over) % cycle), whole);
        finish(whole);
        target.set(whole.subarray(over, over + target.length));
      });
    },
  };
}

/** A register of ones: the initial state in the Recommendation. */
function ones(order: PrbsOrder): number {
  return 2 ** order - 1;
}

/**
 * Writes the sequence, neither inverted nor reordered.
 *
 * @param order Number of stages of the shift register
 * @param state The first bits of the sequence; bit 0 is the first one
 * @param skip Number of bits to skip, below 2^53
 * @param target Where to write; aligned to 4 bytes
 */
export function prbsBytes(
  order: PrbsOrder,
  state: number,
  skip: number,
  target: Uint8Array,
): void {
  const tap = TAPS[order];
  const bits = jump(order, state, skip);
  const head = Math.min(target.length, order * 4);
  for (let i = 0; i < head; i++) {
    let byte = 0;
    for (let bit = 0; bit < 8; bit++) {
      const next = (bits[0] ?? 0) ^ (bits[order - tap] ?? 0);
      byte |= (bits[0] ?? 0) << bit;
      bits.copyWithin(0, 1);
      bits[order - 1] = next;
    }
    target[i] = byte;
  }
  // squared, the recurrence holds for bits at twice the distance, so it also holds for bytes and words
  const words = new Uint32Array(target.buffer, target.byteOffset, target.length >> 2);
  for (let i = order; i < words.length; i++) {
    words[i] = (words[i - tap] ?? 0) ^ (words[i - order] ?? 0);
  }
  for (let i = Math.max(head, target.length & ~3); i < target.length; i++) {
    target[i] = (target[i - tap] ?? 0) ^ (target[i - order] ?? 0);
  }
}

/** The content of the register at bit `at`. */
function jump(order: PrbsOrder, state: number, at: number): Uint8Array {
  // bit t + n is the sum of bits t + n - k and t, so the remainder of x^at divided by x^n + x^(n-k) + 1
  // shows which of the first n bits sum up to bit `at`
  const rest = 1 | (1 << (order - TAPS[order]));
  const top = 2 ** (order - 1);
  const multiply = (a: number, b: number): number => {
    let product = 0;
    for (let bit = order - 1; bit >= 0; bit--) {
      product = product >= top ? ((product - top) << 1) ^ rest : product << 1;
      if ((b >>> bit) & 1) product ^= a;
    }
    return product;
  };
  let power = 1;
  const reduced = at % (2 ** order - 1);
  for (let bit = order - 1; bit >= 0; bit--) {
    power = multiply(power, power);
    if ((reduced >>> bit) & 1) power = multiply(power, 2);
  }
  const bits = new Uint8Array(order);
  for (let i = 0; i < order; i++) {
    let odd = 0;
    for (let chosen = power & state; chosen !== 0; chosen &= chosen - 1) odd ^= 1;
    bits[i] = odd;
    power = multiply(power, 2);
  }
  return bits;
}

/** Inverts and reorders bits as the output does. For whole words, a second call undoes the first one. */
function finisher(order: PrbsOrder, options: PrbsOptions): (bytes: Uint8Array) => void {
  const inverted = options.inverted ?? order !== 7;
  const word = (options.msbFirst ?? 0) / 8;
  const mirror = new Uint8Array(256);
  for (let i = 0; i < 256; i++) {
    for (let bit = 0; bit < 8; bit++) mirror[i] = (mirror[i] ?? 0) | ((i >> bit) & 1) << (7 - bit);
  }
  return (bytes) => {
    if (inverted) {
      const words = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length >> 2);
      for (let i = 0; i < words.length; i++) words[i] = ~(words[i] ?? 0);
      for (let i = bytes.length & ~3; i < bytes.length; i++) bytes[i] = ~(bytes[i] ?? 0);
    }
    if (word === 0) return;
    for (let i = 0; i < bytes.length; i++) bytes[i] = mirror[bytes[i] ?? 0] ?? 0;
    for (let at = 0; at + word <= bytes.length; at += word) bytes.subarray(at, at + word).reverse();
  };
}

/**
 * Finds the content of the register at the start of a piece of the sequence. Some bits of the piece may be
 * wrong; the longest run without errors decides.
 */
function synchronize(
  order: PrbsOrder,
  piece: Uint8Array,
  finish: (bytes: Uint8Array) => void,
): number | null {
  const bytes = piece.slice(0, SEARCHED);
  finish(bytes);
  const bit = (t: number) => ((bytes[t >> 3] ?? 0) >> (t & 7)) & 1;
  const tap = TAPS[order];
  const length = bytes.length * 8;
  let best = 0;
  let end = 0;
  let run = 0;
  let some = 0; // set if a bit of the run is; a run of zeros is no part of the sequence
  for (let t = order; t < length; t++) {
    if (bit(t) !== (bit(t - tap) ^ bit(t - order))) {
      run = 0;
      some = 0;
      continue;
    }
    run++;
    some |= bit(t);
    if (run > best && some > 0) {
      best = run;
      end = t + 1;
    }
  }
  if (best < CHANCE + Math.log2(length)) return null; // a run can begin at any bit
  let state = 0; // the last n bits of the run
  for (let i = 0; i < order; i++) state |= bit(end - order + i) << i;
  // the sequence is periodic, so a jump ahead by the rest of a period leads to the start of the piece
  const cycle = 2 ** order - 1;
  return bits(jump(order, state, cycle - (end - order) % cycle));
}

/** The content of a register as a number; its first bit is bit 0. */
function bits(register: Uint8Array): number {
  return register.reduce((state, bit, i) => state | bit << i, 0);
}
