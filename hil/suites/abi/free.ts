// SPDX-License-Identifier: MIT
/** FREE, UNREGISTER and QUERY. @module */

import { POLLIN, PROT_READ } from "../../../driver/syscalls.ts";
import { BLOCK_FLAGS, FREE, isAllocPolicy, POLICIES, QUERY, STATES } from "../../../driver/uapi.ts";
import { assert, type CheckContext, group, ready, refusesCall, same } from "./check.ts";
import { kind, MAX_U32, PAGE, type Raw, Struct } from "./raw.ts";

const registered = (raw: Raw, context: CheckContext) =>
  raw.register("user-pages-registered", "rx", context.memory().address);

export const free = group("FREE", (check) => {
  check("fails with ENOENT for an id that was never returned", (raw) => {
    const { id } = raw.alloc("streaming", "tx");
    for (const other of [0, id + 1, MAX_U32]) {
      refusesCall(raw, "ENOENT", "FREE", new Struct(FREE, { id: other }));
    }
  });

  check("fails with ENOENT the second time", (raw) => {
    const { id } = raw.alloc("streaming", "tx", PAGE, 2);
    raw.free(id);
    refusesCall(raw, "ENOENT", "FREE", new Struct(FREE, { id }));
  });

  check("fails with EINVAL for a reserved member", (raw) => {
    const { id } = raw.alloc("streaming", "tx");
    refusesCall(raw, "EINVAL", "FREE", new Struct(FREE, { id, reserved: 1 }));
  });

  check("fails with EBUSY until the last mapping of the block is gone", (raw) => {
    const { id, offset } = raw.alloc("streaming", "rx");
    const first = raw.map(offset);
    const second = raw.map(offset, { prot: PROT_READ });
    refusesCall(raw, "EBUSY", "FREE", new Struct(FREE, { id }));
    raw.unmap(first);
    refusesCall(raw, "EBUSY", "FREE", new Struct(FREE, { id }));
    raw.unmap(second);
    raw.free(id);
  });

  check("fails with EBUSY for an enqueued block", (raw) => {
    const { id } = raw.alloc("streaming", "rx");
    raw.enqueue(id);
    refusesCall(raw, "EBUSY", "FREE", new Struct(FREE, { id }));
    raw.reset();
    raw.free(id);
  });

  check("fails with EBUSY for a completed block before DEQUEUE", (raw, context) => {
    const { rx: id } = context.completed(raw);
    refusesCall(raw, "EBUSY", "FREE", new Struct(FREE, { id }));
    raw.dequeue("rx", 0);
    raw.free(id);
  });

  check("fails with EINVAL for registered memory", (raw, context) => {
    refusesCall(raw, "EINVAL", "FREE", new Struct(FREE, { id: registered(raw, context) }));
  });
});

export const unregister = group("UNREGISTER", (check) => {
  check("fails with ENOENT for an id that was never returned", (raw) => {
    for (const id of [0, 1, MAX_U32]) {
      refusesCall(raw, "ENOENT", "UNREGISTER", new Struct(FREE, { id }));
    }
  });

  check("fails with ENOENT the second time", (raw, context) => {
    const id = registered(raw, context);
    raw.unregister(id);
    refusesCall(raw, "ENOENT", "UNREGISTER", new Struct(FREE, { id }));
  });

  check("fails with EINVAL for a reserved member", (raw, context) => {
    const id = registered(raw, context);
    refusesCall(raw, "EINVAL", "UNREGISTER", new Struct(FREE, { id, reserved: 1 }));
  });

  check("fails with EINVAL for an allocated block", (raw) => {
    const { id } = raw.alloc("streaming", "tx");
    refusesCall(raw, "EINVAL", "UNREGISTER", new Struct(FREE, { id }));
  });

  check("fails with EBUSY for enqueued memory", (raw, context) => {
    const id = registered(raw, context);
    raw.enqueue(id);
    refusesCall(raw, "EBUSY", "UNREGISTER", new Struct(FREE, { id }));
    raw.reset();
    raw.unregister(id);
  });
});

