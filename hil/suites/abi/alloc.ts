// SPDX-License-Identifier: MIT
/** ALLOC. @module */

import type { ErrnoName } from "../../../driver/errno.ts";
import { unpackStats } from "../../../driver/stats.ts";
import { PROT_READ } from "../../../driver/syscalls.ts";
import { ALLOC, DIRECTIONS, isAllocPolicy, POLICIES } from "../../../driver/uapi.ts";
import {
  assert,
  type CheckContext,
  fails,
  group,
  load,
  offered,
  refuses,
  refusesCall,
  same,
} from "./check.ts";
import { kind, MAX_U32, MAX_U64, PAGE, Struct, type Values } from "./raw.ts";

type AllocValues = Values<keyof typeof ALLOC.at>;

const GOOD = { ...kind("streaming", "tx"), size: PAGE, count: 1 };

/** Arguments that fail, by what is wrong with them. */
const REFUSED: readonly [ErrnoName, string, (context: CheckContext) => AllocValues][] = [
  ["EINVAL", "size 0", () => ({ size: 0 })],
  ["EINVAL", "size 2^32", () => ({ size: 1n << 32n })],
  ["EINVAL", "size 2^63", () => ({ size: 1n << 63n })],
  ["EINVAL", "size 2^64 - 1", () => ({ size: MAX_U64 })],
  ["EINVAL", "size 2^64 - one page", () => ({ size: MAX_U64 - 4095n })],
  ["EINVAL", "count 0", () => ({ count: 0 })],
  ["EINVAL", "count over the limit", ({ info }) => ({ count: info.maxBlocks + 1 })],
  ["EINVAL", "count 2^32 - 1", () => ({ count: MAX_U32 })],
  ["EINVAL", "direction 2", () => ({ direction: 2 })],
  ["EINVAL", "direction 2^32 - 1", () => ({ direction: MAX_U32 })],
  ["EINVAL", "policy 11", () => ({ policy: POLICIES.length })],
  ["EINVAL", "policy 2^32 - 1", () => ({ policy: MAX_U32 })],
  ["EINVAL", "policy user-pages", () => kind("user-pages", "tx")],
  ["EINVAL", "policy user-pages-registered", () => kind("user-pages-registered", "tx")],
  ["EINVAL", "unknown flags", () => ({ flags: 1 })],
  ["EINVAL", "a reserved member", () => ({ reserved: 1 })],
  ["ENOMEM", "more bytes than the device's limit", ({ info: { maxBytes, policies } }) => {
    const size = policies.streaming.maxBlock;
    return { size, count: Math.floor(maxBytes / size) + 1 };
  }],
];

