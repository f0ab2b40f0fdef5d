// SPDX-License-Identifier: MIT
/** RESET. @module */

import { unpackStats } from "../../../driver/stats.ts";
import { POLLIN } from "../../../driver/syscalls.ts";
import { RESET, STATES } from "../../../driver/uapi.ts";
import { assert, fails, group, LONG, queue, ready, refusesCall, same } from "./check.ts";
import { MAX_U32, PAGE, type Raw, Struct } from "./raw.ts";

const state = (raw: Raw, id: number) => STATES[raw.query(id).get("state")];

function resets(raw: Raw): string {
  const { tx, rx } = unpackStats(raw.stats().bytes);
  return `${tx.resets} tx, ${rx.resets} rx`;
}

export const reset = group("RESET", (check) => {
  check("with flags is EINVAL", (raw) => {
    raw.enqueue(raw.alloc("streaming", "rx").id);
    for (const flags of [1, MAX_U32]) {
      refusesCall(raw, "EINVAL", "RESET", new Struct(RESET, { flags }));
    }
  });

  check("with a reserved member is EINVAL", (raw) => {
    raw.enqueue(raw.alloc("streaming", "rx").id);
    refusesCall(raw, "EINVAL", "RESET", new Struct(RESET, { reserved: 1 }));
  });

  check("of an idle device gives nothing back, and is not counted", (raw) => {
    raw.alloc("streaming", "tx");
    for (let i = 0; i < 3; i++) same(raw.reset(), 0, "returned");
    same(resets(raw), "0 tx, 0 rx", "resets");
  });

  check("writes both answers", (raw) => {
    const argument = new Struct(RESET, { returned: MAX_U32, quarantined: MAX_U32 });
    raw.call("RESET", argument);
    same(argument.get("returned"), 0, "returned");
    same(argument.get("quarantined"), 0, "quarantined");
  });

  check("gives back what is queued and in flight, and says how many", (raw, bench) => {
    const count = bench.chan("rx").queueDepth;
    const { id } = raw.alloc("streaming", "rx", PAGE, count);
    const before = raw.query(id).bytes.toHex();
    for (let i = 0; i < count; i++) raw.enqueue(id + i);
    same(raw.reset(), count, "returned");
    same(resets(raw), "0 tx, 1 rx", "resets");
    same(raw.query(id).bytes.toHex(), before, "QUERY");
    for (let i = 0; i < count; i++) same(state(raw, id + i), "user", "state");
  });

  check("drops completions that nobody dequeued", (raw, bench) => {
    const rx = raw.alloc("streaming", "rx");
    const tx = raw.alloc("streaming", "tx");
    raw.enqueue(rx.id);
    raw.enqueue(tx.id);
    raw.dequeue("tx", bench.in(LONG));
    ready(raw, POLLIN);
    same(raw.reset(), 1, "returned");
    fails("ENODATA", "DEQUEUE", () => raw.dequeue("rx", bench.in(60_000)));
    same(state(raw, rx.id), "user", "state");
  });

  check("frees nothing: blocks and mappings stay", (raw) => {
    const { id, offset } = raw.alloc("streaming", "rx");
    raw.map(offset);
    raw.enqueue(id);
    raw.reset();
    fails("EBUSY", "FREE of a mapped block", () => raw.free(id));
    raw.enqueue(id);
    same(raw.reset(), 1, "returned");
  });

  check(
    { name: "gives back registered memory and slots of the ring", needs: queue(5) },
    (raw, bench) => {
      raw.setNonblocking(true);
      raw.alloc("bounce", "rx", PAGE, 3);
      fails("EAGAIN", "read", () => raw.syscalls.read(raw.fd, new Uint8Array(PAGE)));
      for (const policy of ["user-pages", "user-pages-registered"] as const) {
        raw.enqueue(raw.register(policy, "rx", bench.memory().address));
      }
      same(raw.reset(), 5, "returned");
      for (const id of raw.ids) same(state(raw, id), "user", "state");
    },
  );

  check("leaves a device behind that moves frames whole", (raw, bench) => {
    const tx = raw.alloc("streaming", "tx");
    const rx = raw.alloc("streaming", "rx");
    const out = new Uint8Array(raw.map(tx.offset).buffer);
    const back = new Uint8Array(raw.map(rx.offset).buffer);
    for (let round = 0; round < 5; round++) {
      // at any moment of a frame
      raw.enqueue(rx.id);
      raw.enqueue(tx.id);
      raw.reset();
      out.forEach((_, i) => out[i] = i * 7 + round);
      const end = bench.frame(raw, tx.id, rx.id);
      same(end.rx.get("length"), PAGE, "length");
      assert(back.every((byte, i) => byte === (i * 7 + round & 0xff)), "the frame is damaged");
    }
  });

  check("leaves the other counters alone", (raw, bench) => {
    const tx = raw.alloc("streaming", "tx");
    const rx = raw.alloc("streaming", "rx");
    bench.frame(raw, tx.id, rx.id);
    raw.enqueue(rx.id);
    raw.reset();
    const after = unpackStats(raw.stats().bytes);
    for (const { transfers, bytes, errors } of [after.tx, after.rx]) {
      same(`${transfers}, ${bytes}, ${errors}`, `1, ${PAGE}, 0`, "transfers, bytes, errors");
    }
  });
});
