// SPDX-License-Identifier: MIT
/** RESET. @module */

import { unpackStats } from "../../../driver/stats.ts";
import { RESET, RESET_FLAGS, STATES, USER_POLICIES } from "../../../driver/uapi.ts";
import { assert, fails, group, load, queue, refusesCall, same } from "./check.ts";
import { MAX_U32, PAGE, type Raw, Struct } from "./raw.ts";

const state = (raw: Raw, id: number) => STATES[raw.query(id).get("state")];

function resets(raw: Raw): string {
  const { tx, rx } = unpackStats(raw.stats().bytes);
  return `${tx.resets} tx, ${rx.resets} rx`;
}

export const reset = group("RESET", (check) => {
  check("fails with EINVAL for flags", (raw) => {
    raw.enqueue(raw.alloc("streaming", "rx").id);
    for (const flags of [8, MAX_U32]) {
      refusesCall(raw, "EINVAL", "RESET", new Struct(RESET, { flags }));
    }
  });

  check("fails with EINVAL for a reserved member", (raw) => {
    raw.enqueue(raw.alloc("streaming", "rx").id);
    refusesCall(raw, "EINVAL", "RESET", new Struct(RESET, { reserved: 1 }));
  });

  check("of an idle device returns no block, and is not counted", (raw) => {
    raw.alloc("streaming", "tx");
    for (let i = 0; i < 3; i++) same(raw.reset(), 0, "returned");
    same(resets(raw), "0 tx, 0 rx", "resets");
  });

  check("writes both counts", (raw) => {
    const argument = new Struct(RESET, { returned: MAX_U32, quarantined: MAX_U32 });
    raw.call("RESET", argument);
    same(argument.get("returned"), 0, "returned");
    same(argument.get("quarantined"), 0, "quarantined");
  });

  check("returns the blocks that are queued or in flight, and their number", (raw, context) => {
    const count = context.chan("rx").queueDepth;
    const { id } = raw.alloc("streaming", "rx", PAGE, count);
    const before = raw.query(id).bytes.toHex();
    for (let i = 0; i < count; i++) raw.enqueue(id + i);
    same(raw.reset(), count, "returned");
    same(resets(raw), "0 tx, 1 rx", "resets");
    same(raw.query(id).bytes.toHex(), before, "QUERY");
    for (let i = 0; i < count; i++) same(state(raw, id + i), "user", "state");
  });

  check("of one direction leaves the blocks of the other one", (raw, context) => {
    const [tx, rx] = [raw.alloc("streaming", "tx").id, raw.alloc("streaming", "rx").id];
    raw.enqueue(rx);
    same(raw.reset(RESET_FLAGS.tx), 0, "returned, tx");
    same(state(raw, rx) === "user", false, "rx is the caller's");
    raw.enqueue(tx);
    context.take(raw, "tx");
    same(context.take(raw, "rx").get("id"), rx, "id of the received block");
    raw.enqueue(rx);
    same(raw.reset(RESET_FLAGS.rx), 1, "returned, rx");
    same(state(raw, rx), "user", "state");
    same(resets(raw), "0 tx, 1 rx", "resets");
    const end = context.frame(raw, tx, rx);
    same(end.rx.get("length"), PAGE, "length");
  });

  check("of one direction keeps completions of the other one", (raw, context) => {
    const { rx } = context.completed(raw);
    same(raw.reset(RESET_FLAGS.tx), 0, "returned");
    same(context.take(raw, "rx").get("id"), rx, "id");
  });

  check("of both directions by name is like that without a name", (raw) => {
    const [tx, rx] = [raw.alloc("streaming", "tx").id, raw.alloc("streaming", "rx").id];
    for (const id of [tx, rx]) raw.enqueue(id);
    const returned = raw.reset(RESET_FLAGS.tx | RESET_FLAGS.rx);
    same(returned, 2, "returned");
  });

  check("drops completions that were not dequeued", (raw, context) => {
    const { rx } = context.completed(raw);
    same(raw.reset(), 1, "returned");
    fails("ENODATA", "DEQUEUE", () => raw.dequeue("rx", context.in(60_000)));
    same(state(raw, rx), "user", "state");
  });

  check("keeps blocks and mappings", (raw) => {
    const { id, offset } = raw.alloc("streaming", "rx");
    raw.map(offset);
    raw.enqueue(id);
    raw.reset();
    fails("EBUSY", "FREE of a mapped block", () => raw.free(id));
    raw.enqueue(id);
    same(raw.reset(), 1, "returned");
  });

  check(
    { name: "returns registered memory and slots of the ring", needs: queue(5) },
    (raw, context) => {
      raw.setNonblocking(true);
      raw.alloc("bounce", "rx", PAGE, 3);
      fails("EAGAIN", "read", () => raw.syscalls.read(raw.fd, new Uint8Array(PAGE)));
      for (const policy of USER_POLICIES) {
        raw.enqueue(raw.register(policy, "rx", context.memory().address));
      }
      same(raw.reset(), 5, "returned");
      for (const id of raw.ids) same(state(raw, id), "user", "state");
    },
  );

  check("leaves the device able to move correct frames", (raw, context) => {
    const tx = raw.alloc("streaming", "tx");
    const rx = raw.alloc("streaming", "rx");
    const out = raw.map(tx.offset);
    const back = raw.map(rx.offset);
    for (let round = 0; round < 5; round++) {
      // RESET at a random moment of a frame
      raw.enqueue(rx.id);
      raw.enqueue(tx.id);
      raw.reset();
      out.set(Uint8Array.from({ length: PAGE }, (_, i) => i * 7 + round), 0);
      const end = context.frame(raw, tx.id, rx.id);
      same(end.rx.get("length"), PAGE, "length");
      assert(
        load(back).every((byte, i) => byte === (i * 7 + round & 0xff)),
        "the frame is damaged",
      );
    }
  });

  check("does not change the other counters", (raw, context) => {
    const tx = raw.alloc("streaming", "tx");
    const rx = raw.alloc("streaming", "rx");
    context.frame(raw, tx.id, rx.id);
    raw.enqueue(rx.id);
    raw.reset();
    const after = unpackStats(raw.stats().bytes);
    for (const { transfers, bytes, errors } of [after.tx, after.rx]) {
      same(`${transfers}, ${bytes}, ${errors}`, `1, ${PAGE}, 0`, "transfers, bytes, errors");
    }
  });
});
