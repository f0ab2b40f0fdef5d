// SPDX-License-Identifier: MIT
import { assertEquals, assertMatch } from "@std/assert";
import { CORE_CHANGED_DATA } from "../results/outcome.ts";
import type { TestResult } from "../results/schema.ts";
import { resultsOf } from "../testing/results.ts";
import type { Fault } from "../verify/fault.ts";
import { diagnose } from "./diagnose.ts";
import { withoutExcused } from "./excused.ts";
import { headlines } from "./headline.ts";

const flip: Fault = {
  ...{ kind: "bit-flip", frame: 1, offset: 20, length: 1, blame: "core", detail: "bit 1 is wrong" },
  damage: { offset: 20, xor: "02", base: 64 },
};
const stale: Fault = { ...flip, kind: "stale-tx", blame: "tx", offset: 0, length: 64 };
const late: Fault = { ...stale, kind: "stale-rx", blame: "rx", frame: 2 };
const tiny: Fault = { ...flip, blame: "tx", frame: 3 };
const around: Fault = { ...stale, kind: "overrun", blame: "rx" };

function made(
  policy: string,
  faults: readonly Fault[],
  more: Partial<TestResult> = {},
): TestResult {
  return {
    ...{ suite: "loopback", name: `loop policy=${policy}`, policy, outcome: "FAIL", faults },
    ...{ params: { size: 64, depth: 1 }, frames: 300, bytes: 19_200, seconds: 1, measurements: [] },
    reason: policy === "none" ? `frame 0: stale-tx; ${CORE_CHANGED_DATA}` : "frame 1: bit-flip",
    ...more,
  };
}

const kinds = (tests: readonly TestResult[]) =>
  withoutExcused(tests).map(({ faults }) => faults.map(({ kind, blame }) => `${kind} ${blame}`));

Deno.test("withoutExcused() leaves out the stale data of a control in which the core changed data", () => {
  assertEquals(
    kinds([made("streaming", [flip, stale]), made("none", [stale, flip, late, tiny, around])]),
    [["bit-flip core", "stale-tx tx"], ["bit-flip core", "overrun rx"]],
  );
});

Deno.test("withoutExcused() keeps the faults of any other failure", () => {
  const kept = [["bit-flip core"], ["stale-tx tx"]];
  const streaming = made("streaming", [flip]);
  // a control that failed for another reason, or on a board where syncs do not matter
  assertEquals(kinds([streaming, made("none", [stale], { reason: "then frame 5: hung" })]), kept);
  assertEquals(kinds([streaming, made("coherent", [stale])]), kept);
  // nothing else would say that the control failed
  assertEquals(kinds([made("streaming", []), made("none", [stale])]), [[], ["stale-tx tx"]]);
});

Deno.test("headlines() and diagnose() name no stale data of a control in which the core changed data", () => {
  const results = resultsOf([made("streaming", [flip]), made("none", [stale, late])]);
  assertEquals(headlines(results).map(({ text }) => text), [
    "bit-flip by the core, bit 1 of a byte, under streaming, the only policy under test: " +
    "1 of 2 failed cases",
  ]);
  const { sentences = [], groups = [] } = diagnose(results) ?? {};
  assertEquals(groups.map(({ tests }) => tests), [[0]]);
  assertMatch(sentences.join(), /^1 case contains wrong bits\./);
  // without a fault of the core, those of the control are all that is known
  const alone = resultsOf([made("none", [stale])]);
  assertEquals([headlines(alone).length, diagnose(alone)?.groups.length], [1, 1]);
});
