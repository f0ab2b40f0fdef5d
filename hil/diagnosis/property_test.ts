// SPDX-License-Identifier: MIT
// Random faults on the simulated board: no cause is stated that is not true of the fault.
import { assert, assertEquals } from "@std/assert";
import { Random } from "../../driver/testing/random.ts";
import { diagnose } from "./diagnose.ts";
import { runOnSim, type SimCase } from "./testing/sim_run.ts";
import { randomFault } from "./testing/truth.ts";

const SEED = Number(Deno.env.get("PLUMBLINE_SEED") ?? 20_261_129);
/** A run takes a second. */
const COUNT = Deno.env.get("PLUMBLINE_FULL") === "1" ? 200 : 16;

Deno.test(`diagnose() states no wrong cause for ${COUNT} random faults (seed ${SEED})`, () => {
  const random = new Random(SEED);
  const wrong: string[] = [];
  const counts = { named: 0, narrowed: 0, silent: 0, passed: 0 };
  for (let i = 0; i < COUNT; i++) {
    const { spec, allowed } = randomFault(random);
    // with one seed for all cases, a fault hits the same frames of each
    const varies = random.below(2) === 0;
    const fault = varies
      ? ({ size, depth, policy }: SimCase) => `${spec} seed=${hash(policy, size, depth)}`
      : spec;
    const diagnosis = diagnose(runOnSim({
      fault,
      policies: ["coherent", "write-combine", "streaming", "user-pages", "bounce"],
      sizes: [64, 1000, 4097, 9000],
      frames: 12,
      coherent: random.below(4) === 0,
      seed: i,
    }));
    if (diagnosis === null) {
      counts.passed++;
      continue;
    }
    const stated = diagnosis.groups.filter(({ status }) =>
      status === "named" || status === "narrowed"
    );
    for (const { causes, sentence } of stated) {
      // of two causes, one must be true
      if (!causes.some(({ id }) => allowed.includes(id))) wrong.push(`${spec}: ${sentence}`);
    }
    const best = stated.some(({ status }) => status === "named")
      ? "named"
      : stated.length > 0
      ? "narrowed"
      : "silent";
    counts[best]++;
    if (Deno.env.get("PLUMBLINE_SHOW") === "1") {
      console.log(best, spec, varies, diagnosis.sentences);
    }
  }
  console.log(`seed ${SEED}: ${JSON.stringify(counts)} of ${COUNT}`);
  assertEquals(wrong, []);
  assert(counts.named + counts.narrowed > 0, "nothing was stated, so nothing was tested");
});

function hash(...parts: readonly unknown[]): number {
  let sum = 7;
  for (const one of parts.join(" ")) sum = (sum * 31 + one.charCodeAt(0)) % 1_000_003;
  return sum;
}
