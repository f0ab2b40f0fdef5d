// SPDX-License-Identifier: MIT
/**
 * What a header lacks in kernel-doc comments.
 *
 * @module
 */

import { run } from "../../../fixtures/host/run.ts";

/**
 * Lists the structs and enums that have no kernel-doc comment right before them.
 *
 * The kernel's script judges the comments that are there; that one is missing it does not see.
 *
 * @param header Text of a C header whose types begin at the start of a line
 * @returns Their names: `struct pldma_info`
 */
export function undocumented(header: string): string[] {
  const missing: string[] = [];
  for (const { 1: name = "", index } of header.matchAll(/^((?:struct|enum) \w+) \{$/gm)) {
    const before = header.slice(0, index);
    const comment = before.endsWith(" */\n") ? before.slice(before.lastIndexOf("/*")) : "";
    if (!comment.startsWith(`/**\n * ${name} - `)) missing.push(name);
  }
  return missing;
}

/**
 * Runs the kernel's `kernel-doc` over files.
 *
 * @param script Path of the script
 * @param paths The files
 * @returns One line for each warning, such as for a member that its comment does not name
 * @throws {Error} When the script does not run as it should
 */
export async function kernelDoc(script: string, paths: readonly string[]): Promise<string[]> {
  const done = await run("perl", [script, "-none", ...paths]);
  const said = `${done.stdout}${done.stderr}`.split("\n").filter((line) => line !== "");
  if (done.code !== 0 && said.length === 0) {
    throw new Error(`kernel-doc ended with status ${done.code}`);
  }
  return said;
}
