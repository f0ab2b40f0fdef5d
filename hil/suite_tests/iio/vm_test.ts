// SPDX-License-Identifier: MIT
// The suites through the adapter for IIO, on the IIO core of Linux. The driver and the engine below it are ours.
import { assertEquals } from "@std/assert";
import { IIO_DEVICE, iioTest } from "../../../fixtures/boards/vm/testing/iio.ts";
import type { Results } from "../../results/schema.ts";

const FULL = Deno.env.get("PLUMBLINE_FULL") === "1";
const SIZE = 4096;

const PLUMBLINE = "deno run -A --no-check hil/cli/main.ts";

/** Counts cases by suite, policy and outcome, without those that were skipped. */
function counts({ tests }: Results): Record<string, number> {
  const found: Record<string, number> = {};
  for (const { suite, policy, outcome } of tests) {
    if (outcome === "SKIP") continue;
    const key = `${suite} ${policy} ${outcome}`;
    found[key] = (found[key] ?? 0) + 1;
  }
  return found;
}

for (const bus of FULL ? ["swiotlb", "adversarial"] as const : ["swiotlb"] as const) {
  await iioTest(
    `the suites run on the IIO core of Linux under four policies, ${bus}, and the controls fail`,
    async (runOnIio, outDir) => {
      const run = await runOnIio(
        `
      deno test -A --no-check hil/suite_tests/iio/testing/on_iio.ts || exit 1
      ${PLUMBLINE} run --board=local --device=${IIO_DEVICE} --suite=loopback,coherence \\
        --policy=streaming,manual,none,dma-buf --size=${SIZE} --depth=max --frames=8 \\
        --results=/out/run || exit 2`,
        {
          bus,
          outDir,
          env: { NO_COLOR: "1" },
          timeoutSeconds: 1200,
          stdout: "piped",
          stderr: "piped",
        },
      );
      const text = `${run.stdout}\n${run.stderr}`;
      assertEquals([run.lost, run.exitCode, run.kernelReports], [null, 0, []], text);
      const results: Results = JSON.parse(await Deno.readTextFile(`${outDir}/run/results.json`));
      assertEquals([results.board.engine, results.verdict?.word], ["iio", "PASS"]);
      assertEquals(counts(results), {
        "loopback streaming PASS": 2,
        "loopback manual PASS": 2,
        "loopback none XFAIL": 2,
        "loopback dma-buf PASS": 2,
        "coherence streaming PASS": 7,
        "coherence manual PASS": 7,
        "coherence manual XFAIL": 9,
        "coherence none XFAIL": 7,
        "coherence dma-buf PASS": 6,
      }, text);
      console.log(`${run.seconds.toFixed(0)} s with the boot`);
    },
  );
}
