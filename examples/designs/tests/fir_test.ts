// SPDX-License-Identifier: MIT
// A filter of 8 taps over 16-bit samples. It keeps its delay line from frame to frame, rounds, and saturates. The
// test computes the exact result, and allows the design to round either way: 1 LSB.
import { assertIntact, designs, hil, patterns, tolerance } from "@plumbline/hil";

type Bytes = Uint8Array<ArrayBuffer>;

/** The taps, as signed numbers with 15 bits after the point. */
const TAPS = [-512, 1024, 6144, 9728, 9728, 6144, 1024, -512];

const samplesOf = (frame: Bytes) => new Int16Array(frame.slice().buffer);
const saturate = (value: number) => Math.max(-32768, Math.min(32767, value));

/** What the filter should do, in exact numbers. */
function exact(): (frame: Bytes) => Bytes {
  const line = TAPS.map(() => 0);
  return (frame) =>
    new Uint8Array(
      samplesOf(frame).map((sample) => {
        line.unshift(sample);
        line.pop();
        const sum = TAPS.reduce((sum, tap, i) => sum + tap * (line[i] ?? 0), 0);
        return saturate(Math.round(sum / 2 ** 15));
      }).buffer,
    );
}

/** A model of the logic, which drops the bits after the point. It runs on the simulated board. */
function logic(): (frame: Bytes) => Bytes {
  const line = TAPS.map(() => 0);
  return (frame) =>
    new Uint8Array(
      samplesOf(frame).map((sample) => {
        line.unshift(sample);
        line.pop();
        const sum = TAPS.reduce((sum, tap, i) => sum + tap * (line[i] ?? 0), 0);
        return saturate(Math.floor(sum / 2 ** 15));
      }).buffer,
    );
}

const top = await hil({ bitstream: "fir.bit", design: designs.transform(logic) });

top.matrix(
  "filter",
  { policy: ["coherent", "streaming", "none"], size: [64, 4096], pattern: patterns.random() },
  async ({ loop }) =>
    assertIntact(
      await loop.run({
        frames: 50,
        expect: exact(),
        compare: tolerance.lsb(1, { sample: "int16" }),
      }),
    ),
);
