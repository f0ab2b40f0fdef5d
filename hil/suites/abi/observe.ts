// SPDX-License-Identifier: MIT
/** A file that is open for reading only: it looks at a device that is open elsewhere. @module */

import { unpackStats } from "../../../driver/stats.ts";
import { O_CLOEXEC, O_RDONLY, POLLERR, POLLIN, POLLOUT } from "../../../driver/syscalls.ts";
import { type RequestName, STATS_FLAGS } from "../../../driver/uapi.ts";
import { assert, type CheckContext, fails, group, same } from "./check.ts";
import { PAGE, type Raw, Struct, STRUCTS } from "./raw.ts";

/** Opens the device for reading only. */
function observe(context: CheckContext): Raw {
  const { syscalls } = context.board;
  return context.adopt(syscalls.open(context.path, O_RDONLY | O_CLOEXEC));
}

/** Requests that a file open for reading only may make. */
const ALLOWED: readonly RequestName[] = ["INFO", "QUERY", "STATS"];

export const observer = group("open for reading only", (check) => {
  check("succeeds while the device is open, and reads INFO, QUERY and STATS", (raw, context) => {
    const { id } = raw.alloc("streaming", "rx", 2 * PAGE);
    raw.enqueue(id);
    const other = observe(context);
    const info = new Struct(STRUCTS.INFO);
    other.call("INFO", info);
    const own = new Struct(STRUCTS.INFO);
    raw.call("INFO", own);
    same(info.bytes.toHex(), own.bytes.toHex(), "INFO");
    const block = other.query(id);
    same(block.get("size"), 2 * PAGE, "size of a block of the other file");
    same(block.get("state"), raw.query(id).get("state"), "state of it");
    same(unpackStats(other.stats().bytes).blocks, 1, "blocks");
  });

  check("fails with EBADF for each other request, and changes nothing", (raw, context) => {
    const { id } = raw.alloc("manual", "tx");
    const other = observe(context);
    for (const name of Object.keys(STRUCTS) as RequestName[]) {
      if (ALLOWED.includes(name)) continue;
      const argument = new Struct<string>(STRUCTS[name], {}, 0);
      if ("id" in STRUCTS[name].at) argument.set("id", id);
      const before = argument.bytes.toHex();
      fails("EBADF", name, () => other.call(name, argument));
      same(argument.bytes.toHex(), before, `argument of ${name}`);
    }
    same(raw.query(id).get("state"), 0, "state of the block");
    same(unpackStats(raw.stats().bytes).blocks, 1, "blocks");
  });

  check("fails with EBADF for STATS that clears the counters", (raw, context) => {
    context.frame(raw, raw.alloc("streaming", "tx").id, raw.alloc("streaming", "rx").id);
    const other = observe(context);
    fails("EBADF", "STATS", () => other.stats(STATS_FLAGS.clear));
    fails("EINVAL", "STATS with an unknown flag", () => other.stats(1 << 31));
    same(unpackStats(raw.stats().bytes).tx.transfers, 1, "transfers");
  });

  check("fails with EBADF for read(), and with EACCES for mmap()", (raw, context) => {
    const { offset } = raw.alloc("streaming", "tx");
    const other = observe(context);
    fails("EBADF", "read", () => other.syscalls.read(other.fd, new Uint8Array(PAGE)));
    fails("EBADF", "write", () => other.syscalls.write(other.fd, new Uint8Array(PAGE)));
    fails("EACCES", "mmap", () => other.map(offset, { prot: 1 }));
    same(other.poll(POLLIN | POLLOUT, 0), POLLERR, "poll");
  });

  check("does not keep the device open, and its close() frees nothing", (raw, context) => {
    const { id } = raw.alloc("streaming", "tx");
    const other = observe(context);
    other.close();
    same(raw.query(id).get("state"), 0, "state of a block");
    const third = observe(context);
    raw.close();
    const next = context.open();
    fails("ENOENT", "QUERY of an old id", () => third.query(id));
    assert(unpackStats(third.stats().bytes).blocks === 0, "expected no block");
    next.close();
  });
});
