// SPDX-License-Identifier: MIT
/**
 * Folders for tests, gone when the test file is done.
 *
 * @module
 */

const made: string[] = [];

globalThis.addEventListener("unload", () => {
  for (const dir of made) Deno.removeSync(dir, { recursive: true });
});

/**
 * Make an empty folder.
 *
 * @returns Its absolute path
 */
export function tempDir(): string {
  const dir = Deno.makeTempDirSync({ prefix: "plumbline-test-" });
  made.push(dir);
  return dir;
}
