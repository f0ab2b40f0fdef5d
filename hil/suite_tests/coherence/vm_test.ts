// SPDX-License-Identifier: MIT
// The coherence suite on real kernels: it ends as its table says, and names a driver that leaves a
// sync call out wherever the table says that the board shows it.
import { assertEquals } from "@std/assert";
import type { PolicyName } from "../../../driver/uapi.ts";
import { arches } from "../../../fixtures/host/arch.ts";
import { type Arch, archNames, buildModules, runInGuest } from "../../../fixtures/boards/vm/mod.ts";
import { boardTest, copyModules } from "../../../fixtures/boards/vm/testing/board.ts";
import { shows } from "../../suites/coherence/expected.ts";
import { SYNC_CALLS } from "../../frames/handover.ts";
import { expectedOutcomes, outcomes, readResults } from "./testing/ending.ts";

/** Both buses on one architecture; on the other one bounce buffers only, for lack of time. */
const ADVERSARIAL: readonly Arch[] = Deno.env.get("PLUMBLINE_FULL") === "1"
  ? archNames
  : ["aarch64"];

/** Policies that make sync calls. */
const POLICIES = [
  ...["streaming", "streaming-lazy", "noncoherent"] as const,
  ...["user-pages", "user-pages-registered", "manual", "bounce"] as const,
];

/** As plain `deno test` runs it; the exit status goes to a file. */
const SUITE = `
suite() {
  name=$1; shift
  PLUMBLINE_RESULTS=/out/$name deno test -P --no-check hil/suites/coherence_test.ts -- "$@"
  echo "$name $?" >> /out/codes
}
use_adversarial() {
  for device in /sys/bus/platform/drivers/pl_softdma/*softdma*; do
    echo \${device##*/} > /sys/bus/platform/drivers/pl_softdma/unbind
  done
  insmod "$1"
}`;

/** The driver's mistakes, one at a time. */
function mistakes(bus: string): string {
  return SYNC_CALLS.map((call) => `
echo "${call} skip" > /sys/module/pldma/parameters/fault
suite ${bus}-${call} --policy=${POLICIES} --size=1280 --frames=8`).join("");
}

for (const arch of archNames) {
  const adversarial = ADVERSARIAL.includes(arch);
  const where = adversarial ? "both buses" : "swiotlb";
  const name = `the coherence suite ends on ${where} of vm:${arch} as expected.ts says`;
  await boardTest(arch, name, async (outDir) => {
    const modules = async (folder: string, testFaults: boolean) =>
      adversarial
        ? await copyModules((await buildModules(arch, { testFaults })).modules, outDir, folder)
        : {};
    const good = await modules("good", false);
    const faulty = await modules("faulty", true);
    const run = await runInGuest({
      arch,
      outDir,
      command: [
        "sh",
        "-c",
        adversarial
          ? `${SUITE}
suite swiotlb
use_adversarial ${good["pl_advbus"]}
suite adversarial
echo pl_advbus.0 > /sys/bus/platform/drivers/pl_advbus/unbind
rmmod pl_advbus pl_softdma pldma || exit 2
insmod ${faulty["pldma"]} || exit 3
insmod ${faulty["pl_softdma"]} ${arches[arch].softdmaArguments} || exit 4
${mistakes("swiotlb")}
use_adversarial ${faulty["pl_advbus"]}
${mistakes("adversarial")}`
          : `${SUITE}
suite swiotlb`,
      ],
      env: { NO_COLOR: "1" },
      timeoutSeconds: 1200,
      stdout: "piped",
      stderr: "piped",
    });
    const text = `${run.stdout.slice(-3000)}${run.stderr}`;
    assertEquals(run.lost, null, text);
    assertEquals(run.exitCode, 0, text);
    assertEquals(run.kernelReports, []);

    const kinds = adversarial ? ["swiotlb", "adversarial"] as const : ["swiotlb"] as const;
    const codes: Record<string, string> = {};
    for (const kind of kinds) {
      const results = readResults(`${outDir}/${kind}`);
      const alias: PolicyName[] = results.tests.some(({ reason }) =>
          reason?.includes("an alias of")
        )
        ? ["write-combine"]
        : [];
      // the kernel of these boards has no dma-heap
      const skipped: PolicyName[] = [...alias, "dma-buf"];
      assertEquals(outcomes(results), expectedOutcomes({ kind, aliases: skipped }), kind);
      codes[kind] = "0";
      const { tx, rx } = results.power;
      assertEquals({ tx, rx }, { tx: true, rx: true });
      if (!adversarial) continue;
      for (const mistake of SYNC_CALLS) {
        const of = `${kind}-${mistake}`;
        const expected = expectedOutcomes({ kind, policies: POLICIES, mistake });
        assertEquals(outcomes(readResults(`${outDir}/${of}`)), expected, of);
        codes[of] = POLICIES.some((policy) => shows(kind, policy, mistake) === "yes") ? "1" : "0";
      }
    }
    const lines = Deno.readTextFileSync(`${outDir}/codes`).trim().split("\n");
    assertEquals(Object.fromEntries(lines.map((line) => line.split(" "))), codes);
  });
}
