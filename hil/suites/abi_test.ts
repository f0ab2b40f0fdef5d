// SPDX-License-Identifier: MIT
/**
 * The driver's refusals, one by one, by raw calls: the right errno, and nothing changed.
 *
 * In the manner of v4l2-compliance: structs begin as 0xff, commands that do not exist must leave the
 * buffer untouched, and after each refusal the books (STATS) and the block (QUERY) are as before.
 */

import { ERRNO, ErrnoError, type ErrnoName } from "../../driver/errno.ts";
import { Device } from "../../driver/device.ts";
import type { Layout } from "../../driver/layout.ts";
import { libc } from "../../driver/libc.ts";
import { UserMemory } from "../../driver/memory.ts";
import {
  MAP_PRIVATE,
  MAP_SHARED,
  O_CLOEXEC,
  O_NONBLOCK,
  O_RDWR,
  POLLERR,
  POLLIN,
  POLLOUT,
  PROT_READ,
  PROT_WRITE,
} from "../../driver/syscalls.ts";
import {
  ALLOC,
  DEQUEUE,
  DIRECTIONS,
  ENQUEUE,
  ENQUEUE_FLAGS,
  FREE,
  INFO,
  IOC,
  IOC_MAGIC,
  POLICIES,
  type PolicyName,
  QUERY,
  REGISTER,
  RESET,
  STATS,
  SYNC,
} from "../../driver/uapi.ts";
import { type CaseResult, Journal } from "../journal.ts";
import { findProblem } from "../precheck.ts";
import { readSettings } from "../settings.ts";

const SUITE = "abi";
const PAGE = 4096;
const MAX_U32 = 0xffff_ffffn;
const MAX_U64 = 0xffff_ffff_ffff_ffffn;

const [path = ""] = readSettings().devices;
const journal = Journal.open();

const problem = findProblem(path);
if (problem !== null) {
  journal.bench("device", problem);
  Deno.test(`${SUITE}: ${path} is there`, () => {
    throw new Error(problem);
  });
}

type Values = Record<string, number | bigint>;

const WIDE = new Set([
  "size",
  "offset",
  "length",
  "cookie",
  "address",
  "mmap_offset",
  "mmap_stride",
  "deadline_ns",
  "ns",
]);

/** A struct of zeros with some members set. */
function pack<Name extends string>(layout: Layout<Name>, values: Values): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(layout.size);
  const view = new DataView(bytes.buffer);
  for (const [member, value] of Object.entries(values)) {
    const at = layout.at[member as Name];
    if (WIDE.has(member)) view.setBigUint64(at, BigInt(value), true);
    else view.setUint32(at, Number(value), true);
  }
  return bytes;
}

/** One open device, by raw calls. */
class Raw implements Disposable {
  readonly fd: number;

  constructor(flags = 0) {
    this.fd = libc.open(path, O_RDWR | O_CLOEXEC | flags);
  }

  call(request: number, argument: Uint8Array<ArrayBuffer> | null): void {
    libc.ioctl(this.fd, request, argument);
  }

  /** ALLOC; returns the first id and the offset for mmap. */
  alloc(
    policy: PolicyName,
    direction: "tx" | "rx",
    size = PAGE,
    count = 1,
  ): { id: number; offset: number; stride: number } {
    const argument = pack(ALLOC, { ...kind(policy, direction), size, count });
    this.call(IOC.ALLOC, argument);
    const view = new DataView(argument.buffer);
    return {
      id: view.getUint32(ALLOC.at.first_id, true),
      offset: Number(view.getBigUint64(ALLOC.at.mmap_offset, true)),
      stride: Number(view.getBigUint64(ALLOC.at.mmap_stride, true)),
    };
  }

  enqueue(id: number, values: Values = {}): Uint8Array<ArrayBuffer> {
    const argument = pack(ENQUEUE, { id, length: PAGE, ...values });
    this.call(IOC.ENQUEUE, argument);
    return argument;
  }

  /** DEQUEUE; what it fills in begins as 0xff. */
  dequeue(direction: "tx" | "rx", deadline: number | bigint): Uint8Array<ArrayBuffer> {
    const index = DIRECTIONS.indexOf(direction);
    const argument = pack(DEQUEUE, { direction: index, deadline_ns: deadline });
    argument.fill(0xff, DEQUEUE.at.id, DEQUEUE.at.error);
    this.call(IOC.DEQUEUE, argument);
    return argument;
  }

