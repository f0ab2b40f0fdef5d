// SPDX-License-Identifier: MIT
/**
 * The cost of handing a block to the device and back: the four sync calls of 2015, pinning and mapping of user
 * pages, and copying. The driver measures each one around the kernel's call.
 *
 * One frame is in flight. The CPU fills the transmit block before and reads the receive block after, so that
 * the caches are in the same state as in real use.
 */

import type { Block } from "../../../driver/block.ts";
import type { Cost } from "../../../driver/stats.ts";
import { type CostKind, type Direction, DIRECTIONS } from "../../../driver/uapi.ts";
import { hil } from "../../../mod.ts";
import { BlockSet, blockSize } from "../../frames/block_set.ts";
import { receiveEnds, sendEnds } from "../../frames/ends.ts";
import type { CaseContext } from "../../case/context.ts";
import { frames, measureTime, prove, sampling, SIZES } from "../case.ts";
import { ifItFits, whatFits } from "../memory.ts";
import { accessOf, ordinaryMemory } from "../ordinary.ts";
import { takeSamples } from "../sampling.ts";
import { summarize } from "../../results/statistics.ts";

const top = await hil();

/**
 * Blocks that take turns in each direction, because the cost of a block depends on the addresses of its pages,
 * in caches, and even more in an emulator.
 */
const BLOCKS = 7;

/** More samples than elsewhere, so that there are several of each block. */
const SAMPLES = { seconds: 0.3, least: 4 * BLOCKS };

/** Kinds of cost that belong together, and their name in the results. */
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
    const measured = transfers.slice(first - 1); // the warm-up comes first

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
    // the cost of copying, for comparison
    using from = ordinaryMemory(device, size);
    using places = ordinaryMemory(device, size * BLOCKS);
    const { copy } = accessOf(device);
    let turn = 0;
    measureTime(context, "memcpy", { size }, () => {
      copy(places.address + BigInt(size * (turn++ % BLOCKS)), from.address, size);
    }, BLOCKS);
    await prove(context);
  }),
);

/** Blocks, or rings, through which one frame moves at a time. */
function oneFrame(context: CaseContext, count: number): Disposable & { move: () => void } {
  const { device, policy, size: length } = context;
  const frame = frames(context).body(0, length);
  const options = { device, policy };
  using owned = new DisposableStack();
  const blocks = (direction: Direction, size: number, count = 1): readonly Block[] =>
    owned.use(new BlockSet(device, { direction, policy, size, count })).all;
  const [tx, rx]: [Block[], Block[]] = [[], []];
  if (policy === "bounce") {
    for (const direction of DIRECTIONS) blocks(direction, length, count);
    owned.defer(() => device.reset()); // the engine holds the receive ring
  } else {
    for (let i = 0; i < count; i++) {
      // a page in between, or every block would have the same position relative to its bounce buffer
      for (const direction of DIRECTIONS) blocks(direction, device.info.pageSize);
      rx.push(...blocks("rx", blockSize(device, length)));
      tx.push(...blocks("tx", blockSize(device, length)));
    }
  }
  const senders = sendEnds(tx, length, options);
  const receivers = receiveEnds(rx, length, options);
  let turn = 0;
  const move = () => {
    const [from, to] = [senders[turn % senders.length], receivers[turn % receivers.length]];
    if (from === undefined || to === undefined) throw new Error("Expected at least one block");
    turn++;
    to.arm(0, length);
    from.set(frame, 0);
    from.send(0, length);
    to.finish();
    from.finish();
    to.equals(frame, 0);
  };
  const all = owned.move();
  return { move, [Symbol.dispose]: () => all.dispose() };
}
