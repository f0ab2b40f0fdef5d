// SPDX-License-Identifier: MIT
// Designs that lose, repeat, exchange, cut and mix frames, where the frames of a run differ in length.
import { assert, assertEquals, assertMatch } from "@std/assert";
import { Device } from "../../driver/device.ts";
import { type Design, designs, SimBoard } from "../../fixtures/boards/sim/mod.ts";
import { patterns } from "../patterns/mod.ts";
import { isIntact } from "./intact.ts";
import type { Lengths } from "./lengths.ts";
import { runLoop } from "./loop.ts";
import { receiveFrames } from "./receive.ts";
import type { FrameReport } from "./report.ts";

type Bytes = Uint8Array<ArrayBuffer>;
type Model = () => (frame: Bytes, sequence: number) => Bytes | Bytes[];

const FRAMES = 30;
const DEPTH = 4;
/** The frame that is wrong in each run. */
const WRONG = 12;

/** What a design does to frame `wrong` of those that it receives. Each makes one fault. */
const MODELS: Readonly<Record<string, (wrong: number) => Model>> = {
  right: () => () => (frame) => frame,
  lost: (wrong) => () => (frame, sequence) => sequence === wrong ? [] : frame,
  duplicated: (wrong) => () => (frame, sequence) =>
    sequence === wrong - 1 ? [frame.slice(), frame] : frame,
  again: (wrong) => () => {
    let last: Bytes = new Uint8Array(1);
    return (frame, sequence) => {
      const before = last;
      last = frame.slice();
      return sequence === wrong ? before : frame;
    };
  },
  swapped: (wrong) => () => {
    let held: Bytes[] = [];
    return (frame, sequence) => {
      if (sequence === wrong) {
        held = [frame.slice()];
        return [];
      }
      const both = [frame, ...held];
      held = [];
      return both;
    };
  },
  truncated: (wrong) => () => (frame, sequence) =>
    sequence === wrong ? frame.slice(0, frame.length >> 1) : frame,
  torn: (wrong) => () => {
    let last: Bytes = new Uint8Array(1);
    return (frame, sequence) => {
      const mixed = frame.slice();
      const half = frame.length >> 1;
      if (sequence === wrong) mixed.set(last.subarray(half, frame.length), half);
      last = frame.slice();
      return mixed;
    };
  },
};

const LENGTHS: Readonly<Record<string, Lengths>> = {
  random: { min: 64, max: 1500 },
  words: { min: 8, max: 4096, multiple: 8 },
  schedule: [64, 1500, 8, 700],
};

function looped(design: Design, seed: number, run: (device: Device) => FrameReport): FrameReport {
  using board = new SimBoard({ seed, design });
  using device = Device.open({ syscalls: board });
  return run(device);
}

/** Every fault as its frame, its kind and its blame, with one entry for all that are alike in a row. */
function named({ faults }: FrameReport): string[] {
  const entries: { text: string; first: number; last: number }[] = [];
  for (const { frame, kind, blame } of faults) {
    const text = `${kind} ${blame}`;
    const entry = entries.at(-1);
    if (entry?.text === text && entry.last === frame - 1) entry.last = frame;
    else entries.push({ text, first: frame, last: frame });
  }
  return entries.map(({ text, first, last }) => `${first}-${last} ${text}`);
}

Deno.test("runLoop() names frames that are lost, duplicated, swapped, truncated and torn, where lengths differ", () => {
  const last = FRAMES - 1;
  const expected: Readonly<Record<string, string[]>> = {
    right: [],
    lost: [`${WRONG}-${last - 1} lost core`],
    duplicated: [`${WRONG}-${last} duplicated core`],
    again: [`${WRONG}-${WRONG} duplicated core`],
    swapped: [`${WRONG}-${WRONG + 1} swapped core`],
    truncated: [`${WRONG}-${WRONG} truncated core`],
    torn: [`${WRONG}-${WRONG} torn core`],
  };
  const specs = [patterns.tagged(), patterns.counter(), patterns.prbs(31)];
  for (const [model, make] of Object.entries(MODELS)) {
    for (const [name, lengths] of Object.entries(LENGTHS)) {
      for (const spec of specs) {
        for (const seed of [1, 2, 3]) {
          for (const policy of ["streaming", "coherent"] as const) {
            const pattern = spec.create({ seed, maxLength: 1 << 13 });
            let primed = false;
            const sizes: number[] = [];
            // frame 0 comes after the frames that primed the blocks
            const design = designs.transform(() => {
              const made = make(WRONG)();
              let number = 0;
              return (frame: Bytes) => {
                if (!primed) return frame;
                sizes.push(frame.length);
                return made(frame, number++);
              };
            });
            const report = looped(design, seed, (device) =>
              runLoop(device, pattern, {
                ...{ policy, depth: DEPTH, size: 4096, frames: FRAMES, lengths },
                ...{ timeoutMs: 100, maxFaults: 64, onPrimed: () => primed = true },
              }));
            const where = `${model} ${name} ${spec.name} seed ${seed} ${policy}`;
            // a frame that takes the end of a shorter one takes nothing
            const isTorn = (sizes[WRONG - 1] ?? 0) > (sizes[WRONG] ?? 0) / 2;
            const wanted = model === "torn" && !isTorn ? [] : expected[model] ?? [];
            assertEquals(named(report), wanted, where);
            assertEquals(isIntact(report), wanted.length === 0, where);
          }
        }
      }
    }
  }
});