  query(id: number): string {
    const argument = pack(QUERY, { id });
    this.call(IOC.QUERY, argument);
    return argument.toHex();
  }

  /** What must not change: blocks and bytes. */
  books(): string {
    const argument = pack(STATS, {});
    this.call(IOC.STATS, argument);
    return argument.subarray(0, STATS.at.chan).toHex();
  }

  [Symbol.dispose](): void {
    libc.close(this.fd);
  }
}

function kind(policy: PolicyName, direction: "tx" | "rx"): Values {
  return { policy: POLICIES.indexOf(policy), direction: DIRECTIONS.indexOf(direction) };
}

function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new Error(message);
}

/** Expect a refusal. Returns the error. */
function refuses(code: ErrnoName, what: string, fn: () => unknown): void {
  try {
    fn();
  } catch (error) {
    if (!(error instanceof ErrnoError)) throw error;
    if (error.code === code) return;
    throw new Error(`${what}: expected ${code}, found ${error.code}`);
  }
  throw new Error(`${what}: expected ${code}, found success`);
}

/** Expect a refusal that leaves books and block as they were. */
function refusesUnchanged(
  raw: Raw,
  code: ErrnoName,
  what: string,
  fn: () => unknown,
  id?: number,
): void {
  const before = raw.books() + (id === undefined ? "" : raw.query(id));
  refuses(code, what, fn);
  const after = raw.books() + (id === undefined ? "" : raw.query(id));
  assert(before === after, `${what}: refused with ${code}, yet something changed`);
}

/** A moment in the future, nanoseconds. */
function soon(milliseconds: number): number {
  return libc.monotonicNs() + milliseconds * 1e6;
}

function check(name: string, fn: () => void | Promise<void>): void {
  if (problem !== null) return;
  const id = `${SUITE}/${name}`;
  journal.register({ id, suite: SUITE, name, policy: null });
  Deno.test({
    name,
    retry: 0,
    fn: async () => {
      journal.start(id);
      const start = performance.now();
      let result: CaseResult = { outcome: "PASS", reason: null, seconds: 0, frames: 0, bytes: 0 };
      try {
        await fn();
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        result = { ...result, outcome: "FAIL", reason };
      }
      journal.end(id, { ...result, seconds: (performance.now() - start) / 1000 });
      if (result.reason !== null) throw new Error(result.reason);
    },
  });
}

check("open is exclusive: a second open is EBUSY, and open works again after close", () => {
  {
    using raw = new Raw();
    refuses("EBUSY", "second open", () => new Raw()[Symbol.dispose]());
    raw.books();
  }
  using _again = new Raw();
});

check("unknown commands are ENOTTY and leave the buffer untouched", () => {
  using raw = new Raw();
  const commands = [
    0,
    0x5401,
    ((3 << 30) | (48 << 16) | (IOC_MAGIC << 8) | 11) >>> 0, // number not taken
    ((3 << 30) | (47 << 16) | (IOC_MAGIC << 8) | 1) >>> 0, // ALLOC of another size
    ((1 << 30) | (48 << 16) | (IOC_MAGIC << 8) | 1) >>> 0, // ALLOC of another direction
    ((3 << 30) | (48 << 16) | ((IOC_MAGIC ^ 1) << 8) | 1) >>> 0, // another driver's
    0xffff_ffff,
  ];
  for (const command of commands) {
    const buffer = new Uint8Array(256).fill(0xff);
    refusesUnchanged(
      raw,
      "ENOTTY",
      `command 0x${command.toString(16)}`,
      () => raw.call(command, buffer),
    );
    assert(buffer.every((byte) => byte === 0xff), `0x${command.toString(16)} touched the buffer`);
  }
});

check("NULL is EFAULT for every command", () => {
  using raw = new Raw();
  for (const [name, request] of Object.entries(IOC)) {
    refusesUnchanged(raw, "EFAULT", name, () => raw.call(request, null));
  }
});

