// SPDX-License-Identifier: MIT
import { assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { distribution, percentile, scale, summarize, uncertainty } from "./statistics.ts";

Deno.test("percentile() interpolates between neighbours, and returns the ends exactly", () => {
  const sorted = [10, 20, 30, 40, 50];
  assertEquals([0, 25, 50, 95, 100].map((p) => percentile(sorted, p)), [10, 20, 30, 48, 50]);
  assertEquals(percentile([7], 95), 7);
});

Deno.test("percentile() refuses an empty list and percentages that are out of range", () => {
  assertThrows(() => percentile([], 50), RangeError, "at least one sample");
  for (const percent of [-1, 101, NaN]) {
    assertThrows(() => percentile([1], percent), RangeError, "0 to 100");
  }
});

Deno.test("summarize() does not depend on the order of the samples, and does not change them", () => {
  const samples = Array.from({ length: 21 }, (_, i) => 1 + (i * 8) % 21); // 1 to 21, mixed
  const before = [...samples];
  assertEquals(summarize(samples), {
    value: 11,
    spread: { samples: 21, min: 1, p5: 2, p95: 20, max: 21 },
  });
  assertEquals(samples, before);
  assertEquals(summarize([9, 10]).value, 9.5); // sorted as numbers, not as strings
  assertThrows(() => summarize([]), RangeError);
  assertThrows(() => summarize([1, NaN]), RangeError, "found NaN");
});

Deno.test("distribution() omits percentiles that depend on fewer than ten samples", () => {
  const percentiles = (count: number) =>
    distribution(Array.from({ length: count }, (_, i) => (i * 7) % count + 1));
  assertEquals(percentiles(19), []);
  assertEquals(percentiles(51), [[25, 13.5], [50, 26], [75, 38.5]]);
  const points = (count: number) => percentiles(count).map(([percent]) => percent);
  assertEquals(points(200), [5, 25, 50, 75, 90, 95]);
  assertEquals(points(9990), [1, 5, 25, 50, 75, 90, 95, 99]);
  assertEquals(points(10_001).at(-1), 99.9);
});

Deno.test("scale() multiplies the median and the spread, but not the number of samples", () => {
  const spread = { samples: 3, min: 10, p5: 11, p95: 29, max: 30 };
  assertEquals(scale({ value: 20, spread }, 10), {
    value: 200,
    spread: { samples: 3, min: 100, p5: 110, p95: 290, max: 300 },
  });
});

Deno.test("uncertainty() halves with four times as many samples", () => {
  const spread = { samples: 100, min: 0, p5: 10, p95: 42.9, max: 50 };
  assertAlmostEquals(uncertainty(spread), 2 * 1.2533 * 10 / 10, 1e-9);
  assertAlmostEquals(
    uncertainty({ ...spread, samples: 400 }),
    uncertainty(spread) / 2,
    1e-9,
  );
  assertEquals(uncertainty(undefined), 0);
});
