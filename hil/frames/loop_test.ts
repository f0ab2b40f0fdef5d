// SPDX-License-Identifier: MIT
import { assertEquals, assertMatch } from "@std/assert";
import { Device } from "../../driver/device.ts";
import { DEQUEUE } from "../../driver/uapi.ts";
import { SimBoard } from "../../fixtures/boards/sim/mod.ts";
import { runLoop } from "./loop.ts";
import { patterns } from "../patterns/mod.ts";
import { changeCompletions } from "../testing/completions.ts";

/** What comes of 40 frames from a core whose check values go through `change`. */
function faultsOf(change: (direction: string, sequence: number, check: number) => number) {
  using board = new SimBoard({ seed: 1 });
  changeCompletions(board, ({ direction, sequence, view }) => {
    const { check } = DEQUEUE.at;
    view.setUint32(check, change(direction, sequence, view.getUint32(check, true)), true);
  });
  using device = Device.open({ path: "/dev/pldma0", syscalls: board });
  const pattern = patterns.tagged().create({ seed: 1, maxLength: 1 << 14 });
  const options = { policy: "streaming", size: 1000, depth: 2, frames: 40 } as const;
  return runLoop(device, pattern, options).faults;
}

Deno.test("runLoop() compares the core's two check values of intact frames", () => {
  assertEquals(faultsOf((_direction, _sequence, check) => check), []);
  const [fault, ...others] = faultsOf((direction, sequence, check) =>
    direction === "rx" && sequence === 30 ? check ^ 1 : check
  );
  assertEquals(others, []);
  assertEquals([fault?.kind, fault?.frame, fault?.blame], ["foreign", 30, "core"]);
  assertMatch(
    fault?.detail ?? "",
    /the frame is intact, but the core's check values are 0x.* and 0x/,
  );
});

Deno.test("runLoop() compares the check values of the first frames with the frames", () => {
  const faults = faultsOf((_direction, sequence, check) => sequence === 3 ? check ^ 1 : check);
  assertEquals(faults.map(({ frame, blame }) => [frame, blame]), [[3, "core"]]);
  assertMatch(faults[0]?.detail ?? "", /; that of the frame is 0x[0-9a-f]{8}$/);
});

for (
  const [name, pattern, policy, size, depth] of [
    // frames of one byte come again after 32
    ["address", patterns.address(), "streaming", 1, 32],
    // a store into a streaming block may be dropped by its sync, as here
    ["zeros", patterns.zeros(), "coherent", 64, 4],
  ] as const
) {
  Deno.test(`runLoop() finds a frame of ${name} that was never written, without check values`, () => {
    const run = (fault: string) => {
      using board = new SimBoard({ seed: 1 });
      changeCompletions(board, ({ view }) => view.setUint32(DEQUEUE.at.check_kind, 0, true));
      using device = Device.open({ path: "/dev/pldma0", syscalls: board });
      const made = pattern.create({ seed: 1, maxLength: 1 << 14 });
      return runLoop(device, made, {
        ...{ policy, size, depth, frames: 100, maxFaults: 1000 },
        onPrimed: () => fault === "" || board.arm(fault),
      }).faults.map(({ frame }) => frame);
    };
    assertEquals(run(""), []);
    assertEquals(run("kind=no-move frame=70"), [70]);
  });
}