check("structs of 0xff are refused by every command that has an input", () => {
  using raw = new Raw();
  const sizes: [string, number, number, ErrnoName][] = [
    ["ALLOC", IOC.ALLOC, ALLOC.size, "EINVAL"],
    ["FREE", IOC.FREE, FREE.size, "EINVAL"],
    ["QUERY", IOC.QUERY, QUERY.size, "EINVAL"],
    ["ENQUEUE", IOC.ENQUEUE, ENQUEUE.size, "EINVAL"],
    ["DEQUEUE", IOC.DEQUEUE, DEQUEUE.size, "EINVAL"],
    ["SYNC", IOC.SYNC, SYNC.size, "EINVAL"],
    ["REGISTER", IOC.REGISTER, REGISTER.size, "EINVAL"],
    ["UNREGISTER", IOC.UNREGISTER, FREE.size, "EINVAL"],
    ["STATS", IOC.STATS, STATS.size, "EINVAL"],
    ["RESET", IOC.RESET, RESET.size, "EINVAL"],
  ];
  for (const [name, request, size, code] of sizes) {
    refusesUnchanged(raw, code, name, () => raw.call(request, new Uint8Array(size).fill(0xff)));
  }
});

check("INFO fills in every reserved field with zero", () => {
  using raw = new Raw();
  const argument = new Uint8Array(INFO.size).fill(0xff);
  raw.call(IOC.INFO, argument);
  assert(argument.subarray(INFO.at.reserved).every((byte) => byte === 0), "reserved is not zero");
  assert(new DataView(argument.buffer).getUint32(0, true) === 1, "abi_version is not 1");
});

check("ALLOC refuses nothing, too much, and what does not exist", () => {
  using device = Device.open({ path: path });
  const { maxBlock } = device.info.policies.streaming;
  const { maxBlocks, maxBytes } = device.info;
  device[Symbol.dispose]();
  using raw = new Raw();
  const good = { ...kind("streaming", "tx"), size: PAGE, count: 1 };
  const bad: [ErrnoName, string, Values][] = [
    ["EINVAL", "size 0", { size: 0 }],
    ["EINVAL", "count 0", { count: 0 }],
    ["EINVAL", "size over the limit", { size: maxBlock + 1 }],
    ["EINVAL", "size 2^32", { size: 1n << 32n }],
    ["EINVAL", "size 2^64 - 1", { size: MAX_U64 }],
    ["EINVAL", "size 2^64 - one page", { size: MAX_U64 - 4095n }],
    ["EINVAL", "count over the limit", { count: maxBlocks + 1 }],
    ["EINVAL", "count 2^32 - 1", { count: MAX_U32 }],
    ["EINVAL", "direction 2", { direction: 2 }],
    ["EINVAL", "direction 2^32 - 1", { direction: MAX_U32 }],
    ["EINVAL", "policy 10", { policy: 10 }],
    ["EINVAL", "policy user-pages", kind("user-pages", "tx")],
    ["EINVAL", "policy user-pages-registered", kind("user-pages-registered", "tx")],
    ["EINVAL", "flags 1", { flags: 1 }],
    ["EINVAL", "reserved 1", { reserved: 1 }],
    ["ENOMEM", "more bytes than the limit", {
      size: maxBlock,
      count: Math.floor(maxBytes / maxBlock) + 1,
    }],
  ];
  for (const [code, what, values] of bad) {
    const argument = pack(ALLOC, { ...good, ...values });
    refusesUnchanged(raw, code, what, () => raw.call(IOC.ALLOC, argument));
  }
});

check("ALLOC gives zeroed memory of every policy, and ids that are never used again", () => {
  using device = Device.open({ path: path });
  const seen = new Set<number>();
  for (const policy of POLICIES) {
    if (policy === "user-pages" || policy === "user-pages-registered") continue;
    if (!device.info.policies[policy].tx) continue;
    for (const direction of DIRECTIONS) {
      for (const block of device.alloc({ direction, policy, size: 10_000, count: 3 })) {
        assert(!seen.has(block.id), `id ${block.id} was used twice`);
        seen.add(block.id);
        if (policy !== "bounce") {
          assert(block.bytes().every((byte) => byte === 0), `${policy} ${direction} is not zeroed`);
        }
        block.free();
      }
    }
  }
});

