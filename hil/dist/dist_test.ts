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
import { VERSION } from "../results/tool.ts";
import { tempDir } from "../testing/temp_dir.ts";
import { DistError, main, makeTarball, neededGlibc } from "./dist.ts";
import { clone, must } from "./testing/clone.ts";

/** A small program in place of Deno, which is packed faster. */
const small = () => Deno.realPath("/bin/sh");

Deno.test("makeTarball() gives the same bytes for any umask, folder and time zone", async () => {
  const root = await clone();
  const [one, two] = [tempDir(), `${tempDir()}/new/folder`];
  const first = await makeTarball({ arch: "aarch64", out: one, deno: small, root });
  const mask = Deno.umask(0o077);
  Deno.env.set("TZ", "Asia/Tokyo");
  try {
    // the time of a file, and most of its mode, come from this machine and not from the commit
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

Deno.test("makeTarball() packs the files of git, owned by root, with the time of the commit", async () => {
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
  // tar sorts the names in each folder, so remote/ comes before remote.ts
  const keys = names.map((name) => name.replaceAll("/", "\0"));
  assertEquals(keys, keys.toSorted());
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

Deno.test("makeTarball() marks name and version if the checkout was changed", async () => {
  const root = await clone();
  const out = tempDir();
  // a file that is not in the tarball does not count
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

Deno.test("makeTarball() takes the time of SOURCE_DATE_EPOCH, and refuses an invalid one", async () => {
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

Deno.test("makeTarball() leaves no file behind if the disk is full, or if a file or the checkout is missing", async () => {
  const root = await clone();
  const out = tempDir();
  const make = () => makeTarball({ arch: "x86_64", out, deno: null, root });
  const path = Deno.env.get("PATH") ?? "";
  // a gzip that fails in the middle, as on a full disk
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

/** Runs `deno task dist`. Returns its exit status and its lines. */
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

Deno.test("dist refuses an invalid command line in one line", async () => {
  for (
    const [args, said] of [
      [
        ["--arch", "arm"],
        'Expected --arch to be arm64 or x86_64, found "arm": did you mean arm64?',
      ],
      [["--arch=riscv"], 'Expected --arch to be arm64 or x86_64, found "riscv"'],
      [["--out="], "--out needs a value: expected DIR, found nothing"],
      [["--with-node"], "Unknown option --with-node: see --help"],
      [["arm64"], 'Unexpected argument "arm64": expected options only'],
    ] as const
  ) {
    const { code, lines } = await dist([...args]);
    assertEquals(code, 2);
    assertEquals(lines.length, 1);
    assert(lines[0]?.startsWith(`dist: ${said}`), lines[0]);
  }
});

Deno.test("dist exits 3 with one line and no file if the folder cannot be written, or Deno not fetched", async () => {
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

Deno.test("dist prints hash, path, size, and the glibc that Deno needs", async () => {
  const out = tempDir();
  const { code, lines } = await dist(["--out", out, "--with-deno", "--arch", "arm64"], small);
  assertEquals(code, 0);
  const [file] = [...Deno.readDirSync(out)];
  const { size } = Deno.statSync(`${out}/${file?.name}`);
  const glibc = await neededGlibc(await small());
  assertMatch(lines.at(-2) ?? "", new RegExp(`^[0-9a-f]{64}  ${out}/${file?.name}$`));
  assertEquals(lines.at(-1), `dist: arm64: ${size} bytes, Deno needs glibc ${glibc}`);
});

Deno.test("neededGlibc() compares versions as numbers, and refuses a file that is no program", async () => {
  const { stdout } = await run("readelf", ["--wide", "--version-info", Deno.execPath()]);
  const minors = [...stdout.matchAll(/Name: GLIBC_2\.(\d+)/g)].map(([, minor]) => Number(minor));
  assert(minors.includes(4) && minors.length > 3, stdout);
  assertEquals(await neededGlibc(Deno.execPath()), `2.${Math.max(...minors)}`);
  await assertRejects(
    () => neededGlibc(`${checkout}/LICENSE`),
    DistError,
    "Expected a program for glibc, found",
  );
});

Deno.test("dkms.conf and the kernel module have the version of deno.json", async () => {
  const read = (file: string) => Deno.readTextFile(`${checkout}/driver/kernel/${file}`);
  assertStringIncludes(await read("dkms.conf"), `\nPACKAGE_VERSION="${VERSION}"\n`);
  assertStringIncludes(await read("pldma_core.c"), `MODULE_VERSION("${VERSION}")`);
});

Deno.test("INSTALL has ten lines of at most 100 columns, and no @word@ left", async () => {
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
