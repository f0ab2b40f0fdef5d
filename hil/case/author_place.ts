// SPDX-License-Identifier: MIT
/**
 * Finds the line of a test file that an error came from.
 *
 * @module
 */

import { fileURLToPath } from "node:url";

/** The folder of Plumbline's own code; frames of a stack inside it are not the author's. */
const OWN = new URL("../../", import.meta.url).href;

/** Folders of the checkout whose files are tests like those of any author. */
const TESTS = ["hil/suites/", "hil/bench/suites/", "examples/"];

/**
 * Returns the first frame of an error's stack that lies in a test author's file.
 *
 * @param error The error
 * @returns Path, line and column, such as `/home/me/loop_test.ts:12:9`; null if the stack names no file
 * of an author
 */
export function authorPlace(error: Error): string | null {
  for (
    const [, url, line, column] of (error.stack ?? "").matchAll(/(file:\/\/[^\s)]+?):(\d+):(\d+)/g)
  ) {
    if (url !== undefined && isAuthors(url)) return `${fileURLToPath(url)}:${line}:${column}`;
  }
  return null;
}

function isAuthors(url: string): boolean {
  if (!url.startsWith(OWN)) return true;
  const path = url.slice(OWN.length);
  return TESTS.some((folder) => path.startsWith(folder));
}
