// SPDX-License-Identifier: MIT

import { assert, assertEquals, assertInstanceOf, assertRejects, assertThrows } from "@std/assert";
import { MAX_TIMEOUT_MS } from "./checks.ts";
import { ErrnoError } from "./errno.ts";
import { TransferError } from "./errors.ts";
import { one, setUp } from "./testing/device.ts";

Deno.test("CompletedTransfer.check is null if the core computes none", () => {
  const { fake, device } = setUp();
  using _ = device;
  const block = one(device);
  fake.outcomes.push({ check: 0 }, {});
  block.enqueue();
  assertEquals(device.dequeue("tx").check, 0);
  block.enqueue();
  assertEquals(device.dequeue("tx").check, null);
});

Deno.test("Device.dequeue() passes an absolute deadline and keeps it after EINTR", () => {
  const { fake, device } = setUp();
  using _ = device;
  one(device).enqueue();
  const expected = BigInt(fake.now + 250 * 1e6);
  fake.fail("DEQUEUE", "EINTR", "EINTR");
  device.dequeue("tx", { timeoutMs: 250 });
  assertEquals(fake.deadlines, [expected, expected, expected]);
});

Deno.test("Device.dequeue() passes a deadline in the past for a timeout of 0", () => {
  const { fake, device } = setUp();
  using _ = device;
  one(device).enqueue();
  device.dequeue("tx", { timeoutMs: 0 });
  assertEquals(fake.deadlines, [0n]);
});

Deno.test("Device.dequeue() reports direction and timeout for ETIMEDOUT, and the cause for ENODATA", () => {
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

Deno.test("Device.dequeue(), dequeueAsync(), poll() and readFrame() throw for a timeout over one day", async () => {
  const { fake, device } = setUp();
  using _ = device;
  const before = fake.calls.length;
  for (const timeoutMs of [-1, NaN, Infinity, MAX_TIMEOUT_MS + 1]) {
    assertThrows(() => device.dequeue("tx", { timeoutMs }), RangeError, "(one day)");
    await assertRejects(() => device.dequeueAsync("tx", { timeoutMs }), RangeError);
    assertThrows(() => device.poll({ readable: true }, timeoutMs), RangeError);
    assertThrows(() => device.readFrame(new Uint8Array(1), { timeoutMs }), RangeError);
  }
  assertEquals(fake.calls.length, before);
});

Deno.test("Device.dequeue() throws TransferError with the completion and returns the block", () => {
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

Deno.test("Device.dequeue() throws a plain ErrnoError for EIO without a completion", () => {
  const { fake, device } = setUp();
  using _ = device;
  one(device).enqueue();
  fake.fail("DEQUEUE", "EIO");
  const error = assertThrows(() => device.dequeue("tx"), ErrnoError);
  assert(!(error instanceof TransferError));
});

Deno.test("Device.dequeueAsync() uses its own struct while other calls run", async () => {
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

Deno.test("Device.dequeueAsync() retries after EINTR and reports other errors from the struct", async () => {
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

Deno.test("Device.dequeueAsync() rejects with ECANCELED for a transfer from before a RESET", async () => {
  const { fake, device } = setUp();
  using _ = device;
  const block = one(device);
  block.enqueue();
  const wait = device.dequeueAsync("tx");
  // The driver completes the transfer on the other thread. Before the promise resolves here, this thread
  // resets the device and enqueues the same block again.
  await fake.gate;
  assertEquals(fake.blocks.get(block.id)?.state, "user");
  device.reset();
  block.enqueue();
  const error = await assertRejects(() => wait, ErrnoError);
  assertEquals([error.code, block.state], ["ECANCELED", "queued"]);
});

Deno.test("Device[Symbol.asyncDispose]() cancels waits and closes the file after the last one", async () => {
  const { fake, device } = setUp();
  one(device).enqueue();
  const { promise, resolve } = Promise.withResolvers<void>();
  fake.gate = promise;
  const wait = device.dequeueAsync("tx");
  const closed = device[Symbol.asyncDispose]();
  assertEquals([fake.calls.at(-1), fake.openFiles.size], ["RESET", 1]);
  resolve();
  const error = await assertRejects(() => wait, ErrnoError);
  await closed;
  assertEquals([error.code, fake.openFiles.size], ["ECANCELED", 0]);
});

Deno.test("Device.dequeue() makes the file blocking again after writeFrame()", () => {
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
