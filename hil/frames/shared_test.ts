// SPDX-License-Identifier: MIT
// Functions that keep state, in runs with a device of each of two simulated boards.
import { assertEquals } from "@std/assert";
import { Device } from "../../driver/device.ts";
import { type Design, designs, SimBoard } from "../../fixtures/boards/sim/mod.ts";
import { patterns } from "../patterns/mod.ts";
import { runLoops } from "./loop.ts";
import { receiveFrames } from "./receive.ts";
import type { FrameReport } from "./report.ts";
import { sendFrames } from "./send.ts";

type Bytes = Uint8Array<ArrayBuffer>;

const OPTIONS = { size: 256, depth: 4, frames: 30, timeoutMs: 200 } as const;
const NUMBERS = Array.from({ length: OPTIONS.frames }, (_, i) => i);
const pattern = patterns.tagged().create({ seed: 3, maxLength: 4096 });

/** Runs something with two devices of a design, and a fault of the first one that is armed after priming. */
function withTwo(
  design: Design,
  run: (devices: readonly Device[], onPrimed: () => void) => FrameReport[],
  fault = "",
): FrameReport[] {
  using board = new SimBoard({ seed: 3, design });
  using other = new SimBoard({ seed: 3, design });
  using first = Device.open({ syscalls: board });
  using second = Device.open({ syscalls: other });
  return run([first, second], () => fault === "" || board.arm(fault));
}

/** A filter with a delay line, which returns the same array each time. */
function filter(): (frame: Bytes) => Bytes {
  let last = 0;
  const out = new Uint8Array(OPTIONS.size);
  return (frame) => {
    frame.forEach((byte, i) => out[i] = last = (last + byte) & 0xff);
    return out;
  };
}

const numbersOf = (reports: readonly FrameReport[]) =>
  reports.map(({ frames, faults }) => [frames, faults.length]);

Deno.test("runLoops() calls expect and pauseMs once for each frame, in order, with two devices", () => {
  for (const policy of ["streaming", "bounce"] as const) {
    for (const shape of ["bytes", "array"] as const) {
      const [expected, paused]: [number[], number[]] = [[], []];
      const model = filter();
      const reports = withTwo(designs.transform(filter), (devices) =>
        runLoops(devices, pattern, {
          ...OPTIONS,
          policy,
          expect: (tx, sequence) => {
            expected.push(sequence);
            return shape === "array" ? [model(tx)] : model(tx);
          },
          pauseMs: (sequence) => paused.push(sequence) % 2,
        }));
      assertEquals(numbersOf(reports), [[30, 0], [30, 0]]);
      assertEquals([expected, paused], [NUMBERS, NUMBERS]);
    }
  }
});

Deno.test("runLoops() goes on with one device after the other one has stopped", () => {
  const model = filter();
  const reports = withTwo(
    designs.transform(filter),
    (devices, onPrimed) =>
      runLoops(devices, pattern, {
        ...{ ...OPTIONS, policy: "streaming", maxFaults: 1, onPrimed },
        expect: (tx) => model(tx),
      }),
    "kind=flip at=9 bit=1 frame=5",
  );
  assertEquals(numbersOf(reports), [[6, 1], [30, 0]]);
});

Deno.test("receiveFrames() and sendFrames() share what keeps state between two devices", () => {
  const source = () => {
    let last = 0;
    const out = new Uint8Array(OPTIONS.size);
    return () => {
      out.fill(last = (last + 7) & 0xff);
      return out;
    };
  };
  const [expected, paused]: [number[], number[]] = [[], []];
  const model = source();
  const received = withTwo(designs.generator(source), (devices) =>
    receiveFrames(devices, 3, {
      ...{ ...OPTIONS, policy: "streaming" },
      expect: (sequence) => {
        expected.push(sequence);
        return model();
      },
    }));
  assertEquals(numbersOf(received), [[30, 0], [30, 0]]);
  const sent = withTwo(
    designs.checker(() => ({ length }) => length),
    (devices) =>
      sendFrames(devices, pattern, {
        ...{ ...OPTIONS, policy: "streaming" },
        accept: () => null,
        pauseMs: (sequence) => paused.push(sequence) % 2,
      }),
  );
  assertEquals(numbersOf(sent), [[30, 0], [30, 0]]);
  assertEquals([expected, paused], [NUMBERS, NUMBERS]);
});
