// SPDX-License-Identifier: MIT
/**
 * Random designs on the simulated board: what they do with frames, how many come back, lengths, policies, depths,
 * tolerances, and words beside frames. Each one runs without a fault, and no fault may be reported; and with one fault, which must be.
 *
 * `PLUMBLINE_SEED` draws other designs. `PLUMBLINE_FULL=1` draws ten times as many.
 */

import { assert, assertEquals } from "@std/assert";
import { Device } from "../../driver/device.ts";
import type { PolicyName } from "../../driver/uapi.ts";
import {
  type Design,
  designs,
  type SidebandFrame,
  SimBoard,
} from "../../fixtures/boards/sim/mod.ts";
import { patterns } from "../patterns/mod.ts";
import { Random } from "../../driver/testing/random.ts";
import { type Comparison, tolerance } from "../verify/tolerance.ts";
import { isIntact, summarizeReport } from "./intact.ts";
import type { Lengths } from "./lengths.ts";
import { runLoop } from "./loop.ts";
import type { FlowOptions } from "./options.ts";
import { receiveFrames } from "./receive.ts";
import type { FrameReport } from "./report.ts";
import { sendFrames } from "./send.ts";

type Bytes = Uint8Array<ArrayBuffer>;
type Model = () => (frame: Bytes, sequence: number) => Bytes | Bytes[];
type Words = readonly number[];

/** The fault of a design: one bit of a word beside a frame is wrong. It is no fault of the board. */
const WRONG_WORD = "kind=sideband";

const seed = Number(Deno.env.get("PLUMBLINE_SEED") ?? 20_260_401);
const DESIGNS = Deno.env.get("PLUMBLINE_FULL") === "1" ? 2000 : 200;
const FRAMES = 12;

const POLICIES: readonly PolicyName[] = [
  ...["streaming", "streaming-lazy", "coherent", "noncoherent", "manual", "user-pages"] as const,
  "bounce",
];

/** Designs that return one frame of bytes for each. Every bit of a frame matters to what comes back. */
const MODELS: Readonly<Record<string, Model>> = {
  loop: () => (frame) => frame,
  invert: () => (frame) => frame.map((byte) => ~byte),
  reverse: () => (frame) => frame.toReversed(),
  "running sum": () => {
    let sum = 0;
    return (frame) => frame.map((byte) => sum = (sum + byte) & 0xff);
  },
  "delay by a frame": () => {
    // one byte of zero may be what a block held before, and then a missing sync changes nothing
    let last: Bytes = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);
    return (frame) => {
      const before = last;
      last = frame.slice();
      return before;
    };
  },
  stuff: () => (frame) =>
    Uint8Array.from([...frame].flatMap((byte) => byte < 16 ? [0, byte] : [byte])),
  number: () => (frame, sequence) => {
    const longer = new Uint8Array(frame.length + 4);
    longer.set(frame);
    new DataView(longer.buffer).setUint32(frame.length, sequence);
    return longer;
  },
};

/** Designs that return another number of frames: their model, and the largest number for one. */
function regrouping(random: Random): { model: Model; returns: number } {
  const parts = 1 + random.below(5);
  if (random.below(2) === 0) {
    return {
      returns: parts,
      model: () => (frame) => {
        const step = Math.ceil(frame.length / parts);
        const count = Math.ceil(frame.length / step);
        return Array.from({ length: count }, (_, i) => frame.slice(i * step, (i + 1) * step));
      },
    };
  }
  return {
    returns: 1,
    model: () => {
      let waiting: Bytes[] = [];
      return (frame, sequence) => {
        waiting.push(frame.slice());
        // what is left comes with the last frame
        if (waiting.length < parts && sequence < FRAMES - 1) return [];
        const whole = new Uint8Array(waiting.reduce((sum, { length }) => sum + length, 0));
        let at = 0;
        for (const part of waiting) {
          whole.set(part, at);
          at += part.length;
        }
        waiting = [];
        return [whole];
      };
    },
  };
}

/** A design of samples that is not exact: how wrong it is, and what the test allows. */
function inexact(random: Random): { exact: Model; model: Model; compare: Comparison } {
  const error = random.below(3);
  const noise = new Random(random.below(2 ** 31));
  const exact: Model = () => (frame) => frame;
  const model: Model = () => (frame) => {
    const samples = new Int16Array(frame.slice().buffer);
    return new Uint8Array(
      samples.map((sample) =>
        Math.max(-32768, Math.min(32767, sample + noise.below(2 * error + 1) - error))
      ).buffer,
    );
  };
  const compare = [
    tolerance.lsb(error),
    tolerance.absolute(error),
    tolerance.relative(0.001, { least: error }),
    // frames of noise at the level of this error have 84 dB and more
    tolerance.psnr(80, { sample: "int16" }),
  ][random.below(4)];
  assert(compare !== undefined);
  return { exact, model, compare };
}

