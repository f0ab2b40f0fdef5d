// SPDX-License-Identifier: MIT
/** REGISTER. driver/kernel/tests checks RLIMIT_MEMLOCK, which needs a process without privileges. @module */

import type { ErrnoName } from "../../../driver/errno.ts";
import { POLLIN, POLLOUT, PROT_READ } from "../../../driver/syscalls.ts";
import { unpackStats } from "../../../driver/stats.ts";
import { POLICIES, REGISTER, USER_POLICIES } from "../../../driver/uapi.ts";
import {
  assert,
  type CheckContext,
  group,
  load,
  ready,
  refuses,
  refusesCall,
  same,
} from "./check.ts";
import { kind, MAX_U32, MAX_U64, PAGE, type Raw, Struct, type Values } from "./raw.ts";

type RegisterValues = Values<keyof typeof REGISTER.at>;

/** Arguments that fail, by what is wrong with them. `address` is the address of four pages. */
const REFUSED: readonly [
  ErrnoName,
  string,
  (context: CheckContext, address: bigint) => RegisterValues,
][] = [
  ["EINVAL", "an address between cache lines", (_, address) => ({ address: address + 1n })],
  ["EINVAL", "size 0", () => ({ size: 0 })],
  ["EINVAL", "a size that ends between cache lines", ({ info }) => ({ size: info.cacheAlign + 1 })],
  ["EINVAL", "a size over the limit", ({ info }) => ({
    size: info.policies["user-pages"].maxBlock + PAGE,
  })],
  ["EINVAL", "size 2^63", () => ({ size: 1n << 63n })],
  ["EINVAL", "a range that wraps around", () => ({ address: MAX_U64 - 4095n, size: 2 * PAGE })],
  ["EINVAL", "direction 2", () => ({ direction: 2 })],
  ["EINVAL", "direction 2^32 - 1", () => ({ direction: MAX_U32 })],
  ["EINVAL", "flags", () => ({ flags: 1 })],
  ["EFAULT", "memory that is not mapped", () => ({ address: BigInt(PAGE) })],
  ["EFAULT", "memory of the kernel", () => ({ address: 1n << 63n })],
];

function refused(raw: Raw, code: ErrnoName, values: RegisterValues): void {
  refusesCall(raw, code, "REGISTER", new Struct(REGISTER, { size: PAGE, ...values }));
}

