// SPDX-License-Identifier: MIT
/**
 * Compares writing and verifying frames with `memcpy` and `memcmp` of the same bytes.
 *
 *     deno bench -A hil/verify/verify_bench.ts
 *
 * "frame" writes a frame into mapped memory and compares it there, as a loop does at both ends of a
 * transfer. "memory" does the minimum: it copies the same view and calls `memcmp` once through the same
 * FFI. The table at the end comes from runs that alternate between the two, so that a busy machine
 * disturbs both in the same way.
 *
 * @module
 */

import { PATTERN_NAMES } from "../patterns/mod.ts";
import { Throughput } from "./testing/throughput.ts";

const SIZES = [4096, 65_536, 1_048_576, 4_194_304];

for (const size of SIZES) {
  const throughput = new Throughput("tagged", size);
  let sequence = 0;
  Deno.bench({
    name: `memory: memcpy and memcmp, ${size} bytes`,
    group: `${size}`,
    baseline: true,
    fn: () => {
      if (!throughput.memory(sequence++)) throw new Error("Expected equal bytes");
    },
  });
  Deno.bench({
    name: `frame: tagged, ${size} bytes`,
    group: `${size}`,
    fn: () => {
      if (!throughput.frame(sequence++)) throw new Error("Expected equal frames");
    },
  });
}

{
  using warm = new Throughput("tagged", 4096);
  warm.measure(40);
}
console.log(
  "rate of writing and verifying, divided by the rate of memcpy and memcmp: medians of 101 slices",
);
console.log(
  `| pattern | ${SIZES.map((size) => `${size / 1024} KiB`).join(" | ")} | MB/s at 1 MiB |`,
);
console.log(`| --- | ${SIZES.map(() => "---:").join(" | ")} | ---: |`);
for (const name of PATTERN_NAMES) {
  const results = SIZES.map((size) => {
    using throughput = new Throughput(name, size);
    return throughput.measure(101);
  });
  const rate = (results[2]?.bytesPerSecond ?? NaN) / 1e6;
  const shares = results.map(({ ratio }) => ratio.toFixed(2)).join(" | ");
  console.log(`| ${name} | ${shares} | ${rate.toFixed(0)} |`);
}
