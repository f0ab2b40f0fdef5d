// SPDX-License-Identifier: MIT
/**
 * The versions of the tool, as in the results.
 *
 * @module
 */
import type { ToolInfo } from "./schema.ts";

/** The version of the package. A test compares it with `deno.json`. */
export const VERSION = "0.1.0";

/**
 * Returns the versions of the running tool.
 *
 * @param root The checkout. Defaults to the one that holds this file; `null` means none
 * @returns The versions of Plumbline and Deno, and the commit if it is known
 */
export function toolInfo(root: URL | null = checkout()): ToolInfo {
  return {
    name: "plumbline",
    version: VERSION,
    deno: Deno.version.deno,
    git: root === null ? null : commit(root),
  };
}

function checkout(): URL | null {
  return import.meta.url.startsWith("file:") ? new URL("../../", import.meta.url) : null;
}

/**
 * Reads the commit without git, which few boards have. An unpacked tarball has it in the file `COMMIT`.
 */
function commit(root: URL): string | null {
  try {
    return Deno.readTextFileSync(new URL("COMMIT", root)).trim();
  } catch {
    // not a tarball, so it may be a checkout
  }
  try {
    const head = Deno.readTextFileSync(new URL(".git/HEAD", root)).trim();
    const ref = /^ref: (.+)$/.exec(head)?.[1];
    if (ref === undefined) return head;
    try {
      return Deno.readTextFileSync(new URL(`.git/${ref}`, root)).trim();
    } catch {
      const packed = Deno.readTextFileSync(new URL(".git/packed-refs", root)).split("\n");
      return packed.find((line) => line.endsWith(` ${ref}`))?.split(" ")[0] ?? null;
    }
  } catch {
    return null; // neither a tarball nor a readable checkout
  }
}
