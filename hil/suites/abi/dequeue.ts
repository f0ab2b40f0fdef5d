// SPDX-License-Identifier: MIT
/** DEQUEUE. @module */

import { crc32 } from "node:zlib";
import { CHECK_KINDS, DEQUEUE, DIRECTIONS, IOC, STATES } from "../../../driver/uapi.ts";
import { ERRNO } from "../../../driver/errno.ts";
import { unpackStats } from "../../../driver/stats.ts";
import { POLLIN, POLLOUT } from "../../../driver/syscalls.ts";
import { assert, exactLengths, fails, group, LONG, ready, refusesCall, same } from "./check.ts";
import { dequeueArgument, MAX_U32, MAX_U64, PAGE, type Raw, Struct, type Values } from "./raw.ts";

/** A deadline that a frame on a working board meets even if the machine is busy, milliseconds. */
const SOON = 10_000;

/** Arguments that fail with EINVAL, by what is wrong with them. */
const REFUSED: readonly [string, Values<keyof typeof DEQUEUE.at>][] = [
  ["direction 2", { direction: 2 }],
  ["direction 2^32 - 1", { direction: MAX_U32 }],
  ["flags", { flags: 1 }],
  ["a reserved member", { reserved: 1 }],
  ["deadline 2^63", { deadline_ns: 1n << 63n }],
  ["deadline 2^64 - 1", { deadline_ns: MAX_U64 }],
];

/** Enqueues an rx block, which waits for a frame. */
function waiting(raw: Raw): number {
  const { id } = raw.alloc("streaming", "rx");
  raw.enqueue(id);
  return id;
}

/** Calls DEQUEUE on another thread. */
async function dequeueOnThread(raw: Raw, direction: "tx" | "rx", deadline: number) {
  const argument = dequeueArgument(direction, deadline);
  const result = await raw.syscalls.ioctlAsync(raw.fd, IOC.DEQUEUE, argument.bytes);
  return { result, argument };
}

const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

