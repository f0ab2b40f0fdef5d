// SPDX-License-Identifier: MIT
/**
 * How the coherence suite ended on a board, held against its table.
 *
 * @module
 */

import { POLICIES, type PolicyName } from "../../../../driver/uapi.ts";
import { Journal, JOURNAL_FILE } from "../../../journal/journal.ts";
import { fold } from "../../../journal/fold.ts";
import type { Results } from "../../../results/schema.ts";
import {
  expectationOf,
  expectedOutcome,
  type Kind,
  LITMUS_NAMES,
  type LitmusName,
  shows,
} from "../../../suites/coherence/expected.ts";
import { SYNC_CALLS, type SyncCall } from "../../../frames/handover.ts";

/** The calls that a driver makes under each policy, or under `manual` is asked for. */
const CALLS_OF: Readonly<Record<PolicyName, readonly SyncCall[]>> = {
  "coherent": [],
  "write-combine": [],
  "streaming": SYNC_CALLS,
  "streaming-lazy": ["tx-for-device", "rx-for-cpu"],
  "noncoherent": SYNC_CALLS,
  "user-pages": SYNC_CALLS,
  "user-pages-registered": SYNC_CALLS,
  "manual": SYNC_CALLS,
  "bounce": ["tx-for-device", "rx-for-cpu"],
  "none": [],
  "dma-buf": [],
};

/** What a run is held against. */
export interface Run {
  /** The board. */
  readonly kind: Kind;
  /** The policies that were asked for; all when left out. */
  readonly policies?: readonly PolicyName[];
  /** Policies that the board has under another name. */
  readonly aliases?: readonly PolicyName[];
  /** The call that the driver leaves out. */
  readonly mistake?: SyncCall;
}

/**
 * Read the results that the suite left.
 *
 * @param dir Folder of the run
 * @returns The results
 */
export function readResults(dir: string): Results {
  return fold(Journal.read(`${dir}/${JOURNAL_FILE}`));
}

/**
 * What the table says of every case, by name and in the order in which they are registered.
 *
 * @param run The run
 * @returns Outcomes; an outcome that depends on what is in the caches is `any`
 */
export function expectedOutcomes(run: Run): Record<string, string> {
  const { policies = POLICIES, aliases = [], kind, mistake } = run;
  const outcome = (name: LitmusName, policy: PolicyName, without: SyncCall | null): string => {
    if (aliases.includes(policy)) return "SKIP";
    const expected = expectedOutcome(kind, name, policy, without) ?? "any";
    if (expected !== "PASS" || mistake === undefined) return expected;
    const { needs, directions } = expectationOf(name);
    // the caller's pages, mapped and not cleaned, are dirty all over, whoever stored or did not
    const dirty = kind === "adversarial" && policy.startsWith("user-pages") &&
      mistake === "rx-for-device" && directions.includes("rx");
    const fails = dirty || (needs.includes(mistake) && CALLS_OF[policy].includes(mistake) &&
      shows(kind, policy, mistake) === "yes");
    return fails ? "FAIL" : expected;
  };
  const expected: Record<string, string> = {};
  for (const name of LITMUS_NAMES) {
    for (const policy of policies) {
      expected[`${name} policy=${policy}`] = outcome(name, policy, null);
    }
    if (!policies.includes("manual")) continue;
    for (const without of expectationOf(name).needs) {
      expected[`${name} policy=manual without=${without}`] = outcome(name, "manual", without);
    }
  }
  return expected;
}

/**
 * What came of every case.
 *
 * @param results The results
 * @returns Outcomes by name
 */
export function outcomes({ tests }: Results): Record<string, string> {
  return Object.fromEntries(tests.map(({ name, outcome }) => [name, outcome]));
}
