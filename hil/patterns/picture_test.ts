// SPDX-License-Identifier: MIT
import { assert, assertEquals, assertThrows } from "@std/assert";
import { crc32, inflateSync } from "node:zlib";
import { patterns } from "./mod.ts";
import { geometry, type PixelFormat } from "./picture.ts";
import { PicturePattern } from "./picture_pattern.ts";
import { decodePicture, differenceOf, encodePng } from "./show_picture.ts";

const FORMATS: readonly PixelFormat[] = [
  ...["rgb24", "xrgb8888", "yuyv", "nv12", "nv16", "bayer8", "bayer10p"] as const,
];

/** Frames of 64 × 32 pixels. */
function frames(
  format: PixelFormat,
  more: { stride?: number; card?: "zone-plate" } = {},
  extra = 0,
) {
  const { size } = geometry(format, 64, 32, more.stride);
  const maxLength = size + extra;
  return patterns.video({ width: 64, height: 32, format, ...more }).create({ seed: 1, maxLength });
}

Deno.test("video() paints the same bytes pixel by pixel as line by line", () => {
  for (const format of ["rgb24", "xrgb8888", "yuyv"] as const) {
    const shape = geometry(format, 64, 32);
    const made = { seed: 1, maxLength: shape.size + 1000 };
    const lines = patterns.video({ width: 64, height: 32, format }).create(made);
    const pixels = new PicturePattern(made, shape, "bars");
    for (const sequence of [0, 1, 2, 13, 14, 3, 2 ** 31 + 5]) {
      assertEquals(
        pixels.body(sequence, made.maxLength),
        lines.body(sequence, made.maxLength),
        `${format} ${sequence}`,
      );
    }
  }
});

Deno.test("video() puts each format where V4L2 has it", () => {
  // this pixel is in the magenta bar, in every format
  const [x, y] = [36, 4];
  const at = (format: PixelFormat, ...places: number[]) => {
    const frame = frames(format).body(20, geometry(format, 64, 32).size);
    return places.map((place) => frame[place]);
  };
  const [luma, cb, cr] = [106, 202, 222]; // magenta in BT.601
  assertEquals(at("rgb24", (y * 64 + x) * 3, (y * 64 + x) * 3 + 1, (y * 64 + x) * 3 + 2), [
    255,
    0,
    255,
  ]);
  assertEquals(at("yuyv", (y * 64 + x) * 2, (y * 64 + x) * 2 + 1, (y * 64 + x) * 2 + 3), [
    luma,
    cb,
    cr,
  ]);
  assertEquals(at("nv12", y * 64 + x, 64 * 32 + y / 2 * 64 + x, 64 * 32 + y / 2 * 64 + x + 1), [
    luma,
    cb,
    cr,
  ]);
  assertEquals(at("nv16", y * 64 + x, 64 * 32 + y * 64 + x, 64 * 32 + y * 64 + x + 1), [
    luma,
    cb,
    cr,
  ]);
  // red and blue pixels are bright, and both green ones are dark
  const quad = [y * 64 + x, y * 64 + x + 1, (y + 1) * 64 + x, (y + 1) * 64 + x + 1];
  assertEquals(at("bayer8", ...quad), [255, 0, 0, 255]);
  // four pixels R G R G of 10 bits: 1023, 0, 1023, 0
  const unit = y * 80 + x / 4 * 5;
  assertEquals(at("bayer10p", unit, unit + 1, unit + 2, unit + 3, unit + 4), [
    255,
    0,
    255,
    0,
    0b00_11_00_11,
  ]);
  assertEquals(FORMATS.map((format) => geometry(format, 64, 32).size / (64 * 32)), [
    3,
    4,
    2,
    1.5,
    2,
    1,
    1.25,
  ]);
});

Deno.test("video() shows the number of each frame, in every format and with padded lines", () => {
  for (const format of FORMATS) {
    for (const stride of [undefined, 300]) {
      for (const card of [undefined, "zone-plate"] as const) {
        const more = {
          ...(stride === undefined ? {} : { stride }),
          ...(card === undefined ? {} : { card }),
        };
        const pattern = frames(format, more, 77);
        const { size } = geometry(format, 64, 32, stride);
        const seen = new Set<string>();
        for (const sequence of [0, 1, 2, 3, 4093, 2 ** 20, 2 ** 31]) {
          const frame = pattern.body(sequence, size + 77);
          seen.add(frame.toHex());
          assertEquals(
            frame.subarray(size),
            frame.slice(0, 77),
            "a longer frame goes on with the same picture",
          );
        }
        assertEquals(seen.size, 7, format);
        // going back gives the same bytes
        const first = frames(format, more).body(1, size).slice();
        assertEquals(pattern.body(1, size), first);
        if (stride !== undefined) {
          const line = geometry(format, 64, 32).stride;
          for (let y = 0; y < size / 300; y++) {
            assertEquals(
              first.subarray(y * 300 + line, (y + 1) * 300).every((byte) => byte === 0),
              true,
            );
          }
        }
      }
    }
  }
  assertEquals(frames("bayer8", { card: "zone-plate" }).body(0, 64 * 32)[16 * 64 + 32], 255);
});

Deno.test("video() refuses a picture that its format cannot have, and says what would do", () => {
  const wrong = (options: Parameters<typeof patterns.video>[0], text: string) =>
    assertThrows(
      () => patterns.video(options).create({ seed: 1, maxLength: 100 }),
      RangeError,
      text,
    );
  wrong({ format: "nv12", width: 64, height: 31 }, "an even height for nv12, found 31");
  wrong({ format: "bayer10p", width: 66 }, "a multiple of 4 for bayer10p, found 66");
  wrong({ format: "nv16", width: 64, stride: 63 }, "a stride from 64");
  wrong({ format: "nv13" as "nv12" }, "one of rgb24, ");
  wrong({ card: "cat" as "bars" }, "one of bars, zone-plate");
});

Deno.test("encodePng() and decodePicture() show the colours of every format", () => {
  for (const format of FORMATS) {
    for (const stride of [undefined, 300]) {
      const shape = geometry(format, 64, 32, stride);
      const frame = frames(format, stride === undefined ? {} : { stride }).body(0, shape.size);
      const rgb = decodePicture(frame, shape);
      const pixel = (
        x: number,
        y: number,
      ) => [...rgb.subarray(3 * (64 * y + x), 3 * (64 * y + x) + 3)];
      // the magenta bar and the yellow one; YCbCr rounds
      for (const [x, due] of [[36, [255, 0, 255]], [10, [255, 255, 0]]] as const) {
        const off = pixel(x, 20).map((value, i) => Math.abs(value - (due[i] ?? 0)));
        assert(Math.max(...off) <= 3, `${format}: ${pixel(x, 20)}`);
      }
      const file = encodePng(rgb, 64, 32);
      assertEquals(file.subarray(1, 4), new TextEncoder().encode("PNG"));
      // the data between the fixed parts unpack to lines that begin with a zero
      const size = new DataView(file.buffer).getUint32(33);
      const lines = new Uint8Array(inflateSync(file.subarray(41, 41 + size)));
      assertEquals(lines.length, 32 * (3 * 64 + 1));
      assertEquals(lines.subarray(193 + 1, 2 * 193), rgb.subarray(192, 2 * 192));
      assertEquals(
        new DataView(file.buffer).getUint32(41 + size),
        crc32(file.subarray(37, 41 + size)),
      );
    }
  }
  assertEquals(
    differenceOf(Uint8Array.of(1, 90, 7), Uint8Array.of(3, 0, 7)),
    Uint8Array.of(8, 255, 0),
  );
});
