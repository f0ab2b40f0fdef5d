// SPDX-License-Identifier: MIT
/**
 * The ABI of the driver, by raw calls, in the manner of v4l2-compliance: structs begin as 0xff,
 * commands that do not exist must leave the buffer untouched, and after each refusal STATS and QUERY
 * say what they said before.
 *
 * This file registers the checks; they are in `abi/`, a file a verb. Filter by the verb or by words of
 * the name: `deno test -P --filter "ENQUEUE refuses" hil/suites/abi_test.ts`.
 */

import type { Board } from "../board/board.ts";
import type { CaseResult } from "../journal/journal.ts";
import { Session } from "../case/session.ts";
import { Bench, type Check, type Setup } from "./abi/check.ts";
import { CHECKS } from "./abi/mod.ts";
import { errorMessage } from "../text/error_message.ts";

const session = await Session.openLoaded();
if (typeof session === "string") {
  Deno.test({ name: "the board is there", fn: () => fail(session) });
} else if (session !== null) {
  const setup = prepare(session);
  for (const check of CHECKS) register(session, check, setup);
}

/** What decides on skips. */
function prepare({ board, paths: [path = ""], infos }: Session): Setup {
  const [info] = infos ?? [];
  if (info === undefined) throw new Error(`Expected INFO of ${path}, found none`);
  const noFaults = refusal(board, "kind=none");
  const noWedge = noFaults ?? refusal(board, "kind=wedge frame=0 seed=1");
  return { board, path, info, noFaults, noWedge };
}

/** Why a fault cannot be injected, or null. */
function refusal(board: Board, spec: string): string | null {
  try {
    board.arm(spec);
    board.disarm();
    return null;
  } catch (error) {
    const why = errorMessage(error);
    return why.startsWith("There is no") ? `${why} (Deno sees that folder with -A only)` : why;
  }
}

/** Why a check cannot be done here. */
function reasonToSkip({ needs }: Check, setup: Setup): string | null {
  for (const direction of ["tx", "rx"] as const) {
    if (setup.info[direction] === null) return `the suite sends frames round: no ${direction} here`;
  }
  return needs(setup);
}

function register({ suite, journal }: Session, check: Check, setup: Setup): void {
  const { name } = check;
  const id = `${suite}/${name}`;
  const skip = reasonToSkip(check, setup);
  journal.register({ id, suite, name, policy: null, skip });
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
        const reason = errorMessage(error);
        result = { ...result, outcome: "FAIL", reason };
      }
      journal.end(id, { ...result, seconds: (performance.now() - start) / 1000 });
      if (result.reason !== null) fail(result.reason);
    },
  });
}

function fail(reason: string): never {
  throw new Error(reason);
}
