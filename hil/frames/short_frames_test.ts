// SPDX-License-Identifier: MIT
// What runLoop() finds by lengths, cookies and block ids, although every byte of the frame is right.
import { assertEquals, assertThrows } from "@std/assert";
import { Device } from "../../driver/device.ts";
import { DEQUEUE } from "../../driver/uapi.ts";
import { SimBoard } from "../../fixtures/boards/sim/mod.ts";
import { patterns } from "../patterns/mod.ts";
import { changeCompletions } from "../testing/completions.ts";
import { MixUpError } from "./handover.ts";
import { runLoop } from "./loop.ts";
import type { FrameReport } from "./report.ts";

const SIZE = 1000;

/** Loops 12 frames through a simulated board that `prepare` changes. */
function looped(
  policy: "streaming" | "bounce",
  prepare: (board: SimBoard) => void,
  fault = "",
): FrameReport {
  using board = new SimBoard({ seed: 1 });
  prepare(board);
  using device = Device.open({ syscalls: board });
  return runLoop(device, patterns.tagged().create({ seed: 1, maxLength: 1 << 14 }), {
    ...{ policy, size: SIZE, depth: 2, frames: 12 },
    onPrimed: () => fault === "" || board.arm(fault),
  });
}

/** Changes the bytes that `read()` stored, and its result, for one frame. */
function changeRead(
  board: SimBoard,
  frame: number,
  change: (buffer: Uint8Array, moved: number) => number,
): void {
  const read = board.read.bind(board);
  let count = 0;
  board.read = (fd, buffer) => {
    const moved = read(fd, buffer);
    return count++ === frame ? change(buffer, moved) : moved;
  };
}

const summary = ({ faults }: FrameReport) =>
  faults.map(({ kind, frame, offset, length }) => [kind, frame, offset, length]);

Deno.test("runLoop() finds a frame that the driver reports shorter than it is", () => {
  const report = looped(
    "streaming",
    (board) =>
      changeCompletions(board, ({ direction, sequence, view }) => {
        if (direction !== "rx" || sequence !== 5) return;
        view.setBigUint64(DEQUEUE.at.length, BigInt(SIZE - 8), true);
      }),
  );
  assertEquals(summary(report), [["truncated", 5, SIZE - 8, 8]]);
});

Deno.test("runLoop() finds a frame that read() reports shorter than it is", () => {
  const report = looped("bounce", (board) => changeRead(board, 5, (_buffer, moved) => moved - 8));
  assertEquals(summary(report), [["truncated", 5, SIZE - 8, 8]]);
});

Deno.test("runLoop() finds a frame of which no byte came", () => {
  // an engine whose completions are coalesced may complete a transfer before its data
  const report = looped("bounce", (board) => changeRead(board, 5, () => 0));
  assertEquals(summary(report), [["truncated", 5, 0, SIZE]]);
});

Deno.test("runLoop() finds bytes that read() writes after the end of a frame", () => {
  const report = looped("bounce", (board) =>
    changeRead(board, 5, (buffer, moved) => {
      buffer[moved] = (buffer[moved] ?? 0) ^ 1;
      return moved;
    }));
  assertEquals(report.faults.map(({ kind, frame, offset }) => [kind, frame, offset]), [
    ["overrun", 5, SIZE],
  ]);
});

for (const kind of ["wrong-cookie", "wrong-block"]) {
  for (const direction of ["tx", "rx"]) {
    Deno.test(`runLoop() throws for a completion of ${direction} with ${kind}`, () => {
      const fault = `kind=${kind} direction=${direction} frame=5`;
      assertThrows(() => looped("streaming", () => {}, fault), MixUpError);
    });
  }
}
