// SPDX-License-Identifier: MIT
/**
 * `deno task dist`: a tarball with everything that a board without internet needs.
 *
 * The tarball contains the source files, not a bundle. So `deno test -P` runs the same files on the
 * board as elsewhere, the lines of a stack trace can be read there, and a team's tests can import
 * `mod.ts`. The `links` in `deno.json` keep every import inside the tarball.
 *
 * @module
 */
import { type Arch, arches, archNames } from "../../fixtures/host/arch.ts";
import { checkout } from "../../fixtures/host/cache.ts";
import { needTools } from "../../fixtures/host/packages.ts";
import { run, UnavailableError } from "../../fixtures/host/run.ts";
import { denoBinary, denoVersion } from "../../fixtures/boards/vm/system.ts";
import { VERSION } from "../results/tool.ts";
import {
  type Arguments,
  type CommandLine,
  helpText,
  parseArguments,
} from "../settings/arguments.ts";
import { absolutePath } from "../settings/paths.ts";
import { alternatives, parseList, parseName, UsageError } from "../settings/values.ts";
import { errorMessage } from "../text/error_message.ts";

/** Files that a board needs, as pathspecs of git. */
const PARTS = [
  ...["CHANGELOG.md", "LICENSE", "LICENSES", "README.md", "deno.json", "deno.lock", "mod.ts"],
  ...["docs", "driver", "fixtures", "hil", "offline"],
  // without the tests of Plumbline itself, and without what works only in a checkout
  ...[":!*_test.ts", ":!*/testing/*", ":!driver/kernel/tests", ":!hil/dist", ":!hil/report"],
  ...[":!fixtures/boards/vm/*/*", ":!fixtures/loopback/bench", ":!fixtures/loopback/rtl"],
  ":!fixtures/loopback/vivado",
];

/** Folders with tests that run on a board. */
const TESTS = ["examples/team", "hil/bench/suites", "hil/suites"];

/** Names of the architectures in the name of the tarball. */
const LABELS: Readonly<Record<Arch, string>> = { aarch64: "arm64", x86_64: "x86_64" };

/** Options of {@linkcode makeTarball}. */
export interface DistOptions {
  /** Architecture of the board. */
  readonly arch: Arch;
  /** Folder for the tarball. Made if it does not exist. */
  readonly out: string;
  /** Returns the path of Deno for an architecture. With `null` the tarball contains no Deno. */
  readonly deno: ((arch: Arch) => Promise<string>) | null;
  /** The checkout. Defaults to the one that contains this file. */
  readonly root?: string;
}

/** A finished tarball. */
export interface Tarball {
  /** Its path. */
  readonly path: string;
  /** Its size in bytes. */
  readonly size: number;
  /** Its SHA-256, hexadecimal. */
  readonly sha256: string;
  /** The version in its name. Ends in `-dirty` if a file in it differs from the commit. */
  readonly version: string;
  /** The oldest glibc that its Deno runs with, such as `2.17`, or `null` without Deno. */
  readonly glibc: string | null;
}

/** The tarball cannot be made, for a reason outside this program. */
export class DistError extends Error {
  override name = "DistError";
}

/** The files of the checkout, and their state in git. */
interface Sources {
  files: readonly string[];
  commit: string;
  dirty: boolean;
  /** Time for every file, in seconds since 1970. */
  time: number;
}

/**
 * Makes a tarball. The same commit always gives the same bytes: entries are sorted, belong to root,
 * and have the time of the commit, or of `SOURCE_DATE_EPOCH`.
 *
 * @param options For which board, and where to write it
 * @returns The tarball
 * @throws {DistError} If this is no git checkout, or if the folder cannot be written. No file is left
 * behind
 * @throws {UnavailableError} If git or Deno cannot be had
 */
