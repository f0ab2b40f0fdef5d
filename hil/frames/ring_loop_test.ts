// SPDX-License-Identifier: MIT
// What a loop through rings finds where the engine fails a transfer: read() and write() say EIO, and not more.
import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import { Device } from "../../driver/device.ts";
import { ERRNO, ErrnoError } from "../../driver/errno.ts";
import { CHAN_STATS, IOC, STATS } from "../../driver/uapi.ts";
import { SimBoard } from "../../fixtures/boards/sim/mod.ts";
import { patterns } from "../patterns/mod.ts";
import { isIntact } from "./intact.ts";
import { runLoop } from "./loop.ts";
import { BrokenRunError, type FrameReport } from "./report.ts";

const pattern = patterns.tagged().create({ seed: 5, maxLength: 8192 });

/** Runs 40 frames of 4 KiB, with a fault that is armed, on a board that `prepare` changes. */
function run(depth: number, fault: string, prepare: (board: SimBoard) => void = () => {}) {
  using board = new SimBoard({ seed: 5 });
  prepare(board);
  using device = Device.open({ syscalls: board });
  return runLoop(device, pattern, {
    ...{ policy: "bounce", size: 4096, depth, frames: 40, timeoutMs: 200 },
    onPrimed: () => fault === "" || board.arm(fault),
  });
}

/** Lets write() fail without a transfer, as long as `fails` returns true for the number of the call. */
function failWrites(board: SimBoard, fails: (call: number) => boolean): void {
  const write = board.write.bind(board);
  let calls = 0;
  board.write = (fd, bytes) => {
    if (fails(calls++)) throw new ErrnoError("write", ERRNO.EIO);
    return write(fd, bytes);
  };
}

const found = ({ faults }: FrameReport) =>
  faults.map(({ kind, frame, blame, alternatives }) => [kind, frame, blame, alternatives]);

Deno.test("runLoop() names one fault for a transfer that the engine failed in a ring", () => {
  for (const depth of [1, 2, 8]) {
    for (const fault of ["kind=error direction=rx", "kind=long beats=4096"]) {
      const report = run(depth, `${fault} frame=5`);
      assertEquals(found(report), [["truncated", 5, null, ["too-long"]]], `${fault} ${depth}`);
      assertEquals([report.timeout, isIntact(report)], [null, false]);
    }
    const { faults } = run(depth, "kind=error direction=tx frame=5; kind=flip frame=20");
    assertEquals(faults.map(({ frame }) => frame), [5, 20], `tx ${depth}`);
    // with one frame in flight, read() fails before a write() can say more
    assertEquals(faults[0]?.blame, depth === 1 ? null : "tx");
  }
});

Deno.test("runLoop() records a failed write() also if all frames of a ring came back", () => {
  const report = run(4, "", (board) => failWrites(board, (call) => call === 12));
  assertEquals(found(report), [["truncated", 8, "tx", undefined]]);
  assertMatch(report.faults[0]?.detail ?? "", /or of one shortly after it: write\(\) said EIO$/);
  assertEquals(report.frames, 40);
  // the last frame, after which none comes
  const last = run(4, "", (board) => failWrites(board, (call) => call === 39));
  assertEquals(found(last), [["truncated", 35, "tx", undefined]]);
});

Deno.test("runLoop() does not try a write() for ever that the engine fails each time", () => {
  const all = () => run(4, "", (board) => failWrites(board, (call) => call >= 12));
  const { reports, cause } = assertThrows(all, BrokenRunError);
  assertEquals(reports.map(found), [[["truncated", 8, "tx", undefined]]]);
  assertEquals(cause instanceof ErrnoError && cause.errno, ERRNO.EIO);
});

/** Lets STATS count one more failed tx transfer, from the given number of `write()` calls on. */
function countErrorFrom(board: SimBoard, calls: number): void {
  const [write, ioctl] = [board.write.bind(board), board.ioctl.bind(board)];
  let written = 0;
  board.write = (fd, bytes) => (written++, write(fd, bytes));
  board.ioctl = (fd, request, argument) => {
    const result = ioctl(fd, request, argument);
    if (request === IOC.STATS && argument !== null && written >= calls) {
      const at = STATS.at.chan + CHAN_STATS.at.errors; // that of tx
      const view = new DataView(argument.buffer, argument.byteOffset);
      view.setBigUint64(at, view.getBigUint64(at, true) + 1n, true);
    }
    return result;
  };
}

Deno.test("runLoop() records a tx transfer of the last frames of a ring that fails, with intact data", () => {
  for (const depth of [1, 4]) {
    const report = run(depth, "", (board) => countErrorFrom(board, 40));
    assertEquals(found(report), [["truncated", 40 - depth, "tx", undefined]]);
    assertMatch(report.faults[0]?.detail ?? "", /shortly after it: STATS counts an error$/);
    assertEquals([report.frames, report.timeout, isIntact(report)], [40, null, false]);
  }
  // those before the run are not its own
  assertEquals(found(run(4, "", (board) => countErrorFrom(board, 0))), []);
});

Deno.test("runLoop() ends with a timeout if the last frame of a ring came back and is still being sent", () => {
  const { faults, timeout } = run(4, "kind=lost-interrupt direction=tx frame=39");
  assertEquals(faults, []);
  assertMatch(
    timeout ?? "none",
    /^frame 39: write failed: .*the engine still sends a frame, 200 ms after/,
  );
});
