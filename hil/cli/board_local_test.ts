// SPDX-License-Identifier: MIT
// The parent of the suites, with suites made for the occasion that end in every bad way.
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { Journal } from "../journal.ts";
import { fold } from "../journal_fold.ts";
import type { Results } from "../results.ts";
import { LOG_FILE, runLocal } from "./board_local.ts";
import { parseRunOptions } from "./options.ts";
import { tempDir } from "../testing/temp_dir.ts";

const JOURNAL = JSON.stringify(new URL("../journal.ts", import.meta.url).href);

/** Registers two cases; the body of the second is given. */
function suite(body: string): string {
  return `
    import { Journal } from ${JOURNAL};
    const journal = Journal.open();
    const pass = { outcome: "PASS", reason: null, seconds: 0, frames: 5, bytes: 320 };
    for (const id of ["first", "second"]) {
      journal.register({ id, suite: "made", name: id, policy: "streaming" });
    }
    Deno.test("first", () => {
      journal.start("first");
      journal.end("first", pass);
    });
    Deno.test("second", async () => {
      journal.start("second");
      ${body}
      journal.end("second", pass);
    });`;
}

interface Outcome {
  results: Results;
  exit: number | undefined;
  outcomes: string[];
  log: string;
}

async function runSuite(
  text: string,
  { args = [], signal }: { args?: string[]; signal?: AbortSignal } = {},
): Promise<Outcome> {
  const root = tempDir();
  const permissions = { read: true, write: true, env: ["PLUMBLINE_*"], ffi: true, run: true };
  Deno.writeTextFileSync(`${root}/deno.json`, JSON.stringify({ test: { permissions } }));
  Deno.writeTextFileSync(`${root}/made_test.ts`, text);
  const options = parseRunOptions(args, { suites: [], virtual: true });
  using journal = Journal.open({ dir: `${root}/results` });
  const died = await runLocal({
    options,
    journal,
    root,
    files: ["made_test.ts"],
    device: "/dev/pldma7",
    seed: 3,
    progress: null,
    signal: signal ?? new AbortController().signal,
  });
  const results = fold(Journal.read(journal.path), died);
  return {
    results,
    exit: results.verdict.exit,
    outcomes: results.tests.map((test) => `${test.suite} ${test.name} ${test.outcome}`),
    log: Deno.readTextFileSync(`${journal.dir}/${LOG_FILE}`),
  };
}

Deno.test("runLocal() leaves a verdict to the journal when all goes well", async () => {
  const { exit, outcomes, log } = await runSuite(suite(""));
  assertEquals(outcomes, ["made first PASS", "made second PASS"]);
  assertEquals(exit, 0);
  assertMatch(log, /2 passed/);
});

Deno.test("runLocal() hands the settings on", async () => {
  const args = ["--policy=none,manual", "--size=1K", "--depth=1,max", "--frames=9"];
  const print = `for (const name of ["DEVICE", "POLICY", "SIZE", "DEPTH", "FRAMES", "SEED"]) {
    console.log(name, Deno.env.get("PLUMBLINE_" + name));
  }`;
  const { log } = await runSuite(suite(print), { args });
  const lines = ["DEVICE /dev/pldma7", "POLICY none,manual", "SIZE 1024", "DEPTH 1,max"];
  for (const line of [...lines, "FRAMES 9", "SEED 3"]) assertStringIncludes(log, line);
});

Deno.test("runLocal() survives a segfault and blames the case that it happened in", async () => {
  const { results, exit, outcomes } = await runSuite(
    suite(`
      const libc = Deno.dlopen("libc.so.6", { strlen: { parameters: ["usize"], result: "usize" } });
      libc.symbols.strlen(8n);`),
  );
  assertEquals(outcomes, ["made first PASS", "made second ERROR", "bench deno test ERROR"]);
  assertEquals(results.tests[1]?.reason, "died here: SIGSEGV");
  assertEquals(exit, 3);
});

Deno.test("runLocal() ends a call that never returns, at the abort of the run", async () => {
  const abort = new AbortController();
  const hang = `const libc = Deno.dlopen("libc.so.6", {
      sleep: { parameters: ["u32"], result: "u32" },
    });
    Deno.writeTextFileSync("hangs", "");
    libc.symbols.sleep(300);`;
  setTimeout(() => abort.abort("the time limit of 2 s was reached"), 2000);
  const { results, exit } = await runSuite(suite(hang), { signal: abort.signal });
  assertEquals(results.tests[1]?.outcome, "ERROR");
  assertEquals(results.tests[1]?.reason, "died here: the time limit of 2 s was reached");
  assertEquals(exit, 3);
});

Deno.test("runLocal() calls a suite that does not even load a failure of the bench", async () => {
  const { exit, outcomes, log } = await runSuite(`throw new Error("no such board");`);
  assertEquals(outcomes, ["bench deno test ERROR"]);
  assertEquals(exit, 3);
  assertStringIncludes(log, "no such board");
});

Deno.test("runLocal() does not take a failing test for an error of its own", async () => {
  const body = `journal.end("second", { ...pass, outcome: "FAIL", reason: "bit-flip" });
    throw new Error("bit-flip");`;
  const { exit, outcomes } = await runSuite(suite(body));
  assertEquals(outcomes, ["made first PASS", "made second FAIL"]);
  assertEquals(exit, 1);
});

Deno.test("runLocal() notices a test that fails behind the journal's back", async () => {
  const { exit, outcomes } = await runSuite(
    suite("") + `Deno.test("third", () => { throw new Error("unseen"); });`,
  );
  assertEquals(outcomes.at(-1), "bench deno test ERROR");
  assertEquals(exit, 3);
});

Deno.test("runLocal() takes no pass from a fault that was never injected", async () => {
  const args = ["--fault=kind=flip"];
  const { exit, outcomes } = await runSuite(suite(""), { args });
  assertEquals(outcomes.at(-1), "bench fault injection ERROR");
  assertEquals(exit, 3);

  const flipped = `journal.end("second", { ...pass, injected: ["frame=0 kind=flip"] }); return;`;
  const injected = await runSuite(suite(flipped), { args });
  assertEquals(injected.outcomes, ["made first PASS", "made second PASS"]);
  assertEquals(injected.results.tests[1]?.injected, ["frame=0 kind=flip"]);
});
