// SPDX-License-Identifier: MIT
// plumbline report with journals of complete, dead and damaged runs.
import {
  assert,
  assertEquals,
  assertMatch,
  assertNotMatch,
  assertStringIncludes,
} from "@std/assert";
import { canMount, mountSmall, unmount } from "../../fixtures/host/testing/small_disk.ts";
import { exists } from "../../fixtures/host/exists.ts";
import { Journal } from "../journal/journal.ts";
import { JOURNAL_SCHEMA } from "../journal/lines.ts";
import { thisProcess } from "../journal/writer.ts";
import { checkResults } from "../results/check.ts";
import type { Measurement } from "../results/schema.ts";
import { checkJUnit } from "../testing/junit.ts";
import { tempDir } from "../testing/temp_dir.ts";

const MAIN = new URL("./main.ts", import.meta.url).pathname;

async function report(...args: string[]) {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", MAIN, "report", ...args],
    env: { NO_COLOR: "1" },
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, stdout: text(stdout), stderr: text(stderr) };
}

/** The folder of a run that died in its second case. */
function died(): string {
  const dir = tempDir();
  // a process with the number of this one, which is alive, but began at another time
  const plan = {
    ...{ line: "plan", at: "2026-01-01T00:00:00.000Z", id: "p", schema: JOURNAL_SCHEMA },
    ...{ by: "plumbline run", files: ["s_test.ts"], writer: { ...thisProcess(), start: 1 } },
  };
  write(`${dir}/journal.jsonl`, `${JSON.stringify(plan)}\n`);
  using journal = Journal.open({ dir });
  for (const name of ["first", "second", "third"]) {
    journal.register({ id: `s/${name}`, suite: "s", name, policy: "streaming" });
  }
  journal.start("s/first");
  journal.end("s/first", { outcome: "PASS", reason: null, seconds: 1, frames: 3, bytes: 192 });
  journal.start("s/second");
  return dir;
}

Deno.test("plumbline report names the case in which a run died", async () => {
  const dir = died();
  const junit = `${tempDir()}/out.xml`;
  const { code, stdout, stderr } = await report(dir, "--json=-", `--junit=${junit}`);
  assertEquals(code, 3);
  const results = checkResults(JSON.parse(stdout));
  assertEquals(results.tests.map(({ name, outcome, reason }) => [name, outcome, reason]), [
    ["first", "PASS", null],
    ["second", "ERROR", "died here"],
    ["third", "ERROR", "never ran"],
    ["journal", "ERROR", results.verdict?.reason ?? ""],
  ]);
  assertEquals(
    results.verdict?.reason,
    "The run ended early, without a closing line in its journal: " +
      "1 case died (s: second), 1 case never ran, 1 file did not start (s_test.ts)",
  );
  assertStringIncludes(stderr, "second");
  checkJUnit(Deno.readTextFileSync(junit));
  // the journal by its own name says the same
  assertEquals((await report(`${dir}/journal.jsonl`, "--json=-")).stdout, stdout);
});

Deno.test("plumbline report tells a run that is still going from one that died between two files", async () => {
  const dir = tempDir();
  const name = JSON.stringify(new URL("../../mod.ts", import.meta.url).href);
  const passing = `import { assertIntact, hil } from ${name};
    const top = await hil();
    top.test("loop", async ({ loop }) => assertIntact(await loop.run({ frames: 3 })));\n`;
  const waiting = `await new Promise((resolve) => setTimeout(resolve, 100_000));\n`;
  const files = [
    write(`${dir}/one_test.ts`, passing),
    write(`${dir}/two_test.ts`, waiting + passing),
    write(`${dir}/three_test.ts`, passing),
  ];
  const run = new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "-A", "--no-check", MAIN, "run", "--board=sim", "--quiet"],
      ...[`--results=${dir}/run`, ...files],
    ],
    stdout: "null",
    stderr: "null",
  }).spawn();
  const lines = () =>
    exists(`${dir}/run/journal.jsonl`) ? Journal.read(`${dir}/run/journal.jsonl`).lines : [];
  const inSecond = () =>
    lines().some((line) => line.line === "file" && line.suite === "two") || null;
  while (inSecond() === null) await new Promise((resolve) => setTimeout(resolve, 50));
  const orphan = childrenOf(run.pid).at(0);
  try {
    const live = await report(`${dir}/run`, "--json=-");
    assertEquals(live.code, 3, live.stderr);
    const { tests, verdict, run: facts } = checkResults(JSON.parse(live.stdout));
    assertEquals([tests[0]?.outcome, facts.running], ["PASS", true]);
    assertStringIncludes(verdict?.reason ?? "", `still going, in process ${run.pid}: `);
    assertStringIncludes(live.stderr, "The run is still going");
    assertEquals(live.stdout.includes("died"), false);
  } finally {
    run.kill("SIGKILL");
    await run.status;
    if (orphan !== undefined) Deno.kill(orphan, "SIGKILL");
  }
  const dead = await report(`${dir}/run`, "--json=-");
  assertEquals(dead.code, 3);
  const { tests, verdict, run: facts } = checkResults(JSON.parse(dead.stdout));
  assertEquals([tests[0]?.outcome, facts.running], ["PASS", undefined]);
  assertStringIncludes(verdict?.reason ?? "", "The run ended early, without a closing line");
  assertMatch(verdict?.reason ?? "", /1 file did not start \(\S+three_test.ts\)/);
  assertMatch(verdict?.reason ?? "", /1 file did not end \(\S+two_test.ts\)/);
});

