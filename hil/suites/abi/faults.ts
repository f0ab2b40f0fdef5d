// SPDX-License-Identifier: MIT
/** Checks that need a misbehaving engine: EIO, POLLERR, RESET of an engine not proven idle, quarantine. @module */

import { ERRNO } from "../../../driver/errno.ts";
import { unpackInfo } from "../../../driver/info.ts";
import { unpackStats } from "../../../driver/stats.ts";
import { POLLERR, POLLIN, POLLOUT } from "../../../driver/syscalls.ts";
import { DIRECTIONS, INFO, IOC, RESET, STATES, STATUSES } from "../../../driver/uapi.ts";
import {
  assert,
  type CheckContext,
  fails,
  faults,
  group,
  LONG,
  ready,
  refuses,
  refusesCall,
  same,
  wedges,
} from "./check.ts";
import { dequeueArgument, MAX_U32, PAGE, type Raw, Struct } from "./raw.ts";

/** Enqueues one block in each direction. */
function started(raw: Raw): { tx: number; rx: number } {
  const tx = raw.alloc("streaming", "tx");
  const rx = raw.alloc("streaming", "rx");
  raw.enqueue(rx.id);
  raw.enqueue(tx.id);
  return { tx: tx.id, rx: rx.id };
}

/** Enqueues blocks that the engine never completes, not even at RESET; `spare` is another block for rx. */
function wedged(raw: Raw, context: CheckContext): { tx: number; rx: number; spare: number } {
  context.arm("kind=wedge frame=0 seed=1");
  const spare = raw.alloc("streaming", "rx").id;
  const blocks = started(raw);
  fails("ETIMEDOUT", "DEQUEUE", () => raw.dequeue("rx", context.in(200)));
  return { ...blocks, spare };
}

/** Calls RESET, which fails; returns how many blocks are in quarantine. */
function failedReset(raw: Raw): number {
  const argument = new Struct(RESET, { returned: MAX_U32, quarantined: MAX_U32 });
  fails("EIO", "RESET", () => raw.call("RESET", argument));
  assert(argument.get("returned") < 3, `RESET returned ${argument.get("returned")} blocks`);
  return argument.get("quarantined");
}

const state = (raw: Raw, id: number) => STATES[raw.query(id).get("state")];

