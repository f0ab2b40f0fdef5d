// SPDX-License-Identifier: MIT
/** mmap(). @module */

import type { ErrnoName } from "../../../driver/errno.ts";
import { MAP_PRIVATE, MAP_SHARED, PROT_READ, PROT_WRITE } from "../../../driver/syscalls.ts";
import { assert, group, here, load, refuses, same } from "./check.ts";
import { mprotect, vmFlags } from "./kernel.ts";
import { type Blocks, PAGE, type Raw } from "./raw.ts";

const BOTH = PROT_READ | PROT_WRITE;

/** Mappings of a block of two pages that fail, by what is wrong with them. */
const REFUSED: readonly [ErrnoName, string, (raw: Raw, blocks: Blocks) => unknown][] = [
  ["EINVAL", "offset 0", (raw) => raw.map(0, { length: 2 * PAGE })],
  [
    "EINVAL",
    "an offset that was never returned",
    (raw, { offset, stride }) => raw.map(offset + 2 * stride, { length: 2 * PAGE }),
  ],
  ["EINVAL", "the second page alone", (raw, { offset }) => raw.map(offset + PAGE)],
  ["EINVAL", "the first page alone", (raw, { offset }) => raw.map(offset)],
  ["EINVAL", "one page too many", (raw, { offset }) => raw.map(offset, { length: 3 * PAGE })],
  ["EINVAL", "two blocks at once", (raw, { offset }) => raw.map(offset, { length: 4 * PAGE })],
  [
    "EINVAL",
    "a private mapping",
    (raw, { offset }) => raw.map(offset, { length: 2 * PAGE, flags: MAP_PRIVATE }),
  ],
  [
    "EINVAL",
    "a private read-only mapping",
    (raw, { offset }) => raw.map(offset, { length: 2 * PAGE, prot: PROT_READ, flags: MAP_PRIVATE }),
  ],
];

export const mmap = group("mmap", (check) => {
  for (const [code, what, fn] of REFUSED) {
    check(`fails with ${code} for ${what}`, (raw) => {
      const blocks = raw.alloc("streaming", "tx", 2 * PAGE, 2);
      refuses(raw, code, "mmap", () => fn(raw, blocks));
    });
  }

  check("fails with EINVAL for the offset of a freed block", (raw) => {
    const { id, offset } = raw.alloc("streaming", "tx");
    raw.free(id);
    refuses(raw, "EINVAL", "mmap", () => raw.map(offset));
  });

  check("fails with EBADF for a closed descriptor", (raw) => {
    const { offset } = raw.alloc("streaming", "tx");
    const { fd, syscalls } = raw;
    raw.close();
    try {
      syscalls.munmap(syscalls.mmap(PAGE, PROT_READ, MAP_SHARED, fd, offset));
    } catch (error) {
      same((error as { code?: string }).code, "EBADF", "errno");
      return;
    }
    throw new Error("Expected EBADF, found success");
  });

  check("fails with EACCES for a writable mapping of a receive block of streaming-lazy", (raw) => {
    const { offset } = raw.alloc("streaming-lazy", "rx");
    refuses(raw, "EACCES", "mmap", () => raw.map(offset));
    refuses(raw, "EACCES", "mmap", () => raw.map(offset, { prot: PROT_WRITE }));
    raw.map(offset, { prot: PROT_READ });
  });

  check(
    {
      name: "returns a mapping of a receive block of streaming-lazy that cannot be made writable",
      needs: here,
    },
    (raw) => {
      const { offset } = raw.alloc("streaming-lazy", "rx");
      const mapping = raw.map(offset, { prot: PROT_READ });
      same(mprotect(mapping, BOTH), false, "result of mprotect");
    },
  );

  check("returns a writable mapping of a transmit block of streaming-lazy", (raw) => {
    const { offset } = raw.alloc("streaming-lazy", "tx");
    const mapping = raw.map(offset);
    mapping.fill(0xa5, 0, PAGE);
    assert(
      load(mapping).every((byte) => byte === 0xa5),
      "the mapping does not hold what was stored",
    );
  });

  check("rounds a block of one byte up to a page", (raw) => {
    const { offset } = raw.alloc("streaming", "tx", 1);
    same(raw.map(offset).length, PAGE, "length");
  });

  check("shows the same memory if one block is mapped twice", (raw) => {
    const { offset } = raw.alloc("streaming", "tx");
    const first = raw.map(offset);
    const second = raw.map(offset, { prot: PROT_READ });
    first.fill(0x3c, 0, PAGE);
    assert(load(second).every((byte) => byte === 0x3c), "the second mapping shows other memory");
  });

  check("shows separate memory for neighbouring blocks", (raw) => {
    const { offset, stride } = raw.alloc("streaming", "tx", PAGE, 3);
    const mappings = [0, 1, 2].map((i) => raw.map(offset + i * stride));
    mappings.forEach((mapping, i) => mapping.fill(i + 1, 0, PAGE));
    mappings.forEach((mapping, i) =>
      assert(load(mapping).every((byte) => byte === i + 1), `block ${i} changed`)
    );
  });

  check("succeeds for an enqueued block", (raw) => {
    const { id, offset } = raw.alloc("streaming", "rx");
    raw.enqueue(id);
    raw.map(offset, { prot: PROT_READ });
  });

  check({
    name: "returns a mapping that neither a child of fork() nor a core dump inherits",
    needs: here,
  }, (raw) => {
    for (const policy of ["coherent", "streaming", "noncoherent"] as const) {
      const flags = vmFlags(raw.map(raw.alloc(policy, "tx").offset));
      for (const flag of ["dc", "dd"]) {
        assert(flags.includes(flag), `${policy}: expected ${flag}, found ${flags.join(" ")}`);
      }
    }
  });
});
