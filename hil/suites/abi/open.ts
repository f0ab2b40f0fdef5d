// SPDX-License-Identifier: MIT
/** open() and close(). @module */

import { O_CLOEXEC, O_NONBLOCK } from "../../../driver/syscalls.ts";
import { unpackStats } from "../../../driver/stats.ts";
import { assert, fails, group, load, same } from "./check.ts";

export const open = group("open", (check) => {
  check("fails with EBUSY if the device is open", (_raw, context) => {
    fails("EBUSY", "second open", () => context.open());
  });

  check("succeeds again after close", (raw, context) => {
    fails("EBUSY", "second open", () => context.open());
    raw.close();
    context.open().stats();
  });

  check("that fails does not affect the first open file", (raw, context) => {
    const { id } = raw.alloc("streaming", "tx");
    fails("EBUSY", "second open", () => context.open());
    same(raw.query(id).get("state"), 0, "state of a block");
  });

  check("finds no block of the previous open file, queued or not", (raw, context) => {
    const { id } = raw.alloc("streaming", "rx", 4096, 3);
    raw.alloc("coherent", "tx");
    raw.alloc("bounce", "rx");
    raw.enqueue(id);
    raw.close();
    const next = context.open();
    const { blocks, bytes } = unpackStats(next.stats().bytes);
    same(blocks, 0, "blocks");
    same(bytes, 0, "bytes");
    fails("ENOENT", "QUERY of the old id", () => next.query(id));
  });

  check("starts with all counters at zero", (raw, context) => {
    const tx = raw.alloc("streaming", "tx");
    const rx = raw.alloc("streaming", "rx");
    context.frame(raw, tx.id, rx.id);
    raw.close();
    assert(context.open().stats().bytes.every((byte) => byte === 0), "a counter is not zero");
  });

  check("with O_NONBLOCK makes DEQUEUE return without waiting", (raw, context) => {
    raw.close();
    const next = context.open(O_CLOEXEC | O_NONBLOCK);
    next.enqueue(next.alloc("streaming", "rx").id);
    const before = context.now();
    fails("EAGAIN", "DEQUEUE", () => next.dequeue("rx", context.in(60_000)));
    assert(context.now() - before < 30e9, "DEQUEUE waited");
  });
});

export const close = group("close", (check) => {
  check(
    "keeps a mapping usable, and the device stays busy until it is unmapped",
    (raw, context) => {
      const mapping = raw.map(raw.alloc("streaming", "tx").offset);
      raw.close();
      mapping.fill(0x5a, 0, mapping.length);
      assert(
        load(mapping).every((byte) => byte === 0x5a),
        "the mapping does not hold what was stored",
      );
      fails("EBUSY", "open while mapped", () => context.open());
      raw.unmap(mapping);
      same(unpackStats(context.open().stats().bytes).blocks, 0, "blocks");
    },
  );

  check("keeps the mapping of an enqueued block usable, too", (raw, context) => {
    const { id, offset } = raw.alloc("streaming", "rx");
    const mapping = raw.map(offset);
    raw.enqueue(id);
    raw.close();
    assert(
      load(mapping).length === 4096,
      "the mapping does not hold what was stored",
    );
    fails("EBUSY", "open while mapped", () => context.open());
    raw.unmap(mapping);
    context.open().alloc("streaming", "rx");
  });
});
