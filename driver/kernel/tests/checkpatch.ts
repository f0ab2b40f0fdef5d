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
