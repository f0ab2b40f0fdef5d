// SPDX-License-Identifier: MIT
// Frames through models of designs on the simulated board: designs that keep state, round, split and join frames,
// and whose frames differ in length. It has more than 400 lines, because its tests share these designs.
import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import { Device } from "../../driver/device.ts";
import { type Design, designs, SimBoard } from "../../fixtures/boards/sim/mod.ts";
import { patterns } from "../patterns/mod.ts";
import { tolerance } from "../verify/tolerance.ts";
import { isIntact, summarizeReport } from "./intact.ts";
import { runLoop } from "./loop.ts";
import type { LoopFlowOptions, ReceiveFlowOptions, SendFlowOptions } from "./options.ts";
import { receiveFrames } from "./receive.ts";
import type { FrameReport } from "./report.ts";
import { sendFrames } from "./send.ts";

type Bytes = Uint8Array<ArrayBuffer>;

const pattern = patterns.tagged().create({ seed: 7, maxLength: 1 << 16 });
const DEFAULTS = { policy: "streaming", size: 1024, depth: 4, frames: 40, timeoutMs: 200 } as const;

/** Runs something on a board with a design, and a fault that is armed after priming. */
function onBoard<Result>(
  design: Design,
  run: (device: Device, arm: () => void) => Result,
  fault = "",
) {
  using board = new SimBoard({ seed: 7, design });
  using device = Device.open({ syscalls: board });
  return run(device, () => fault === "" || board.arm(fault));
}

function looped(design: Design, options: Partial<LoopFlowOptions>, fault = ""): FrameReport {
  return onBoard(
    design,
    (device, onPrimed) => runLoop(device, pattern, { ...DEFAULTS, onPrimed, ...options }),
    fault,
  );
}

function only(reports: readonly FrameReport[]): FrameReport {
  const [report] = reports;
  assert(report !== undefined && reports.length === 1);
  return report;
}

const kinds = ({ faults }: FrameReport) => faults.map(({ kind, frame }) => [kind, frame]);

/** A running sum over all samples since reset, so no frame can be computed without those before it. */
function runningSum(): (frame: Bytes) => Bytes {
  let sum = 0;
  return (frame) =>
    new Uint8Array(
      new Int16Array(frame.buffer.slice(
        frame.byteOffset,
        frame.byteOffset + frame.length,
      )).map((sample) => sum = (sum + sample) | 0).buffer,
    );
}

Deno.test("runLoop() calls expect once for each frame, in order, also if frames are wrong", () => {
  for (const policy of ["streaming", "bounce"] as const) {
    for (const fault of ["", "kind=flip at=100 bit=3 frame=9; kind=flip direction=rx rate=8"]) {
      const model = runningSum();
      const called: number[] = [];
      const report = looped(designs.transform(runningSum), {
        policy,
        expect: (tx, sequence) => {
          called.push(sequence);
          return model(tx);
        },
      }, fault);
      assertEquals(
        called,
        Array.from({ length: report.faults.length < 16 ? 40 : called.length }, (_, i) => i),
      );
      if (fault === "") assertEquals([isIntact(report), report.frames], [true, 40]);
      else {assertEquals(
          report.faults.some(({ frame, kind }) => frame === 9 && kind === "bit-flip"),
          true,
        );}
    }
  }
});

/** Adds 1 to some samples, and -1 to others, as a design does that rounds in another way. */
function rounded(): (frame: Bytes) => Bytes {
  return (frame) => {
    const samples = new Int16Array(frame.slice().buffer);
    return new Uint8Array(samples.map((sample, i) => sample + [0, 1, -1][i % 3]!).buffer);
  };
}

Deno.test("runLoop() accepts what is within the tolerance, and names the rest by the size of its error", () => {
  const same = (tx: Bytes) => tx;
  for (const policy of ["streaming", "bounce"] as const) {
    const near = looped(designs.transform(rounded), {
      policy,
      expect: same,
      compare: tolerance.lsb(1),
    });
    assertEquals(kinds(near), []);
    assertEquals([isIntact(near), near.frames], [true, 40]);
    const exact = looped(designs.transform(rounded), {
      policy,
      expect: same,
      compare: tolerance.lsb(0),
    });
    assertEquals(exact.faults[0]?.kind, "out-of-tolerance");
    assertEquals(exact.faults[0]?.offset, 2);
    assertMatch(
      exact.faults[0]?.detail ?? "",
      /^341 of 512 values are off by more than 0 LSB: value 1 is /,
    );
    // bit 6 of a high byte, so the value is off by 16384 or more
    const flip = "kind=flip at=101 bit=6 frame=5";
    const wrong = looped(
      designs.transform(rounded),
      { policy, expect: same, compare: tolerance.lsb(1) },
      flip,
    );
    assertEquals(kinds(wrong), [["out-of-tolerance", 5]]);
    assertEquals([wrong.faults[0]?.offset, wrong.faults[0]?.length], [100, 2]);
    assertMatch(
      wrong.faults[0]?.detail ?? "",
      /^1 of 512 values is off by more than 1 LSB: value 50 is /,
    );
    if (policy === "streaming") assertEquals(wrong.faults[0]?.blame, "core");
  }
});

