// SPDX-License-Identifier: MIT

import { assert, assertEquals, assertThrows } from "@std/assert";
import { BlockStateError } from "./block_state.ts";
import { ErrnoError } from "./errno.ts";
import { UserMemory } from "./memory.ts";
import { one, setUp } from "./testing/device.ts";
import { ENQUEUE, SYNC } from "./uapi.ts";

Deno.test("Block.enqueue() detaches views, and Device.dequeue() returns the same block", () => {
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

Deno.test("Block.enqueue() passes each flag separately", () => {
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

Deno.test("Block.bytes(), set(), fill(), copyTo(), equals(), sync, enqueue() and free() throw while the driver owns the block", () => {
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
    ["writing it", () => block.setStamped(new Uint8Array(4), 0)],
    ["reading it", () => block.equalsStamped(new Uint8Array(4), 0)],
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

Deno.test("Block.enqueue() leaves the block in state user if the request fails", () => {
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

Deno.test("Block.enqueue() defaults to the rest of the block", () => {
  const { device } = setUp();
  using _ = device;
  const block = one(device);
  block.enqueue({ offset: 1024 });
  assertEquals(device.dequeue("tx").bytes, 3072);
});

Deno.test("Block.enqueue() throws for numbers that the ABI cannot represent, before any request", () => {
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

Deno.test("Block.set(), fill(), copyTo() and equals() throw for a range outside the block", () => {
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

Deno.test("Block.setStamped() and equalsStamped() replace the last four bytes, and only these", () => {
  const { device } = setUp();
  using _ = device;
  const block = one(device);
  for (const [length, offset, stamp] of [[4, 7, 1], [65, 1, -2], [4096, 0, 0x7fff_ffff]] as const) {
    const bytes = new Uint8Array(length).map((_, i) => i + 1);
    block.fill(0xaa);
    block.setStamped(bytes, stamp, offset);
    assert(block.equalsStamped(bytes, stamp, offset));
    assert(!block.equalsStamped(bytes, stamp ^ 1, offset));
    assert(!block.equalsStamped(bytes, stamp ^ (1 << 31), offset));
    if (length > 4) assert(!block.equalsStamped(bytes.with(length - 5, 0), stamp, offset));
    const expected = new Uint8Array(4096).fill(0xaa);
    expected.set(bytes, offset);
    new DataView(expected.buffer).setInt32(offset + length - 4, stamp, true);
    assertEquals(block.bytes().slice(), expected);
  }
  const four = new Uint8Array(4);
  for (const outside of [-1, 0.5, 4093]) {
    assertThrows(() => block.setStamped(four, 0, outside), RangeError);
    assertThrows(() => block.equalsStamped(four, 0, outside), RangeError);
  }
  const short = "at least the 4 bytes of a stamp, found 3";
  assertThrows(() => block.setStamped(four.subarray(1), 0, 8), RangeError, short);
  assertThrows(() => block.equalsStamped(four.subarray(1), 0, 8), RangeError, short);
});

Deno.test("Block.equals() compares exactly the bytes that set() and fill() wrote", () => {
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

Deno.test("Block.set() and fill() throw for a read-only block, and equals() does not", () => {
  const { device } = setUp();
  using _ = device;
  const block = one(device, "rx", "streaming-lazy");
  assertThrows(() => block.set(new Uint8Array(1)), BlockStateError, "is read-only");
  assertThrows(() => block.fill(1), BlockStateError, "is read-only");
  assertThrows(() => block.setStamped(new Uint8Array(4), 1), BlockStateError, "is read-only");
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

Deno.test("Block.bytes() returns the same view until it is detached", () => {
  const { device } = setUp();
  using _ = device;
  const block = one(device);
  assert(block.bytes() === block.bytes());
});

Deno.test("Block.free() detaches views, unmaps before FREE, and throws the second time", () => {
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

Deno.test("Block[Symbol.dispose]() does nothing while the driver owns the block", () => {
  const { fake, device } = setUp();
  {
    using block = one(device);
    block.enqueue();
  }
  assertEquals([fake.blocks.size, fake.mappings.size], [1, 1]);
  device[Symbol.dispose]();
  assertEquals([fake.mappings.size, fake.openFiles.size], [0, 0]);
});

Deno.test("Block.syncForDevice() and syncForCpu() return the duration that the driver measured", () => {
  const { fake, device } = setUp();
  using _ = device;
  const block = one(device, "tx", "manual");
  const op = () => fake.arguments.get("SYNC")?.getUint32(SYNC.at.op, true);
  assertEquals([block.syncForDevice(), op()], [123, 0]);
  assertEquals([block.syncForCpu(64, 128), op()], [123, 1]);
  assertThrows(() => block.syncForCpu(-1), RangeError);
});

Deno.test("Block.bytes() works after another block on the same memory was enqueued", () => {
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
