// SPDX-License-Identifier: MIT
/**
 * Whether a file is there for this process.
 *
 * @module
 */

/**
 * Whether a path leads to something. Unlike `existsSync` of `node:fs` this does not throw where Deno has
 * no permission to look: `deno test -P` sees nothing of `/sys`.
 *
 * @param path The path
 * @returns False too where this process may not look
 */
export function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch {
    return false;
  }
}
