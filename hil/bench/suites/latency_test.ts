// SPDX-License-Identifier: MIT
/**
 * How long one frame takes from ENQUEUE to the caller's waking up with it, and a request that does
 * nothing.
 */

import { IOC, QUERY } from "../../../driver/uapi.ts";
import { hil } from "../../../mod.ts";
import { BlockSet } from "../../block_set.ts";
import type { CaseContext } from "../../case.ts";
import { frames, measureTime, prove, sampling } from "../case.ts";
import { percentile, summarize, takeSamples } from "../statistics.ts";

/** Points of a distribution. */
const PERCENTILES = [1, 5, 25, 50, 75, 90, 95, 99, 99.9];

/** Requests between two looks at the clock. */
const BATCH = 20;

const top = await hil();

top.test("ioctl round trip", async (context) => {
  const { device } = context;
  const { syscalls, fd } = device;
  const [block] = device.alloc({ direction: "tx", policy: "coherent", size: 64 });
  if (block === undefined) throw new Error("Expected a block");
  const argument = new Uint8Array(QUERY.size);
  new DataView(argument.buffer).setUint32(QUERY.at.id, block.id, true);
  const now = () => syscalls.monotonicNs();
  measureTime(context, "ioctl round trip", {}, () => {
    const start = now();
    for (let i = 0; i < BATCH; i++) syscalls.ioctl(fd, IOC.QUERY, argument);
    return (now() - start) / BATCH;
  });
  block.free();
  await prove(context);
});

top.matrix(
  "latency",
  { policy: ["coherent", "streaming", "streaming-lazy"], size: [64, 4096, 65536], depth: [1] },
  async (context) => {
    const { device, policy, size } = context;
    const now = () => device.syscalls.monotonicNs();
    const rxSet = new BlockSet(device, { direction: "rx", policy, size, count: 1 });
    const txSet = new BlockSet(device, { direction: "tx", policy, size, count: 1 });
    const [rx, tx] = [rxSet.of(0), txSet.of(0)];
    tx.set(frames(context).body(0, size));
    const wake: number[] = [];
    const whole = takeSamples({ ...sampling(context), seconds: 0.5, least: 50, most: 5000 }, () => {
      rx.enqueue();
      const start = now();
      tx.enqueue();
      const { doneNs } = device.dequeue("rx");
      const end = now();
      device.dequeue("tx");
      wake.push((end - doneNs) / 1000);
      return (end - start) / 1000;
    });
    tell(context, "completion latency", whole);
    tell(context, "wake-up latency", wake.slice(-whole.length));
    for (const set of [rxSet, txSet]) set[Symbol.dispose]();
    await prove(context);
  },
);

/** A figure with its distribution. */
function tell(context: CaseContext, name: string, samples: readonly number[]): void {
  const { size } = context;
  const { value, spread } = summarize(samples);
  context.measure(name, value, "µs", { at: { size }, spread });
  const sorted = samples.toSorted((a, b) => a - b);
  for (const percent of PERCENTILES) {
    const at = { size, percentile: percent };
    context.measure(name, percentile(sorted, percent), "µs", { at });
  }
}
