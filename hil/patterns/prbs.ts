// SPDX-License-Identifier: MIT
/**
 * Pseudo-random bit sequences, as ITU-T O.150 (05/96) defines them.
 *
 * Bit `t` is the sum modulo 2 of bits `t - k` and `t - n`: a shift register of `n` stages, whose stages
 * `k` and `n` are fed back to the first, polynomial `x^n + x^k + 1`, period `2^n - 1`.
 *
 * | order n | k | output in the Recommendation | longest run of zeros |
 * | ------: | -: | --- | ---: |
 * | 7 | 6 | not in it; not inverted by common use | 6 |
 * | 15 | 14 | inverted (5.3) | 15 |
 * | 23 | 18 | inverted (5.6) | 23 |
 * | 31 | 28 | inverted (5.8) | 31 |
 *
 * The first bit in time is the least significant one of the first byte, which is also that of any
 * little-endian word. A design that sends the most significant bit of its words first is met by
 * `msbFirst`, the bits of such a word.
 *
 * @module
 */

import type { PatternSpec } from "./pattern.ts";
import { gcd, periodOf, STEP, StreamPattern, TapePattern } from "./tape.ts";
import { checkOptions, hash } from "./tags.ts";

/** Order of a sequence: its shift register's stages. */
export type PrbsOrder = 7 | 15 | 23 | 31;

/** Where a design departs from the Recommendation. */
export interface PrbsOptions {
  /** Whether the output is inverted; as in the table when left out. */
  readonly inverted?: boolean;
  /** Bits of a word whose most significant bit comes first; 0, the default: the least comes first. */
  readonly msbFirst?: 0 | 8 | 16 | 32 | 64 | 128 | 256 | 512;
}

const TAPS: Readonly<Record<PrbsOrder, number>> = { 7: 6, 15: 14, 23: 18, 31: 28 };

/** Bytes of a frame that are searched for a piece without errors. */
const SEARCHED = 4096;
/** Random frames of which one has a run, by chance, that is taken for the sequence: 2 to this power. */
const CHANCE = 24;

/**
 * A pseudo-random sequence as pattern.
 *
 * In a loop, frame `s` begins 520 bytes after frame `s - 1`, and the seed chooses where frame 0 begins.
 * A generator's frames follow each other without a gap; see {@linkcode PatternSpec.expectFrom}.
 *
 * @param order Stages of the shift register
 * @param options Where the design departs from the Recommendation
 * @returns The pattern
 */
export function prbs(order: PrbsOrder, options: PrbsOptions = {}): PatternSpec {
  const name = `prbs${order}`;
  const cycle = 2 ** order - 1; // the bits and, as it is odd, also the bytes
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

/** A register of ones, with which the Recommendation begins. */
function ones(order: PrbsOrder): number {
  return 2 ** order - 1;
}

/**
 * Write the sequence itself, neither inverted nor reordered.
 *
 * @param order Stages of the shift register
 * @param state The first bits of the sequence, bit 0 the first
 * @param skip Bits to leave out, below 2^53
 * @param target Where to; aligned to 4 bytes
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
  // squared, the rule holds for bits twice as far apart: so it holds for bytes and words as well
  const words = new Uint32Array(target.buffer, target.byteOffset, target.length >> 2);
  for (let i = order; i < words.length; i++) {
    words[i] = (words[i - tap] ?? 0) ^ (words[i - order] ?? 0);
  }
  for (let i = Math.max(head, target.length & ~3); i < target.length; i++) {
    target[i] = (target[i - tap] ?? 0) ^ (target[i - order] ?? 0);
  }
}

/** The bits from number `at` on, as many as the register holds. */
function jump(order: PrbsOrder, state: number, at: number): Uint8Array {
  // bit t + n is the sum of bits t + n - k and t: the rest of x^at divided by x^n + x^(n-k) + 1 says
  // which of the first n bits sum up to bit `at`
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

/** Inverts and reorders as the output does; doing it twice undoes it, for whole words. */
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
 * Find the register's content where a piece of the sequence begins, although some of its bits may be wrong: the longest run
 * that obeys the rule tells.
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
  let some = 0; // a register of zeros obeys the rule too
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
  if (best < CHANCE + Math.log2(length)) return null; // a run may begin at any bit
  let state = 0; // of the last n bits of the run
  for (let i = 0; i < order; i++) state |= bit(end - order + i) << i;
  // as far ahead as the sequence is long, it is where the piece began
  const cycle = 2 ** order - 1;
  return bits(jump(order, state, cycle - (end - order) % cycle));
}

/** A register's content as a number, the first bit in bit 0. */
function bits(register: Uint8Array): number {
  return register.reduce((state, bit, i) => state | bit << i, 0);
}
