// SPDX-License-Identifier: MIT
// The coherence suite on the simulated board: it ends as its table says, also when the driver makes
// mistakes, and its setups do what they say.
import { assert, assertEquals, assertGreater } from "@std/assert";
import { Device } from "../../../driver/device.ts";
import {
  type Direction,
  INFO,
  IOC,
  POLICIES,
  POLICY_INFO,
  type PolicyName,
} from "../../../driver/uapi.ts";
import { SimBoard } from "../../../fixtures/boards/sim/mod.ts";
import { patterns } from "../../patterns/mod.ts";
import { frameSizes, readCaches } from "../../suites/coherence/caches.ts";
import {
  expectationOf,
  type Kind,
  KINDS,
  LITMUS_NAMES,
  powerError,
  SHOWS,
  shows,
} from "../../suites/coherence/expected.ts";
import { SYNC_CALLS, type SyncCall } from "../../frames/handover.ts";
import { LITMUS } from "../../suites/coherence/litmus.ts";
import { runLitmus } from "../../suites/coherence/litmus_run.ts";
import { Pressure } from "../../suites/coherence/pressure.ts";
import { tempDir } from "../../testing/temp_dir.ts";
import { expectedOutcomes, outcomes, type Run } from "./testing/ending.ts";
import { runOnSim } from "./testing/run_on_sim.ts";

const runSuite = (...args: string[]) => runOnSim("coherence", ...args);

for (const seed of [1, 2, 3]) {
  Deno.test(`the coherence suite ends on sim as expected.ts says, seed ${seed}`, () => {
    const { code, results, text } = runSuite(`--seed=${seed}`);
    assertEquals(outcomes(results), expectedOutcomes({ kind: "sim" }));
    assertEquals(code, 0, text);
    // so that the table cannot shrink unnoticed
    const { pass, xfail, skip } = results.summary;
    assertEquals({ pass, xfail, skip }, { pass: 84, xfail: 24, skip: 17 });
    const { coherence, tx, rx } = results.power;
    assertEquals({ coherence, tx, rx }, { coherence: true, tx: true, rx: true });
    for (const { name, outcome, frames } of results.tests) {
      if (outcome === "PASS") assertGreater(frames, 15, name);
    }
  });
}

Deno.test("the coherence suite calls one wrong bit of a line a bit-flip, at its byte", () => {
  const { code, results, text } = runSuite(
    ...["--policy=coherent,streaming", "--size=4096", "--frames=20"],
    "--fault=kind=flip frame=17 bit=7",
  );
  assertEquals(code, 1, text);
  const faults = results.tests.flatMap((test) => test.faults);
  assertGreater(faults.length, 10);
  assertEquals(new Set(faults.map(({ kind }) => kind)), new Set(["bit-flip"]));
  for (const { offset, length, damage, detail } of faults) {
    assertEquals([length, damage?.offset, damage?.xor], [1, offset, "80"]);
    assertEquals(detail, `bit 7 of byte ${offset} is wrong`);
  }
});

for (
  const [fault, kinds] of [
    // the receive block keeps old data behind a frame that comes short, and they are no fault
    ["short", ["truncated"]],
    ["drop", ["lost", "truncated"]],
    ["byte-lanes", ["byte-lanes"]],
    ["rotate", ["reordered"]],
    ["interleave", ["reordered"]],
    ["invert", ["bit-flip"]],
    ["duplicate", ["duplicated"]],
  ] as const
) {
  Deno.test(`the coherence suite names what a core does to data, and nothing else: ${fault}`, () => {
    const { code, results, text } = runSuite(
      ...["--policy=coherent,streaming", "--size=4096", "--frames=60"],
      `--fault=kind=${fault} rate=30`,
    );
    assertEquals(code, 1, text);
    const faults = results.tests.flatMap((test) => test.faults);
    assertGreater(faults.length, 3);
    assertEquals([...new Set(faults.map(({ kind }) => kind))].toSorted(), [...kinds]);
    assertEquals(faults.filter(({ blame }) => blame !== "core" && blame !== null), []);
  });
}

Deno.test("the coherence suite ends on a coherent sim as expected.ts says", () => {
  const { code, results, text } = runSuite("--coherent");
  const run: Run = { kind: "coherent", aliases: ["write-combine"] };
  assertEquals(outcomes(results), expectedOutcomes(run));
  assertEquals(code, 0, text);
});

