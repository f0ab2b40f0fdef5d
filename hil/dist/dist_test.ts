// SPDX-License-Identifier: MIT
import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { checkout } from "../../fixtures/host/cache.ts";
import { run, UnavailableError } from "../../fixtures/host/run.ts";
import { hostArch } from "../../fixtures/host/arch.ts";
import { Journal } from "../journal/journal.ts";
import { fold } from "../journal/fold.ts";
import { VERSION } from "../results/tool.ts";
import { tempDir } from "../testing/temp_dir.ts";
import { DistError, main, makeTarball, neededGlibc } from "./dist.ts";

/** A program that packs faster, where it only has to be one. */
const small = () => Deno.realPath("/bin/sh");

/** What is committed, in a checkout of its own that a test may spoil. */
async function clone(): Promise<string> {
  const root = `${tempDir()}/clone`;
  const done = await run("git", [
    "clone",
    "-q",
    "--no-local",
    "--depth=1",
    `file://${checkout}`,
    root,
  ]);
  assertEquals(done.code, 0, done.stderr);
  return root;
}

async function must(program: string, ...args: string[]): Promise<string> {
  const done = await run(program, args);
  assertEquals(done.code, 0, done.stderr);
  return done.stdout;
}

/**
 * A tarball of what is committed, unpacked; the folder's name has a space in it. This Deno is copied
 * in afterwards: packing it takes seconds.
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

/** Runs a program that inherits no variable, without a network where that can be had. */
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

Deno.test("makeTarball() gives the same bytes twice, whatever the mask, the folder and the zone", async () => {
  const root = await clone();
  const [one, two] = [tempDir(), `${tempDir()}/new/folder`];
  const first = await makeTarball({ arch: "aarch64", out: one, deno: small, root });
  const mask = Deno.umask(0o077);
  Deno.env.set("TZ", "Asia/Tokyo");
  try {
    // a file's time and a needless bit of its mode are this machine's, not the commit's
    await Deno.utime(`${root}/mod.ts`, 1, 1);
    await Deno.chmod(`${root}/README.md`, 0o600);
    const second = await makeTarball({ arch: "aarch64", out: two, deno: small, root });
    assertEquals(second.sha256, first.sha256);
    assertEquals(second.path, `${two}/plumbline-${VERSION}-linux-arm64.tar.gz`);
    assertEquals(await Deno.readFile(second.path), await Deno.readFile(first.path));
    assertEquals((await must("sha256sum", second.path)).split(" ")[0], second.sha256);
    assertEquals((await Deno.stat(second.path)).size, second.size);
  } finally {
    Deno.umask(mask);
    Deno.env.delete("TZ");
  }
  for (const out of [one, two]) assertEquals([...Deno.readDirSync(out)].length, 1);
});

