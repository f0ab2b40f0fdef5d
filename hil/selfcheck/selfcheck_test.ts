// SPDX-License-Identifier: MIT
import { assert, assertEquals, assertGreaterOrEqual } from "@std/assert";
import { FAULTS, type SimFault } from "../../fixtures/boards/sim/mod.ts";
import { openBoard } from "../board/board.ts";
import type { InjectedFault } from "../results/schema.ts";
import type { Fault } from "../verify/fault.ts";
import { parseSettings } from "../settings/settings.ts";
import { judge } from "./judge.ts";
import { selfcheck, shortfalls, totals } from "./mod.ts";
import { pairsOf } from "./pairs.ts";
import type { Observation } from "./trial.ts";

/** None of these seeds was used while the injector, the classifier or the catalogue were developed. */
const SEEDS = [90_210, 271_828, 3_141_592];

function check(seed: number): InjectedFault[] {
  const settings = parseSettings({ board: "sim", seed: String(seed) });
  return [...selfcheck({ board: openBoard(settings), path: "/dev/pldma0", seed })];
}

for (const seed of SEEDS) {
  Deno.test(`selfcheck() on sim catches every fault, and names 97 % of the certain ones, seed ${seed}`, () => {
    const found = totals(check(seed));
    const { single, ambiguous, pairs, heldOut } = found.total;
    console.log(`seed ${seed}: ${JSON.stringify({ single, ambiguous, pairs, heldOut })}`);
    assertEquals(found.faults.filter(({ caught }) => !caught), []);
    assertEquals(shortfalls(found), []);
    assertGreaterOrEqual(single.faults, 100);
    assertGreaterOrEqual(single.faults, 0.8 * (single.faults + ambiguous.faults));
    assertGreaterOrEqual(single.namedRight, 0.97 * single.faults);
    assertGreaterOrEqual(single.blamedRight, 0.97 * single.faults);
    assertGreaterOrEqual(pairs.namedRight, 0.93 * pairs.faults);
    assertGreaterOrEqual(pairs.blamedRight, 0.93 * pairs.faults);
    // a third of the single faults, and about half of the pairs
    assertGreaterOrEqual(heldOut.faults, 60);
    assertGreaterOrEqual(heldOut.namedRight, 0.9 * heldOut.faults);
    for (const { frames } of found.faults) assert(frames !== null && frames >= 1, `${frames}`);
  });
}

Deno.test("selfcheck() injects the same faults with the same seed, and other faults with another seed", () => {
  const specs = (seed: number) => {
    const armed: string[] = [];
    const board = openBoard(parseSettings({ board: "sim", seed: String(seed) }));
    const arm = (spec: string) => {
      armed.push(spec);
      board.arm(spec);
    };
    const found = [...selfcheck({ board: { ...board, arm }, path: "/dev/pldma0", seed })];
    return { armed, found };
  };
  const seven = specs(7);
  assertEquals(specs(7), seven);
  const eight = new Set(specs(8).armed);
  assertEquals(seven.armed.filter((spec) => eight.has(spec)), []);
});

Deno.test("selfcheck() with every injects a part of the same faults in the same way", () => {
  const settings = parseSettings({ board: "sim", seed: "7" });
  const options = { board: openBoard(settings), path: "/dev/pldma0", seed: 7 };
  const all = [...selfcheck(options)];
  const few = [...selfcheck({ ...options, every: 16 })];
  const pairs = all.filter(({ pair }) => pair === true);
  const single = all.filter(({ pair }) => pair !== true);
  assertEquals(few, [single, pairs].flatMap((some) => some.filter((_, i) => i % 16 === 0)));
});

Deno.test("pairsOf() returns each pair once, and holds about half of them out", () => {
  const pairs = pairsOf(FAULTS);
  const names = pairs.map(({ faults }) => faults.map(({ name }) => name).sort().join(" + "));
  assertEquals(new Set(names).size, pairs.length);
  assertEquals(pairs.length, 14 * 13 / 2);
  const heldOut = pairs.filter((pair) => pair.heldOut).length;
  assert(heldOut * 3 > pairs.length && heldOut * 3 < 2 * pairs.length, `${heldOut} held out`);
});

