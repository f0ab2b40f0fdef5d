// SPDX-License-Identifier: MIT
// Frames in one direction on the simulated board. The tests close its loop themselves.
import { assert, assertEquals, assertMatch } from "@std/assert";
import { crc32 } from "node:zlib";
import { Device } from "../../driver/device.ts";
import { DEQUEUE } from "../../driver/uapi.ts";
import { SimBoard } from "../../fixtures/boards/sim/mod.ts";
import type { FrameReport } from "./report.ts";
import { patterns, type PatternSpec } from "../patterns/mod.ts";
import { receiveFrames } from "./receive.ts";
import { sendFrames } from "./send.ts";
import { changeCompletions } from "../testing/completions.ts";
import { generateFrames } from "../testing/generator.ts";

const SIZE = 256;
const DEPTH = 4;

/** Receive frames of a pattern from a design that makes them: each receive gets one, with a fault. */
function received(expect: PatternSpec, fault: string, frames = 40): FrameReport {
  using board = new SimBoard({ seed: 1 });
  using device = Device.open({ path: "/dev/pldma0", syscalls: board });
  const all = { seed: 1, maxLength: SIZE };
  const first = new Uint8Array(SIZE);
  expect.create(all).write(first, 0);
  // a generator leaves no gap between frames
  const made = expect.expectFrom?.(first, all) ?? expect.create(all);
  const write = (frame: Uint8Array, sequence: number) => made.write(frame, sequence);
  generateFrames(board, device, { write, size: SIZE, depth: DEPTH });
  // a store into a streaming block may be dropped by its sync, as here
  const options = { policy: "coherent", size: SIZE, frames, depth: DEPTH, expect } as const;
  const [report] = receiveFrames([device], 1, {
    ...options,
    onPrimed: () => fault === "" || board.arm(fault),
  });
  assert(report !== undefined);
  return report;
}

/** Frames of which all are alike, or that come again after as many as there are blocks. */
const ALIKE = {
  "zeros": patterns.zeros(),
  "8-bit counter": patterns.counter({ width: 8 }),
  "walking ones": patterns.walkingOnes({ width: 8 }),
};

for (const [name, pattern] of Object.entries(ALIKE)) {
  Deno.test(`receiveFrames() sees a frame of ${name} that was never written`, () => {
    assertEquals(received(pattern, "").faults, []);
    for (const frame of [2, 21]) {
      const { faults } = received(pattern, `kind=no-move frame=${frame}`);
      assertEquals(faults.map(({ kind, frame }) => [kind, frame]), [["not-written", frame]]);
    }
  });
}

/** Send frames to a core that reads what `change` makes of each. */
function sent(change: (frame: Uint8Array, sequence: number) => void): FrameReport {
  using board = new SimBoard({ seed: 1 });
  const pattern = patterns.tagged().create({ seed: 1, maxLength: SIZE });
  changeCompletions(board, ({ direction, sequence, view }) => {
    assertEquals(direction, "tx");
    const frame = new Uint8Array(SIZE);
    pattern.write(frame, sequence);
    change(frame, sequence);
    view.setUint32(DEQUEUE.at.check, crc32(frame), true);
  });
  using device = Device.open({ path: "/dev/pldma0", syscalls: board });
  // the simulated loop moves nothing without somewhere to put it
  const sinks = device.alloc({ direction: "rx", policy: "coherent", size: SIZE, count: 20 });
  for (const sink of sinks) sink.enqueue({ length: SIZE });
  const options = { policy: "streaming", size: SIZE, frames: 20, depth: DEPTH } as const;
  const [report] = sendFrames([device], pattern, options);
  assert(report !== undefined);
  return report;
}

Deno.test("sendFrames() calls data stale only if the block held them before", () => {
  assertEquals(sent(() => {}).faults, []);
  const pattern = patterns.tagged().create({ seed: 1, maxLength: SIZE });
  const { faults } = sent((frame, sequence) => {
    if (sequence === 2) frame.fill(0);
    else if (sequence === 9) pattern.write(frame, 5);
    else if (sequence === 13) frame[7] = 255 - (frame[7] ?? 0);
  });
  assertEquals(faults.map(({ kind, frame, blame }) => [kind, frame, blame]), [
    ["stale-tx", 2, "tx"],
    ["stale-tx", 9, "tx"],
    ["foreign", 13, "tx"],
  ]);
  assertMatch(faults[0]?.detail ?? "", /is that of zeros, which the block held before$/);
  assertMatch(faults[1]?.detail ?? "", /is that of frame 5, which the block held before$/);
  assertMatch(faults[2]?.detail ?? "", /not that of the frame: it read other data/);
});
