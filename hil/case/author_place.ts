// SPDX-License-Identifier: MIT
/**
 * Finds the line of a test file that an error came from.
 *
 * @module
 */

import { fileURLToPath } from "node:url";

/** The folder of Plumbline's own code; frames of a stack inside it are not the author's. */
const OWN = new URL("../../", import.meta.url).href;

/** The same folder as a path. */
const ROOT = fileURLToPath(OWN);

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

/**
 * Returns the line of a test author's file that called this.
 *
 * @returns Path and line, such as `hil/suites/loopback_test.ts:12`; the path is relative to the checkout if
 * the file is in it. Null if no caller is an author's
 */
export function lineOfAuthor(): string | null {
  const place = authorPlace(new Error())?.replace(/:\d+$/, "") ?? null;
  return place?.startsWith(ROOT) === true ? place.slice(ROOT.length) : place;
}

/**
 * Returns the line of the test file that registers a case, for the journal.
 *
 * @returns The key `place` of a case, or nothing if the line is unknown
 */
export function registeredAt(): { readonly place?: string } {
  const place = lineOfAuthor();
  return place === null ? {} : { place };
}

/**
 * Returns whether an error was thrown by code of a test author, or by a library that it called. After frames
 * have moved, this is the author's own check of the data, whatever its class.
 *
 * @param error The error
 * @returns Whether the innermost file of its stack is not one of Plumbline
 */
export function isThrownByAuthor(error: Error): boolean {
  const [, url] = /(file:\/\/[^\s)]+?):\d+:\d+/.exec(error.stack ?? "") ?? [];
  return url !== undefined && isAuthors(url);
}

function isAuthors(url: string): boolean {
  if (!url.startsWith(OWN)) return true;
  const path = url.slice(OWN.length);
  return TESTS.some((folder) => path.startsWith(folder));
}
