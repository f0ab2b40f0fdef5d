// SPDX-License-Identifier: MIT

import { assert, assertEquals, assertInstanceOf, assertRejects, assertThrows } from "@std/assert";
import type { Block } from "./block.ts";
import { Device } from "./device.ts";
import { ErrnoError } from "./errno.ts";
import { AbiMismatchError, BlockStateError, ResetError, TransferError } from "./errors.ts";
import { MAX_TIMEOUT_MS } from "./checks.ts";
import { UserMemory } from "./memory.ts";
import { POLLERR, POLLIN, PROT_READ, PROT_WRITE } from "./syscalls.ts";
import { FakeSyscalls } from "./testing/fake_syscalls.ts";
import { type Direction, ENQUEUE, type PolicyName, STATS, SYNC } from "./uapi.ts";

function setUp(): { fake: FakeSyscalls; device: Device } {
  const fake = new FakeSyscalls();
  return { fake, device: Device.open({ path: "/dev/fake", syscalls: fake }) };
}

function one(device: Device, direction: Direction = "tx", policy: PolicyName = "streaming"): Block {
  const [block] = device.alloc({ size: 4096, direction, policy });
  assert(block !== undefined);
  return block;
}

Deno.test("Device.open() throws AbiMismatchError with both versions and closes the file", () => {
  const fake = new FakeSyscalls();
  fake.abiVersion = 7;
  const error = assertThrows(
    () => Device.open({ path: "/dev/fake", syscalls: fake }),
    AbiMismatchError,
    "/dev/fake: expected pldma ABI version 1, found version 7: build and load pldma.ko",
  );
  assertEquals([error.expected, error.found], [1, 7]);
  assertEquals(fake.open_.size, 0);
});

Deno.test("Device.open() throws AbiMismatchError when INFO is an unknown request", () => {
  const fake = new FakeSyscalls();
  fake.fail("INFO", "ENOTTY");
  const open = () => Device.open({ path: "/dev/fake", syscalls: fake });
  assertEquals(assertThrows(open, AbiMismatchError).found, null);
  assertEquals(fake.open_.size, 0);
});

Deno.test("Device.open() passes other errors of INFO on and closes the file", () => {
  const fake = new FakeSyscalls();
  fake.fail("INFO", "ENODEV");
  const open = () => Device.open({ path: "/dev/fake", syscalls: fake });
  assertEquals(assertThrows(open, ErrnoError).code, "ENODEV");
  assertEquals(fake.open_.size, 0);
});

Deno.test("Device.open() is exclusive", () => {
  const { fake, device } = setUp();
  using _ = device;
  const again = () => Device.open({ path: "/dev/fake", syscalls: fake });
  assertEquals(assertThrows(again, ErrnoError).code, "EBUSY");
});

Deno.test("Device.alloc() maps each block at its own offset and counts ids up", () => {
  const { fake, device } = setUp();
  using _ = device;
  const blocks = device.alloc({ size: 100, count: 3, direction: "rx", policy: "coherent" });
  const [first] = blocks;
  assert(first !== undefined);
  assertEquals(blocks.map(({ id }) => id - first.id), [0, 1, 2]);
  assertEquals(new Set(blocks.map(({ address }) => address)).size, 3);
  assertEquals(blocks.map((block) => block.bytes().length), [100, 100, 100]);
  assertEquals(device.blocks, blocks);
  assertEquals(fake.mappings.size, 3);
});

Deno.test("Device.alloc() maps only receive blocks of streaming-lazy read-only", () => {
  const { fake, device } = setUp();
  using _ = device;
  const protections = (["tx", "rx"] as const).flatMap((direction) =>
    (["streaming", "streaming-lazy"] as const).map((policy) => {
      const block = one(device, direction, policy);
      return [direction, policy, block.writable, [...fake.mappings.values()].at(-1)];
    })
  );
  assertEquals(protections, [
    ["tx", "streaming", true, PROT_READ | PROT_WRITE],
    ["tx", "streaming-lazy", true, PROT_READ | PROT_WRITE],
    ["rx", "streaming", true, PROT_READ | PROT_WRITE],
    ["rx", "streaming-lazy", false, PROT_READ],
  ]);
});

