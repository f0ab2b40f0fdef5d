// SPDX-License-Identifier: MIT
import { assertEquals } from "@std/assert";
import { takeSamples, timeCalls } from "./sampling.ts";

/** A clock that goes on by a step at each sample, on a machine whose other threads do nothing. */
function clock(stepMs: number) {
  let calls = 0;
  const now = () => calls * stepMs * 1e6;
  return { quiet: { now, others: () => 0 }, take: () => ++calls, calls: () => calls };
}

Deno.test("takeSamples() drops the warm-up and ends with the time", () => {
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

Deno.test("timeCalls() batches short calls, and times long ones alone", () => {
  const of = (stepMs: number) => {
    const { quiet, take, calls } = clock(stepMs);
    const times = timeCalls({ ...quiet, seconds: 1, most: 20 }, take);
    const warm = 2 * Math.ceil(100 / stepMs);
    return [times.length, Math.round(times[0] ?? NaN), (calls() - warm) / times.length];
  };
  assertEquals(of(0.5), [20, 500_000, 1]);
  assertEquals(of(0.001), [20, 1000, 100]);
});

Deno.test("takeSamples() takes the smallest number on a slow board, within a limit", () => {
  const slow = clock(300);
  assertEquals(takeSamples({ ...slow.quiet, seconds: 1 }, slow.take).length, 5);
  const hopeless = clock(4000);
  assertEquals(takeSamples({ ...hopeless.quiet, seconds: 1 }, hopeless.take).length, 3);
  const fast = clock(0.001);
  assertEquals(takeSamples({ ...fast.quiet, seconds: 1, most: 50 }, fast.take).length, 50);
});
