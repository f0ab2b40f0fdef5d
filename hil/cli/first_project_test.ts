// SPDX-License-Identifier: MIT
// The first project of a team: plumbline init, plumbline.json, and what a shell completes.
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { VERSION } from "../results/tool.ts";
import { tempDir } from "../testing/temp_dir.ts";
import { ROOT } from "../settings/paths.ts";

const MAIN = `${ROOT}hil/cli/main.ts`;

async function deno(
  cwd: string,
  ...args: string[]
): Promise<{ code: number; stdout: string; stderr: string }> {
  const { PLUMBLINE_RESULTS: _r, PLUMBLINE_BOARD: _b, INIT_CWD: _i, ...env } = Deno.env.toObject();
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args,
    env: { ...env, NO_COLOR: "1" },
    clearEnv: true,
    cwd,
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, stdout: text(stdout), stderr: text(stderr) };
}

const plumbline = (cwd: string, ...args: string[]) =>
  deno(cwd, "run", "-A", "--no-check", MAIN, ...args);

Deno.test("plumbline init makes a project whose test runs at once, and refuses a folder with files", async () => {
  const dir = tempDir();
  const made = await plumbline(dir, "init", "my-board");
  assertEquals([made.code, made.stderr], [0, ""]);
  const project = `${dir}/my-board`;
  // the command that it prints, without npx
  const command = /npx -y deno@[\d.]+ (task hil --board sim)\n$/.exec(made.stdout)?.[1];
  assert(command !== undefined, made.stdout);
  const ran = await deno(project, ...command.split(" "), "--size", "64,4096", "--frames", "20");
  assertEquals(ran.code, 0, ran.stdout + ran.stderr);
  assertMatch(ran.stdout, /PASS: 8 cases passed, 4 controls failed as expected/);
  const checked = await deno(project, "check", "tests/loop_test.ts");
  assertEquals(checked.code, 0, checked.stderr);
  const formatted = await deno(project, "fmt", "--check");
  assertEquals(formatted.code, 0, formatted.stderr);

  const again = await plumbline(dir, "init", "my-board");
  assertEquals(again.code, 2);
  assertStringIncludes(again.stderr, "found my-board with files in it");

  const empty = `${dir}/empty`;
  Deno.mkdirSync(empty);
  const here = await plumbline(empty, "init", ".");
  assertMatch(here.stdout, /^Made \d files in this folder\. Try it without a board:\n\n {2}npx/);
});

Deno.test("plumbline.json gives options that the command line does not, also from a folder below", async () => {
  const dir = tempDir();
  Deno.mkdirSync(`${dir}/below`);
  const write = (value: unknown) =>
    Deno.writeTextFileSync(`${dir}/plumbline.json`, JSON.stringify(value));
  const small = { size: [64], depth: 1, frames: 3, policy: ["streaming", "coherent"], quiet: true };
  write({ board: "sim", suite: "loopback", junit: "j.xml", ...small });
  const ran = await plumbline(`${dir}/below`, "run", "--policy=streaming");
  assertEquals([ran.code, ran.stderr], [0, ""]);
  // the policy of the command line wins, and the file is in the folder of plumbline.json
  assertMatch(ran.stdout, /^SIMULATED PASS: 2 cases passed/);
  assertStringIncludes(Deno.readTextFileSync(`${dir}/j.xml`), 'tests="2"');

  const mistakes: [value: unknown, message: string][] = [
    [{ bord: "sim" }, "no command has the option bord: did you mean board?"],
    [{ board: ["sim"] }, 'expected board to be a text (BOARD), found ["sim"]'],
    [{ quiet: "yes" }, 'expected quiet to be true or false, found "yes"'],
    [[1], "found [1]"],
  ];
  for (const [value, message] of mistakes) {
    write(value);
    const { code, stderr } = await plumbline(dir, "run");
    assertEquals(code, 2, stderr);
    assertStringIncludes(stderr, message);
    assertEquals(stderr.trimEnd().split("\n").length, 1);
  }
});

Deno.test("plumbline completions bash completes commands and the options of each", async () => {
  const dir = tempDir();
  const { stdout } = await plumbline(dir, "completions", "bash");
  Deno.writeTextFileSync(`${dir}/complete`, stdout);
  const complete = async (...words: string[]): Promise<string[]> => {
    const script =
      `source ${dir}/complete; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _plumbline; ` +
      'printf "%s\n" "${COMPREPLY[@]}"';
    const ended = await new Deno.Command("bash", { args: ["-c", script, "bash", ...words] })
      .output();
    return new TextDecoder().decode(ended.stdout).trim().split("\n");
  };
  assertEquals(await complete("plumbline", "do"), ["doctor"]);
  assertEquals(await complete("plumbline", "run", "--su"), ["--suite"]);
  assertEquals(await complete("plumbline", "report", "--com"), ["--compare"]);
  // doctor has no suites
  assertEquals(await complete("plumbline", "doctor", "--su"), [""]);
});

Deno.test("plumbline completions writes each option of run for fish, and refuses another shell", async () => {
  const fish = await plumbline(tempDir(), "completions", "fish");
  assertStringIncludes(
    fish.stdout,
    "-n '__fish_seen_subcommand_from run' -l require-identity -d '",
  );
  const other = await plumbline(tempDir(), "completions", "tcsh");
  assertEquals(other.code, 2);
  assertStringIncludes(other.stderr, "bash");
});

Deno.test("plumbline -v and -V print the version", async () => {
  const expected = `plumbline ${VERSION} (deno ${Deno.version.deno})\n`;
  for (const args of [["-v"], ["-V"], ["run", "-V"]]) {
    assertEquals((await plumbline(tempDir(), ...args)).stdout, expected, args.join(" "));
  }
});
