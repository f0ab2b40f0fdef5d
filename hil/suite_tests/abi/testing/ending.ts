// SPDX-License-Identifier: MIT
/**
 * How the conformance suite ended on a board.
 *
 * @module
 */

import { Journal, JOURNAL_FILE } from "../../../journal/journal.ts";
import { fold } from "../../../journal/fold.ts";

/** How the suite ended. */
export interface Ending {
  /** Names of all checks in the order of registration. */
  readonly names: string[];
  /** Checks that neither passed nor were skipped, with the reason. */
  readonly failed: string[];
  /** Checks that were skipped, with the reason. */
  readonly skipped: string[];
}

/**
 * Reads the journal of the suite.
 *
 * @param dir Folder of the run
 * @returns How it ended
 */
export function readEnding(dir: string): Ending {
  const { tests } = fold(Journal.read(`${dir}/${JOURNAL_FILE}`));
  const linesOf = (skipped: boolean) =>
    tests.filter(({ outcome }) => outcome !== "PASS" && (outcome === "SKIP") === skipped)
      .map(({ name, outcome, reason }) => `${outcome} ${name}: ${reason}`);
  return { names: tests.map(({ name }) => name), failed: linesOf(false), skipped: linesOf(true) };
}
