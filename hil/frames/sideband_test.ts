// SPDX-License-Identifier: MIT
// Words beside frames, through descriptors and completions of the simulated board.
import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import { Device } from "../../driver/device.ts";
import { ErrnoError } from "../../driver/errno.ts";
import {
  type Design,
  designs,
  type SidebandFrame,
  SimBoard,
} from "../../fixtures/boards/sim/mod.ts";
import { patterns } from "../patterns/mod.ts";
import { isIntact } from "./intact.ts";
import { runLoop } from "./loop.ts";
import type { LoopFlowOptions } from "./options.ts";
import { receiveFrames } from "./receive.ts";
import type { FrameReport } from "./report.ts";
import { sendFrames } from "./send.ts";

type Bytes = Uint8Array<ArrayBuffer>;

const FRAMES = { frames: 20, size: 256, depth: 3, policy: "streaming", timeoutMs: 100 } as const;
const pattern = patterns.random().create({ seed: 7, maxLength: 8192 });

function on<T>(design: Design | null, run: (device: Device) => T): T {
  using board = new SimBoard({ seed: 7, ...(design === null ? {} : { design }) });
  using device = Device.open({ syscalls: board });
  return run(device);
}

function looped(design: Design, options: Partial<LoopFlowOptions>): FrameReport {
  return on(design, (device) => runLoop(device, pattern, { ...FRAMES, ...options }));
}

/** Returns each frame with its words, of which the first is increased. */
function increase(frame: Bytes, _sequence: number, [user = 0, dest = 0]: readonly number[]) {
  return { data: frame, sideband: [user + 1, dest] };
}

/** Like {@linkcode increase}, but one bit of a word of one frame is wrong. */
function broken(word: number, at: number) {
  return (frame: Bytes, sequence: number, words: readonly number[]): SidebandFrame => {
    const { data, sideband } = increase(frame, sequence, words);
    return {
      data,
      sideband: sideband.map((one, i) => i === word && sequence === at ? (one ^ 0x80) >>> 0 : one),
    };
  };
}

Deno.test("runLoop() sends words beside frames, and compares those that come back", () => {
  for (const policy of ["streaming", "coherent", "manual", "user-pages"] as const) {
    const options = {
      policy,
      sideband: (sequence: number) => [0xffff_ff00 + sequence, sequence],
      expect: increase,
    };
    const right = looped(designs.transform(() => increase), options);
    assertEquals([right.faults, isIntact(right)], [[], true], policy);
    for (const word of [0, 1]) {
      const wrong = looped(designs.transform(() => broken(word, 11)), options);
      assertEquals(wrong.faults.map(({ kind, frame }) => [kind, frame]), [["sideband", 11]]);
      assertMatch(
        wrong.faults[0]?.detail ?? "",
        new RegExp(`^beside the frame, word ${word} is 0x[0-9a-f]{8}, expected 0x[0-9a-f]{8}$`),
      );
      assertEquals(isIntact(wrong), false);
    }
  }
});

Deno.test("runLoop() expects the words that were sent where there is no expect", () => {
  const sideband = (sequence: number) => [1, 2, 3, sequence];
  const same = designs.transform(() => (data, _sequence, sideband) => ({ data, sideband }));
  assertEquals(looped(same, { sideband }).faults, []);
  const none = designs.transform(() => (frame) => frame);
  const [fault] = looped(none, { sideband }).faults;
  assertMatch(
    fault?.detail ?? "",
    /^beside the frame, word 0 is 0x00000000, expected 0x00000001, word 1 .*, word 2 /,
  );
});

Deno.test("runLoop() does not compare the words beside a plain frame of expect", () => {
  const design = designs.transform(() => (data, sequence) => ({ data, sideband: [sequence] }));
  assertEquals(looped(design, { expect: (frame: Bytes) => frame }).faults, []);
});

Deno.test("receiveFrames() compares the words that a generator sends", () => {
  const make = (sequence: number, length: number) => new Uint8Array(length).fill(sequence + 1);
  const run = (at: number) =>
    on(
      designs.generator(() => (sequence, room) => ({
        data: make(sequence, room),
        sideband: [0, 0, 0, sequence === at ? 99 : sequence],
      })),
      (device) =>
        receiveFrames([device], 7, {
          ...FRAMES,
          expect: (sequence, length) => ({
            data: make(sequence, length),
            sideband: [0, 0, 0, sequence],
          }),
        })[0],
    );
  assertEquals(run(-1)?.faults, []);
  assertEquals(run(13)?.faults.map(({ kind, frame }) => [kind, frame]), [["sideband", 13]]);
});

Deno.test("sendFrames() sends words beside frames, which a design can check", () => {
  const seen: number[] = [];
  const design = designs.checker(() => (frame, _sequence, [user = 0]) => {
    seen.push(user);
    return frame.length;
  });
  on(
    design,
    (device) =>
      sendFrames([device], pattern, { ...FRAMES, sideband: (sequence) => [7 * sequence] }),
  );
  assertEquals(seen, Array.from({ length: 20 }, (_, i) => 7 * i));
});

Deno.test("words beside frames need an engine and a policy that pass them", () => {
  const sideband = () => [1];
  assertThrows(
    () => on(null, (device) => runLoop(device, pattern, { ...FRAMES, sideband })),
    Error,
    "Expected an engine that passes words beside frames, found pl_sim, which passes none",
  );
  assertThrows(
    () => looped(designs.transform(() => increase), { policy: "bounce", expect: increase }),
    Error,
    "leave bounce out of policy",
  );
  assertThrows(
    () => looped(designs.transform(() => increase), { sideband: () => [1, 2, 3, 4, 5] }),
    RangeError,
    "Expected up to 4 words in sideband, found 5",
  );
  assertThrows(
    () => looped(designs.transform(() => increase), { sideband: () => [-1] }),
    RangeError,
    "Expected words from 0 to 2^32 - 1 in sideband, found -1",
  );
});

Deno.test("Block.enqueue() refuses words for a receive block and on an engine without them, and forgets old words", () => {
  on(designs.transform(() => (data, _sequence, sideband) => ({ data, sideband })), (device) => {
    assertEquals([device.info.tx?.sideband, device.info.rx?.sideband], [true, true]);
    const [tx] = device.alloc({ direction: "tx", policy: "coherent", size: 64, count: 1 });
    const [rx] = device.alloc({ direction: "rx", policy: "coherent", size: 64, count: 1 });
    assertThrows(() => rx?.enqueue({ sideband: [1] }), ErrnoError, "sideband words only to send");
    for (const words of [[5, 6], undefined, [0, 0, 0, 0xffff_ffff]]) {
      rx?.enqueue();
      tx?.enqueue(words === undefined ? {} : { sideband: words });
      assertEquals(device.dequeue("tx").sideband, undefined);
      const [a = 0, b = 0, c = 0, d = 0] = words ?? [];
      assertEquals(device.dequeue("rx").sideband, [a, b, c, d]);
    }
  });
  on(null, (device) => {
    const [tx] = device.alloc({ direction: "tx", policy: "coherent", size: 64, count: 1 });
    assertThrows(() => tx?.enqueue({ sideband: [1] }), ErrnoError, "EINVAL");
  });
});
