// SPDX-License-Identifier: MIT
// `plumbline run --duration` as a user sees it: rounds, their journal and memory, and --resume.
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { checkResults } from "../results/check.ts";
import type { Results } from "../results/schema.ts";
import { ROOT } from "../settings/paths.ts";
import { tempDir } from "../testing/temp_dir.ts";

const MOD = new URL("../../mod.ts", import.meta.url).href;

/** Runs `plumbline run` in a folder, on the simulated board. */
async function plumbline(dir: string, ...args: readonly string[]) {
  const { PLUMBLINE_RESULTS: _r, PLUMBLINE_BOARD: _b, ...env } = Deno.env.toObject();
  const child = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", `${ROOT}hil/cli/main.ts`, "run", ...args],
    cwd: dir,
    env: { ...env, NO_COLOR: "1" },
    clearEnv: true,
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  const output = text(child.stdout) + text(child.stderr);
  return { code: child.code, signal: child.signal, output };
}

function write(dir: string, body: string): string {
  const file = `${dir}/soak_test.ts`;
  Deno.writeTextFileSync(file, `import { assertIntact, hil } from "${MOD}";\n${body}`);
  return file;
}

function resultsIn(dir: string): Results {
  return checkResults(JSON.parse(Deno.readTextFileSync(`${dir}/results/results.json`)));
}

const ROUNDS = 8;

/** Runs a soak of so many frames, and returns bytes of the journal and of the memory after each round. */
async function soak(frames: number) {
  const dir = tempDir();
  const file = write(
    dir,
    `
const top = await hil();
top.matrix("loop", { policy: ["streaming"], size: [64], depth: ["max"] }, async ({ loop }) => {
  assertIntact(await loop.run({ frames: ${frames / ROUNDS} }));
  Deno.writeTextFileSync("${dir}/memory", Deno.memoryUsage().rss + "\\n", { append: true });
});`,
  );
  const options = ["--board=sim", "--duration=20h", `--rounds=${ROUNDS}`, "--pattern=tagged"];
  const ended = await plumbline(dir, ...options, "--results=results", file);
  assertEquals(ended.code, 0, ended.output);
  const { soak } = resultsIn(dir);
  assertEquals([soak?.frames, soak?.rounds, soak?.faults], [frames, ROUNDS, 0]);
  return {
    journal: Deno.statSync(`${dir}/results/journal.jsonl`).size,
    memory: Deno.readTextFileSync(`${dir}/memory`).trim().split("\n").map(Number),
    output: ended.output,
  };
}

Deno.test("plumbline run --duration needs no more journal and memory for ten times the frames", async () => {
  const [few, many] = [await soak(10_000), await soak(100_000)];
  assertSimilar(few.journal, many.journal, "bytes of the journal");
  assertFlat(many.memory, 1.15);
  assertMatch(many.output, /Soak: 100000 frames, 6\.40 MB, 0 faults \(.* in 8 rounds\)/);
  // -ln 0.05 / (8 * 6.4e6), and 3 / (8 * 6.4e6)
  assertStringIncludes(many.output.replaceAll(/\s+/g, " "), "at most 5.85e-8 errors per bit");
  assertStringIncludes(many.output, "rule of three 5.86e-8");
});

Deno.test({
  name: "plumbline run --duration needs no more journal and memory for 10 million frames",
  ignore: Deno.env.get("PLUMBLINE_FULL") !== "1",
  fn: async () => {
    const [few, many] = [await soak(100_000), await soak(10_000_000)];
    assertSimilar(few.journal, many.journal, "bytes of the journal");
    assertFlat(many.memory);
  },
});

/**
 * Memory may rise until it is collected, so the least of the last rounds counts. A short run has few collections:
 * a busy machine showed 5.2 %. One kilobyte lost with each frame would be 25 %.
 */
function assertFlat(memory: readonly number[], most = 1.05): void {
  assertEquals(memory.length, ROUNDS);
  const [early, late] = [Math.max(...memory.slice(1, 4)), Math.min(...memory.slice(-3))];
  assertSimilar(early, late, `resident bytes after each round: ${memory.join(", ")}`, most);
}

function assertSimilar(before: number, after: number, what: string, most = 1.05): void {
  const ratio = after / before;
  assertEquals(ratio < most, true, `${what}: ${before}, then ${after}`);
}