Deno.test("Device.alloc() frees every block when mapping one of them fails", () => {
  const { fake, device } = setUp();
  using _ = device;
  fake.failures.set("mmap", []);
  const { mmap } = FakeSyscalls.prototype;
  let calls = 0;
  fake.mmap = function (...args: Parameters<typeof mmap>) {
    if (++calls === 3) throw new ErrnoError("mmap", 12);
    return mmap.apply(this, args);
  };
  const alloc = () => device.alloc({ size: 64, count: 4, direction: "tx", policy: "none" });
  assertEquals(assertThrows(alloc, ErrnoError).code, "ENOMEM");
  assertEquals([fake.blocks.size, fake.mappings.size, device.blocks.length], [0, 0, 0]);
});

Deno.test("Device.alloc() refuses numbers that the ABI cannot hold before any request", () => {
  const { fake, device } = setUp();
  using _ = device;
  const before = fake.calls.length;
  for (const size of [-1, NaN, Infinity, 0.5, 2 ** 53]) {
    assertThrows(() => device.alloc({ size, direction: "tx", policy: "none" }), RangeError, "size");
  }
  for (const count of [-1, NaN, 1.5, 2 ** 32]) {
    const options = { size: 64, count, direction: "tx", policy: "none" } as const;
    assertThrows(() => device.alloc(options), RangeError, "count");
  }
  const bad = { size: 64, direction: "up" as Direction, policy: "none" } as const;
  assertThrows(() => device.alloc(bad), RangeError, "Expected direction to be one of tx, rx");
  assertEquals(fake.calls.length, before);
});

Deno.test("Device.alloc() leaves a size of 0 to the driver and names it in the error", () => {
  const { device } = setUp();
  using _ = device;
  const error = assertThrows(
    () => device.alloc({ size: 0, direction: "tx", policy: "none" }),
    ErrnoError,
    "ioctl PLDMA_IOC_ALLOC failed: EINVAL (22): 1 tx blocks of 0 bytes, policy none",
  );
  assertEquals(error.syscall, "ioctl PLDMA_IOC_ALLOC");
});

Deno.test("Block.enqueue() detaches views and Device.dequeue() gives the same block back", () => {
  const { fake, device } = setUp();
  using _ = device;
  const block = one(device);
  const view = block.bytes();
  view[5] = 9;
  fake.outcomes.push({ length: 60, check: 0xffff_fffe });
  block.enqueue({ offset: 64, length: 128, cookie: 2n ** 64n - 1n });
  assertEquals([block.state, view.length, view[5]], ["queued", 0, undefined]);
  const completion = device.dequeue("tx");
  assert(completion.block === block);
  const { block: _block, queuedNs, ...rest } = completion;
  assertEquals(rest, {
    bytes: 60,
    offset: 64,
    status: "ok",
    cookie: 2n ** 64n - 1n,
    submittedNs: queuedNs + 1,
    doneNs: queuedNs + 2,
    syncDeviceNs: 3,
    syncCpuNs: 4,
    check: 0xffff_fffe,
  });
  assertEquals([block.state, block.bytes()[5]], ["user", 9]);
});

Deno.test("CompletedTransfer.check is null when the core computes none", () => {
  const { fake, device } = setUp();
  using _ = device;
  const block = one(device);
  fake.outcomes.push({ check: 0 }, {});
  block.enqueue();
  assertEquals(device.dequeue("tx").check, 0);
  block.enqueue();
  assertEquals(device.dequeue("tx").check, null);
});

Deno.test("Block.enqueue() passes each flag alone", () => {
  const { fake, device } = setUp();
  using _ = device;
  const flags = [{}, { verify: true }, { unaligned: true }, { verify: true, unaligned: true }].map(
    (options) => {
      one(device).enqueue(options);
      return fake.arguments.get("ENQUEUE")?.getUint32(ENQUEUE.at.flags, true);
    },
  );
  assertEquals(flags, [0, 1, 2, 3]);
});

