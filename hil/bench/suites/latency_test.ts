// SPDX-License-Identifier: MIT
/**
 * The time of one frame from ENQUEUE until the caller wakes up with it, and the time of an ioctl that does
 * nothing.
 */

import type { Block } from "../../../driver/block.ts";
import type { Remote } from "../../../driver/remote.ts";
import { DEQUEUE, type Direction, IOC, QUERY } from "../../../driver/uapi.ts";
import { hil } from "../../../mod.ts";
import { BlockSet, blockSize } from "../../frames/block_set.ts";
import type { CaseContext } from "../../case/context.ts";
import { frames, measureTime, prove, sampling } from "../case.ts";
import { ifItFits } from "../memory.ts";
import { recordCalls, recordsOf, sample, targetOf } from "../on_target.ts";
import { takeSamples } from "../sampling.ts";
import { distribution, summarize } from "../../results/statistics.ts";

/** More samples than elsewhere, because the outermost point of a distribution needs them. */
const SAMPLES = { seconds: 0.5, least: 50, most: 20_000 };

const top = await hil();

top.test("ioctl round trip", async (context) => {
  const { device } = context;
  const { syscalls, fd } = device;
  const [block] = device.alloc({ direction: "tx", policy: "coherent", size: 64 });
  if (block === undefined) throw new Error("Expected a block");
  const argument = new Uint8Array(QUERY.size);
  new DataView(argument.buffer).setUint32(QUERY.at.id, block.id, true);
  measureTime(context, "ioctl round trip", {}, () => syscalls.ioctl(fd, IOC.QUERY, argument));
  block.free();
  await prove(context);
});

top.matrix(
  "latency",
  { policy: ["coherent", "streaming", "streaming-lazy"], size: [64, 4096, 65536], depth: [1] },
  ifItFits(async (context) => {
    const { device, policy, size: length } = context;
    const now = () => device.syscalls.monotonicNs();
    const one = { policy, size: blockSize(device, length), count: 1 } as const;
    const rxSet = new BlockSet(device, { direction: "rx", ...one });
    const txSet = new BlockSet(device, { direction: "tx", ...one });
    const [rx, tx] = [rxSet.of(0), txSet.of(0)];
    tx.set(frames(context).body(0, length));
    const remote = targetOf(device);
    if (remote !== null) {
      const { whole, wake } = measureThere(remote, context, { tx, rx });
      addDistribution(context, "completion latency", whole);
      addDistribution(context, "wake-up latency", wake);
      for (const set of [rxSet, txSet]) set[Symbol.dispose]();
      await prove(context);
      return;
    }
    const wake: number[] = [];
    const whole = takeSamples({ ...sampling(context), ...SAMPLES }, () => {
      rx.enqueue({ length });
      const start = now();
      tx.enqueue({ length });
      const { doneNs } = device.dequeue("rx");
      const end = now();
      device.dequeue("tx");
      wake.push((end - doneNs) / 1000);
      return (end - start) / 1000;
    });
    addDistribution(context, "completion latency", whole);
    addDistribution(context, "wake-up latency", wake.slice(-whole.length));
    for (const set of [rxSet, txSet]) set[Symbol.dispose]();
    await prove(context);
  }),
);

/** Moves frames on a target. Returns the latencies, in µs. */
function measureThere(
  remote: Remote,
  { device, size: length }: CaseContext,
  { tx, rx }: Readonly<Record<Direction, Block>>,
): { whole: number[]; wake: number[] } {
  const program = recordCalls(remote, () => {
    rx.enqueue({ length });
    remote.mark();
    tx.enqueue({ length });
    device.dequeue("rx");
    remote.mark();
    device.dequeue("tx");
  });
  program.keep(IOC.DEQUEUE, DEQUEUE.at.done_ns);
  const times = recordsOf(sample(remote, program, SAMPLES));
  const at = (records: readonly number[], i: number) => records[i] ?? NaN;
  return {
    whole: times.map((one) => (at(one, 2) - at(one, 0)) / 1000),
    wake: times.map((one) => (at(one, 2) - at(one, 1)) / 1000),
  };
}

/** Adds a measurement with its distribution. */
function addDistribution(context: CaseContext, name: string, samples: readonly number[]): void {
  const { size } = context;
  const { value, spread } = summarize(samples);
  context.measure(name, value, "µs", { at: { size }, spread });
  for (const [percentile, value] of distribution(samples)) {
    context.measure(name, value, "µs", { at: { size, percentile } });
  }
}
