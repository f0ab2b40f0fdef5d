// SPDX-License-Identifier: MIT
/** STATS: the costs of each policy. @module */

import { type ChannelStats, unpackStats } from "../../../driver/stats.ts";
import {
  CHAN_STATS,
  COST,
  COST_KINDS,
  type CostKind,
  DIRECTIONS,
  ENQUEUE_FLAGS,
  isUserPolicy,
  POLICIES,
  type PolicyName,
  STATS,
} from "../../../driver/uapi.ts";
import { POLLIN } from "../../../driver/syscalls.ts";
import { assert, type CheckContext, group, offered, ready, refusesCall, same } from "./check.ts";
import { MAX_U32, PAGE, type Raw, Struct } from "./raw.ts";

/** A frame that ends within a cache line. */
const FRAME = 200;
/** One page, because some engines need a short frame to end in the last segment of its block. */
const BLOCK = PAGE;

/** Bytes of each kind of call, by direction. Each call is made once. */
type Costs = Readonly<Record<"tx" | "rx", Partial<Record<CostKind, number>>>>;

/** The costs of one frame under a policy. `lines` is the size of the frame in whole cache lines, bytes. */
const COSTS: Readonly<Record<Exclude<PolicyName, "dma-buf">, (lines: number) => Costs>> = {
  coherent: () => ({ tx: {}, rx: {} }),
  "write-combine": () => ({ tx: {}, rx: {} }),
  streaming: () => ({
    tx: { forDevice: BLOCK, forCpu: BLOCK },
    rx: { forDevice: BLOCK, forCpu: BLOCK },
  }),
  "streaming-lazy": (lines) => ({ tx: { forDevice: lines }, rx: { forCpu: lines } }),
  // the enqueued length, which for rx exceeds the length of the frame
  noncoherent: (lines) => ({
    tx: { forDevice: lines, forCpu: lines },
    rx: { forDevice: BLOCK, forCpu: BLOCK },
  }),
  "user-pages": () => ({
    tx: { pin: FRAME, map: FRAME, unmap: FRAME, unpin: FRAME },
    rx: { pin: BLOCK, map: BLOCK, unmap: BLOCK, unpin: BLOCK },
  }),
  "user-pages-registered": () => ({
    tx: { forDevice: BLOCK, forCpu: BLOCK },
    rx: { forDevice: BLOCK, forCpu: BLOCK },
  }),
  manual: () => ({ tx: {}, rx: {} }),
  bounce: (lines) => ({
    tx: { copy: FRAME, forDevice: lines },
    rx: { forCpu: lines, copy: FRAME },
  }),
  none: () => ({ tx: {}, rx: {} }),
};

/** The costs of VERIFY: the whole block. They are counted separately. */
const VERIFIED: Costs = { tx: { forDevice: BLOCK }, rx: { forCpu: BLOCK } };

/** Makes one block in each direction. */
function blocks(raw: Raw, context: CheckContext, policy: PolicyName): { tx: number; rx: number } {
  if (isUserPolicy(policy)) {
    const [out, back] = [context.memory(BLOCK), context.memory(BLOCK)];
    return {
      tx: raw.register(policy, "tx", out.address, BLOCK),
      rx: raw.register(policy, "rx", back.address, BLOCK),
    };
  }
  return { tx: raw.alloc(policy, "tx", BLOCK).id, rx: raw.alloc(policy, "rx", BLOCK).id };
}

/** The number of calls and of bytes of each kind, as a text. */
function costText(cost: ChannelStats["cost"]): string {
  return COST_KINDS.filter((kind) => cost[kind].calls > 0)
    .map((kind) => `${kind} ${cost[kind].calls} x ${cost[kind].bytes}`).join(", ");
}

function expectedText(costs: Costs["tx"]): string {
  return COST_KINDS.filter((kind) => costs[kind] !== undefined)
    .map((kind) => `${kind} 1 x ${costs[kind]}`).join(", ");
}

const channels = (raw: Raw) => unpackStats(raw.stats().bytes);

