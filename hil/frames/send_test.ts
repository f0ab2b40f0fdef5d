// SPDX-License-Identifier: MIT
// What sendFrames() finds by the length of a transfer and by asking the design.
import { assert, assertEquals } from "@std/assert";
import type { CompletedTransfer } from "../../driver/block.ts";
import { Device } from "../../driver/device.ts";
import { DEQUEUE } from "../../driver/uapi.ts";
import { SimBoard } from "../../fixtures/boards/sim/mod.ts";
import { patterns } from "../patterns/mod.ts";
import { changeCompletions } from "../testing/completions.ts";
import type { FrameReport } from "./report.ts";
import { sendFrames } from "./send.ts";

const SIZE = 256;

/** Sends 20 frames to a simulated board that `prepare` changes. */
function sent(
  prepare: (board: SimBoard) => void,
  accept?: (done: CompletedTransfer, sequence: number) => string | null,
): FrameReport {
  using board = new SimBoard({ seed: 1 });
  prepare(board);
  using device = Device.open({ path: "/dev/pldma0", syscalls: board });
  // the simulated loop moves nothing without somewhere to put it
  const sinks = device.alloc({ direction: "rx", policy: "coherent", size: SIZE, count: 20 });
  for (const sink of sinks) sink.enqueue({ length: SIZE });
  const [report] = sendFrames([device], patterns.tagged().create({ seed: 1, maxLength: SIZE }), {
    ...{ policy: "streaming", size: SIZE, frames: 20, depth: 4 },
    ...(accept === undefined ? {} : { accept }),
  });
  assert(report !== undefined);
  return report;
}

/** Lets the driver report fewer bytes for one transfer, with or without check values. */
function shorten(board: SimBoard, hasCheck: boolean): void {
  changeCompletions(board, ({ sequence, view }) => {
    if (!hasCheck) view.setUint32(DEQUEUE.at.check_kind, 0, true);
    if (sequence === 6) view.setBigUint64(DEQUEUE.at.length, BigInt(SIZE - 1), true);
  });
}

for (const hasCheck of [true, false]) {
  Deno.test(`sendFrames() finds a transfer that took a part of its frame, check values ${hasCheck}`, () => {
    const { faults } = sent((board) => shorten(board, hasCheck));
    assertEquals(faults.map(({ kind, frame, blame }) => [kind, frame, blame]), [
      ["lost", 6, "core"],
    ]);
  });
}

Deno.test("sendFrames() records what the design refuses", () => {
  const { faults } = sent(() => {}, (_done, sequence) => sequence === 3 ? "parity error" : null);
  assertEquals(faults.map(({ kind, frame, blame, detail }) => [kind, frame, blame, detail]), [
    ["foreign", 3, "core", "parity error"],
  ]);
});
