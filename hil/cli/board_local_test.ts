// SPDX-License-Identifier: MIT
// The parent process of the suites, with suites that end in every bad way.
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { Journal } from "../journal/journal.ts";
import { fold } from "../journal/fold.ts";
import type { Results } from "../results/schema.ts";
import { LOG_FILE, runLocal } from "./board_local.ts";
import { parseArguments } from "../settings/arguments.ts";
import { readRunOptions, RUN_LINE } from "./options.ts";
import { tempDir } from "../testing/temp_dir.ts";

const JOURNAL = JSON.stringify(new URL("../journal/journal.ts", import.meta.url).href);

/** A suite with two cases. The second one has the given body. */
function suite(body: string, limit = 100): string {
  return `
    import { Journal } from ${JOURNAL};
    const journal = Journal.open();
    const prefix = "MADE/";
    const pass = { outcome: "PASS", reason: null, seconds: 0, frames: 5, bytes: 320 };
    for (const name of ["first", "second"]) {
      journal.register({ id: prefix + name, suite: "MADE", name, policy: "streaming" });
    }
    Deno.test("first", () => {
      journal.start(prefix + "first");
      journal.end(prefix + "first", pass);
    });
    Deno.test("second", async () => {
      journal.start(prefix + "second", LIMIT);
      ${body}
      journal.end(prefix + "second", pass);
    });`.replaceAll("LIMIT", String(limit));
}

interface Outcome {
  results: Results;
  exit: number | undefined;
  outcomes: string[];
  log: string;
}

async function runSuites(
  texts: readonly string[],
  { args = [], signal, patience }: {
    args?: string[];
    signal?: AbortSignal;
    patience?: { grace: number; idle: number };
  } = {},
): Promise<Outcome> {
  const root = tempDir();
  const given = parseArguments(RUN_LINE, args);
  const options = readRunOptions(given, { suites: () => [], virtual: true });
  const files = texts.map((text, i) => {
    const file = `${root}/made${i === 0 ? "" : i}_test.ts`;
    Deno.writeTextFileSync(file, text.replaceAll("MADE", `made${i === 0 ? "" : i}`));
    return file;
  });
  using journal = Journal.open({ dir: `${root}/results` });
  const plan = journal.plan("plumbline run", files);
  const died = await runLocal({
    options,
    journal,
    files,
    seed: 3,
    lock: "the token",
    progress: null,
    signal: signal ?? new AbortController().signal,
    ...(patience === undefined ? {} : { patience }),
  });
  journal.close(plan);
  const results = fold(Journal.read(journal.path), died);
  return {
    results,
    exit: results.verdict.exit,
    outcomes: results.tests.map((test) => `${test.suite} ${test.name} ${test.outcome}`),
    log: Deno.readTextFileSync(`${journal.dir}/${LOG_FILE}`),
  };
}

function runSuite(text: string, options?: Parameters<typeof runSuites>[1]): Promise<Outcome> {
  return runSuites([text], options);
}

Deno.test("runLocal() passes if the cases in the journal pass", async () => {
  const { exit, outcomes, log } = await runSuite(suite(""));
  assertEquals(outcomes, ["made first PASS", "made second PASS"]);
  assertEquals(exit, 0);
  assertMatch(log, /2 passed/);
});

Deno.test("runLocal() passes the settings and the lock to its children", async () => {
  const args = ["--policy=none,manual", "--size=1K", "--depth=1,max", "--frames=9"];
  const print = `for (const name of ["POLICY", "SIZE", "DEPTH", "FRAMES", "SEED", "LOCK"]) {
    console.log(name, Deno.env.get("PLUMBLINE_" + name));
  }`;
  const { log } = await runSuite(suite(print), { args });
  const lines = ["POLICY none,manual", "SIZE 1K", "DEPTH 1,max", "FRAMES 9", "SEED 3"];
  for (const line of [...lines, "LOCK the token"]) assertStringIncludes(log, line);
});

Deno.test("runLocal() survives a segmentation fault and names the case in which it happened", async () => {
  const { results, exit, outcomes } = await runSuite(
    suite(`
      const libc = Deno.dlopen("libc.so.6", { strlen: { parameters: ["usize"], result: "usize" } });
      libc.symbols.strlen(8n);`),
  );
  assertEquals(outcomes, [
    "made first PASS",
    "made second ERROR",
    "infrastructure deno test made ERROR",
  ]);
  assertEquals(results.tests[1]?.reason, "died here: deno test died of SIGSEGV");
  assertEquals(exit, 3);
});

Deno.test("runLocal() runs the next file after one that died", async () => {
  const segfault = `
      const libc = Deno.dlopen("libc.so.6", { strlen: { parameters: ["usize"], result: "usize" } });
      libc.symbols.strlen(8n);`;
  const { results, exit, outcomes } = await runSuites([suite(segfault), suite("")]);
  assertEquals(outcomes, [
    ...["made first PASS", "made second ERROR"],
    ...["infrastructure deno test made ERROR", "made1 first PASS", "made1 second PASS"],
  ]);
  assertEquals(results.tests[1]?.reason, "died here: deno test died of SIGSEGV");
  assertEquals(exit, 3);
});

