// SPDX-License-Identifier: MIT
/**
 * Patterns of words: counters, walking bits, boards, and what else stresses wires.
 *
 * Words are little-endian. Frame `s` begins `s` modulo the period times 65 words into the pattern, of
 * walking bits `s` modulo the period words. A generator's frames follow each other without a gap; see
 * {@linkcode PatternSpec.expectFrom}.
 *
 * @module
 */

import type { PatternSpec } from "./pattern.ts";
import { gcd, periodOf, STEP, StreamPattern, TapePattern } from "./tape.ts";
import { checkOptions, hash } from "./tags.ts";

/** Bits of a word of a counter. */
export type CounterWidth = 8 | 16 | 32 | 64;

/** How a counter counts. */
export interface CounterOptions {
  /** Bits of a word; 32 when left out. */
  readonly width?: CounterWidth;
  /** The first word of frame 0, 0 to 2^width - 1; 0 when left out. */
  readonly start?: bigint;
  /** From word to word, 1 to 2^width - 1; 1 when left out. */
  readonly step?: bigint;
}

/** Bits of a bus, that is of a word: a whole number of bytes. */
export interface WordOptions {
  /** 8 to 1024, a multiple of 8; 64 when left out. */
  readonly width?: number;
}

/** Words at the beginning of a frame that vote for where a counter stands. */
const VOTERS = 4096;
/** Bytes at the beginning of a frame that tell where a cycle stands: eight words of the widest bus. */
const COMPARED = 1024;

/**
 * A counter: word `i` holds `start + i * step` modulo `2^width`.
 *
 * @param options How it counts
 * @returns The pattern
 * @throws {RangeError} For a start or step outside of their ranges
 */
export function counter(options: CounterOptions = {}): PatternSpec {
  const width = options.width ?? 32;
  return counting(`counter${width}`, {
    width,
    start: options.start ?? 0n,
    step: options.step ?? 1n,
  });
}

/**
 * Address in address: each 64-bit word holds its own address, that is its offset from the beginning of
 * frame 0 if frames lay 520 bytes apart.
 *
 * @returns The pattern
 */
export function address(): PatternSpec {
  return counting("address", { width: 64, start: 0n, step: 8n });
}

function counting(name: string, { width, start, step }: Required<CounterOptions>): PatternSpec {
  const limit = 1n << BigInt(width);
  if (start < 0n || start >= limit) {
    throw new RangeError(`Expected start from 0 to 2^${width} - 1, found ${start}`);
  }
  if (step < 1n || step >= limit) {
    throw new RangeError(`Expected step from 1 to 2^${width} - 1, found ${step}`);
  }
  const bytes = width / 8;
  const cycle = Number(limit / (step & -step));
  return {
    name,
    create(made) {
      checkOptions(made);
      return new TapePattern(
        { name, ...made, period: periodOf(cycle), step: STEP * bytes },
        (length) => {
          const tape = new Uint8Array(Math.ceil(length / bytes) * bytes);
          count(tape, width, start, step);
          return tape;
        },
      );
    },
    expectFrom(first, { frames = 1, ...made }) {
      checkOptions(made);
      const found = vote(first, width, step, frames);
      if (found === null) return null;
      const { phase, value } = found;
      const period = Math.max(
        1,
        Math.min(cycle * bytes / gcd(cycle * bytes, first.length), 2 ** 52),
      );
      const scratch = new Uint8Array(Math.ceil(made.maxLength / bytes + 1) * bytes);
      return new StreamPattern({ name, ...made, period }, (target, at) => {
        const over = (at + phase) % bytes;
        const words = (at + phase - over) / bytes;
        const whole = scratch.subarray(0, Math.ceil((over + target.length) / bytes) * bytes);
        count(whole, width, BigInt.asUintN(width, value + BigInt(words) * step), step);
        target.set(whole.subarray(over, over + target.length));
      });
    },
  };
}

