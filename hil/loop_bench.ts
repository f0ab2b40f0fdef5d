// SPDX-License-Identifier: MIT
/**
 * Holds the loop of Deno against the same loop in C, and counts the syncs of the streaming policies.
 *
 * Run on a board, or in a guest:
 *
 *     deno task vm --arch aarch64 -- deno run -A hil/loop_bench.ts
 *
 * Needs the program `loop` (driver/kernel/tests/loop.c) in the PATH. Runs alternate between the two,
 * so that a noisy machine disturbs both alike. Only the ratio means something on a virtual board.
 *
 * @module
 */

import { Device } from "../driver/device.ts";
import { POLICIES, type PolicyName } from "../driver/uapi.ts";
import { runLoop } from "./loop.ts";
import { TaggedPattern } from "./patterns/tagged.ts";

const RUNS = 7;
const DEPTH = 4;
const SIZES = [4096, 65536, 1048576];
const POLICY: PolicyName = "streaming-lazy";

const pattern = new TaggedPattern({ seed: 1, maxLength: 1048576 });

/** Frames per second of one run in this process. */
function deno(size: number, frames: number, policy = POLICY): number {
  using device = Device.open();
  return loopOn(device, size, frames, policy);
}

function loopOn(device: Device, size: number, frames: number, policy: PolicyName): number {
  const result = runLoop(device, pattern, {
    policy,
    size,
    depth: DEPTH,
    frames,
    guarded: false,
    primed: false,
  });
  if (result.faults.length > 0 || result.timeout !== null) throw new Error("The loop has faults");
  return result.frames / result.seconds;
}

/** Frames per second of one run of the program in C. */
function c(size: number, frames: number): number {
  const args = [POLICIES.indexOf(POLICY), size, DEPTH, frames].map(String);
  const { success, stdout, stderr } = new Deno.Command("loop", { args }).outputSync();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  return frames / Number(new TextDecoder().decode(stdout));
}

function spread(values: number[]): { median: number; text: string } {
  const sorted = [...values].sort((a, b) => a - b);
  const median = sorted[sorted.length >> 1] ?? NaN;
  const format = (value: number) => value >= 100 ? value.toFixed(0) : value.toPrecision(3);
  const [low, high] = [sorted[0] ?? NaN, sorted.at(-1) ?? NaN];
  return { median, text: `${format(median)} (${format(low)} to ${format(high)})` };
}

console.log(
  `policy ${POLICY}, depth ${DEPTH}, ${RUNS} runs each, frames per second: median (range)`,
);
console.log("| frame | Deno | C | Deno / C |\n| ---: | ---: | ---: | ---: |");
for (const size of SIZES) {
  const frames = Math.max(100, Math.min(4000, Math.round(128e6 / size)));
  deno(size, frames); // compiled, caches warm
  c(size, frames);
  const [ours, theirs]: [number[], number[]] = [[], []];
  for (let run = 0; run < RUNS; run++) {
    ours.push(deno(size, frames));
    theirs.push(c(size, frames));
  }
  const [a, b] = [spread(ours), spread(theirs)];
  const ratios = spread(ours.map((value, run) => value / (theirs[run] ?? NaN)));
  console.log(`| ${size} | ${a.text} | ${b.text} | ${ratios.text} |`);
}

console.log("\nsync calls per frame, and bytes synced per payload byte (both directions)");
console.log("| policy | frame | calls | bytes |\n| --- | ---: | ---: | ---: |");
for (const policy of ["streaming", "streaming-lazy"] as const) {
  for (const size of SIZES) {
    using device = Device.open();
    const frames = 64;
    device.stats({ clear: true });
    loopOn(device, size, frames, policy);
    const { tx, rx } = device.stats();
    const kinds = ["forDevice", "forCpu"] as const;
    const costs = [tx, rx].flatMap((side) => kinds.map((kind) => side.cost[kind]));
    const calls = costs.reduce((sum, cost) => sum + cost.calls, 0) / frames;
    const bytes = costs.reduce((sum, cost) => sum + cost.bytes, 0) / (frames * size);
    console.log(`| ${policy} | ${size} | ${calls} | ${bytes} |`);
  }
}
