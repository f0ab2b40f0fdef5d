// SPDX-License-Identifier: MIT
/**
 * Video frames: a test card with a moving mark and a frame counter.
 *
 * Lines follow each other without padding from top to bottom, and pixels from left to right. The card has
 * eight colour bars in the order of their brightness, and a ramp from black to white in its last quarter.
 * Frame `s` also shows
 *
 * - the counter: `s` modulo 2^32 in the 32 pixels at the top left. The least significant bit comes first.
 *   White is one, black is zero. The next 7 lines show the same, if the picture has them.
 * - the mark: a white square of 16 pixels (fewer in a smaller picture). It moves 4 pixels to the right and
 *   2 pixels down in each frame, and continues at the opposite edge. It does not cover the counter.
 *
 * A frame that is longer than a picture continues with the same picture. A shorter frame is cut off. A
 * frame of fewer than 32 pixels does not show all of the counter, so it equals other frames.
 *
 * @module
 */

import type { Pattern, PatternSpec } from "./pattern.ts";
import { checkOptions, makeTags, POISON_CLASS } from "./tags.ts";

/**
 * The bytes of a pixel. `rgb24`: R, G, B. `xrgb8888`: B, G, R, 0 (DRM XRGB8888). `yuyv`: Y, then Cb or Cr in
 * alternate pixels (4:2:2, V4L2 YUYV; BT.601, Y from 16 to 235).
 */
export type PixelFormat = "rgb24" | "xrgb8888" | "yuyv";

/** The format of a picture. */
export interface VideoOptions {
  /** Pixels of a line, an even number from 32 to 8192. Defaults to 1280. */
  readonly width?: number;
  /** Number of lines, 1 to 8192. Defaults to 720. */
  readonly height?: number;
  /** The bytes of a pixel. Defaults to `yuyv`. */
  readonly format?: PixelFormat;
}

type Rgb = readonly [number, number, number];

const BYTES: Readonly<Record<PixelFormat, number>> = { rgb24: 3, xrgb8888: 4, yuyv: 2 };
const WHITE: Rgb = [255, 255, 255];
const BLACK: Rgb = [0, 0, 0];
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
const COUNTER_BITS = 32;
const COUNTER_LINES = 8;

/**
 * A pattern of video frames.
 *
 * @param options The format of a picture
 * @returns The pattern
 * @throws {RangeError} If the width or the height is out of range
 */
export function video(options: VideoOptions = {}): PatternSpec {
  const { width = 1280, height = 720, format = "yuyv" } = options;
  if (!Number.isInteger(width) || width < COUNTER_BITS || width > 8192 || width % 2 !== 0) {
    throw new RangeError(`Expected an even width from 32 to 8192 pixels, found ${width}`);
  }
  if (!Number.isInteger(height) || height < 1 || height > 8192) {
    throw new RangeError(`Expected height from 1 to 8192 lines, found ${height}`);
  }
  return {
    name: "video",
    create: (made) => {
      checkOptions(made);
      return new VideoPattern(made, { width, height, format });
    },
  };
}

/** Keeps one frame in memory. To make another frame, it repaints the mark and the counter. */
class VideoPattern implements Pattern {
  readonly name = "video";
  readonly seed: number;
  readonly maxLength: number;
  readonly period = 2 ** 32;
  readonly #poison: Uint8Array<ArrayBuffer>;
  readonly #line: number;
  readonly #picture: number;
  readonly #card: Uint8Array<ArrayBuffer>;
  readonly #frame: Uint8Array<ArrayBuffer>;
  readonly #white: Uint8Array<ArrayBuffer>;
  readonly #black: Uint8Array<ArrayBuffer>;
  readonly #counter: Uint8Array<ArrayBuffer>;
  readonly #pixel: number;
  readonly #height: number;
  readonly #width: number;
  readonly #side: number;
  #sequence = -1;
  /** The number that the counter shows. */
  #counted = 0;