export async function makeTarball(options: DistOptions): Promise<Tarball> {
  const root = options.root ?? checkout;
  const sources = await findSources(root);
  const version = sources.dirty ? `${VERSION}-dirty` : VERSION;
  const path = `${options.out}/plumbline-${version}-linux-${LABELS[options.arch]}.tar.gz`;
  await checkWritable(options.out);
  const deno = options.deno === null ? null : await options.deno(options.arch);
  const glibc = deno === null ? null : await neededGlibc(deno);

  const stage = await Deno.makeTempDir({ prefix: "plumbline-dist-" });
  const unfinished = `${path}.${Deno.pid}`;
  try {
    const name = `plumbline-${version}`;
    const dir = `${stage}/${name}`;
    for (const file of sources.files) {
      await Deno.mkdir(`${dir}/${file}`.replace(/\/[^/]*$/, ""), { recursive: true });
      await Deno.copyFile(`${root}/${file}`, `${dir}/${file}`);
    }
    const bring = glibc === null
      ? `Put Deno ${denoVersion} (npm's ${arches[options.arch].denoPackage}) at bin/deno.`
      : `It contains Deno ${denoVersion}, which needs glibc ${glibc} or newer.`;
    const words = { name, bring, arch: LABELS[options.arch], deno: denoVersion };
    await fill("plumbline", `${dir}/plumbline`, words, 0o755);
    await fill("INSTALL", `${dir}/INSTALL`, words, 0o644);
    await Deno.writeTextFile(`${dir}/COMMIT`, sources.commit + (sources.dirty ? "-dirty\n" : "\n"));
    if (deno !== null) {
      await Deno.mkdir(`${dir}/bin`);
      await Deno.copyFile(deno, `${dir}/bin/deno`);
    }
    await tar(stage, name, unfinished, sources.time);
    const bytes = await Deno.readFile(unfinished);
    const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
    await Deno.rename(unfinished, path);
    return { path, size: bytes.length, sha256: hash.toHex(), version, glibc };
  } finally {
    await Deno.remove(unfinished).catch(() => {});
    await Deno.remove(stage, { recursive: true });
  }
}

async function findSources(root: string): Promise<Sources> {
  await needTools([{ what: "git", package: "git" }], "The tarball");
  const git = async (...args: string[]): Promise<string> => {
    const done = await run("git", ["-C", root, ...args]);
    if (done.code === 0) return done.stdout;
    const why = done.stderr.trim().split("\n")[0] ?? "";
    throw new DistError(`Expected a git checkout in ${root}: ${why}`);
  };
  const list = async (specs: readonly string[]): Promise<string[]> => {
    // untracked files count, because tracked files may import them
    const files = await git("ls-files", "-z", "-co", "--exclude-standard", "--", ...specs);
    return files.split("\0").filter((file) => file !== "");
  };
  const files = [...await list(PARTS), ...await list(TESTS)];
  const missing = [...PARTS, ...TESTS].filter((spec) => !spec.startsWith(":!")).find((spec) =>
    !files.some((file) => file === spec || file.startsWith(`${spec}/`))
  );
  if (missing !== undefined) {
    throw new DistError(`Expected a checkout of Plumbline in ${root}, found no ${missing} there`);
  }
  const changed = await git("status", "--porcelain", "--no-renames", "-z", "--", ...files);
  const epoch = Deno.env.get("SOURCE_DATE_EPOCH") ||
    (await git("log", "-1", "--format=%ct")).trim();
  if (!/^\d{1,11}$/.test(epoch)) {
    throw new DistError(`Expected SOURCE_DATE_EPOCH to be seconds since 1970, found "${epoch}"`);
  }
  const commit = (await git("rev-parse", "HEAD")).trim();
  return { files, commit, dirty: changed !== "", time: Number(epoch) };
}

/** Makes a folder and writes a file into it, to fail now and not after minutes of work. */
async function checkWritable(dir: string): Promise<void> {
  try {
    await Deno.mkdir(dir, { recursive: true });
    await Deno.remove(await Deno.makeTempFile({ dir, prefix: ".plumbline-" }));
  } catch (error) {
    const why = errorMessage(error);
    throw new DistError(`Cannot write into ${dir}: ${why}`);
  }
}

/** Copies a template of this folder, with its `@words@` filled in. */
async function fill(
  template: string,
  path: string,
  words: Readonly<Record<string, string>>,
  mode: number,
): Promise<void> {
  const text = await Deno.readTextFile(new URL(template, import.meta.url));
  const filled = text.replaceAll(/@([a-z]+)@/g, (whole, word) => words[word] ?? whole);
  await Deno.writeTextFile(path, filled);
  await Deno.chmod(path, mode);
}

