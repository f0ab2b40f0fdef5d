// SPDX-License-Identifier: MIT
/**
 * Suites are called as their test files are: `loopback_test.ts` holds the suite `loopback`.
 *
 * @module
 */

/** Names that `deno test` takes for tests. */
const TEST_FILE = /^(.+)[._]test\.(?:ts|mts|js|mjs|tsx|jsx)$/;

/** Folders that hold no tests of the project. */
const SKIPPED = new Set(["node_modules", ".git", ".cache", "results"]);

/** Bounds of the search for suites: a project has no more. */
const MAX_DEPTH = 6;
const MAX_ENTRIES = 10_000;

/**
 * The suite in a test file.
 *
 * @param file Path or URL of the file
 * @returns Its name
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
 * The test files in a folder and below.
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
      return; // not ours to read
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
 * The suites in a folder and below.
 *
 * @param dir The folder
 * @returns Their names, sorted, each once
 */
export function suitesBelow(dir: string): string[] {
  return [...new Set(testFilesBelow(dir).map(suiteName))].sort();
}
