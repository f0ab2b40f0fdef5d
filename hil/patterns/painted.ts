// SPDX-License-Identifier: MIT
/**
 * What patterns of pictures share: one frame in memory, which is repainted for another number, and the colours
 * of the test card.
 *
 * @module
 */

import type { Pattern } from "./pattern.ts";
import type { Rgb } from "./picture.ts";
import { makeTags, POISON_CLASS } from "./tags.ts";

/** The colour of a bit of the counter that is one, and of the mark. */
export const WHITE: Rgb = [255, 255, 255];

/** The colour of a bit of the counter that is zero. */
export const BLACK: Rgb = [0, 0, 0];

const BARS: readonly Rgb[] = [
  WHITE,
  [255, 255, 0],
  [0, 255, 255],
  [0, 255, 0],
  [255, 0, 255],
  [255, 0, 0],
  [0, 0, 255],
  BLACK,
];

/** The counter, in pixels: a bit in each column. */
export const COUNTER = { left: 0, top: 0, width: 32, height: 8 } as const;

/**
 * Returns the colour of a colour bar.
 *
 * @param x Column of the pixel
 * @param width Width of the picture
 * @returns The colour
 */
export function bar(x: number, width: number): Rgb {
  return BARS[Math.floor(x * 8 / width)] ?? BLACK;
}

/**
 * Returns the colour of the ramp below the bars.
 *
 * @param x Column of the pixel
 * @param width Width of the picture
 * @returns A grey
 */
export function ramp(x: number, width: number): Rgb {
  return grey(Math.floor(x * 256 / width));
}

/**
 * Returns a grey.
 *
 * @param value 0 (black) to 255 (white)
 * @returns The colour
 */
export function grey(value: number): Rgb {
  return [value, value, value];
}

/**
 * Tells whether a line shows the ramp, and not the bars.
 *
 * @param y The line
 * @param height Height of the picture
 * @returns Whether it is in the last quarter
 */
export function isRamp(y: number, height: number): boolean {
  return y >= height * 3 / 4;
}

/** A pattern that keeps one frame in memory. */
export abstract class PaintedPattern implements Pattern {
  readonly name = "video";
  readonly seed: number;
  readonly maxLength: number;
  readonly period = 2 ** 32;
  readonly #poison: Uint8Array<ArrayBuffer>;
  #sequence = -1;
  /** The view that {@linkcode body} returned last. To make one takes as long as to copy a kilobyte. */
  #view: Uint8Array<ArrayBuffer> = new Uint8Array(0);

  /** @param made Seed, and bytes of the longest frame */
  constructor({ seed, maxLength }: { seed: number; maxLength: number }) {
    this.seed = seed;
    this.maxLength = maxLength;
    this.#poison = makeTags(seed, POISON_CLASS, Math.ceil(maxLength / 8));
  }

  /** The frame that was painted last, at least `maxLength` bytes. */
  protected abstract readonly frame: Uint8Array<ArrayBuffer>;

  /**
   * Paints what differs between two frames.
   *
   * @param sequence Number of the frame
   * @param before Number of the frame that is painted now, or null for the card alone
   */
  protected abstract paint(sequence: number, before: number | null): void;

  body(sequence: number, length: number): Uint8Array<ArrayBuffer> {
    if (length !== this.#view.length) {
      if (length > this.maxLength) {
        throw new RangeError(`Expected at most ${this.maxLength} bytes, found ${length}`);
      }
      this.#view = this.frame.subarray(0, length);
    }
    if (sequence !== this.#sequence) {
      this.paint(sequence, this.#sequence < 0 ? null : this.#sequence);
      this.#sequence = sequence;
    }
    return this.#view;
  }

  stamp(): null {
    return null;
  }

  write(target: Uint8Array, sequence: number): void {
    target.set(this.body(sequence, target.length));
  }

  poison(offset: number, length: number): Uint8Array<ArrayBuffer> {
    return this.#poison.subarray(offset, offset + length);
  }
}
