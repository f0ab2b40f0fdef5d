// SPDX-License-Identifier: MIT
// On a real kernel with caches: causes in the engine and in a test build of the driver are found again.
import { assert, assertEquals } from "@std/assert";
import { buildModules, hostArch, runInGuest } from "../../fixtures/boards/vm/mod.ts";
import { boardTest } from "../../fixtures/boards/vm/testing/board.ts";
import { renderDiagnosis } from "../render/failures.ts";
import { checkResults } from "../results/check.ts";
import type { DiagnosedRun } from "./testing/on_causes.ts";
import { VM_CAUSES } from "./testing/vm_causes.ts";

const FULL = Deno.env.get("PLUMBLINE_FULL") === "1";

/** Every n-th cause. */
const EVERY = FULL ? 1 : 2;

const RUN = "deno run -A --no-check";

/** A run of the command with a mistake of the driver, and what it must say. */
const COMMAND = [
  ...["--board=local", "--suite=loopback", "--policy=coherent,streaming,noncoherent"],
  ...["--size=64,1000", "--frames=8", "--timeout=900", "--results=/out/run"],
].join(" ");

await boardTest(
  hostArch,
  `diagnose() on vm:${hostArch} finds the causes that are injected, and no other`,
  async (outDir) => {
    const run = await runInGuest({
      arch: hostArch,
      bus: "adversarial",
      modules: (await buildModules(hostArch, { testFaults: true })).modules,
      outDir,
      command: [
        "sh",
        "-c",
        `${RUN} hil/diagnosis/testing/on_causes.ts /out/causes.json ${EVERY} || exit 1
        echo rx-for-cpu skip > /sys/module/pldma/parameters/fault
        ${RUN} hil/cli/main.ts run ${COMMAND} > /out/run.txt 2>&1
        echo $? > /out/code`,
      ],
      env: { NO_COLOR: "1" },
      timeoutSeconds: 1800,
      stdout: "piped",
      stderr: "piped",
    });
    assertEquals([run.lost, run.kernelReports, run.exitCode], [null, [], 0], run.stderr);
    const runs: DiagnosedRun[] = JSON.parse(await Deno.readTextFile(`${outDir}/causes.json`));
    const due = VM_CAUSES.filter((_, i) => i % EVERY === 0).map(({ causes }) => causes);
    assert(due.length >= 8);
    for (const { causes, diagnosis } of runs) {
      console.log(
        [causes, ...diagnosis === null ? [] : renderDiagnosis(diagnosis, 200)].join("\n"),
      );
    }
    console.log(`vm:${hostArch}: ${run.seconds.toFixed(0)} s with the boot`);
    const found = runs.map(({ diagnosis }) => {
      const stated = diagnosis?.groups.filter(({ status }) => /^n/.test(status)) ?? [];
      return stated.map(({ causes }) => causes.map(({ id }) => id).join(" ")).join("; ");
    });
    assertEquals(found, due);

    const text = await Deno.readTextFile(`${outDir}/run.txt`);
    assertEquals((await Deno.readTextFile(`${outDir}/code`)).trim(), "1", text);
    const { diagnosis } = checkResults(
      JSON.parse(await Deno.readTextFile(`${outDir}/run/results.json`)),
    );
    const [group] = diagnosis?.groups ?? [];
    assertEquals([group?.status, group?.causes.map(({ id }) => id)], ["named", [
      "for-cpu-missing",
    ]], text);
    for (const line of renderDiagnosis(diagnosis ?? { sentences: [], groups: [] }, 80)) {
      assert(text.includes(line), text);
    }
  },
);