Deno.test("Block.bytes(), set(), fill(), copyTo(), equals(), sync, enqueue() and free() throw while the driver owns it", () => {
  const { fake, device } = setUp();
  using _ = device;
  const block = one(device, "tx", "manual");
  block.enqueue();
  const calls = fake.calls.length;
  const uses: [string, () => unknown][] = [
    ["reading it", () => block.bytes()],
    ["writing it", () => block.set(new Uint8Array(1))],
    ["writing it", () => block.fill(0)],
    ["reading it", () => block.copyTo(new Uint8Array(1))],
    ["reading it", () => block.equals(new Uint8Array(1))],
    ["syncing it", () => block.syncForCpu()],
    ["syncing it", () => block.syncForDevice()],
    ["enqueuing it", () => block.enqueue()],
    ["freeing it", () => block.free()],
  ];
  for (const [purpose, use] of uses) {
    const message = `Block ${block.id} is queued: dequeue it before ${purpose}`;
    const error = assertThrows(use, BlockStateError);
    assertEquals([error.message, error.id, error.state], [message, block.id, "queued"]);
  }
  assertEquals(fake.calls.length, calls);
});

Deno.test("Block.enqueue() leaves the block with the caller when the driver refuses", () => {
  const { fake, device } = setUp();
  using _ = device;
  const block = one(device);
  fake.fail("ENQUEUE", "EAGAIN");
  const error = assertThrows(() => block.enqueue({ length: 64 }), ErrnoError);
  assertEquals(
    error.message,
    `ioctl PLDMA_IOC_ENQUEUE failed: EAGAIN (11): Block ${block.id}, 64 of 4096 bytes at 0: ` +
      "the tx queue is full: dequeue first",
  );
  assertEquals(block.state, "user");
  block.enqueue();
  assertEquals(block.state, "queued");
});

Deno.test("Block.enqueue() moves the rest of the block when no length is given", () => {
  const { device } = setUp();
  using _ = device;
  const block = one(device);
  block.enqueue({ offset: 1024 });
  assertEquals(device.dequeue("tx").bytes, 3072);
});

Deno.test("Block.enqueue() refuses numbers that the ABI cannot hold before any request", () => {
  const { fake, device } = setUp();
  using _ = device;
  const block = one(device);
  const before = fake.calls.length;
  for (const bad of [-1, NaN, 0.5, 2 ** 53]) {
    assertThrows(() => block.enqueue({ offset: bad, length: 1 }), RangeError, "offset");
    assertThrows(() => block.enqueue({ length: bad }), RangeError, "length");
  }
  for (const cookie of [-1n, 2n ** 64n]) {
    assertThrows(() => block.enqueue({ cookie }), RangeError, "cookie");
  }
  assertEquals([fake.calls.length, block.state], [before, "user"]);
});

Deno.test("Block.set(), fill(), copyTo() and equals() refuse ranges outside the block", () => {
  const { device } = setUp();
  using _ = device;
  const block = one(device);
  const two = new Uint8Array(2);
  block.set(two, 4094);
  assertThrows(() => block.set(two, 4095), RangeError, "Expected a range inside the 4096 bytes");
  assertThrows(() => block.set(two, -1), RangeError);
  assertThrows(() => block.fill(1, 4096, 1), RangeError);
  assertThrows(() => block.fill(1, 0.5), RangeError);
  assertThrows(() => block.fill(256), RangeError, "Expected a byte, found 256");
  assertThrows(() => block.copyTo(two, 4095), RangeError);
  assertThrows(() => block.equals(two, 4095), RangeError);
  assertThrows(() => block.equals(two, 0, 3), RangeError, "2 bytes of expected");
  assertThrows(() => block.equals(two, 0, NaN), RangeError);
});

Deno.test("Block.equals() sees what set() and fill() wrote and nothing else", () => {
  const { device } = setUp();
  using _ = device;
  const block = one(device);
  block.fill(7, 10, 20);
  block.set(Uint8Array.of(1, 2, 3), 12);
  assert(block.equals(Uint8Array.of(0, 7, 7, 1, 2, 3, 7), 9));
  assert(!block.equals(Uint8Array.of(0, 7, 7, 1, 2, 4, 7), 9));
  assert(block.equals(Uint8Array.of(0, 7, 7, 1, 2, 4, 7), 9, 5));
  const target = new Uint8Array(3);
  block.copyTo(target, 12);
  assertEquals(target, Uint8Array.of(1, 2, 3));
});