check("FREE and QUERY know only live ids", () => {
  using raw = new Raw();
  const { id } = raw.alloc("streaming", "tx");
  for (const other of [0, id + 1, Number(MAX_U32)]) {
    refusesUnchanged(
      raw,
      "ENOENT",
      `FREE ${other}`,
      () => raw.call(IOC.FREE, pack(FREE, { id: other })),
    );
    refusesUnchanged(raw, "ENOENT", `QUERY ${other}`, () => raw.query(other));
    refusesUnchanged(raw, "ENOENT", `ENQUEUE ${other}`, () => raw.enqueue(other));
  }
  refusesUnchanged(
    raw,
    "EINVAL",
    "FREE, reserved",
    () => raw.call(IOC.FREE, pack(FREE, { id, reserved: 1 })),
    id,
  );
  refusesUnchanged(
    raw,
    "EINVAL",
    "UNREGISTER of an allocated block",
    () => raw.call(IOC.UNREGISTER, pack(FREE, { id })),
    id,
  );
  raw.call(IOC.FREE, pack(FREE, { id }));
  refuses("ENOENT", "second FREE", () => raw.call(IOC.FREE, pack(FREE, { id })));
});

check("FREE refuses a mapped block and one with the driver", () => {
  using raw = new Raw();
  const { id, offset } = raw.alloc("streaming", "rx");
  const mapping = libc.mmap(PAGE, PROT_READ, MAP_SHARED, raw.fd, offset);
  refusesUnchanged(raw, "EBUSY", "mapped", () => raw.call(IOC.FREE, pack(FREE, { id })), id);
  libc.munmap(mapping);
  raw.enqueue(id);
  refusesUnchanged(raw, "EBUSY", "enqueued", () => raw.call(IOC.FREE, pack(FREE, { id })), id);
  raw.call(IOC.RESET, new Uint8Array(RESET.size));
  raw.call(IOC.FREE, pack(FREE, { id }));
});

check("a mapping outlives close, and the device is busy until it is gone", () => {
  const raw = new Raw();
  const { offset } = raw.alloc("streaming", "tx");
  const mapping = libc.mmap(PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, raw.fd, offset);
  raw[Symbol.dispose]();
  const view = new Uint8Array(mapping.buffer);
  view.fill(0x5a);
  assert(view.every((byte) => byte === 0x5a), "the memory is gone");
  refuses("EBUSY", "open while mapped", () => new Raw()[Symbol.dispose]());
  libc.munmap(mapping);
  using _again = new Raw();
});

check("mmap takes one whole block, shared", () => {
  using raw = new Raw();
  const { offset, stride } = raw.alloc("streaming", "tx", 3 * PAGE, 2);
  const map = (length: number, flags: number, at: number) => () =>
    libc.munmap(libc.mmap(length, PROT_READ | PROT_WRITE, flags, raw.fd, at));
  assert(stride === 3 * PAGE, `stride is ${stride}`);
  refusesUnchanged(raw, "EINVAL", "one page less", map(2 * PAGE, MAP_SHARED, offset));
  refusesUnchanged(raw, "EINVAL", "one page more", map(4 * PAGE, MAP_SHARED, offset));
  refusesUnchanged(raw, "EINVAL", "both blocks", map(6 * PAGE, MAP_SHARED, offset));
  refusesUnchanged(raw, "EINVAL", "second page", map(3 * PAGE, MAP_SHARED, offset + PAGE));
  refusesUnchanged(raw, "EINVAL", "behind the last", map(3 * PAGE, MAP_SHARED, offset + 6 * PAGE));
  refusesUnchanged(raw, "EINVAL", "offset 0", map(3 * PAGE, MAP_SHARED, 0));
  refusesUnchanged(raw, "EINVAL", "private", map(3 * PAGE, MAP_PRIVATE, offset));
  map(3 * PAGE, MAP_SHARED, offset)();
  map(3 * PAGE, MAP_SHARED, offset + stride)();
});

check("a receive block of streaming-lazy cannot be mapped for writing", () => {
  using raw = new Raw();
  const { id, offset } = raw.alloc("streaming-lazy", "rx");
  refusesUnchanged(
    raw,
    "EACCES",
    "writable",
    () => libc.mmap(PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, raw.fd, offset),
    id,
  );
  libc.munmap(libc.mmap(PAGE, PROT_READ, MAP_SHARED, raw.fd, offset));
  const tx = raw.alloc("streaming-lazy", "tx");
  libc.munmap(libc.mmap(PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, raw.fd, tx.offset));
});