/** Write words that count from `start`; the target is aligned to 8 bytes. */
function count(
  target: Uint8Array<ArrayBuffer>,
  width: CounterWidth,
  start: bigint,
  step: bigint,
): void {
  const { buffer, byteOffset, length } = target;
  if (width !== 64) {
    const Words = { 8: Uint8Array, 16: Uint16Array, 32: Uint32Array }[width];
    const words = new Words(buffer, byteOffset, length * 8 / width);
    const by = Number(step);
    let value = Number(start);
    for (let i = 0; i < words.length; i++) {
      words[i] = value;
      value = (value + by) >>> 0;
    }
    return;
  }
  const halves = new Uint32Array(buffer, byteOffset, length / 4);
  const [lowStep, highStep] = [Number(step & 0xffff_ffffn), Number(step >> 32n)];
  let low = Number(start & 0xffff_ffffn);
  let high = Number(start >> 32n);
  for (let i = 0; i < halves.length; i += 2) {
    halves[i] = low;
    halves[i + 1] = high;
    low += lowStep;
    high = (high + highStep + (low >= 2 ** 32 ? 1 : 0)) >>> 0;
    low >>>= 0;
  }
}

/**
 * Where a counter stands: each word says what the first one would be, and the most votes win.
 * `phase` is by how many bytes the frame begins within a word, whose value is `value`.
 */
function vote(
  first: Uint8Array,
  width: CounterWidth,
  step: bigint,
  frames: number,
): { phase: number; value: bigint } | null {
  const bytes = width / 8;
  const view = new DataView(first.buffer, first.byteOffset, first.byteLength);
  let best = 0;
  let winner: { phase: number; value: bigint } | null = null;
  for (let phase = 0; phase < bytes; phase++) {
    const votes = new Map<bigint, number>();
    const lead = phase === 0 ? 0 : 1; // a word that began in the frame before
    const words = Math.min(VOTERS, Math.floor((first.length + phase) / bytes)) - lead;
    for (let i = 0; i < words; i++) {
      const at = (i + lead) * bytes - phase;
      const word = width === 64
        ? view.getBigUint64(at, true)
        : BigInt(width === 32 ? view.getUint32(at, true) : narrow(view, at, bytes));
      const value = BigInt.asUintN(width, word - BigInt(i + lead) * step);
      const now = (votes.get(value) ?? 0) + 1;
      votes.set(value, now);
      if (now > best && tells(now, words, width, frames)) {
        best = now;
        winner = { phase, value };
      }
    }
  }
  return winner;
}

function narrow(view: DataView, at: number, bytes: number): number {
  return bytes === 1 ? view.getUint8(at) : view.getUint16(at, true);
}

/**
 * One bit that walks: word `i` has bit `i` modulo the width set, all others clear.
 *
 * @param options Bits of a word
 * @returns The pattern
 */
export function walkingOnes(options: WordOptions = {}): PatternSpec {
  return walking("walking-ones", options, 0);
}

/**
 * One zero that walks: word `i` has bit `i` modulo the width clear, all others set.
 *
 * @param options Bits of a word
 * @returns The pattern
 */
export function walkingZeros(options: WordOptions = {}): PatternSpec {
  return walking("walking-zeros", options, 0xff);
}

function walking(name: string, options: WordOptions, rest: number): PatternSpec {
  const width = checkWidth(options);
  const cycle = new Uint8Array(width * width / 8).fill(rest);
  for (let i = 0; i < width; i++) {
    const at = i * width / 8 + (i >> 3);
    cycle[at] = (cycle[at] ?? 0) ^ (1 << (i & 7));
  }
  return cyclic(name, cycle, { width, period: periodOf(width) });
}

/**
 * Bits that differ from their neighbours in the word and in the words before and after: words of 0x55...
 * and 0xaa... by turns. All frames are alike.
 *
 * @param options Bits of a word
 * @returns The pattern
 */
export function checkerboard(options: WordOptions = {}): PatternSpec {
  return turns("checkerboard", options, 0x55, 0xaa);
}

/**
 * The checkerboard inverted: words of 0xaa... and 0x55... by turns. All frames are alike.
 *
 * @param options Bits of a word
 * @returns The pattern
 */
export function checkerboardInverse(options: WordOptions = {}): PatternSpec {
  return turns("checkerboard-inverse", options, 0xaa, 0x55);
}

/**
 * Simultaneous switching: words of zeros and of ones by turns, so that all bits toggle at once, in the
 * same direction. All frames are alike.
 *
 * @param options Bits of a word
 * @returns The pattern
 */
export function switching(options: WordOptions = {}): PatternSpec {
  return turns("switching", options, 0x00, 0xff);
}

/**
 * All bits zero. All frames are alike.
 *
 * @returns The pattern
 */
