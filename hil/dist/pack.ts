// SPDX-License-Identifier: MIT
/**
 * Tarballs that are the same for the same commit: entries are sorted, belong to root, and have the time of the
 * commit, or of `SOURCE_DATE_EPOCH`.
 *
 * @module
 */
import { copyFiles } from "../../fixtures/host/cache.ts";
import { needTools } from "../../fixtures/host/packages.ts";
import { run } from "../../fixtures/host/run.ts";
import { errorMessage } from "../text/error_message.ts";

/** The tarball cannot be made, for a reason outside this program. */
export class DistError extends Error {
  override name = "DistError";
}

/** The files of the checkout, and their state in git. */
export interface Sources {
  /** Paths below the checkout. */
  readonly files: readonly string[];
  /** The commit. */
  readonly commit: string;
  /** Whether a file differs from the commit. */
  readonly dirty: boolean;
  /** Time for every file, in seconds since 1970. */
  readonly time: number;
}

/**
 * Finds files of a checkout.
 *
 * @param root The checkout
 * @param lists Pathspecs of git, in lists. Each one without an exclusion must match a file
 * @returns The files, and the state of git
 * @throws {DistError} If this is no git checkout of Plumbline
 */
export async function findSources(
  root: string,
  lists: readonly (readonly string[])[],
): Promise<Sources> {
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
  const files: string[] = [];
  for (const specs of lists) files.push(...await list(specs));
  const missing = lists.flat().filter((spec) => !spec.startsWith(":!")).find((spec) =>
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

/**
 * Makes a folder and writes a file into it, to fail now and not after minutes of work.
 *
 * @param dir The folder
 * @throws {DistError} If it cannot be written
 */
export async function checkWritable(dir: string): Promise<void> {
  try {
    await Deno.mkdir(dir, { recursive: true });
    await Deno.remove(await Deno.makeTempFile({ dir, prefix: ".plumbline-" }));
  } catch (error) {
    const why = errorMessage(error);
    throw new DistError(`Cannot write into ${dir}: ${why}`);
  }
}

/**
 * Copies a template of this folder, with its `@words@` filled in.
 *
 * @param template Its name
 * @param path The file to write
 * @param words The words
 * @param mode The permissions of the file
 */
export async function fill(
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

/** A tarball that was written. */
export interface Packed {
  /** Its size in bytes. */
  readonly size: number;
  /** Its SHA-256, hexadecimal. */
  readonly sha256: string;
}

/**
 * Packs files of a checkout, and others. No file is left behind if that fails.
 *
 * @param path The tarball
 * @param name The folder in it
 * @param from `root`: the checkout; `sources`: its files; `add`: adds others to a folder
 * @returns The tarball
 */
export async function pack(
  path: string,
  name: string,
  { root, sources, add }: {
    readonly root: string;
    readonly sources: Sources;
    readonly add: (dir: string) => Promise<void>;
  },
): Promise<Packed> {
  const stage = await Deno.makeTempDir({ prefix: "plumbline-dist-" });
  const unfinished = `${path}.${Deno.pid}`;
  try {
    const dir = `${stage}/${name}`;
    await copyFiles(root, sources.files, dir);
    await add(dir);
    const commit = sources.commit + (sources.dirty ? "-dirty\n" : "\n");
    await Deno.writeTextFile(`${dir}/COMMIT`, commit);
    await tar(stage, name, unfinished, sources.time);
    const bytes = await Deno.readFile(unfinished);
    const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
    await Deno.rename(unfinished, path);
    return { size: bytes.length, sha256: hash.toHex() };
  } finally {
    await Deno.remove(unfinished).catch(() => {});
    await Deno.remove(stage, { recursive: true });
  }
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