check("ENQUEUE checks range, alignment and flags at the edges of 32 and 64 bits", () => {
  using raw = new Raw();
  const { id } = raw.alloc("streaming", "rx", 2 * PAGE);
  const bad: [string, Values][] = [
    ["length 0", { length: 0 }],
    ["length beyond", { length: 2 * PAGE + 1 }],
    ["offset beyond", { offset: 2 * PAGE, length: 1 }],
    ["end beyond", { offset: PAGE, length: PAGE + 1 }],
    ["offset 2^32", { offset: 1n << 32n, length: PAGE }],
    ["length 2^32", { length: 1n << 32n }],
    ["offset + length = 2^32", { offset: (1n << 32n) - 4096n, length: PAGE }],
    ["offset + length = 2^64", { offset: MAX_U64 - 4095n, length: PAGE }],
    ["offset + length wraps to 1", { offset: MAX_U64 - 4095n, length: PAGE + 1 }],
    ["length 2^64 - 1", { length: MAX_U64 }],
    ["offset not cache-aligned", { offset: 1, length: 1 }],
    ["unknown flag", { flags: 4 }],
    ["all flags", { flags: MAX_U32 }],
    ["sideband", { sideband: 1 }],
    ["reserved", { reserved: 1 }],
  ];
  for (const [what, values] of bad) {
    const argument = pack(ENQUEUE, { id, length: PAGE, ...values });
    refusesUnchanged(raw, "EINVAL", what, () => raw.call(IOC.ENQUEUE, argument), id);
    const stored = new DataView(argument.buffer).getInt32(ENQUEUE.at.error, true);
    assert(stored === ERRNO.EINVAL, `${what}: the struct holds error ${stored}`);
  }
});

check("ENQUEUE refuses a block that is not the caller's, and one of the ring", () => {
  using raw = new Raw();
  const { id } = raw.alloc("streaming", "rx");
  raw.enqueue(id);
  refusesUnchanged(raw, "EBUSY", "twice", () => raw.enqueue(id), id);
  const ring = raw.alloc("bounce", "tx");
  refusesUnchanged(raw, "EINVAL", "ring", () => raw.enqueue(ring.id), ring.id);
  raw.call(IOC.RESET, new Uint8Array(RESET.size));
});

check("ENQUEUE is EAGAIN when the queue is full, and takes one more after RESET", () => {
  using device = Device.open({ path: path });
  const depth = device.info.rx?.queueDepth ?? 0;
  device[Symbol.dispose]();
  using raw = new Raw();
  const { id } = raw.alloc("streaming", "rx", PAGE, depth + 1);
  for (let i = 0; i < depth; i++) raw.enqueue(id + i);
  refusesUnchanged(raw, "EAGAIN", "full", () => raw.enqueue(id + depth), id + depth);
  raw.call(IOC.RESET, new Uint8Array(RESET.size));
  raw.enqueue(id + depth);
  raw.call(IOC.RESET, new Uint8Array(RESET.size));
});

check(
  "DEQUEUE tells apart: nothing there, too early, too late, and a lie about the direction",
  () => {
    using raw = new Raw();
    refusesUnchanged(raw, "ENODATA", "nothing queued", () => raw.dequeue("rx", soon(1000)));
    refusesUnchanged(
      raw,
      "EINVAL",
      "direction 2",
      () => raw.call(IOC.DEQUEUE, pack(DEQUEUE, { direction: 2 })),
    );
    refusesUnchanged(
      raw,
      "EINVAL",
      "flags",
      () => raw.call(IOC.DEQUEUE, pack(DEQUEUE, { direction: 1, flags: 1 })),
    );
    refusesUnchanged(raw, "EINVAL", "deadline 2^63", () => raw.dequeue("rx", 1n << 63n));
    refusesUnchanged(raw, "EINVAL", "deadline 2^64 - 1", () => raw.dequeue("rx", MAX_U64));
    const { id } = raw.alloc("streaming", "rx");
    raw.enqueue(id);
    for (
      const [what, deadline] of [["0", 0], ["1", 1], ["now", soon(0)], ["soon", soon(20)]] as const
    ) {
      const argument = pack(DEQUEUE, { direction: 1, deadline_ns: deadline });
      const books = raw.books();
      refuses("ETIMEDOUT", `deadline ${what}`, () => raw.call(IOC.DEQUEUE, argument));
      const stored = new DataView(argument.buffer).getInt32(DEQUEUE.at.error, true);
      assert(stored === ERRNO.ETIMEDOUT, `the struct holds error ${stored}`);
      assert(books === raw.books(), "something changed");
    }
    raw.call(IOC.RESET, new Uint8Array(RESET.size));
    refuses("ENODATA", "after RESET", () => raw.dequeue("rx", soon(1000)));
  },
);

