// SPDX-License-Identifier: MIT
/**
 * Checks of kernel-doc comments.
 *
 * @module
 */

import { run } from "../../../fixtures/host/run.ts";

/**
 * Lists the structs and enums without a kernel-doc comment directly before them.
 *
 * The kernel's script checks existing comments, but does not report missing ones.
 *
 * @param header Text of a C header, in which each type starts at the start of a line
 * @returns Their names, such as `struct pldma_info`
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
 * Runs the kernel's `kernel-doc` on files.
 *
 * @param script Path of the script
 * @param paths The files
 * @returns One line for each warning, such as for a member without a description
 * @throws {Error} If the script itself fails
 */
export async function kernelDoc(script: string, paths: readonly string[]): Promise<string[]> {
  const done = await run("perl", [script, "-none", ...paths]);
  const said = `${done.stdout}${done.stderr}`.split("\n").filter((line) => line !== "");
  if (done.code !== 0 && said.length === 0) {
    throw new Error(`kernel-doc ended with status ${done.code}`);
  }
  return said;
}
