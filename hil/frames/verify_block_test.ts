// SPDX-License-Identifier: MIT
// What verifyBlock() makes of transfers that a test moves by hand on the simulated board.
import { assert, assertEquals } from "@std/assert";
import type { CompletedTransfer } from "../../driver/block.ts";
import { Device } from "../../driver/device.ts";
import { SimBoard } from "../../fixtures/boards/sim/mod.ts";
import { tolerance } from "../verify/tolerance.ts";
import { verifyBlock, type VerifyOptions } from "./verify_block.ts";

const SIZE = 4096;

type Moved = Record<"transmitted" | "received", CompletedTransfer>;

/** Moves a frame with a fault, and verifies it with the options that `choose` makes of its transfers. */
function verified(fault: string, choose: (moved: Moved) => VerifyOptions, room = SIZE) {
  using board = new SimBoard({ seed: 1 });
  using device = Device.open({ syscalls: board });
  const [rx] = device.alloc({ size: SIZE, direction: "rx", policy: "coherent" });
  const [tx] = device.alloc({ size: SIZE, direction: "tx", policy: "coherent" });
  assert(rx !== undefined && tx !== undefined);
  const frame = Uint8Array.from({ length: room }, (_, i) => i * 7 + (i >> 8));
  board.arm(fault);
  rx.enqueue({ length: room });
  tx.set(frame);
  tx.enqueue({ length: room });
  // these return transfers that failed, too
  const [transmitted] = device.dequeueBatch("tx", { max: 1 });
  const [received] = device.dequeueBatch("rx", { max: 1 });
  assert(transmitted !== undefined && received !== undefined);
  const { faults } = verifyBlock(device, rx, frame, choose({ transmitted, received }));
  return faults.map(({ kind, frame, offset, blame }) => [kind, frame, offset, blame]);
}

const both = (moved: Moved) => ({ ...moved, sequence: 9 });

Deno.test("verifyBlock() names the fault of a transfer that failed", () => {
  for (const compare of [undefined, tolerance.lsb(0)]) {
    const judged = (moved: Moved) => ({ ...both(moved), ...(compare && { compare }) });
    for (const room of [SIZE, 1024]) {
      const long = verified("kind=long beats=64 frame=0", judged, room);
      assertEquals(long, [["too-long", 9, room, "core"]]);
    }
    const error = verified("kind=error direction=rx frame=0 seed=1", judged);
    assertEquals(error.map(([kind, frame, , blame]) => [kind, frame, blame]), [
      ["truncated", 9, "rx"],
    ]);
  }
  const tx = verified("kind=error direction=tx frame=0 seed=1", both);
  assertEquals(tx.map(([kind, frame, , blame]) => [kind, frame, blame]).slice(0, 1), [
    ["truncated", 9, "tx"],
  ]);
});

Deno.test("verifyBlock() compares what arrived before a transfer failed", () => {
  const faults = verified("kind=long beats=64 frame=0; kind=flip at=100 bit=3 frame=0", both);
  assertEquals(faults, [["too-long", 9, SIZE, "core"], ["bit-flip", 9, 100, null]]);
});

Deno.test("verifyBlock() blames a part of the path only if the check values that it has rule out the others", () => {
  const blames = (fault: string) =>
    [
      both,
      ({ received }: Moved) => ({ received }),
      ({ transmitted }: Moved) => ({ transmitted }),
      () => ({}),
    ].map((choose) => verified(fault, choose).map(([, , , blame]) => blame));
  assertEquals(blames("kind=flip direction=tx at=100 bit=3"), [["tx"], [null], ["tx"], [null]]);
  assertEquals(blames("kind=flip at=100 bit=3"), [["core"], [null], [null], [null]]);
  assertEquals(blames("kind=flip direction=rx at=100 bit=3"), [["rx"], ["rx"], [null], [null]]);
});
