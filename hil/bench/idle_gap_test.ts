// SPDX-License-Identifier: MIT

import { assertEquals } from "@std/assert";
import { Device } from "../../driver/device.ts";
import { SimBoard } from "../../fixtures/boards/sim/mod.ts";
import { idleGaps, measureGaps } from "./idle_gap.ts";

const times = (queuedNs: number, submittedNs: number, doneNs: number) => ({
  queuedNs,
  submittedNs,
  doneNs,
});

Deno.test("idleGaps() measures from a completion to the next submission", () => {
  const transfers = [times(0, 1, 100), times(5, 130, 200), times(6, 205, 300)];
  assertEquals(idleGaps(transfers), [30, 5]);
});

Deno.test("idleGaps() ignores a transfer that was queued after the engine had become idle", () => {
  assertEquals(idleGaps([times(0, 1, 100), times(150, 151, 200), times(160, 230, 300)]), [30]);
});

Deno.test("idleGaps() is 0 while the engine has another transfer", () => {
  assertEquals(idleGaps([times(0, 1, 100), times(0, 2, 200), times(10, 150, 300)]), [0, 0]);
});

Deno.test("measureGaps() has a gap for each frame that was queued in time", () => {
  using board = new SimBoard({ seed: 1, rate: 1e6, engine: { engineDepth: 1 } });
  using device = Device.open({ syscalls: board });
  const gaps = measureGaps(device, { policy: "streaming", size: 65536, depth: 4, frames: 20 });
  // the first frame has none before it
  assertEquals(gaps.length, 19);
  assertEquals(device.blocks, []);
});
