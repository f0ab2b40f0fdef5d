// SPDX-License-Identifier: MIT
/** open() and close(). @module */

import { O_CLOEXEC, O_NONBLOCK } from "../../../driver/syscalls.ts";
import { unpackStats } from "../../../driver/stats.ts";
import { assert, fails, group, same } from "./check.ts";

export const open = group("open", (check) => {
  check("is exclusive: a second one is EBUSY", (_raw, bench) => {
    fails("EBUSY", "second open", () => bench.open());
  });

  check("works again after close", (raw, bench) => {
    fails("EBUSY", "second open", () => bench.open());
    raw.close();
    bench.open().stats();
  });

  check("that was refused leaves the first one alone", (raw, bench) => {
    const { id } = raw.alloc("streaming", "tx");
    fails("EBUSY", "second open", () => bench.open());
    same(raw.query(id).get("state"), 0, "state of a block");
  });

  check("finds no block of the one before, queued or not", (raw, bench) => {
    const { id } = raw.alloc("streaming", "rx", 4096, 3);
    raw.alloc("coherent", "tx");
    raw.alloc("bounce", "rx");
    raw.enqueue(id);
    raw.close();
    const next = bench.open();
    const { blocks, bytes } = unpackStats(next.stats().bytes);
    same(blocks, 0, "blocks");
    same(bytes, 0, "bytes");
    fails("ENOENT", "QUERY of the old id", () => next.query(id));
  });

  check("begins with counters of zero", (raw, bench) => {
    const tx = raw.alloc("streaming", "tx");
    const rx = raw.alloc("streaming", "rx");
    bench.frame(raw, tx.id, rx.id);
    raw.close();
    assert(bench.open().stats().bytes.every((byte) => byte === 0), "something is counted already");
  });

  check("with O_NONBLOCK makes DEQUEUE look and not wait", (raw, bench) => {
    raw.close();
    const next = bench.open(O_CLOEXEC | O_NONBLOCK);
    next.enqueue(next.alloc("streaming", "rx").id);
    const before = bench.now();
    fails("EAGAIN", "DEQUEUE", () => next.dequeue("rx", bench.in(60_000)));
    assert(bench.now() - before < 30e9, "it waited");
  });
});

export const close = group("close", (check) => {
  check("leaves a mapping alone, and the device is busy until that is gone", (raw, bench) => {
    const mapping = raw.map(raw.alloc("streaming", "tx").offset);
    raw.close();
    const view = new Uint8Array(mapping.buffer);
    view.fill(0x5a);
    assert(view.every((byte) => byte === 0x5a), "the memory is gone");
    fails("EBUSY", "open while mapped", () => bench.open());
    raw.unmap(mapping);
    same(unpackStats(bench.open().stats().bytes).blocks, 0, "blocks");
  });

  check("leaves the mapping of a block that the engine has alone, too", (raw, bench) => {
    const { id, offset } = raw.alloc("streaming", "rx");
    const mapping = raw.map(offset);
    raw.enqueue(id);
    raw.close();
    assert(new Uint8Array(mapping.buffer).length === 4096, "the memory is gone");
    fails("EBUSY", "open while mapped", () => bench.open());
    raw.unmap(mapping);
    bench.open().alloc("streaming", "rx");
  });
});
