// SPDX-License-Identifier: MIT
// The command as a user calls it: a process with its exit status and its two outputs.
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { checkResults } from "../results/check.ts";
import { VERSION } from "../results/tool.ts";
import { tempDir } from "../testing/temp_dir.ts";

const MAIN = new URL("./main.ts", import.meta.url).pathname;

interface Ended {
  code: number;
  stdout: string;
  stderr: string;
}

/** A device of this name exists on no machine, so these tests run on a board too. */
const NO_DEVICE = "/dev/pldma-none";

async function plumbline(...args: string[]): Promise<Ended> {
  const { PLUMBLINE_RESULTS: _r, PLUMBLINE_BOARD: _b, ...env } = Deno.env.toObject();
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", MAIN, ...args],
    env: { ...env, NO_COLOR: "1" },
    clearEnv: true,
    cwd: tempDir(),
  });
  const { code, stdout, stderr } = await child.output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, stdout: text(stdout), stderr: text(stderr) };
}

Deno.test("plumbline with an unknown option exits 2 and names the nearest", async () => {
  const ended = await plumbline("run", "--plicy", "none");
  assertEquals(ended, {
    code: 2,
    stdout: "",
    stderr: "plumbline: Unknown option --plicy: did you mean --policy?\n",
  });
});

Deno.test("plumbline without a command, or with an unknown one, exits 2", async () => {
  assertEquals((await plumbline()).code, 2);
  const { code, stderr } = await plumbline("rnu");
  assertEquals([code, stderr], [2, "plumbline: Unknown command rnu: did you mean run?\n"]);
  assertEquals((await plumbline("toString")).code, 2);
});

Deno.test("plumbline run without a device says in one line what is missing and exits 3", async () => {
  const { code, stdout, stderr } = await plumbline("run", "--device", NO_DEVICE);
  assertEquals(code, 3);
  assertEquals(stdout, "");
  assertMatch(
    stderr,
    /^plumbline: No \/dev\/pldma-none: [^\n]+; without a board try --board sim\n$/,
  );
});

Deno.test("plumbline run --json - puts nothing but JSON on standard output", async () => {
  const { code, stdout, stderr } = await plumbline("run", `--device=${NO_DEVICE}`, "--json", "-");
  assertEquals(code, 3);
  const results = checkResults(JSON.parse(stdout));
  assertEquals(results.summary.error, 1);
  assertEquals(results.tests[0]?.name, "device");
  assertEquals(results.run.command, ["plumbline", "run", `--device=${NO_DEVICE}`, "--json", "-"]);
  assertStringIncludes(stderr, NO_DEVICE);
  assertEquals(stderr.trimEnd().split("\n").length, 1, stderr);
});

Deno.test("plumbline run writes the same results to a file and to the folder", async () => {
  const dir = tempDir();
  const args = [`--device=${NO_DEVICE}`, `--results=${dir}/run`, `--json=${dir}/out.json`];
  assertEquals((await plumbline("run", ...args)).code, 3);
  const text = Deno.readTextFileSync(`${dir}/out.json`);
  checkResults(JSON.parse(text));
  assertEquals(Deno.readTextFileSync(`${dir}/run/results.json`), text);

  const again = await plumbline("run", ...args);
  assertEquals(again.code, 2);
  assertStringIncludes(again.stderr, "holds another run");
});

Deno.test("plumbline run refuses a place for results that cannot be", async () => {
  const { code, stderr } = await plumbline("run", "--json", "/no such folder/out.json");
  assertEquals(code, 2);
  assertStringIncludes(stderr, "there is no folder /no such folder");
  assertEquals((await plumbline("run", "--json", "/tmp")).code, 2);
});

const HELPS = [["--help"], ["run", "--help"], ["info", "--help"], ["report", "--help"], [
  "selfcheck",
  "--help",
]];
for (const args of HELPS) {
  Deno.test(`plumbline ${args.join(" ")} fits 80 columns and 24 lines`, async () => {
    const { code, stdout, stderr } = await plumbline(...args);
    assertEquals([code, stderr], [0, ""]);
    const lines = stdout.trimEnd().split("\n");
    assert(lines.length <= 23, `${lines.length} lines`);
    for (const line of lines) assert(line.length <= 80, line);
  });
}

Deno.test("plumbline --version tells the version", async () => {
  const { code, stdout } = await plumbline("--version");
  assertEquals(code, 0);
  assertEquals(stdout, `plumbline ${VERSION} (deno ${Deno.version.deno})\n`);
});