const COMMON = { spec: "", where: "core", heldOut: false } as const;
const FLIP: SimFault = { ...COMMON, name: "flip", names: ["bit-flip"], blames: ["core"] };
const LINE: SimFault = { ...COMMON, name: "line", names: ["stale-rx"], blames: ["rx"] };
const HANG: SimFault = { ...COMMON, name: "hang", names: ["timeout"], blames: [null] };

function fault(kind: Fault["kind"], frame: number, blame: Fault["blame"]): Fault {
  return { kind, frame, offset: 0, length: 1, blame, detail: "" };
}

function observed(some: Partial<Observation>): Observation {
  const injected = ["frame=5 kind=flip offset=0 length=1"];
  return { intact: false, faults: [], end: null, taken: 5, injected, ...some };
}

const verdict = ({ caught, namedRight, blamedRight }: InjectedFault) => [
  caught,
  namedRight,
  blamedRight,
];

Deno.test("judge() judges the first fault of a frame that was hit", () => {
  const faults = [fault("lost", 4, "rx"), fault("bit-flip", 5, "core"), fault("torn", 5, "tx")];
  assertEquals(verdict(judge([FLIP], observed({ faults }), false)), [true, true, true]);
  assertEquals(verdict(judge([LINE], observed({ faults }), false)), [true, false, false]);
});

Deno.test("judge() calls a run without faults not caught, and neither named nor blamed correctly", () => {
  const blind = judge([HANG], observed({ intact: true }), false);
  assertEquals(verdict(blind), [false, false, false]);
  assertEquals(blind.frames, null);
  const [reason] = shortfalls(totals([blind]));
  assertEquals(reason, 'not caught: "hang" was injected, but all frames of the run passed');
});

Deno.test("judge() expects all names that are possible, and no other", () => {
  const set: SimFault = { ...LINE, names: ["stale-rx", "not-written"] };
  const named = (alternatives: Fault["kind"][], of = set) => {
    const faults = [{ ...fault("stale-rx", 5, "rx"), alternatives }];
    return judge([of], observed({ faults }), false).namedRight;
  };
  assertEquals(named(["not-written"]), true);
  assertEquals([named([]), named(["torn"]), named(["not-written", "torn"])], [false, false, false]);
  // nor may a name be left open that the board shows
  assertEquals([named([], LINE), named(["not-written"], LINE)], [true, false]);
  const { named: text, certain } = judge(
    [set],
    observed({
      faults: [{ ...fault("stale-rx", 5, "rx"), alternatives: ["not-written"] }],
    }),
    false,
  );
  assertEquals([text, certain], ["stale-rx or not-written", false]);
});

Deno.test("judge() lets the blame open where several parts are possible", () => {
  const blamed = (blame: Fault["blame"], blames: SimFault["blames"]) =>
    judge([{ ...FLIP, blames }], observed({ faults: [fault("bit-flip", 5, blame)] }), false)
      .blamedRight;
  assertEquals([blamed("rx", ["core", "rx"]), blamed(null, ["core", "rx"])], [true, true]);
  assertEquals([blamed("tx", ["core", "rx"]), blamed(null, ["core"])], [false, false]);
});

Deno.test("judge() expects both faults of a pair, and no other part blamed", () => {
  const both = [fault("bit-flip", 5, "core"), fault("stale-rx", 5, "rx")];
  assertEquals(verdict(judge([FLIP, LINE], observed({ faults: both }), false)), [true, true, true]);
  const one = both.slice(0, 1);
  assertEquals(verdict(judge([FLIP, LINE], observed({ faults: one }), false)), [
    true,
    false,
    false,
  ]);
  const third = [...both, fault("torn", 5, "tx")];
  assertEquals(verdict(judge([FLIP, LINE], observed({ faults: third }), false)), [
    true,
    true,
    false,
  ]);
  assertEquals(verdict(judge([FLIP, FLIP], observed({ faults: one }), false)), [
    true,
    false,
    false,
  ]);
});

Deno.test("shortfalls() returns a reason if fewer than 97 % are named or blamed correctly", () => {
  const good = judge([FLIP], observed({ faults: [fault("bit-flip", 5, "core")] }), false);
  const bad = judge([FLIP], observed({ faults: [fault("lost", 5, "core")] }), false);
  const of = (right: number, wrong: number) =>
    shortfalls(totals([...Array(right).fill(good), ...Array(wrong).fill(bad)]));
  assertEquals(of(97, 3), []);
  assertEquals(of(32, 1), ["32 of 33 single faults named correctly, fewer than 97 %"]);
});
