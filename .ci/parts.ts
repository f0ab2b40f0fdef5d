// SPDX-License-Identifier: MIT
/**
 * The parts that all tests are divided into. Each is one run of Deno.
 *
 * @module
 */

/** Tests that run together, one file after the other. */
export interface Part {
  /** What they have in common. */
  readonly name: string;
  /** Files and folders. */
  readonly paths: readonly string[];
}

/** Suites are for boards. The report has a configuration of its own, with npm packages. */
const ELSEWHERE = ["**/suites/**", "**/hil/report/**"];

/** Tests that compare times of one run, and need a machine without other load. */
export const ALONE: Part = {
  name: "comparisons of times",
  paths: [
    "driver/kernel/tests/gap_test.ts",
    "hil/bench",
    "hil/verify/speed_test.ts",
    "hil/verify/classify_speed_test.ts",
  ],
};

/** Tests that need npm packages and Chromium, and therefore have a program that starts them. */
const REPORT: Part = { name: "report", paths: ["hil/report"] };

/** Whether a path is a folder or lies in it. */
function within(path: string, folder: string): boolean {
  return path === folder || path.startsWith(`${folder}/`);
}

/**
 * Writes the arguments of `deno` for a part. A file that another part names is left out of its folders.
 *
 * @param part The part
 * @param all All parts
 * @returns The arguments
 */
export function argumentsOf(part: Part, all: readonly Part[]): string[] {
  if (part === REPORT) return ["run", "--no-config", "-A", "hil/report/testing/run.ts"];
  const others = all.flatMap(({ paths }) => paths)
    .filter((path) => part.paths.some((folder) => path !== folder && within(path, folder)));
  // deno test with --doc ignores no folder that has another form
  const patterns = others.map((path) => path.endsWith(".ts") ? `**/${path}` : `**/${path}/**`);
  return ["test", "-A", "--doc", `--ignore=${[...ELSEWHERE, ...patterns].join()}`, ...part.paths];
}

/** Parts that always run, the longest ones first. */
export const FIRST: readonly Part[] = [
  { name: "kernel module", paths: ["driver/kernel"] },
  { name: "virtual boards", paths: ["fixtures/boards/vm"] },
  { name: "suites on every board", paths: ["hil/suite_tests"] },
  { name: "commands", paths: ["hil/cli"] },
  { name: "examples", paths: ["examples/vm_test.ts", "examples/designs_test.ts"] },
  {
    name: "verdicts on real kernels",
    paths: ["hil/frames/vm_test.ts", "hil/diagnosis/vm_test.ts", "hil/audit", "hil/selfcheck"],
  },
  { name: "fresh machine", paths: ["fixtures/host/fresh_machine_test.ts"] },
  REPORT,
  { name: "fixtures", paths: ["fixtures"] },
  { name: "hil", paths: ["mod.ts", "mod_test.ts", ".ci", "hil", "offline", "packaging", "site"] },
  { name: "binding", paths: ["driver"] },
];

/**
 * Parts that run last, and that a slow machine may leave out: what needs minutes, and changes seldom. The longest
 * one stands at the end.
 */
export const LATE: readonly Part[] = [
  // builds a kernel
  { name: "32-bit Arm", paths: ["hil/suite_tests/target"] },
  { name: "mutants", paths: ["hil/mutants/sample_test.ts"] },
  { name: "farm on Slurm", paths: ["examples/slurm_test.ts"] },
  { name: "packages on a fresh machine", paths: ["hil/dist/fresh_machine_test.ts"] },
  { name: "farm on labgrid", paths: ["examples/labgrid_test.ts"] },
  { name: "tarball on a virtual board", paths: ["hil/dist/vm_test.ts"] },
];
