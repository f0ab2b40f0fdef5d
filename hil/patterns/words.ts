// SPDX-License-Identifier: MIT
/**
 * Patterns of words: counters, walking bits, checkerboards, and other patterns that stress the lines of a
 * bus.
 *
 * Words are little-endian. Frame `s` begins at word `(s mod period) * 65` of the pattern; with walking
 * bits, at word `s mod period`. The frames of a generator follow each other without a gap; see
 * {@linkcode PatternSpec.expectFrom}.
 *
 * @module
 */

import { cyclic, isEnough } from "./cycles.ts";
import type { PatternSpec } from "./pattern.ts";
import { gcd, periodOf, STEP, StreamPattern, TapePattern } from "./tape.ts";
import { checkOptions, hash } from "./tags.ts";

/** Bits of a word of a counter. */
export type CounterWidth = 8 | 16 | 32 | 64;

/** Options of a counter. */
export interface CounterOptions {
  /** Bits of a word. Defaults to 32. */
  readonly width?: CounterWidth;
  /** The first word of frame 0, 0 to 2^width - 1. Defaults to 0. */
  readonly start?: bigint;
  /** Difference from word to word, 1 to 2^width - 1. Defaults to 1. */
  readonly step?: bigint;
}

/** The width of the bus. A word has the same width. */
export interface WordOptions {
  /** Bits of a word, a multiple of 8 from 8 to 1024. Defaults to 64. */
  readonly width?: number;
}

/** Words at the start of a frame that vote for the value of a counter. */
const VOTERS = 4096;

/**
 * A counter: word `i` holds `start + i * step` modulo `2^width`.
 *
 * @param options Width, start and step
 * @returns The pattern
 * @throws {RangeError} If the start or the step is out of range
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
 * Address in address: each 64-bit word contains its own address. The address is the offset from the start of
 * frame 0, as if each frame began 520 bytes after the one before.
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

/** Writes words that count from `start`. The target is aligned to 8 bytes. */
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
 * Finds the value of a counter at the start of a frame. Each word votes for the first value that would lead
 * to it, and the value with most votes wins. The frame begins `phase` bytes after the start of a word with
 * `value`.
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
    const lead = phase === 0 ? 0 : 1; // skips a word that began in the frame before
    const words = Math.min(VOTERS, Math.floor((first.length + phase) / bytes)) - lead;
    for (let i = 0; i < words; i++) {
      const at = (i + lead) * bytes - phase;
      const word = width === 64
        ? view.getBigUint64(at, true)
        : BigInt(width === 32 ? view.getUint32(at, true) : narrow(view, at, bytes));
      const value = BigInt.asUintN(width, word - BigInt(i + lead) * step);
      const now = (votes.get(value) ?? 0) + 1;
      votes.set(value, now);
      if (now > best && isEnough(now, words, width, frames)) {
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
 * A walking one: in word `i`, only bit `i` modulo the width is set.
 *
 * @param options The width of a word
 * @returns The pattern
 */
export function walkingOnes(options: WordOptions = {}): PatternSpec {
  return walking("walking-ones", options, 0);
}

/**
 * A walking zero: in word `i`, only bit `i` modulo the width is clear.
 *
 * @param options The width of a word
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
 * A checkerboard: words of 0x55... and 0xaa... alternate, so each bit differs from its neighbours in the
 * word and in the words before and after. All frames are the same.
 *
 * @param options The width of a word
 * @returns The pattern
 */
export function checkerboard(options: WordOptions = {}): PatternSpec {
  return alternating("checkerboard", options, 0x55, 0xaa);
}

/**
 * The inverted checkerboard: words of 0xaa... and 0x55... alternate. All frames are the same.
 *
 * @param options The width of a word
 * @returns The pattern
 */
export function checkerboardInverse(options: WordOptions = {}): PatternSpec {
  return alternating("checkerboard-inverse", options, 0xaa, 0x55);
}

/**
 * Simultaneous switching: words of zeros and of ones alternate, so all bits toggle at the same time in the
 * same direction. All frames are the same.
 *
 * @param options The width of a word
 * @returns The pattern
 */
export function switching(options: WordOptions = {}): PatternSpec {
  return alternating("switching", options, 0x00, 0xff);
}

/**
 * All bits are zero. All frames are the same.
 *
 * @returns The pattern
 */
export function zeros(): PatternSpec {
  return cyclic("zeros", new Uint8Array(1), { width: 8, period: 1 });
}

/**
 * All bits are one. All frames are the same.
 *
 * @returns The pattern
 */
export function ones(): PatternSpec {
  return cyclic("ones", Uint8Array.of(0xff), { width: 8, period: 1 });
}

function alternating(name: string, options: WordOptions, even: number, odd: number): PatternSpec {
  const width = checkWidth(options);
  const bytes = width / 8;
  const cycle = new Uint8Array(2 * bytes).fill(even, 0, bytes).fill(odd, bytes);
  return cyclic(name, cycle, { width, period: 1 });
}

/**
 * Random bytes. The seed decides them. Frame `s` begins 520 bytes after frame `s - 1`.
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
  throw new RangeError(`Expected width to be a multiple of 8 from 8 to 1024 bits, found ${width}`);
}
