// SPDX-License-Identifier: MIT
/**
 * The kernel's own check of coding style, as Debian ships it in the kernel's source.
 *
 * @module
 */

import { needTools } from "../../../fixtures/host/packages.ts";
import { run } from "../../../fixtures/host/run.ts";
import { kernelSource } from "../../../fixtures/kernels/store.ts";

/** The script and the files that it reads. */
const FILES = [
  "scripts/checkpatch.pl",
  "scripts/spelling.txt",
  "scripts/const_structs.checkpatch",
] as const;

/**
 * Fetches checkpatch.pl and its word lists, once.
 *
 * @returns Path of checkpatch.pl
 * @throws {UnavailableError} If the package or a tool cannot be had
 */
export async function fetchCheckpatch(): Promise<string> {
  await needTools([{ what: "perl", package: "perl" }]);
  return `${await kernelSource(FILES)}/${FILES[0]}`;
}

/**
 * Judges files by `checkpatch.pl --strict`.
 *
 * @param script What {@linkcode fetchCheckpatch} returned
 * @param paths The files
 * @returns One line for each error, warning and check: `file:line: WARNING:TYPE: what`
 * @throws {Error} When the script does not run as it should
 */
export async function checkpatch(script: string, paths: readonly string[]): Promise<string[]> {
  const options = ["--strict", "--no-tree", "--terse", "--show-types", "--no-summary"];
  const done = await run("perl", [script, ...options, "--file", ...paths]);
  // It exits 1 for findings; a missing word list it only mentions
  if (done.stderr !== "" || done.code > 1) {
    throw new Error(`checkpatch.pl ended with status ${done.code}: ${done.stderr.trim()}`);
  }
  const findings = done.stdout.split("\n").filter((line) => line !== "");
  if ((done.code === 1) !== (findings.length > 0)) {
    throw new Error(`checkpatch.pl ended with status ${done.code}, saying: ${done.stdout}`);
  }
  return findings;
}
