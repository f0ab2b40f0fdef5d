// SPDX-License-Identifier: MIT
// What receiveFrames() finds beside wrong bytes within a frame.
import { assert, assertEquals } from "@std/assert";
import { Device } from "../../driver/device.ts";
import { DEQUEUE } from "../../driver/uapi.ts";
import { SimBoard } from "../../fixtures/boards/sim/mod.ts";
import { patterns } from "../patterns/mod.ts";
import { changeCompletions } from "../testing/completions.ts";
import { generateFrames } from "../testing/generator.ts";
import { receiveFrames } from "./receive.ts";
import type { FrameReport } from "./report.ts";

const SIZE = 256;
const LARGEST = 1 << 16;
const DEPTH = 4;

/** Receives 20 tagged frames from a simulated board that `prepare` changes. */
function received(
  prepare: (board: SimBoard) => void,
  fault = "",
  size = SIZE,
): FrameReport {
  using board = new SimBoard({ seed: 1, maxBlock: LARGEST });
  prepare(board);
  using device = Device.open({ path: "/dev/pldma0", syscalls: board });
  const expect = patterns.tagged();
  const made = expect.create({ seed: 1, maxLength: size });
  generateFrames(board, device, {
    write: (frame, sequence) => made.write(frame, sequence),
    size,
    depth: DEPTH,
  });
  const options = { policy: "coherent", size, frames: 20, depth: DEPTH, expect } as const;
  const [report] = receiveFrames([device], 1, {
    ...options,
    onPrimed: () => fault === "" || board.arm(fault),
  });
  assert(report !== undefined);
  return report;
}

Deno.test("receiveFrames() finds bytes that were written after a frame", () => {
  assertEquals(received(() => {}).faults, []);
  const { faults } = received(() => {}, "kind=overrun frame=7");
  assertEquals(
    faults.map(({ kind, frame, offset, blame }) => [kind, frame, offset, blame]),
    [["overrun", 7, SIZE, "core"]],
  );
});

Deno.test("receiveFrames() leaves guards out where the largest block has no room for them", () => {
  const { faults, frames } = received(() => {}, "", LARGEST);
  assertEquals([faults, frames], [[], 20]);
});

Deno.test("receiveFrames() finds a frame that is reported shorter than it is", () => {
  const shorten = (board: SimBoard) =>
    changeCompletions(board, ({ direction, sequence, view }) => {
      if (direction !== "rx" || sequence !== 5) return;
      view.setBigUint64(DEQUEUE.at.length, BigInt(SIZE - 8), true);
    });
  const { faults } = received(shorten);
  assertEquals(
    faults.map(({ kind, frame, offset, length }) => [kind, frame, offset, length]),
    [["truncated", 5, SIZE - 8, 8]],
  );
});
