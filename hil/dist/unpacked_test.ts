// SPDX-License-Identifier: MIT
// An unpacked tarball, on this machine and without a network.
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { hostArch } from "../../fixtures/host/arch.ts";
import { run } from "../../fixtures/host/run.ts";
import { fold } from "../journal/fold.ts";
import { Journal } from "../journal/journal.ts";
import { VERSION } from "../results/tool.ts";
import { tempDir } from "../testing/temp_dir.ts";
import { makeTarball } from "./dist.ts";
import { clone, must } from "./testing/clone.ts";

/**
 * Unpacks a tarball of what is committed, into a folder with a space in its name. Copies this Deno in
 * afterwards, because packing it takes seconds.
 */
async function unpacked(deno: "with Deno" | null): Promise<string> {
  const out = tempDir();
  const root = await clone();
  const { path, version } = await makeTarball({ arch: hostArch, out, deno: null, root });
  const dir = `${out}/a b/plumbline-${version}`;
  await Deno.mkdir(`${out}/a b`);
  await must("tar", "-xzf", path, "-C", `${out}/a b`);
  if (deno !== null) {
    await Deno.mkdir(`${dir}/bin`);
    await Deno.copyFile(Deno.execPath(), `${dir}/bin/deno`);
  }
  return dir;
}

