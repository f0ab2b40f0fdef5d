// SPDX-License-Identifier: MIT
import { assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { percentile, summarize, takeSamples, uncertainty } from "./statistics.ts";

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

/** A clock that goes on by a step at each sample. */
function clock(stepMs: number): { now: () => number; take: () => number; calls: () => number } {
  let calls = 0;
  return { now: () => calls * stepMs * 1e6, take: () => ++calls, calls: () => calls };
}

Deno.test("takeSamples() leaves out the warm-up and ends with the time", () => {
  const { now, take, calls } = clock(10);
  const samples = takeSamples({ now, seconds: 1 }, take);
  assertEquals([samples[0], samples.at(-1)], [11, 100]); // a tenth of 100 calls warmed up
  assertEquals(calls(), 100);
});

Deno.test("takeSamples() takes the least number on a slow board, but not for ever", () => {
  const slow = clock(300);
  assertEquals(takeSamples({ now: slow.now, seconds: 1 }, slow.take).length, 5);
  const hopeless = clock(4000);
  assertEquals(takeSamples({ now: hopeless.now, seconds: 1 }, hopeless.take).length, 2);
  const fast = clock(0.001);
  assertEquals(takeSamples({ now: fast.now, seconds: 1, most: 50 }, fast.take).length, 50);
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
