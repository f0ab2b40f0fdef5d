// SPDX-License-Identifier: MIT
/**
 * What it costs to hand a block to the device and back: the four sync calls of 2015 alone, pinning and
 * mapping of user pages, copying, each by the driver's own clock around the kernel's call.
 *
 * One frame at a time; the CPU has filled the transmit block before and reads the receive block after, so
 * that caches are in the state that they have in use.
 */

import type { Block } from "../../../driver/block.ts";
import { UserMemory } from "../../../driver/memory.ts";
import type { Cost } from "../../../driver/stats.ts";
import { type CostKind, type Direction, DIRECTIONS } from "../../../driver/uapi.ts";
import { hil } from "../../../mod.ts";
import { BlockSet, blockSize } from "../../frames/block_set.ts";
import type { CaseContext } from "../../case/context.ts";
import { frames, measureTime, prove, sampling, SIZES } from "../case.ts";
import { copyIn } from "../libc.ts";
import { ifItFits, whatFits } from "../memory.ts";
import { takeSamples } from "../sampling.ts";
import { summarize } from "../../results/statistics.ts";

const top = await hil();

/**
 * Blocks that take turns in each direction: what one costs depends on where its pages happen to lie, in
 * caches, and more so in an emulator.
 */
const BLOCKS = 7;

/** More samples than elsewhere: some of each block. */
const SAMPLES = { seconds: 0.3, least: 4 * BLOCKS };

/** Kinds of cost that belong together, and what they are called in the results. */
const CALLS: readonly { name: string; kinds: readonly CostKind[]; call?: string }[] = [
  { name: "sync call", kinds: ["forDevice"], call: "for_device" },
  { name: "sync call", kinds: ["forCpu"], call: "for_cpu" },
  { name: "pin and map", kinds: ["pin", "map"] },
  { name: "unmap and unpin", kinds: ["unmap", "unpin"] },
  { name: "copy", kinds: ["copy"] },
];

top.matrix(
  "handover",
  { policy: "all", size: SIZES, depth: [1] },
  ifItFits(async (context) => {
    const { device, size } = context;
    const transfers: Record<string, Record<CostKind, Cost>>[] = [];
    const transfer = whatFits(BLOCKS, (count) => oneFrame(context, count));
    const [first = 1] = takeSamples({ ...sampling(context), ...SAMPLES }, () => {
      device.stats({ clear: true });
      transfer.move();
      const { tx, rx } = device.stats();
      return transfers.push({ tx: tx.cost, rx: rx.cost });
    });
    transfer[Symbol.dispose]();
    const measured = transfers.slice(first - 1); // those before warmed up

    for (const direction of DIRECTIONS) {
      for (const { name, kinds, call } of CALLS) {
        const costs = measured.map((one) => kinds.map((kind) => one[direction]?.[kind]));
        if (costs.every((one) => one.every((cost) => cost === undefined || cost.calls === 0))) {
          continue;
        }
        const ns = costs.map((one) => one.reduce((sum, cost) => sum + (cost?.totalNs ?? 0), 0));
        const { value, spread } = summarize(ns.map((one) => one / 1000));
        const at = call === undefined ? { direction } : { call: `${call} ${direction}` };
        context.measure(name, value, "µs", { at: { size, ...at }, spread });
        if (name !== "pin and map") continue;
        const pages = Math.ceil(size / device.info.pageSize);
        context.measure("pin and map per page", value * 1000 / pages, "ns", {
          at: { size, direction },
        });
      }
    }
    // what copying would cost instead
    const from = new Uint8Array(size).fill(1);
    using places = UserMemory.allocate(size * BLOCKS);
    places.bytes().fill(1);
    let turn = 0;
    measureTime(context, "memcpy", { size }, () => {
      copyIn(places.address + BigInt(size * (turn++ % BLOCKS)), from);
    });
    await prove(context);
  }),
);

/** Blocks, or rings, for one frame at a time. */
function oneFrame(context: CaseContext, count: number): Disposable & { move: () => void } {
  const { device, policy, size: length } = context;
  const frame = frames(context).body(0, length);
  using owned = new DisposableStack();
  const kept = (move: () => void) => {
    const all = owned.move();
    return { move, [Symbol.dispose]: () => all.dispose() };
  };
  if (policy === "bounce") {
    for (const direction of DIRECTIONS) {
      for (const block of device.alloc({ direction, policy, size: length, count })) {
        owned.use(block);
      }
    }
    owned.defer(() => device.reset()); // the receive ring is with the engine
    const buffer = new Uint8Array(length);
    return kept(() => {
      device.writeFrame(frame);
      device.readFrame(buffer);
    });
  }
  const make = (direction: Direction, size: number): Block =>
    owned.use(new BlockSet(device, { direction, policy, size, count: 1 })).of(0);
  const pairs = Array.from({ length: count }, () => {
    // a page between: else all blocks lie alike to their bounce buffers, where there are such
    for (const direction of DIRECTIONS) make(direction, device.info.pageSize);
    const size = blockSize(device, length);
    return { to: make("rx", size), from: make("tx", size) };
  });
  let turn = 0;
  return kept(() => {
    const pair = pairs[turn++ % count];
    if (pair === undefined) throw new Error("Expected two blocks");
    const { to, from } = pair;
    if (policy === "manual") to.syncForDevice();
    to.enqueue({ length });
    from.set(frame);
    if (policy === "manual") from.syncForDevice();
    from.enqueue({ length });
    device.dequeue("rx");
    device.dequeue("tx");
    if (policy === "manual") to.syncForCpu();
    to.equals(frame);
  });
}
