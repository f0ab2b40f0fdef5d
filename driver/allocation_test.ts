// SPDX-License-Identifier: MIT

import { assert, assertEquals, assertThrows } from "@std/assert";
import { ErrnoError } from "./errno.ts";
import { UserMemory } from "./memory.ts";
import { PROT_READ, PROT_WRITE } from "./syscalls.ts";
import { one, setUp } from "./testing/device.ts";
import { FakeSyscalls } from "./testing/fake_syscalls.ts";
import type { Direction } from "./uapi.ts";

Deno.test("Device.alloc() maps each block at its own offset and returns increasing ids", () => {
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

Deno.test("Device.alloc() maps read-only only receive blocks of streaming-lazy", () => {
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

Deno.test("Device.alloc() frees every block if mapping one of them fails", () => {
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

Deno.test("Device.alloc() throws for numbers that the ABI cannot represent, before any request", () => {
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

Deno.test("Device.alloc() passes a size of 0 to the driver and reports it in the error", () => {
  const { device } = setUp();
  using _ = device;
  const error = assertThrows(
    () => device.alloc({ size: 0, direction: "tx", policy: "none" }),
    ErrnoError,
    "ioctl PLDMA_IOC_ALLOC failed: EINVAL (22): 1 tx blocks of 0 bytes, policy none",
  );
  assertEquals(error.syscall, "ioctl PLDMA_IOC_ALLOC");
});

Deno.test("Device.register() revokes views and keeps the memory mapped until the block is freed", () => {
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

Deno.test("Device.register() throws for a range outside the memory, before any request", () => {
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