/** Packs a folder without anything that depends on this machine or on the time. */
async function tar(dir: string, name: string, path: string, time: number): Promise<void> {
  const done = await run("tar", [
    ...["--create", "--file", path, "--use-compress-program", "gzip -n", "--format=ustar"],
    ...["--sort=name", "--owner=0", "--group=0", "--numeric-owner", `--mtime=@${time}`],
    ...["--mode=u=rwX,go=rX", "-C", dir, name],
  ], { env: { TAR_OPTIONS: "", GZIP: "" } });
  if (done.code !== 0) throw new DistError(`tar cannot write ${path}: ${done.stderr.trim()}`);
}

/**
 * Finds which glibc a program needs, from the symbol versions in its ELF file.
 *
 * @param program Path of the program, for any architecture
 * @returns The highest version of glibc that the program refers to, such as `2.17`
 * @throws {DistError} If the file refers to no version of glibc
 */
export async function neededGlibc(program: string): Promise<string> {
  let text: string;
  try {
    text = (await run("readelf", ["--wide", "--version-info", program])).stdout;
  } catch {
    throw new DistError(
      "readelf is missing, which finds the glibc that Deno needs: install binutils",
    );
  }
  const found = [...text.matchAll(/Name: GLIBC_(\d+)\.(\d+)/g)]
    .map(([, major, minor]) => [Number(major), Number(minor)] as const)
    .sort(([a, b], [c, d]) => a - c || b - d).at(-1);
  if (found === undefined) throw new DistError(`Expected a program for glibc, found ${program}`);
  return found.join(".");
}

const LINE: CommandLine = {
  command: "deno task dist",
  purpose: "Make a tarball for a board without internet.",
  details: "Its name is plumbline-VERSION-linux-ARCH.tar.gz.",
  operands: "",
  groups: [{
    title: "Options",
    options: [
      {
        name: "arch",
        value: "ARCH,...",
        help: `${alternatives(Object.values(LABELS))}. Defaults to both`,
      },
      { name: "with-deno", value: null, help: `Include Deno ${denoVersion}, from its npm package` },
      { name: "out", value: "DIR", help: "Folder for the tarballs. Defaults to .cache/dist" },
    ],
  }],
  examples: [["deno task dist --arch arm64 --with-deno", "Make one for an arm64 board"]],
  exit: {
    0: "The tarballs were made",
    2: "The command line is not valid",
    3: "A tarball could not be made",
  },
};

/**
 * Runs the command line.
 *
 * @param args The arguments after the task's name
 * @param fetchDeno Returns the path of Deno for an architecture
 * @returns The exit status
 */
export async function main(
  args: readonly string[],
  fetchDeno: (arch: Arch) => Promise<string> = denoBinary,
): Promise<number> {
  const fail = (status: number, message: string): number => {
    console.error(`dist: ${message.trim().split("\n")[0]}`);
    return status;
  };
  try {
    const given = parseArguments(LINE, args);
    if (given.switches.has("help")) console.log(helpText(LINE));
    else await makeTarballs(given, fetchDeno);
    return 0;
  } catch (error) {
    if (error instanceof UsageError) return fail(2, error.message);
    if (error instanceof DistError) return fail(3, error.message);
    if (error instanceof UnavailableError) {
      return fail(3, `${error.message.split("\n")[0]}; without --with-deno no network is needed`);
    }
    // such as a full disk, or a file that was removed
    if (error instanceof Error && "code" in error) return fail(3, error.message);
    console.error("dist: this is a defect of Plumbline itself:", error);
    return 3;
  }
}

async function makeTarballs(
  { values, switches }: Arguments,
  fetchDeno: (arch: Arch) => Promise<string>,
): Promise<void> {
  const labels = Object.values(LABELS);
  const wanted = parseList(
    "--arch",
    values["arch"] ?? "all",
    (option, text) => parseName(option, text, labels),
  ) ?? labels;
  const out = absolutePath(values["out"] ?? ".cache/dist");
  for (const arch of archNames.filter((arch) => wanted.includes(LABELS[arch]))) {
    const deno = switches.has("with-deno") ? fetchDeno : null;
    const made = await makeTarball({ arch, out, deno });
    if (made.version !== VERSION) console.error("dist: there are changes that are not committed");
    const glibc = made.glibc === null ? "without Deno" : `Deno needs glibc ${made.glibc}`;
    console.log(`${made.sha256}  ${made.path}`);
    console.error(`dist: ${LABELS[arch]}: ${made.size} bytes, ${glibc}`);
  }
}

if (import.meta.main) Deno.exit(await main(Deno.args));