function lengthsOf(random: Random, multiple: number): { lengths?: Lengths; size: number } {
  const size = multiple * (2 + random.below(700));
  switch (random.below(4)) {
    case 0:
      return { size };
    case 1:
      return { size, lengths: { min: 2 * multiple, max: size, multiple } };
    case 2:
      return {
        size,
        lengths: Array.from(
          { length: 1 + random.below(5) },
          () => multiple * (2 + random.below(700)),
        ),
      };
    default: {
      const step = 1 + random.below(99);
      return {
        size,
        lengths: (sequence) => multiple * (2 + (sequence * step) % (size / multiple - 1)),
      };
    }
  }
}

/** A fault that changes what a test must see. `at` is the upper byte of a sample, so no tolerance allows it. */
function faultOf(random: Random, outputs: number, policy: PolicyName, sends: boolean): string {
  const frame = random.below(outputs);
  const kinds = [
    `kind=flip at=1 bit=7 frame=${frame}`,
    `kind=lose frame=${frame}`,
    `kind=short frame=${frame}`,
    `kind=long frame=${frame}`,
    `kind=no-move frame=${frame}`,
    `kind=flip direction=rx at=1 bit=7 frame=${frame}`,
    ...(sends ? [`kind=flip direction=tx at=1 bit=7 frame=${random.below(FRAMES - 1)}`] : []),
    ...(policy === "streaming" ? [`kind=sync-skip direction=rx frame=${frame}`] : []),
  ];
  return kinds[random.below(kinds.length)] ?? "";
}

/**
 * A design that also computes words beside frames: a checksum of what it received, and where the frame belongs.
 * `wrong` is the number of the frame that comes back with a wrong word; null for none.
 */
function withWords(model: Model, wrong: () => { frame: number; bit: number } | null) {
  return () => {
    const make = model();
    let number = 0;
    return (frame: Bytes, sequence: number, words: Words): SidebandFrame[] => {
      const made = make(frame, sequence);
      return (made instanceof Uint8Array ? [made] : made).map((data, i) => {
        const sideband = [words.reduce((sum, word) => (sum * 31 + word) >>> 0, sequence), i, 0, 1];
        const { frame = null, bit = 0 } = wrong() ?? {};
        const at = bit >> 5;
        if (number++ === frame) sideband[at] = ((sideband[at] ?? 0) ^ (1 << (bit & 31))) >>> 0;
        return { data, sideband };
      });
    };
  };
}

interface Trial {
  readonly text: string;
  /** Whether words travel beside its frames. */
  readonly words: boolean;
  readonly policy: PolicyName;
  readonly sends: boolean;
  readonly run: (fault: string) => { report: FrameReport; injected: readonly string[] };
}