export const stats = group("STATS", (check) => {
  check("fails with EINVAL for unknown flags", (raw) => {
    for (const flags of [2, 0x8000_0000, MAX_U32]) {
      refusesCall(raw, "EINVAL", "STATS", new Struct(STATS, { flags }));
    }
  });

  check("writes every byte, and zeroes reserved members", (raw) => {
    raw.alloc("streaming", "rx");
    const argument = new Struct(STATS, { flags: 0 }, 0xff);
    raw.call("STATS", argument);
    assert(argument.bytes.toHex() === raw.stats().bytes.toHex(), "some bytes were not written");
    for (const i of DIRECTIONS.keys()) {
      const at = STATS.at.chan + i * CHAN_STATS.size;
      const spare = [
        CHAN_STATS.at.reserved,
        ...[CHAN_STATS.at.cost, CHAN_STATS.at.verify].map(
          (costs) => costs + COST_KINDS.length * COST.size,
        ),
      ];
      for (const [k, from] of spare.entries()) {
        const bytes = argument.bytes.subarray(at + from, at + from + (k === 0 ? 8 : COST.size));
        assert(bytes.every((byte) => byte === 0), `byte ${at + from} and on are not zero`);
      }
    }
  });

  for (const policy of POLICIES) {
    // only the caller syncs these blocks, and the exporter of their buffers
    if (policy === "dma-buf") continue;
    check(
      { name: `counts what a frame of policy ${policy} costs`, needs: offered(policy) },
      (raw, context) => {
        const { tx, rx } = blocks(raw, context, policy);
        const ring = policy === "bounce";
        if (ring) {
          raw.setNonblocking(true);
          enqueueSlots(raw);
        }
        raw.stats(1);
        if (ring) {
          raw.syscalls.write(raw.fd, new Uint8Array(FRAME));
          ready(raw, POLLIN);
          raw.syscalls.read(raw.fd, new Uint8Array(BLOCK));
        }
        const ends = ring ? null : context.frame(raw, tx, rx, FRAME, BLOCK);
        const align = context.info.cacheAlign;
        const costs = COSTS[policy](Math.ceil(FRAME / align) * align);
        const after = channels(raw);
        for (const direction of DIRECTIONS) {
          const { cost, verify, transfers, bytes, errors } = after[direction];
          same(costText(cost), expectedText(costs[direction]), `costs of ${direction}`);
          same(costText(verify), "", `costs of ${direction} under VERIFY`);
          same(`${transfers}, ${bytes}, ${errors}`, `1, ${FRAME}, 0`, "transfers, bytes, errors");
          for (const kind of COST_KINDS) {
            const { totalNs, maxNs, calls } = cost[kind];
            assert(maxNs <= totalNs, `${kind}: the longest call took longer than all calls`);
            assert(calls <= 1 || totalNs > 0, `${kind} took no time`);
          }
          if (ends === null) continue;
          const { forDevice, pin, map, forCpu, unmap, unpin } = cost;
          for (
            const [member, kinds] of [
              ["sync_device_ns", [forDevice, pin, map]],
              ["sync_cpu_ns", [forCpu, unmap, unpin]],
            ] as const
          ) {
            // one frame, so the completion and STATS count the same calls; sim rounds both
            const total = kinds.reduce((sum, { totalNs }) => sum + totalNs, 0);
            const found = ends[direction].get(member);
            assert(
              Math.abs(found - total) <= 2,
              `${member} of ${direction}: expected ${total} as in STATS, found ${found}`,
            );
          }
        }
      },
    );
  }

  check("counts the syncs of VERIFY separately, with the whole block", (raw, context) => {
    const { tx, rx } = blocks(raw, context, "streaming-lazy");
    raw.stats(1);
    context.frame(raw, tx, rx, FRAME, BLOCK, ENQUEUE_FLAGS.verify);
    const after = channels(raw);
    for (const direction of DIRECTIONS) {
      same(costText(after[direction].cost), "", `costs of ${direction}`);
      same(
        costText(after[direction].verify),
        expectedText(VERIFIED[direction]),
        "costs under VERIFY",
      );
      same(after[direction].transfers, 1, "transfers");
    }
  });

  check("counts the mapping of a block once", (raw, context) => {
    raw.alloc("streaming", "rx", 3 * PAGE);
    const { rx } = channels(raw);
    same(rx.cost.map.bytes, 3 * PAGE, "bytes mapped");
    assert(rx.cost.map.calls >= 1, "nothing was mapped");
    const { tx, rx: id } = blocks(raw, context, "streaming");
    const before = channels(raw).rx.cost.map.calls;
    context.frame(raw, tx, id);
    same(channels(raw).rx.cost.map.calls, before, "mappings after a frame");
  });

  check("counts the pinning of REGISTER under VERIFY", (raw, context) => {
    raw.register("user-pages-registered", "rx", context.memory(BLOCK).address, BLOCK);
    const { cost, verify } = channels(raw).rx;
    same(costText(cost), "", "costs");
    same(costText(verify), `map 1 x ${BLOCK}, pin 1 x ${BLOCK}`, "costs under VERIFY");
  });

  check("adds up the costs of several frames", (raw, context) => {
    const { tx, rx } = blocks(raw, context, "streaming");
    raw.stats(1);
    for (let i = 0; i < 5; i++) context.frame(raw, tx, rx, 64, BLOCK);
    for (const { cost, transfers, bytes } of [channels(raw).tx, channels(raw).rx]) {
      same(transfers, 5, "transfers");
      same(bytes, 5 * 64, "bytes");
      same(cost.forDevice.calls + cost.forCpu.calls, 10, "sync calls");
      same(cost.forDevice.bytes, 5 * BLOCK, "bytes for_device");
    }
  });

  check("with CLEAR returns the counters, then clears all but blocks and bytes", (raw, context) => {
    const { tx, rx } = blocks(raw, context, "streaming");
    context.frame(raw, tx, rx);
    const read = unpackStats(raw.stats(1).bytes);
    same(read.tx.transfers, 1, "transfers before CLEAR");
    const after = raw.stats();
    assert(after.slice("chan").every((byte) => byte === 0), "a counter is not zero");
    same(after.get("blocks"), 2, "blocks");
    same(after.get("bytes"), 2 * BLOCK, "bytes");
  });
});

/** Calls read(), which enqueues the receive slots. */
function enqueueSlots(raw: Raw): void {
  try {
    raw.syscalls.read(raw.fd, new Uint8Array(BLOCK));
  } catch (error) {
    if ((error as { code?: string }).code !== "EAGAIN") throw error;
  }
}