check("DEQUEUE does not wait when the file is nonblocking", () => {
  using raw = new Raw(O_NONBLOCK);
  const { id } = raw.alloc("streaming", "rx");
  raw.enqueue(id);
  const before = libc.monotonicNs();
  refuses("EAGAIN", "nonblocking", () => raw.dequeue("rx", soon(60_000)));
  assert(libc.monotonicNs() - before < 30e9, "it waited");
  raw.call(IOC.RESET, new Uint8Array(RESET.size));
});

check("DEQUEUE hands back range, cookie and times, in the order of ENQUEUE", () => {
  using raw = new Raw();
  const rx = raw.alloc("streaming", "rx", 2 * PAGE, 2);
  const tx = raw.alloc("streaming", "tx", 2 * PAGE, 2);
  for (const i of [1, 0]) {
    const cookie = MAX_U64 - BigInt(i);
    raw.enqueue(rx.id + i, { offset: PAGE, length: PAGE, cookie });
    raw.enqueue(tx.id + i, { offset: 0, length: PAGE - i, cookie });
  }
  for (const i of [1, 0]) {
    for (const [direction, first, offset] of [["rx", rx.id, PAGE], ["tx", tx.id, 0]] as const) {
      const view = new DataView(raw.dequeue(direction, soon(20_000)).buffer);
      const get = (name: keyof typeof DEQUEUE.at) => view.getBigUint64(DEQUEUE.at[name], true);
      assert(view.getUint32(DEQUEUE.at.id, true) === first + i, `${direction} came out of order`);
      assert(get("offset") === BigInt(offset), "offset");
      assert(get("length") === BigInt(PAGE - i), `${direction} length ${get("length")}`);
      assert(get("cookie") === MAX_U64 - BigInt(i), "cookie");
      assert(get("queued_ns") > 0n && get("queued_ns") <= get("submitted_ns"), "queued_ns");
      assert(get("submitted_ns") <= get("done_ns"), "done_ns before submitted_ns");
      assert(get("sideband") === 0n, "sideband is not zero");
    }
  }
});

check("DEQUEUE of NULL leaves a completion for the next DEQUEUE", () => {
  using raw = new Raw();
  const rx = raw.alloc("streaming", "rx");
  const tx = raw.alloc("streaming", "tx");
  raw.enqueue(rx.id);
  raw.enqueue(tx.id);
  raw.dequeue("tx", soon(20_000));
  // wait until it is done: then the fault is the only thing that can go wrong
  while ((libc.poll(raw.fd, POLLIN, 20_000) & POLLIN) === 0);
  refuses("EFAULT", "NULL", () => raw.call(IOC.DEQUEUE, null));
  const view = new DataView(raw.dequeue("rx", 0).buffer);
  assert(view.getUint32(DEQUEUE.at.id, true) === rx.id, "another block came back");
});

check("poll tells completions by direction", () => {
  using raw = new Raw();
  assert(libc.poll(raw.fd, POLLIN | POLLOUT, 0) === 0, "ready without a block");
  const rx = raw.alloc("streaming", "rx");
  const tx = raw.alloc("streaming", "tx");
  raw.enqueue(rx.id);
  assert(libc.poll(raw.fd, POLLIN | POLLOUT, 10) === 0, "ready without a frame");
  raw.enqueue(tx.id);
  assert((libc.poll(raw.fd, POLLIN, 20_000) & POLLIN) !== 0, "no POLLIN");
  raw.dequeue("rx", 0);
  assert((libc.poll(raw.fd, POLLOUT, 20_000) & POLLOUT) !== 0, "no POLLOUT");
  raw.dequeue("tx", soon(20_000));
  assert((libc.poll(raw.fd, POLLIN | POLLOUT, 0) & (POLLIN | POLLOUT | POLLERR)) === 0, "ready");
});