  constructor(made: { seed: number; maxLength: number }, shape: Required<VideoOptions>) {
    const { width, height, format } = shape;
    this.seed = made.seed;
    this.maxLength = made.maxLength;
    this.#poison = makeTags(made.seed, POISON_CLASS, Math.ceil(made.maxLength / 8));
    this.#pixel = BYTES[format];
    this.#width = width;
    this.#height = height;
    this.#line = width * this.#pixel;
    this.#picture = this.#line * height;
    this.#side = Math.min(16, height, width);
    this.#white = row(16, format, () => WHITE);
    this.#black = row(16, format, () => BLACK);
    this.#counter = row(COUNTER_BITS, format, () => BLACK);
    const bars = row(width, format, (x) => BARS[Math.floor(x * 8 / width)] ?? BLACK);
    const ramp = row(width, format, (x) => {
      const grey = Math.floor(x * 256 / width);
      return [grey, grey, grey];
    });
    const shown = Math.min(made.maxLength, this.#picture);
    this.#card = new Uint8Array(Math.ceil(shown / this.#line) * this.#line);
    for (let y = 0; y * this.#line < this.#card.length; y++) {
      this.#card.set(y >= height * 3 / 4 ? ramp : bars, y * this.#line);
    }
    this.#frame = new Uint8Array(made.maxLength);
    for (let at = 0; at < made.maxLength; at += this.#picture) {
      this.#frame.set(this.#card.subarray(0, made.maxLength - at), at);
    }
  }

  body(sequence: number, length: number): Uint8Array<ArrayBuffer> {
    if (length > this.maxLength) {
      throw new RangeError(`Expected at most ${this.maxLength} bytes, found ${length}`);
    }
    if (sequence !== this.#sequence) {
      for (let at = 0; at < this.maxLength; at += this.#picture) this.#paint(sequence, at);
      this.#sequence = sequence;
    }
    return this.#frame.subarray(0, length);
  }

  header(): null {
    return null;
  }

  write(target: Uint8Array, sequence: number): void {
    target.set(this.body(sequence, target.length));
  }

  poison(offset: number, length: number): Uint8Array<ArrayBuffer> {
    return this.#poison.subarray(offset, offset + length);
  }

  /** Paints what differs between frames in one picture. */
  #paint(sequence: number, picture: number): void {
    if (this.#sequence >= 0) this.#mark(this.#sequence, picture, null);
    this.#mark(sequence, picture, this.#white);
    this.#count(sequence % 2 ** 32);
    const lines = this.#lines(picture, 0, COUNTER_LINES);
    for (let y = 0; y < lines; y++) this.#copy(this.#counter, picture + y * this.#line);
  }

  /** Paints the pixels of the counter whose bits changed. */
  #count(number: number): void {
    for (let left = (number ^ this.#counted) >>> 0; left !== 0;) {
      const bit = 31 - Math.clz32(left);
      left = (left & ~(1 << bit)) >>> 0;
      // black and white have no colour, so their pixels are equal in 4:2:2, too
      const pixel = (number >>> bit) & 1 ? this.#white : this.#black;
      for (let i = 0; i < this.#pixel; i++) this.#counter[bit * this.#pixel + i] = pixel[i] ?? 0;
    }
    this.#counted = number;
  }

  /** The line after `many` lines from `top` on, limited to the picture and to the frame. */
  #lines(picture: number, top: number, many: number): number {
    const shown = Math.ceil((this.maxLength - picture) / this.#line);
    return Math.min(top + many, this.#height, shown);
  }

  /** Paints the mark of a frame; without a colour, paints the card where the mark was. */
  #mark(sequence: number, picture: number, colour: Uint8Array | null): void {
    const columns = this.#width - this.#side + 1;
    const rows = this.#height - this.#side + 1;
    const left = 2 * Math.floor((4 * sequence) % columns / 2);
    const top = (2 * sequence) % rows;
    const end = this.#lines(picture, top, this.#side);
    for (let y = top; y < end; y++) {
      const at = y * this.#line + left * this.#pixel;
      const bytes = this.#side * this.#pixel;
      const source = colour === null
        ? this.#card.subarray(at, at + bytes)
        : colour.subarray(0, bytes);
      this.#copy(source, picture + at);
    }
  }

  #copy(source: Uint8Array, to: number): void {
    const room = this.#frame.length - to;
    if (room >= source.length) this.#frame.set(source, to);
    else if (room > 0) this.#frame.set(source.subarray(0, room), to);
  }
}

/** Paints one line. */
function row(
  width: number,
  format: PixelFormat,
  colour: (x: number) => Rgb,
): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(width * BYTES[format]);
  for (let x = 0; x < width; x++) {
    const [r, g, b] = colour(x);
    if (format === "rgb24") bytes.set([r, g, b], 3 * x);
    else if (format === "xrgb8888") bytes.set([b, g, r, 0], 4 * x);
    else {
      // BT.601, as in Recommendation ITU-R BT.601-7, 2.5.3
      const y = 16 + (65.481 * r + 128.553 * g + 24.966 * b) / 255;
      const [r2, g2, b2] = colour(x & ~1);
      const chroma = x % 2 === 0
        ? 128 + (-37.797 * r2 - 74.203 * g2 + 112 * b2) / 255
        : 128 + (112 * r2 - 93.786 * g2 - 18.214 * b2) / 255;
      bytes.set([Math.round(y), Math.round(chroma)], 2 * x);
    }
  }
  return bytes;
}