/** The children of a process. */
function childrenOf(pid: number): number[] {
  const text = Deno.readTextFileSync(`/proc/${pid}/task/${pid}/children`);
  return text.split(" ").map(Number).filter((child) => child > 0);
}

Deno.test("plumbline report reads a journal that was truncated anywhere", async () => {
  const dir = died();
  const bytes = Deno.readFileSync(`${dir}/journal.jsonl`);
  for (const part of [0.3, 0.62, 0.97]) {
    Deno.writeFileSync(`${dir}/journal.jsonl`, bytes.subarray(0, Math.floor(bytes.length * part)));
    const { code, stdout, stderr } = await report(dir, "--json=-");
    assertEquals(code, 3, stderr);
    checkResults(JSON.parse(stdout));
  }
});

Deno.test("plumbline report recognises journals and results by their content, not by their names", async () => {
  const dir = died();
  const { stdout } = await report(dir, "--json=-");
  const lines = Deno.readTextFileSync(`${dir}/journal.jsonl`);
  const files = {
    "results.txt": stdout,
    "results": JSON.stringify(JSON.parse(stdout)),
    "journal.json": lines,
    "journal.old": lines,
  };
  for (const [name, text] of Object.entries(files)) {
    const again = await report(write(`${tempDir()}/${name}`, text), "--json=-");
    assertEquals([again.code, again.stdout], [3, stdout], `${name}: ${again.stderr}`);
  }
  const damaged = await report(write(`${tempDir()}/damaged`, `\0\0\n${lines}`));
  assertStringIncludes(damaged.stdout, "The line cannot be read: the journal is damaged");
});

const refusals: [what: string, make: (dir: string) => string[], says: string][] = [
  ["no results", () => [], "Missing RESULTS: expected RESULTS ..."],
  ["JSON of two runs", () => [died(), died(), "--json=-"], "take one run, found 2"],
  [
    "--fail-on without a base",
    () => [died(), "--fail-on=regression"],
    "needs a base: add --compare RESULTS",
  ],
  ["--fail-on anything else", () => [died(), "--compare=x", "--fail-on=regresion"], "did you mean"],
  ["a base that is not there", () => [died(), "--compare=none.json"], "none.json cannot be read"],
  ["a device", () => ["/dev/zero"], "found the device or pipe /dev/zero"],
  ["an empty file of results", (dir) => [write(`${dir}/r.json`, " \n")], "it is empty"],
  ["a file that is not there", (dir) => [`${dir}/none`], "cannot be read"],
  ["a folder without a journal", (dir) => [dir], "cannot be read"],
  ["an empty journal", (dir) => [write(`${dir}/journal.jsonl`, "")], "found no line of one in"],
  [
    "another kind of file",
    (dir) => [write(`${dir}/x.txt`, "hello\n")],
    "x.txt: it is truncated, or not JSON",
  ],
  ["results of another schema", (dir) => [write(`${dir}/r.json`, '{"schema":2}')], "schema"],
  ["truncated results", (dir) => [write(`${dir}/r.json`, '{"schema":1,')], "it is truncated"],
  [
    "control characters",
    (dir) => [write(`${dir}/r.json`, '{"schema": "\x1b[2J\u009b2J"}')],
    "r.json: it is not JSON",
  ],
  [
    "a folder for JSON that does not exist",
    () => [died(), "--json=/no/such/place"],
    "there is no folder /no/such",
  ],
];

function write(path: string, text: string): string {
  Deno.writeTextFileSync(path, text);
  return path;
}

for (const [what, make, says] of refusals) {
  Deno.test(`plumbline report refuses ${what} with exit status 2`, async () => {
    const { code, stderr } = await report(...make(tempDir()));
    assertEquals(code, 2, stderr);
    assertStringIncludes(stderr, says);
    assertEquals(stderr.trimEnd().split("\n").length, 1, stderr);
    // deno-lint-ignore no-control-regex
    assertNotMatch(stderr.trimEnd(), /[\x00-\x1f\x7f-\x9f]/);
  });
}

const mountable = canMount();