check("SYNC is for policy manual, inside the block, while it is the caller's", () => {
  using raw = new Raw();
  const { id } = raw.alloc("manual", "rx", 2 * PAGE);
  const other = raw.alloc("streaming", "rx");
  const sync = (values: Values) => () =>
    raw.call(IOC.SYNC, pack(SYNC, { length: PAGE, ...values }));
  refusesUnchanged(raw, "ENOENT", "no such block", sync({ id: MAX_U32 }), id);
  refusesUnchanged(raw, "EINVAL", "another policy", sync({ id: other.id }), other.id);
  refusesUnchanged(raw, "EINVAL", "op 2", sync({ id, op: 2 }), id);
  refusesUnchanged(raw, "EINVAL", "length 0", sync({ id, length: 0 }), id);
  refusesUnchanged(raw, "EINVAL", "beyond", sync({ id, offset: PAGE + 1 }), id);
  refusesUnchanged(raw, "EINVAL", "wraps", sync({ id, offset: MAX_U64, length: 2 }), id);
  raw.enqueue(id);
  refusesUnchanged(raw, "EBUSY", "enqueued", sync({ id }), id);
  raw.call(IOC.RESET, new Uint8Array(RESET.size));
  sync({ id, op: 0, offset: 3, length: 5 })();
  sync({ id, op: 1, offset: 0, length: 2 * PAGE })();
});

check(
  "REGISTER refuses memory that is unaligned, not there, read-only, or shared with an rx range",
  () => {
    using device = Device.open({ path: path });
    const { cacheAlign, policies } = device.info;
    device[Symbol.dispose]();
    using raw = new Raw();
    using memory = UserMemory.allocate(4 * PAGE);
    const good = { ...kind("user-pages-registered", "rx"), address: memory.address, size: PAGE };
    const register = (values: Values) => {
      const argument = pack(REGISTER, { ...good, ...values });
      raw.call(IOC.REGISTER, argument);
      return new DataView(argument.buffer).getUint32(REGISTER.at.id, true);
    };
    const bad: [ErrnoName, string, Values][] = [
      ["EINVAL", "address unaligned", { address: memory.address + 1n }],
      ["EINVAL", "size unaligned", { size: cacheAlign + 1 }],
      ["EINVAL", "size 0", { size: 0 }],
      ["EINVAL", "size over the limit", { size: policies["user-pages"].maxBlock + PAGE }],
      ["EINVAL", "wraps", { address: MAX_U64 - 4095n, size: 2 * PAGE }],
      ["EINVAL", "policy streaming", kind("streaming", "rx")],
      ["EINVAL", "direction 2", { direction: 2 }],
      ["EINVAL", "flags", { flags: 1 }],
      ["EFAULT", "not mapped", { address: BigInt(PAGE) }],
      ["EFAULT", "the kernel's", { address: 1n << 63n }],
    ];
    for (const [code, what, values] of bad) {
      refusesUnchanged(raw, code, what, () => register(values));
      refusesUnchanged(raw, code, `${what}, user-pages`, () =>
        register({
          ...values,
          ...(what.startsWith("policy") ? {} : kind("user-pages", "rx")),
          ...values,
        }));
    }
    const readOnly = libc.mmap(PAGE, PROT_READ, MAP_PRIVATE | 0x20, -1, 0);
    refusesUnchanged(raw, "EFAULT", "read-only", () => register({ address: readOnly.address }));
    libc.munmap(readOnly);
    const first = register({ size: 2 * PAGE });
    const overlap = { address: memory.address + BigInt(PAGE) };
    refusesUnchanged(raw, "EBUSY", "overlaps rx", () => register(overlap), first);
    refusesUnchanged(
      raw,
      "EBUSY",
      "tx overlaps rx",
      () => register({ ...overlap, ...kind("user-pages", "tx") }),
      first,
    );
    refusesUnchanged(
      raw,
      "EINVAL",
      "FREE of registered memory",
      () => raw.call(IOC.FREE, pack(FREE, { id: first })),
      first,
    );
    register({ address: memory.address + BigInt(2 * PAGE) });
    raw.call(IOC.UNREGISTER, pack(FREE, { id: first }));
    register(overlap);
  },
);

check("the memory of a block cannot be registered", () => {
  using raw = new Raw();
  const { offset } = raw.alloc("streaming", "tx");
  const mapping = libc.mmap(PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, raw.fd, offset);
  refusesUnchanged(raw, "EFAULT", "a block", () =>
    raw.call(
      IOC.REGISTER,
      pack(REGISTER, { ...kind("user-pages", "tx"), address: mapping.address, size: PAGE }),
    ));
  libc.munmap(mapping);
});

