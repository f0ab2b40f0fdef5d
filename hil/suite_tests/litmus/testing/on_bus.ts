// SPDX-License-Identifier: MIT
// Run in a guest by vm_test.ts, on the adversarial bus: the generated litmus programs, first on the bus as
// it is, then with each fault of its caches, then with each mutant of the module. One process runs all of
// them, because Deno takes long to start on an emulated processor. The output is JSON.
import { Device } from "../../../../driver/device.ts";
import { LAYOUTS, LitmusBench } from "../../../suites/coherence/generated/bench.ts";
import { generatedTests, sampleTests } from "../../../suites/coherence/generated/enumerate.ts";
import { Histogram, MACHINES_OF } from "../../../suites/coherence/generated/judge.ts";
import type { Program } from "../../../suites/coherence/generated/program.ts";

/** What the programs showed. */
export interface OnBus {
  /** `none`, a fault of the cache, or the id of a mutant. */
  readonly mistake: string;
  /** Programs that ran. */
  readonly programs: number;
  /** Runs that showed a forbidden outcome, up to `MOST`. */
  readonly forbidden: number;
  /** The first of them in words. */
  readonly first: string;
  /** Different outcomes. */
  readonly states: number;
  /** Runs that a coherent device cannot show. */
  readonly powerful: number;
}

const MOST = 5;
const [seed = 1, sample = Infinity, ...mutants] = Deno.args.map((arg, i) =>
  i < 2 ? Number(arg) : arg
) as [number, number, ...string[]];

function run(mistake: string, programs: readonly Program[]): OnBus {
  using device = Device.open({ path: "/dev/pldma0" });
  using bench = new LitmusBench(device, seed, { timeoutMs: 20_000 });
  const histogram = new Histogram(MACHINES_OF.adversarial);
  let [forbidden, first] = [0, ""];
  for (const [i, program] of programs.entries()) {
    const faults = histogram.add(program, bench.run(program, LAYOUTS[i % LAYOUTS.length]));
    forbidden += faults.length;
    first ||= faults[0]?.detail ?? "";
    if (forbidden >= MOST) break;
  }
  const { states, powerful } = histogram;
  return { mistake, programs: histogram.programs, forbidden, first, states, powerful };
}

function setChance(name: string, chance: number): void {
  Deno.writeTextFileSync(`/sys/module/pl_advbus/parameters/${name}`, `${chance}`);
}

function shell(command: string): void {
  const { success, stderr } = new Deno.Command("sh", { args: ["-ec", command] }).outputSync();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
}

if (import.meta.main) {
  const all = generatedTests();
  const few = sampleTests(all, 2000, seed);
  const found = [run("none", sampleTests(all, sample, seed))];
  for (const fault of ["lose_clean", "lose_invalidate", "stray"]) {
    setChance(fault, 128);
    found.push(run(fault, few));
    setChance(fault, 0);
  }
  for (const mutant of mutants) {
    shell("echo pl_advbus.0 > /sys/bus/platform/drivers/pl_advbus/unbind; rmmod pl_advbus");
    shell(`insmod ${mutant}`);
    found.push(run(mutant.replace(/^.*\/|\.ko$/g, ""), few));
  }
  console.log(JSON.stringify(found));
}
