// SPDX-License-Identifier: MIT
import { assertEquals, assertLess } from "@std/assert";
import { Device } from "../../driver/device.ts";
import { IOC } from "../../driver/uapi.ts";
import { SimBoard } from "../../fixtures/boards/sim/mod.ts";
import { patterns } from "../patterns/mod.ts";
import { runLoop } from "./loop.ts";
import type { FrameReport } from "./report.ts";

/** Runs a loop, and counts the system calls that move blocks. */
function run(batch: number, fault?: string): { report: FrameReport; calls: number } {
  using board = new SimBoard({ seed: 1 });
  let calls = 0;
  const ioctl = board.ioctl.bind(board);
  const moving: readonly number[] = [
    ...[IOC.ENQUEUE, IOC.DEQUEUE, IOC.ENQUEUE_BATCH, IOC.DEQUEUE_BATCH],
  ];
  board.ioctl = (fd, request, ...rest) => {
    if (moving.includes(request)) calls++;
    return ioctl(fd, request, ...rest);
  };
  using device = Device.open({ syscalls: board });
  const pattern = patterns.tagged().create({ seed: 1, maxLength: 4096 });
  const report = runLoop(device, pattern, {
    ...{ policy: "streaming", size: 512, depth: 16, frames: 200, primed: false, batch },
    ...(fault === undefined ? {} : { onPrimed: () => board.arm(fault) }),
  });
  return { report, calls };
}

Deno.test("runLoop() with batches verifies all frames, with fewer system calls", () => {
  const [one, many] = [run(1), run(8)];
  for (const { report } of [one, many]) {
    assertEquals([report.frames, report.faults, report.timeout], [200, [], null]);
  }
  // four calls a frame, and with batches three for eight frames and a few at the ends
  assertEquals(one.calls, 800);
  assertLess(many.calls, 120);
});

Deno.test("runLoop() with batches finds the faults that it finds without", () => {
  for (const fault of ["kind=flip frame=17 bit=7", "kind=error frame=30", "kind=short frame=9"]) {
    const [one, many] = [run(1, fault), run(8, fault)].map(({ report }) =>
      report.faults.map(({ kind, frame, offset, length }) => ({ kind, frame, offset, length }))
    );
    assertEquals(many, one);
    assertEquals(one?.length === 0, false, fault);
  }
});

Deno.test("runLoop() with batches shows the same of a completion that does not come", () => {
  const [one, many] = [1, 8].map((batch) => run(batch, "kind=stall frame=20").report);
  assertEquals([many?.timeout, many?.late], [one?.timeout, one?.late]);
  assertEquals([one?.frames, one?.late?.frame], [20, 20]);
});