export const faultChecks = group("fault:", (check) => {
  check(
    {
      name: "DEQUEUE fails with EIO for a failed transfer, and returns its completion",
      needs: faults,
    },
    (raw, context) => {
      context.arm("kind=error frame=0 seed=1");
      const { rx, tx } = started(raw);
      ready(raw, POLLERR);
      const argument = dequeueArgument("rx", context.in(LONG));
      fails("EIO", "DEQUEUE", () => raw.call("DEQUEUE", argument));
      same(argument.get("error"), ERRNO.EIO, "error");
      same(argument.get("id"), rx, "id");
      const status = STATUSES[argument.get("status")];
      assert(status === "write-failed" || status === "aborted", `status ${status}`);
      assert(argument.get("length") <= PAGE, `length ${argument.get("length")}`);
      const times = [argument.get("queued_ns"), argument.get("done_ns"), context.now()] as const;
      assert(0 < times[0] && times[0] <= times[1] && times[1] <= times[2], times.join(" > "));
      same(state(raw, rx), "user", "state");
      try {
        context.take(raw, "tx");
        same(status, "write-failed", "status of rx if tx succeeded");
      } catch {
        same(status, "aborted", "status of rx if tx failed");
      }
      const { rx: { errors, transfers } } = unpackStats(raw.stats().bytes);
      same(`${errors} of ${transfers}`, "1 of 1", "errors of transfers");
      same(raw.poll(POLLIN | POLLOUT, 0), 0, "events after the last DEQUEUE");
      context.frame(raw, tx, rx);
    },
  );

  check(
    {
      name:
        "DEQUEUE that fails with EFAULT keeps a failed transfer, and poll still reports POLLERR",
      needs: faults,
    },
    (raw, context) => {
      context.arm("kind=error frame=0 seed=1");
      started(raw);
      ready(raw, POLLIN);
      fails("EFAULT", "DEQUEUE", () => raw.syscalls.ioctl(raw.fd, IOC.DEQUEUE, null));
      ready(raw, POLLERR);
      fails("EIO", "DEQUEUE", () => context.take(raw, "rx"));
    },
  );

  check(
    { name: "read fails with EIO for a failed frame, and the ring continues", needs: faults },
    (raw, context) => {
      context.arm("kind=error frame=0 seed=1");
      raw.setNonblocking(true);
      raw.alloc("bounce", "tx", PAGE, 2);
      raw.alloc("bounce", "rx", PAGE, 2);
      const read = () => raw.syscalls.read(raw.fd, new Uint8Array(PAGE));
      fails("EAGAIN", "read", read);
      raw.syscalls.write(raw.fd, new Uint8Array(64));
      ready(raw, POLLIN);
      fails("EIO", "read", read);
      fails("EAGAIN", "read", read);
      // if tx failed, too, the next write() reports it
      try {
        raw.syscalls.write(raw.fd, new Uint8Array(128));
      } catch {
        raw.syscalls.write(raw.fd, new Uint8Array(128));
      }
      ready(raw, POLLIN);
      same(read(), 128, "bytes of the next frame");
    },
  );

  check(
    { name: "write fails with EIO after a failed frame, and the next one succeeds", needs: faults },
    (raw, context) => {
      context.arm("kind=error frame=0 seed=1 direction=tx");
      raw.setNonblocking(true);
      raw.alloc("bounce", "tx", PAGE, 2);
      raw.enqueue(raw.alloc("streaming", "rx").id);
      const write = () => raw.syscalls.write(raw.fd, new Uint8Array(64));
      write();
      ready(raw, POLLERR);
      fails("EIO", "write", write);
      same(write(), 64, "bytes of the next frame");
    },
  );

  check(
    { name: "RESET drops a failed completion, and poll reports no error", needs: faults },
    (raw, context) => {
      context.arm("kind=error frame=0 seed=1");
      started(raw);
      ready(raw, POLLERR);
      raw.reset();
      same(raw.poll(POLLIN | POLLOUT, 0), 0, "events after RESET");
    },
  );

  check(
    { name: "RESET of an engine that hangs returns both blocks", needs: faults },
    (raw, context) => {
      context.arm("kind=stall frame=0 seed=1");
      const { tx, rx } = started(raw);
      fails("ETIMEDOUT", "DEQUEUE", () => raw.dequeue("rx", context.in(100)));
      for (const id of [tx, rx]) same(state(raw, id), "in-flight", "state");
      same(raw.reset(), 2, "returned");
      for (const id of [tx, rx]) same(state(raw, id), "user", "state");
      context.frame(raw, tx, rx);
    },
  );

  check(
    {
      name: "RESET fails with EIO if the engine is not proven idle, and reports both counts",
      needs: wedges,
    },
    (raw, context) => {
      wedged(raw, context);
      const quarantined = failedReset(raw);
      assert(quarantined >= 1 && quarantined <= 2, `quarantined ${quarantined}`);
      same(failedReset(raw), quarantined, "quarantined after another RESET");
      const { tx, rx } = unpackStats(raw.stats().bytes);
      same(tx.quarantinedBlocks + rx.quarantinedBlocks, quarantined, "quarantined in STATS");
      same(tx.quarantinedBytes + rx.quarantinedBytes, quarantined * PAGE, "bytes in STATS");
      context.disarm();
      raw.reset();
      const after = unpackStats(raw.stats().bytes);
      same(
        after.tx.quarantinedBlocks + after.rx.quarantinedBlocks,
        0,
        "quarantined after disarming and RESET",
      );
    },
  );

  check(
    { name: "FREE and ENQUEUE fail with EBUSY for a block in quarantine", needs: wedges },
    (raw, context) => {
      const { rx } = wedged(raw, context);
      failedReset(raw);
      same(state(raw, rx), "quarantined", "state");
      refuses(raw, "EBUSY", "FREE", () => raw.free(rx));
      refuses(raw, "EBUSY", "ENQUEUE", () => raw.enqueue(rx));
      context.disarm();
      raw.reset();
      same(state(raw, rx), "user", "state after disarming and RESET");
      raw.free(rx);
    },
  );

  check(
    {
      name: "ENQUEUE fails with EIO, and poll and INFO report it, until the engine is proven idle",
      needs: wedges,
    },
    (raw, context) => {
      const { spare } = wedged(raw, context);
      failedReset(raw);
      const info = () => {
        const argument = new Struct(INFO);
        raw.call("INFO", argument);
        return unpackInfo(argument.bytes).rx?.wedged;
      };
      refuses(raw, "EIO", "ENQUEUE", () => raw.enqueue(spare));
      refusesCall(raw, "ENODATA", "DEQUEUE", dequeueArgument("rx", context.in(60_000)));
      assert((raw.poll(POLLIN, 0) & POLLERR) !== 0, "expected POLLERR, found no such event");
      same(info(), true, "wedged");
      context.disarm();
      raw.reset();
      same(raw.poll(POLLIN, 0), 0, "events after disarming and RESET");
      same(info(), false, "wedged after disarming and RESET");
      raw.enqueue(spare);
    },
  );

  check(
    { name: "quarantine outlives close, and RESET of the next open file ends it", needs: wedges },
    (raw, context) => {
      const { rx } = wedged(raw, context);
      const offset = raw.query(rx).get("mmap_offset");
      const quarantined = failedReset(raw);
      raw.close();
      const next = context.open();
      same(next.stats().get("blocks"), quarantined, "blocks");
      same(next.stats().get("bytes"), quarantined * PAGE, "bytes");
      fails("ENOENT", "QUERY of the old id", () => next.query(rx));
      fails("EINVAL", "mmap of the old offset", () => next.map(offset));
      const { id } = next.alloc("streaming", "rx");
      fails("EIO", "ENQUEUE", () => next.enqueue(id));
      same(failedReset(next), quarantined, "quarantined");
      context.disarm();
      next.reset();
      same(next.stats().get("blocks"), 1, "blocks after disarming and RESET");
      const tx = next.alloc("streaming", "tx");
      for (const direction of DIRECTIONS) {
        same(context.frame(next, tx.id, id)[direction].get("length"), PAGE, "length");
      }
    },
  );

  check(
    {
      name: "user pages in quarantine stay pinned, and their range cannot be registered",
      needs: wedges,
    },
    (raw, context) => {
      context.arm("kind=wedge frame=0 seed=1");
      const { address } = context.memory();
      const rx = raw.register("user-pages", "rx", address);
      raw.enqueue(rx);
      raw.enqueue(raw.alloc("streaming", "tx").id);
      fails("ETIMEDOUT", "DEQUEUE", () => raw.dequeue("rx", context.in(200)));
      failedReset(raw);
      assert((raw.query(rx).get("flags") & 4) !== 0, "the pages are no longer pinned");
      raw.close();
      const next = context.open();
      fails("EBUSY", "REGISTER", () => next.register("user-pages", "tx", address));
      context.disarm();
      next.reset();
      next.register("user-pages", "tx", address);
    },
  );
});
