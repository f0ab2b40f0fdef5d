// SPDX-License-Identifier: MIT
/**
 * Names of suites. A suite has the name of its test file: `loopback_test.ts` is the suite `loopback`.
 *
 * @module
 */

/** File names in which `deno test` finds tests. */
const TEST_FILE = /^(.+)[._]test\.(?:ts|mts|js|mjs|tsx|jsx)$/;

/** Folders without tests of the project. */
const SKIPPED = new Set(["node_modules", ".git", ".cache", "results"]);

/** Limits of the search for suites. No project needs more. */
const MAX_DEPTH = 6;
const MAX_ENTRIES = 10_000;

/**
 * Returns the name of the suite in a test file.
 *
 * @param file Path or URL of the file
 * @returns The name of the suite
 *
 * @example
 * ```ts
 * import { suiteName } from "./suite_names.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(suiteName("file:///project/tests/my_loop_test.ts"), "my_loop");
 * ```
 */
export function suiteName(file: string): string {
  const name = file.split("/").at(-1) ?? file;
  return TEST_FILE.exec(name)?.[1] ?? name.replace(/\.[^.]+$/, "");
}

/**
 * Finds the test files in a folder and its subfolders.
 *
 * @param dir The folder
 * @returns Their paths, sorted
 */
export function testFilesBelow(dir: string): string[] {
  const files: string[] = [];
  let entries = 0;
  const walk = (path: string, depth: number): void => {
    let items: Deno.DirEntry[];
    try {
      items = [...Deno.readDirSync(path)];
    } catch {
      return; // no permission to read it
    }
    for (const { name, isDirectory, isFile } of items) {
      if (++entries > MAX_ENTRIES) return;
      if (isFile && TEST_FILE.test(name)) files.push(`${path}/${name}`);
      if (isDirectory && depth < MAX_DEPTH && !SKIPPED.has(name)) {
        walk(`${path}/${name}`, depth + 1);
      }
    }
  };
  walk(dir, 0);
  return files.sort();
}

/**
 * Finds the suites in a folder and its subfolders.
 *
 * @param dir The folder
 * @returns Their names, sorted, each once
 */
export function suitesBelow(dir: string): string[] {
  return [...new Set(testFilesBelow(dir).map(suiteName))].sort();
}