Deno.test("runLocal() reports a file that runs out of memory, and runs the next one", async () => {
  const hog = `const all = [];
    for (;;) all.push(new Array(1e6).fill({ some: "object" }));`;
  const bounded = `// deno-lint-ignore-file
    ${suite(hog)}`;
  const old = Deno.env.get("DENO_V8_FLAGS");
  Deno.env.set("DENO_V8_FLAGS", "--max-old-space-size=100");
  try {
    const { results, exit, outcomes } = await runSuites([bounded, suite("")]);
    assertEquals(outcomes.filter((one) => one.endsWith("PASS")).length, 3);
    assertMatch(results.tests[1]?.reason ?? "", /^died here: deno test died of /);
    assertEquals(exit, 3);
  } finally {
    if (old === undefined) Deno.env.delete("DENO_V8_FLAGS");
    else Deno.env.set("DENO_V8_FLAGS", old);
  }
});

Deno.test("runLocal() reports an error if a file calls Deno.exit()", async () => {
  const early = await runSuite("Deno.exit(0);");
  assertEquals(early.outcomes, ["infrastructure deno test made ERROR"]);
  assertStringIncludes(early.results.tests[0]?.reason ?? "", "registered no case");
  assertEquals(early.exit, 3);
  const late = await runSuite(suite("Deno.exit(0);"));
  assertEquals(late.outcomes[1], "made second ERROR");
  assertEquals(late.exit, 3);
});

const SLEEP = `const libc = Deno.dlopen("libc.so.6", {
    sleep: { parameters: ["u32"], result: "u32" },
  });
  libc.symbols.sleep(300);`;

Deno.test("runLocal() ends a case that exceeds its time limit, and runs the next file", async () => {
  const patience = { grace: 1, idle: 60 };
  const third = `
    journal.register({ id: prefix + "third", suite: "MADE", name: "third", policy: "streaming" });
    Deno.test("third", () => {});`;
  const texts = [suite(SLEEP, 1) + third, suite("")];
  const { results, exit, outcomes } = await runSuites(texts, { patience });
  const reason = "case made/second did not end within 2 s; its process was killed";
  assertEquals(results.tests[1]?.reason, `died here: ${reason}`);
  assertEquals(results.tests[2]?.reason, `never ran: ${reason}`);
  assertEquals(outcomes.slice(-2), ["made1 first PASS", "made1 second PASS"]);
  assertEquals(exit, 3);
});

Deno.test("runLocal() ends a file that hangs while Deno loads it", async () => {
  const patience = { grace: 60, idle: 2 };
  const { results, exit } = await runSuites([SLEEP, suite("")], { patience });
  assertEquals(results.summary.pass, 2);
  assertStringIncludes(
    results.tests[0]?.reason ?? "",
    "the file did not load within 2 s; its process was killed",
  );
  assertEquals(exit, 3);
});

Deno.test("runLocal() ends a system call that never returns, when the run is aborted", async () => {
  const abort = new AbortController();
  setTimeout(() => abort.abort("the time limit of 2 s was reached"), 2000);
  const { results, exit } = await runSuite(suite(SLEEP), { signal: abort.signal });
  assertEquals(results.tests[1]?.outcome, "ERROR");
  assertEquals(results.tests[1]?.reason, "died here: the time limit of 2 s was reached");
  assertEquals(exit, 3);
});

Deno.test("runLocal() reports an infrastructure error if a suite does not load", async () => {
  const { exit, outcomes, log } = await runSuite(`throw new Error("no such board");`);
  assertEquals(outcomes, ["infrastructure deno test made ERROR"]);
  assertEquals(exit, 3);
  assertStringIncludes(log, "no such board");
});

Deno.test("runLocal() reports a failing test as a failure and not as an error", async () => {
  const body = `journal.end(prefix + "second", { ...pass, outcome: "FAIL", reason: "bit-flip" });
    throw new Error("bit-flip");`;
  const { exit, outcomes } = await runSuite(suite(body));
  assertEquals(outcomes, ["made first PASS", "made second FAIL"]);
  assertEquals(exit, 1);
});

Deno.test("runLocal() reports an error if a test fails that is not in the journal", async () => {
  const { exit, outcomes } = await runSuite(
    suite("") + `Deno.test("third", () => { throw new Error("unseen"); });`,
  );
  assertEquals(outcomes.at(-1), "infrastructure deno test made ERROR");
  assertEquals(exit, 3);
});

Deno.test("runLocal() reports an error if --fault injected nothing", async () => {
  const args = ["--fault=kind=flip"];
  const { exit, outcomes } = await runSuite(suite(""), { args });
  assertEquals(outcomes.at(-1), "infrastructure fault injection ERROR");
  assertEquals(exit, 3);

  const flipped =
    `journal.end(prefix + "second", { ...pass, injected: ["frame=0 kind=flip"] }); return;`;
  const injected = await runSuite(suite(flipped), { args });
  assertEquals(injected.outcomes, ["made first PASS", "made second PASS"]);
  assertEquals(injected.results.tests[1]?.injected, ["frame=0 kind=flip"]);
});
