// SPDX-License-Identifier: MIT
// A memory loop: pldma over an in-tree driver of an engine that copies memory (zynqmp_dma).
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { runInGuest } from "../../../fixtures/boards/vm/mod.ts";
import { boardTest } from "../../../fixtures/boards/vm/testing/board.ts";

const PROGRAMS: readonly [command: string, output: string][] = [
  ["memloop frames", "INFO names a memory loop of xilinx-zynqmp-dma"],
  ["memloop cut 90", "RESET, close() and SIGKILL during copies: 90 times, usable each time"],
  ["robustness stores", "registered memory keeps what the caller stores"],
  ["robustness copyout", "cannot be copied out is kept"],
  ["robustness killed 30", "30 times, usable each time"],
  ["robustness signalled 30", "30 times, usable each time"],
  ["robustness unbind 10", "10 times, usable each time"],
  ["accounting leaks 200", "pages pinned and released"],
];

/** What `memloop frames` prints for each rule that it checks. */
const RULES = [
  "a short frame has its own length",
  "a frame longer than the receive block fills the block and is an error",
  "queues of different length keep the order of frames",
  "RESET returns the blocks of one filled queue",
  "RESET of one direction leaves the other one running",
  "a frame is copied into many segments",
];

await boardTest(
  "aarch64",
  "pldma on vm:versal offers a memory loop that survives RESET, close() and SIGKILL",
  async (outDir) => {
    const commands = PROGRAMS.map(([command]) => `${command} || exit 1`);
    // a recycled descriptor must not call pldma after it has released the channel
    const again = `
      cd /sys/bus/platform/drivers/pldma
      echo pldma-pair.0 > unbind || exit 2
      echo pldma-pair.0 > bind || exit 3
      cd /
      memloop frames > /dev/null || exit 4`;
    const run = await runInGuest({
      arch: "aarch64",
      engine: "memory",
      outDir,
      command: ["sh", "-c", [...commands, again].join("\n")],
      timeoutSeconds: 1200,
      stdout: "piped",
      stderr: "piped",
    });
    const text = `${run.stdout}\n${run.stderr}`;
    assertEquals([run.lost, run.exitCode, run.kernelReports], [null, 0, []], text);
    for (const [, output] of PROGRAMS) assertStringIncludes(run.stdout, output);
    for (const rule of RULES) assertStringIncludes(run.stdout, rule);
  },
  "memory",
);

// plumbline run --board vm:versal (hil/cli/vm_test.ts) runs a few of these cases each time
if (Deno.env.get("PLUMBLINE_FULL") === "1") {
  await boardTest(
    "aarch64",
    "pldma on vm:versal passes the loopback suite, and policy none fails",
    async (outDir) => {
      const run = await runInGuest({
        arch: "aarch64",
        engine: "memory",
        outDir,
        command: [
          ...["deno", "test", "-P", "--no-check", "hil/suites/loopback_test.ts"],
          ...["--", "--frames=20", "--size=1,4097,block"],
        ],
        env: { NO_COLOR: "1" },
        timeoutSeconds: 1200,
        stdout: "piped",
        stderr: "piped",
      });
      const text = `${run.stdout}\n${run.stderr}`;
      assertEquals([run.lost, run.exitCode, run.kernelReports], [null, 0, []], text);
      for (const policy of ["coherent", "streaming", "user-pages", "bounce"]) {
        assertStringIncludes(run.stdout, `loop policy=${policy} size=4097 depth=max ... ok`);
      }
      assert(/policy none fails somewhere, as it must \.\.\. ok/.test(run.stdout), text);
    },
    "memory",
  );
}
