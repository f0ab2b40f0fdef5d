// SPDX-License-Identifier: MIT
import { assert, assertEquals, assertThrows } from "@std/assert";
import { Device } from "../../driver/device.ts";
import { ErrnoError } from "../../driver/errno.ts";
import type { PolicyName } from "../../driver/uapi.ts";
import { SimBoard } from "../../fixtures/boards/sim/mod.ts";
import { TaggedPattern } from "../patterns/tagged.ts";
import { pump } from "./pump.ts";

/** Frames of 4 KiB, or of another size, on a board with so much memory for blocks. */
function move(
  maxBytes: number,
  over: { size?: number; depth?: number; tx?: PolicyName; rx?: PolicyName } = {},
) {
  using board = new SimBoard({ seed: 1, maxBytes });
  using device = Device.open({ syscalls: board });
  const { size = 4096, depth = 40, tx = "streaming", rx = "streaming" } = over;
  const result = pump(device, {
    ...{ tx, rx, size, depth, fill: true, read: true, seconds: 0.05 },
    pattern: new TaggedPattern({ seed: 1, maxLength: size }),
  });
  assertEquals([result.wrong, device.stats().bytes], [0, 0]); // all was right, nothing is left
  return { ...result, queue: device.info.tx?.queueDepth };
}

Deno.test("pump() keeps as many frames in flight as memory and queues allow, and returns the number", () => {
  assertEquals(move(1 << 20).depth, 40);
  assertEquals(move(100_000).depth, 10); // twice 20 blocks would take 163840 bytes
  assertEquals(move(8192).depth, 1);
  assertEquals(move(100_000, { tx: "bounce", rx: "bounce" }).depth, 10);
  const error = assertThrows(() => move(4096), ErrnoError);
  assertEquals(error.code, "ENOMEM");
  const { depth, queue } = move(1 << 30, { depth: 100_000 });
  assertEquals(depth, queue);
});

Deno.test("pump() moves frames whose size is no multiple of the cache alignment", () => {
  for (const policy of ["streaming", "user-pages", "user-pages-registered", "bounce"] as const) {
    assertEquals(move(1 << 20, { size: 100, depth: 3, tx: policy, rx: policy }).depth, 3);
  }
});

Deno.test("pump() returns the spread of the counters, and syncs as the policy says", () => {
  const { throughput, cpu, userPart, handoverNs, syncedPerByte } = move(1 << 20);
  assertEquals(syncedPerByte, 4);
  for (const { value, spread } of [throughput, cpu, handoverNs]) {
    assert(spread.samples >= 1 && spread.p5 <= value && value <= spread.p95);
  }
  assert(throughput.value > 0 && cpu.value > 0 && handoverNs.value > 0);
  assert(userPart >= 0 && userPart <= 1, `${userPart}`);
  assert(handoverNs.spread.samples > 1 && handoverNs.spread.samples <= 10);
});