Deno.test("runLoop() keeps the names of stale and lost data where a tolerance is given", () => {
  const options = { expect: (tx: Bytes) => tx, compare: tolerance.lsb(1) };
  const stale = looped(
    designs.transform(rounded),
    options,
    "kind=sync-skip direction=rx frame=9",
  );
  assertEquals(
    new Set(stale.faults.map(({ kind, frame }) => `${kind} ${frame}`)),
    new Set(["stale-rx 9"]),
  );
  assertEquals(stale.seen.rx, true);
  const short = looped(designs.transform(rounded), options, "kind=short frame=9");
  assertEquals(kinds(short), [["truncated", 9]]);
  const none = looped(designs.transform(rounded), { ...options, policy: "none" });
  assert(none.faults.length > 0);
  assertEquals(none.faults.filter(({ blame }) => blame === "core"), []);
});

Deno.test("runLoop() lets compare judge alone where there is no expected frame", () => {
  const inverted = designs.transform(() => (frame) => frame.map((byte) => ~byte));
  const called: number[] = [];
  const compare = (sent: Uint8Array, got: Uint8Array, sequence: number) => {
    called.push(sequence);
    const offset = sent.findIndex((byte, i) => ((~byte) & 0xff) !== got[i]);
    return offset < 0 ? null : { offset, length: 1, text: "it is not inverted" };
  };
  const right = looped(inverted, { compare });
  assertEquals([isIntact(right), kinds(right)], [true, []]);
  assertEquals(called, Array.from({ length: 40 }, (_, i) => i));
  // frames that come back unchanged would be right for a comparison of bytes
  const loop = looped(designs.transform(() => (frame) => frame), { compare });
  assertEquals([loop.faults[0]?.kind, loop.faults[0]?.detail], [
    "out-of-tolerance",
    "it is not inverted",
  ]);
  const flip = looped(inverted, { compare }, "kind=flip direction=rx at=7 frame=3");
  assertEquals(flip.faults.map(({ frame, offset, blame }) => [frame, offset, blame]), [[
    3,
    7,
    "rx",
  ]]);
});

const LENGTHS = {
  schedule: [64, 1, 1500, 8, 700],
  random: { min: 1, max: 1500 },
  function: (sequence: number) => 1 + (sequence * 331) % 1000,
} as const;

Deno.test("runLoop() verifies frames of different lengths, and finds every fault in them", () => {
  for (const [name, lengths] of Object.entries(LENGTHS)) {
    for (const policy of ["streaming", "coherent", "manual", "bounce"] as const) {
      for (const expect of [undefined, (tx: Bytes) => tx]) {
        const text = `${name} ${policy} ${expect === undefined}`;
        const options = { lengths, policy, ...(expect === undefined ? {} : { expect }) };
        const design = designs.transform(() => (frame) => frame);
        const right = looped(design, options);
        assertEquals(
          [summarizeReport(right), kinds(right)],
          ["40 of 40 frames were verified", []],
          text,
        );
        const bytes = [...Array(40).keys()].reduce(
          (sum, i) =>
            sum +
            (name === "schedule"
              ? LENGTHS.schedule[i % 5]!
              : name === "function"
              ? LENGTHS.function(i)
              : 0),
          0,
        );
        if (name !== "random") assertEquals(right.bytes, bytes, text);
        const flip = looped(design, options, "kind=flip direction=rx frame=12 at=0");
        assertEquals(flip.faults.map(({ frame }) => frame), [12], text);
        const long = looped(design, options, "kind=long frame=13 beats=1");
        assertEquals(kinds(long), [["too-long", 13]], text);
        const short = looped(design, options, "kind=short frame=12");
        assertEquals(short.faults[0]?.frame, 12, text);
        assertEquals(short.faults[0]?.kind, "truncated", text);
        const lost = looped(design, options, "kind=lose frame=20");
        assertEquals(lost.faults.length > 0, true, text);
        assertEquals(Math.min(...lost.faults.map(({ frame }) => frame)), 20, text);
      }
    }
  }
});

