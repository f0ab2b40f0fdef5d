// SPDX-License-Identifier: MIT
/**
 * Paths in the checkout, and paths as the user wrote them.
 *
 * @module
 */

/** The checkout that contains this file. Ends with a slash. */
export const ROOT: string = decodeURIComponent(new URL("../../", import.meta.url).pathname);

/**
 * Makes a path absolute, from the folder in which the user typed it.
 *
 * `deno task` changes the working folder to the checkout and keeps the user's folder in `INIT_CWD`.
 *
 * @param path The path as the user wrote it
 * @returns An absolute path
 *
 * @example An absolute path stays as it is
 * ```ts
 * import { absolutePath } from "./paths.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(absolutePath("/tmp/results"), "/tmp/results");
 * ```
 */
export function absolutePath(path: string): string {
  if (path.startsWith("/")) return path;
  const userFolder = Deno.env.get("INIT_CWD");
  const moved = userFolder !== undefined && `${Deno.cwd()}/` === ROOT;
  return `${moved ? userFolder : Deno.cwd()}/${path}`;
}
