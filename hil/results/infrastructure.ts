// SPDX-License-Identifier: MIT
/**
 * Infrastructure errors that belong to no case: a process that died, a lost board, a damaged journal.
 *
 * @module
 */
import type { TestResult } from "./schema.ts";

/** The suite of these errors. */
export const INFRASTRUCTURE = "infrastructure";

/**
 * Makes a result of an infrastructure error outside any case.
 *
 * @param name What failed
 * @param reason What happened
 * @returns A result with the outcome ERROR
 *
 * @example A line of the journal that cannot be read
 * ```ts
 * import { infrastructureError } from "./infrastructure.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const { suite, outcome } = infrastructureError("journal line 7", "The journal is damaged");
 * assertEquals([suite, outcome], ["infrastructure", "ERROR"]);
 * ```
 */
export function infrastructureError(name: string, reason: string): TestResult {
  return {
    suite: INFRASTRUCTURE,
    name,
    policy: null,
    outcome: "ERROR",
    reason,
    seconds: 0,
    frames: 0,
    bytes: 0,
    faults: [],
    measurements: [],
  };
}
