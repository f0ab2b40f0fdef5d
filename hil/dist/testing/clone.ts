// SPDX-License-Identifier: MIT
/**
 * A checkout that a test may change.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { checkout } from "../../../fixtures/host/cache.ts";
import { needTools } from "../../../fixtures/host/packages.ts";
import { run } from "../../../fixtures/host/run.ts";
import { tempDir } from "../../testing/temp_dir.ts";

/**
 * Clones what is committed.
 *
 * @returns The folder of the clone
 */
export async function clone(): Promise<string> {
  const root = `${tempDir()}/clone`;
  await needTools([{ what: "git", package: "git" }], "A clone");
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

/**
 * Runs a program that must succeed.
 *
 * @param program The program
 * @param args Its arguments
 * @returns Its standard output
 */
export async function must(program: string, ...args: string[]): Promise<string> {
  const done = await run(program, args);
  assertEquals(done.code, 0, done.stderr);
  return done.stdout;
}
