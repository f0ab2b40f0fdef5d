// SPDX-License-Identifier: MIT
/**
 * EXPORT and IMPORT. The buffers here are exported blocks, because every board can make them. The programs of
 * `driver/kernel/tests/` use those of other drivers.
 *
 * @module
 */

import { BUFFER_SYNC, DMA_BUF_IOCTL_SYNC } from "../../../driver/dma_buffer.ts";
import { unpackStats } from "../../../driver/stats.ts";
import type { ErrnoName } from "../../../driver/errno.ts";
import type { Mapping } from "../../../driver/mapping.ts";
import {
  MAP_PRIVATE,
  MAP_SHARED,
  POLLIN,
  POLLOUT,
  PROT_READ,
  PROT_WRITE,
} from "../../../driver/syscalls.ts";
import {
  BLOCK_FLAGS,
  type Direction,
  EXPORT,
  FREE,
  IMPORT,
  isAllocPolicy,
  POLICIES,
  type PolicyName,
} from "../../../driver/uapi.ts";
import { assert, fails, group, load, ready, refusesCall, same } from "./check.ts";
import { kind, MAX_U32, PAGE, type Raw, Struct, type Values } from "./raw.ts";

/** Exports a block; `use` gets the file descriptor, which is closed afterwards. */
function withBuffer(raw: Raw, id: number, use: (fd: number) => void): void {
  const argument = new Struct(EXPORT, { id });
  raw.call("EXPORT", argument);
  const fd = argument.get("fd");
  try {
    use(fd);
  } finally {
    raw.syscalls.close(fd);
  }
}

function importBuffer(raw: Raw, values: Values<keyof typeof IMPORT.at>): number {
  const argument = new Struct(IMPORT, { size: PAGE, ...values });
  raw.call("IMPORT", argument);
  raw.ids.add(argument.get("id"));
  return argument.get("id");
}

/** `DMA_BUF_IOCTL_SYNC`. */
function syncBuffer(raw: Raw, fd: number, flags: number): void {
  const argument = new Uint8Array(8);
  argument[0] = flags;
  raw.syscalls.ioctl(fd, DMA_BUF_IOCTL_SYNC, argument);
}

