// SPDX-License-Identifier: MIT
// What a CI gets: the files of --junit and its like, the summary of a job, and the examples in examples/ci.
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { ROOT } from "../settings/paths.ts";
import { checkJUnit } from "../testing/junit.ts";
import { tempDir } from "../testing/temp_dir.ts";

const MAIN = `${ROOT}hil/cli/main.ts`;
const SMALL = ["--suite=loopback", "--policy=streaming,none", "--size=64", "--depth=1"];

async function plumbline(
  dir: string,
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<{ code: number; output: string }> {
  const { PLUMBLINE_RESULTS: _r, PLUMBLINE_BOARD: _b, ...known } = Deno.env.toObject();
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", MAIN, ...args],
    env: { ...known, NO_COLOR: "1", ...env },
    clearEnv: true,
    cwd: dir,
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, output: text(stdout) + text(stderr) };
}

Deno.test("plumbline run writes the formats of other tools, and adds to the summary of a job", async () => {
  const dir = tempDir();
  Deno.writeTextFileSync(`${dir}/summary.md`, "of another step\n");
  const files = ["--junit=j.xml", "--ktap=k.txt", "--ctrf=c.json", "--results=run"];
  const fault = ["--fault=kind=flip frame=17", "--frames=20"];
  const { code, output } = await plumbline(
    dir,
    ["run", "--board=sim", ...SMALL, ...files, ...fault],
    { GITHUB_STEP_SUMMARY: `${dir}/summary.md`, CI_PROJECT_DIR: dir },
  );
  assertEquals(code, 1, output);
  const read = (name: string) => Deno.readTextFileSync(`${dir}/${name}`);
  checkJUnit(read("j.xml"));
  // GitLab finds attachments from the folder of the project
  assertStringIncludes(read("j.xml"), "[[ATTACHMENT|run/deno-test.log]]");
  assertMatch(read("j.xml"), /file="hil\/suites\/loopback_test.ts" line="\d+"/);
  assertMatch(read("k.txt"), /^KTAP version 1\n1\.\.1\n/);
  assertEquals(JSON.parse(read("c.json")).results.summary.failed, 2);
  assertMatch(read("summary.md"), /^of another step\n## FAIL: The design failed in 2 cases\n/);
});

/** The command lines of Plumbline in an example, as a shell gets them. */
function commandsOf(file: string): string[] {
  return Deno.readTextFileSync(`${ROOT}examples/ci/${file}`).split("\n")
    .filter((line) => !line.trimStart().startsWith("#"))
    .flatMap((line) => /plumbline\/hil\/cli\/main\.ts (.*)$/.exec(line)?.[1] ?? []);
}

for (const file of ["github.yml", "gitlab.yml"]) {
  Deno.test(`every command of examples/ci/${file} works, with the simulated board in place of a real one`, async () => {
    const commands = commandsOf(file);
    assertEquals(commands.length, 3);
    const dir = tempDir();
    for (const command of commands) {
      const [name = "", ...args] = command.split(" ");
      if (name === "doctor") {
        // there is no board, so it says what is missing
        const { code, output } = await plumbline(dir, [name, ...args]);
        assert(code === 0 || code === 3 && output.includes("Next: "), output);
        continue;
      }
      assertEquals(name, "run");
      const short = [...SMALL, "--frames=3", "--quiet"];
      const board = args.includes("--board") ? [] : ["--board=sim"];
      const page = args.indexOf("--html");
      // the page needs npm packages, and hil/report tests it
      const rest = page < 0 ? args : args.toSpliced(page, 2);
      const { code, output } = await plumbline(dir, [name, ...rest, ...board, ...short]);
      assertEquals(code, 0, output);
      checkJUnit(Deno.readTextFileSync(`${dir}/junit.xml`));
    }
    // what the jobs keep are the files that the commands write
    const text = Deno.readTextFileSync(`${ROOT}examples/ci/${file}`);
    for (const kept of ["run/", "junit.xml", "report.html"]) assertStringIncludes(text, kept);
  });
}