Deno.test("frames that are all alike are not taken for there because they were there before", () => {
  const same = () => (frame: Bytes) => new Uint8Array(frame.length).fill(9);
  for (const policy of ["coherent", "streaming"] as const) {
    // a generator and a loop, of frames of one length and of several
    for (const lengths of [undefined, [500, 400, 400]]) {
      const more = { policy, ...(lengths === undefined ? {} : { lengths }) };
      const fault = "kind=no-move frame=17";
      const loop = looped(designs.transform(same), { ...more, expect: same() }, fault);
      assertEquals(new Set(loop.faults.map(({ frame }) => frame)), new Set([17]), `loop ${policy}`);
      const constant = (_sequence: number, length: number) => new Uint8Array(length).fill(9);
      const lengthOf = (sequence: number) => lengths?.[sequence % 3] ?? DEFAULTS.size;
      const design = designs.generator(() => (sequence) => constant(sequence, lengthOf(sequence)));
      const generated = onBoard(
        design,
        (device, onPrimed) =>
          only(receiveFrames([device], 7, { ...DEFAULTS, ...more, onPrimed, expect: constant })),
        fault,
      );
      assertEquals(
        new Set(generated.faults.map(({ frame }) => frame)),
        new Set([17]),
        `rx ${policy}`,
      );
    }
  }
});

Deno.test("runLoop() finds bytes that are written after the end of a shorter frame", () => {
  using board = new SimBoard({ seed: 7 });
  using device = Device.open({ syscalls: board });
  let done = 0;
  const dequeue = device.dequeue.bind(device);
  device.dequeue = (direction, wait) => {
    const completed = dequeue(direction, wait);
    // the engine of this device writes a byte more than it reports
    if (direction === "rx" && done++ === 4 + 22) {
      completed.block.set(Uint8Array.of(1, 2, 3), 64 + 200);
    }
    return completed;
  };
  const report = runLoop(device, pattern, {
    ...DEFAULTS,
    lengths: [1000, 200, 200],
    policy: "coherent",
    depth: 4,
  });
  assertEquals(report.faults.map(({ kind, offset, length }) => [kind, offset, length]), [[
    "overrun",
    200,
    3,
  ]]);
});

/** Splits each frame into packets with a header of four bytes: its number, and the place in the frame. */
function packets(most: number): (frame: Bytes, sequence: number) => Bytes[] {
  return (frame, sequence) =>
    Array.from({ length: Math.ceil(frame.length / most) }, (_, i) => {
      const part = frame.subarray(i * most, (i + 1) * most);
      const packet = new Uint8Array(4 + part.length);
      packet.set([sequence & 0xff, sequence >> 8, i, part.length & 0xff]);
      packet.set(part, 4);
      return packet;
    });
}

/** Joins four frames into one. */
function joined(): (frame: Bytes) => Bytes[] {
  let parts: Bytes[] = [];
  return (frame) => {
    parts.push(frame.slice());
    if (parts.length < 4) return [];
    const all = new Uint8Array(parts.flatMap((part) => [...part]));
    parts = [];
    return [all];
  };
}

Deno.test("runLoop() verifies designs that split and join frames", () => {
  const lengths = { min: 8, max: 1000 };
  for (const policy of ["streaming", "coherent", "bounce"] as const) {
    const split = { policy, lengths, expect: packets(300), returns: 4, room: 304 };
    const design = designs.transform(() => packets(300));
    const right = looped(design, split);
    assertEquals(kinds(right), []);
    assertEquals(isIntact(right), true, summarizeReport(right));
    assert(right.frames > 60 && right.asked === right.frames, `${right.frames} of ${right.asked}`);
    for (
      const fault of [
        "kind=flip frame=33 at=0 direction=rx",
        "kind=short frame=33",
        "kind=lose frame=33",
      ]
    ) {
      const wrong = looped(design, split, fault);
      assertEquals(Math.min(...wrong.faults.map(({ frame }) => frame)), 33, fault);
    }
    const join = { policy, lengths: [100, 60, 200, 8], expect: joined(), room: 368 };
    const whole = looped(designs.transform(joined), join);
    assertEquals([kinds(whole), whole.asked, whole.frames, whole.bytes], [[], 10, 10, 3680]);
    // the number that comes back depends on the data, which explains missing frames if these are stale
    const same = (frame: Uint8Array<ArrayBuffer>) => frame;
    const plain = looped(designs.transform(() => same), { policy, lengths, expect: same });
    assertEquals(
      [right, whole, plain].map(({ isCountVariable }) => isCountVariable),
      [true, true, undefined],
    );
    const wrong = looped(
      designs.transform(joined),
      { ...join, expect: joined() },
      "kind=flip frame=4 at=9",
    );
    assertEquals(kinds(wrong), [["bit-flip", 4]]);
    // a design that sends a packet too many, for one frame in the middle
    const surplus = designs.transform(() => (frame, sequence) => {
      const made = packets(300)(frame, sequence);
      return sequence === 20 ? [...made, made[0]!] : made;
    });
    const more = looped(surplus, split);
    assert(more.faults.length > 0 || more.timeout !== null);
  }
});

