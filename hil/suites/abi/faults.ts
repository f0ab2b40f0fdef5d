// SPDX-License-Identifier: MIT
/** What only an engine that misbehaves shows: EIO, POLLERR, RESET without proof, quarantine. @module */

import { ERRNO } from "../../../driver/errno.ts";
import { unpackInfo } from "../../../driver/info.ts";
import { unpackStats } from "../../../driver/stats.ts";
import { POLLERR, POLLIN, POLLOUT } from "../../../driver/syscalls.ts";
import { DIRECTIONS, INFO, IOC, RESET, STATES, STATUSES } from "../../../driver/uapi.ts";
import {
  assert,
  type Bench,
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

/** One block each way, both enqueued. */
function started(raw: Raw): { tx: number; rx: number } {
  const tx = raw.alloc("streaming", "tx");
  const rx = raw.alloc("streaming", "rx");
  raw.enqueue(rx.id);
  raw.enqueue(tx.id);
  return { tx: tx.id, rx: rx.id };
}

/** Blocks that an engine holds which does not let go; `spare` is another one for rx. */
function wedged(raw: Raw, bench: Bench): { tx: number; rx: number; spare: number } {
  bench.arm("kind=wedge frame=0 seed=1");
  const spare = raw.alloc("streaming", "rx").id;
  const blocks = started(raw);
  fails("ETIMEDOUT", "DEQUEUE", () => raw.dequeue("rx", bench.in(200)));
  return { ...blocks, spare };
}

/** RESET that fails; returns how many blocks are in quarantine. */
function failedReset(raw: Raw): number {
  const argument = new Struct(RESET, { returned: MAX_U32, quarantined: MAX_U32 });
  fails("EIO", "RESET", () => raw.call("RESET", argument));
  assert(argument.get("returned") < 3, `RESET returned ${argument.get("returned")} blocks`);
  return argument.get("quarantined");
}

const state = (raw: Raw, id: number) => STATES[raw.query(id).get("state")];

export const faultChecks = group("fault:", (check) => {
  check(
    { name: "DEQUEUE of a failed transfer is EIO, with a completion", needs: faults },
    (raw, bench) => {
      bench.arm("kind=error frame=0 seed=1");
      const { rx, tx } = started(raw);
      ready(raw, POLLERR);
      const argument = dequeueArgument("rx", bench.in(LONG));
      fails("EIO", "DEQUEUE", () => raw.call("DEQUEUE", argument));
      same(argument.get("error"), ERRNO.EIO, "error");
      same(argument.get("id"), rx, "id");
      const status = STATUSES[argument.get("status")];
      assert(status === "write-failed" || status === "aborted", `status ${status}`);
      assert(argument.get("length") <= PAGE, `length ${argument.get("length")}`);
      const times = [argument.get("queued_ns"), argument.get("done_ns"), bench.now()] as const;
      assert(0 < times[0] && times[0] <= times[1] && times[1] <= times[2], times.join(" > "));
      same(state(raw, rx), "user", "state");
      try {
        raw.dequeue("tx", bench.in(LONG));
        same(status, "write-failed", "status of rx where tx is well");
      } catch {
        same(status, "aborted", "status of rx where tx has failed");
      }
      const { rx: { errors, transfers } } = unpackStats(raw.stats().bytes);
      same(`${errors} of ${transfers}`, "1 of 1", "errors of transfers");
      same(raw.poll(POLLIN | POLLOUT, 0), 0, "events when all is dequeued");
      bench.frame(raw, tx, rx);
    },
  );

  check(
    { name: "EFAULT leaves a failed transfer done, and POLLERR told", needs: faults },
    (raw, bench) => {
      bench.arm("kind=error frame=0 seed=1");
      started(raw);
      ready(raw, POLLIN);
      fails("EFAULT", "DEQUEUE", () => raw.syscalls.ioctl(raw.fd, IOC.DEQUEUE, null));
      ready(raw, POLLERR);
      fails("EIO", "DEQUEUE", () => raw.dequeue("rx", bench.in(LONG)));
    },
  );

  check(
    { name: "read of a frame that failed is EIO, and the ring goes on", needs: faults },
    (raw, bench) => {
      bench.arm("kind=error frame=0 seed=1");
      raw.setNonblocking(true);
      raw.alloc("bounce", "tx", PAGE, 2);
      raw.alloc("bounce", "rx", PAGE, 2);
      const read = () => raw.syscalls.read(raw.fd, new Uint8Array(PAGE));
      fails("EAGAIN", "read", read);
      raw.syscalls.write(raw.fd, new Uint8Array(64));
      ready(raw, POLLIN);
      fails("EIO", "read", read);
      fails("EAGAIN", "read", read);
      // where tx has failed, too, the next write() tells
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
    { name: "RESET of an engine that hangs gives both blocks back", needs: faults },
    (raw, bench) => {
      bench.arm("kind=stall frame=0 seed=1");
      const { tx, rx } = started(raw);
      fails("ETIMEDOUT", "DEQUEUE", () => raw.dequeue("rx", bench.in(100)));
      for (const id of [tx, rx]) same(state(raw, id), "in-flight", "state");
      same(raw.reset(), 2, "returned");
      for (const id of [tx, rx]) same(state(raw, id), "user", "state");
      bench.frame(raw, tx, rx);
    },
  );

  check(
    {
      name: "RESET of an engine that is not proved idle is EIO, and tells both counts",
      needs: wedges,
    },
    (raw, bench) => {
      wedged(raw, bench);
      const quarantined = failedReset(raw);
      assert(quarantined >= 1 && quarantined <= 2, `quarantined ${quarantined}`);
      same(failedReset(raw), quarantined, "quarantined, asked again");
      const { tx, rx } = unpackStats(raw.stats().bytes);
      same(tx.quarantinedBlocks + rx.quarantinedBlocks, quarantined, "quarantined in STATS");
      same(tx.quarantinedBytes + rx.quarantinedBytes, quarantined * PAGE, "bytes in STATS");
      bench.disarm();
      raw.reset();
      const after = unpackStats(raw.stats().bytes);
      same(after.tx.quarantinedBlocks + after.rx.quarantinedBlocks, 0, "quarantined in the end");
    },
  );

  check(
    { name: "a block in quarantine is nobody's: FREE and ENQUEUE are EBUSY", needs: wedges },
    (raw, bench) => {
      const { rx } = wedged(raw, bench);
      failedReset(raw);
      same(state(raw, rx), "quarantined", "state");
      refuses(raw, "EBUSY", "FREE", () => raw.free(rx));
      refuses(raw, "EBUSY", "ENQUEUE", () => raw.enqueue(rx));
      bench.disarm();
      raw.reset();
      same(state(raw, rx), "user", "state in the end");
      raw.free(rx);
    },
  );

  check(
    {
      name: "until idleness is proved ENQUEUE is EIO, poll POLLERR, and INFO tells",
      needs: wedges,
    },
    (raw, bench) => {
      const { spare } = wedged(raw, bench);
      failedReset(raw);
      const info = () => {
        const argument = new Struct(INFO);
        raw.call("INFO", argument);
        return unpackInfo(argument.bytes).rx?.wedged;
      };
      refuses(raw, "EIO", "ENQUEUE", () => raw.enqueue(spare));
      refusesCall(raw, "ENODATA", "DEQUEUE", dequeueArgument("rx", bench.in(60_000)));
      assert((raw.poll(POLLIN, 0) & POLLERR) !== 0, "no POLLERR");
      same(info(), true, "wedged");
      bench.disarm();
      raw.reset();
      same(raw.poll(POLLIN, 0), 0, "events in the end");
      same(info(), false, "wedged in the end");
      raw.enqueue(spare);
    },
  );

  check(
    { name: "quarantine outlives close, and RESET of the next owner ends it", needs: wedges },
    (raw, bench) => {
      const { rx } = wedged(raw, bench);
      const { mmap_offset } = { mmap_offset: raw.query(rx).get("mmap_offset") };
      const quarantined = failedReset(raw);
      raw.close();
      const next = bench.open();
      same(next.stats().get("blocks"), quarantined, "blocks");
      same(next.stats().get("bytes"), quarantined * PAGE, "bytes");
      fails("ENOENT", "QUERY of the old id", () => next.query(rx));
      fails("EINVAL", "mmap of the old offset", () => next.map(mmap_offset));
      const { id } = next.alloc("streaming", "rx");
      fails("EIO", "ENQUEUE", () => next.enqueue(id));
      same(failedReset(next), quarantined, "quarantined");
      bench.disarm();
      next.reset();
      same(next.stats().get("blocks"), 1, "blocks in the end");
      const tx = next.alloc("streaming", "tx");
      for (const direction of DIRECTIONS) {
        same(bench.frame(next, tx.id, id)[direction].get("length"), PAGE, "length");
      }
    },
  );

  check(
    { name: "user pages in quarantine stay pinned, and their range taken", needs: wedges },
    (raw, bench) => {
      bench.arm("kind=wedge frame=0 seed=1");
      const { address } = bench.memory();
      const rx = raw.register("user-pages", "rx", address);
      raw.enqueue(rx);
      raw.enqueue(raw.alloc("streaming", "tx").id);
      fails("ETIMEDOUT", "DEQUEUE", () => raw.dequeue("rx", bench.in(200)));
      failedReset(raw);
      assert((raw.query(rx).get("flags") & 4) !== 0, "no longer pinned");
      raw.close();
      const next = bench.open();
      fails("EBUSY", "REGISTER", () => next.register("user-pages", "tx", address));
      bench.disarm();
      next.reset();
      next.register("user-pages", "tx", address);
    },
  );
});
