// SPDX-License-Identifier: MIT
// The command as a user runs it: a process with its exit status, standard output and error.
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { checkResults } from "../results/check.ts";
import { VERSION } from "../results/tool.ts";
import { ROOT } from "../settings/paths.ts";
import { tempDir } from "../testing/temp_dir.ts";

const MAIN = new URL("./main.ts", import.meta.url).pathname;

interface Ended {
  code: number;
  stdout: string;
  stderr: string;
}

/** No machine has a device of this name, so these tests also run on a board. */
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

Deno.test("plumbline with a missing or unknown command exits 2", async () => {
  assertEquals((await plumbline()).code, 2);
  const { code, stderr } = await plumbline("rnu");
  assertEquals([code, stderr], [2, "plumbline: Unknown command rnu: did you mean run?\n"]);
  assertEquals((await plumbline("toString")).code, 2);
});

Deno.test("plumbline run without a device says in one line which step is missing, and exits 3", async () => {
  const { code, stdout, stderr } = await plumbline("run", "--device", NO_DEVICE);
  assertEquals(code, 3);
  assertEquals(stdout, "");
  assertMatch(
    stderr,
    /^plumbline: There is no \/dev\/pldma-none[^\n]+; without a board, try --board sim\n$/,
  );
});

Deno.test("plumbline run refuses a depth that the device cannot hold before anything runs", async () => {
  const ended = await plumbline("run", "--board=sim", "--suite=loopback", "--depth=99999");
  assertEquals([ended.code, ended.stdout], [2, ""]);
  assertMatch(
    ended.stderr,
    /^plumbline: Expected --depth to be at most 2047, found "99999": [^\n]+ Use a smaller depth[^\n]+\n$/,
  );
});

Deno.test("plumbline run --json - writes only JSON to standard output", async () => {
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
  assertStringIncludes(again.stderr, "which contains another run");
});

Deno.test("plumbline run refuses a file for results that cannot be made", async () => {
  const { code, stderr } = await plumbline("run", "--json", "/no such folder/out.json");
  assertEquals(code, 2);
  assertStringIncludes(stderr, "there is no folder /no such folder");
  assertEquals((await plumbline("run", "--json", "/tmp")).code, 2);
});

/** A command line that cannot work, its exit status, and the whole message. */
const USELESS: readonly [args: string[], code: number, message: RegExp][] = [
  [["run", "--board=sim", "--bitstream=top.bit"], 2, /^--bitstream does not work with --board sim/],
  [
    ["run", "--require-identity"],
    2,
    /^--require-identity needs a bitstream .*: add --bitstream FILE$/,
  ],
  [
    ["run", "--results=/etc/hostname"],
    2,
    /^Expected --results to be a folder, found the file \/etc/,
  ],
  [["run", "--bitstream=no.bit"], 2, /^Expected --bitstream to be a file, found no .*no\.bit$/],
  [["run", "--board=sim", `${ROOT}README.md`], 2, /^Expected a test file such as loop_test\.ts/],
  [["run", "-b", "sim"], 2, /^Unknown option -b: options have two dashes; did you mean --board\?$/],
  [
    ["run", "--board=sim", "--fault=flip"],
    2,
    /^--fault: Expected kind=flip, found the fault "flip"$/,
  ],
  [["info", "--device=/tmp"], 3, /^Expected a device node .*, found the folder \/tmp/],
  [["info", "--device=/etc/hostname"], 3, /^\/etc\/hostname: expected pldma ABI version 2, found/],
  [["doctor", "--board=sim"], 2, /^--board sim has no condition to look at/],
];
for (const [args, expected, message] of USELESS) {
  Deno.test(`plumbline ${args.join(" ").replaceAll(ROOT, "")} says in one line what is wrong`, async () => {
    const { code, stdout, stderr } = await plumbline(...args);
    assertEquals([code, stdout], [expected, ""], stderr);
    assertEquals(stderr.trimEnd().split("\n").length, 1, stderr);
    assertMatch(stderr.trimEnd().replace(/^plumbline: /, ""), message);
  });
}

