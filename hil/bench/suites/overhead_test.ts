// SPDX-License-Identifier: MIT
/**
 * The overhead of Deno: the verifying loop in Deno, and the same loop in C. Runs alternate between the two, so
 * that a noisy machine disturbs both alike.
 */

import { Device } from "../../../driver/device.ts";
import { libc } from "../../../driver/libc.ts";
import { POLICIES } from "../../../driver/uapi.ts";
import { hil } from "../../../mod.ts";
import type { CaseContext } from "../../case/context.ts";
import { runLoop } from "../../frames/loop.ts";
import { frames, prove } from "../case.ts";
import { ifItFits } from "../memory.ts";
import { targetOf } from "../on_target.ts";
import { summarize } from "../../results/statistics.ts";

const RUNS = 5;

/** Bytes of one run, and limits for its number of frames. */
const BYTES = 32 * 2 ** 20;
const [LEAST, MOST] = [40, 2000];

const top = await hil();

/** Blocks that one system call moves in the loop that uses batches. */
const BATCH = 8;

// these are single tests, because --policy does not change the overhead
for (const size of [4096, 65536, 1048576]) {
  top.test(
    `overhead size=${size}`,
    { policy: "streaming-lazy", size, depth: size === 4096 ? 2 * BATCH : 4 },
    ifItFits(compare),
  );
}

async function compare(context: CaseContext): Promise<void> {
  const { device, size, depth, policy } = context;
  const { path, syscalls } = device;
  await prove(context);
  if (targetOf(device) !== null) {
    context.skip("the agent's loop is in C, and suite throughput measures it");
  }
  if (device.syscalls !== libc) context.skip("a program in C cannot reach the simulated board");
  if (context.devices.length > 1 || path !== "/dev/pldma0") {
    context.skip("the program in C opens /dev/pldma0 only");
  }
  const count = Math.max(LEAST, Math.min(MOST, Math.round(BYTES / size)));
  // only one process can open the device, so the two take turns
  device[Symbol.dispose]();
  const batch = Math.min(BATCH, depth / 2);
  const ours = (batch: number): number => {
    using own = Device.open({ path, syscalls });
    const loop = { policy, size, depth, frames: count, guarded: false, primed: false, batch };
    const report = runLoop(own, frames(context), loop);
    if (report.faults.length > 0 || report.timeout !== null) {
      throw new Error("The loop found faults");
    }
    return count * size / report.seconds / 1e6;
  };
  const theirs = (): number => count * size / inC(context, count) / 1e6;
  theirs();
  for (const each of [1, batch]) ours(each); // compiled, caches warm
  const [deno, batched, c]: [number[], number[], number[]] = [[], [], []];
  for (let run = 0; run < RUNS; run++) {
    deno.push(ours(1));
    batched.push(ours(batch));
    c.push(theirs());
  }
  const overC = (rates: readonly number[]) => rates.map((rate, run) => rate / (c[run] ?? NaN));
  const at = { size, depth };
  for (
    const [name, unit, samples] of [
      ["deno loop", "MB/s", deno],
      ["deno loop with batches", "MB/s", batched],
      ["c loop", "MB/s", c],
      ["deno over c", "ratio", overC(deno)],
      ["deno with batches over c", "ratio", overC(batched)],
    ] as const
  ) {
    const { value, spread } = summarize(samples);
    context.measure(name, value, unit, { at, spread });
  }
}

/** Seconds of one run of driver/kernel/tests/loop.c. */
function inC(context: CaseContext, count: number): number {
  const { policy, size, depth } = context;
  const args = [POLICIES.indexOf(policy), size, depth, count].map(String);
  let output: Deno.CommandOutput;
  try {
    output = new Deno.Command("loop", { args }).outputSync();
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    context.skip(
      "there is no program loop in the PATH: cc -O2 -Idriver/kernel/uapi -o loop " +
        "driver/kernel/tests/loop.c",
    );
  }
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes).trim();
  if (!output.success) throw new Error(`The loop in C failed: ${text(output.stderr)}`);
  return Number(text(output.stdout));
}