export const alloc = group("ALLOC", (check) => {
  for (const [code, what, values] of REFUSED) {
    check(`fails with ${code} for ${what}`, (raw, context) => {
      refusesCall(raw, code, "ALLOC", new Struct(ALLOC, { ...GOOD, ...values(context) }));
    });
  }

  check(
    "fails with EINVAL for one byte more than the largest block, under every policy",
    (raw, context) => {
      for (const policy of POLICIES) {
        for (const direction of DIRECTIONS) {
          const size = context.info.policies[policy].maxBlock + 1;
          const argument = new Struct(ALLOC, { ...kind(policy, direction), size, count: 1 });
          refusesCall(raw, "EINVAL", "ALLOC", argument);
        }
      }
    },
  );

  check("allocates the largest block", (raw, context) => {
    const { maxBlock } = context.info.policies.streaming;
    const { id } = raw.alloc("streaming", "tx", maxBlock);
    same(raw.query(id).get("size"), maxBlock, "size");
  });

  check("returns ids and offsets without gaps", (raw) => {
    const { id, offset, stride } = raw.alloc("streaming", "rx", 2 * PAGE + 1, 4);
    same(stride, 3 * PAGE, "mmap_stride");
    assert(offset > 0 && offset % PAGE === 0, `mmap_offset ${offset}`);
    for (let i = 0; i < 4; i++) {
      const query = raw.query(id + i);
      same(query.get("mmap_offset"), offset + i * stride, `offset of block ${i}`);
      same(query.get("size"), 2 * PAGE + 1, `size of block ${i}`);
    }
    fails("ENOENT", "QUERY of the next id", () => raw.query(id + 4));
  });

  check("returns no offset for blocks of a ring", (raw) => {
    const { id, offset, stride } = raw.alloc("bounce", "tx");
    same(offset, 0, "mmap_offset");
    same(stride, 0, "mmap_stride");
    same(raw.query(id).get("mmap_offset"), 0, "mmap_offset of QUERY");
  });

  check("never returns an id or an offset twice", (raw) => {
    const seen = new Set<string>();
    for (let i = 0; i < 20; i++) {
      const { id, offset } = raw.alloc("streaming", "tx", PAGE, 2);
      for (const one of [`id ${id}`, `id ${id + 1}`, `offset ${offset}`]) {
        assert(!seen.has(one), `${one} was returned twice`);
        seen.add(one);
      }
      raw.free(id + 1);
      raw.free(id);
    }
  });

  check("never returns an id that REGISTER returned", (raw, context) => {
    const { address } = context.memory();
    const first = raw.register("user-pages", "tx", address);
    raw.unregister(first);
    assert(raw.alloc("streaming", "tx").id > first, `id ${first} was returned twice`);
  });

  for (const policy of POLICIES) {
    if (policy === "bounce" || !isAllocPolicy(policy)) continue;
    check(
      {
        name: `zeroes the memory of policy ${policy}, whether it was used before or not`,
        needs: offered(policy),
      },
      (raw) => {
        const zeroed = (direction: "tx" | "rx") => {
          const { id, offset } = raw.alloc(policy, direction, 4 * PAGE);
          const mapping = raw.map(offset, { length: 4 * PAGE, prot: PROT_READ });
          const wrong = load(mapping).findIndex((byte) => byte !== 0);
          assert(wrong < 0, `byte ${wrong} of a ${direction} block is not zero`);
          raw.unmap(mapping);
          raw.free(id);
        };
        zeroed("rx");
        zeroed("tx");
        for (let i = 0; i < 3; i++) {
          const { id, offset } = raw.alloc(policy, "tx", 4 * PAGE);
          const mapping = raw.map(offset, { length: 4 * PAGE });
          mapping.fill(0xff, 0, mapping.length);
          raw.unmap(mapping);
          raw.free(id);
        }
        zeroed("tx");
        zeroed("rx");
      },
    );
  }

  check("counts blocks and whole pages in STATS until FREE", (raw) => {
    const counts = () => {
      const { blocks, bytes } = unpackStats(raw.stats().bytes);
      return `${blocks} blocks, ${bytes} bytes`;
    };
    same(counts(), "0 blocks, 0 bytes", "at first");
    const tx = raw.alloc("streaming", "tx", 1, 3);
    same(counts(), `3 blocks, ${3 * PAGE} bytes`, "after three blocks of one byte");
    const ring = raw.alloc("bounce", "rx", PAGE + 64);
    same(counts(), `4 blocks, ${5 * PAGE} bytes`, "after a block of a page and 64 bytes");
    raw.free(ring.id);
    raw.free(tx.id + 1);
    same(counts(), `2 blocks, ${2 * PAGE} bytes`, "after two FREE");
  });

  check(
    "fails with ENOMEM at the device's limit of blocks until one is freed",
    (raw, context) => {
      const { maxBlocks } = context.info;
      const { address } = context.memory();
      const { id } = raw.alloc("none", "tx", 1, maxBlocks);
      raw.ids.clear(); // to query thousands of blocks would take long
      raw.ids.add(id);
      refuses(raw, "ENOMEM", "ALLOC", () => raw.alloc("none", "tx", 1));
      refuses(raw, "ENOMEM", "REGISTER", () => raw.register("user-pages", "tx", address));
      raw.free(id);
      raw.alloc("none", "tx", 1);
      fails("ENOMEM", "ALLOC", () => raw.alloc("none", "rx", 1));
    },
  );

  check("fails with ENOMEM if all blocks together exceed the limit of bytes", (raw, context) => {
    const { maxBytes, policies: { streaming: { maxBlock } } } = context.info;
    raw.alloc("streaming", "tx", maxBytes % maxBlock + PAGE);
    const count = Math.floor(maxBytes / maxBlock);
    refuses(raw, "ENOMEM", "ALLOC", () => raw.alloc("streaming", "rx", maxBlock, count));
  });

  check(
    "fails with EINVAL for ring slots of a size that the engine cannot fill",
    (raw, context) => {
      const { lengthAlign } = context.chan("rx");
      if (lengthAlign === 1) raw.alloc("bounce", "rx", 1);
      else refuses(raw, "EINVAL", "ALLOC", () => raw.alloc("bounce", "rx", PAGE - 1));
    },
  );
});