Deno.test("Block.set() and fill() throw on a read-only block and leave reading alone", () => {
  const { device } = setUp();
  using _ = device;
  const block = one(device, "rx", "streaming-lazy");
  assertThrows(() => block.set(new Uint8Array(1)), BlockStateError, "is read-only");
  assertThrows(() => block.fill(1), BlockStateError, "is read-only");
  assert(block.equals(new Uint8Array(4096)));
});

Deno.test("Block.bytes() throws for policy bounce, which has no mapping", () => {
  const { fake, device } = setUp();
  using _ = device;
  const block = one(device, "rx", "bounce");
  assertThrows(() => block.bytes(), BlockStateError, "has no mapping");
  assertEquals([fake.mappings.size, block.address, block.writable], [0, 0n, false]);
  block.free();
  assertEquals(block.state, "freed");
});

Deno.test("Block.bytes() makes no new view while none was taken back", () => {
  const { device } = setUp();
  using _ = device;
  const block = one(device);
  assert(block.bytes() === block.bytes());
});

Deno.test("Block.free() unmaps before FREE, detaches views, and cannot be repeated", () => {
  const { fake, device } = setUp();
  using _ = device;
  const block = one(device);
  const view = block.bytes();
  block.free();
  assertEquals(fake.calls.slice(-2), ["munmap", "FREE"]);
  assertEquals([view.length, block.state, device.blocks.length], [0, "freed", 0]);
  assertThrows(() => block.free(), BlockStateError, "is freed: allocate another");
  assertThrows(() => block.bytes(), BlockStateError, "is freed");
  block[Symbol.dispose]();
});

Deno.test("Block[Symbol.dispose]() leaves a block that the driver owns to its device", () => {
  const { fake, device } = setUp();
  {
    using block = one(device);
    block.enqueue();
  }
  assertEquals([fake.blocks.size, fake.mappings.size], [1, 1]);
  device[Symbol.dispose]();
  assertEquals([fake.mappings.size, fake.open_.size], [0, 0]);
});

Deno.test("Block.syncForDevice() and syncForCpu() return what the driver measured", () => {
  const { fake, device } = setUp();
  using _ = device;
  const block = one(device, "tx", "manual");
  const op = () => fake.arguments.get("SYNC")?.getUint32(SYNC.at.op, true);
  assertEquals([block.syncForDevice(), op()], [123, 0]);
  assertEquals([block.syncForCpu(64, 128), op()], [123, 1]);
  assertThrows(() => block.syncForCpu(-1), RangeError);
});

Deno.test("Device.dequeue() gives an absolute deadline and keeps it after EINTR", () => {
  const { fake, device } = setUp();
  using _ = device;
  one(device).enqueue();
  const expected = BigInt(fake.now + 250 * 1e6);
  fake.fail("DEQUEUE", "EINTR", "EINTR");
  device.dequeue("tx", { timeoutMs: 250 });
  assertEquals(fake.deadlines, [expected, expected, expected]);
});

Deno.test("Device.dequeue() with a timeout of 0 gives a deadline in the past", () => {
  const { fake, device } = setUp();
  using _ = device;
  one(device).enqueue();
  device.dequeue("tx", { timeoutMs: 0 });
  assertEquals(fake.deadlines, [0n]);
});

Deno.test("Device.dequeue() says direction and wait in ETIMEDOUT and the cause in ENODATA", () => {
  const { fake, device } = setUp();
  using _ = device;
  fake.fail("DEQUEUE", "ETIMEDOUT");
  assertThrows(
    () => device.dequeue("rx", { timeoutMs: 20 }),
    ErrnoError,
    "ioctl PLDMA_IOC_DEQUEUE failed: ETIMEDOUT (110): no rx completion within 20 ms",
  );
  const error = assertThrows(() => device.dequeue("rx"), ErrnoError, "no rx block is queued");
  assertEquals(error.code, "ENODATA");
});