Deno.test("plumbline run --duration runs all cases in each round, and changes the pattern", async () => {
  const dir = tempDir();
  const file = write(
    dir,
    `
const top = await hil();
top.matrix("loop", { policy: ["streaming", "coherent"], size: [64, 4096], depth: ["max"] },
  async ({ loop, policy, size, pattern }) => {
    Deno.writeTextFileSync("${dir}/order", [policy, size, pattern.name].join(" ") + "\\n",
      { append: true });
    assertIntact(await loop.run({ frames: 20 }));
  });`,
  );
  const options = ["--board=sim", "--duration=1h", "--rounds=3", "--results=results"];
  const { code, output } = await plumbline(dir, ...options, file);
  assertEquals(code, 0, output);
  const round = ["coherent 64", "coherent 4096", "streaming 64", "streaming 4096"].sort();
  const lines = Deno.readTextFileSync(`${dir}/order`).trim().split("\n");
  const patterns = ["tagged", "prbs31", "tagged"];
  assertEquals(
    [0, 1, 2].map((i) => lines.slice(4 * i, 4 * i + 4).sort()),
    patterns.map((pattern) => round.map((line) => `${line} ${pattern}`)),
  );
  const results = resultsIn(dir);
  assertEquals(results.tests.map(({ frames, attempts }) => [frames, attempts]), [
    ...Array(4).fill([60, 3]),
  ]);
  assertEquals(results.soak?.policies.map(({ frames }) => frames), [120, 120]);
});

Deno.test("plumbline run --duration moves frames in each case, also if the time is over", async () => {
  const dir = tempDir();
  const file = write(
    dir,
    `
const top = await hil();
top.matrix("loop", { policy: ["streaming"], size: [8, 64, 4096], depth: [1] },
  async ({ loop }) => assertIntact(await loop.run()));`,
  );
  const options = ["--board=sim", "--duration=0.001s", "--rounds=5", "--results=results"];
  const { code, output } = await plumbline(dir, ...options, file);
  assertEquals(code, 0, output);
  const { tests, soak } = resultsIn(dir);
  assertEquals(tests.map(({ frames }) => frames > 0), [true, true, true]);
  assertEquals(soak?.rounds, 1);
});

Deno.test("plumbline run --duration ends after a round of nothing but errors", async () => {
  const dir = tempDir();
  const file = write(
    dir,
    `
const top = await hil();
let runs = 0;
top.matrix("loop", { policy: ["streaming"], size: [8, 64], depth: [1] }, async ({ loop }) => {
  if (++runs > 3) Deno.openSync("/nothing"); // the machine is broken from the second round on
  assertIntact(await loop.run({ frames: 10 }));
});`,
  );
  const options = ["--board=sim", "--duration=1h", "--rounds=9", "--results=results"];
  const { code, output } = await plumbline(dir, ...options, file);
  assertEquals(code, 3, output);
  // three good ones, an error in round 2, and one in round 3
  assertEquals(resultsIn(dir).tests.map(({ attempts, failures }) => [attempts, failures]), [
    [3, 1],
    [2, 1],
  ]);
});

Deno.test("plumbline run --resume goes on with a run that was killed", async () => {
  const dir = tempDir();
  const file = write(
    dir,
    `
import { exists } from "${new URL("../../fixtures/host/exists.ts", import.meta.url).href}";
const top = await hil();
let runs = 0;
top.matrix("loop", { policy: ["streaming", "coherent"], size: [64], depth: ["max"] },
  async ({ loop }) => {
    assertIntact(await loop.run({ frames: 50 }));
    if (++runs < 4 || exists("${dir}/dead")) return;
    Deno.writeTextFileSync("${dir}/dead", "");
    Deno.kill(Deno.ppid, "SIGKILL"); // as if the power was lost
    Deno.kill(Deno.pid, "SIGKILL");
  });`,
  );
  const options = ["--board=sim", "--duration=1h", "--rounds=3", "--results=results"];
  const dead = await plumbline(dir, ...options, file);
  assertEquals(dead.signal, "SIGKILL");
  const { code, output } = await plumbline(dir, "--resume=results");
  assertEquals(code, 0, output);
  const results = resultsIn(dir);
  assertEquals(results.tests.map(({ outcome, frames, attempts }) => [outcome, frames, attempts]), [
    ["PASS", 150, 3],
    ["PASS", 150, 3],
  ]);
  assertMatch(
    output,
    /The run ended early within soak\/loop policy=\S+ size=64 depth=max, and was\s+resumed/,
  );

  const whole = await plumbline(dir, "--resume=results");
  assertEquals(whole.code, 2, whole.output);
  assertStringIncludes(whole.output, "whose run is whole");
  const more = await plumbline(dir, "--resume=results", "--seed=2");
  assertStringIncludes(more.output, "--resume takes no other option");
  const none = await plumbline(dir, "--resume=nothing");
  assertEquals(none.code, 2, none.output);
  assertStringIncludes(none.output, "found no journal in");
});

Deno.test("plumbline run --stress works beside the frames, and records how much", async () => {
  const dir = tempDir();
  const options = ["--board=sim", "--suite=loopback", "--policy=streaming", "--size=4096"];
  const ended = await plumbline(dir, ...options, "--stress=memory,interrupts", "--results=results");
  assertEquals(ended.code, 0, ended.output);
  const environment = resultsIn(dir).environment ?? {};
  assertEquals(environment["stress"], "memory,interrupts");
  assertMatch(`${environment["stress, pieces of work"]}`, /^memory [1-9]\d*, interrupts [1-9]\d*$/);
});
