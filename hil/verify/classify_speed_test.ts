// SPDX-License-Identifier: MIT
import { assert } from "@std/assert";
import { patternNamed } from "../patterns/mod.ts";
import { classify } from "./classify.ts";
import { Sources } from "./sources.ts";

/** Comparisons of a byte with a source so far, in all frames. They are most of the work. */
let compared = 0;
for (const name of ["matches", "isCorrect"] as const) {
  const method = Sources.prototype[name] as (...args: unknown[]) => boolean;
  Sources.prototype[name] = function (this: Sources, ...args: unknown[]) {
    compared++;
    return method.apply(this, args);
  };
}

/**
 * Frame 100 of a pattern; of a generator in the design (prbs31); or of a design that transforms frames.
 * `look` classifies what was received in its place, and counts the frames that this generates.
 */
function frame100(from: string, length: number) {
  const options = { seed: 1, maxLength: length + 64 };
  const spec = patternNamed(from === "generator" ? "prbs31" : from === "design" ? "random" : from);
  const plain = spec.create(options);
  const pattern = from === "generator"
    ? spec.expectFrom?.(plain.body(5, length), options) ?? plain
    : plain;
  let generated = 0;
  const body = pattern.body.bind(pattern);
  pattern.body = (sequence, length) => {
    generated++;
    return body(sequence, length);
  };
  const frame = (sequence: number) => {
    const bytes = new Uint8Array(length);
    pattern.write(bytes, sequence);
    return from === "design" ? bytes.map((byte) => ~byte) : bytes;
  };
  const expected = frame(100);
  const context = { pattern, rxHeld: 96, txHeld: 96, ...(from === "design" && { frameOf: frame }) };
  const look = (received: Uint8Array) => {
    const before = generated;
    const start = compared;
    const faults = classify(
      { sequence: 100, expected, received, moved: length, txCheck: 1, rxCheck: 2 },
      context,
    );
    assert(faults.length > 0 && faults.length < 100);
    return { generated: generated - before, compared: compared - start };
  };
  return { frame, expected, look };
}

const ORIGINS = ["tagged", "video", "generator", "design"];

/** Ways to damage all of a frame, whatever its length. */
const DAMAGES: Record<string, (byte: number, at: number, noise: number) => number> = {
  "whole garbage": (_byte, _at, noise) => noise,
  "a bit of each byte": (_byte, _at, noise) => noise & 1,
  "a bit here and there": (byte, at) => at % 50 === 0 ? byte ^ (1 << (at & 7)) : byte,
  "lines of one byte": (_byte, at) => at >> 6 & 0xff,
};

function damaged(expected: Uint8Array): [string, Uint8Array][] {
  const { length } = expected;
  const noise = patternNamed("random").create({ seed: 2, maxLength: length }).body(0, length);
  return Object.entries(DAMAGES).map(([kind, by]) => [
    kind,
    expected.map((byte, at) => by(byte, at, noise[at] ?? 0)),
  ]);
}

Deno.test("classify() generates few other frames, however much of a frame is wrong", () => {
  const length = 1 << 16; // 1024 lines
  for (const from of ORIGINS) {
    const { frame, expected, look } = frame100(from, length);
    const flipped = expected.slice();
    for (let i = 0; i < 300; i++) flipped[i * 217] = (flipped[i * 217] ?? 0) ^ (1 << (i & 7));
    // the previous content of the blocks, once with stuck bits masked and once without
    const { generated } = look(flipped);
    assert(generated <= 2, `300 bits, ${from}: ${generated}`);
    const wrong = damaged(expected);
    if (from === "tagged") {
      const lines = expected.slice();
      for (let at = 0; at < length; at += 64) {
        lines.set(frame(101 + at / 64).subarray(at, at + 64), at);
      }
      wrong.push(["each line of another frame, as its words say", lines]);
    }
    for (const [kind, received] of wrong) {
      const { generated } = look(received);
      assert(generated <= 2 * 512, `${kind}, ${from}: ${generated}`);
    }
  }
});

Deno.test("classify() compares bytes in proportion to the length of a frame, even if it is garbage", () => {
  for (const from of ORIGINS) {
    const [small, large] = [1 << 12, 1 << 16].map((length) => {
      const { expected, look } = frame100(from, length);
      return damaged(expected).map(([, received]) => look(received).compared);
    });
    for (const [i, kind] of Object.keys(DAMAGES).entries()) {
      const [short, long] = [small?.[i] ?? NaN, large?.[i] ?? NaN];
      // 16 times the length may need 32 times the work; an algorithm with quadratic costs would need 256 times
      assert(short >= 1 << 12, `${from}, ${kind}: ${short}`);
      assert(long <= 2 * 16 * short, `${from}, ${kind}: ${short} for 4 KiB, ${long} for 64 KiB`);
    }
  }
});
