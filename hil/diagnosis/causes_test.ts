// SPDX-License-Identifier: MIT
import { assertEquals } from "@std/assert";
import type { Blame, FaultKind } from "../verify/fault.ts";
import { CAUSES } from "./causes.ts";
import { diagnose } from "./diagnose.ts";
import { matchCauses } from "./match.ts";
import { CACHED } from "./observations.ts";
import type { Signature } from "./signature.ts";
import { type MadeFault, type MadeFrame, type MadeRun, madeRun } from "./testing/made_run.ts";

/** A fault from an offset to the end of the frame. */
const rest = (kind: FaultKind, blame: Blame, offset: number, size: number): MadeFault[] => [
  { kind, blame, offset, length: size - offset },
];

/** A line at a random place, which is a whole line of the block. */
const line = (kind: FaultKind, blame: Blame, { size, random }: MadeFrame): MadeFault[] => {
  const offset = 64 * random.below(Math.ceil(size / 64));
  return [{ kind, blame, offset, length: Math.min(64, size - offset) }];
};

/** Some bytes at a random place. */
const some = (kind: FaultKind, blame: Blame, { size, random }: MadeFrame): MadeFault[] => {
  const offset = 8 * random.below(Math.max(1, Math.floor(size / 8) - 3));
  return [{ kind, blame, offset, length: Math.min(24, size - offset) }];
};

const whole = (kind: FaultKind, blame: Blame, size: number): MadeFault[] =>
  rest(kind, blame, 0, size);
/** Another frame in place of this one. */
const otherFrame = (kind: FaultKind, { size, frame }: MadeFrame): MadeFault[] =>
  whole(kind, "core", size).map((fault) => ({ ...fault, found: frame + 1 }));
const end = (size: number) => Math.floor((size - 1) / 64) * 64;
const isCached = ({ policy }: MadeFrame) => CACHED.has(policy);
const sometimes = ({ random }: MadeFrame) => random.below(3) === 0;

