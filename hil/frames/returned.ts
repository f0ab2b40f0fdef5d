// SPDX-License-Identifier: MIT
/**
 * The frames that come back from a loopback design, or from one that transforms.
 *
 * What a design makes of a frame is computed when the frame is sent: once for each frame, in order. So the
 * function that computes it may keep state, as a filter does. Frames are kept until no block can hold
 * them any more.
 *
 * @module
 */

import type { Pattern } from "../patterns/pattern.ts";
import type { ExpectedFrame, LoopFlowOptions } from "./options.ts";
import type { FrameReport } from "./report.ts";
import { paddedWords, type SidebandFrame } from "./sideband.ts";

/** The frames that come back for one frame that was sent. */
export interface Due {
  /** Number of the first one, from 0. */
  readonly first: number;
  /** How many there are. */
  readonly count: number;
}

/** The frames that come back from a design. */
export interface Returned {
  /** Their pattern. It is the pattern that was sent, unless the design transforms. */
  readonly pattern: Pattern;
  /** Bytes of the longest. */
  readonly size: number;
  /** The largest number of frames that come back for one. */
  readonly most: number;
  /**
   * Whether the number of frames that come back for one depends on its data: the test gave `returns`, or the
   * numbers differed so far.
   */
  readonly isCountVariable: boolean;
  /**
   * A frame is sent.
   *
   * @param sequence Its number. Numbers come in order
   * @returns What comes back for it
   */
  send(sequence: number): Due;
  /**
   * Finds what comes back for a frame that was sent and not taken yet.
   *
   * @param sequence Its number
   * @returns What comes back for it
   */
  due(sequence: number): Due;
  /**
   * A frame is taken, with all that came back for it.
   *
   * @param sequence Its number. Numbers come in order
   */
  taken(sequence: number): void;
  /**
   * Gets the length of a frame that comes back.
   *
   * @param number Its number, counted among all that come back
   * @returns Bytes; 0 if it is not known, because it was not sent yet or was long ago
   */
  length(number: number): number;
  /**
   * Gets the words that must come beside a frame.
   *
   * @param number Its number, counted among all that come back
   * @returns Four words; null if they do not matter
   */
  words(number: number): readonly number[] | null;
}

/**
 * Returns the frames that must come back from a loop.
 *
 * @param pattern The frames that are sent
 * @param options Their lengths, and what the design makes of a frame
 * @param keep How many frames before the last one are asked for
 * @returns The frames that must come back
 * @throws {RangeError} If `expect` returns a frame without bytes
 */
export function returnedFrames(
  pattern: Pattern,
  options: Pick<LoopFlowOptions, "size" | "lengthOf" | "expect" | "room" | "returns" | "sideband">,
  keep: () => number,
): Returned {
  const { size, lengthOf = () => size, expect, room, returns, sideband } = options;
  if (expect !== undefined) {
    const buffer = new Uint8Array(size);
    const make = (sequence: number) => {
      const sent = buffer.subarray(0, lengthOf(sequence));
      pattern.write(sent, sequence);
      return expect(sent, sequence, paddedWords(sideband?.(sequence) ?? []));
    };
    const varies = options.lengthOf !== undefined || returns !== undefined;
    const isCountVariable = returns !== undefined;
    return new Computed(pattern, make, { size, room, returns, isCountVariable, varies, keep });
  }
  const one = (sequence: number): Due => ({ first: sequence, count: 1 });
  return {
    ...{ pattern, size, most: 1, isCountVariable: false, send: one, due: one },
    taken: () => {},
    length: lengthOf,
    words: (number) => sideband === undefined ? null : paddedWords(sideband(number)),
  };
}

/**
 * Returns the frames that must come from a generator.
 *
 * @param base The pattern whose poison and seed they have
 * @param options `size`: bytes of the longest; `lengthOf`: bytes of each; `make`: makes them
 * @param keep How many frames before the last one are asked for
 * @returns The frames
 */
export function generatedFrames(
  base: Pick<Pattern, "seed" | "maxLength" | "poison">,
  options: {
    readonly size: number;
    readonly lengthOf: (sequence: number) => number;
    readonly make: ExpectedFrame;
  },
  keep: () => number,
): Returned {
  const { size, lengthOf, make } = options;
  const frame = (sequence: number) => make(sequence, lengthOf(sequence));
  const count = { returns: 1, isCountVariable: false };
  return new Computed(base, frame, { size, room: size, ...count, varies: true, keep });
}

/**
 * Says in a report whether the number of frames that come back depends on the data.
 *
 * @param returned The frames that come back
 * @returns What the report has of it
 */
export function countOf({ isCountVariable }: Returned): Pick<FrameReport, "isCountVariable"> {
  return isCountVariable ? { isCountVariable } : {};
}

