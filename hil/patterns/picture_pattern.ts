// SPDX-License-Identifier: MIT
/**
 * Video frames in any format, with padded lines, and with another test card.
 *
 * A frame shows what those of `video.ts` show: the card, the counter and the mark. The mark begins at a whole
 * unit of the format. Padding is zero.
 *
 * @module
 */

import { bar, BLACK, COUNTER, grey, isRamp, PaintedPattern, ramp, WHITE } from "./painted.ts";
import { type Geometry, paint, type Rgb } from "./picture.ts";

/** What a picture shows behind the counter and the mark. */
export type TestCard = "bars" | "zone-plate";

/** The colour of a pixel of a card. */
const CARDS: Readonly<
  Record<TestCard, (x: number, y: number, width: number, height: number) => Rgb>
> = {
  bars: (x, y, width, height) => isRamp(y, height) ? ramp(x, width) : bar(x, width),
  // rings that become finer with their distance from the middle, up to one pixel at the nearer edges
  "zone-plate": (x, y, width, height) => {
    const square = (x - width / 2) ** 2 + (y - height / 2) ** 2;
    return grey(Math.round(127.5 + 127.5 * Math.cos(Math.PI * square / Math.min(width, height))));
  },
};

/** Keeps the card and one frame in memory. To make another frame, it repaints the mark and the counter. */
export class PicturePattern extends PaintedPattern {
  readonly #geometry: Geometry;
  readonly #card: (x: number, y: number) => Rgb;
  readonly #picture: Uint8Array<ArrayBuffer>;
  /** As many pictures as the longest frame has; the only one if that is not more. */
  protected readonly frame: Uint8Array<ArrayBuffer>;
  readonly #side: number;

  /**
   * @param made Seed and longest frame
   * @param geometry The format of a picture
   * @param card What it shows
   * @throws {RangeError} If the card is unknown
   */
  constructor(made: { seed: number; maxLength: number }, geometry: Geometry, card: TestCard) {
    super(made);
    const colour = CARDS[card];
    if (colour === undefined) {
      throw new RangeError(
        `Expected a card, one of ${Object.keys(CARDS).join(", ")}; found ${card}`,
      );
    }
    const { width, height, size } = geometry;
    this.#geometry = geometry;
    this.#card = (x, y) => colour(x, y, width, height);
    this.#side = Math.min(16, 2 * Math.floor(Math.min(height, width) / 2));
    this.#picture = new Uint8Array(size);
    paint(this.#picture, geometry, { left: 0, top: 0, width, height }, this.#card);
    this.frame = made.maxLength > size ? new Uint8Array(made.maxLength) : this.#picture;
  }

  protected paint(sequence: number, before: number | null): void {
    const geometry = this.#geometry;
    const picture = this.#picture;
    if (before !== null) paint(picture, geometry, this.#mark(before), this.#card);
    paint(picture, geometry, this.#mark(sequence), () => WHITE);
    const number = sequence % 2 ** 32;
    paint(
      picture,
      geometry,
      { ...COUNTER, height: Math.min(COUNTER.height, geometry.height) },
      (x) => (number >>> x) & 1 ? WHITE : BLACK,
    );
    const frame = this.frame;
    if (frame === picture) return;
    for (let at = 0; at < frame.length; at += picture.length) {
      frame.set(picture.subarray(0, frame.length - at), at);
    }
  }

  /** Where the mark of a frame is. */
  #mark(sequence: number): { left: number; top: number; width: number; height: number } {
    const { width, height, unit, format } = this.#geometry;
    const side = this.#side;
    const left = (4 * sequence) % (width - side + 1);
    const top = (2 * sequence) % (height - side + 1);
    const [across, down] = [Math.max(2, unit), squares(format) ? 2 : 1];
    return {
      left: across * Math.floor(left / across),
      top: down * Math.floor(top / down),
      width: side,
      height: side,
    };
  }
}

/** Whether pixels of two lines belong together. */
function squares(format: Geometry["format"]): boolean {
  return format === "nv12" || format.startsWith("bayer");
}
