// SPDX-License-Identifier: MIT
/**
 * Temporary folders for tests. They are removed after the test file.
 *
 * @module
 */

const made: string[] = [];

globalThis.addEventListener("unload", () => {
  for (const dir of made) Deno.removeSync(dir, { recursive: true });
});

/**
 * Creates an empty folder.
 *
 * @returns The absolute path
 */
export function tempDir(): string {
  const dir = Deno.makeTempDirSync({ prefix: "plumbline-test-" });
  made.push(dir);
  return dir;
}
