// SPDX-License-Identifier: MIT
/**
 * `deno task dist`: a tarball with all that a board without internet needs.
 *
 * It holds the sources as they are, not a bundle: then `deno test -P` on the board runs the same
 * files as everywhere, a stack trace names a line that can be read there, and a team's tests import
 * `mod.ts`. The `links` of `deno.json` keep every import inside.
 *
 * @module
 */
import { parseArgs } from "node:util";
import { type Arch, arches, archNames } from "../../fixtures/host/arch.ts";
import { checkout } from "../../fixtures/host/cache.ts";
import { run, UnavailableError } from "../../fixtures/host/run.ts";
import { denoBinary, denoVersion } from "../../fixtures/boards/vm/system.ts";
import { place } from "../settings/place.ts";
import { nearest } from "../text/nearest.ts";
import { VERSION } from "../results/tool.ts";
import { errorMessage } from "../text/error_message.ts";

/** What a board needs, as git's pathspecs. */
const PARTS = [
  ...["CHANGELOG.md", "LICENSE", "LICENSES", "README.md", "deno.json", "deno.lock", "mod.ts"],
  ...["driver", "fixtures", "hil", "offline"],
  // what tests Plumbline itself, and what only a checkout can do
  ...[":!*_test.ts", ":!*/testing/*", ":!driver/kernel/tests", ":!hil/dist", ":!hil/report"],
  ...[":!fixtures/boards/vm/*/*", ":!fixtures/loopback/bench", ":!fixtures/loopback/rtl"],
  ":!fixtures/loopback/vivado",
];

/** Tests that run on a board. */
const TESTS = ["examples/team", "hil/bench/suites", "hil/suites"];

/** An architecture in the tarball's name. */
const LABELS: Readonly<Record<Arch, string>> = { aarch64: "arm64", x86_64: "x86_64" };

/** What to make. */
export interface DistOptions {
  /** Architecture of the board. */
  readonly arch: Arch;
  /** Folder for the tarball; made when missing. */
  readonly out: string;
  /** Gets the path of Deno's program for an architecture; null leaves Deno out. */
  readonly deno: ((arch: Arch) => Promise<string>) | null;
  /** The checkout; this one when absent. */
  readonly root?: string;
}

/** A tarball that was made. */
export interface Tarball {
  /** Where it is. */
  readonly path: string;
  /** Its size, bytes. */
  readonly size: number;
  /** SHA-256 of its bytes, hexadecimal. */
  readonly sha256: string;
  /** Version in its name; ends in `-dirty` when a file in it differs from the commit. */
  readonly version: string;
  /** The oldest glibc that its Deno runs with, such as `2.17`; null without Deno. */
  readonly glibc: string | null;
}

/** A tarball that cannot be made, for a reason outside of this program. */
export class DistError extends Error {
  override name = "DistError";
}

/** What git says about the checkout. */
interface Sources {
  files: readonly string[];
  commit: string;
  dirty: boolean;
  /** Time of every file, seconds since 1970. */
  time: number;
}

/**
 * Makes a tarball. The same checkout gives the same bytes: entries are sorted, belong to root, and
 * have the time of the commit, or `SOURCE_DATE_EPOCH`.
 *
 * @param options For which board, and where to
 * @returns What was made
 * @throws {DistError} When the checkout is not git's, or the folder cannot be written; nothing is
 * left behind
 * @throws {UnavailableError} When Deno cannot be fetched
 */