Deno.test({
  name: "plumbline report leaves no empty files on a full disk, and says so" +
    (mountable ? "" : " (skipped: nothing can be mounted here)"),
  ignore: !mountable,
  async fn() {
    const disk = tempDir();
    assert(mountSmall(disk, 4));
    try {
      write(`${disk}/filler`, "x".repeat(4096));
    } catch {
      // it is full
    }
    try {
      for (const option of ["json", "junit"]) {
        const { code, stderr } = await report(measured(1), `--${option}=${disk}/results`);
        assertEquals(code, 3, stderr);
        const reason = `plumbline: ${disk}/results could not be written: No space left`;
        assertEquals(stderr.startsWith(reason), true, stderr);
      }
      assertEquals([...Deno.readDirSync(disk)].map(({ name }) => name), ["filler"]);
    } finally {
      unmount(disk);
    }
  },
});

/** The folder of a run with one case, which measured a value, or nothing if it is `null`. */
function measured(value: number | null, outcome: "PASS" | "FAIL" = "PASS"): string {
  const dir = tempDir();
  using journal = Journal.open({ dir });
  const plan = journal.plan("plumbline run", []);
  journal.register({ id: "s/a", suite: "s", name: "a", policy: "streaming" });
  journal.start("s/a");
  const reason = outcome === "PASS" ? null : "wrong";
  const measurements = value === null ? [] : [syncCall(value)];
  journal.end("s/a", { outcome, reason, seconds: 1, frames: 3, bytes: 192, measurements });
  journal.close(plan);
  return dir;
}

function syncCall(value: number): Measurement {
  const [p5, p95] = [value * 0.95, value * 1.05];
  const spread = { samples: 20, min: value * 0.9, p5, p95, max: value * 1.5 };
  return { name: "sync call", value, unit: "µs", limit: null, spread, at: { size: 4096 } };
}

Deno.test("plumbline report --compare shows what became slower or failed, and exits 1 with --fail-on", async () => {
  const base = measured(100);
  const failOn = [`--compare=${base}`, "--fail-on=regression"];
  const same = await report(measured(104), ...failOn);
  assertEquals(same.code, 0, same.stderr);
  assertStringIncludes(same.stdout, `0 regressions since ${base}; measurements compared: 1`);

  const slower = await report(measured(150), ...failOn);
  assertEquals(slower.code, 1, slower.stderr);
  assertStringIncludes(
    slower.stdout,
    "worse: s: a: sync call size=4096: 100 [95.0, 105] to 150 [143, 158] µs (+50 %)",
  );
  // without --fail-on, the status is that of the run
  assertEquals((await report(measured(150), `--compare=${base}`)).code, 0);

  const faster = await report(measured(50), ...failOn);
  assertEquals(faster.code, 0);
  assertStringIncludes(faster.stdout, "better: s: a: sync call");

  const failed = await report(measured(100, "FAIL"), `--compare=${base}`, "--quiet");
  assertEquals(failed.code, 1);
  assertStringIncludes(failed.stdout, "1 regression since");

  // what is gone proves nothing any more
  const gone = await report(measured(null), ...failOn);
  assertEquals(gone.code, 1, gone.stderr);
  assertStringIncludes(
    gone.stdout,
    "lost: s: a: sync call size=4096: 100 [95.0, 105] µs to nothing",
  );
  assertStringIncludes(gone.stdout, "0 regressions, 1 lost since");
  assertEquals((await report(measured(null), `--compare=${base}`)).code, 0);
});

Deno.test("plumbline report shows several runs, and exits with the status of the worst", async () => {
  const [good, bad, dead] = [measured(1), measured(1, "FAIL"), died()];
  const two = await report(good, dead, "--quiet");
  assertEquals(two.code, 3, two.stderr);
  assertMatch(two.stdout, /^.*:\nPASS.*\n.*:\nERROR/);
  assertEquals((await report(good, dead, bad, "--quiet")).code, 1);
});

Deno.test("plumbline report exits with 3 if a file that was asked for cannot be written", async () => {
  // nobody can make a file there, and the folder exists
  for (const option of ["json", "junit", "html"]) {
    const { code, stderr } = await report(measured(1), `--${option}=/proc/plumbline`);
    assertEquals(code, 3, stderr);
    assertStringIncludes(stderr, "plumbline: /proc/plumbline could not be written: ");
    assertEquals(stderr.trim().split("\n").length, 1, stderr);
  }
});

Deno.test("plumbline report --limits checks the measurements of both runs", async () => {
  const limits = write(`${tempDir()}/limits.json`, '[{"measurement": "sync call", "max": 120}]');
  assertEquals((await report(measured(100), `--limits=${limits}`)).code, 0);
  const out = await report(measured(150), `--limits=${limits}`);
  assertEquals(out.code, 1);
  assertStringIncludes(out.stdout, "outside of the limits");
  const both = [`--limits=${limits}`, `--compare=${measured(150)}`, "--quiet"];
  assertStringIncludes((await report(measured(151), ...both)).stdout, "0 regressions");
  const wrong = await report(measured(1), `--limits=${write(`${tempDir()}/l.json`, "{}")}`);
  assertEquals(wrong.code, 2);
});
