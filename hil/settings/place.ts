// SPDX-License-Identifier: MIT
/**
 * Where files are.
 *
 * @module
 */

/** The checkout that this file is in, with a slash at its end. */
export const ROOT: string = decodeURIComponent(new URL("../../", import.meta.url).pathname);

/**
 * A path as the caller meant it: `deno task` moves to the checkout and tells where it came from.
 *
 * @param path as it was written
 * @returns an absolute path
 */
export function place(path: string): string {
  if (path.startsWith("/")) return path;
  const from = Deno.env.get("INIT_CWD");
  const moved = from !== undefined && `${Deno.cwd()}/` === ROOT;
  return `${moved ? from : Deno.cwd()}/${path}`;
}
