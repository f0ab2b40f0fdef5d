// SPDX-License-Identifier: MIT
/**
 * Pictures for people: a frame in any format as a PNG file.
 *
 * Formats: PNG (W3C, Portable Network Graphics, third edition), 8 bits for each of red, green and blue, without
 * filters. Colours of YCbCr by BT.601 (Recommendation ITU-R BT.601-7, 2.5.3).
 *
 * @module
 */

import { crc32, deflateSync } from "node:zlib";
import type { Geometry } from "./picture.ts";

/** How much a difference is amplified, so that a small one is seen. */
const GAIN = 4;

/**
 * Decodes a picture.
 *
 * @param bytes The picture; what is missing is black
 * @param geometry Where its parts are
 * @returns Red, green and blue of each pixel, in lines from the top, without padding
 */
export function decodePicture(bytes: Uint8Array, geometry: Geometry): Uint8Array<ArrayBuffer> {
  const { format, width, height, stride } = geometry;
  const rgb = new Uint8Array(width * height * 3);
  const at = (place: number) => bytes[place] ?? 0;
  const raw = (x: number, y: number) =>
    format === "bayer8"
      ? at(y * stride + x)
      // the lower two bits make no difference to a person
      : at(y * stride + Math.floor(x / 4) * 5 + x % 4);
  for (let y = 0; y < height; y++) {
    const line = y * stride;
    for (let x = 0; x < width; x++) {
      const to = 3 * (y * width + x);
      const even = x & ~1;
      switch (format) {
        case "rgb24":
          for (let i = 0; i < 3; i++) rgb[to + i] = at(line + 3 * x + i);
          break;
        case "xrgb8888":
          for (let i = 0; i < 3; i++) rgb[to + i] = at(line + 4 * x + 2 - i);
          break;
        case "yuyv":
          colour(rgb, to, at(line + 2 * x), at(line + 2 * even + 1), at(line + 2 * even + 3));
          break;
        case "nv12":
        case "nv16": {
          const row = stride * height + (format === "nv12" ? y >> 1 : y) * stride + even;
          colour(rgb, to, at(line + x), at(row), at(row + 1));
          break;
        }
        default: {
          // the four sensor pixels of a square make one colour
          const top = y & ~1;
          rgb[to] = raw(even, top);
          rgb[to + 1] = (raw(even + 1, top) + raw(even, top + 1)) >> 1;
          rgb[to + 2] = raw(even + 1, top + 1);
        }
      }
    }
  }
  return rgb;
}

/** Stores the colour of a pixel of YCbCr. */
function colour(rgb: Uint8Array, to: number, y: number, cb: number, cr: number): void {
  const [luma, blue, red] = [255 / 219 * (y - 16), 255 / 112 * (cb - 128), 255 / 112 * (cr - 128)];
  const values = [
    luma + 0.701 * red,
    luma - 0.886 * 0.114 / 0.587 * blue - 0.701 * 0.299 / 0.587 * red,
    luma + 0.886 * blue,
  ];
  values.forEach((value, i) => rgb[to + i] = Math.max(0, Math.min(255, Math.round(value))));
}

/**
 * Shows where two pictures differ.
 *
 * @param one Red, green and blue of each pixel
 * @param other As many bytes
 * @returns The distance of each value, amplified; black where they are equal
 */
export function differenceOf(one: Uint8Array, other: Uint8Array): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(
    one,
    (value, i) => Math.min(255, GAIN * Math.abs(value - (other[i] ?? 0))),
  );
}

/**
 * Makes a PNG file.
 *
 * @param rgb Red, green and blue of each pixel
 * @param width Pixels of a line
 * @param height Number of lines
 * @returns The file
 */
export function encodePng(rgb: Uint8Array, width: number, height: number): Uint8Array<ArrayBuffer> {
  const lines = new Uint8Array((3 * width + 1) * height); // each line begins with its filter: none
  for (let y = 0; y < height; y++) {
    lines.set(rgb.subarray(3 * width * y, 3 * width * (y + 1)), (3 * width + 1) * y + 1);
  }
  const head = new Uint8Array(13);
  const view = new DataView(head.buffer);
  view.setUint32(0, width);
  view.setUint32(4, height);
  head.set([8, 2], 8); // 8 bits, colour
  const parts = [
    Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a),
    chunk("IHDR", head),
    chunk("IDAT", new Uint8Array(deflateSync(lines))),
    chunk("IEND", new Uint8Array()),
  ];
  const file = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    file.set(part, at);
    at += part.length;
  }
  return file;
}

function chunk(type: string, data: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(data.length + 12);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, data.length);
  bytes.set(new TextEncoder().encode(type), 4);
  bytes.set(data, 8);
  view.setUint32(data.length + 8, crc32(bytes.subarray(4, data.length + 8)));
  return bytes;
}
