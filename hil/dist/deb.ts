// SPDX-License-Identifier: MIT
/**
 * Debian packages: `plumbline` with its own Deno, `plumbline-agent`, and `pldma-dkms`, the kernel module as
 * source that DKMS compiles.
 *
 * `packaging/deb/debian/` is the folder `debian/` of the packages. This file puts it beside what is packed, and
 * Debian's helpers (debhelper, dh-dkms) do the rest. They compile nothing, so the packages of every architecture
 * can be made on any machine.
 *
 * @module
 */
import { type AgentArch, buildAgent } from "../../fixtures/agent/build.ts";
import { type Arch, arches } from "../../fixtures/host/arch.ts";
import { checkout, copyFiles, listFiles } from "../../fixtures/host/cache.ts";
import { needTools } from "../../fixtures/host/packages.ts";
import { run } from "../../fixtures/host/run.ts";
import { VERSION } from "../results/tool.ts";
import { checkWritable, DistError, findSources } from "./pack.ts";
import { addPrograms, neededGlibc, TREE } from "./tree.ts";

/** Files that DKMS needs, as pathspecs of git. */
const MODULE = [
  // with one folder alone, git ls-files applies no exclusion such as *.ts correctly, and finds nothing
  ...["driver/kernel", "LICENSE"],
  ...[":!*.ts", ":!*.md", ":!driver/kernel/tests", ":!driver/kernel/examples"],
  ...[":!driver/kernel/bindings", ":!driver/kernel/70-pldma.rules"],
];

/** What makes packages, and the Debian packages with it. */
const TOOLS = [
  { what: "dpkg-buildpackage", package: "dpkg-dev" },
  { what: "dh", package: "debhelper" },
  { what: "dh_dkms", package: "dh-dkms" },
];

/** Where the command keeps Deno's cache. The package's own folder belongs to root. */
const CACHE = "${XDG_CACHE_HOME:-${HOME:-/nonexistent}/.cache}/plumbline";

/** What goes into packages for an architecture. */
export interface DebOptions {
  /** Architecture of the board. */
  readonly arch: Arch;
  /** Folder for the packages. Made if it does not exist. */
  readonly out: string;
  /** Returns the path of Deno for an architecture. */
  readonly deno: (arch: Arch) => Promise<string>;
  /** Returns the path of the agent for an architecture. Defaults to `buildAgent()`. */
  readonly agent?: (arch: AgentArch) => Promise<string>;
  /** The checkout. Defaults to the one that contains this file. */
  readonly root?: string;
}

/**
 * Makes the packages. The same commit always gives the same bytes.
 *
 * @param options For which board, and where to write them
 * @returns Paths of the packages
 * @throws {DistError} If this is no git checkout, or if a package cannot be made
 * @throws {UnavailableError} If Debian's helpers, the compiler of the agent, or Deno cannot be had
 */
export async function makeDebs(options: DebOptions): Promise<string[]> {
  const { arch, out, root = checkout } = options;
  await checkWritable(out);
  await needTools(TOOLS, "A Debian package");
  const tree = await findSources(root, TREE);
  const module = await findSources(root, [MODULE]);
  const dirty = tree.dirty || module.dirty;
  const deno = await options.deno(arch);
  const agent = await (options.agent ?? buildAgent)(arch);
  const stage = await Deno.makeTempDir({ prefix: "plumbline-deb-" });
  try {
    const dir = `${stage}/plumbline`;
    await copyFiles(root, tree.files, `${dir}/tree`);
    await addPrograms(`${dir}/tree`, arch, deno, { name: "plumbline", cache: CACHE, bring: null });
    const commit = `${tree.commit}${dirty ? "-dirty" : ""}`;
    await Deno.writeTextFile(`${dir}/tree/COMMIT`, `${commit}\n`);
    await writeCompletions(`${dir}/completions`, root);
    await Deno.mkdir(`${dir}/agent`);
    await Deno.copyFile(agent, `${dir}/agent/plumbline-agent`);
    await Deno.chmod(`${dir}/agent/plumbline-agent`, 0o755);
    await copyFiles(root, module.files, `${dir}/module`);
    await Deno.mkdir(`${dir}/rules.d`);
    const rules = "70-pldma.rules";
    await Deno.copyFile(`${root}/driver/kernel/${rules}`, `${dir}/rules.d/${rules}`);
    await writeDebian(`${dir}/debian`, root, {
      version: dirty ? `${VERSION}+dirty` : VERSION,
      module: VERSION,
      glibc: await neededGlibc(deno),
      commit,
      date: new Date(tree.time * 1000).toUTCString().replace("GMT", "+0000"),
      mit: await paragraph(`${root}/LICENSE`),
      note: await paragraph(`${root}/LICENSES/Linux-syscall-note.txt`),
    });
    await build(dir, arches[arch].debian);
    const made = await listFiles(stage, (path) => /^[^/]+\.deb$/.test(path));
    for (const name of made) await Deno.copyFile(`${stage}/${name}`, `${out}/${name}`);
    return made.toSorted().map((name) => `${out}/${name}`);
  } finally {
    await Deno.remove(stage, { recursive: true });
  }
}

/** Writes the folder `debian/`, with its `@words@` filled in. */
async function writeDebian(
  dir: string,
  root: string,
  words: Readonly<Record<string, string>>,
): Promise<void> {
  const from = `${root}/packaging/deb/debian`;
  const files = await listFiles(from, () => true);
  await copyFiles(from, files, dir);
  for (const file of files) {
    const text = await Deno.readTextFile(`${dir}/${file}`);
    const filled = text.replaceAll(/@([a-z]+)@/g, (whole, word) => words[word] ?? whole);
    await Deno.writeTextFile(`${dir}/${file}`, filled);
  }
  await Deno.chmod(`${dir}/rules`, 0o755);
}

/** Writes the scripts with which shells complete commands. */
async function writeCompletions(dir: string, root: string): Promise<void> {
  const names = { bash: "plumbline", zsh: "_plumbline", fish: "plumbline.fish" };
  for (const [shell, name] of Object.entries(names)) {
    const main = `${root}/hil/cli/main.ts`;
    const done = await run(Deno.execPath(), [
      ...["run", "-A", "--no-check", "--config", `${root}/deno.json`, main, "completions", shell],
    ], { env: { NO_COLOR: "1" } });
    if (done.code !== 0) throw new DistError(`plumbline completions ${shell}: ${done.stderr}`);
    await Deno.mkdir(`${dir}/${shell}`, { recursive: true });
    await Deno.writeTextFile(`${dir}/${shell}/${name}`, done.stdout);
  }
}

/** Reads a text as the extended field of a control file: indented, and with a dot for an empty line. */
async function paragraph(path: string): Promise<string> {
  const lines = (await Deno.readTextFile(path)).trimEnd().split("\n");
  return lines.map((line) => ` ${line.trim() === "" ? "." : line.trimEnd()}`).join("\n");
}

async function build(dir: string, debian: string): Promise<void> {
  // nothing is compiled, so it needs no compiler of that architecture (-d)
  const args = ["--build=binary", "--unsigned-changes", "--unsigned-buildinfo", "-d"];
  const done = await run("dpkg-buildpackage", [...args, `--host-arch=${debian}`], {
    cwd: dir,
    env: { LC_ALL: "C.UTF-8", DEB_BUILD_OPTIONS: "nocheck", TAR_OPTIONS: "" },
  });
  if (done.code === 0) return;
  const why = (done.stderr.trim() || done.stdout.trim()).split("\n").slice(-5).join("; ");
  throw new DistError(`dpkg-buildpackage cannot make the packages: ${why}`);
}
