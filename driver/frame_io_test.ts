// SPDX-License-Identifier: MIT

import { assertEquals, assertThrows } from "@std/assert";
import { ErrnoError } from "./errno.ts";
import { POLLERR, POLLIN } from "./syscalls.ts";
import { one, setUp } from "./testing/device.ts";

Deno.test("Device.readFrame() reads before it waits on a new ring, and waits first afterwards", () => {
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

Deno.test("Device.readFrame() throws ETIMEDOUT even if poll() is ready for something else", () => {
  const { fake, device } = setUp();
  using _ = device;
  const read = () => device.readFrame(new Uint8Array(8), { timeoutMs: 50 });
  const start = fake.now;
  assertEquals(assertThrows(read, ErrnoError, "no frame within 50 ms").code, "ETIMEDOUT");
  assertEquals(fake.now - start, 50e6);
  fake.ready = POLLERR;
  fake.monotonicNs = () => fake.now += 1e6; // The time advances although poll() does not wait.
  assertEquals(assertThrows(read, ErrnoError).code, "ETIMEDOUT");
});

Deno.test("Device.writeFrame() does not wait for a free slot, and throws other errors", () => {
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