/** A run for each cause, and the causes that its evidence leaves. */
const RUNS: readonly (readonly [causes: string, run: MadeRun])[] = [
  ["length-register", {
    faults: ({ size }) => size < 16_384 ? [] : rest("truncated", "core", size % 16_384, size),
  }],
  ["length-limit", {
    faults: ({ size }) => size <= 8192 ? [] : rest("truncated", "core", 8192, size),
  }],
  ["length-short", { faults: ({ size }) => rest("truncated", "driver", size - 8, size) }],
  ["tlast-early", {
    faults: (frame) =>
      sometimes(frame)
        ? rest("truncated", "core", 8 * frame.random.below(frame.size / 8), frame.size)
        : [],
  }],
  ["tlast-late", {
    faults: ({ size }) => [{ kind: "too-long", blame: "core", offset: size, length: 8 }],
  }],
  ["tlast-late receive-range", {
    faults: ({ size }) =>
      size <= 4097 ? [] : [{ kind: "too-long", blame: "core", offset: size, length: 1 }],
  }],
  ["write-past-end", {
    faults: (frame) =>
      sometimes(frame) ? [{ kind: "overrun", blame: "core", offset: frame.size, length: 8 }] : [],
  }],
  ["for-cpu-missing", { faults: (frame) => isCached(frame) ? line("stale-rx", "rx", frame) : [] }],
  ["for-device-missing", {
    faults: (frame) => isCached(frame) ? line("stale-tx", "tx", frame) : [],
  }],
  ["for-cpu-short", {
    faults: (frame) => isCached(frame) ? rest("stale-rx", "rx", end(frame.size), frame.size) : [],
  }],
  ["for-device-short", {
    faults: (frame) => isCached(frame) ? rest("stale-tx", "tx", end(frame.size), frame.size) : [],
  }],
  ["for-cpu-late", {
    faults: (frame) =>
      isCached(frame) ? [{ kind: "stale-rx", blame: "rx", offset: 0, length: 64 }] : [],
  }],
  ["for-device-late", {
    faults: (frame) =>
      isCached(frame) ? [{ kind: "stale-tx", blame: "tx", offset: 0, length: 64 }] : [],
  }],
  ["not-coherent-after-all", {
    coherent: true,
    faults: (frame) => isCached(frame) ? line("early-completion", "rx", frame) : [],
  }],
  ["user-page-list", {
    policies: ["coherent", "streaming", "user-pages", "user-pages-registered"],
    faults: (frame) => frame.policy.startsWith("user") ? some("foreign", "rx", frame) : [],
  }],
  ["one-policy", {
    faults: (frame) => frame.policy === "noncoherent" ? some("foreign", "rx", frame) : [],
  }],
  ["stuck-line", {
    faults: ({ size }) => [{
      kind: "stuck-bit",
      blame: "rx",
      offset: 0,
      length: size,
      xor: "8000000000000000".repeat(Math.min(32, Math.floor(size / 8))),
    }],
  }],
  ["byte-lane", {
    faults: ({ size, random }) => [{
      kind: "foreign",
      blame: "core",
      offset: 3,
      length: size - 3,
      xor: Array.from(
        { length: Math.min(16, Math.floor(size / 8) - 1) },
        () => (1 + random.below(255)).toString(16).padStart(2, "0") + "00".repeat(7),
      ).join(""),
    }],
  }],
  ["byte-order", { faults: ({ size }) => whole("byte-lanes", "core", size) }],
  ["random-flips", {
    faults: (frame) =>
      sometimes(frame)
        ? [{
          kind: "bit-flip",
          blame: "core",
          offset: frame.random.below(frame.size),
          length: 1,
          xor: (1 << frame.random.below(8)).toString(16).padStart(2, "0"),
        }]
        : [],
  }],
  ["random-flips weak-memory", {
    faults: (frame) =>
      sometimes(frame)
        ? [{
          kind: "bit-flip",
          blame: "rx",
          offset: frame.random.below(frame.size),
          length: 1,
          xor: (1 << frame.random.below(8)).toString(16).padStart(2, "0"),
        }]
        : [],
  }],
  ["memory-cell bad-block", {
    frames: 200,
    faults: ({ block, size }) =>
      block === 8 && size >= 300
        ? [{ kind: "bit-flip", blame: "rx", offset: 123, length: 1, xor: "04" }]
        : [],
  }],
  ["every-nth-beat", {
    sizes: [4096, 4104, 10_000, 20_000],
    faults: () =>
      [0, 1, 2, 3, 4].map((i) => ({
        kind: "foreign",
        blame: "core",
        offset: 24 + 256 * i,
        length: 8,
      })),
  }],
  ["wrong-address", {
    faults: (frame) => [
      ...some("shifted", "rx", frame),
      ...some("not-written", "rx", frame),
    ],
  }],
  ["4k-boundary", {
    faults: ({ size, random }) =>
      size <= 8192 - 64 ? [] : [{
        kind: "lost",
        blame: "core",
        offset: 4096 * (1 + random.below(Math.floor(size / 4096) - 1)) - 64,
        length: 32,
      }],
  }],
  ["4k-boundary page-translation", {
    faults: ({ size, random }) =>
      size <= 8192 - 64 ? [] : [{
        kind: "foreign",
        blame: "rx",
        offset: 4096 * (1 + random.below(Math.floor(size / 4096) - 1)) - 64,
        length: 32,
      }],
  }],
  ["burst-boundary", {
    faults: ({ size, random }) =>
      size < 1001 ? [] : [{
        kind: "foreign",
        blame: "core",
        offset: 512 * (1 + random.below(Math.floor(size / 512))) - 64,
        length: 32,
      }],
  }],
  ["segment-boundary", {
    sizes: [64, 1001, 4096, 10_000, 200_000, 400_000],
    faults: ({ size, random }) =>
      size < 65_536 ? [] : [{
        kind: "foreign",
        blame: "core",
        offset: 16_384 * (1 + random.below(Math.floor(size / 16_384) - 1)) - 64,
        length: 32,
      }],
  }],
  ["above-offset", {
    faults: ({ size }) => size <= 8192 ? [] : rest("foreign", "rx", 8192, size),
  }],
  ["partial-beat", {
    faults: ({ size }) => size % 8 === 0 ? [] : rest("foreign", "core", size - size % 8, size),
  }],
  ["no-realignment", {
    faults: (frame) => frame.size % 8 === 0 ? [] : some("foreign", "core", frame),
  }],
  ["large-block address-range", {
    faults: ({ size }) => size <= 16_384 ? [] : whole("foreign", "rx", size),
  }],
  ["fifo-overflow beats-lost", {
    faults: (frame) =>
      frame.size <= 4100
        ? []
        : rest("lost", "core", 4104 + 8 * frame.random.below(600), frame.size),
  }],
  ["beats-lost", {
    faults: (frame) =>
      sometimes(frame)
        ? rest("lost", "core", 8 * frame.random.below(frame.size / 8), frame.size)
        : [],
  }],
  ["bursts-reordered", { faults: (frame) => some("reordered", "core", frame) }],
  ["frame-offset", { faults: ({ size }) => whole("shifted", "core", size) }],
  ["frames-mixed-up", {
    faults: (frame) => sometimes(frame) ? otherFrame("duplicated", frame) : [],
  }],
  ["descriptors-overtake", {
    faults: (frame) => frame.depth > 1 && sometimes(frame) ? otherFrame("swapped", frame) : [],
  }],
  ["prefetch transfers-mixed", {
    faults: (frame) => frame.depth > 1 ? some("early-completion", "tx", frame) : [],
  }],
  ["prefetch transfers-mixed stray-write", {
    faults: (frame) => frame.depth > 1 ? some("torn", "rx", frame) : [],
  }],
  ["beats-lost back-to-back", {
    faults: (frame) => frame.depth > 1 ? some("lost", "core", frame) : [],
  }],
  // data that were never sent belong to no other transfer
  ["", { faults: (frame) => frame.depth > 1 ? some("foreign", "rx", frame) : [] }],
  ["early-completion writes-lost", {
    faults: (frame) =>
      sometimes(frame)
        ? rest("not-written", "rx", 8 * frame.random.below(frame.size / 8), frame.size)
        : [],
  }],
  ["early-read wrong-read-address", {
    faults: (frame) =>
      sometimes(frame)
        ? rest("early-completion", "tx", 8 * frame.random.below(frame.size / 8), frame.size)
        : [],
  }],
  ["bus-error", { faults: (frame) => sometimes(frame) ? some("reads-ones", "tx", frame) : [] }],
  ["after-reset", { faults: (frame) => frame.frame === 0 ? some("foreign", "core", frame) : [] }],
  ["ring-wrap", {
    faults: (frame) => frame.frame % 16 === 15 ? some("foreign", "core", frame) : [],
  }],
  ["bad-block", {
    blocks: ({ size }) => size > 5000 ? 7 : 12,
    faults: (frame) => frame.block === 8 ? some("foreign", "rx", frame) : [],
  }],
  ["ring-wrap bad-block", {
    frames: 200,
    faults: (frame) => frame.block === 8 ? some("foreign", "rx", frame) : [],
  }],
  ["completion-mix-up", { faults: () => [], end: ({ frame }) => frame === 5 ? "mix-up" : null }],
  ["completion-lost", {
    faults: () => [],
    end: ({ frame, depth }) => frame !== 5 ? null : depth === 1 ? "timeout" : "mix-up",
  }],
];

