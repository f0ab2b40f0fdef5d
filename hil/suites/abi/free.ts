// SPDX-License-Identifier: MIT
/** FREE, UNREGISTER and QUERY. @module */

import { POLLIN, PROT_READ } from "../../../driver/syscalls.ts";
import { BLOCK_FLAGS, FREE, POLICIES, QUERY, STATES } from "../../../driver/uapi.ts";
import { assert, type Bench, group, LONG, ready, refusesCall, same } from "./check.ts";
import { kind, MAX_U32, PAGE, type Raw, Struct } from "./raw.ts";

/** A completion that waits to be dequeued. */
function finished(raw: Raw, bench: Bench): number {
  const tx = raw.alloc("streaming", "tx");
  const rx = raw.alloc("streaming", "rx");
  raw.enqueue(rx.id);
  raw.enqueue(tx.id);
  raw.dequeue("tx", bench.in(LONG));
  ready(raw, POLLIN);
  return rx.id;
}

const registered = (raw: Raw, bench: Bench) =>
  raw.register("user-pages-registered", "rx", bench.memory().address);

export const free = group("FREE", (check) => {
  check("of an id that was never given is ENOENT", (raw) => {
    const { id } = raw.alloc("streaming", "tx");
    for (const other of [0, id + 1, MAX_U32]) {
      refusesCall(raw, "ENOENT", "FREE", new Struct(FREE, { id: other }));
    }
  });

  check("twice is ENOENT", (raw) => {
    const { id } = raw.alloc("streaming", "tx", PAGE, 2);
    raw.free(id);
    refusesCall(raw, "ENOENT", "FREE", new Struct(FREE, { id }));
  });

  check("with a reserved member is EINVAL", (raw) => {
    const { id } = raw.alloc("streaming", "tx");
    refusesCall(raw, "EINVAL", "FREE", new Struct(FREE, { id, reserved: 1 }));
  });

  check("of a mapped block is EBUSY, until its last mapping is gone", (raw) => {
    const { id, offset } = raw.alloc("streaming", "rx");
    const first = raw.map(offset);
    const second = raw.map(offset, { prot: PROT_READ });
    refusesCall(raw, "EBUSY", "FREE", new Struct(FREE, { id }));
    raw.unmap(first);
    refusesCall(raw, "EBUSY", "FREE", new Struct(FREE, { id }));
    raw.unmap(second);
    raw.free(id);
  });

  check("of a block that the engine has is EBUSY", (raw) => {
    const { id } = raw.alloc("streaming", "rx");
    raw.enqueue(id);
    refusesCall(raw, "EBUSY", "FREE", new Struct(FREE, { id }));
    raw.reset();
    raw.free(id);
  });

  check("of a block that waits for DEQUEUE is EBUSY", (raw, bench) => {
    const id = finished(raw, bench);
    refusesCall(raw, "EBUSY", "FREE", new Struct(FREE, { id }));
    raw.dequeue("rx", 0);
    raw.free(id);
  });

  check("of registered memory is EINVAL", (raw, bench) => {
    refusesCall(raw, "EINVAL", "FREE", new Struct(FREE, { id: registered(raw, bench) }));
  });
});

export const unregister = group("UNREGISTER", (check) => {
  check("of an id that was never given is ENOENT", (raw) => {
    for (const id of [0, 1, MAX_U32]) {
      refusesCall(raw, "ENOENT", "UNREGISTER", new Struct(FREE, { id }));
    }
  });

  check("twice is ENOENT", (raw, bench) => {
    const id = registered(raw, bench);
    raw.unregister(id);
    refusesCall(raw, "ENOENT", "UNREGISTER", new Struct(FREE, { id }));
  });

  check("with a reserved member is EINVAL", (raw, bench) => {
    const id = registered(raw, bench);
    refusesCall(raw, "EINVAL", "UNREGISTER", new Struct(FREE, { id, reserved: 1 }));
  });

  check("of an allocated block is EINVAL", (raw) => {
    const { id } = raw.alloc("streaming", "tx");
    refusesCall(raw, "EINVAL", "UNREGISTER", new Struct(FREE, { id }));
  });

  check("of memory that the engine has is EBUSY", (raw, bench) => {
    const id = registered(raw, bench);
    raw.enqueue(id);
    refusesCall(raw, "EBUSY", "UNREGISTER", new Struct(FREE, { id }));
    raw.reset();
    raw.unregister(id);
  });
});

