// SPDX-License-Identifier: MIT
// What receiveFrames() finds beside wrong bytes within a frame.
import { assert, assertEquals, assertMatch } from "@std/assert";
import { Device } from "../../driver/device.ts";
import { DEQUEUE } from "../../driver/uapi.ts";
import { designs, SimBoard } from "../../fixtures/boards/sim/mod.ts";
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

Deno.test("receiveFrames() decides with later frames where walking bits began, and sees lost frames all the same", () => {
  const frames = 40;
  for (const spec of [patterns.walkingOnes(), patterns.walkingZeros()]) {
    for (const size of [16, 64, 65, 100, 256]) {
      const length = 1024 + (frames + 4) * size;
      const stream = spec.create({ seed: 0, maxLength: length }).body(0, length).slice();
      const run = (start: number, lost: (sequence: number) => number) => {
        const design = designs.generator(() => (sequence) => {
          const at = 512 + start + (sequence + lost(sequence)) * size;
          return stream.slice(at, at + size);
        });
        using board = new SimBoard({ seed: 1, design });
        using device = Device.open({ syscalls: board });
        const options = { policy: "coherent", size, frames, depth: DEPTH, expect: spec } as const;
        const [report] = receiveFrames([device], 1, options);
        assert(report !== undefined);
        return report;
      };
      for (let start = 0; start < 512; start += 7) {
        // another place looks like a loss of frames of 65 bytes
        if (size === 65 && start % 8 !== 0) continue;
        const { faults, notes } = run(start, () => 0);
        const text = `${spec.name}, ${size} bytes, start ${start}`;
        assertEquals(faults, [], text);
        if (start % 8 === 0) assertEquals(notes, undefined, text);
        if (start === 7 && size === 64) {
          assertMatch(String(notes), /^frame 6 shows .* inside a word/);
        }
      }
      // a place inside a word is not taken for a loss of frames
      for (let start = 0; start < 512; start += 40) {
        for (const at of [1, 2, 9]) {
          for (const by of [1, 3, -1]) {
            const { faults } = run(start, (sequence) => sequence < at ? 0 : by);
            assert(
              faults.length > 0,
              `${spec.name}, ${size} bytes, start ${start}, ${by} at ${at}`,
            );
          }
        }
      }
    }
  }
});