Deno.test("runs wait before the frames that pauseMs names, and nowhere else", () => {
  const [asked, queued]: [number[], number[]] = [[], []];
  const pauseMs = (sequence: number) => {
    asked.push(sequence);
    return sequence % 8 === 7 ? 1000 : 0;
  };
  const report = onBoard(designs.transform(() => (frame) => frame), (device) => {
    const dequeue = device.dequeue.bind(device);
    device.dequeue = (direction, wait) => {
      const done = dequeue(direction, wait);
      if (direction === "tx") queued.push(done.queuedNs);
      return done;
    };
    return runLoop(device, pattern, { ...DEFAULTS, expect: (tx: Bytes) => tx, pauseMs });
  });
  assertEquals([isIntact(report), asked], [true, Array.from({ length: 40 }, (_, i) => i)]);
  // the clock of the board counts the waits, which take no time
  const gaps = queued.flatMap((at, i) => i > 0 && at - queued[i - 1]! >= 1e9 ? [i] : []);
  assertEquals(gaps, [7, 15, 23, 31, 39]);
});

Deno.test("runLoop() says which option is missing if a frame that comes back does not fit", () => {
  const grow = () => (frame: Bytes, sequence: number) => new Uint8Array(frame.length + sequence);
  assertThrows(
    () => looped(designs.transform(grow), { expect: grow() }),
    RangeError,
    "set room to",
  );
  const twice = (frame: Bytes, sequence: number) => sequence < 3 ? frame : [frame, frame];
  assertThrows(
    () => looped(designs.transform(() => twice), { expect: twice }),
    RangeError,
    "set returns to",
  );
  const many = { expect: packets(8), returns: 125, lengths: [1000] };
  assertThrows(
    () => looped(designs.transform(() => packets(8)), many),
    RangeError,
    "found room for 64",
  );
});

/** Frames of a counter, of lengths that differ. */
const count = (sequence: number, length: number) => {
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i++) bytes[i] = sequence + i;
  return bytes;
};

function received(options: Partial<ReceiveFlowOptions>, fault = ""): FrameReport {
  const lengthOf = LENGTHS.function;
  const design = designs.generator(() => (sequence) => count(sequence, lengthOf(sequence)));
  return onBoard(design, (device, onPrimed) =>
    only(receiveFrames([device], 7, {
      ...{ ...DEFAULTS, policy: "coherent", onPrimed, expect: count, lengths: lengthOf },
      ...options,
    })), fault);
}

Deno.test("receiveFrames() verifies frames of different lengths, and finds every fault in them", () => {
  for (const policy of ["coherent", "streaming"] as const) {
    const right = received({ policy });
    assertEquals([kinds(right), right.frames], [[], 40]);
    const flipped = received({ policy }, "kind=flip frame=9 at=3 bit=2");
    assertEquals(kinds(flipped), [["bit-flip", 9]]);
    // the core's only check value is enough: a generator reads nothing
    assertEquals(flipped.faults[0]?.blame, "core");
    assertEquals(kinds(received({ policy }, "kind=short frame=9")), [["truncated", 9]]);
    assertEquals(kinds(received({ policy }, "kind=long frame=9")), [["too-long", 9]]);
    assertEquals(received({ policy }, "kind=lose frame=9").faults[0]?.frame, 9);
  }
  const near = { compare: tolerance.lsb(0, { sample: "uint8" }) };
  assertEquals(kinds(received(near)), []);
  const flip = received(near, "kind=flip frame=9 at=3 bit=2");
  assertEquals(kinds(flip), [["out-of-tolerance", 9]]);
  assertThrows(
    () => received({ expect: patterns.counter() }),
    RangeError,
    "Expected a function in expect",
  );
});

Deno.test("receiveFrames() calls expect once for each frame, in order", () => {
  const called: number[] = [];
  const expect = (sequence: number, length: number) => {
    called.push(sequence);
    return count(sequence, length);
  };
  received({ expect }, "kind=flip frame=9 at=3; kind=lose frame=20");
  assertEquals(called, Array.from({ length: called.length }, (_, i) => i));
  assert(called.length > 20);
});

Deno.test("sendFrames() sends frames of different lengths, and asks the design about each", () => {
  const lengths: number[] = [];
  const design = designs.checker(() => (frame, sequence) => {
    lengths.push(frame.length);
    return sequence === 25 ? 3 : frame.length;
  });
  const options: SendFlowOptions = { ...DEFAULTS, lengths: LENGTHS.function };
  const report = onBoard(design, (device) => only(sendFrames([device], pattern, options)));
  assertEquals(lengths, Array.from({ length: 40 }, (_, i) => LENGTHS.function(i)));
  assertEquals(kinds(report), [["truncated", 25]]);
  assertEquals(report.faults[0]?.status, "read-failed");
});
