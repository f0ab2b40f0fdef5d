// SPDX-License-Identifier: MIT
/** REGISTER. RLIMIT_MEMLOCK needs a process without privileges: see driver/kernel/tests. @module */

import type { ErrnoName } from "../../../driver/errno.ts";
import { PROT_READ } from "../../../driver/syscalls.ts";
import { unpackStats } from "../../../driver/stats.ts";
import { POLICIES, REGISTER } from "../../../driver/uapi.ts";
import { assert, type Bench, group, refuses, refusesCall, same } from "./check.ts";
import { kind, MAX_U32, MAX_U64, PAGE, type Raw, Struct, type Values } from "./raw.ts";

type RegisterValues = Values<keyof typeof REGISTER.at>;

/** What REGISTER refuses, by what is wrong; `address` is that of four pages. */
const REFUSED: readonly [
  ErrnoName,
  string,
  (bench: Bench, address: bigint) => RegisterValues,
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
  ["EFAULT", "memory that cannot be written", (bench) => ({
    address: bench.memory(PAGE, PROT_READ).address,
  })],
];

const USER = ["user-pages", "user-pages-registered"] as const;

function refused(raw: Raw, code: ErrnoName, values: RegisterValues): void {
  refusesCall(raw, code, "REGISTER", new Struct(REGISTER, { size: PAGE, ...values }));
}

export const register = group("REGISTER", (check) => {
  for (const [code, what, values] of REFUSED) {
    check(`refuses ${what}: ${code}`, (raw, bench) => {
      for (const policy of USER) {
        for (const direction of ["tx", "rx"] as const) {
          const { address } = bench.memory(4 * PAGE);
          refused(raw, code, { ...kind(policy, direction), address, ...values(bench, address) });
        }
      }
    });
  }

  check("refuses every policy of driver-owned memory, and unknown ones: EINVAL", (raw, bench) => {
    const { address } = bench.memory();
    for (const [policy, name] of [...POLICIES, "10"].entries()) {
      if (name.startsWith("user-pages")) continue;
      refused(raw, "EINVAL", { policy, direction: 1, address });
    }
    refused(raw, "EINVAL", { policy: MAX_U32, direction: 1, address });
  });

  check("refuses the memory of a block: EFAULT", (raw) => {
    const { address } = raw.map(raw.alloc("streaming", "tx").offset);
    for (const policy of USER) refused(raw, "EFAULT", { ...kind(policy, "tx"), address });
  });

  check("refuses what overlaps an rx range, in part or whole: EBUSY", (raw, bench) => {
    const { address } = bench.memory(8 * PAGE);
    const at = (page: number) => address + BigInt(page * PAGE);
    raw.register("user-pages-registered", "rx", at(2), 4 * PAGE);
    for (const policy of USER) {
      for (const direction of ["tx", "rx"] as const) {
        const here = kind(policy, direction);
        for (const [from, pages] of [[2, 4], [1, 2], [5, 2], [3, 1], [0, 8]] as const) {
          refused(raw, "EBUSY", { ...here, address: at(from), size: pages * PAGE });
        }
      }
    }
  });

  check("refuses an rx range over a tx range: EBUSY", (raw, bench) => {
    const { address } = bench.memory();
    raw.register("user-pages", "tx", address);
    for (const policy of USER) refused(raw, "EBUSY", { ...kind(policy, "rx"), address });
  });

  check("takes tx ranges that overlap each other", (raw, bench) => {
    const { address } = bench.memory(2 * PAGE);
    raw.register("user-pages", "tx", address, 2 * PAGE);
    raw.register("user-pages-registered", "tx", address, 2 * PAGE);
    raw.register("user-pages", "tx", address + BigInt(PAGE));
  });

  check("takes ranges that touch each other", (raw, bench) => {
    const { address } = bench.memory(3 * PAGE);
    for (const i of [1, 0, 2]) {
      raw.register("user-pages-registered", "rx", address + BigInt(i * PAGE));
    }
  });

  check("takes a range again after UNREGISTER", (raw, bench) => {
    const { address } = bench.memory();
    const first = raw.register("user-pages-registered", "rx", address);
    refuses(raw, "EBUSY", "REGISTER", () => raw.register("user-pages", "rx", address));
    raw.unregister(first);
    raw.register("user-pages", "rx", address);
  });

  check("takes a single cache line in the middle of a page", (raw, bench) => {
    const { cacheAlign } = bench.info;
    const { address } = bench.memory();
    const line = BigInt(cacheAlign);
    raw.register("user-pages", "rx", address + line, cacheAlign);
    raw.register("user-pages-registered", "rx", address + 2n * line, cacheAlign);
  });

  check("counts blocks, and no bytes of the driver's", (raw, bench) => {
    raw.register("user-pages", "tx", bench.memory().address);
    raw.register("user-pages-registered", "rx", bench.memory().address);
    const { blocks, bytes } = unpackStats(raw.stats().bytes);
    same(blocks, 2, "blocks");
    same(bytes, 0, "bytes");
  });

  check("leaves the memory as it is, and UNREGISTER does, too", (raw, bench) => {
    for (const policy of USER) {
      const memory = bench.memory();
      const bytes = new Uint8Array(memory.buffer);
      bytes.fill(0x11);
      const id = raw.register(policy, "rx", memory.address);
      assert(bytes.every((byte) => byte === 0x11), `${policy}: REGISTER changed the memory`);
      bytes.fill(0x22);
      raw.unregister(id);
      assert(bytes.every((byte) => byte === 0x22), `${policy}: UNREGISTER changed the memory`);
    }
  });

  check("gives a block that can neither be mapped nor queried for an offset", (raw, bench) => {
    const id = raw.register("user-pages-registered", "tx", bench.memory().address);
    same(raw.query(id).get("mmap_offset"), 0, "mmap_offset");
    same(raw.query(id).get("size"), PAGE, "size");
  });
});