/** A mistake of a driver, as a fault specification of sim. */
function fault(call: SyncCall): string {
  const [direction, op] = [call.slice(0, 2), call.slice(3)];
  return `--fault=kind=sync-skip direction=${direction} op=${op} rate=1`;
}

for (const mistake of SYNC_CALLS) {
  Deno.test(`the coherence suite names a driver that leaves ${mistake} out, on sim`, () => {
    const policies: PolicyName[] = [
      ...["coherent", "streaming", "streaming-lazy", "noncoherent"] as const,
      ...["user-pages", "user-pages-registered", "bounce"] as const,
    ];
    const { code, results, text } = runSuite(fault(mistake), `--policy=${policies}`);
    assertEquals(outcomes(results), expectedOutcomes({ kind: "sim", policies, mistake }));
    assertEquals(code, 1, text);
    const blamed = results.tests.flatMap(({ outcome, faults }) =>
      outcome === "FAIL" ? [faults[0]?.blame ?? "nobody"] : []
    );
    assertEquals([...new Set(blamed)], [mistake.slice(0, 2)]);
  });
}

/** Faults of a litmus test under policy none, by direction. A driver may have that policy and no other. */
function findings(direction: Direction, isAlone: boolean) {
  using board = new SimBoard({ seed: 3 });
  const ioctl = board.ioctl.bind(board);
  board.ioctl = (fd, request, argument) => {
    const result = ioctl(fd, request, argument);
    if (request === IOC.INFO && argument !== null && isAlone) {
      const view = new DataView(argument.buffer, argument.byteOffset);
      for (const index of POLICIES.keys()) {
        const at = INFO.at.policy + index * POLICY_INFO.size + POLICY_INFO.at.flags;
        if (POLICIES[index] !== "none") view.setUint32(at, 0, true);
      }
    }
    return result;
  };
  using device = Device.open({ syscalls: board });
  const setup = LITMUS[direction === "tx" ? "transmit visibility" : "receive visibility"]
    .setups[direction];
  if (setup === undefined) throw new Error(`Expected a part for ${direction}, found none`);
  const { faults } = runLitmus(device, setup, {
    ...{ policy: "none", direction, size: 4096, rounds: 20, deadline: Infinity, maxFaults: 16 },
    ...{ without: null, half: false, pressure: null },
    pattern: patterns.tagged().create({ seed: 3, maxLength: 4096 }),
  });
  assertGreater(faults.length, 1);
  return {
    blame: [...new Set(faults.map(({ blame }) => blame))],
    alternatives: new Set(faults.flatMap(({ alternatives = [] }) => alternatives)),
  };
}

Deno.test("a litmus test blames no direction if the driver has one policy for both", () => {
  for (const [direction, other] of [["tx", "stale-rx"], ["rx", "stale-tx"]] as const) {
    const sure = findings(direction, false);
    assertEquals(sure.blame, [direction]);
    assertEquals(sure.alternatives.has(other), false);
    const open = findings(direction, true);
    assertEquals(open.blame, [null]);
    assertEquals(open.alternatives.has(other), true);
  }
});

Deno.test("the coherence suite skips by name what --size leaves nothing of", () => {
  const { code, results, text } = runSuite("--size=64", "--policy=streaming,none", "--frames=9");
  assertEquals(code, 0, text);
  for (const { name, outcome, reason, frames } of results.tests) {
    const few = name.startsWith("shared line") || name.startsWith("partial sync");
    if (few) assertEquals(reason?.slice(0, 31), "needs frames of 2 cache lines t", name);
    else if (outcome === "PASS") assertEquals(frames % 9, 0, name);
  }
});

Deno.test("the coherence suite takes frames that end within a word, a line or a page", () => {
  const { code, results, text } = runSuite("--size=65,129,1000,4097,8191", "--frames=8");
  assertEquals(code, 0, text);
  assertEquals(new Set(results.tests.map(({ outcome }) => outcome)).has("XFAIL"), true);
});

Deno.test("the coherence suite is bounded by --duration", () => {
  const { results } = runSuite("--duration=2s", "--policy=coherent", "--size=64");
  // without it they would take a fiftieth of that
  assertGreater(results.tests.reduce((sum, { seconds }) => sum + seconds, 0), 1.8);
});

