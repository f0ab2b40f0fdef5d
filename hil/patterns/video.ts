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

import { bar, BLACK, COUNTER, isRamp, PaintedPattern, ramp, WHITE } from "./painted.ts";
import type { PatternSpec } from "./pattern.ts";
import { geometry, type PixelFormat, type Rgb } from "./picture.ts";
import { PicturePattern, type TestCard } from "./picture_pattern.ts";
import { checkOptions } from "./tags.ts";

/** Formats whose frames are painted line by line, which is fast. */
type LineFormat = "rgb24" | "xrgb8888" | "yuyv";

/** The format of a picture. */
export interface VideoOptions {
  /** Pixels of a line, an even number from 32 to 8192. Defaults to 1280. */
  readonly width?: number;
  /** Number of lines, 1 to 8192. Defaults to 720. */
  readonly height?: number;
  /**
   * The format. `rgb24`: R, G, B. `xrgb8888`: B, G, R, 0 (DRM XRGB8888). `yuyv`: Y, then Cb or Cr in alternate
   * pixels (4:2:2). `nv12` and `nv16`: a plane of Y and one of Cb and Cr. `bayer8` and `bayer10p`: raw pixels
   * of a sensor, RGGB, of 8 bits or of 10 packed bits. Colours are BT.601, Y from 16 to 235. Defaults to
   * `yuyv`.
   */
  readonly format?: PixelFormat;
  /** Bytes from the start of a line to that of the next one. Defaults to lines without padding. */
  readonly stride?: number;
  /** What the picture shows: colour bars or a zone plate. Defaults to `bars`. */
  readonly card?: TestCard;
}

const BYTES: Readonly<Record<LineFormat, number>> = { rgb24: 3, xrgb8888: 4, yuyv: 2 };

/**
 * A pattern of video frames.
 *
 * @param options The format of a picture
 * @returns The pattern
 * @throws {RangeError} If the width or the height is out of range
 */
export function video(options: VideoOptions = {}): PatternSpec {
  const { width = 1280, height = 720, format = "yuyv" } = options;
  if (!Number.isInteger(width) || width < COUNTER.width || width > 8192 || width % 2 !== 0) {
    throw new RangeError(`Expected an even width from 32 to 8192 pixels, found ${width}`);
  }
  if (!Number.isInteger(height) || height < 1 || height > 8192) {
    throw new RangeError(`Expected height from 1 to 8192 lines, found ${height}`);
  }
  const { stride, card = "bars" } = options;
  const shape = geometry(format, width, height, stride);
  const isPlain = format === "rgb24" || format === "xrgb8888" || format === "yuyv";
  return {
    name: "video",
    create: (made) => {
      checkOptions(made);
      return isPlain && stride === undefined && card === "bars"
        ? new VideoPattern(made, { width, height, format })
        : new PicturePattern(made, shape, card);
    },
  };
}

/** The pictures that {@linkcode VideoPattern} paints. */
interface LineShape {
  readonly width: number;
  readonly height: number;
  readonly format: LineFormat;
}

/** Keeps one frame in memory. To make another frame, it repaints the mark and the counter. */
class VideoPattern extends PaintedPattern {
  readonly #line: number;
  readonly #picture: number;
  readonly #card: Uint8Array<ArrayBuffer>;
  protected readonly frame: Uint8Array<ArrayBuffer>;
  readonly #white: Uint8Array<ArrayBuffer>;
  readonly #black: Uint8Array<ArrayBuffer>;
  readonly #pixel: number;
  readonly #height: number;
  /** In how many columns and lines the mark can begin. */
  readonly #columns: number;
  readonly #rows: number;
  readonly #side: number;
  /** Where the mark of the painted frame begins. */
  #left = 0;
  #top = 0;
  /** The number that the counter shows. */
  #counted = 0;

  constructor(made: { seed: number; maxLength: number }, shape: LineShape) {
    super(made);
    const { width, height, format } = shape;
    this.#pixel = BYTES[format];
    this.#height = height;
    this.#line = width * this.#pixel;
    this.#picture = this.#line * height;
    this.#side = Math.min(16, height, width);
    this.#columns = width - this.#side + 1;
    this.#rows = height - this.#side + 1;
    this.#white = row(16, format, () => WHITE);
    this.#black = row(16, format, () => BLACK);
    const bars = row(width, format, (x) => bar(x, width));
    const greys = row(width, format, (x) => ramp(x, width));
    const shown = Math.min(made.maxLength, this.#picture);
    this.#card = new Uint8Array(Math.ceil(shown / this.#line) * this.#line);
    for (let y = 0; y * this.#line < this.#card.length; y++) {
      this.#card.set(isRamp(y, height) ? greys : bars, y * this.#line);
    }
    this.frame = new Uint8Array(made.maxLength);
    for (let at = 0; at < made.maxLength; at += this.#picture) {
      this.frame.set(this.#card.subarray(0, made.maxLength - at), at);
    }
  }

  protected paint(sequence: number, before: number | null): void {
    const left = (4 * sequence) % this.#columns & ~1;
    const top = (2 * sequence) % this.#rows;
    const number = sequence >>> 0;
    const covered = before === null || covers(this.#left, this.#top) || covers(left, top);
    for (let at = 0; at < this.maxLength; at += this.#picture) {
      if (before !== null) this.#paintMark(at, this.#left, this.#top, null);
      this.#paintMark(at, left, top, this.#white);
      this.#paintCounter(at, number, covered ? ~0 : number ^ this.#counted);
    }
    this.#left = left;
    this.#top = top;
    this.#counted = number;
  }

  /** Paints the pixels of the counter for some bits of a number. */
  #paintCounter(picture: number, number: number, bits: number): void {
    const frame = this.frame;
    const size = this.#pixel;
    const line = this.#line;
    const lines = Math.min(COUNTER.height, this.#height) * line;
    const end = Math.min(picture + lines, this.maxLength);
    for (let left = bits; left !== 0; left &= left - 1) {
      const bit = 31 - Math.clz32(left & -left);
      // black and white have no colour, so their pixels are equal in 4:2:2, too
      const pixel = (number >>> bit) & 1 ? this.#white : this.#black;
      for (let at = picture + bit * size; at < end; at += line) {
        for (let i = 0; i < size && at + i < end; i++) frame[at + i] = pixel[i] ?? 0;
      }
    }
  }

  /** Paints a mark that begins at a place; without a colour, paints the card there. */
  #paintMark(picture: number, left: number, top: number, colour: Uint8Array | null): void {
    const bytes = this.#side * this.#pixel;
    for (let y = 0; y < this.#side; y++) {
      const at = (top + y) * this.#line + left * this.#pixel;
      if (picture + at >= this.maxLength) return;
      const source = colour === null
        ? this.#card.subarray(at, at + bytes)
        : colour.subarray(0, bytes);
      this.#copy(source, picture + at);
    }
  }

  #copy(source: Uint8Array, to: number): void {
    const room = this.frame.length - to;
    if (room >= source.length) this.frame.set(source, to);
    else if (room > 0) this.frame.set(source.subarray(0, room), to);
  }
}

/** Whether a mark that begins at a place covers a part of the counter. */
function covers(left: number, top: number): boolean {
  return left < COUNTER.width && top < COUNTER.height;
}

/** Paints one line. */
function row(
  width: number,
  format: LineFormat,
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
