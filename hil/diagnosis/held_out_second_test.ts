// SPDX-License-Identifier: MIT
import { assert, assertEquals, assertGreaterOrEqual } from "@std/assert";
import { plural } from "../text/format.ts";
import { CAUSES } from "./causes.ts";
import { HELD_OUT } from "./testing/held_out.ts";
import { HELD_OUT_SECOND, type Scenario } from "./testing/held_out_second.ts";
import { Tally } from "./testing/held_out_run.ts";

const SEED = 20261129;

/** Whether every variation runs, and not only the first one of each scenario. */
const FULL = Deno.env.get("PLUMBLINE_FULL") === "1";

/**
 * The least share of faults that are named or narrowed to two causes, among those with a cause in the
 * table. The goal is 0.7. Measured last were 60 of 80 in a full run, and later 28 of the 39 that run without
 * `PLUMBLINE_FULL`. Then 53 to 55 of 80 were measured, so a full run fails. Counts differ between processes,
 * because a fault at an edge depends on where the memory of the program lies.
 */
const NAMED = FULL ? 0.7 : 0.66;

/** The faults of a scenario that run. */
function faultsOf({ faults, slow = false }: Scenario): readonly string[] {
  return FULL ? faults : faults.slice(0, slow ? 0 : 1);
}

Deno.test("HELD_OUT_SECOND names known causes, and no fault that is in HELD_OUT or twice", () => {
  const ids = CAUSES.map(({ id }) => id);
  const named = HELD_OUT_SECOND.flatMap(({ right, beside }) => [...right, ...beside]);
  assertEquals(named.filter((id) => !ids.includes(id)), []);
  const faults = [...HELD_OUT, ...HELD_OUT_SECOND].flatMap(({ faults }) => faults);
  assertEquals(new Set(faults).size, faults.length);
  for (const { right, beside } of HELD_OUT_SECOND) {
    assert(!right.some((id) => beside.includes(id)));
  }
});

Deno.test("withDiagnosis() says nothing wrong about the second held-out set", () => {
  const tally = new Tally();
  const without: string[] = []; // faults without a cause in the table, and how they stand
  const beyond: string[] = []; // narrowed to a right cause and to one that the physics exclude
  let named = 0;
  let all = 0;
  for (const scenario of HELD_OUT_SECOND) {
    const { right, beside } = scenario;
    for (const fault of faultsOf(scenario)) {
      const { diagnosis, stands } = tally.add(fault, right, { seed: SEED });
      if (right.length === 0) without.push(`${fault}: ${stands}`);
      else all++;
      if (stands !== "named" && stands !== "narrowed") continue;
      named++;
      const others = (diagnosis?.groups ?? [])
        .filter(({ status }) => status === "named" || status === "narrowed")
        .flatMap(({ causes }) => causes.map(({ id }) => id))
        .filter((id) => !right.includes(id) && !beside.includes(id));
      if (others.length > 0) beyond.push(`${fault}: ${others.join(", ")}`);
    }
  }
  tally.print(`${plural(HELD_OUT_SECOND.length, "second held-out cause")}, seed ${SEED}`);
  console.log(`  ${named} of ${all} with a cause in the table are named or narrowed`);
  for (const line of beyond) console.log(`  the other of two is excluded by physics: ${line}`);
  for (const line of without) console.log(`  no cause in the table: ${line}`);
  assertEquals(tally.wrong, {});
  assertGreaterOrEqual(named / all, NAMED);
});
