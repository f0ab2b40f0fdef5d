// SPDX-License-Identifier: MIT
import { assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import {
  distribution,
  percentile,
  scale,
  summarize,
  takeSamples,
  timeCalls,
  uncertainty,
} from "./statistics.ts";

Deno.test("percentile() interpolates between neighbours, and gives the ends", () => {
  const sorted = [10, 20, 30, 40, 50];
  assertEquals([0, 25, 50, 95, 100].map((p) => percentile(sorted, p)), [10, 20, 30, 48, 50]);
  assertEquals(percentile([7], 95), 7);
});

Deno.test("percentile() refuses no samples, and percentages that are none", () => {
  assertThrows(() => percentile([], 50), RangeError, "at least one sample");
  for (const percent of [-1, 101, NaN]) {
    assertThrows(() => percentile([1], percent), RangeError, "0 to 100");
  }
});

Deno.test("summarize() gives median, ends and number, whatever the order, and leaves the samples", () => {
  const samples = Array.from({ length: 21 }, (_, i) => 1 + (i * 8) % 21); // 1 to 21, mixed
  const before = [...samples];
  assertEquals(summarize(samples), {
    value: 11,
    spread: { samples: 21, min: 1, p5: 2, p95: 20, max: 21 },
  });
  assertEquals(samples, before);
  assertEquals(summarize([9, 10]).value, 9.5); // as numbers, not as texts
  assertThrows(() => summarize([]), RangeError);
  assertThrows(() => summarize([1, NaN]), RangeError, "found NaN");
});

Deno.test("distribution() leaves out points that a few samples make", () => {
  const of = (count: number) =>
    distribution(Array.from({ length: count }, (_, i) => (i * 7) % count + 1));
  assertEquals(of(19), []);
  assertEquals(of(51), [[25, 13.5], [50, 26], [75, 38.5]]);
  const points = (count: number) => of(count).map(([percent]) => percent);
  assertEquals(points(200), [5, 25, 50, 75, 90, 95]);
  assertEquals(points(9990), [1, 5, 25, 50, 75, 90, 95, 99]);
  assertEquals(points(10_001).at(-1), 99.9);
});

Deno.test("scale() multiplies the figure and how it lay, and leaves the number of samples", () => {
  const spread = { samples: 3, min: 10, p5: 11, p95: 29, max: 30 };
  assertEquals(scale({ value: 20, spread }, 10), {
    value: 200,
    spread: { samples: 3, min: 100, p5: 110, p95: 290, max: 300 },
  });
});

/** A clock that goes on by a step at each sample, on a machine whose other threads do nothing. */
function clock(stepMs: number) {
  let calls = 0;
  const now = () => calls * stepMs * 1e6;
  return { quiet: { now, others: () => 0 }, take: () => ++calls, calls: () => calls };
}

Deno.test("takeSamples() leaves out the warm-up and ends with the time", () => {
  const { quiet, take, calls } = clock(10);
  const samples = takeSamples({ ...quiet, seconds: 1 }, take);
  assertEquals([samples[0], samples.at(-1)], [11, 110]); // a tenth of 100 calls warmed up before
  assertEquals(calls(), 110);
});

Deno.test("takeSamples() warms up until the compiler is quiet", () => {
  const { quiet, take } = clock(10);
  const spent = [0, 1e6, 1e6, 2e6, 2e6, 2e6]; // busy in the first two looks, quiet in the third
  const others = () => spent.shift() ?? NaN;
  const [first] = takeSamples({ ...quiet, others, seconds: 1 }, take);
  assertEquals([first, spent.length], [31, 0]);
});

Deno.test("timeCalls() times short calls many at once, and long ones alone", () => {
  const of = (stepMs: number) => {
    const { quiet, take, calls } = clock(stepMs);
    const times = timeCalls({ ...quiet, seconds: 1, most: 20 }, take);
    const warm = 2 * Math.ceil(100 / stepMs);
    return [times.length, Math.round(times[0] ?? NaN), (calls() - warm) / times.length];
  };
  assertEquals(of(0.5), [20, 500_000, 1]);
  assertEquals(of(0.001), [20, 1000, 100]);
});

Deno.test("takeSamples() takes the least number on a slow board, but not for ever", () => {
  const slow = clock(300);
  assertEquals(takeSamples({ ...slow.quiet, seconds: 1 }, slow.take).length, 5);
  const hopeless = clock(4000);
  assertEquals(takeSamples({ ...hopeless.quiet, seconds: 1 }, hopeless.take).length, 3);
  const fast = clock(0.001);
  assertEquals(takeSamples({ ...fast.quiet, seconds: 1, most: 50 }, fast.take).length, 50);
});

Deno.test("uncertainty() shrinks with the root of the number of samples", () => {
  const spread = { samples: 100, min: 0, p5: 10, p95: 42.9, max: 50 };
  assertAlmostEquals(uncertainty(spread), 2 * 1.2533 * 10 / 10, 1e-9);
  assertAlmostEquals(
    uncertainty({ ...spread, samples: 400 }),
    uncertainty(spread) / 2,
    1e-9,
  );
  assertEquals(uncertainty(undefined), 0);
});
