// SPDX-License-Identifier: MIT
import { assert, assertEquals } from "@std/assert";
import { Device } from "../../driver/device.ts";
import { SimBoard } from "../../fixtures/boards/sim/mod.ts";
import { Guards } from "./guards.ts";

Deno.test("Guards.damage() returns each change before and after a frame once", () => {
  using board = new SimBoard({ seed: 1 });
  using device = Device.open({ syscalls: board });
  const [block] = device.alloc({ direction: "tx", policy: "coherent", size: 4096 });
  assert(block !== undefined);
  const fresh = new Uint8Array(4096);
  const guards = new Guards({ guard: 64, size: 1000, fresh, count: 1 });
  assertEquals(guards.damage(block, 0), []);
  const bytes = block.bytes();
  // the last byte before the frame, the first one after it, and the last one of the block
  for (const at of [63, 64 + 1000, 4095]) bytes[at] = 1;
  bytes[64] = 1;
  bytes[64 + 999] = 1;
  assertEquals(guards.damage(block, 1), [
    { offset: -1, length: 1 },
    { offset: 1000, length: 4096 - 1064 },
  ]);
  assertEquals(guards.damage(block, 2), []);
});