/** Draws a design, and a test of it. */
function draw(random: Random): Trial {
  const policy = POLICIES[random.below(POLICIES.length)] ?? "streaming";
  const depth = 1 + random.below(6);
  const options = { policy, depth, frames: FRAMES, timeoutMs: 100 };
  const on = (
    design: Design,
    fault: string,
    run: (device: Device, onPrimed: () => void) => FrameReport,
  ) => {
    using board = new SimBoard({ seed: 1, design });
    using device = Device.open({ syscalls: board });
    const report = run(device, () => fault === "" || board.arm(fault));
    return { report, injected: board.disarm() };
  };
  const spec = random.below(2) === 0 ? patterns.tagged() : patterns.random();
  const pattern = spec.create({ seed: random.below(2 ** 31), maxLength: 1 << 16 });
  const kind = random.below(6);
  if (kind < 4) {
    const names = Object.keys(MODELS);
    const name = names[random.below(names.length)] ?? "";
    const one = { model: MODELS[name] ?? (() => (frame: Bytes) => frame) };
    const { model, exact, compare, returns }: {
      model: Model;
      exact?: Model;
      compare?: Comparison;
      returns?: number;
    } = kind < 2 ? one : kind === 2 ? regrouping(random) : inexact(random);
    const { lengths, size } = lengthsOf(random, 2);
    // what a joining or stuffing design returns may be longer than what was sent
    const room = 8 * 1500 * (kind === 2 ? 2 : 1);
    const text = `${["exact", name, "regrouping", "inexact"][kind]} ${name}`;
    // a loop may leave out what it expects: the frame that was sent, exactly or nearly. Then its room is that of
    // a frame, and read() throws for a longer one
    const same = policy !== "bounce" && (kind === 3 || (kind < 2 && name === "loop"));
    const plain = same && random.below(2) === 0;
    const words = !plain && policy !== "bounce" && random.below(2) === 0;
    const salt = random.below(2 ** 31);
    const sideband = (sequence: number) => [salt, sequence, (salt * sequence) >>> 0];
    const none = () => null;
    return {
      ...{ policy, words, sends: kind !== 3 && name !== "delay by a frame" },
      text: `${text} ${spec.name} ${policy} depth ${depth} size ${size} ` +
        `${JSON.stringify(lengths)} ${words ? "with words" : plain ? "without expect" : ""}`,
      run: (fault) => {
        const bit = Number(/^kind=sideband frame=\d+ bit=(\d+)$/.exec(fault)?.[1] ?? NaN);
        const wrong = Number.isNaN(bit)
          ? null
          : { frame: Number(/frame=(\d+)/.exec(fault)?.[1]), bit };
        const given = wrong === null ? fault : "";
        const made = on(
          designs.transform(words ? withWords(model, () => wrong) : model),
          given,
          (device, onPrimed) =>
            runLoop(device, pattern, {
              ...{ ...options, size, onPrimed },
              ...(plain ? {} : {
                room,
                expect: words ? withWords(exact ?? model, none)() : (exact ?? model)(),
              }),
              ...(words ? { sideband } : {}),
              ...(lengths === undefined ? {} : { lengths }),
              ...(compare === undefined ? {} : { compare }),
              ...(returns === undefined ? {} : { returns }),
            }),
        );
        return wrong === null ? made : { ...made, injected: [fault] };
      },
    };
  }
  const { lengths, size } = lengthsOf(random, 1);
  const flow: FlowOptions = {
    ...{ ...options, size, policy: policy === "bounce" ? "coherent" : policy },
    ...(lengths === undefined ? {} : { lengths }),
  };
  // no block may hold the expected frame already: blocks of streaming-lazy take no poison
  const add = 1 + 2 * random.below(128);
  const make = (sequence: number, length: number) => {
    const bytes = new Uint8Array(length);
    for (let i = 0; i < length; i++) bytes[i] = sequence * add + i * 7 + (i >> 8);
    return bytes;
  };
  const only = ([report]: readonly FrameReport[]): FrameReport => {
    assert(report !== undefined);
    return report;
  };
  if (kind === 4) {
    // what the test expects is what the design made
    const known = new Random(random.below(2 ** 31));
    const frames = Array.from({ length: 3 * FRAMES }, (_, i) => make(i, 2 + known.below(size - 1)));
    const design = designs.generator(() => (sequence) => frames[sequence] ?? null);
    return {
      ...{ text: `generator ${policy} depth ${depth} size ${size}`, sends: false, words: false },
      policy: flow.policy,
      run: (fault) =>
        on(design, fault, (device, onPrimed) =>
          only(receiveFrames([device], 1, {
            ...{ ...flow, onPrimed, size },
            lengths: (sequence: number) => frames[sequence]?.length ?? 1,
            expect: (sequence) => frames[sequence] ?? new Uint8Array(1),
          }))),
    };
  }
  return {
    ...{
      text: `sink ${policy} depth ${depth} size ${size} ${JSON.stringify(lengths)}`,
      sends: true,
      words: false,
    },
    policy: flow.policy,
    run: (fault) =>
      on(
        designs.checker(() => (frame) => frame.length),
        fault,
        (device, onPrimed) => only(sendFrames([device], pattern, { ...flow, onPrimed })),
      ),
  };
}

Deno.test("random designs raise no false alarm, and each injected fault is caught", () => {
  const random = new Random(seed);
  const counts = { runs: 0, injected: 0, frames: 0, words: 0 };
  const kinds = new Set<string>();
  for (let i = 0; i < DESIGNS; i++) {
    const trial = draw(random);
    const where = `seed ${seed}, design ${i}: ${trial.text}`;
    const { report } = trial.run("");
    assertEquals(report.faults, [], where);
    assert(isIntact(report), `${where}: ${summarizeReport(report)}`);
    counts.runs++;
    counts.frames += report.frames;
    const sink = trial.text.startsWith("sink");
    if (trial.words) counts.words++;
    const fault = trial.words && random.below(3) === 0
      ? `${WRONG_WORD} frame=${random.below(report.frames)} bit=${random.below(128)}`
      : sink
      ? `kind=flip direction=tx at=1 bit=7 frame=${random.below(FRAMES)}`
      : faultOf(random, report.frames, trial.policy, trial.sends);
    const { report: damaged, injected } = trial.run(fault);
    const hits = injected.filter((line) => !line.includes("missed="));
    if (hits.length === 0) continue; // there was nothing to change, such as a byte that a frame does not have
    counts.injected++;
    kinds.add(fault.replace(/ (frame|at|bit)=\d+/g, ""));
    const caught = damaged.faults.length > 0 || damaged.timeout !== null;
    assert(caught && !isIntact(damaged), `${where}: ${fault} was not caught: ${hits.join("; ")}`);
    if (!fault.startsWith(WRONG_WORD)) continue;
    // nothing else is wrong, so nothing else is named
    const at = Number(/frame=(\d+)/.exec(fault)?.[1]);
    assertEquals(damaged.faults.map(({ kind, frame }) => [kind, frame]), [["sideband", at]], where);
  }
  console.log(
    `seed ${seed}: ${counts.runs} designs, ${counts.words} of them with words beside frames, ` +
      `${counts.frames} frames, ${counts.injected} of their faults struck and were caught, of ${kinds.size} kinds`,
  );
  // most of them must strike, or the test shows little
  assert(counts.injected > 0.8 * DESIGNS, `${counts.injected} of ${DESIGNS} faults struck`);
  assertEquals(kinds.size, 9);
});
