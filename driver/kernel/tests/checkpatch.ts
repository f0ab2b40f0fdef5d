// SPDX-License-Identifier: MIT
/**
 * checkpatch.pl, the kernel's check of code style, as Debian ships it.
 *
 * The only package with checkpatch.pl is the one with the whole kernel source. It is fetched once, and only
 * the three files that the script needs are kept.
 *
 * @module
 */

import { apt, dependsOf, download, release } from "../../../fixtures/boards/vm/apt.ts";
import { once, removeTree } from "../../../fixtures/boards/vm/cache.ts";
import { note, run, UnavailableError } from "../../../fixtures/boards/vm/host.ts";
import { needTools } from "../../../fixtures/boards/vm/tools.ts";

/** checkpatch.pl and its word lists, below `scripts/` of the kernel. */
const files = ["checkpatch.pl", "spelling.txt", "const_structs.checkpatch"] as const;

/**
 * Fetches checkpatch.pl and its word lists, once.
 *
 * @returns Path of checkpatch.pl
 * @throws {UnavailableError} If the package or a tool is not available
 */
export async function fetchCheckpatch(): Promise<string> {
  await needTools([
    { what: "perl", package: "perl" },
    { what: "xz", package: "xz-utils" },
  ]);
  const dir = await once("checkpatch", `1 ${release}`, async (dir) => {
    const index = await apt("main");
    const depends = await dependsOf(index, "linux-source");
    const name = /linux-source-[\d.]+/.exec(depends)?.[0];
    if (name === undefined) {
      throw new UnavailableError(`linux-source depends on no source: ${depends}`);
    }
    note(`fetching checkpatch.pl, which comes with ${name} (140 MB)`);
    const deb = (await download(index, [name], `${dir}/debs`)).get(name) ?? "";
    // tar exits as soon as it has the files, so the command before it ends with SIGPIPE
    const script = 'dpkg-deb --fsys-tarfile "$1" | tar -xO --wildcards "*/$2.tar.xz" | ' +
      'tar -xJ -C "$3" --strip-components=2 --no-same-owner --occurrence=1 "$4" "$5" "$6"';
    const members = files.map((file) => `${name}/scripts/${file}`);
    const done = await run("sh", ["-c", script, "sh", deb, name, dir, ...members]);
    if (done.code !== 0) {
      throw new UnavailableError(`Cannot unpack ${name}: ${done.stderr.trim().split("\n").at(-1)}`);
    }
    await removeTree(`${dir}/debs`);
  });
  return `${dir}/${files[0]}`;
}

/**
 * Runs `checkpatch.pl --strict` on files.
 *
 * @param script Path of checkpatch.pl, from {@linkcode fetchCheckpatch}
 * @param paths The files
 * @returns One line for each error, warning and check: `file:line: WARNING:TYPE: text`
 * @throws {Error} If the script itself fails
 */
export async function checkpatch(script: string, paths: readonly string[]): Promise<string[]> {
  const options = ["--strict", "--no-tree", "--terse", "--show-types", "--no-summary"];
  const done = await run("perl", [script, ...options, "--file", ...paths]);
  // It exits with 1 if it has findings. It reports a missing word list on standard error only.
  if (done.stderr !== "" || done.code > 1) {
    throw new Error(`checkpatch.pl ended with status ${done.code}: ${done.stderr.trim()}`);
  }
  const findings = done.stdout.split("\n").filter((line) => line !== "");
  if ((done.code === 1) !== (findings.length > 0)) {
    throw new Error(`checkpatch.pl ended with status ${done.code}, saying: ${done.stdout}`);
  }
  return findings;
}
