// SPDX-License-Identifier: MIT
/** SYNC. @module */

import { unpackStats } from "../../../driver/stats.ts";
import { isUserPolicy, POLICIES, SYNC } from "../../../driver/uapi.ts";
import { assert, group, refusesCall, same } from "./check.ts";
import { MAX_U32, MAX_U64, PAGE, Struct, type Values } from "./raw.ts";

/** Arguments for a block of two pages that fail with EINVAL, by what is wrong with them. */
const REFUSED: readonly [string, Values<keyof typeof SYNC.at>][] = [
  ["op 2", { op: 2 }],
  ["op 2^32 - 1", { op: MAX_U32 }],
  ["length 0", { length: 0 }],
  ["a length beyond the block", { length: 2 * PAGE + 1 }],
  ["an end beyond the block", { offset: PAGE + 1, length: PAGE }],
  ["an offset at the end", { offset: 2 * PAGE, length: 1 }],
  ["length 2^32", { length: 1n << 32n }],
  ["length 2^64 - 1", { length: MAX_U64 }],
  ["an offset and length that wrap around", { offset: MAX_U64, length: 2 }],
];

export const sync = group("SYNC", (check) => {
  for (const [what, values] of REFUSED) {
    check(`fails with EINVAL for ${what}`, (raw) => {
      const { id } = raw.alloc("manual", "rx", 2 * PAGE);
      refusesCall(raw, "EINVAL", "SYNC", new Struct(SYNC, { id, length: PAGE, ...values }));
    });
  }

  check("fails with EINVAL for one byte beyond a block of no whole cache lines", (raw) => {
    const size = PAGE - 24;
    const { id } = raw.alloc("manual", "rx", size);
    for (const values of [{ length: size + 1 }, { offset: size - 1, length: 2 }]) {
      refusesCall(raw, "EINVAL", "SYNC", new Struct(SYNC, { id, ...values }));
    }
    raw.call("SYNC", new Struct(SYNC, { id, length: size }));
  });

  check("fails with EINVAL for every policy except manual", (raw, context) => {
    const refused = (id: number) =>
      refusesCall(raw, "EINVAL", "SYNC", new Struct(SYNC, { id, length: 64 }));
    for (const policy of POLICIES) {
      // IMPORT has checks of its own
      if (policy === "manual" || policy === "dma-buf" || !context.info.policies[policy].rx) {
        continue;
      }
      refused(
        isUserPolicy(policy)
          ? raw.register(policy, "rx", context.memory().address)
          : raw.alloc(policy, "rx").id,
      );
    }
  });

  check("fails with ENOENT for an id that was never returned", (raw) => {
    const { id } = raw.alloc("manual", "tx");
    for (const other of [0, id + 1, MAX_U32]) {
      refusesCall(raw, "ENOENT", "SYNC", new Struct(SYNC, { id: other, length: 64 }));
    }
  });

  check("fails with EBUSY for an enqueued block", (raw) => {
    const { id } = raw.alloc("manual", "rx");
    raw.enqueue(id);
    refusesCall(raw, "EBUSY", "SYNC", new Struct(SYNC, { id, length: 64 }));
    raw.reset();
    raw.call("SYNC", new Struct(SYNC, { id, length: 64 }));
  });

  check("accepts any range within the block, in both directions", (raw) => {
    for (const direction of ["tx", "rx"] as const) {
      const { id } = raw.alloc("manual", direction, 2 * PAGE);
      for (const op of [0, 1]) {
        for (
          const [offset, length] of [[0, 2 * PAGE], [3, 5], [PAGE - 1, 2], [
            2 * PAGE - 1,
            1,
          ]] as const
        ) {
          raw.call("SYNC", new Struct(SYNC, { id, op, offset, length }));
        }
      }
    }
  });

  check("counts its calls, bytes and time", (raw) => {
    const { id } = raw.alloc("manual", "rx", 2 * PAGE);
    raw.stats(1);
    let ns = 0;
    for (const length of [64, PAGE]) {
      const argument = new Struct(SYNC, { id, op: 1, length, ns: MAX_U64 });
      raw.call("SYNC", argument);
      ns += argument.get("ns");
    }
    const { rx: { cost }, tx } = unpackStats(raw.stats().bytes);
    same(cost.forCpu.calls, 2, "calls");
    same(cost.forCpu.bytes, 64 + PAGE, "bytes");
    same(cost.forCpu.totalNs, ns, "time in STATS, compared with that of SYNC");
    assert(cost.forCpu.maxNs <= ns, "the longest call took longer than all calls");
    same(cost.forDevice.calls, 0, "calls of for_device");
    same(tx.cost.forCpu.calls, 0, "calls on tx");
  });
});
