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
import type { Sight } from "./trial.ts";

/** None of these was used while injector, classifier or catalogue were made. */
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
    // nothing is right by being called foreign
    const foreign = found.faults.filter(({ named }) => named?.includes("foreign"));
    assertEquals(foreign.filter(({ namedRight }) => namedRight), []);
  });
}

Deno.test("selfcheck() injects the same twice with a seed, and something else with another", () => {
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

Deno.test("selfcheck() injects the same few in the same way when it is asked for one in so many", () => {
  const settings = parseSettings({ board: "sim", seed: "7" });
  const options = { board: openBoard(settings), path: "/dev/pldma0", seed: 7 };
  const all = [...selfcheck(options)];
  const few = [...selfcheck({ ...options, every: 16 })];
  const pairs = all.filter(({ heldOut }) => heldOut !== undefined);
  const single = all.filter(({ heldOut }) => heldOut === undefined);
  assertEquals(few, [single, pairs].flatMap((some) => some.filter((_, i) => i % 16 === 0)));
});

Deno.test("pairsOf() gives each pair once, and holds about half of them out", () => {
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

function sight(some: Partial<Sight>): Sight {
  const injected = ["frame=5 kind=flip offset=0 length=1"];
  return { intact: false, faults: [], end: null, taken: 5, injected, ...some };
}

const rights = ({ caught, namedRight, blamedRight }: InjectedFault) => [
  caught,
  namedRight,
  blamedRight,
];

Deno.test("judge() takes the first fault of a frame that was hit", () => {
  const faults = [fault("lost", 4, "rx"), fault("bit-flip", 5, "core"), fault("torn", 5, "tx")];
  assertEquals(rights(judge([FLIP], sight({ faults }))), [true, true, true]);
  assertEquals(rights(judge([LINE], sight({ faults }))), [true, false, false]);
});

Deno.test("judge() lets a run that is whole be blind, not right", () => {
  const blind = judge([HANG], sight({ intact: true }));
  assertEquals(rights(blind), [false, false, false]);
  assertEquals(blind.frames, null);
  const [reason] = shortfalls(totals([blind]));
  assertEquals(reason, 'blind to "hang": the run with it was whole');
});

Deno.test("judge() holds foreign for wrong, even where it is expected", () => {
  const odd: SimFault = { ...FLIP, kind: "foreign" };
  const faults = [fault("foreign", 5, "core")];
  assertEquals(rights(judge([odd], sight({ faults }))), [true, false, true]);
});

Deno.test("judge() wants both faults of a pair, and nobody else blamed", () => {
  const both = [fault("bit-flip", 5, "core"), fault("stale-rx", 5, "rx")];
  assertEquals(rights(judge([FLIP, LINE], sight({ faults: both }), false)), [true, true, true]);
  const one = both.slice(0, 1);
  assertEquals(rights(judge([FLIP, LINE], sight({ faults: one }), false)), [true, false, false]);
  const third = [...both, fault("torn", 5, "tx")];
  assertEquals(rights(judge([FLIP, LINE], sight({ faults: third }), false)), [true, true, false]);
  assertEquals(rights(judge([FLIP, FLIP], sight({ faults: one }), false)), [true, false, false]);
});

Deno.test("shortfalls() tells when fewer than 95 % are named or blamed", () => {
  const good = judge([FLIP], sight({ faults: [fault("bit-flip", 5, "core")] }));
  const bad = judge([FLIP], sight({ faults: [fault("lost", 5, "core")] }));
  const of = (right: number, wrong: number) =>
    shortfalls(totals([...Array(right).fill(good), ...Array(wrong).fill(bad)]));
  assertEquals(of(19, 1), []);
  assertEquals(of(18, 1), ["18 of 19 single faults named rightly, fewer than 95 %"]);
});

/** Files of this project that a module needs when it runs, itself included. */
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

Deno.test("what injects faults and what names them share no module", async () => {
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