Deno.test("runLoop() says which faults are a consequence of a lost frame, where lengths differ", () => {
  const pattern = patterns.tagged().create({ seed: 1, maxLength: 1 << 13 });
  // without check values, too
  for (const policy of ["streaming", "bounce"] as const) {
    const design = designs.transform(MODELS["lost"]!(policy === "bounce" ? WRONG : WRONG + DEPTH));
    const { faults } = looped(design, 1, (device) =>
      runLoop(device, pattern, {
        ...{ policy, depth: DEPTH, size: 1500, frames: FRAMES, lengths: [64, 64, 1500] },
        ...{ timeoutMs: 100, maxFaults: 64 },
      }));
    const [first, ...later] = faults;
    assert(first !== undefined && later.length > 10);
    assertEquals([first.frame, first.found], [WRONG, WRONG + 1]);
    assertMatch(first.detail, /; all frames after it are one frame early$/);
    for (const { kind, blame, detail } of later) {
      assertEquals([kind, blame], ["lost", "core"]);
      assertMatch(detail, /; a consequence of the fault in the frame before$/);
    }
    assertMatch(later[0]!.detail, /^64 bytes: .*, in its own length of 1500 bytes; /);
  }
});

Deno.test("runLoop() keeps the names of another frame that was cut, or in which a bit is wrong", () => {
  const pattern = patterns.tagged().create({ seed: 1, maxLength: 1 << 13 });
  const run = (change: (other: Bytes) => Bytes) => {
    let last: Bytes = new Uint8Array(1);
    const design = designs.transform(() => (frame, sequence) => {
      const before = last;
      last = frame.slice();
      return sequence === WRONG + DEPTH ? change(before) : frame;
    });
    return named(looped(design, 1, (device) =>
      runLoop(device, pattern, {
        ...{ policy: "coherent", depth: DEPTH, size: 900, frames: FRAMES },
        ...{ lengths: [900, 500, 700], timeoutMs: 100 },
      })));
  };
  const at = `${WRONG}-${WRONG}`;
  assertEquals(run((other) => other), [`${at} duplicated core`]);
  assertEquals(run((other) => other.slice(0, 300)), [`${at} torn core`, `${at} truncated core`]);
  const flipped = run((other) => other.with(100, other[100]! ^ 4));
  assertEquals(flipped.includes(`${at} truncated core`), true, flipped.join());
});

Deno.test("receiveFrames() names frames that a generator loses, where lengths differ", () => {
  const pattern = patterns.random().create({ seed: 5, maxLength: 2048 });
  const sizes = [700, 1400, 96];
  const frame = (sequence: number) =>
    pattern.body(sequence, sizes[sequence % sizes.length]!).slice();
  for (const policy of ["streaming", "coherent"] as const) {
    const design = designs.generator(() => (sequence) =>
      frame(sequence < WRONG ? sequence : sequence + 1)
    );
    const report = looped(design, 1, (device) => {
      const options = { policy, depth: DEPTH, size: 1400, frames: FRAMES, maxFaults: 64 };
      const reports = receiveFrames([device], 1, { ...options, lengths: sizes, expect: frame });
      return reports[0]!;
    });
    // a frame that is not asked for yet is not known
    assertEquals(named(report)[0], `${WRONG}-${FRAMES - 2} lost core`);
  }
});
