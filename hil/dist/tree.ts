// SPDX-License-Identifier: MIT
/**
 * The folder that the tarball and the package `plumbline` bring to a board: which files of the checkout, and what
 * is added to them.
 *
 * @module
 */
import { denoVersion } from "../../fixtures/boards/vm/system.ts";
import type { Arch } from "../../fixtures/host/arch.ts";
import { run } from "../../fixtures/host/run.ts";
import { DistError, fill } from "./pack.ts";

/** Files that a board needs, as pathspecs of git. */
const PARTS = [
  ...["CHANGELOG.md", "LICENSE", "LICENSES", "README.md", "deno.json", "deno.lock", "mod.ts"],
  ...["docs", "driver", "fixtures", "hil", "offline"],
  // without the tests of Plumbline itself, and without what works only in a checkout
  ...[":!*_test.ts", ":!*/testing/*", ":!driver/kernel/tests", ":!hil/dist"],
  ":!driver/agent/tests",
  ...[":!hil/mutants", ":!hil/campaign"],
  // of virtual boards only what says that there are none here
  ...[
    "axi_dmac",
    "bus",
    "cosim",
    "fpga",
    "guest",
    "softdma",
    "uio",
    "vendor/axidma",
    "vendor/kernel",
    "target/init",
  ]
    .map((folder) => `:!fixtures/boards/vm/${folder}`),
  ...["bench", "formal", "rate", "rtl", "vivado"].map((folder) => `:!fixtures/loopback/${folder}`),
];

/** Folders with tests that run on a board. */
const TESTS = ["examples/team", "hil/bench/suites", "hil/suites"];

/** Names of the architectures in the name of the tarball. */
export const LABELS: Readonly<Record<Arch, string>> = { aarch64: "arm64", x86_64: "x86_64" };

/** What a board needs, as lists of pathspecs for `findSources()`. */
export const TREE: readonly (readonly string[])[] = [PARTS, TESTS];

/**
 * Adds the command `plumbline`, the file `INSTALL` and Deno to a folder.
 *
 * @param dir The folder
 * @param arch Architecture of the board
 * @param deno Path of Deno for the board, or null to add none
 * @param words `name`: the name of the folder; `cache`: where the command keeps Deno's cache, for a shell;
 * `bring`: a sentence about Deno for `INSTALL`, or null for no such file
 */
export async function addPrograms(
  dir: string,
  arch: Arch,
  deno: string | null,
  { name, cache, bring }: {
    readonly name: string;
    readonly cache: string;
    readonly bring: string | null;
  },
): Promise<void> {
  const words = { name, cache, arch: LABELS[arch], deno: denoVersion };
  await fill("plumbline", `${dir}/plumbline`, words, 0o755);
  if (bring !== null) await fill("INSTALL", `${dir}/INSTALL`, { ...words, bring }, 0o644);
  if (deno === null) return;
  await Deno.mkdir(`${dir}/bin`);
  await Deno.copyFile(deno, `${dir}/bin/deno`);
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
