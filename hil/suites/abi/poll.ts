// SPDX-License-Identifier: MIT
/** poll(). @module */

import { POLLERR, POLLHUP, POLLIN, POLLOUT } from "../../../driver/syscalls.ts";
import { fails, group, ready, same } from "./check.ts";
import { fill } from "./enqueue.ts";
import { PAGE } from "./raw.ts";

const ALL = POLLIN | POLLOUT;

export const poll = group("poll", (check) => {
  check("reports nothing without a block", (raw) => {
    same(raw.poll(ALL, 0), 0, "events");
  });

  check("reports nothing for blocks that the user owns or that wait for a frame", (raw) => {
    const rx = raw.alloc("streaming", "rx");
    raw.alloc("streaming", "tx");
    same(raw.poll(ALL, 0), 0, "events");
    raw.enqueue(rx.id);
    same(raw.poll(ALL, 10), 0, "events with rx enqueued");
  });

  check(
    "reports POLLIN for a receive completion, and POLLOUT for a transmit completion",
    (raw, context) => {
      const rx = raw.alloc("streaming", "rx");
      const tx = raw.alloc("streaming", "tx");
      raw.enqueue(rx.id);
      raw.enqueue(tx.id);
      ready(raw, POLLIN);
      ready(raw, POLLOUT);
      same(raw.poll(ALL, 0), ALL, "events with both done");
      same(raw.poll(POLLIN, 0), POLLIN, "events if only POLLIN is requested");
      raw.dequeue("rx", 0);
      same(raw.poll(ALL, 0), POLLOUT, "events with tx done");
      context.take(raw, "tx");
      same(raw.poll(ALL, 0), 0, "events with none done");
    },
  );

  check("repeats an event until DEQUEUE", (raw) => {
    raw.enqueue(raw.alloc("streaming", "rx").id);
    raw.enqueue(raw.alloc("streaming", "tx").id);
    for (let i = 0; i < 5; i++) ready(raw, POLLIN);
  });

  check("reports POLLOUT while a slot of the transmit ring is free", (raw) => {
    raw.alloc("bounce", "tx", 64, 2);
    same(raw.poll(ALL, 0), POLLOUT, "events with two free slots");
    raw.alloc("bounce", "rx", 64);
    same(raw.poll(ALL, 0), POLLOUT, "events with a receive ring as well");
  });

  check("reports no POLLOUT for a free slot while the queue is full", (raw, context) => {
    fill(raw, context, "tx");
    // a core that reads ahead may have completed some transfers
    if (raw.poll(POLLOUT, 50) !== 0) return;
    raw.alloc("bounce", "tx", 64);
    same(raw.poll(ALL, 0), 0, "events with a full queue");
    raw.setNonblocking(true);
    const { syscalls, fd } = raw;
    fails("EAGAIN", "write", () => syscalls.write(fd, new Uint8Array(64)));
    raw.reset();
    same(raw.poll(ALL, 0), POLLOUT, "events after RESET");
  });

  check("reports POLLIN for a frame in the receive ring after the first read()", (raw) => {
    raw.alloc("bounce", "tx", PAGE);
    raw.alloc("bounce", "rx", PAGE);
    raw.setNonblocking(true);
    const { syscalls, fd } = raw;
    fails("EAGAIN", "read", () => syscalls.read(fd, new Uint8Array(PAGE)));
    same(raw.poll(POLLIN, 10), 0, "events without a frame");
    syscalls.write(fd, new Uint8Array(64));
    ready(raw, POLLIN);
    syscalls.read(fd, new Uint8Array(PAGE));
    same(raw.poll(POLLIN, 0), 0, "events after read()");
  });

  check("reports neither POLLERR nor POLLHUP without an error", (raw, context) => {
    const tx = raw.alloc("streaming", "tx");
    const rx = raw.alloc("streaming", "rx");
    same(raw.poll(POLLERR | POLLHUP, 0), 0, "events");
    context.frame(raw, tx.id, rx.id);
    raw.enqueue(rx.id);
    raw.reset();
    same(raw.poll(POLLERR | POLLHUP, 0), 0, "events after a frame and RESET");
  });

  check("reports nothing for completions that RESET dropped", (raw) => {
    raw.enqueue(raw.alloc("streaming", "rx").id);
    raw.enqueue(raw.alloc("streaming", "tx").id);
    ready(raw, POLLIN);
    raw.reset();
    same(raw.poll(ALL, 0), 0, "events");
  });
});
