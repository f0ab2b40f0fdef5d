// SPDX-License-Identifier: MIT
/** poll(). @module */

import { POLLERR, POLLHUP, POLLIN, POLLOUT } from "../../../driver/syscalls.ts";
import { fails, group, LONG, ready, same } from "./check.ts";
import { fill } from "./enqueue.ts";
import { PAGE } from "./raw.ts";

const ALL = POLLIN | POLLOUT;

export const poll = group("poll", (check) => {
  check("tells nothing without a block", (raw) => {
    same(raw.poll(ALL, 0), 0, "events");
  });

  check("tells nothing of blocks that are the caller's, or wait for a frame", (raw) => {
    const rx = raw.alloc("streaming", "rx");
    raw.alloc("streaming", "tx");
    same(raw.poll(ALL, 0), 0, "events");
    raw.enqueue(rx.id);
    same(raw.poll(ALL, 10), 0, "events with rx enqueued");
  });

  check("tells POLLIN of a receive completion, POLLOUT of one of transmit", (raw, bench) => {
    const rx = raw.alloc("streaming", "rx");
    const tx = raw.alloc("streaming", "tx");
    raw.enqueue(rx.id);
    raw.enqueue(tx.id);
    ready(raw, POLLIN);
    ready(raw, POLLOUT);
    same(raw.poll(ALL, 0), ALL, "events with both done");
    same(raw.poll(POLLIN, 0), POLLIN, "events of those asked for");
    raw.dequeue("rx", 0);
    same(raw.poll(ALL, 0), POLLOUT, "events with tx done");
    raw.dequeue("tx", bench.in(LONG));
    same(raw.poll(ALL, 0), 0, "events with none done");
  });

  check("goes on telling it until DEQUEUE, however often it is asked", (raw) => {
    raw.enqueue(raw.alloc("streaming", "rx").id);
    raw.enqueue(raw.alloc("streaming", "tx").id);
    for (let i = 0; i < 5; i++) ready(raw, POLLIN);
  });

  check("tells POLLOUT while a slot of the transmit ring is free", (raw) => {
    raw.alloc("bounce", "tx", 64, 2);
    same(raw.poll(ALL, 0), POLLOUT, "events with two free slots");
    raw.alloc("bounce", "rx", 64);
    same(raw.poll(ALL, 0), POLLOUT, "events with a receive ring, too");
  });

  check("tells no POLLOUT of a free slot while the queue is full", (raw, bench) => {
    fill(raw, bench, "tx");
    // a core that reads ahead has completed some
    if (raw.poll(POLLOUT, 50) !== 0) return;
    raw.alloc("bounce", "tx", 64);
    same(raw.poll(ALL, 0), 0, "events with a full queue");
    raw.setNonblocking(true);
    const { syscalls, fd } = raw;
    fails("EAGAIN", "write", () => syscalls.write(fd, new Uint8Array(64)));
    raw.reset();
    same(raw.poll(ALL, 0), POLLOUT, "events after RESET");
  });

  check("tells POLLIN of a frame in the receive ring, once read() has begun", (raw) => {
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

  check("tells neither POLLERR nor POLLHUP while all is well", (raw, bench) => {
    const tx = raw.alloc("streaming", "tx");
    const rx = raw.alloc("streaming", "rx");
    same(raw.poll(POLLERR | POLLHUP, 0), 0, "events");
    bench.frame(raw, tx.id, rx.id);
    raw.enqueue(rx.id);
    raw.reset();
    same(raw.poll(POLLERR | POLLHUP, 0), 0, "events after a frame and RESET");
  });

  check("tells nothing of completions that RESET has dropped", (raw) => {
    raw.enqueue(raw.alloc("streaming", "rx").id);
    raw.enqueue(raw.alloc("streaming", "tx").id);
    ready(raw, POLLIN);
    raw.reset();
    same(raw.poll(ALL, 0), 0, "events");
  });
});