/** Runs a program without any inherited variable, and without a network if that is possible. */
async function bare(
  args: readonly string[],
  options: { env?: Record<string, string>; cwd?: string; as?: readonly string[] } = {},
): Promise<{ code: number; stdout: string; stderr: string }> {
  const as = options.as ?? [];
  const alone = [...as, "unshare", "--net", "--map-root-user"];
  const [probe = "", ...probed] = [...alone, "true"];
  const can = (await run(probe, probed)).code === 0;
  const [program = "", ...rest] = [...(can ? alone : as), ...args];
  const output = await new Deno.Command(program, {
    args: rest,
    stdin: "null",
    clearEnv: true,
    env: { PATH: "/usr/bin:/bin", LANG: "C", ...options.env },
    cwd: options.cwd ?? "/",
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code: output.code, stdout: text(output.stdout), stderr: text(output.stderr) };
}

Deno.test("plumbline runs from a read-only folder without HOME, variables, terminal and network", async () => {
  const dir = await unpacked("with Deno");
  const wanted = `plumbline ${VERSION} (deno ${Deno.version.deno})\n`;
  await Deno.symlink(`${dir}/plumbline`, `${dir}/../link`);
  for (const way of [[`${dir}/plumbline`], [`${dir}/../link`], ["sh", `${dir}/plumbline`]]) {
    const { code, stdout, stderr } = await bare([...way, "--version"]);
    assertEquals({ code, stdout, stderr }, { code: 0, stdout: wanted, stderr: "" });
  }
  // all files that it writes are in its own folder
  assertEquals([...Deno.readDirSync(`${dir}/.cache`)].map((entry) => entry.name), ["deno"]);
  await Deno.remove(`${dir}/.cache`, { recursive: true });
  await must("chmod", "-R", "a-w", dir);
  const as = Deno.uid() === 0 ? ["setpriv", "--reuid=65534", "--clear-groups"] : [];
  await must("chmod", "a+rx", `${dir}/../..`);
  const readOnly = await bare([`${dir}/plumbline`, "--version"], { as });
  assertEquals(readOnly, { code: 0, stdout: wanted, stderr: "" });
  const usage = await bare([`${dir}/plumbline`, "rum"], { as });
  assertEquals([usage.code, usage.stderr.trimEnd().split("\n").length], [2, 1]);
  assertEquals([...Deno.readDirSync(dir)].filter((entry) => entry.name === ".cache"), []);
  await must("chmod", "-R", "u+w", dir);
});

Deno.test("plumbline exits 3 with one line if Deno is missing, old or broken", async () => {
  const dir = await unpacked(null);
  const say = async (script: string): Promise<string> => {
    await Deno.writeTextFile(`${dir}/../deno`, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    return `${dir}/../deno`;
  };
  const plumbline = async (env: Record<string, string>): Promise<[number, string]> => {
    const { code, stdout, stderr } = await bare([`${dir}/plumbline`, "--version"], { env });
    return [code, stdout + stderr];
  };
  const { deno } = Deno.version;
  const label = hostArch === "aarch64" ? "arm64" : "x86_64";
  assertEquals(await plumbline({}), [
    3,
    `plumbline: no Deno: put Deno ${deno} for ${label} at ${dir}/bin/deno, or set PLUMBLINE_DENO to its path\n`,
  ]);
  for (
    const [version, good] of [
      ["2.9.4", false],
      ["2.8.99", false],
      ["1.99.0", false],
      ["3.0.0", false],
      ["2.9.5", true],
      ["2.9.10", true],
      ["2.10.0", true],
    ] as const
  ) {
    const old = await say(
      `echo "deno ${version} (stable, release)"; [ $1 = --version ] || echo "$@"`,
    );
    const [code, said] = await plumbline({ PLUMBLINE_DENO: old });
    assertEquals(code, good ? 0 : 3, version);
    if (!good) {
      assertEquals(
        said,
        `plumbline: expected Deno ${deno} or newer, found deno ${version} (stable, release) at ${old}\n`,
      );
    }
  }
  const broken = await say("echo \"version 'GLIBC_2.27' not found\" >&2; exit 1");
  assertEquals(await plumbline({ PLUMBLINE_DENO: broken }), [
    3,
    `plumbline: ${broken} does not run here: version 'GLIBC_2.27' not found\n`,
  ]);
  // a usable Deno on PATH
  await Deno.remove(broken);
  await Deno.symlink(Deno.execPath(), broken);
  const path = `${dir}/..:/usr/bin:/bin`;
  assertEquals(await plumbline({ PATH: path }), [0, `plumbline ${VERSION} (deno ${deno})\n`]);
});

Deno.test("an unpacked tarball contains every file that its programs and tests import", async () => {
  const dir = await unpacked("with Deno");
  const env = { DENO_DIR: `${tempDir()}/none`, DENO_NO_UPDATE_CHECK: "1", NO_COLOR: "1" };
  const list = (folder: string) =>
    [...Deno.readDirSync(`${dir}/${folder}`)].filter(({ name }) => name.endsWith(".ts"))
      .map(({ name }) => `${folder}/${name}`);
  const tests = [...list("hil/suites"), ...list("examples/team"), ...list("examples/team/tests")];
  assert(tests.length > 5);
  for (const program of ["mod.ts", "hil/cli/main.ts", ...tests]) {
    const info = await bare([`${dir}/bin/deno`, "info", "--json", program], { env, cwd: dir });
    const { modules } = JSON.parse(info.stdout) as {
      modules: { specifier: string; error?: string }[];
    };
    assertEquals(modules.flatMap(({ error }) => error ?? []), []);
    const files = modules.filter(({ specifier }) => !specifier.startsWith("node:"));
    assert(files.length > 0);
    for (const { specifier } of files) {
      assert(specifier.startsWith(`file://${encodeURI(dir)}/`), specifier);
    }
  }
});

Deno.test("an unpacked tarball runs on the simulated board, by deno test and by plumbline run", async () => {
  const dir = await unpacked("with Deno");
  const commit = (await Deno.readTextFile(`${dir}/COMMIT`)).trim();
  const board = ["--board", "sim", "--suite", "loopback", "--size", "64", "--frames", "2"];
  const deno = [`${dir}/bin/deno`, "test", "-P", "--no-check", "--", ...board];
  for (const command of [deno, [`${dir}/plumbline`, "run", ...board]]) {
    const results = `${tempDir()}/run`;
    const env = { PLUMBLINE_RESULTS: results, DENO_DIR: `${tempDir()}/none`, NO_COLOR: "1" };
    const ran = await bare(command, { env, cwd: dir });
    assertEquals(ran.code, 0, ran.stdout + ran.stderr);
    const { verdict, tests, tool } = fold(Journal.read(`${results}/journal.jsonl`));
    assertEquals(verdict.exit, 0, verdict.reason);
    assert(tests.filter(({ outcome }) => outcome === "PASS").length > 10);
    assertEquals(tool.git, commit);
  }
});

Deno.test("an unpacked tarball makes the HTML page, or says that only npm packages are missing", async () => {
  const dir = await unpacked("with Deno");
  const folder = tempDir();
  const page = ["--html", `${folder}/page.html`];
  const board = ["--board", "sim", "--suite", "loopback", "--policy", "streaming", "--size", "64"];
  const env = { NO_COLOR: "1", NPM_CONFIG_REGISTRY: "http://127.0.0.1:1/", DENO_DIR: folder };
  const command = [`${dir}/plumbline`, "run", ...board, ...page, "--results", `${folder}/run`];
  const without = await bare(command, { env, cwd: dir });
  assertEquals(without.code, 0, without.stderr);
  assertStringIncludes(without.stderr, "its charts need npm packages that are not available here");
  // the packages of this machine, if it has them
  const cache = Deno.env.get("DENO_DIR") ?? `${Deno.env.get("HOME")}/.cache/deno`;
  const again = await bare([`${dir}/plumbline`, "report", `${folder}/run`, ...page], {
    env: { NO_COLOR: "1", DENO_DIR: cache },
    cwd: dir,
  });
  assertEquals(again.code, 0, again.stderr);
  const made = Array.from(Deno.readDirSync(folder), ({ name }) => name).includes("page.html");
  assert(made || /npm packages that are not available/.test(again.stderr), again.stderr);
});

Deno.test("an unpacked tarball reports a missing device and the lack of virtual boards", async () => {
  const dir = await unpacked("with Deno");
  const env = { DENO_DIR: `${tempDir()}/none`, NO_COLOR: "1" };
  const device = ["--device", "/dev/pldma999"];
  const command = [`${dir}/bin/deno`, "test", "-P", "--no-check", "--", ...device];
  const test = await bare(command, { env, cwd: dir });
  assertEquals(test.code, 1, test.stderr);
  assertStringIncludes(test.stdout + test.stderr, "/dev/pldma999");
  const ran = await bare([`${dir}/plumbline`, "run", ...device], { cwd: dir });
  assertEquals([ran.code, ran.stderr.trimEnd().split("\n").length], [3, 1], ran.stderr);
  const virtual = await bare([`${dir}/plumbline`, "run", "--board", "vm"], { cwd: dir });
  assertEquals(virtual.code, 3, virtual.stderr);
  assertStringIncludes(virtual.stdout, "Virtual boards are not in this installation");
});