export async function makeTarball(options: DistOptions): Promise<Tarball> {
  const root = options.root ?? checkout;
  const sources = await findSources(root);
  const version = sources.dirty ? `${VERSION}-dirty` : VERSION;
  const path = `${options.out}/plumbline-${version}-linux-${LABELS[options.arch]}.tar.gz`;
  await writable(options.out);
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
      ? `Bring Deno ${denoVersion} (npm's ${arches[options.arch].denoPackage}) as bin/deno.`
      : `Deno ${denoVersion} is inside and needs glibc ${glibc} or newer.`;
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
  const git = async (...args: string[]): Promise<string> => {
    const done = await run("git", ["-C", root, ...args]);
    if (done.code === 0) return done.stdout;
    const why = done.stderr.trim().split("\n")[0] ?? "";
    throw new DistError(`A tarball is made from a git checkout, and ${root} is none: ${why}`);
  };
  const list = async (specs: readonly string[]): Promise<string[]> => {
    // a file that nobody has added yet may be imported already
    const files = await git("ls-files", "-z", "-co", "--exclude-standard", "--", ...specs);
    return files.split("\0").filter((file) => file !== "");
  };
  const files = [...await list(PARTS), ...await list(TESTS)];
  const missing = [...PARTS, ...TESTS].filter((spec) => !spec.startsWith(":!")).find((spec) =>
    !files.some((file) => file === spec || file.startsWith(`${spec}/`))
  );
  if (missing !== undefined) {
    throw new DistError(`Git knows no ${missing} in ${root}: expected a checkout of Plumbline`);
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

/** Makes a folder and makes sure of it, before minutes are spent on what goes there. */
async function writable(dir: string): Promise<void> {
  try {
    await Deno.mkdir(dir, { recursive: true });
    await Deno.remove(await Deno.makeTempFile({ dir, prefix: ".plumbline-" }));
  } catch (error) {
    const why = errorMessage(error);
    throw new DistError(`Cannot write into ${dir}: ${why}`);
  }
}

/** Writes a file of this folder with its words filled in. */
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

/** Packs a folder so that nothing of this machine or moment is in the archive. */
async function tar(dir: string, name: string, path: string, time: number): Promise<void> {
  const done = await run("tar", [
    ...["--create", "--file", path, "--use-compress-program", "gzip -n", "--format=ustar"],
    ...["--sort=name", "--owner=0", "--group=0", "--numeric-owner", `--mtime=@${time}`],
    ...["--mode=u=rwX,go=rX", "-C", dir, name],
  ], { env: { TAR_OPTIONS: "", GZIP: "" } });
  if (done.code !== 0) throw new DistError(`tar cannot write ${path}: ${done.stderr.trim()}`);
}

/**
 * Tells which glibc a program needs, from the version needs in its ELF file.
 *
 * @param program Path of the program, of any architecture
 * @returns The highest version of glibc that it refers to, such as `2.17`
 * @throws {DistError} When it is no such program
 */
export async function neededGlibc(program: string): Promise<string> {
  let text: string;
  try {
    text = (await run("readelf", ["--wide", "--version-info", program])).stdout;
  } catch {
    throw new DistError("readelf is not installed: it tells which glibc Deno needs (binutils)");
  }
  const found = [...text.matchAll(/Name: GLIBC_(\d+)\.(\d+)/g)]
    .map(([, major, minor]) => [Number(major), Number(minor)] as const)
    .sort(([a, b], [c, d]) => a - c || b - d).at(-1);
  if (found === undefined) throw new DistError(`${program} says nothing of the glibc it needs`);
  return found.join(".");
}

const HELP = `Usage: deno task dist [OPTIONS]
Make a tarball for a board without internet: .cache/dist/plumbline-…-linux-ARCH.tar.gz

  --arch ARCH   arm64 or x86_64; both when absent
  --with-deno   copy Deno ${denoVersion} in, from its npm package
  --out DIR     folder for the tarballs

Exit: 0 made, 2 usage, 3 it could not be made`;

/**
 * Runs the command line.
 *
 * @param args Arguments behind the task's name
 * @param fetchDeno Gets Deno's program
 * @returns Exit status
 */
export async function main(
  args: readonly string[],
  fetchDeno: (arch: Arch) => Promise<string> = denoBinary,
): Promise<number> {
  const fail = (status: number, message: string): number => {
    console.error(`dist: ${message.trim().split("\n")[0]}`);
    return status;
  };
  let asked;
  try {
    asked = parseArgs({
      args: [...args],
      options: {
        arch: { type: "string", multiple: true },
        "with-deno": { type: "boolean" },
        out: { type: "string" },
        help: { type: "boolean" },
      },
    }).values;
  } catch (error) {
    return fail(2, errorMessage(error));
  }
  if (asked.help) {
    console.log(HELP);
    return 0;
  }
  const labels = asked.arch ?? Object.values(LABELS);
  const wanted: Arch[] = [];
  for (const label of labels) {
    const arch = archNames.find((one) => LABELS[one] === label);
    if (arch === undefined) {
      const guess = nearest(label, Object.values(LABELS));
      return fail(
        2,
        `Expected --arch to be ${Object.values(LABELS).join(" or ")}, found "${label}"` +
          (guess === null ? "" : `: did you mean ${guess}?`),
      );
    }
    wanted.push(arch);
  }
  if (asked.out === "") return fail(2, "--out needs a folder");
  try {
    for (const arch of wanted) {
      const deno = asked["with-deno"] ? fetchDeno : null;
      const made = await makeTarball({ arch, out: place(asked.out ?? ".cache/dist"), deno });
      if (made.version !== VERSION) console.error("dist: there are changes that are not committed");
      const glibc = made.glibc === null ? "without Deno" : `Deno needs glibc ${made.glibc}`;
      console.log(`${made.sha256}  ${made.path}`);
      console.error(`dist: ${LABELS[arch]}: ${made.size} bytes, ${glibc}`);
    }
    return 0;
  } catch (error) {
    if (error instanceof DistError) return fail(3, error.message);
    if (error instanceof UnavailableError) {
      return fail(3, `${error.message.split("\n")[0]}; without --with-deno no network is needed`);
    }
    // a disk that is full, a file that was removed meanwhile
    if (error instanceof Error && "code" in error) return fail(3, error.message);
    console.error("dist: this is a defect of plumbline itself:", error);
    return 3;
  }
}

if (import.meta.main) Deno.exit(await main(Deno.args));