export const query = group("QUERY", (check) => {
  check("of an id that was never given is ENOENT", (raw) => {
    const { id } = raw.alloc("streaming", "tx");
    for (const other of [0, id + 1, MAX_U32]) {
      refusesCall(raw, "ENOENT", "QUERY", new Struct(QUERY, { id: other }));
    }
  });

  check("of a block that was freed is ENOENT", (raw) => {
    const { id } = raw.alloc("streaming", "tx");
    raw.free(id);
    refusesCall(raw, "ENOENT", "QUERY", new Struct(QUERY, { id }));
  });

  check("with a reserved member is EINVAL", (raw) => {
    const { id } = raw.alloc("streaming", "tx");
    refusesCall(raw, "EINVAL", "QUERY", new Struct(QUERY, { id, reserved: 1 }));
  });

  check("tells direction, policy, size and offset as they were given", (raw, bench) => {
    for (const policy of POLICIES) {
      for (const direction of ["tx", "rx"] as const) {
        if (!bench.info.policies[policy][direction] || policy.startsWith("user-pages")) continue;
        const { id, offset } = raw.alloc(policy, direction, 192);
        const { policy: index, direction: way } = kind(policy, direction);
        const found = raw.query(id);
        same(found.get("policy"), index, "policy");
        same(found.get("direction"), way, "direction");
        same(found.get("size"), 192, "size");
        same(found.get("mmap_offset"), offset, "mmap_offset");
        same(found.get("segments"), 1, `segments of ${policy}`);
        same(STATES[found.get("state")], "user", "state");
        assert(found.slice("reserved").every((byte) => byte === 0), "reserved is not zero");
      }
    }
  });

  check("tells who has the block: user, in flight, queued, done", (raw, bench) => {
    const state = (id: number) => STATES[raw.query(id).get("state")];
    const { engineDepth: depth, queueDepth } = bench.chan("rx");
    const { id } = raw.alloc("streaming", "rx", PAGE, depth + 1);
    const tx = raw.alloc("streaming", "tx");
    same(state(id), "user", "at first");
    for (let i = 0; i < Math.min(depth + 1, queueDepth); i++) raw.enqueue(id + i);
    same(state(id), "in-flight", "the first one enqueued");
    if (depth < queueDepth) {
      same(state(id + depth), "queued", "one more than the engine takes");
    }
    raw.enqueue(tx.id);
    raw.dequeue("tx", bench.in(LONG));
    ready(raw, POLLIN);
    same(state(id), "done", "with a frame");
    raw.dequeue("rx", 0);
    same(state(id), "user", "dequeued");
    raw.reset();
    same(state(id + depth), "user", "after RESET");
  });

  check("tells whether a block is mapped", (raw) => {
    const { id, offset } = raw.alloc("streaming", "rx");
    const mapped = () => (raw.query(id).get("flags") & BLOCK_FLAGS.mapped) !== 0;
    same(mapped(), false, "at first");
    const mapping = raw.map(offset);
    same(mapped(), true, "mapped");
    raw.unmap(mapping);
    same(mapped(), false, "unmapped");
  });

  check("tells whether the policy's sync calls do anything", (raw, bench) => {
    const needs = (id: number) => (raw.query(id).get("flags") & BLOCK_FLAGS.needsSync) !== 0;
    for (const policy of ["coherent", "write-combine", "none"] as const) {
      if (!bench.info.policies[policy].tx) continue;
      same(needs(raw.alloc(policy, "tx").id), false, policy);
    }
    for (const policy of ["streaming", "streaming-lazy", "manual"] as const) {
      same(needs(raw.alloc(policy, "rx").id), bench.chan("rx").needsSync, policy);
    }
  });

  check("tells whether memory is pinned, and in how many pieces", (raw, bench) => {
    const look = (id: number) => {
      const found = raw.query(id);
      const pinned = (found.get("flags") & BLOCK_FLAGS.pinned) !== 0;
      return `${pinned ? "pinned" : "not pinned"}, ${found.get("segments") > 0 ? "some" : "no"}`;
    };
    same(look(registered(raw, bench)), "pinned, some", "user-pages-registered");
    const id = raw.register("user-pages", "rx", bench.memory().address);
    same(look(id), "not pinned, no", "user-pages");
    raw.enqueue(id);
    same(look(id), "pinned, some", "user-pages in flight");
    raw.reset();
    same(look(id), "not pinned, no", "user-pages after RESET");
  });
});
