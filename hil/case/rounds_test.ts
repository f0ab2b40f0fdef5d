// SPDX-License-Identifier: MIT
import { assertAlmostEquals, assertEquals } from "@std/assert";
import type { CaseResult } from "../journal/journal.ts";
import type { Fault } from "../verify/fault.ts";
import { localFiles } from "../board/local_files.ts";
import { countRounds, patternOf, resultOfRound, Shares } from "./rounds.ts";

Deno.test("countRounds() fits rounds into the duration, and their number has a limit", () => {
  const rounds = (duration: number | null, cases: number, rounds: number | null = null) =>
    countRounds({ duration, rounds }, cases);
  assertEquals(rounds(null, 10), 1);
  assertEquals(rounds(1, 10), 1);
  assertEquals(rounds(120, 10), 6);
  // from a night on, the journal grows no more
  assertEquals([rounds(12 * 3600, 60), rounds(500 * 3600, 60)], [48, 48]);
  assertEquals(rounds(1, 10, 7), 7);
  assertEquals(rounds(100, 0), 48);
});

Deno.test("Shares.take() gives the time of a case that ended early to those after it", () => {
  const shares = new Shares(100, 4);
  assertEquals(shares.take(1000), 25);
  assertEquals(shares.take(1000), 100 / 3); // the first one took no time
  assertEquals(shares.take(61_000), 20);
  assertEquals(shares.take(101_001), 0); // too late
  assertEquals(shares.take(200_000), 0);
});

Deno.test("patternOf() changes the pattern, and returns to the one that names faults best", () => {
  const specs = [1, 2, 3, 4, 5].map(patternOf);
  assertEquals(specs[0], specs[2]);
  assertEquals(specs[0], specs[4]);
  assertEquals(new Set(specs).size, 3);
});

Deno.test("resultOfRound() lists few faults after the first round, and counts all", () => {
  const fault: Fault = {
    ...{ kind: "bit-flip", frame: 1, offset: 0, length: 1, blame: null, detail: "" },
  };
  const result: CaseResult = {
    ...{ outcome: "FAIL", reason: "r", seconds: 1, frames: 10, bytes: 640 },
    faults: Array(16).fill(fault),
    measurements: [{ name: "throughput", value: 1, unit: "MB/s", limit: null }],
  };
  const first = resultOfRound(result, { number: 1, faultAfter: 0.5 }, null);
  assertEquals([first.faults?.length, first.measurements?.length], [16, 1]);
  assertEquals(first.round, { number: 1, faultAfter: 0.5 });
  const files = {
    ...localFiles,
    list: (folder: string) =>
      folder === "/sys/class/hwmon"
        ? ["hwmon0"]
        : folder === "/sys/class/hwmon/hwmon0"
        ? ["temp1_input"]
        : [],
    readFile: (path: string) => path.endsWith("temp1_input") ? "40000" : null,
  };
  const later = resultOfRound(result, { number: 9, faultAfter: null }, files);
  assertEquals([later.faults?.length, later.measurements], [2, undefined]);
  assertEquals([later.round?.number, later.round?.allFaults], [9, 16]);
  assertAlmostEquals(later.round?.sensors?.[0]?.value ?? NaN, 40);
  // a board that is lost must not take the result with it
  const lost = {
    ...files,
    list: () => {
      throw new Error("the agent was lost");
    },
  };
  assertEquals(resultOfRound(result, { number: 9, faultAfter: null }, lost).outcome, "FAIL");
});
