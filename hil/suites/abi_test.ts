// SPDX-License-Identifier: MIT
/**
 * Checks the ABI of the driver by raw calls, as v4l2-compliance does: structs start as 0xff bytes, unknown
 * requests must not change the buffer, and after each failed call STATS and QUERY must report the same as
 * before.
 *
 * This file registers the checks. They are in `abi/`, one file for each verb. Filter by words of the name:
 * `deno test -P --filter "ENQUEUE fails" hil/suites/abi_test.ts`.
 */

import { registeredAt } from "../case/author_place.ts";
import { driverOf } from "../../driver/adapters/adapter.ts";
import { AgentError } from "../../driver/remote.ts";
import type { Board } from "../board/board.ts";
import type { CaseResult } from "../journal/journal.ts";
import { Session } from "../case/session.ts";
import { type Check, CheckContext, type Setup } from "./abi/check.ts";
import { CHECKS } from "./abi/mod.ts";
import { errorMessage } from "../text/error_message.ts";
import { whyNoCheck } from "./abi/engine.ts";

const session = await Session.openLoaded();
if (typeof session === "string") {
  Deno.test({ name: "the board can be opened", fn: () => fail(session) });
} else if (session !== null) {
  const setup = prepare(session);
  for (const check of CHECKS) register(session, check, setup);
}

/** Finds out what the board can do. */
function prepare({ board, paths: [path = ""], infos }: Session): Setup {
  const [info] = infos ?? [];
  if (info === undefined) throw new Error(`Expected INFO of ${path}, found none`);
  const noFaults = whyNoFault(board, "kind=none");
  const noWedge = noFaults ?? whyNoFault(board, "kind=wedge frame=0 seed=1");
  return { board, path, info, noFaults, noWedge };
}

/** Returns why a fault cannot be injected, or `null` if it can. */
function whyNoFault(board: Board, spec: string): string | null {
  try {
    board.arm(spec);
    board.disarm();
    return null;
  } catch (error) {
    const why = errorMessage(error);
    return why.startsWith("There is no") ? `${why} (Deno needs -A to see that folder)` : why;
  }
}

/** Returns why a check cannot run on this board, or `null` if it can. */
function reasonToSkip({ needs }: Check, setup: Setup): string | null {
  const driver = driverOf(setup.path);
  if (driver !== null) {
    return `the suite checks the ioctls of pldma, and ${setup.path} is a device of ${driver}`;
  }
  return whyNoCheck(setup.info) ?? needs(setup);
}

function register({ suite, journal }: Session, check: Check, setup: Setup): void {
  const { name } = check;
  const id = `${suite}/${name}`;
  const skip = reasonToSkip(check, setup);
  journal.register({ id, suite, name, policy: null, skip, ...registeredAt() });
  Deno.test({
    name,
    ignore: skip !== null,
    retry: 0,
    fn: async () => {
      journal.start(id);
      const start = performance.now();
      let result: CaseResult = { outcome: "PASS", reason: null, seconds: 0, frames: 0, bytes: 0 };
      try {
        using context = new CheckContext(setup);
        await check.run(context.open(), context);
      } catch (error) {
        const reason = errorMessage(error);
        // a lost connection says nothing about the driver
        result = { ...result, outcome: error instanceof AgentError ? "ERROR" : "FAIL", reason };
      }
      journal.end(id, { ...result, seconds: (performance.now() - start) / 1000 });
      if (result.reason !== null) fail(result.reason);
    },
  });
}

function fail(reason: string): never {
  throw new Error(reason);
}