Deno.test("Device.dequeue(), dequeueAsync(), poll() and readFrame() refuse a wait without end", async () => {
  const { fake, device } = setUp();
  using _ = device;
  const before = fake.calls.length;
  for (const timeoutMs of [-1, NaN, Infinity, MAX_TIMEOUT_MS + 1]) {
    assertThrows(() => device.dequeue("tx", { timeoutMs }), RangeError, "no wait is unbounded");
    await assertRejects(() => device.dequeueAsync("tx", { timeoutMs }), RangeError);
    assertThrows(() => device.poll({ readable: true }, timeoutMs), RangeError);
    assertThrows(() => device.readFrame(new Uint8Array(1), { timeoutMs }), RangeError);
  }
  assertEquals(fake.calls.length, before);
});

Deno.test("Device.dequeue() throws TransferError with the completion and the block is the caller's", () => {
  const { fake, device } = setUp();
  using _ = device;
  const block = one(device, "rx");
  block.enqueue({ cookie: 5n });
  fake.outcomes.push({ length: 10, status: 2 });
  const error = assertThrows(() => device.dequeue("rx"), TransferError);
  assertInstanceOf(error, ErrnoError);
  const { completion } = error;
  assertEquals([completion.block.id, completion.bytes, completion.status, completion.cookie], [
    block.id,
    10,
    "write-failed",
    5n,
  ]);
  assertEquals(error.code, "EIO");
  assertEquals(block.state, "user");
});

Deno.test("Device.dequeue() takes an EIO without a completion for a plain error", () => {
  const { fake, device } = setUp();
  using _ = device;
  one(device).enqueue();
  fake.fail("DEQUEUE", "EIO");
  const error = assertThrows(() => device.dequeue("tx"), ErrnoError);
  assert(!(error instanceof TransferError));
});

Deno.test("Device.dequeueAsync() keeps its own struct while other calls go on", async () => {
  const { device } = setUp();
  using _ = device;
  const [tx, rx] = [one(device, "tx"), one(device, "rx")];
  const received = device.dequeueAsync("rx");
  tx.enqueue({ cookie: 1n });
  rx.enqueue({ cookie: 2n });
  const sent = device.dequeue("tx");
  assertEquals([sent.cookie, (await received).cookie], [1n, 2n]);
  assert((await received).block === rx);
});

Deno.test("Device.dequeueAsync() retries EINTR and reports other errors from the struct", async () => {
  const { fake, device } = setUp();
  using _ = device;
  fake.fail("DEQUEUE", "EINTR", "ETIMEDOUT");
  const error = await assertRejects(() => device.dequeueAsync("tx", { timeoutMs: 9 }), ErrnoError);
  assertEquals(error.code, "ETIMEDOUT");
  assertEquals(fake.deadlines.length, 2);
  assertEquals(fake.deadlines[0], fake.deadlines[1]);
  fake.outcomes.push({ status: 1 });
  one(device).enqueue();
  const failed = await assertRejects(() => device.dequeueAsync("tx"), TransferError);
  assertEquals(failed.completion.status, "read-failed");
});

Deno.test("Device.dequeueAsync() drops a transfer from before a RESET", async () => {
  const { fake, device } = setUp();
  using _ = device;
  const block = one(device);
  block.enqueue();
  const wait = device.dequeueAsync("tx");
  // The driver completes the transfer on the other thread; before the news is here, this thread
  // resets and hands the same block over again.
  await fake.gate;
  assertEquals(fake.blocks.get(block.id)?.state, "user");
  device.reset();
  block.enqueue();
  const error = await assertRejects(() => wait, ErrnoError);
  assertEquals([error.code, block.state], ["ECANCELED", "queued"]);
});

Deno.test("Device[Symbol.asyncDispose]() cancels waits and closes the file after the last", async () => {
  const { fake, device } = setUp();
  one(device).enqueue();
  const { promise, resolve } = Promise.withResolvers<void>();
  fake.gate = promise;
  const wait = device.dequeueAsync("tx");
  const closed = device[Symbol.asyncDispose]();
  assertEquals([fake.calls.at(-1), fake.open_.size], ["RESET", 1]);
  resolve();
  const error = await assertRejects(() => wait, ErrnoError);
  await closed;
  assertEquals([error.code, fake.open_.size], ["ECANCELED", 0]);
});