/** Maps a page of a buffer while `use` runs. */
function mapped(raw: Raw, fd: number, use: (mapping: Mapping) => void): void {
  const mapping = raw.syscalls.mmap(PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  try {
    use(mapping);
  } finally {
    raw.syscalls.munmap(mapping);
  }
}

/** Sends frames. The CPU accesses their memory through buffers, between calls of DMA_BUF_IOCTL_SYNC. */
function frames(
  raw: Raw,
  buffers: Readonly<Record<Direction, number>>,
  blocks: Readonly<Record<Direction, number>>,
): void {
  for (let round = 1; round < 4; round++) {
    mapped(raw, buffers.tx, (mapping) => mapping.fill(round, 0, PAGE));
    syncBuffer(raw, buffers.tx, BUFFER_SYNC.write | BUFFER_SYNC.end);
    raw.enqueue(blocks.rx);
    raw.enqueue(blocks.tx);
    ready(raw, POLLIN);
    raw.dequeue("rx", 0);
    ready(raw, POLLOUT);
    raw.dequeue("tx", 0);
    syncBuffer(raw, buffers.rx, BUFFER_SYNC.read);
    mapped(raw, buffers.rx, (mapping) => {
      assert(load(mapping).every((byte) => byte === round), `round ${round}: other bytes`);
    });
  }
}

const EXPORTABLE: readonly PolicyName[] = ["streaming", "streaming-lazy", "manual", "none"];

export const exportChecks = group("EXPORT", (check) => {
  check("fails with ENOENT for an id that was never returned", (raw) => {
    refusesCall(raw, "ENOENT", "EXPORT", new Struct(EXPORT, { id: MAX_U32 }));
  });

  check("fails with EINVAL for flags and for a reserved member", (raw) => {
    const { id } = raw.alloc("streaming", "tx");
    refusesCall(raw, "EINVAL", "EXPORT", new Struct(EXPORT, { id, flags: 1 }));
    refusesCall(raw, "EINVAL", "EXPORT", new Struct(EXPORT, { id, reserved: 1 }));
  });

  check("fails with EBUSY for a block that the user does not own", (raw) => {
    const { id } = raw.alloc("streaming", "rx");
    raw.enqueue(id);
    refusesCall(raw, "EBUSY", "EXPORT", new Struct(EXPORT, { id }));
  });

  check("fails with EOPNOTSUPP for policies without cached pages", (raw, context) => {
    for (const policy of POLICIES) {
      if (!isAllocPolicy(policy) || EXPORTABLE.includes(policy)) continue;
      if (!context.info.policies[policy].tx) continue;
      const { id } = raw.alloc(
        policy,
        "tx",
        context.info.policies[policy].maxBlock >= PAGE ? PAGE : 64,
      );
      refusesCall(raw, "EOPNOTSUPP", "EXPORT", new Struct(EXPORT, { id }));
    }
  });

  check("fails with EOPNOTSUPP for a receive block of streaming-lazy", (raw) => {
    const { id } = raw.alloc("streaming-lazy", "rx");
    refusesCall(raw, "EOPNOTSUPP", "EXPORT", new Struct(EXPORT, { id }));
  });

  check("returns a buffer with the memory of the block", (raw) => {
    for (const policy of EXPORTABLE) {
      const { id, offset } = raw.alloc(policy, "tx");
      const block = raw.map(offset);
      withBuffer(raw, id, (fd) => {
        mapped(raw, fd, (mapping) => mapping.fill(0x5a, 0, PAGE));
        // a copy, which no device would see
        const copy = () => raw.syscalls.mmap(PAGE, PROT_READ, MAP_PRIVATE, fd, 0);
        fails("EINVAL", "a private mapping", copy);
      });
      assert(load(block).every((byte) => byte === 0x5a), `the block of ${policy} has other bytes`);
    }
  });

  check("keeps the block from FREE until the buffer and its mappings are gone", (raw) => {
    const { id } = raw.alloc("streaming", "tx");
    const refused = () => refusesCall(raw, "EBUSY", "FREE", new Struct(FREE, { id }));
    const exported = () => (raw.query(id).get("flags") & BLOCK_FLAGS.exported) !== 0;
    withBuffer(raw, id, () => {
      refused();
      assert(exported(), "QUERY does not report the buffer");
    });
    const argument = new Struct(EXPORT, { id });
    raw.call("EXPORT", argument);
    const fd = argument.get("fd");
    const mapping = raw.syscalls.mmap(PAGE, PROT_READ, MAP_SHARED, fd, 0);
    raw.syscalls.close(fd);
    refused();
    raw.syscalls.munmap(mapping);
    assert(!exported(), "QUERY still reports the buffer");
    raw.free(id);
  });

  check("returns a buffer that outlives close()", (raw, context) => {
    const { id } = raw.alloc("streaming", "tx");
    withBuffer(raw, id, (fd) => {
      mapped(raw, fd, (mapping) => mapping.fill(0x33, 0, PAGE));
      raw.close();
      const other = context.open();
      other.alloc("streaming", "tx", PAGE, 4);
      syncBuffer(raw, fd, BUFFER_SYNC.read);
      mapped(
        raw,
        fd,
        (mapping) => assert(load(mapping).every((byte) => byte === 0x33), "other bytes"),
      );
    });
  });

  check("counts the memory of a block until its last buffer is gone", (raw, context) => {
    const bytes = (of: Raw) => unpackStats(of.stats().bytes).bytes;
    const bytesNow = () => {
      const other = context.open();
      const found = bytes(other);
      other.close();
      return found;
    };
    const { id } = raw.alloc("streaming", "tx");
    withBuffer(raw, id, () => same(bytes(raw), PAGE, "bytes with a buffer"));
    same(bytes(raw), PAGE, "bytes of a block whose buffer is gone");
    withBuffer(raw, id, () => {
      withBuffer(raw, id, () => {
        raw.close();
        same(bytesNow(), PAGE, "bytes after close() with two buffers");
      });
      same(bytesNow(), PAGE, "bytes after close() with one buffer");
    });
    same(bytesNow(), 0, "bytes without a buffer");
  });

  check("makes DMA_BUF_IOCTL_SYNC fail with EBUSY while the user does not own the block", (raw) => {
    for (const policy of ["manual", "streaming"] as const) {
      const { id } = raw.alloc(policy, "rx");
      withBuffer(raw, id, (fd) => {
        for (const flags of [BUFFER_SYNC.read, BUFFER_SYNC.read | BUFFER_SYNC.end]) {
          syncBuffer(raw, fd, flags);
        }
        raw.enqueue(id);
        for (const flags of [BUFFER_SYNC.read, BUFFER_SYNC.read | BUFFER_SYNC.end]) {
          fails("EBUSY", "DMA_BUF_IOCTL_SYNC", () => syncBuffer(raw, fd, flags));
        }
      });
      raw.reset();
    }
  });

  check("makes DMA_BUF_IOCTL_SYNC do what SYNC does under policy manual", (raw) => {
    const out = raw.alloc("manual", "tx");
    const back = raw.alloc("manual", "rx");
    withBuffer(raw, out.id, (tx) =>
      withBuffer(raw, back.id, (rx) => {
        frames(raw, { tx, rx }, { tx: out.id, rx: back.id });
      }));
  });
});

const REFUSED: readonly [ErrnoName, string, Values<keyof typeof IMPORT.at>][] = [
  ["EINVAL", "size 0", { size: 0 }],
  ["EINVAL", "a size over that of the buffer", { size: PAGE + 1 }],
  ["EINVAL", "size 2^63", { size: 1n << 63n }],
  ["EINVAL", "direction 2", { direction: 2 }],
  ["EINVAL", "direction 2^32 - 1", { direction: MAX_U32 }],
  ["EINVAL", "flags", { flags: 1 }],
  ["EBADF", "a file that is not open", { fd: -1 }],
];

export const importChecks = group("IMPORT", (check) => {
  for (const [code, what, values] of REFUSED) {
    check(`fails with ${code} for ${what}`, (raw) => {
      const { id } = raw.alloc("manual", "tx");
      withBuffer(raw, id, (fd) => {
        for (const direction of [0, 1]) {
          const argument = new Struct(IMPORT, { size: PAGE, fd, direction, ...values });
          refusesCall(raw, code, "IMPORT", argument);
        }
      });
    });
  }

  check("fails with EINVAL for a file that is not a dma-buf", (raw) => {
    refusesCall(raw, "EINVAL", "IMPORT", new Struct(IMPORT, { size: PAGE, fd: raw.fd }));
  });

  check("makes a block that QUERY reports, and that only FREE ends", (raw) => {
    const { id: exported } = raw.alloc("manual", "tx");
    withBuffer(raw, exported, (fd) => {
      const id = importBuffer(raw, { fd, direction: 1, size: 192 });
      const found = raw.query(id);
      same(found.get("policy"), kind("dma-buf", "rx").policy, "policy");
      same(found.get("direction"), 1, "direction");
      same(found.get("size"), 192, "size");
      same(found.get("mmap_offset"), 0, "mmap_offset");
      refusesCall(raw, "EINVAL", "UNREGISTER", new Struct(FREE, { id }));
      refusesCall(raw, "EOPNOTSUPP", "EXPORT", new Struct(EXPORT, { id }));
      raw.free(id);
      refusesCall(raw, "ENOENT", "FREE", new Struct(FREE, { id }));
    });
  });

  check("keeps the buffer after its file descriptor was closed", (raw) => {
    const { id: exported } = raw.alloc("manual", "tx");
    let id = 0;
    withBuffer(raw, exported, (fd) => {
      id = importBuffer(raw, { fd });
    });
    refusesCall(raw, "EBUSY", "FREE", new Struct(FREE, { id: exported }));
    raw.free(id);
    raw.free(exported);
  });

  check("makes a block whose frames DMA_BUF_IOCTL_SYNC of the buffer syncs", (raw) => {
    // of policy none, so nobody syncs the exported blocks
    const [out, back] = [raw.alloc("none", "tx"), raw.alloc("none", "rx")];
    withBuffer(raw, out.id, (tx) =>
      withBuffer(raw, back.id, (rx) => {
        const ids = {
          tx: importBuffer(raw, { fd: tx, direction: 0 }),
          rx: importBuffer(raw, { fd: rx, direction: 1 }),
        };
        frames(raw, { tx, rx }, ids);
        raw.free(ids.tx);
        raw.free(ids.rx);
      }));
  });
});
