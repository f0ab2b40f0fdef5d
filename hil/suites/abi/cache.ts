// SPDX-License-Identifier: MIT
/** CACHE. @module */

import { ErrnoError } from "../../../driver/errno.ts";
import { MAP_SHARED, PROT_READ, PROT_WRITE } from "../../../driver/syscalls.ts";
import { CACHE, CACHE_OPS, isUserPolicy, POLICIES } from "../../../driver/uapi.ts";
import {
  assert,
  type CheckContext,
  fails,
  group,
  kernel,
  load,
  rawio,
  refusesCall,
} from "./check.ts";
import { withoutRawio } from "./kernel.ts";
import { MAX_U32, MAX_U64, PAGE, type Raw, Struct, type Values } from "./raw.ts";

/** Arguments for a block of two pages that fail with EINVAL, by what is wrong with them. */
const REFUSED: readonly [string, Values<keyof typeof CACHE.at>][] = [
  ["op 3", { op: 3 }],
  ["op 2^32 - 1", { op: MAX_U32 }],
  ["length 0", { length: 0 }],
  ["an offset within a line", { offset: 8 }],
  ["a length of half a line", { length: 8 }],
  ["a length beyond the block", { length: 3 * PAGE }],
  ["an end beyond the block", { offset: 2 * PAGE }],
  ["length 2^32", { length: 1n << 32n }],
  ["an offset and length that wrap around", { offset: MAX_U64 - BigInt(PAGE) + 1n, length: PAGE }],
];

/** Does an operation. Returns false if the processor does not have it. */
function cached(raw: Raw, values: Values<keyof typeof CACHE.at>): boolean {
  try {
    raw.call("CACHE", new Struct(CACHE, values));
    return true;
  } catch (error) {
    if (error instanceof ErrnoError && error.code === "EOPNOTSUPP") return false;
    throw error;
  }
}

/** A block whose content differs between cache and memory, if the board has caches. */
function twoContents(raw: Raw): { id: number; mapping: ReturnType<Raw["syscalls"]["mmap"]> } {
  const { id, offset } = raw.alloc("manual", "tx", PAGE);
  const mapping = raw.syscalls.mmap(PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, raw.fd, offset);
  mapping.fill(1, 0, PAGE);
  cached(raw, { id, op: CACHE_OPS.indexOf("clean"), length: PAGE });
  mapping.fill(2, 0, PAGE);
  return { id, mapping };
}

/** Checks that a block holds 2, and in one range 1 or 2, one of them in each line. */
function holds(found: Uint8Array, line: number, from: number, to: number): void {
  for (let at = 0; at < PAGE; at += line) {
    const bytes = found.subarray(at, at + line);
    const all = (value: number) => bytes.every((byte) => byte === value);
    const inside = at >= from && at < to;
    assert(all(2) || inside && all(1), `the line at ${at} was changed`);
  }
}

export const cache = group("CACHE", (check) => {
  for (const [what, values] of REFUSED) {
    check({ name: `fails with EINVAL for ${what}`, needs: rawio }, (raw) => {
      const { id } = raw.alloc("manual", "rx", 2 * PAGE);
      refusesCall(raw, "EINVAL", "CACHE", new Struct(CACHE, { id, length: PAGE, ...values }));
    });
  }

  check(
    { name: "fails with EINVAL for every policy except manual", needs: rawio },
    (raw, context) => {
      for (const policy of POLICIES) {
        // IMPORT has checks of its own
        if (policy === "manual" || policy === "dma-buf") continue;
        if (!context.info.policies[policy].rx) continue;
        const id = isUserPolicy(policy)
          ? raw.register(policy, "rx", context.memory().address)
          : raw.alloc(policy, "rx").id;
        refusesCall(raw, "EINVAL", "CACHE", new Struct(CACHE, { id, length: PAGE }));
      }
    },
  );

  check({ name: "fails with ENOENT for an id that was never returned", needs: rawio }, (raw) => {
    const { id } = raw.alloc("manual", "tx");
    for (const other of [0, id + 1, MAX_U32]) {
      refusesCall(raw, "ENOENT", "CACHE", new Struct(CACHE, { id: other, length: PAGE }));
    }
  });

  check({ name: "fails with EBUSY for an enqueued block", needs: rawio }, (raw) => {
    const { id } = raw.alloc("manual", "rx");
    raw.enqueue(id);
    refusesCall(raw, "EBUSY", "CACHE", new Struct(CACHE, { id, length: PAGE }));
    raw.reset();
    cached(raw, { id, length: PAGE });
  });

  check({ name: "fails with EPERM without CAP_SYS_RAWIO", needs: kernel }, (raw) => {
    const { id } = raw.alloc("manual", "rx");
    withoutRawio(() => {
      refusesCall(raw, "EPERM", "CACHE", new Struct(CACHE, { id, length: PAGE }));
      fails("EINVAL", "CACHE", () => raw.call("CACHE", new Struct(CACHE, { id, op: 3 })));
    });
  });

  for (const op of CACHE_OPS) {
    check(
      { name: `${op} leaves the bytes outside of its range as they are`, needs: rawio },
      (raw: Raw, context: CheckContext) => {
        const line = context.info.cacheAlign;
        const { id, mapping } = twoContents(raw);
        try {
          const done = cached(raw, {
            id,
            op: CACHE_OPS.indexOf(op),
            offset: 4 * line,
            length: 2 * line,
          });
          const invalidates = done && op === "invalidate";
          holds(load(mapping), line, 4 * line, invalidates ? 6 * line : 0);
        } finally {
          raw.syscalls.munmap(mapping);
        }
      },
    );
  }
});