Deno.test("Device.reset() gives every block back and detaches nothing that was the caller's", () => {
  const { device } = setUp();
  using _ = device;
  const [queued, mine] = [one(device), one(device)];
  const view = mine.bytes();
  queued.enqueue();
  assertEquals(device.reset(), { returned: 1, quarantined: 0 });
  assertEquals([queued.state, mine.state, view.length], ["user", "user", 4096]);
});

Deno.test("Device.reset() throws ResetError and marks exactly the quarantined blocks", () => {
  const { fake, device } = setUp();
  using _ = device;
  const [stuck, other] = [one(device), one(device)];
  stuck.enqueue();
  other.enqueue();
  fake.wedged.add(stuck.id);
  fake.fail("RESET", "EIO");
  const error = assertThrows(() => device.reset(), ResetError, "could not be proved idle");
  assertEquals([error.returned, error.quarantined, error.code], [1, 1, "EIO"]);
  assertEquals([stuck.state, other.state], ["quarantined", "user"]);
  assertThrows(() => stuck.bytes(), BlockStateError, "the engine may still reach it: reset");
  fake.wedged.clear();
  device.reset();
  assertEquals(stuck.state, "user");
});

Deno.test("Device.register() revokes views, keeps the memory alive and gives it back on free", () => {
  const { fake, device } = setUp();
  using _ = device;
  using memory = UserMemory.allocate(8192, { syscalls: fake });
  const view = memory.bytes();
  const block = device.register(memory, {
    direction: "tx",
    policy: "user-pages",
    offset: 4096,
    size: 4096,
  });
  assertEquals([view.length, block.size, block.address - memory.address], [0, 4096, 4096n]);
  assertThrows(() => memory.bytes(), Error, "use their bytes()");
  assertThrows(() => memory[Symbol.dispose](), Error, "free them first");
  block.fill(3);
  assert(block.equals(Uint8Array.of(3)));
  block.free();
  assertEquals(fake.calls.at(-1), "UNREGISTER");
  assertEquals([memory.bytes()[4095], memory.bytes()[4096]], [0, 3]);
});

Deno.test("Device.register() refuses a range outside the memory before any request", () => {
  const { fake, device } = setUp();
  using _ = device;
  using memory = UserMemory.allocate(4096, { syscalls: fake });
  const before = fake.calls.length;
  for (
    const range of [{ offset: 1, size: 4096 }, { offset: 8192 }, { size: 4097 }, { offset: -1 }]
  ) {
    const options = { direction: "rx", policy: "user-pages", ...range } as const;
    assertThrows(() => device.register(memory, options), RangeError);
  }
  assertEquals(fake.calls.length, before);
});

Deno.test("Block.bytes() of one registered block works after another on the same memory was enqueued", () => {
  const { fake, device } = setUp();
  using _ = device;
  using memory = UserMemory.allocate(8192, { syscalls: fake });
  const options = { direction: "tx", policy: "user-pages", size: 4096 } as const;
  const low = device.register(memory, options);
  const high = device.register(memory, { ...options, offset: 4096 });
  const [lowView, highView] = [low.bytes(), high.bytes()];
  high.set(Uint8Array.of(8));
  low.enqueue();
  assertEquals([lowView.length, highView.length, high.bytes()[0]], [0, 0, 8]);
  device[Symbol.dispose]();
});

Deno.test("Device.query() tells what the driver knows", () => {
  const { device } = setUp();
  using _ = device;
  const block = one(device, "rx", "manual");
  block.enqueue();
  const { state, direction, policy, size } = device.query(block.id);
  assertEquals([state, direction, policy, size], ["queued", "rx", "manual", 4096]);
  const error = assertThrows(() => device.query(2 ** 32 - 1), ErrnoError);
  assertEquals(error.code, "ENOENT");
  assertThrows(() => device.query(-1), RangeError);
});

Deno.test("Device.poll() tells events apart and retries EINTR", () => {
  const { fake, device } = setUp();
  using _ = device;
  fake.fail("poll", "EINTR");
  fake.ready = POLLIN | POLLERR;
  assertEquals(device.poll({ readable: true }, 10), {
    readable: true,
    writable: false,
    error: true,
    hangup: false,
  });
});

