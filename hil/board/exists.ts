// SPDX-License-Identifier: MIT
/**
 * Whether this process can see a file.
 *
 * @module
 */

/**
 * Returns whether a path exists. Unlike `existsSync` of `node:fs`, this does not throw if Deno lacks
 * the permission: `deno test -P` cannot read `/sys`.
 *
 * @param path The path
 * @returns False also if this process lacks the permission
 */
export function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch {
    return false;
  }
}
