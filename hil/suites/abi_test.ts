// SPDX-License-Identifier: MIT
/**
 * The ABI of the driver, by raw calls, in the manner of v4l2-compliance: structs begin as 0xff,
 * commands that do not exist must leave the buffer untouched, and after each refusal STATS and QUERY
 * say what they said before.
 *
 * This file registers the checks; they are in `abi/`, a file a verb. Filter by the verb or by words of
 * the name: `deno test -P --filter "ENQUEUE refuses" hil/suites/abi_test.ts`.
 */

import { Device } from "../../driver/device.ts";
import { openBoard } from "../board.ts";
import { type CaseResult, Journal } from "../journal.ts";
import { readSettings } from "../settings.ts";
import { Bench, type Check, type Setup } from "./abi/check.ts";
import { CHECKS } from "./abi/mod.ts";

const SUITE = "abi";

const settings = readSettings();
const [path = ""] = settings.devices;
const board = openBoard(settings);
const journal = Journal.open();

const problem = board.explain(path);
if (problem === null) {
  const setup = prepare();
  for (const check of CHECKS) register(check, setup);
} else {
  journal.bench("device", problem);
  Deno.test(`${SUITE}: ${path} is there`, () => {
    throw new Error(problem);
  });
}

/** What decides on skips; reads INFO only. */
function prepare(): Setup {
  using device = Device.open({ path, syscalls: board.syscalls });
  let noFaults: string | null = null;
  try {
    board.arm("kind=none");
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    noFaults = `${why} (Deno sees that folder with -A only)`;
  }
  return { board, path, info: device.info, noFaults };
}

/** Why a check cannot be done here. */
function reasonToSkip({ needs }: Check, setup: Setup): string | null {
  for (const direction of ["tx", "rx"] as const) {
    if (setup.info[direction] === null) return `the suite sends frames round: no ${direction} here`;
  }
  return needs(setup);
}

function register(check: Check, setup: Setup): void {
  const { name } = check;
  const id = `${SUITE}/${name}`;
  const skip = reasonToSkip(check, setup);
  journal.register({ id, suite: SUITE, name, policy: null, skip });
  Deno.test({
    name,
    ignore: skip !== null,
    retry: 0,
    fn: async () => {
      journal.start(id);
      const start = performance.now();
      let result: CaseResult = { outcome: "PASS", reason: null, seconds: 0, frames: 0, bytes: 0 };
      try {
        using bench = new Bench(setup);
        await check.run(bench.open(), bench);
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        result = { ...result, outcome: "FAIL", reason };
      }
      journal.end(id, { ...result, seconds: (performance.now() - start) / 1000 });
      if (result.reason !== null) throw new Error(result.reason);
    },
  });
}