check("ENQUEUE of user pages that went away is EFAULT, and the block is the caller's", () => {
  using raw = new Raw();
  const memory = libc.mmap(PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | 0x20, -1, 0);
  const argument = pack(REGISTER, {
    ...kind("user-pages", "rx"),
    address: memory.address,
    size: PAGE,
  });
  raw.call(IOC.REGISTER, argument);
  const id = new DataView(argument.buffer).getUint32(REGISTER.at.id, true);
  libc.munmap(memory);
  refusesUnchanged(raw, "EFAULT", "unmapped since", () => raw.enqueue(id), id);
  raw.call(IOC.UNREGISTER, pack(FREE, { id }));
});

check("read and write need a ring, and refuse frames that do not fit", () => {
  using raw = new Raw(O_NONBLOCK);
  const frame = new Uint8Array(64);
  refusesUnchanged(raw, "EINVAL", "write without a ring", () => libc.write(raw.fd, frame));
  refusesUnchanged(raw, "EINVAL", "read without a ring", () => libc.read(raw.fd, frame));
  raw.alloc("bounce", "tx", 64);
  raw.alloc("bounce", "rx", 64);
  refusesUnchanged(raw, "EINVAL", "write nothing", () => libc.write(raw.fd, new Uint8Array(0)));
  refusesUnchanged(raw, "EMSGSIZE", "too large", () => libc.write(raw.fd, new Uint8Array(65)));
  refusesUnchanged(raw, "EAGAIN", "nothing to read", () => libc.read(raw.fd, frame));
  assert((libc.poll(raw.fd, POLLOUT, 0) & POLLOUT) !== 0, "a free slot is not writable");
  frame.fill(0x33);
  libc.write(raw.fd, frame);
  assert((libc.poll(raw.fd, POLLIN, 20_000) & POLLIN) !== 0, "no frame came");
  refuses("EMSGSIZE", "small buffer", () => libc.read(raw.fd, new Uint8Array(63)));
  const back = new Uint8Array(64);
  assert(libc.read(raw.fd, back) === 64, "the frame that did not fit is lost");
  assert(back.every((byte) => byte === 0x33), "the frame is damaged");
  raw.call(IOC.RESET, new Uint8Array(RESET.size));
});

check("RESET gives every block back, and says how many", () => {
  using raw = new Raw();
  const { id } = raw.alloc("streaming", "rx", PAGE, 5);
  const before = raw.query(id);
  for (let i = 0; i < 5; i++) raw.enqueue(id + i);
  refusesUnchanged(
    raw,
    "EINVAL",
    "flags",
    () => raw.call(IOC.RESET, pack(RESET, { flags: 1 })),
    id,
  );
  const argument = new Uint8Array(RESET.size);
  raw.call(IOC.RESET, argument);
  const view = new DataView(argument.buffer);
  assert(view.getUint32(RESET.at.returned, true) === 5, "not all five came back");
  assert(view.getUint32(RESET.at.quarantined, true) === 0, "some are quarantined");
  assert(raw.query(id) === before, "the block is not as before");
});

check("RESET ends a DEQUEUE that waits with ECANCELED", async () => {
  using device = Device.open({ path: path });
  const [block] = device.alloc({ direction: "rx", policy: "streaming", size: PAGE });
  block?.enqueue();
  const waiting = device.dequeueAsync("rx", { timeoutMs: 60_000 });
  const how: string[] = [];
  const end = waiting.then(() => how.push("success"), (error) => how.push(error.code));
  // give it time to begin; should it not have begun, it must find nothing instead
  await new Promise((resolve) => setTimeout(resolve, 100));
  assert(how.length === 0, `it did not wait: ${how}`);
  device.reset();
  await end;
  assert(how[0] === "ECANCELED", `expected ECANCELED, found ${how}`);
});

check("unaligned offsets need the flag that says so", () => {
  using raw = new Raw();
  const { id } = raw.alloc("streaming", "rx");
  refusesUnchanged(raw, "EINVAL", "offset 8", () => raw.enqueue(id, { offset: 8, length: 8 }), id);
  raw.enqueue(id, { offset: 8, length: 8, flags: ENQUEUE_FLAGS.unaligned });
  raw.call(IOC.RESET, new Uint8Array(RESET.size));
});
