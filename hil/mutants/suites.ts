// SPDX-License-Identifier: MIT
/**
 * The tests that must turn red on a mutant, for each part of the project.
 *
 * @module
 */

import type { Part } from "./mutant.ts";

/** The parts whose mutants are tried in a copy of the checkout. */
export type CopiedPart = Exclude<Part, "driver">;

/** One command that tests a part. */
export interface Suite {
  /** Its name in the table. */
  readonly name: string;
  /** The arguments of `deno`. */
  readonly args: readonly string[];
  /** Files whose mutants run it first: the start of their paths. */
  readonly near: readonly string[];
}

/**
 * Runs the tests of some files, except those that take long and would find nothing more, and those that
 * fail on a busy machine.
 */
function tests(name: string, files: readonly string[], ...options: readonly string[]): Suite {
  return {
    name,
    args: ["test", "-A", "--no-check", "--fail-fast", ...options, ...files],
    near: files.map((file) => file.replace(/[^/]*_test\.ts$/, "")),
  };
}

/** Runs suites on a board. */
function onBoard(name: string, board: string, ...options: readonly string[]): Suite {
  return {
    name,
    args: ["run", "-A", "--no-check", "hil/cli/main.ts", "run", "--board", board, ...options],
    near: [],
  };
}

const SIM_LOOPBACK = onBoard("loopback on sim", "sim", "--seed", "1", "--suite", "loopback");
const SIM_COHERENCE = onBoard("coherence on sim", "sim", "--seed", "1", "--suite", "coherence");
const SIM_LITMUS = onBoard(
  "generated litmus tests on sim",
  "sim",
  "--seed",
  "1",
  "--suite",
  "litmus",
);
const SIM_ABI = tests("abi on sim", [
  "hil/suite_tests/abi/engine_test.ts",
  "hil/suite_tests/abi/sim_test.ts",
]);

/** The tests of each part, in the order in which they run. */
export const SUITES: Readonly<Record<CopiedPart, readonly Suite[]>> = {
  // only these, because each mistake must show in them
  cache: [SIM_LITMUS],
  sim: [
    SIM_ABI,
    SIM_LOOPBACK,
    SIM_COHERENCE,
    {
      ...tests(
        "tests of sim",
        ["fixtures/boards/sim/"],
        "--ignore=fixtures/boards/sim/intact_test.ts",
      ),
      // the suites come first, because they are what a user sees
      near: [],
    },
  ],
  verdict: [
    tests("tests of the journal", ["hil/journal/"]),
    tests("tests of the results", ["hil/results/"]),
    tests("tests of frames", ["hil/frames/"]),
    tests("judgement of a case", ["hil/case/judge_test.ts"]),
    tests(
      "tests of the verifier",
      ["hil/verify/"],
      "--ignore=hil/verify/speed_test.ts,hil/verify/classify_speed_test.ts",
    ),
    tests("cases on sim", ["hil/case/hil_test.ts", "hil/case/author_test.ts"]),
    SIM_LOOPBACK,
    SIM_ABI,
    tests("coherence on sim, as expected", ["hil/suite_tests/coherence/sim_test.ts"]),
    tests("self-check on sim", ["hil/selfcheck/selfcheck_test.ts"]),
  ],
};

/**
 * Puts the tests of a mutant in order: those beside its file come first.
 *
 * @param part The part of the mutant
 * @param file The mutant's file
 * @returns All tests of the part
 */
export function suitesFor(part: CopiedPart, file: string): readonly Suite[] {
  const isNear = ({ near }: Suite) => near.some((start) => file.startsWith(start));
  const suites = SUITES[part];
  return [...suites.filter(isNear), ...suites.filter((suite) => !isNear(suite))];
}
