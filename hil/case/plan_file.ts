// SPDX-License-Identifier: MIT
/**
 * Whether a test file takes part in a run, and its plan in the journal.
 *
 * @module
 */

import { fileURLToPath as fromFileUrl } from "node:url";
import type { Journal } from "../journal/journal.ts";
import { suitesBelow } from "../settings/suite_names.ts";
import { alternatives, valueError } from "../settings/values.ts";
import { nearest } from "../text/nearest.ts";

/**
 * Plans this file, if no `plumbline run` did. Deno does not say which other files it will load. Returns
 * what closes the plan.
 *
 * @param journal The journal of the run
 * @param suite The suite of the file
 * @returns What closes the plan; null if there is another plan
 */
export function planFile(journal: Journal, suite: string): (() => void) | null {
  const file = fromFileUrl(Deno.mainModule);
  if (journal.isPlanned(file)) return null;
  const plan = journal.plan("deno test", [file]);
  journal.file({ file, suite, state: "started" });
  return () => {
    journal.file({ file, suite, state: "ended" });
    journal.close(plan);
  };
}

/**
 * Returns null if `--suite` names other suites only, or a reason if one of its names is unknown.
 *
 * @param asked The names
 * @param refuse Records a reason
 * @returns The reason, or null
 */
export function unknownSuite(
  asked: readonly string[],
  refuse: (reason: string) => string,
): string | null {
  const known = suitesBelow(Deno.cwd());
  const unknown = asked.find((name) => !known.includes(name));
  if (unknown === undefined) return null;
  const expected = known.length === 0 ? "a suite below this folder" : alternatives(known);
  return refuse(valueError("--suite", expected, unknown, nearest(unknown, known)).message);
}
