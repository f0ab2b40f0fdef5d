// SPDX-License-Identifier: MIT
// The driver on the debug kernel: hostile calls, failed allocations, deaths and removals, and no report.
import { assertEquals, assertStringIncludes } from "@std/assert";
import { runInGuest } from "../../../fixtures/boards/vm/mod.ts";
import { debugBoardTest } from "../../../fixtures/boards/vm/testing/board.ts";

const FULL = Deno.env.get("PLUMBLINE_FULL") === "1";
const CALLS = FULL ? 200_000 : 10_000;
const ROUNDS = FULL ? 200 : 10;
const RUNS = FULL ? 100 : 6;

/** What runs, and what each prints on success. */
const COMMANDS: readonly [command: string, output: string][] = [
  // the first, because lockdep ends with the first report, also with one of another checker
  [`sharing race ${5 * ROUNDS}`, `removal while mappings go: ${5 * ROUNDS} rounds`],
  [`fuzz model 1 ${CALLS}`, "frames of"],
  [`fuzz failing 2 ${CALLS / 4}`, "of these calls lacked memory"],
  [`fuzz storm 3 ${ROUNDS}`, `${ROUNDS} owners killed, usable each time`],
  [`fuzz storm 4 ${ROUNDS} unbind`, `${ROUNDS} owners killed and devices removed`],
  [`robustness unbind ${ROUNDS}`, `${ROUNDS} times, usable each time`],
  [`dmabuf export ${ROUNDS}`, `blocks as buffers: ${ROUNDS} rounds`],
  [`sharing io ${ROUNDS}`, `blocks in other I/O: ${ROUNDS} rounds`],
  [`fuzz_nth 1 ${RUNS} 120 robustness stores`, `${RUNS} allocations failed`],
  [`fuzz_nth 1 ${RUNS} 120 robustness unbind 1`, `${RUNS} allocations failed`],
  [`fuzz_nth 1 ${RUNS} 120 dmabuf export 1`, `${RUNS} allocations failed`],
];

await debugBoardTest(
  "x86_64",
  `pldma on vm:x86_64 with the debug kernel causes no report in ${CALLS} hostile calls, deaths, removals and failed allocations`,
  async (outDir) => {
    const run = await runInGuest({
      arch: "x86_64",
      kernel: "debug",
      outDir,
      command: ["sh", "-c", COMMANDS.map(([command]) => `${command} || exit 1`).join("\n")],
      timeoutSeconds: FULL ? 7200 : 1800,
      stdout: "piped",
      stderr: "piped",
    });
    const text = `${run.stdout}\n${run.stderr}`;
    assertEquals([run.lost, run.exitCode, run.kernelReports], [null, 0, []], text);
    for (const [, output] of COMMANDS) assertStringIncludes(run.stdout, output);
  },
);
