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
  /** Every check, in the order of registration. */
  readonly names: string[];
  /** What did neither pass nor skip, with the reason. */
  readonly failed: string[];
  /** What was skipped, with the reason. */
  readonly skipped: string[];
}

/**
 * Read the journal that the suite left.
 *
 * @param dir Folder of the run
 * @returns How it ended
 */
export function readEnding(dir: string): Ending {
  const { tests } = fold(Journal.read(`${dir}/${JOURNAL_FILE}`));
  const told = (skipped: boolean) =>
    tests.filter(({ outcome }) => outcome !== "PASS" && (outcome === "SKIP") === skipped)
      .map(({ name, outcome, reason }) => `${outcome} ${name}: ${reason}`);
  return { names: tests.map(({ name }) => name), failed: told(false), skipped: told(true) };
}
