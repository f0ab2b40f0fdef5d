// SPDX-License-Identifier: MIT
/**
 * Pictures in memory: formats with planes and padded lines, and what the pictures show.
 *
 * Formats are those of V4L2 (Linux, Documentation/userspace-api/media/v4l), with its names in brackets:
 *
 * - `rgb24` [RGB24]: R, G, B. `xrgb8888` [XBGR32]: B, G, R, 0.
 * - `yuyv` [YUYV]: Y, Cb, Y, Cr for two pixels.
 * - `nv12` [NV12], `nv16` [NV16]: a plane of Y, then a plane of Cb and Cr for every two pixels, and in `nv12`
 *   for every two lines.
 * - `bayer8` [SRGGB8]: one byte a pixel. Lines alternate R, G and G, B.
 * - `bayer10p` [SRGGB10P]: the same with 10 bits. Four bytes have the upper bits of four pixels, and a fifth
 *   one their lower two bits, those of the first pixel lowest.
 *
 * @module
 */

/** A format of pictures in memory. */
export type PixelFormat =
  | "rgb24"
  | "xrgb8888"
  | "yuyv"
  | "nv12"
  | "nv16"
  | "bayer8"
  | "bayer10p";

/** A colour: red, green, blue, 0 to 255. */
export type Rgb = readonly [red: number, green: number, blue: number];

/** Pixels and bytes that belong together in a line, and the rows of colour for each row of brightness. */
interface Layout {
  /** Pixels of a unit. */
  readonly pixels: number;
  /** Bytes of a unit, in the first plane. */
  readonly bytes: number;
  /** Lines of colour in a second plane, as a part of the lines; 0 without one. */
  readonly colour: number;
}

const LAYOUTS: Readonly<Record<PixelFormat, Layout>> = {
  rgb24: { pixels: 1, bytes: 3, colour: 0 },
  xrgb8888: { pixels: 1, bytes: 4, colour: 0 },
  yuyv: { pixels: 2, bytes: 4, colour: 0 },
  nv12: { pixels: 2, bytes: 2, colour: 0.5 },
  nv16: { pixels: 2, bytes: 2, colour: 1 },
  bayer8: { pixels: 2, bytes: 2, colour: 0 },
  bayer10p: { pixels: 4, bytes: 5, colour: 0 },
};

/** How pictures are stored. */
export interface PictureFormat {
  /** Pixels of a line. */
  readonly width: number;
  /** Number of lines. */
  readonly height: number;
  /** The bytes of a pixel. */
  readonly format: PixelFormat;
  /** Bytes from the start of a line to that of the next one. Defaults to lines without padding. */
  readonly stride?: number;
}

/** Where the parts of a picture are. */
export interface Geometry {
  /** The format. */
  readonly format: PixelFormat;
  /** Pixels of a line. */
  readonly width: number;
  /** Number of lines. */
  readonly height: number;
  /** Bytes from the start of a line to the start of the next one. */
  readonly stride: number;
  /** Bytes of the whole picture. */
  readonly size: number;
  /** Pixels of a unit: what is painted begins and ends at a multiple of it. */
  readonly unit: number;
}

/**
 * Computes where the parts of a picture are.
 *
 * @param format The format
 * @param width Pixels of a line
 * @param height Number of lines
 * @param stride Bytes from line to line. Defaults to those of a line without padding
 * @returns The geometry
 * @throws {RangeError} If the format does not allow the width, the height or the stride
 */
export function geometry(
  format: PixelFormat,
  width: number,
  height: number,
  stride?: number,
): Geometry {
  const layout = LAYOUTS[format];
  if (layout === undefined) {
    throw new RangeError(
      `Expected a format, one of ${Object.keys(LAYOUTS).join(", ")}; found ${format}`,
    );
  }
  const { pixels, bytes, colour } = layout;
  if (width % pixels !== 0) {
    throw new RangeError(
      `Expected a width that is a multiple of ${pixels} for ${format}, found ${width}`,
    );
  }
  const rows = colour === 0.5 || format.startsWith("bayer") ? 2 : 1;
  if (height % rows !== 0) {
    throw new RangeError(`Expected an even height for ${format}, found ${height}`);
  }
  const line = width / pixels * bytes;
  const step = stride ?? line;
  if (!Number.isSafeInteger(step) || step < line || step > 1 << 20) {
    throw new RangeError(
      `Expected a stride from ${line}, the bytes of a line, to ${1 << 20}, found ${step}`,
    );
  }
  const size = step * height * (1 + colour);
  return { format, width, height, stride: step, size, unit: pixels };
}

/**
 * Paints a part of a picture.
 *
 * @param target The bytes of the picture; what does not fit is left out
 * @param geometry Where its parts are
 * @param part The part, pixels: `left` and `width` are multiples of the unit, `top` and `height` even where the
 * format has squares of pixels
 * @param colour Returns the colour of a pixel of the picture
 */
export function paint(
  target: Uint8Array,
  { format, height: lines, stride }: Geometry,
  part: {
    readonly left: number;
    readonly top: number;
    readonly width: number;
    readonly height: number;
  },
  colour: (x: number, y: number) => Rgb,
): void {
  const right = part.left + part.width;
  for (let y = part.top; y < part.top + part.height; y++) {
    for (let x = part.left; x < right; x++) {
      const rgb = colour(x, y);
      const line = y * stride;
      switch (format) {
        case "rgb24":
          put(target, line + 3 * x, rgb);
          break;
        case "xrgb8888":
          put(target, line + 4 * x, [rgb[2], rgb[1], rgb[0], 0]);
          break;
        case "yuyv":
          target[line + 2 * x] = luma(rgb);
          // the colour of two pixels is that of the first one
          if (x % 2 === 0) {
            target[line + 2 * x + 1] = cb(rgb);
            target[line + 2 * x + 3] = cr(rgb);
          }
          break;
        case "nv12":
        case "nv16": {
          target[line + x] = luma(rgb);
          if (x % 2 !== 0 || (format === "nv12" && y % 2 !== 0)) break;
          const row = format === "nv12" ? y / 2 : y;
          put(target, stride * lines + row * stride + x, [cb(rgb), cr(rgb)]);
          break;
        }
        case "bayer8":
          target[line + x] = filtered(rgb, x, y);
          break;
        case "bayer10p": {
          const value = Math.round(filtered(rgb, x, y) * 1023 / 255);
          const unit = line + Math.floor(x / 4) * 5;
          target[unit + x % 4] = value >> 2;
          const shift = 2 * (x % 4);
          const low = target[unit + 4] ?? 0;
          target[unit + 4] = (low & ~(3 << shift)) | ((value & 3) << shift);
        }
      }
    }
  }
}

function put(target: Uint8Array, at: number, bytes: readonly number[]): void {
  for (let i = 0; i < bytes.length; i++) target[at + i] = bytes[i] ?? 0;
}

// BT.601, as in Recommendation ITU-R BT.601-7, 2.5.3

function luma([r, g, b]: Rgb): number {
  return Math.round(16 + (65.481 * r + 128.553 * g + 24.966 * b) / 255);
}

function cb([r, g, b]: Rgb): number {
  return Math.round(128 + (-37.797 * r - 74.203 * g + 112 * b) / 255);
}

function cr([r, g, b]: Rgb): number {
  return Math.round(128 + (112 * r - 93.786 * g - 18.214 * b) / 255);
}

/** What a sensor pixel behind its colour filter sees: red, green in the even lines; green, blue in the odd ones. */
function filtered([r, g, b]: Rgb, x: number, y: number): number {
  if (x % 2 !== y % 2) return g;
  return y % 2 === 0 ? r : b;
}
