// SPDX-License-Identifier: MIT
/** SYNC. @module */

import { unpackStats } from "../../../driver/stats.ts";
import { POLICIES, SYNC } from "../../../driver/uapi.ts";
import { assert, group, refusesCall, same } from "./check.ts";
import { MAX_U32, MAX_U64, PAGE, Struct, type Values } from "./raw.ts";

/** What SYNC refuses of a block of two pages, by what is wrong: EINVAL. */
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
    check(`refuses ${what}: EINVAL`, (raw) => {
      const { id } = raw.alloc("manual", "rx", 2 * PAGE);
      refusesCall(raw, "EINVAL", "SYNC", new Struct(SYNC, { id, length: PAGE, ...values }));
    });
  }

  check("refuses every policy but manual: EINVAL", (raw, bench) => {
    const refused = (id: number) =>
      refusesCall(raw, "EINVAL", "SYNC", new Struct(SYNC, { id, length: 64 }));
    for (const policy of POLICIES) {
      if (policy === "manual" || !bench.info.policies[policy].rx) continue;
      refused(
        policy === "user-pages" || policy === "user-pages-registered"
          ? raw.register(policy, "rx", bench.memory().address)
          : raw.alloc(policy, "rx").id,
      );
    }
  });

  check("of an id that was never given is ENOENT", (raw) => {
    const { id } = raw.alloc("manual", "tx");
    for (const other of [0, id + 1, MAX_U32]) {
      refusesCall(raw, "ENOENT", "SYNC", new Struct(SYNC, { id: other, length: 64 }));
    }
  });

  check("of a block that the engine has is EBUSY", (raw) => {
    const { id } = raw.alloc("manual", "rx");
    raw.enqueue(id);
    refusesCall(raw, "EBUSY", "SYNC", new Struct(SYNC, { id, length: 64 }));
    raw.reset();
    raw.call("SYNC", new Struct(SYNC, { id, length: 64 }));
  });

  check("takes any range inside the block, both ways", (raw) => {
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
    same(cost.forCpu.totalNs, ns, "time, against what SYNC said");
    assert(cost.forCpu.maxNs <= ns, "the longest is longer than all");
    same(cost.forDevice.calls, 0, "calls of the other kind");
    same(tx.cost.forCpu.calls, 0, "calls of the other direction");
  });
});
