// SPDX-License-Identifier: MIT
// A camera pipeline: raw Bayer pictures in, NV12 pictures out. Each square of four sensor pixels becomes one colour. The
// test computes it in exact numbers, and demands a signal-to-noise ratio of 45 dB.
import { assertIntact, designs, hil, patterns, tolerance } from "@plumbline/hil";

type Bytes = Uint8Array<ArrayBuffer>;
type Rgb = readonly [red: number, green: number, blue: number];

const [WIDTH, HEIGHT] = [320, 240];
const RAW = WIDTH * HEIGHT;

/** Turns a raw picture into NV12, with one function for the brightness and the colour of a square. */
function develop(raw: Bytes, encode: (rgb: Rgb) => readonly [y: number, cb: number, cr: number]) {
  const nv12 = new Uint8Array(RAW * 3 / 2);
  const pixel = (at: number) => raw[at] ?? 0;
  for (let y = 0; y < HEIGHT; y += 2) {
    for (let x = 0; x < WIDTH; x += 2) {
      const at = y * WIDTH + x;
      const green = (pixel(at + 1) + pixel(at + WIDTH)) / 2;
      const [luma, cb, cr] = encode([pixel(at), green, pixel(at + WIDTH + 1)]);
      nv12.fill(luma, at, at + 2);
      nv12.fill(luma, at + WIDTH, at + WIDTH + 2);
      nv12.set([cb, cr], RAW + y / 2 * WIDTH + x);
    }
  }
  return nv12;
}

/** BT.601 in exact numbers (Recommendation ITU-R BT.601-7, 2.5.3). */
const exact = (raw: Bytes) =>
  develop(raw, ([r, g, b]) => [
    Math.round(16 + (65.481 * r + 128.553 * g + 24.966 * b) / 255),
    Math.round(128 + (-37.797 * r - 74.203 * g + 112 * b) / 255),
    Math.round(128 + (112 * r - 93.786 * g - 18.214 * b) / 255),
  ]);

/** A model of the logic, with coefficients of 8 bits. It runs on the simulated board. */
const logic = () => (raw: Bytes) =>
  develop(raw, ([r, g, b]) => [
    16 + ((66 * r + 129 * g + 25 * b) >> 8),
    128 + ((-38 * r - 74 * g + 112 * b) >> 8),
    128 + ((112 * r - 94 * g - 18 * b) >> 8),
  ]);

const top = await hil({ bitstream: "camera.bit", design: designs.transform(logic) });

const picture = { width: WIDTH, height: HEIGHT, format: "bayer8" } as const;

top.matrix(
  "picture",
  { policy: ["streaming", "none"], size: [RAW], depth: [2], pattern: patterns.video(picture) },
  async ({ loop }) =>
    assertIntact(
      await loop.run({
        frames: 8,
        expect: exact,
        compare: tolerance.psnr(45),
        // a wrong picture is attached to the results, with the expected one and their difference
        picture: { width: WIDTH, height: HEIGHT, format: "nv12" },
      }),
    ),
);
