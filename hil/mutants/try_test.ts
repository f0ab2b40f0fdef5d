// SPDX-License-Identifier: MIT
// The tool on a checkout of two files.
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { exists } from "../../fixtures/host/exists.ts";
import { tempDir } from "../testing/temp_dir.ts";
import { Copy } from "./copy.ts";
import type { Mutant } from "./mutant.ts";
import type { Suite } from "./suites.ts";
import { SUITES, suitesFor } from "./suites.ts";
import { fateOf, isGood, mutantTable } from "./table.ts";
import { RedCopyError, Trials, type Tried } from "./try.ts";

const CODE = "export const sum = (a: number, b: number): number => a + b;\n";
const TEST = `
import { sum } from "./sum.ts";
Deno.test("sum(0, 0) is 0", () => { if (sum(0, 0) !== 0) throw new Error("wrong"); });
Deno.test("sum(1, 2) is 3", () => { if (sum(1, 2) !== 3) throw new Error("wrong"); });
`;

const tests = (name: string, ...args: string[]): Suite => ({
  name,
  args: ["test", "-A", "--no-check", "--no-config", ...args],
  near: [],
});
const ZERO = tests("zero", "--filter=0, 0");
const ALL = tests("all");

const mutant = (replace: string, more: Partial<Mutant> = {}): Mutant => ({
  id: "a-b",
  file: "sum.ts",
  find: "a + b;",
  replace,
  breaks: "the sum",
  ...more,
});

/** A checkout of git with a file, its test, and a file that git ignores. */
function madeCheckout(): string {
  const dir = tempDir();
  const files = { "sum.ts": CODE, "sum_test.ts": TEST, ".gitignore": "ignored\n", "ignored": "" };
  for (const [name, text] of Object.entries(files)) Deno.writeTextFileSync(`${dir}/${name}`, text);
  const { success } = new Deno.Command("git", { args: ["init", "-q", dir] }).outputSync();
  assert(success);
  return dir;
}

/** Tries a mutant on such a checkout with these suites. */
async function tried(
  suites: readonly Suite[],
  one: Mutant,
  options: { leastSeconds?: number; signal?: AbortSignal } = {},
): Promise<Tried> {
  const source = madeCheckout();
  await using copy = await Copy.of(source);
  assertEquals(exists(`${copy.root}/ignored`), false);
  const trials = new Trials(copy, { ...options, suites: () => suites });
  try {
    return await trials.of("sim", one);
  } finally {
    // neither the checkout nor the copy keeps the mistake
    for (const root of [source, copy.root]) {
      assertEquals(Deno.readTextFileSync(`${root}/sum.ts`), CODE);
    }
  }
}

Deno.test("Trials.of() stops at the first suite that turns red, and says why", async () => {
  const { by, why } = await tried([ZERO, ALL], mutant("a - b;"));
  assertEquals([by, why], ["all", "sum(1, 2) is 3"]);
  assertEquals((await tried([ZERO, ALL], mutant("a + b + 1;"))).by, "zero");
});

Deno.test("Trials.of() returns no suite if all of them stay green", async () => {
  assertEquals((await tried([ZERO], mutant("a - b;"))).by, null);
});

Deno.test("Trials.of() throws if a suite is red without a mutant", async () => {
  const red = tests("red", "--filter=no such test", "no_such_test.ts");
  const error = await assertRejects(() => tried([red], mutant("a - b;")), RedCopyError);
  assertStringIncludes(error.message, 'Expected "red" to pass without a mutant');
});

Deno.test("Trials.of() throws if a suite runs no test, such as one with a filter that nothing meets", async () => {
  const none = tests("none", "--filter=no such test");
  const error = await assertRejects(() => tried([none], mutant("a - b;")), RedCopyError);
  assertStringIncludes(error.message, "no test ran");
});

Deno.test("Trials.of() ends a suite that takes too long, with everything that it started", async () => {
  const file = `${tempDir()}/pid`;
  const hang = `a + b; const { pid } = new Deno.Command("sleep", { args: ["1000"] }).spawn();
    Deno.writeTextFileSync("${file}", String(pid));
    await new Promise((resolve) => setTimeout(resolve, 1e6));`;
  const { by, why } = await tried([ZERO], mutant(hang), { leastSeconds: 1 });
  assertEquals(by, "zero");
  assertStringIncludes(why, "did not end within");
  const stat = `/proc/${Deno.readTextFileSync(file)}/stat`;
  // the kernel may still have to remove it, but it no longer sleeps
  assertEquals(exists(stat) && / S /.test(Deno.readTextFileSync(stat)), false);
});

Deno.test("Trials.of() throws what its signal was aborted with", async () => {
  const controller = new AbortController();
  const hang = "a + b; await new Promise((resolve) => setTimeout(resolve, 1e6));";
  setTimeout(() => controller.abort(new Error("Ended by SIGINT")), 100);
  await assertRejects(
    () => tried([ZERO], mutant(hang), { signal: controller.signal }),
    Error,
    "Ended by SIGINT",
  );
});

Deno.test("Copy.of() throws for a folder that is no checkout", async () => {
  await assertRejects(() => Copy.of(tempDir()), Error, "Expected a checkout of git");
});

Deno.test("suitesFor() runs the tests beside the file first, then the others in their order", () => {
  const names = suitesFor("verdict", "hil/frames/guards.ts").map(({ name }) => name);
  assertEquals(names[0], "tests of frames");
  assertEquals(names.toSorted(), SUITES.verdict.map(({ name }) => name).toSorted());
  const rest = SUITES.verdict.map(({ name }) => name).filter((name) => name !== names[0]);
  assertEquals(names.slice(1), rest);
});

Deno.test("mutantTable() counts what was killed, survived and is equivalent", () => {
  const by = (name: string | null, more: Partial<Mutant> = {}): Tried => ({
    ...{ part: "sim", mutant: mutant("a | b;", { breaks: "a | b", ...more }) },
    ...{ by: name, why: name === null ? "" : "line" },
  });
  const same = { equivalent: "nobody calls it" };
  const all = [by("abi"), by(null), by(null, same), by("abi", same)];
  assertEquals(all.map(fateOf), ["killed", "survived", "equivalent", "not equivalent"]);
  assertEquals(all.map((one) => isGood([one])), [true, false, true, false]);
  const text = mutantTable(all);
  assertStringIncludes(text, "| sim | a-b | a \\| b | abi: line |");
  assertStringIncludes(
    text,
    "\n2 killed, 1 survived, 1 equivalent, 1 with a wrong reason `equivalent`",
  );
});

Deno.test("deno task mutants explains a name and a part that it does not know", () => {
  const run = (...args: string[]) => {
    const main = new URL("main.ts", import.meta.url).pathname;
    const { code, stdout, stderr } = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-check", main, ...args],
      env: { NO_COLOR: "1" },
    }).outputSync();
    return [code, new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr)] as const;
  };
  assertEquals(run("--only", "guard-ignored"), [
    2,
    "--only: there is no mutant guard-ignored: did you mean guards-ignored?\n",
  ]);
  assertEquals(run("--of", "core")[0], 2);
  assertEquals(run("--sample", "0")[0], 2);
  const [code, list] = run("--list", "--of", "sim", "--sample", "3");
  assertEquals([code, list.trim().split("\n").length], [0, 3]);
});
