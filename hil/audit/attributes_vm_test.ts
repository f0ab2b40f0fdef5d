// SPDX-License-Identifier: MIT
// The attributes of transfers on the real path: the driver of the loopback core, with the core simulated beside QEMU.
import { assert, assertEquals, assertMatch } from "@std/assert";
import { hostArch } from "../../fixtures/host/arch.ts";
import { runInGuest } from "../../fixtures/boards/vm/mod.ts";
import { boardTest } from "../../fixtures/boards/vm/testing/board.ts";

const DRIVER = "fixtures/boards/vm/cosim/kernel/testing/on_attributes.ts";

await boardTest(
  hostArch,
  `pl_loopback on vm:${hostArch} sets the attributes of each transfer`,
  async (outDir) => {
    const run = await runInGuest({
      arch: hostArch,
      engine: "rtl",
      rtl: { cores: [{ width: 64, burst: 256 }] },
      outDir,
      command: ["deno", "test", "-A", "--no-check", DRIVER],
      env: { NO_COLOR: "1" },
      timeoutSeconds: 600,
      stdout: "piped",
      stderr: "piped",
    });
    const text = `${run.stdout}\n${run.stderr}`;
    assertEquals([run.lost, run.exitCode, run.kernelReports], [null, 0, []], text);
    assertMatch(run.stdout, /^ok \| 5 passed \| 0 failed/m);
    const { logic } = run;
    assert(logic !== null && typeof logic !== "string", `${logic}`);
    assertEquals([logic.violation, logic.decodeErrors], ["", 0]);
    // what on_attributes.ts sets, and nothing else: a frame of 20,000 bytes takes at most 12 bursts
    const found = (bursts: typeof logic.reads) =>
      bursts.map(({ cache, prot }) => `${cache}/${prot}`);
    assertEquals(found(logic.reads), ["0/1", "1/1", "2/1", "3/1", "10/3", "11/3"]);
    assertEquals(found(logic.writes), ["15/5", "14/6", "0/7", "1/7", "2/7", "3/7"]);
  },
);