Deno.test("plumbline run prints the verdict on standard output, and progress on standard error", async () => {
  const small = ["--suite=loopback", "--policy=streaming", "--size=64", "--frames=3", "--depth=1"];
  const { code, stdout, stderr } = await plumbline("run", "--board=sim", ...small);
  assertEquals([code, stderr], [0, ""]);
  assertMatch(stdout, /\nPASS: 2 cases passed .*\nResults: .*\n$/);
});

Deno.test("plumbline run --policy leaves a verdict about that policy, with every suite", async () => {
  for (const policy of ["coherent", "bounce"]) {
    const { code, stdout, stderr } = await plumbline("run", "--board=sim", `--policy=${policy}`);
    assertEquals([code, stderr], [0, ""], stdout);
    assertMatch(stdout, /\nPASS: \d+ cases passed, \d+ skipped/);
    assertMatch(stdout, /the suite runs under policy manual, which --policy leaves out/);
  }
  const { code, stdout } = await plumbline("run", "--board=sim", "--policy=none");
  assertEquals(code, 3, stdout);
  assertMatch(stdout, /every case of litmus was skipped, and all frames\s+were those of controls/);
});

Deno.test("plumbline run --fault help and --pattern help list what they accept, in 80 columns", async () => {
  const faults = await plumbline("run", "--fault=help");
  assertEquals([faults.code, faults.stderr], [0, ""]);
  for (const line of ["  flip ", "* stray ", "* sync-skip ", "  stall\n", "every="]) {
    assertStringIncludes(faults.stdout, line);
  }
  for (const line of faults.stdout.split("\n")) assert(line.length <= 80, line);
  const patterns = await plumbline("run", "--pattern", "help");
  assertMatch(patterns.stdout, /^--pattern takes one of:\n(?: {2}\S+\n){15,}$/);
});

const COMMANDS = [
  ...[[], ["run"], ["bench"], ["doctor"], ["info"], ["report"], ["matrix"], ["selfcheck"]],
  ...[["init"], ["completions"], ["bitstream"]],
];
for (const command of COMMANDS) {
  const name = ["plumbline", ...command].join(" ");
  Deno.test(`${name} --help fits into 80 columns`, async () => {
    const { code, stdout, stderr } = await plumbline(...command, "--help");
    assertEquals([code, stderr], [0, ""]);
    assertStringIncludes(stdout, `Usage: ${name} `);
    for (const line of stdout.split("\n")) assert(line.length <= 80, line);
  });
}

/** Mistakes, and the message that every command gives for them. */
const MISTAKES: readonly [args: string[], message: string][] = [
  [["--qiet"], "Unknown option --qiet: did you mean --quiet?"],
  [["--xyzzy"], "Unknown option --xyzzy: see --help"],
  [["--json"], "--json needs a value: expected FILE, found nothing"],
  [["--json", "a", "--json", "b"], "--json is given twice: expected one value, found a and b"],
  [["--quiet=1"], '--quiet takes no value, found "1"'],
  [["--"], 'Unexpected argument "--": leave it out'],
  [["--json", "/"], "Expected --json to be a file, found the folder /"],
];
const WITH_QUIET = [["run"], ["bench"], ["report", "x"], ["selfcheck", "--board=sim"]];
for (const [args, message] of MISTAKES) {
  Deno.test(`plumbline refuses ${args.join(" ")} in the same words for every command`, async () => {
    for (const command of WITH_QUIET) {
      const { code, stderr } = await plumbline(...command, ...args);
      assertEquals([code, stderr], [2, `plumbline: ${message}\n`], command[0]);
    }
  });
}

Deno.test("plumbline --version prints the version", async () => {
  const { code, stdout } = await plumbline("--version");
  assertEquals(code, 0);
  assertEquals(stdout, `plumbline ${VERSION} (deno ${Deno.version.deno})\n`);
});
