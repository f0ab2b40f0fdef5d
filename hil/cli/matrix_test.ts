// SPDX-License-Identifier: MIT
import { assertEquals, assertStringIncludes } from "@std/assert";
import { ROOT } from "../settings/paths.ts";
import type { TestResult } from "../results/schema.ts";
import { resultsOf } from "../testing/results.ts";
import { tempDir } from "../testing/temp_dir.ts";

async function matrix(dir: string, ...args: readonly string[]) {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", `${ROOT}hil/cli/main.ts`, "matrix", ...args],
    cwd: dir,
    env: { NO_COLOR: "1" },
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, stdout: text(stdout), stderr: text(stderr) };
}

/** A folder with the results of a run that passed, and of one that lacks its case. */
function folder(): string {
  const dir = tempDir();
  const test: TestResult = {
    ...{ suite: "loopback", name: "a", policy: "streaming" },
    ...{
      outcome: "PASS" as const,
      reason: null,
      seconds: 1,
      frames: 1,
      bytes: 64,
      faults: [],
      measurements: [],
    },
  };
  Deno.writeTextFileSync(`${dir}/whole.json`, JSON.stringify(resultsOf([test])));
  Deno.writeTextFileSync(`${dir}/less.json`, JSON.stringify(resultsOf([])));
  return dir;
}

Deno.test("plumbline matrix shows boards on one page, with a board that has no results", async () => {
  const dir = folder();
  const json = ["--json=page.json"];
  const { code, stdout } = await matrix(dir, "zed1=whole.json", "zed2=nothing", ...json);
  assertEquals(code, 3);
  const lines = stdout.split("\n");
  assertEquals(lines[0], "board  bitstream          runs  verdict  streaming");
  assertEquals(lines[1], "zed1   unknown bitstream  1     PASS     PASS 1");
  assertEquals(lines[2], "zed2   unknown bitstream  1     ERROR    .");
  assertStringIncludes(stdout, "nothing cannot be read");
  const page = JSON.parse(Deno.readTextFileSync(`${dir}/page.json`));
  assertEquals(page.rows.map(({ board }: { board: string }) => board), ["zed1", "zed2"]);
});

Deno.test("plumbline matrix shows a night in which no board left results, as an error of each", async () => {
  const dir = folder();
  const { code, stdout, stderr } = await matrix(
    dir,
    "zed1=nothing",
    "zed2=nothing",
    "--json=page.json",
  );
  assertEquals([code, stderr], [3, ""]);
  assertStringIncludes(stdout, "zed1   unknown bitstream  1     ERROR");
  assertStringIncludes(stdout, "zed2   unknown bitstream  1     ERROR");
  const page = JSON.parse(Deno.readTextFileSync(`${dir}/page.json`));
  assertEquals(page.rows.length, 2);
});

Deno.test("plumbline matrix fails on what a board has lost since its baseline, if it is asked to", async () => {
  const dir = folder();
  const base = "--baseline=zed1=whole.json";
  const { code, stdout } = await matrix(dir, "zed1=less.json", base);
  assertEquals(code, 0);
  assertStringIncludes(stdout, "0 worse, 1 lost");
  assertEquals((await matrix(dir, "zed1=less.json", base, "--fail-on=regression")).code, 1);
  assertEquals(
    (await matrix(dir, "whole.json", "--baseline=whole.json", "--fail-on=regression")).code,
    0,
  );
});

Deno.test("plumbline matrix refuses a command line without any results", async () => {
  const bare = await matrix(tempDir());
  assertEquals([bare.code, bare.stdout], [2, ""]);
  assertStringIncludes(bare.stderr, "Missing [BOARD=]RESULTS");
  const dir = folder();
  const none = await matrix(dir, "nothing");
  assertEquals(none.code, 2);
  assertStringIncludes(none.stderr, "nothing cannot be read");
  const base = await matrix(dir, "whole.json", "--baseline=old");
  assertEquals(base.code, 2);
  assertStringIncludes(base.stderr, "--baseline: old cannot be read");
  const alone = await matrix(dir, "whole.json", "--fail-on=regression");
  assertStringIncludes(alone.stderr, "add --baseline RESULTS");
});
