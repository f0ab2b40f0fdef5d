// SPDX-License-Identifier: MIT
// The commands of docs/tutorial.md, in their order, without the one on a virtual board:
// fixtures/host/fresh_machine_test.ts runs all of them on a fresh machine.
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { exists } from "../../fixtures/host/exists.ts";
import { readTutorial } from "../../fixtures/host/testing/tutorial.ts";
import { ROOT } from "../settings/paths.ts";
import { tempDir } from "../testing/temp_dir.ts";

/** Runs a command line of a shell with this Deno in place of `npx`. */
async function shell(line: string, cwd: string): Promise<{ code: number; output: string }> {
  const { PLUMBLINE_RESULTS: _r, PLUMBLINE_BOARD: _b, INIT_CWD: _i, ...env } = Deno.env.toObject();
  const { code, stdout, stderr } = await new Deno.Command("sh", {
    args: ["-c", line.replace("npx -y deno@2.9.5", Deno.execPath())],
    cwd,
    env: { ...env, NO_COLOR: "1" },
    clearEnv: true,
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, output: text(stdout) + text(stderr) };
}

Deno.test("the commands of docs/tutorial.md are at most six, and do what it says", async () => {
  const { commands, text: tutorial } = readTutorial();
  assertEquals(commands.length, 6);
  const [first = "", second = "", virtual = "", init = "", cd = "", own = ""] = commands;

  const passed = await shell(first, ROOT);
  assertEquals(passed.code, 0, passed.output);
  const verdict = /^PASS: .*failed as expected/m.exec(tutorial)?.[0] ?? "none";
  assertStringIncludes(passed.output, verdict);
  assertStringIncludes(passed.output, /^Controls: .*$/m.exec(tutorial)?.[0] ?? "none");

  const failed = await shell(second, ROOT);
  assertEquals(failed.code, 1, failed.output);
  assertMatch(
    failed.output.replaceAll(/\s+/g, " "),
    /FAIL bit-flip by the core \(.*\), bit 7 of a byte, under every policy \(\d+\): 40 of 40 failed/,
  );

  assertMatch(virtual, /^npx -y deno@2\.9\.5 task hil --board vm:aarch64 /);

  const folder = /^cd (\S+)$/.exec(cd)?.[1] ?? "none";
  const project = `${tempDir()}/my-board`;
  const made = await shell(init.replace(folder, project), ROOT);
  assertEquals(made.code, 0, made.output);
  const ran = await shell(own, project);
  assertEquals(ran.code, 0, ran.output);
  assertEquals(exists(`${project}/tests/loop_test.ts`), true);
});
