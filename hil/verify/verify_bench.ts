// SPDX-License-Identifier: MIT
/**
 * Holds generating and verifying frames against `memcpy` and `memcmp` of the same bytes.
 *
 *     deno bench -A hil/verify/verify_bench.ts
 *
 * "proof" writes a frame into mapped memory and compares it there, as a loop does on both ends of a
 * transfer; "memory" does the bare minimum of that, by copying the same view and by one `memcmp` through
 * the same FFI. The table of ratios at the end comes from runs that alternate between the two, so that a
 * busy machine disturbs both alike.
 *
 * @module
 */

import { PATTERN_NAMES } from "../patterns/mod.ts";
import { Bout } from "./testing/bout.ts";

const SIZES = [4096, 65_536, 1_048_576, 4_194_304];

for (const size of SIZES) {
  const bout = new Bout("tagged", size);
  let sequence = 0;
  Deno.bench({
    name: `memory: memcpy and memcmp, ${size} bytes`,
    group: `${size}`,
    baseline: true,
    fn: () => {
      if (!bout.memory(sequence++)) throw new Error("Expected equal bytes");
    },
  });
  Deno.bench({
    name: `proof: tagged, ${size} bytes`,
    group: `${size}`,
    fn: () => {
      if (!bout.proof(sequence++)) throw new Error("Expected equal frames");
    },
  });
}

{
  using warm = new Bout("tagged", 4096);
  warm.ratio(40);
}
console.log("generate and verify, share of the rate of memcpy and memcmp: medians of 101 slices");
console.log(
  `| pattern | ${SIZES.map((size) => `${size / 1024} KiB`).join(" | ")} | MB/s at 1 MiB |`,
);
console.log(`| --- | ${SIZES.map(() => "---:").join(" | ")} | ---: |`);
for (const name of PATTERN_NAMES) {
  const results = SIZES.map((size) => {
    using bout = new Bout(name, size);
    return bout.ratio(101);
  });
  const rate = (results[2]?.bytesPerSecond ?? NaN) / 1e6;
  const shares = results.map(({ ratio }) => ratio.toFixed(2)).join(" | ");
  console.log(`| ${name} | ${shares} | ${rate.toFixed(0)} |`);
}
