// SPDX-License-Identifier: MIT
import { assert, assertEquals, assertThrows } from "@std/assert";
import { Device } from "../../driver/device.ts";
import { ErrnoError } from "../../driver/errno.ts";
import type { Syscalls } from "../../driver/syscalls.ts";
import { IOC } from "../../driver/uapi.ts";
import { SimBoard, type SimOptions } from "../../fixtures/boards/sim/mod.ts";
import { patterns } from "../patterns/mod.ts";
import { listFaults, summarizeReport } from "./intact.ts";
import { runLoop } from "./loop.ts";
import type { LoopFlowOptions } from "./options.ts";
import { NotWokenError } from "./handover.ts";
import type { FrameReport } from "./report.ts";

const pattern = patterns.tagged().create({ seed: 5, maxLength: 9 << 20 });

/** Runs frames on a simulated board. */
function run(
  options: Partial<LoopFlowOptions> & { size: number },
  sim: Partial<SimOptions> = {},
  fault: { beforePriming?: string; afterPriming?: string } = {},
): FrameReport {
  using board = new SimBoard({ seed: 5, ...sim });
  const device = Device.open({ syscalls: board });
  if (fault.beforePriming !== undefined) board.arm(fault.beforePriming);
  try {
    return runLoop(device, pattern, {
      ...{ policy: "streaming", depth: 1, frames: 8, timeoutMs: 200 },
      onPrimed: () => {
        if (fault.afterPriming !== undefined) board.arm(fault.afterPriming);
      },
      ...options,
    });
  } finally {
    device[Symbol.dispose]();
  }
}

Deno.test("runLoop() primes in pieces where coherent memory is shorter than the frame", () => {
  const sim = { maxBlock: 8 << 20 } as const;
  const report = run({ size: (8 << 20) - 8192, frames: 2 }, sim);
  assertEquals([report.faults.length, report.timeout, report.frames], [0, null, 2]);
});

Deno.test("runLoop() leaves guards out only where the longest frame leaves no room for them", () => {
  const maxBlock = 1 << 20;
  const half = () => new Uint8Array(512);
  const whole = () => new Uint8Array(maxBlock);
  for (
    const [size, options, overruns] of [
      [maxBlock, {}, 0],
      [maxBlock - 64, {}, 0],
      [maxBlock - 128, {}, 1],
      [maxBlock, { lengths: [64, maxBlock] }, 0],
      [4096, { expect: whole }, 0],
      [4096, { expect: half }, 1],
      [4096, {}, 1],
    ] as const
  ) {
    const sizes = { size, frames: 3, depth: 2 };
    const { faults } = run({ ...sizes, ...options }, { maxBlock }, {
      afterPriming: "kind=overrun frame=1",
    });
    const found = faults.filter(({ kind }) => kind === "overrun");
    assertEquals(found.length, overruns, `${size} ${faults[0]?.detail}`);
  }
  // a test may ask for what does not fit
  assertThrows(() => run({ size: maxBlock, guarded: true }, { maxBlock }), ErrnoError, "EINVAL");
});

Deno.test("runLoop() calls a fault in the primer a fault in the primer", () => {
  const report = run({ size: 4096 }, {}, { beforePriming: "kind=flip frame=0 at=100 bit=3" });
  const [fault] = report.faults;
  assertEquals([fault?.kind, fault?.primer, fault?.offset], ["bit-flip", true, 100]);
  assertEquals(summarizeReport(report), "primer, offset 100: bit-flip");
  assert(listFaults(report.faults).includes("\n  primer in block "), listFaults(report.faults));
});

Deno.test("runLoop() calls a frame that is longer than its block too long", () => {
  const { faults } = run({ size: 4096 }, {}, { afterPriming: "kind=long frame=5" });
  assertEquals(faults.map(({ kind, frame }) => [kind, frame]), [["too-long", 5]]);
});

Deno.test("runLoop() names one fault for a transfer that the engine failed", () => {
  const fault = { afterPriming: "kind=error direction=rx frame=5 seed=1" };
  const { faults } = run({ size: 4096 }, {}, fault);
  assertEquals(faults.map(({ kind, frame }) => [kind, frame]), [["truncated", 5]]);
});

Deno.test("runLoop() sees in coherent memory whether the data came late or not at all", () => {
  const kinds = (spec: string) =>
    run({ size: 4096, policy: "coherent" }, {}, { afterPriming: spec })
      .faults.map(({ kind, alternatives }) => [kind, alternatives]);
  assertEquals(kinds("kind=early frame=5"), [["early-completion", undefined]]);
  assertEquals(kinds("kind=torn direction=rx at=3840 frame=5"), [["not-written", undefined]]);
});

Deno.test("runLoop() makes a full queue less deep if the memory does not suffice, and says so", () => {
  const sim = { maxBytes: 1 << 20 } as const;
  for (const [policy, least] of [["streaming", 4], ["bounce", 8]] as const) {
    const deep = { size: 65536, depth: 16, policy } as const;
    assertThrows(() => run(deep, sim), ErrnoError, "max_bytes=");
    const report = run({ ...deep, shallower: true }, sim);
    assertEquals([report.faults.length, report.frames], [0, 8]);
    assertEquals(report.notes, [
      `depth ${least} in place of 16: the memory does not suffice for more`,
    ]);
  }
});

Deno.test("runLoop() puts no more frames into a ring than its queue has room for, and says so", () => {
  const deep = { size: 64, frames: 200, policy: "bounce" } as const;
  const fits = run({ ...deep, depth: 64 });
  assertEquals([fits.faults, fits.timeout, fits.frames, fits.notes], [[], null, 200, undefined]);
  const report = run({ ...deep, depth: 100 });
  assertEquals([report.faults, report.timeout, report.frames], [[], null, 200]);
  const note = "depth 64 in place of 100: the transmit queue has no room for more";
  assertEquals(report.notes, [note]);
});

/**
 * System calls of a driver that never wakes a waiting DEQUEUE: the wait ends at its deadline. `onWait` is called
 * after each.
 */
function asleep(board: SimBoard, onWait: () => void): Syscalls {
  let passedNs = 0;
  const base = (name: keyof SimBoard) => {
    const value = board[name];
    return typeof value === "function" ? value.bind(board) : value;
  };
  return new Proxy(board, {
    get(_, name: keyof SimBoard) {
      if (name === "monotonicNs") return () => board.monotonicNs() + passedNs;
      if (name !== "ioctl") return base(name);
      return (fd: number, request: number, argument: Uint8Array<ArrayBuffer> | null) => {
        const start = performance.now();
        const result = board.ioctl(fd, request, argument);
        if (request !== IOC.DEQUEUE || argument === null) return result;
        // the deadline is 1 s, then 0.25 s away; the call returns then, with a completion from the beginning
        const waitMs = passedNs === 0 ? 1001 : 251;
        while (performance.now() - start < waitMs);
        passedNs += waitMs * 1e6;
        onWait();
        return result;
      };
    },
  });
}

Deno.test("runLoop() finds a driver that never wakes a waiter after three waits", () => {
  using board = new SimBoard({ seed: 5 });
  let waits = 0;
  const device = Device.open({ syscalls: asleep(board, () => waits++) });
  const options = { policy: "coherent", size: 64, depth: 1, frames: 100 } as const;
  assertThrows(() => runLoop(device, pattern, options), NotWokenError, "The driver does not wake");
  assertEquals(waits, 3);
  device[Symbol.dispose]();
});