export const query = group("QUERY", (check) => {
  check("fails with ENOENT for an id that was never returned", (raw) => {
    const { id } = raw.alloc("streaming", "tx");
    for (const other of [0, id + 1, MAX_U32]) {
      refusesCall(raw, "ENOENT", "QUERY", new Struct(QUERY, { id: other }));
    }
  });

  check("fails with ENOENT for a freed block", (raw) => {
    const { id } = raw.alloc("streaming", "tx");
    raw.free(id);
    refusesCall(raw, "ENOENT", "QUERY", new Struct(QUERY, { id }));
  });

  check("fails with EINVAL for a reserved member", (raw) => {
    const { id } = raw.alloc("streaming", "tx");
    refusesCall(raw, "EINVAL", "QUERY", new Struct(QUERY, { id, reserved: 1 }));
  });

  check("reports direction, policy, size and offset as they were allocated", (raw, context) => {
    for (const policy of POLICIES) {
      for (const direction of ["tx", "rx"] as const) {
        if (!context.info.policies[policy][direction] || !isAllocPolicy(policy)) continue;
        const { id, offset } = raw.alloc(policy, direction, 192);
        const { policy: index, direction: number } = kind(policy, direction);
        const found = raw.query(id);
        same(found.get("policy"), index, "policy");
        same(found.get("direction"), number, "direction");
        same(found.get("size"), 192, "size");
        same(found.get("mmap_offset"), offset, "mmap_offset");
        same(found.get("segments"), 1, `segments of ${policy}`);
        same(STATES[found.get("state")], "user", "state");
        assert(found.slice("reserved").every((byte) => byte === 0), "reserved is not zero");
      }
    }
  });

  check("reports the state of a block: user, in flight, queued, done", (raw, context) => {
    const state = (id: number) => STATES[raw.query(id).get("state")];
    const { engineDepth: depth, queueDepth } = context.chan("rx");
    const { id } = raw.alloc("streaming", "rx", PAGE, depth + 1);
    const tx = raw.alloc("streaming", "tx");
    same(state(id), "user", "after ALLOC");
    for (let i = 0; i < Math.min(depth + 1, queueDepth); i++) raw.enqueue(id + i);
    same(state(id), "in-flight", "after ENQUEUE");
    if (depth < queueDepth) {
      same(state(id + depth), "queued", "beyond the depth of the engine");
    }
    raw.enqueue(tx.id);
    context.take(raw, "tx");
    ready(raw, POLLIN);
    same(state(id), "done", "after a frame");
    raw.dequeue("rx", 0);
    same(state(id), "user", "after DEQUEUE");
    raw.reset();
    same(state(id + depth), "user", "after RESET");
  });

  check("reports whether a block is mapped", (raw) => {
    const { id, offset } = raw.alloc("streaming", "rx");
    const mapped = () => (raw.query(id).get("flags") & BLOCK_FLAGS.mapped) !== 0;
    same(mapped(), false, "after ALLOC");
    const mapping = raw.map(offset);
    same(mapped(), true, "mapped");
    raw.unmap(mapping);
    same(mapped(), false, "unmapped");
  });

  check("reports whether the sync calls of the policy have an effect", (raw, context) => {
    const needs = (id: number) => (raw.query(id).get("flags") & BLOCK_FLAGS.needsSync) !== 0;
    for (const policy of ["coherent", "write-combine", "none"] as const) {
      if (!context.info.policies[policy].tx) continue;
      same(needs(raw.alloc(policy, "tx").id), false, policy);
    }
    for (const policy of ["streaming", "streaming-lazy", "manual"] as const) {
      same(needs(raw.alloc(policy, "rx").id), context.chan("rx").needsSync, policy);
    }
  });

  check("reports whether memory is pinned, and in how many segments", (raw, context) => {
    const look = (id: number) => {
      const found = raw.query(id);
      const pinned = (found.get("flags") & BLOCK_FLAGS.pinned) !== 0;
      return `${pinned ? "pinned" : "not pinned"}, ${found.get("segments") > 0 ? "some" : "no"}`;
    };
    same(look(registered(raw, context)), "pinned, some", "user-pages-registered");
    const id = raw.register("user-pages", "rx", context.memory().address);
    same(look(id), "not pinned, no", "user-pages");
    raw.enqueue(id);
    same(look(id), "pinned, some", "user-pages in flight");
    raw.reset();
    same(look(id), "not pinned, no", "user-pages after RESET");
  });
});