Deno.test("makeTarball() takes what git has, owned by root and as old as the commit", async () => {
  const root = await clone();
  const out = tempDir();
  const { path } = await makeTarball({ arch: "x86_64", out, deno: null, root });
  const lines = (await must("tar", "--utc", "--full-time", "-tvzf", path)).trimEnd().split("\n");
  const entries = lines.map((line) => line.split(/\s+/));
  const time = new Date(Number(await must("git", "-C", root, "log", "-1", "--format=%ct")) * 1000);
  const stamp = time.toISOString().replace("T", " ").slice(0, 19);
  assertEquals(new Set(entries.map(([, owner]) => owner)), new Set(["0/0"]));
  assertEquals(new Set(entries.map((entry) => `${entry[3]} ${entry[4]}`)), new Set([stamp]));
  const modes = new Set(entries.map(([mode]) => mode));
  assertEquals(modes, new Set(["drwxr-xr-x", "-rw-r--r--", "-rwxr-xr-x"]));

  const top = `plumbline-${VERSION}/`;
  const names = entries.map((entry) => entry[5] ?? "");
  assertEquals(names, names.toSorted());
  assert(names.every((name) => name.startsWith(top)));
  const files = names.map((name) => name.slice(top.length)).filter((name) => !/^$|\/$/.test(name));
  const made = ["COMMIT", "INSTALL", "plumbline"];
  const known = (await must("git", "-C", root, "ls-files")).split("\n");
  assertEquals(files.filter((file) => !known.includes(file)), made);
  for (
    const file of [
      ...["LICENSE", "LICENSES/GPL-2.0.txt", "deno.lock", "offline/std_assert/mod.ts"],
      ...["driver/kernel/dkms.conf", "driver/kernel/Makefile", "driver/kernel/Kbuild"],
      ...["driver/kernel/uapi/pldma.h", "driver/kernel/70-pldma.rules", "hil/cli/main.ts"],
      ...["driver/kernel/examples/xilinx-axi-dma.dtso", "hil/suites/loopback_test.ts"],
    ]
  ) assert(files.includes(file), file);
  const tests = files.filter((file) => /_test\.ts$|\/testing\/|\/tests\//.test(file));
  assertEquals(tests.filter((file) => !/^(hil\/(bench\/)?suites|examples\/team)\//.test(file)), []);
  assertEquals(files.filter((file) => /^hil\/dist\/|\.(ko|v)$|^\./.test(file)), []);
});

Deno.test("makeTarball() says in name and version that the checkout was changed", async () => {
  const root = await clone();
  const out = tempDir();
  // what is not in the tarball does not count
  await Deno.writeTextFile(`${root}/CONTRIBUTING.md`, "changed");
  assertEquals((await makeTarball({ arch: "x86_64", out, deno: null, root })).version, VERSION);
  await Deno.writeTextFile(`${root}/mod.ts`, "// changed\n", { append: true });
  const { path, version } = await makeTarball({ arch: "x86_64", out, deno: null, root });
  assertEquals(version, `${VERSION}-dirty`);
  assertMatch(path, /-dirty-linux-x86_64\.tar\.gz$/);
  const top = `plumbline-${version}`;
  const commit = (await must("git", "-C", root, "rev-parse", "HEAD")).trim();
  assertEquals(await must("tar", "-xzOf", path, `${top}/COMMIT`), `${commit}-dirty\n`);
  assertMatch(await must("tar", "-xzOf", path, `${top}/mod.ts`), /\/\/ changed\n$/);
});

Deno.test("makeTarball() takes the time of SOURCE_DATE_EPOCH, and refuses what is none", async () => {
  const root = await clone();
  const out = tempDir();
  try {
    Deno.env.set("SOURCE_DATE_EPOCH", "86400");
    const { path } = await makeTarball({ arch: "x86_64", out, deno: null, root });
    assertStringIncludes(await must("tar", "--utc", "-tvzf", path), " 1970-01-02 00:00 ");
    Deno.env.set("SOURCE_DATE_EPOCH", "yesterday");
    const made = makeTarball({ arch: "x86_64", out, deno: null, root });
    await assertRejects(() => made, DistError, 'found "yesterday"');
  } finally {
    Deno.env.delete("SOURCE_DATE_EPOCH");
  }
});

Deno.test("makeTarball() leaves nothing behind when the disk is full, a file or the checkout is missing", async () => {
  const root = await clone();
  const out = tempDir();
  const make = () => makeTarball({ arch: "x86_64", out, deno: null, root });
  const path = Deno.env.get("PATH") ?? "";
  // a gzip that gives up in the middle, as on a full disk
  const gzip = "#!/bin/sh\necho half\necho No space left on device >&2\nexit 1\n";
  const bin = tempDir();
  await Deno.writeTextFile(`${bin}/gzip`, gzip, { mode: 0o755 });
  Deno.env.set("PATH", `${bin}:${path}`);
  try {
    await assertRejects(make, DistError, "No space left on device");
  } finally {
    Deno.env.set("PATH", path);
  }
  await Deno.remove(`${root}/mod.ts`);
  await assertRejects(make, Error, "mod.ts");
  await Deno.remove(`${root}/.git`, { recursive: true });
  await assertRejects(make, DistError, "not a git repository");
  assertEquals([...Deno.readDirSync(out)], []);
});

/** What `deno task dist` says and how it ends. */
async function dist(
  args: string[],
  fetchDeno?: () => Promise<string>,
): Promise<{ code: number; lines: string[] }> {
  const lines: string[] = [];
  const { log, error } = console;
  console.log = console.error = (line: string) => void lines.push(line);
  try {
    return { code: await main(args, fetchDeno), lines };
  } finally {
    Object.assign(console, { log, error });
  }
}

Deno.test("dist refuses in one line what it does not know", async () => {
  for (
    const [args, said] of [
      [
        ["--arch", "arm"],
        'Expected --arch to be arm64 or x86_64, found "arm": did you mean arm64?',
      ],
      [["--arch=riscv"], 'Expected --arch to be arm64 or x86_64, found "riscv"'],
      [["--out="], "--out needs a folder"],
      [["--with-node"], "Unknown option '--with-node'"],
      [["arm64"], "Unexpected argument 'arm64'"],
    ] as const
  ) {
    const { code, lines } = await dist([...args]);
    assertEquals(code, 2);
    assertEquals(lines.length, 1);
    assert(lines[0]?.startsWith(`dist: ${said}`), lines[0]);
  }
});

Deno.test("dist ends with 3, one line and no file when the folder or Deno cannot be had", async () => {
  const file = Deno.makeTempFileSync({ dir: tempDir() });
  const blocked = await dist(["--out", `${file}/folder`]);
  assertEquals([blocked.code, blocked.lines.length], [3, 1]);
  assertStringIncludes(blocked.lines[0] ?? "", `Cannot write into ${file}/folder: Not a directory`);

  const out = tempDir();
  const away = () => Promise.reject(new UnavailableError("Fetching it failed\nin many words"));
  const offline = await dist(["--out", out, "--with-deno"], away);
  const said = "dist: Fetching it failed; without --with-deno no network is needed";
  assertEquals(offline, { code: 3, lines: [said] });
  assertEquals([...Deno.readDirSync(out)], []);
});

Deno.test("dist prints hash, place, size and the glibc that Deno needs", async () => {
  const out = tempDir();
  const { code, lines } = await dist(["--out", out, "--with-deno", "--arch", "arm64"], small);
  assertEquals(code, 0);
  const [file] = [...Deno.readDirSync(out)];
  const { size } = Deno.statSync(`${out}/${file?.name}`);
  const glibc = await neededGlibc(await small());
  assertMatch(lines.at(-2) ?? "", new RegExp(`^[0-9a-f]{64}  ${out}/${file?.name}$`));
  assertEquals(lines.at(-1), `dist: arm64: ${size} bytes, Deno needs glibc ${glibc}`);
});

Deno.test("neededGlibc() compares versions by number, and refuses what is no program", async () => {
  const { stdout } = await run("readelf", ["--wide", "--version-info", Deno.execPath()]);
  const minors = [...stdout.matchAll(/Name: GLIBC_2\.(\d+)/g)].map(([, minor]) => Number(minor));
  assert(minors.includes(4) && minors.length > 3, stdout);
  assertEquals(await neededGlibc(Deno.execPath()), `2.${Math.max(...minors)}`);
  await assertRejects(() => neededGlibc(`${checkout}/LICENSE`), DistError, "says nothing");
});

Deno.test("plumbline runs from a read-only folder with no HOME, variables, terminal or network", async () => {
  const dir = await unpacked("with Deno");
  const wanted = `plumbline ${VERSION} (deno ${Deno.version.deno})\n`;
  await Deno.symlink(`${dir}/plumbline`, `${dir}/../link`);
  for (const way of [[`${dir}/plumbline`], [`${dir}/../link`], ["sh", `${dir}/plumbline`]]) {
    const { code, stdout, stderr } = await bare([...way, "--version"]);
    assertEquals({ code, stdout, stderr }, { code: 0, stdout: wanted, stderr: "" });
  }
  // what it leaves behind is in its own folder
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

Deno.test("plumbline says in one line which Deno is missing, old or broken, and ends with 3", async () => {
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
    `plumbline: no Deno: put Deno ${deno} for ${label} at ${dir}/bin/deno, or name it in PLUMBLINE_DENO\n`,
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
        `plumbline: ${old} is deno ${version} (stable, release): expected Deno ${deno} or newer\n`,
      );
    }
  }
  const broken = await say("echo \"version 'GLIBC_2.27' not found\" >&2; exit 1");
  assertEquals(await plumbline({ PLUMBLINE_DENO: broken }), [
    3,
    `plumbline: ${broken} does not run here: version 'GLIBC_2.27' not found\n`,
  ]);
  // a good one on PATH
  await Deno.remove(broken);
  await Deno.symlink(Deno.execPath(), broken);
  const path = `${dir}/..:/usr/bin:/bin`;
  assertEquals(await plumbline({ PATH: path }), [0, `plumbline ${VERSION} (deno ${deno})\n`]);
});

Deno.test("an unpacked tarball has every file that its programs and tests import", async () => {
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

Deno.test("an unpacked tarball runs on the simulated board, as plain tests and under plumbline", async () => {
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

Deno.test("an unpacked tarball says that there is no device, and no virtual board", async () => {
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
  assertStringIncludes(virtual.stderr, "Virtual boards are not in this installation");
});

Deno.test("dkms.conf and the module say the version of deno.json", async () => {
  const read = (file: string) => Deno.readTextFile(`${checkout}/driver/kernel/${file}`);
  assertStringIncludes(await read("dkms.conf"), `\nPACKAGE_VERSION="${VERSION}"\n`);
  assertStringIncludes(await read("pldma_core.c"), `MODULE_VERSION("${VERSION}")`);
});

Deno.test("INSTALL has ten lines and no blank left to fill in", async () => {
  const root = await clone();
  const out = tempDir();
  for (const deno of [small, null]) {
    const { path } = await makeTarball({ arch: "x86_64", out, deno, root });
    const text = await must("tar", "-xzOf", path, `plumbline-${VERSION}/INSTALL`);
    assertEquals(text.trimEnd().split("\n").length, 10, text);
    assert(text.split("\n").every((line) => line.length <= 100), text);
    assertEquals(/@[a-z]+@/.test(text), false, text);
    const glibc = await neededGlibc(await small());
    assertEquals(text.includes(`needs glibc ${glibc} or newer`), deno !== null);
    assertEquals(text.includes("@deno/linux-x64-glibc"), deno === null);
  }
});
