// SPDX-License-Identifier: MIT
// Run in a guest by ../vm_test.ts. Injects one cause after the other into the engine, the bus and the driver, and
// writes to the file that the argument names what the diagnosis of each run says.
import { Device } from "../../../driver/device.ts";
import { libc } from "../../../driver/libc.ts";
import { armFault, disarmFault } from "../../../fixtures/boards/vm/fault.ts";
import type { Diagnosis } from "../../results/schema.ts";
import { diagnose } from "../diagnose.ts";
import { runMatrix } from "./sim_run.ts";
import { VM_CAUSES } from "./vm_causes.ts";

/** What the diagnosis of a run says. */
export interface DiagnosedRun {
  /** The causes that must be left. */
  readonly causes: string;
  /** The diagnosis; null if no case failed. */
  readonly diagnosis: Diagnosis | null;
  /** The number of cases. */
  readonly cases: number;
  /** Seconds that the run took. */
  readonly seconds: number;
}

const PATH = "/dev/pldma0";

if (import.meta.main) {
  const [file = "/out/causes.json", every = "1"] = Deno.args;
  const found: DiagnosedRun[] = [];
  for (const { causes, run } of VM_CAUSES.filter((_, i) => i % Number(every) === 0)) {
    const began = performance.now();
    const about = { kind: "vm", engine: "pl_advbus", coherent: false } as const;
    const results = runMatrix(run, about, () => {
      const device = Device.open({ path: PATH, syscalls: libc });
      return {
        device,
        arm: armFault,
        [Symbol.dispose]() {
          disarmFault();
          device[Symbol.dispose]();
        },
      };
    });
    found.push({
      causes,
      diagnosis: diagnose(results),
      cases: results.tests.length,
      seconds: (performance.now() - began) / 1000,
    });
    console.log(`${causes}: ${found.at(-1)?.seconds.toFixed(1)} s`);
    Deno.writeTextFileSync(file, JSON.stringify(found));
  }
}