/** Whether somebody returned bytes, or bytes with words. */
function isFrame(made: unknown): made is Uint8Array | SidebandFrame {
  return made instanceof Uint8Array ||
    (made as Partial<SidebandFrame> | null | undefined)?.data instanceof Uint8Array;
}

/** Frames that a function computes. */
class Computed implements Returned {
  readonly pattern: Pattern;
  readonly size: number;
  readonly most: number;
  readonly #make: (sequence: number) => unknown;
  readonly #keep: () => number;
  /** What comes back for frames that are under way. */
  readonly #due = new Map<number, Due>();
  /** Frames that come back, by their numbers, in order. */
  readonly #frames = new Map<number, Uint8Array<ArrayBuffer>>();
  /** The words beside them, where they matter. */
  readonly #words = new Map<number, readonly number[]>();
  #computed = 0;
  #returned = 0;
  /** How many frames came back for the first one. */
  readonly #firstCount: number;
  #isCountVariable: boolean;

  constructor(
    base: Pick<Pattern, "seed" | "maxLength" | "poison">,
    make: (sequence: number) => unknown,
    { size, room, returns, isCountVariable, varies, keep }: {
      readonly size: number;
      readonly room: number | undefined;
      readonly returns: number | undefined;
      readonly isCountVariable: boolean;
      /** Whether later frames may be longer than the first one. */
      readonly varies: boolean;
      readonly keep: () => number;
    },
  ) {
    this.#make = make;
    this.#keep = keep;
    this.most = returns ?? Infinity;
    this.size = room ?? Infinity;
    this.#isCountVariable = isCountVariable;
    const { count } = this.#compute();
    this.#firstCount = count;
    const lengths = [...this.#frames.values()].map(({ length }) => length);
    this.most = returns ?? Math.max(1, count);
    this.size = room ?? Math.max(...lengths, ...(varies || count !== 1 ? [size] : []));
    this.pattern = {
      name: "expect",
      seed: base.seed,
      maxLength: Math.max(base.maxLength, this.size),
      period: Infinity,
      body: (number, length) => {
        const known = this.#frames.get(number);
        if (known?.length === length) return known;
        const bytes = new Uint8Array(length);
        bytes.set(known?.subarray(0, length) ?? []);
        return bytes;
      },
      stamp: () => null,
      write: (target, number) => target.set(this.pattern.body(number, target.length)),
      poison: (offset, length) => base.poison(offset, length),
    };
  }

  get isCountVariable(): boolean {
    return this.#isCountVariable;
  }

  send(sequence: number): Due {
    if (sequence === this.#computed) this.#compute();
    const due = this.due(sequence);
    this.#isCountVariable ||= due.count !== this.#firstCount;
    return due;
  }

  due(sequence: number): Due {
    const due = this.#due.get(sequence);
    if (due === undefined) throw new Error(`Expected frame ${sequence} to be under way`);
    return due;
  }

  taken(sequence: number): void {
    const { first } = this.due(sequence);
    this.#due.delete(sequence);
    const oldest = first - this.#keep();
    for (const number of this.#frames.keys()) {
      if (number >= oldest) break;
      this.#frames.delete(number);
      this.#words.delete(number);
    }
  }

  length(number: number): number {
    return this.#frames.get(number)?.length ?? 0;
  }

  words(number: number): readonly number[] | null {
    return this.#words.get(number) ?? null;
  }

  /** Computes what comes back for the next frame. */
  #compute(): Due {
    const sequence = this.#computed++;
    const result = this.#make(sequence);
    const frames = Array.isArray(result) ? result : [result];
    if (!frames.every(isFrame)) {
      throw new TypeError(
        `Expected a Uint8Array from expect() for frame ${sequence}, or { data, sideband }, or an array of ` +
          `them; found ${result}`,
      );
    }
    if (frames.length > this.most) {
      throw new RangeError(
        `Expected at most ${this.most} frames from expect() for frame ${sequence}, found ` +
          `${frames.length}: set returns to the largest number of frames that come back for one`,
      );
    }
    const due = { first: this.#returned, count: frames.length };
    for (const frame of frames) this.#add(frame, sequence);
    this.#due.set(sequence, due);
    return due;
  }

  #add(made: Uint8Array | SidebandFrame, sequence: number): void {
    const frame = made instanceof Uint8Array ? made : made.data;
    if (!(made instanceof Uint8Array)) this.#words.set(this.#returned, paddedWords(made.sideband));
    const { length } = frame;
    if (length === 0) throw new RangeError("Expected a frame from expect(), found 0 bytes");
    if (length > this.size) {
      throw new RangeError(
        `Expected at most ${this.size} bytes from expect() for frame ${sequence}, found ${length}: ` +
          "set room to the longest frame that comes back",
      );
    }
    this.#frames.set(this.#returned++, new Uint8Array(frame));
  }
}
