// SPDX-License-Identifier: MIT
// Whether calls keep the engine waiting. The figures are times, so this runs without other tests beside it.
import { assertEquals, assertStringIncludes } from "@std/assert";
import { runInGuest } from "../../../fixtures/boards/vm/mod.ts";
import { boardTest } from "../../../fixtures/boards/vm/testing/board.ts";

/** The programs that measure it, and what each prints on success. */
const GAPS: readonly [command: string, output: string][] = [
  ["gap poll", "poll does not wait for a sync"],
  ["gap alloc 64", "ALLOC does not keep the engine idle"],
  ["gap policies 1048576 96", "syncs of 1048576 bytes do not keep the engine idle"],
  ["gap policies 4194304 40", "syncs of 4194304 bytes do not keep the engine idle"],
];

for (const arch of ["aarch64", "x86_64"] as const) {
  await boardTest(
    arch,
    `pldma on vm:${arch} submits queued blocks without waiting for syncs and allocations of other calls`,
    async (outDir) => {
      // Other load can only lengthen a gap, so one good run of three is enough. A lock that is held too
      // long shows in all of them.
      const script = GAPS.map(([command]) => `${command} || ${command} || ${command} || exit 1`);
      const run = await runInGuest({
        arch,
        outDir,
        command: ["sh", "-c", script.join("\n")],
        moduleArgs: { pldma: "engine_depth=1" },
        timeoutSeconds: 1800,
        stdout: "piped",
        stderr: "piped",
      });
      const text = `${run.stdout}\n${run.stderr}`;
      assertEquals([run.lost, run.exitCode, run.kernelReports], [null, 0, []], text);
      for (const [, output] of GAPS) assertStringIncludes(run.stdout, output);
    },
  );
}
