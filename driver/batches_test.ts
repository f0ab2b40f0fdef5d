// SPDX-License-Identifier: MIT

import { assert, assertEquals, assertThrows } from "@std/assert";
import { SimBoard } from "../fixtures/boards/sim/mod.ts";
import type { Block } from "./block.ts";
import { BlockStateError } from "./block_state.ts";
import { Device } from "./device.ts";
import { ErrnoError } from "./errno.ts";
import { MAX_BATCH } from "./uapi.ts";

const SIZE = 4096;

function blocks(device: Device, count: number): { tx: Block[]; rx: Block[] } {
  const some = { size: SIZE, count, policy: "streaming" } as const;
  return {
    tx: device.alloc({ ...some, direction: "tx" }),
    rx: device.alloc({ ...some, direction: "rx" }),
  };
}

/** Tests the batches on the simulated board, because its driver has the rules of the kernel module. */
function test(name: string, run: (device: Device, board: SimBoard) => void): void {
  Deno.test(name, () => {
    using board = new SimBoard({ seed: 1, engine: { queueDepth: 4, engineDepth: 2 } });
    using device = Device.open({ syscalls: board });
    run(device, board);
  });
}

test("Device.enqueueBatch() and dequeueBatch() move frames in their order", (device) => {
  const { tx, rx } = blocks(device, 4);
  const frames = tx.map((block, i) => {
    const frame = crypto.getRandomValues(new Uint8Array(SIZE));
    block.set(frame);
    return { frame, block, cookie: BigInt(i) };
  });
  const items = frames.flatMap(({ block, cookie }, i) => {
    const receiver = rx[i];
    assert(receiver !== undefined);
    return [{ block: receiver, cookie }, { block, cookie }];
  });
  assertEquals(device.enqueueBatch(items), 8);
  assertEquals(device.dequeueBatch("tx", { max: 4, min: 4 }).map(({ block }) => block), tx);
  const received = device.dequeueBatch("rx", { max: 9, min: 4 });
  assertEquals(received.map(({ block }) => block), rx);
  assertEquals(received.map(({ cookie }) => cookie), [0n, 1n, 2n, 3n]);
  received.forEach(({ block, status, bytes }, i) => {
    assertEquals([status, bytes, block.state], ["ok", SIZE, "user"]);
    assert(block.equals(frames[i]?.frame ?? new Uint8Array(0)));
  });
});

test("Device.enqueueBatch() stops when the queue is full", (device) => {
  const { rx } = blocks(device, 6);
  assertEquals(device.enqueueBatch(rx.map((block) => ({ block }))), 4);
  assertEquals(rx.map(({ state }) => state === "user"), [false, false, false, false, true, true]);
  assertEquals(device.enqueueBatch(rx.slice(4).map((block) => ({ block }))), 0);
});

test("Device.enqueueBatch() throws the error of the block that was refused", (device) => {
  const { rx: [one, two, three] } = blocks(device, 3);
  assert(one !== undefined && two !== undefined && three !== undefined);
  const items = [{ block: one }, { block: two, offset: SIZE, length: 64 }, { block: three }];
  const error = assertThrows(
    () => device.enqueueBatch(items),
    ErrnoError,
    `Block ${two.id}, 64 of`,
  );
  assertEquals(error.code, "EINVAL");
  assertEquals([one.state, two.state, three.state], ["queued", "user", "user"]);
});

test("Device.enqueueBatch() enqueues nothing if one block is not the caller's", (device) => {
  const { rx: [one, two] } = blocks(device, 2);
  assert(one !== undefined && two !== undefined);
  two.enqueue();
  const items = [{ block: one }, { block: two }];
  assertThrows(() => device.enqueueBatch(items), BlockStateError);
  assertThrows(() => device.enqueueBatch([items[0]!, items[0]!]), RangeError, "twice");
  assertEquals(one.state, "user");
  assertEquals(device.enqueueBatch([]), 0);
});

test("Device.dequeueBatch() returns fewer than min at the deadline, and throws without any", (device) => {
  const { tx, rx } = blocks(device, 2);
  for (const block of [...rx, ...tx.slice(1)]) block.enqueue();
  assertEquals(device.dequeueBatch("rx", { max: 2, min: 2, timeoutMs: 5 }).length, 1);
  const wait = () => device.dequeueBatch("rx", { max: 2, timeoutMs: 5 });
  assertThrows(wait, ErrnoError, "no rx completion within 5 ms");
});

test("Device.dequeueBatch() returns failed transfers with their status", (device, board) => {
  const { tx: [tx], rx: [rx] } = blocks(device, 1);
  assert(tx !== undefined && rx !== undefined);
  board.arm("kind=error frame=0");
  device.enqueueBatch([{ block: rx }, { block: tx }]);
  const ended = [
    ...device.dequeueBatch("rx", { max: 1 }),
    ...device.dequeueBatch("tx", { max: 1 }),
  ];
  assert(ended.some(({ status }) => status !== "ok"), ended.map(({ status }) => status).join());
});

test("Device.dequeueBatch() refuses numbers out of their range", (device) => {
  for (const max of [0, MAX_BATCH + 1, 1.5]) {
    assertThrows(() => device.dequeueBatch("rx", { max }), RangeError, "max");
  }
  for (const min of [0, 3]) {
    assertThrows(() => device.dequeueBatch("rx", { max: 2, min }), RangeError, "min");
  }
});

test("Device.reset() of one direction leaves the blocks of the other one", (device) => {
  const { tx: [tx], rx: [rx] } = blocks(device, 1);
  assert(tx !== undefined && rx !== undefined);
  rx.enqueue();
  assertEquals(device.reset({ direction: "tx" }).returned, 0);
  assertEquals(rx.state, "queued");
  tx.enqueue();
  device.dequeue("tx");
  assertEquals(device.dequeue("rx").block, rx);
  rx.enqueue();
  assertEquals(device.reset({ direction: "rx" }).returned, 1);
  assertEquals(rx.state, "user");
});
