// SPDX-License-Identifier: MIT
// The conformance suite on the real driver: the same checks as on sim (see sim_test.ts), and none of them is
// skipped.
import { assertEquals } from "@std/assert";
import { runInGuest } from "../../../fixtures/boards/vm/mod.ts";
import { boardTest } from "../../../fixtures/boards/vm/testing/board.ts";
import { CHECKS } from "../../suites/abi/mod.ts";
import { readEnding } from "./testing/ending.ts";

for (const arch of ["aarch64", "x86_64"] as const) {
  await boardTest(
    arch,
    `the conformance suite passes without a skip on vm:${arch}`,
    async (outDir) => {
      const run = await runInGuest({
        arch,
        outDir,
        // all permissions, because Deno requires them for the folder in which faults are armed
        command: ["deno", "test", "-A", "--no-check", "hil/suites/abi_test.ts"],
        env: { NO_COLOR: "1", PLUMBLINE_BOARD: "vm", PLUMBLINE_RESULTS: "/out/run" },
        timeoutSeconds: 1200,
        stdout: "piped",
        stderr: "piped",
      });
      assertEquals(run.lost, null, run.stderr);
      const { names, failed, skipped } = readEnding(`${outDir}/run`);
      assertEquals(failed, []);
      assertEquals(skipped, []);
      assertEquals(names, CHECKS.map(({ name }) => name));
      assertEquals(run.exitCode, 0, `${run.stdout}${run.stderr}`);
      assertEquals(run.kernelReports, []);
    },
  );
}