export const dequeue = group("DEQUEUE", (check) => {
  for (const [what, values] of REFUSED) {
    check(`fails with EINVAL for ${what}`, (raw) => {
      waiting(raw);
      const argument = new Struct(DEQUEUE, { direction: 1, ...values }, 0);
      refusesCall(raw, "EINVAL", "DEQUEUE", argument);
    });
  }

  check("fails with ENODATA if nothing is queued, with any deadline", (raw, context) => {
    raw.alloc("streaming", "rx");
    for (const direction of DIRECTIONS) {
      for (const deadline of [0, context.in(60_000), (1n << 63n) - 1n]) {
        refusesCall(raw, "ENODATA", "DEQUEUE", dequeueArgument(direction, deadline));
      }
    }
  });

  check("fails with ENODATA after the last completion", (raw, context) => {
    context.frame(raw, raw.alloc("streaming", "tx").id, raw.alloc("streaming", "rx").id);
    for (const direction of DIRECTIONS) {
      refusesCall(raw, "ENODATA", "DEQUEUE", dequeueArgument(direction, context.in(60_000)));
    }
  });

  check("ignores the other direction", (raw, context) => {
    waiting(raw);
    refusesCall(raw, "ENODATA", "DEQUEUE", dequeueArgument("tx", context.in(60_000)));
  });

  check("fails with ETIMEDOUT at once if the deadline is in the past", (raw, context) => {
    waiting(raw);
    for (const deadline of [0, 1, context.now() - 1e9, context.now()]) {
      refusesCall(raw, "ETIMEDOUT", "DEQUEUE", dequeueArgument("rx", deadline));
    }
  });

  check("fails with ETIMEDOUT not before its deadline", (raw, context) => {
    waiting(raw);
    const deadline = context.in(30);
    refusesCall(raw, "ETIMEDOUT", "DEQUEUE", dequeueArgument("rx", deadline));
    assert(context.now() >= deadline, "DEQUEUE returned before its deadline");
  });

  check("counts each ETIMEDOUT, and no other error, as a timeout", (raw) => {
    const timeouts = () => {
      const { tx, rx } = unpackStats(raw.stats().bytes);
      return `${tx.timeouts} tx, ${rx.timeouts} rx`;
    };
    fails("ENODATA", "DEQUEUE", () => raw.dequeue("rx", 0));
    same(timeouts(), "0 tx, 0 rx", "timeouts after ENODATA");
    waiting(raw);
    for (let i = 0; i < 3; i++) fails("ETIMEDOUT", "DEQUEUE", () => raw.dequeue("rx", 1));
    same(timeouts(), "0 tx, 3 rx", "timeouts");
    raw.setNonblocking(true);
    fails("EAGAIN", "DEQUEUE", () => raw.dequeue("rx", 1));
    same(timeouts(), "0 tx, 3 rx", "timeouts after EAGAIN");
  });

  check("fails with EAGAIN on a nonblocking file, with any deadline", (raw, context) => {
    waiting(raw);
    raw.setNonblocking(true);
    for (const deadline of [0, context.in(60_000), (1n << 63n) - 1n]) {
      refusesCall(raw, "EAGAIN", "DEQUEUE", dequeueArgument("rx", deadline));
    }
  });

  check("returns a completion on a nonblocking file, then fails with ENODATA", (raw, context) => {
    waiting(raw);
    raw.enqueue(raw.alloc("streaming", "tx").id);
    ready(raw, POLLIN);
    // a completion of tx in between would count as a change of state
    ready(raw, POLLOUT);
    raw.setNonblocking(true);
    raw.dequeue("rx", context.in(60_000));
    refusesCall(raw, "ENODATA", "DEQUEUE", dequeueArgument("rx", 0));
  });

  check("returns the range and the cookie of ENQUEUE", (raw, context) => {
    const tx = raw.alloc("streaming", "tx", 4 * PAGE);
    const rx = raw.alloc("streaming", "rx", 4 * PAGE);
    raw.enqueue(rx.id, { offset: PAGE, length: 2 * PAGE, cookie: MAX_U64 });
    raw.enqueue(tx.id, { offset: 2 * PAGE, length: 2 * PAGE, cookie: 1n << 63n });
    const ends = {
      rx: context.take(raw, "rx"),
      tx: context.take(raw, "tx"),
    };
    same(ends.rx.get("id"), rx.id, "id");
    same(ends.tx.get("id"), tx.id, "id");
    same(ends.rx.get("offset"), PAGE, "offset");
    same(ends.tx.get("offset"), 2 * PAGE, "offset");
    same(ends.rx.get("length"), 2 * PAGE, "length");
    same(ends.tx.get("length"), 2 * PAGE, "length");
    same(ends.rx.exact("cookie"), MAX_U64, "cookie");
    same(ends.tx.exact("cookie"), 1n << 63n, "cookie");
  });

  check("returns times in this order: queued, submitted, done", (raw, context) => {
    const count = Math.min(4, context.chan("tx").queueDepth, context.chan("rx").queueDepth);
    const tx = raw.alloc("streaming", "tx", PAGE, count).id;
    const rx = raw.alloc("streaming", "rx", PAGE, count).id;
    const before = context.now();
    for (let i = 0; i < count; i++) {
      raw.enqueue(rx + i);
      raw.enqueue(tx + i);
    }
    for (const direction of DIRECTIONS) {
      let last = 0;
      for (let i = 0; i < count; i++) {
        const end = context.take(raw, direction);
        const [queued, submitted, done] = [
          end.get("queued_ns"),
          end.get("submitted_ns"),
          end.get("done_ns"),
        ];
        const times = [before, queued, submitted, done, context.now()];
        assert(times.every((time, k) => k === 0 || (times[k - 1] ?? 0) <= time), times.join(" > "));
        assert(last <= done, "a frame was done before an earlier one");
        last = done;
        const spent = end.get("sync_device_ns") + end.get("sync_cpu_ns");
        assert(spent <= context.now() - before, "the syncs took longer than the whole check");
      }
    }
  });

  check("zeroes reserved members, and keeps the members of the request", (raw, context) => {
    waiting(raw);
    raw.enqueue(raw.alloc("streaming", "tx").id);
    const deadline = context.in(LONG);
    const end = raw.dequeue("rx", deadline);
    assert(end.slice("sideband").every((byte) => byte === 0), "sideband is not zero");
    same(end.get("error"), 0, "error");
    same(end.get("status"), 0, "status");
    same(end.get("reserved"), 0, "reserved");
    same(end.get("direction"), 1, "direction");
    same(end.get("flags"), 0, "flags");
    same(end.get("deadline_ns"), deadline, "deadline_ns");
  });

  check("returns the block to the user, who can enqueue it again", (raw, context) => {
    const tx = raw.alloc("streaming", "tx").id;
    const rx = raw.alloc("streaming", "rx").id;
    for (let i = 0; i < 3; i++) {
      context.frame(raw, tx, rx);
      for (const id of [tx, rx]) same(STATES[raw.query(id).get("state")], "user", "state");
    }
  });

  check("returns the completions of a full queue in the order of ENQUEUE", (raw, context) => {
    const depth = Math.min(context.chan("tx").queueDepth, context.chan("rx").queueDepth);
    const tx = raw.alloc("streaming", "tx", PAGE, depth).id;
    const rx = raw.alloc("streaming", "rx", PAGE, depth).id;
    // neither the order of the ids nor the reverse order
    const order = Array.from({ length: depth }, (_, i) => i ^ 1).filter((k) => k < depth);
    for (const [i, k] of order.entries()) {
      raw.enqueue(rx + k, { cookie: i });
      raw.enqueue(tx + k, { cookie: i });
    }
    for (const direction of DIRECTIONS) {
      const first = direction === "tx" ? tx : rx;
      for (const [i, k] of order.entries()) {
        const end = context.take(raw, direction);
        same(end.get("id"), first + k, `${direction} completion ${i}`);
        same(end.get("cookie"), i, `cookie of ${direction} completion ${i}`);
      }
    }
  });

  for (const direction of DIRECTIONS) {
    check(`of ${direction} returns queued blocks in the order of ENQUEUE`, (raw, context) => {
      const depth = Math.min(context.chan("tx").queueDepth, context.chan("rx").queueDepth);
      const tx = raw.alloc("streaming", "tx", PAGE, depth).id;
      const rx = raw.alloc("streaming", "rx", PAGE, depth).id;
      const [queued, other] = direction === "tx" ? [tx, rx] : [rx, tx];
      // without the other half of a frame, the engine completes nothing or little: most blocks are queued
      for (let i = 0; i < depth; i++) raw.enqueue(queued + i);
      for (let i = 0; i < depth; i++) {
        raw.enqueue(other + i);
        const end = context.take(raw, direction);
        same(end.get("id"), queued + i, `${direction} completion ${i}`);
        context.take(raw, direction === "tx" ? "rx" : "tx");
      }
    });
  }

  check(
    {
      name: "returns the length of a frame that is shorter than its block, and no error",
      needs: exactLengths,
    },
    (raw, context) => {
      const tx = raw.alloc("streaming", "tx").id;
      const rx = raw.alloc("streaming", "rx").id;
      for (const length of [64, 192, 1024]) {
        const end = context.frame(raw, tx, rx, length, PAGE);
        same(end.rx.get("length"), length, "length");
        same(end.rx.get("status"), 0, "status");
      }
    },
  );

  check(
    "returns the check values of both directions, of the kind that INFO reports",
    (raw, context) => {
      const tx = raw.alloc("streaming", "tx");
      const rx = raw.alloc("streaming", "rx");
      const bytes = Uint8Array.from({ length: PAGE }, (_, i) => i * 31 + (i >> 8));
      raw.map(tx.offset).set(bytes, 0);
      const expected = crc32(bytes.subarray(0, 1024));
      const ends = context.frame(raw, tx.id, rx.id, 1024);
      for (const direction of DIRECTIONS) {
        const found = ends[direction];
        const kind = context.chan(direction).checkKind;
        same(CHECK_KINDS[found.get("check_kind")], kind, `check_kind of ${direction}`);
        same(found.get("check"), kind === "crc32" ? expected : 0, `check of ${direction}`);
      }
    },
  );

  check("with NULL keeps the completion for the next call", (raw, context) => {
    const id = waiting(raw);
    raw.enqueue(raw.alloc("streaming", "tx").id);
    context.take(raw, "tx");
    ready(raw, POLLIN);
    fails("EFAULT", "DEQUEUE", () => raw.syscalls.ioctl(raw.fd, IOC.DEQUEUE, null));
    same(raw.dequeue("rx", 0).get("id"), id, "id");
  });

  check("never returns a block of the ring, but waits while one is enqueued", (raw, context) => {
    raw.alloc("bounce", "tx");
    raw.alloc("bounce", "rx");
    raw.setNonblocking(true);
    const read = () => raw.syscalls.read(raw.fd, new Uint8Array(PAGE));
    fails("EAGAIN", "read", read);
    raw.setNonblocking(false);
    fails("ETIMEDOUT", "DEQUEUE", () => raw.dequeue("rx", context.in(10)));
    raw.syscalls.write(raw.fd, new Uint8Array(64));
    ready(raw, POLLIN);
    fails("ENODATA", "DEQUEUE", () => raw.dequeue("rx", context.in(60_000)));
    same(read(), 64, "bytes of the frame");
  });

  check("that waits returns when a frame arrives, before its deadline", async (raw, context) => {
    const id = waiting(raw);
    const tx = raw.alloc("streaming", "tx").id;
    // a thread that starts to wait after the frame arrived needs nobody to wake it: so wait longer, too
    for (const milliseconds of [50, 1_000]) {
      const deadline = context.in(SOON);
      const end = dequeueOnThread(raw, "rx", deadline);
      await pause(milliseconds);
      raw.enqueue(tx);
      const { result, argument } = await end;
      const late = context.now() >= deadline;
      same(result, 0, "result");
      same(argument.get("id"), id, "id");
      same(argument.get("error"), 0, "error");
      // at its deadline DEQUEUE finds the frame even if the driver never wakes anybody
      assert(!late, "expected DEQUEUE to return when the frame arrived, found it at its deadline");
      context.take(raw, "tx");
      raw.enqueue(id);
    }
  });

  check("that waits fails with ETIMEDOUT, and stores it in the struct", async (raw, context) => {
    waiting(raw);
    const deadline = context.in(30);
    const { result, argument } = await dequeueOnThread(raw, "rx", deadline);
    assert(context.now() < deadline + LONG * 1e6, "DEQUEUE returned long after its deadline");
    same(result, -1, "result");
    same(argument.get("error"), ERRNO.ETIMEDOUT, "error");
  });

  check("that waits fails with ECANCELED at RESET, on every thread", async (raw, context) => {
    // a thread that starts to wait after RESET gets ENODATA: then try again with a longer pause
    for (const milliseconds of [100, 1_000, 10_000]) {
      waiting(raw);
      const ends = [
        dequeueOnThread(raw, "rx", context.in(LONG)),
        dequeueOnThread(raw, "rx", context.in(LONG)),
      ];
      await pause(milliseconds);
      raw.reset();
      const errors = (await Promise.all(ends)).map(({ result, argument }) => {
        same(result, -1, "result");
        return argument.get("error");
      });
      if (errors.includes(ERRNO.ENODATA) && milliseconds < 10_000) continue;
      for (const error of errors) same(error, ERRNO.ECANCELED, "error");
      return;
    }
  });
});
