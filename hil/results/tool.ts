// SPDX-License-Identifier: MIT
/**
 * What this tool says of itself in results.
 *
 * @module
 */
import type { ToolInfo } from "./schema.ts";

/** Version of the package; a test holds it against `deno.json`. */
export const VERSION = "0.1.0";

/**
 * Describe the running tool.
 *
 * @param root the checkout; by default the one that this file is in
 * @returns its version, Deno's, and the commit when the checkout has one
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
 * Read the commit without running git, which few boards have; an unpacked tarball has it in a file.
 */
function commit(root: URL): string | null {
  try {
    return Deno.readTextFileSync(new URL("COMMIT", root)).trim();
  } catch {
    // a checkout
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
    return null; // no checkout, or one that may not be read
  }
}