export const register = group("REGISTER", (check) => {
  for (const [code, what, values] of REFUSED) {
    check(`fails with ${code} for ${what}`, (raw, context) => {
      for (const policy of USER_POLICIES) {
        for (const direction of ["tx", "rx"] as const) {
          const { address } = context.memory(4 * PAGE);
          refused(raw, code, { ...kind(policy, direction), address, ...values(context, address) });
        }
      }
    });
  }

  check(
    "fails with EINVAL for policies of driver-owned memory and for unknown ones",
    (raw, context) => {
      const { address } = context.memory();
      for (const [policy, name] of [...POLICIES, "11"].entries()) {
        if (name.startsWith("user-pages")) continue;
        refused(raw, "EINVAL", { policy, direction: 1, address });
      }
      refused(raw, "EINVAL", { policy: MAX_U32, direction: 1, address });
    },
  );

  check("fails with EFAULT for rx into memory that cannot be written", (raw, context) => {
    const { address } = context.memory(PAGE, PROT_READ);
    for (const policy of USER_POLICIES) refused(raw, "EFAULT", { ...kind(policy, "rx"), address });
  });

  check("succeeds for tx from memory that cannot be written", (raw, context) => {
    const { address } = context.memory(PAGE, PROT_READ);
    const rx = raw.alloc("streaming", "rx");
    for (const policy of USER_POLICIES) {
      const id = raw.register(policy, "tx", address);
      raw.enqueue(rx.id);
      raw.enqueue(id);
      ready(raw, POLLIN);
      same(raw.dequeue("rx", 0).get("length"), PAGE, "length");
      ready(raw, POLLOUT);
      raw.dequeue("tx", 0);
      raw.unregister(id);
    }
  });

  check("fails with EFAULT for the memory of a block", (raw) => {
    const { address } = raw.map(raw.alloc("streaming", "tx").offset);
    for (const policy of USER_POLICIES) refused(raw, "EFAULT", { ...kind(policy, "tx"), address });
  });

  check(
    "fails with EBUSY for a range that overlaps an rx range, partly or entirely",
    (raw, context) => {
      const { address } = context.memory(8 * PAGE);
      const at = (page: number) => address + BigInt(page * PAGE);
      raw.register("user-pages-registered", "rx", at(2), 4 * PAGE);
      for (const policy of USER_POLICIES) {
        for (const direction of ["tx", "rx"] as const) {
          const here = kind(policy, direction);
          for (const [from, pages] of [[2, 4], [1, 2], [5, 2], [3, 1], [0, 8]] as const) {
            refused(raw, "EBUSY", { ...here, address: at(from), size: pages * PAGE });
          }
        }
      }
    },
  );

  check("fails with EBUSY for an rx range that overlaps a tx range", (raw, context) => {
    const { address } = context.memory();
    raw.register("user-pages", "tx", address);
    for (const policy of USER_POLICIES) refused(raw, "EBUSY", { ...kind(policy, "rx"), address });
  });

  check("accepts tx ranges that overlap each other", (raw, context) => {
    const { address } = context.memory(2 * PAGE);
    raw.register("user-pages", "tx", address, 2 * PAGE);
    raw.register("user-pages-registered", "tx", address, 2 * PAGE);
    raw.register("user-pages", "tx", address + BigInt(PAGE));
  });

  check("accepts adjacent ranges", (raw, context) => {
    const { address } = context.memory(3 * PAGE);
    for (const i of [1, 0, 2]) {
      raw.register("user-pages-registered", "rx", address + BigInt(i * PAGE));
    }
  });

  check("accepts a range again after UNREGISTER", (raw, context) => {
    const { address } = context.memory();
    const first = raw.register("user-pages-registered", "rx", address);
    refuses(raw, "EBUSY", "REGISTER", () => raw.register("user-pages", "rx", address));
    raw.unregister(first);
    raw.register("user-pages", "rx", address);
  });

  check("accepts a single cache line in the middle of a page", (raw, context) => {
    const { cacheAlign } = context.info;
    const { address } = context.memory();
    const line = BigInt(cacheAlign);
    raw.register("user-pages", "rx", address + line, cacheAlign);
    raw.register("user-pages-registered", "rx", address + 2n * line, cacheAlign);
  });

  check("counts blocks in STATS, but no bytes", (raw, context) => {
    raw.register("user-pages", "tx", context.memory().address);
    raw.register("user-pages-registered", "rx", context.memory().address);
    const { blocks, bytes } = unpackStats(raw.stats().bytes);
    same(blocks, 2, "blocks");
    same(bytes, 0, "bytes");
  });

  check("does not change the memory, nor does UNREGISTER", (raw, context) => {
    for (const policy of USER_POLICIES) {
      const memory = context.memory();
      memory.fill(0x11, 0, PAGE);
      const id = raw.register(policy, "rx", memory.address);
      assert(load(memory).every((byte) => byte === 0x11), `${policy}: REGISTER changed the memory`);
      memory.fill(0x22, 0, PAGE);
      raw.unregister(id);
      assert(
        load(memory).every((byte) => byte === 0x22),
        `${policy}: UNREGISTER changed the memory`,
      );
    }
  });

  check("returns a block that cannot be mapped and has no offset", (raw, context) => {
    const id = raw.register("user-pages-registered", "tx", context.memory().address);
    same(raw.query(id).get("mmap_offset"), 0, "mmap_offset");
    same(raw.query(id).get("size"), PAGE, "size");
  });
});