Deno.test("Device.readFrame() looks before it waits on a new ring, and waits first afterwards", () => {
  const { fake, device } = setUp();
  using _ = device;
  one(device, "rx", "bounce");
  const calls = () => fake.calls.splice(0).filter((name) => name === "read" || name === "poll");
  calls();
  fake.frames.push(Uint8Array.of(1, 2));
  const buffer = new Uint8Array(8);
  assertEquals([device.readFrame(buffer), buffer[1]], [2, 2]);
  assertEquals(calls(), ["read"]);
  fake.frames.push(Uint8Array.of(3));
  fake.ready = POLLIN;
  assertEquals(device.readFrame(buffer), 1);
  assertEquals(calls(), ["poll", "read"]);
  for (const renew of [() => device.reset(), () => one(device, "rx", "bounce")]) {
    renew();
    fake.frames.push(Uint8Array.of(3));
    device.readFrame(buffer);
    assertEquals(calls(), ["read"]);
  }
});

Deno.test("Device.readFrame() ends with ETIMEDOUT, also when poll() is ready for something else", () => {
  const { fake, device } = setUp();
  using _ = device;
  const read = () => device.readFrame(new Uint8Array(8), { timeoutMs: 50 });
  const start = fake.now;
  assertEquals(assertThrows(read, ErrnoError, "no frame within 50 ms").code, "ETIMEDOUT");
  assertEquals(fake.now - start, 50e6);
  fake.ready = POLLERR;
  fake.monotonicNs = () => fake.now += 1e6; // time goes on although poll() does not wait
  assertEquals(assertThrows(read, ErrnoError).code, "ETIMEDOUT");
});

Deno.test("Device.writeFrame() sends without waiting when a slot is free and names other errors", () => {
  const { fake, device } = setUp();
  using _ = device;
  assertEquals(device.writeFrame(Uint8Array.of(1, 2, 3)), 3);
  fake.fail("write", "EMSGSIZE");
  assertThrows(
    () => device.writeFrame(new Uint8Array(9)),
    ErrnoError,
    "write /dev/fake failed: EMSGSIZE (90): 9 bytes",
  );
  assertEquals(fake.calls.filter((name) => name === "poll").length, 0);
});

Deno.test("Device.dequeue() makes the file blocking again after a bounce call", () => {
  const { fake, device } = setUp();
  using _ = device;
  device.writeFrame(Uint8Array.of(1));
  assert(fake.nonblocking);
  one(device).enqueue();
  device.dequeue("tx");
  assert(!fake.nonblocking);
  const toggles = fake.calls.filter((name) => name === "FIONBIO").length;
  one(device).enqueue();
  device.dequeue("tx");
  assertEquals(fake.calls.filter((name) => name === "FIONBIO").length, toggles);
});

Deno.test("Device[Symbol.dispose]() detaches views, unmaps, closes last, and can be repeated", () => {
  const { fake, device } = setUp();
  const [mine, queued] = [one(device), one(device)];
  using memory = UserMemory.allocate(4096, { syscalls: fake });
  const registered = device.register(memory, { direction: "rx", policy: "user-pages" });
  const views = [mine.bytes(), registered.bytes()];
  queued.enqueue();
  device[Symbol.dispose]();
  assertEquals(fake.calls.slice(-3), ["munmap", "munmap", "close"]);
  assertEquals(views.map(({ length }) => length), [0, 0]);
  assertEquals([mine, queued, registered].map(({ state }) => state), ["freed", "freed", "freed"]);
  device[Symbol.dispose]();
  assertEquals(fake.calls.filter((name) => name === "close").length, 1);
  for (const use of [() => device.fd, () => device.stats(), () => device.dequeue("tx")]) {
    assertThrows(use, Error, "/dev/fake closed: open it again");
  }
  assertEquals(memory.bytes().length, 4096);
});

Deno.test("Device.stats() passes the clear flag and unpacks the counters", () => {
  const { fake, device } = setUp();
  using _ = device;
  one(device);
  const flags = () => fake.arguments.get("STATS")?.getUint32(STATS.at.flags, true);
  assertEquals([device.stats().blocks, flags()], [1, 0]);
  assertEquals([device.stats({ clear: true }).blocks, flags()], [1, 1]);
});
