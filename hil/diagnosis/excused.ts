// SPDX-License-Identifier: MIT
/**
 * Faults of controls that say nothing about the design. A control in which the core changed data fails, and it
 * also has the stale data that every control must have.
 *
 * @module
 */
import { CORE_CHANGED_DATA } from "../results/outcome.ts";
import type { TestResult } from "../results/schema.ts";
import type { Fault } from "../verify/fault.ts";
import { CLASS_OF, type Damage } from "./groups.ts";

/** What stale data look like in a frame of a few bytes, if check values lay it on a path without syncs. */
const LIKE_STALE: readonly Damage[] = ["bits", "foreign"];

/**
 * Leaves out the faults that a missing sync explains, in controls that failed because the core changed data.
 * They stay if no fault of the run is the core's, so that no failure is left without any fault.
 *
 * @param tests The cases
 * @returns As many cases, in the same order. Controls without any other fault have the outcome XFAIL, because
 * they show no more than the others do
 */
export function withoutExcused(tests: readonly TestResult[]): TestResult[] {
  const known = tests.some(({ outcome, faults }) =>
    outcome === "FAIL" && faults.some(({ blame }) => blame === "core")
  );
  return tests.map((test) => {
    if (!known || !isBesideStale(test)) return test;
    const faults = test.faults.filter((fault) => !isExplained(fault));
    return faults.length > 0 ? { ...test, faults } : { ...test, faults, outcome: "XFAIL" };
  });
}

/** Whether a control failed only because the core changed data, beside the stale data of a control. */
function isBesideStale({ policy, outcome, reason }: TestResult): boolean {
  return policy === "none" && outcome === "FAIL" && reason?.includes(CORE_CHANGED_DATA) === true;
}

/** Whether a missing sync explains a fault. */
function isExplained({ kind, blame }: Fault): boolean {
  if (blame === "core" || blame === "driver") return false;
  return CLASS_OF[kind] === "old" || blame !== null && LIKE_STALE.includes(CLASS_OF[kind]);
}