for (const [causes, run] of RUNS) {
  Deno.test(`diagnose() finds ${causes || "no cause"} in a run that is made for it`, () => {
    const [group] = diagnose(madeRun(run))?.groups ?? [];
    assertEquals(group?.causes.map(({ id }) => id).join(" "), causes, group?.sentence);
    const status = [null, "named", "narrowed"][causes.split(" ").filter(Boolean).length] ?? "open";
    assertEquals(group?.status, status);
    const texts = group?.causes.map(({ cause, check, remedy }) => [cause, check, remedy]) ?? [];
    assertEquals(
      [group?.sentence, ...texts.flat()].filter((text) => /\.{3}|[{}[\]|]/.test(text ?? "")),
      [],
    );
  });
}

Deno.test("diagnose() keeps the multiple of a size apart from the bits of a word", () => {
  // one byte lane is wrong, and only in sizes that are no multiple of 4 bytes
  const lane = "5a00000000000000".repeat(12);
  const [group] = diagnose(madeRun({
    sizes: [64, 301, 1001, 4096, 4099, 10_004, 20_002, 40_960, 70_001],
    faults: ({ size }) =>
      size % 4 === 0
        ? []
        : [{ kind: "foreign", blame: "core", offset: 0, length: size, xor: lane }],
  }))?.groups ?? [];
  const texts = group?.causes.map(({ id, check }) => `${id}: ${check}`) ?? [];
  assertEquals(texts.filter((text) => text.startsWith("no-realignment")), [
    "no-realignment: Run --size with multiples of 4 bytes only",
  ]);
});

const UNKNOWN: Signature = {
  damage: ["timeout"],
  leading: "timeout",
  blame: "unknown",
  policy: "unknown",
  depth: "unknown",
  size: "unknown",
  ragged: "unknown",
  frame: "unknown",
  block: "unknown",
  place: "unknown",
  bit: "unknown",
  unit: "unknown",
  content: "unknown",
  rate: "unknown",
  length: "unknown",
  coherent: "unknown",
  stream: "unknown",
  transfer: "unknown",
};

const TIMEOUTS = [
  "completion-lost",
  "lost-interrupt",
  "tlast-missing",
  "nothing-moved",
  "receive-stalls",
];

Deno.test("matchCauses() leaves five causes of a timeout as long as nothing shows what moved", () => {
  const { confirmed, possible } = matchCauses(UNKNOWN);
  assertEquals(confirmed.map(({ id }) => id), ["completion-lost"]);
  assertEquals(possible.map(({ id }) => id), TIMEOUTS.slice(1));
});

Deno.test("matchCauses() tells timeouts apart by what moved", () => {
  const found = (["arrived", "nothing", "halted", "sent", "stopped"] as const).map((transfer) =>
    matchCauses({ ...UNKNOWN, transfer }).confirmed.map(({ id }) => id).join()
  );
  assertEquals(found, [
    "lost-interrupt,tlast-missing",
    "completion-lost,nothing-moved",
    "completion-lost,receive-stalls",
    "receive-stalls",
    "receive-stalls",
  ]);
});

Deno.test("every cause has a run that finds it", () => {
  const found = new Set([...RUNS.flatMap(([causes]) => causes.split(" ")), ...TIMEOUTS]);
  assertEquals(CAUSES.map(({ id }) => id).filter((id) => !found.has(id)), []);
  assertEquals(new Set(CAUSES.map(({ id }) => id)).size, CAUSES.length);
});