Deno.test("expected.ts and litmus.ts tell of the same tests", () => {
  assertEquals(Object.keys(LITMUS), [...LITMUS_NAMES]);
  for (const name of LITMUS_NAMES) {
    const { directions, needs } = expectationOf(name);
    assertEquals(Object.keys(LITMUS[name].setups), [...directions], name);
    for (const call of needs) assert(directions.some((one) => call.startsWith(one)), name);
  }
  // each call has a control
  const needed = LITMUS_NAMES.flatMap((name) => expectationOf(name).needs);
  assertEquals(new Set(needed), new Set(SYNC_CALLS));
});

Deno.test("powerError() accuses a control that passes where the board must show it", () => {
  const eviction = (kind: Kind) =>
    powerError(kind, "dirty-line eviction", "manual", "rx-for-device");
  assert(eviction("sim")?.includes("kind sim"));
  assert(eviction("adversarial") !== null);
  for (const kind of ["swiotlb", "hardware", "coherent"] as const) {
    assertEquals(eviction(kind), null);
  }
  // bounce buffers do not show the one, but the other calls that none leaves out
  assert(powerError("swiotlb", "dirty-line eviction", "none", null) !== null);
  assertEquals(powerError("sim", "dirty-line eviction", "manual", null), null);
});

Deno.test("the tables in README.md say what expected.ts says", async () => {
  const readme = new URL("../../suites/coherence/README.md", import.meta.url);
  const rows = (await Deno.readTextFile(readme)).split("\n").filter((line) => line.startsWith("|"))
    .map((line) => line.split("|").slice(1, -1).map((cell) => cell.trim()));
  const calls = rows.filter(([name = ""]) => /^[rt]x-for/.test(name));
  assertEquals(calls, SYNC_CALLS.map((call) => [call, ...KINDS.map((kind) => SHOWS[call][kind])]));
  const names = rows.map(([name = ""]) => name).filter((name) => name in LITMUS);
  assertEquals(names, [...LITMUS_NAMES]);
});

Deno.test("shows() says less of swiotlb where it does not bounce", () => {
  assertEquals(shows("swiotlb", "noncoherent", "rx-for-cpu"), "no");
  assertEquals(shows("adversarial", "noncoherent", "rx-for-cpu"), "yes");
  for (const call of SYNC_CALLS) assertEquals(SHOWS[call].coherent, "no");
});

Deno.test("readCaches() reads sysfs, and assumes a common processor where it is silent", () => {
  const root = tempDir();
  const add = (index: number, type: string, size: string) => {
    Deno.mkdirSync(`${root}/index${index}`);
    Deno.writeTextFileSync(`${root}/index${index}/type`, `${type}\n`);
    Deno.writeTextFileSync(`${root}/index${index}/size`, `${size}\n`);
  };
  assertEquals(readCaches(undefined, root), { first: 32768, last: 1048576, source: "assumed" });
  add(0, "Data", "48K");
  add(1, "Instruction", "16K");
  add(2, "Unified", "2M");
  assertEquals(readCaches(undefined, root), { first: 49152, last: 2 << 20, source: "system" });
});

Deno.test("frameSizes() lie around the caches' sizes, and are whole lines", () => {
  const units = { line: 64, page: 4096, most: 4 << 20 };
  const caches = { first: 32768, last: 524288, source: "system" } as const;
  assertEquals(frameSizes(caches, units), [64, 4096, 16384, 65536, 1048576]);
  assertEquals(frameSizes({ ...caches, last: 64 << 20 }, units).at(-1), 2 << 20);
  assertEquals(frameSizes(caches, { ...units, most: 5000 }), [64, 4096]);
  assertEquals(frameSizes(null, units), [64, 4096, 65536]);
});

Deno.test("Pressure walks in a second thread until rest() or disposal", async () => {
  const caches = { first: 1024, last: 65536, source: "system" } as const;
  const pressure = new Pressure(caches, 64);
  const moves = async (): Promise<boolean> => {
    const before = pressure.stretches;
    for (let i = 0; i < 3000 && pressure.stretches === before; i++) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    return pressure.stretches !== before;
  };
  try {
    pressure.begin();
    assert(await moves());
    pressure.rest();
    // the stretch under way may still end, however late
    let before = NaN;
    for (let i = 0; i < 100 && pressure.stretches !== before; i++) {
      before = pressure.stretches;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    assertEquals(pressure.stretches, before);
    pressure.begin();
    assert(await moves());
  } finally {
    pressure[Symbol.dispose]();
  }
});
