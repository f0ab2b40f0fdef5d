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
  Deno.test(`selfcheck() on sim catches every fault and names 95 % of them, seed ${seed}`, () => {
    const found = totals(check(seed));
    const { single, pairs, heldOut } = found.total;
    console.log(`seed ${seed}: ${JSON.stringify({ single, pairs, heldOut })}`);
    assertEquals(found.faults.filter(({ caught }) => !caught), []);
    assertEquals(shortfalls(found), []);
    assertGreaterOrEqual(single.faults, 60);
    assertGreaterOrEqual(single.namedRight, 0.95 * single.faults);
    assertGreaterOrEqual(single.blamedRight, 0.95 * single.faults);
    assertGreaterOrEqual(heldOut.faults, 20);
    for (const { frames } of found.faults) assert(frames !== null && frames >= 1, `${frames}`);
    // foreign is never a correct name
    const foreign = found.faults.filter(({ named }) => named?.includes("foreign"));
    assertEquals(foreign.filter(({ namedRight }) => namedRight), []);
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
  const pairs = all.filter(({ heldOut }) => heldOut !== undefined);
  const single = all.filter(({ heldOut }) => heldOut === undefined);
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

const FLIP: SimFault = { name: "flip", spec: "", where: "core", kind: "bit-flip", blame: "core" };
const LINE: SimFault = { name: "line", spec: "", where: "memory", kind: "stale-rx", blame: "rx" };
const HANG: SimFault = { name: "hang", spec: "", where: "core", kind: null, blame: null };

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
  assertEquals(verdict(judge([FLIP], observed({ faults }))), [true, true, true]);
  assertEquals(verdict(judge([LINE], observed({ faults }))), [true, false, false]);
});

Deno.test("judge() calls a run without faults not caught, and neither named nor blamed correctly", () => {
  const blind = judge([HANG], observed({ intact: true }));
  assertEquals(verdict(blind), [false, false, false]);
  assertEquals(blind.frames, null);
  const [reason] = shortfalls(totals([blind]));
  assertEquals(reason, 'not caught: "hang" was injected, but all frames of the run passed');
});

Deno.test("judge() counts foreign as a wrong name, even if it is expected", () => {
  const odd: SimFault = { ...FLIP, kind: "foreign" };
  const faults = [fault("foreign", 5, "core")];
  assertEquals(verdict(judge([odd], observed({ faults }))), [true, false, true]);
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

Deno.test("shortfalls() returns a reason if fewer than 95 % are named or blamed correctly", () => {
  const good = judge([FLIP], observed({ faults: [fault("bit-flip", 5, "core")] }));
  const bad = judge([FLIP], observed({ faults: [fault("lost", 5, "core")] }));
  const of = (right: number, wrong: number) =>
    shortfalls(totals([...Array(right).fill(good), ...Array(wrong).fill(bad)]));
  assertEquals(of(19, 1), []);
  assertEquals(of(18, 1), ["18 of 19 single faults named correctly, fewer than 95 %"]);
});

/** The files of this project that a module needs at run time, including itself. */
async function needs(file: string): Promise<Set<string>> {
  const { success, stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["info", "--json", new URL(file, import.meta.url).pathname],
    stdout: "piped",
    stderr: "null",
  }).output();
  assert(success, `deno info ${file}`);
  const { roots, modules } = JSON.parse(new TextDecoder().decode(stdout)) as {
    roots: string[];
    modules: { specifier: string; dependencies?: { code?: { specifier?: string } }[] }[];
  };
  const found = new Set<string>();
  const open = [...roots];
  for (let one = open.pop(); one !== undefined; one = open.pop()) {
    if (found.has(one) || !one.startsWith("file:")) continue;
    found.add(one);
    const { dependencies = [] } = modules.find(({ specifier }) => specifier === one) ?? {};
    for (const { code } of dependencies) if (code?.specifier) open.push(code.specifier);
  }
  return found;
}

Deno.test("the injectors and the classifier share no module", async () => {
  const injects = await Promise.all(
    ["faults/injector", "faults/editors", "faults/spec", "faults/catalogue", "core/core"]
      .concat(["driver/handover", "driver/transfers"])
      .map((name) => needs(`../../fixtures/boards/sim/${name}.ts`)),
  );
  const injector = injects.reduce((all, some) => all.union(some));
  const classifier = await needs("../verify/classify.ts");
  assertGreaterOrEqual(injector.size, 8);
  assertGreaterOrEqual(classifier.size, 8);
  assertEquals([...injector.intersection(classifier)], []);
});
