// SPDX-License-Identifier: MIT
import { assert } from "@std/assert";
import { PATTERN_NAMES } from "../patterns/mod.ts";
import { Bout } from "./testing/bout.ts";

Deno.test("Every pattern is written and verified at the speed of memcpy and memcmp", () => {
  // verify_bench.ts measures 0.9 and more; another job on the machine may take some of that
  const slow: string[] = [];
  for (const name of PATTERN_NAMES) {
    using bout = new Bout(name, 1 << 18);
    let { ratio } = bout.ratio(21);
    if (ratio < 0.5) ratio = Math.max(ratio, bout.ratio(101).ratio);
    if (ratio < 0.5) slow.push(`${name}: ${ratio.toFixed(2)}`);
  }
  assert(slow.length === 0, `Expected 0.5 at least of the rate of memory, found ${slow}`);
});

Deno.test("Writing and verifying a frame allocates no more than its views", () => {
  const size = 1 << 16;
  using bout = new Bout("tagged", size);
  const frames = 5000;
  for (let sequence = 0; sequence < frames; sequence++) bout.proof(sequence);
  const before = Deno.memoryUsage();
  for (let sequence = 0; sequence < frames; sequence++) bout.proof(sequence);
  const after = Deno.memoryUsage();
  // views are some hundred bytes that the collector takes back; frames would be 328 MB
  const grown = Math.max(after.heapUsed - before.heapUsed, 0) +
    Math.max(after.external - before.external, 0);
  assert(grown < frames * size / 20, `Expected no copies of frames, found ${grown} bytes more`);
});
