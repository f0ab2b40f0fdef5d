// SPDX-License-Identifier: MIT

import { assertEquals, assertThrows } from "@std/assert";
import { BlockStateError } from "./block_state.ts";
import { Device } from "./device.ts";
import { ErrnoError } from "./errno.ts";
import { AbiMismatchError, ResetError } from "./errors.ts";
import { UserMemory } from "./memory.ts";
import { POLLERR, POLLIN } from "./syscalls.ts";
import { one, setUp } from "./testing/device.ts";
import { FakeSyscalls } from "./testing/fake_syscalls.ts";
import { STATS } from "./uapi.ts";

Deno.test("Device.open() throws AbiMismatchError with both versions and closes the file", () => {
  const fake = new FakeSyscalls();
  fake.abiVersion = 7;
  const error = assertThrows(
    () => Device.open({ path: "/dev/fake", syscalls: fake }),
    AbiMismatchError,
    "/dev/fake: expected pldma ABI version 2, found version 7: build and load pldma.ko",
  );
  assertEquals([error.expected, error.found], [2, 7]);
  assertEquals(fake.openFiles.size, 0);
});

Deno.test("Device.open() throws AbiMismatchError if the driver does not know INFO", () => {
  const fake = new FakeSyscalls();
  fake.fail("INFO", "ENOTTY");
  const open = () => Device.open({ path: "/dev/fake", syscalls: fake });
  assertEquals(assertThrows(open, AbiMismatchError).found, null);
  assertEquals(fake.openFiles.size, 0);
});

Deno.test("Device.open() rethrows other errors of INFO and closes the file", () => {
  const fake = new FakeSyscalls();
  fake.fail("INFO", "ENODEV");
  const open = () => Device.open({ path: "/dev/fake", syscalls: fake });
  assertEquals(assertThrows(open, ErrnoError).code, "ENODEV");
  assertEquals(fake.openFiles.size, 0);
});

Deno.test("Device.open() throws EBUSY if the device is open", () => {
  const { fake, device } = setUp();
  using _ = device;
  const again = () => Device.open({ path: "/dev/fake", syscalls: fake });
  assertEquals(assertThrows(again, ErrnoError).code, "EBUSY");
});

Deno.test("Device.reset() returns every block and keeps views of blocks that the caller owned", () => {
  const { device } = setUp();
  using _ = device;
  const [queued, mine] = [one(device), one(device)];
  const view = mine.bytes();
  queued.enqueue();
  assertEquals(device.reset(), { returned: 1, quarantined: 0 });
  assertEquals([queued.state, mine.state, view.length], ["user", "user", 4096]);
});

Deno.test("Device.reset() throws ResetError and sets the state of the quarantined blocks only", () => {
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
  assertThrows(() => stuck.bytes(), BlockStateError, "the engine may still access it: reset");
  fake.wedged.clear();
  device.reset();
  assertEquals(stuck.state, "user");
});

Deno.test("Device.query() returns what the driver reports", () => {
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

Deno.test("Device.poll() returns events and retries after EINTR", () => {
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

Deno.test("Device[Symbol.dispose]() detaches views, unmaps, and closes the file last, once", () => {
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