export function zeros(): PatternSpec {
  return cyclic("zeros", new Uint8Array(1), { width: 8, period: 1 });
}

/**
 * All bits one. All frames are alike.
 *
 * @returns The pattern
 */
export function ones(): PatternSpec {
  return cyclic("ones", Uint8Array.of(0xff), { width: 8, period: 1 });
}

function turns(name: string, options: WordOptions, even: number, odd: number): PatternSpec {
  const width = checkWidth(options);
  const bytes = width / 8;
  const cycle = new Uint8Array(2 * bytes).fill(even, 0, bytes).fill(odd, bytes);
  return cyclic(name, cycle, { width, period: 1 });
}

/** A pattern that repeats a few words for ever; frame `s` begins `s` words after frame 0. */
function cyclic(
  name: string,
  cycle: Uint8Array<ArrayBuffer>,
  { width, period }: { width: number; period: number },
): PatternSpec {
  const make = (skip: number) => (bytes: number) => {
    const tape = new Uint8Array(Math.max(bytes, cycle.length));
    tape.set(cycle.subarray(skip));
    tape.set(cycle.subarray(0, skip), cycle.length - skip);
    // what is full doubles until all is
    for (let full = cycle.length; full < bytes; full *= 2) tape.copyWithin(full, 0, full);
    return tape;
  };
  return {
    name,
    create(made) {
      checkOptions(made);
      return new TapePattern({ name, ...made, period, step: width / 8 }, make(0));
    },
    expectFrom(first, { frames = 1, ...made }) {
      checkOptions(made);
      const skip = align(cycle, width / 8, first, frames);
      if (skip === null) return null;
      const step = first.length % cycle.length;
      const apart = step === 0 ? 1 : cycle.length / gcd(cycle.length, step);
      return new TapePattern({ name, ...made, period: apart, step }, make(skip));
    },
  };
}

/**
 * By how many bytes a cycle must be turned to be most like a frame; null when most words are wrong even
 * then, or too few are there to tell. Where two turns are as like it, as with walking bits in a frame that
 * does not hold both the first and the last, one that begins with a word is meant, of others none.
 */
function align(
  cycle: Uint8Array,
  word: number,
  first: Uint8Array,
  frames: number,
): number | null {
  const length = Math.min(first.length, COMPARED);
  let best = length;
  let found: number | null = null;
  for (let skip = 0; skip < cycle.length; skip++) {
    const lead = (word - skip % word) % word; // of a word that began in the frame before
    const words = Math.floor((length - lead) / word);
    let wrong = 0;
    let wrongWords = 0;
    let last = -1;
    for (let i = 0; i < length && wrong <= best && 2 * wrongWords < words; i++) {
      if (cycle[(skip + i) % cycle.length] === first[i]) continue;
      wrong++;
      const at = Math.floor((i - lead) / word);
      if (at > last && at < words) wrongWords++;
      last = at;
    }
    if (wrong > best || !tells(words - wrongWords, words, 8 * word, frames)) continue;
    if (wrong < best || lead === 0) found = skip;
    else if (found !== null && found % word !== 0) found = null;
    best = wrong;
  }
  return found;
}

/**
 * Whether words that agree tell where a pattern stands: most of them, and in all frames one more than
 * makes up 32 bits. Of the fewest that do, random bytes have as many by chance once in 2^24 frames or
 * less.
 */
function tells(agree: number, words: number, width: number, frames: number): boolean {
  return 2 * agree > words && agree * frames > Math.ceil(32 / width);
}

/**
 * Random bytes from a seed. Frame `s` begins 520 bytes after frame `s - 1`.
 *
 * @returns The pattern
 */
export function random(): PatternSpec {
  return {
    name: "random",
    create(made) {
      checkOptions(made);
      return new TapePattern(
        { name: "random", ...made, period: periodOf(2 ** 32), step: STEP * 8 },
        (bytes) => {
          const words = new Uint32Array(Math.ceil(bytes / 4));
          for (let i = 0; i < words.length; i++) words[i] = hash(i, ~made.seed);
          return new Uint8Array(words.buffer);
        },
      );
    },
  };
}

function checkWidth({ width = 64 }: WordOptions): number {
  if (Number.isInteger(width) && width % 8 === 0 && width >= 8 && width <= 1024) return width;
  throw new RangeError(`Expected width from 8 to 1024 bits, a multiple of 8, found ${width}`);
}
