// SPDX-License-Identifier: MIT
/**
 * Results for tests.
 *
 * @module
 */
import { summarizeOutcomes, type Verdict } from "../results/outcome.ts";
import type { Results, TestResult } from "../results/schema.ts";

/**
 * Makes the results of a passed run on an unknown board.
 *
 * @param tests The cases
 * @returns The results with a summary
 */
export function resultsOf(tests: readonly TestResult[]): Results & { readonly verdict: Verdict } {
  return {
    schema: 1,
    tool: { name: "plumbline", version: "0", deno: "0", git: null },
    board: {
      kind: "local",
      simulated: false,
      arch: null,
      kernel: null,
      coherent: null,
      cacheLine: null,
      engine: null,
      core: null,
    },
    bitstream: { file: null, sha256: null, part: null, identity: "unknown" },
    run: { seed: 1, started: "2026-01-01T00:00:00Z", seconds: 1, command: [] },
    power: { coherence: false, tx: false, rx: false, detail: "" },
    tests,
    summary: summarizeOutcomes(tests),
    verdict: { exit: 0, word: "PASS", reason: "all passed" },
  };
}
