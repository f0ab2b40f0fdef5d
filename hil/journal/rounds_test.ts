// SPDX-License-Identifier: MIT
import { assertAlmostEquals, assertEquals } from "@std/assert";
import { checkResults } from "../results/check.ts";
import { poissonUpperBound } from "../results/soak.ts";
import { describeSoak } from "../render/soak.ts";
import { wholeJournal } from "../testing/whole_journal.ts";
import { fold } from "./fold.ts";

const at = "2026-01-01T00:00:00Z";
const FAULT = { kind: "bit-flip", frame: 5, offset: 1, length: 1, blame: null, detail: "bit 0" };

function caseLine(id: string, more: Record<string, unknown> = {}) {
  return { line: "case", at, id, suite: "loopback", name: id, policy: "streaming", ...more };
}

/** A round of 100 frames of 1000 bytes in 10 s. */
function round(id: string, number: number, more: Record<string, unknown> = {}) {
  const end = { outcome: "PASS", reason: null, seconds: 10, frames: 100, bytes: 100_000 };
  const { round: own = {}, ...others } = more;
  return [
    { line: "start", at, id, round: number },
    { line: "end", at, id, ...end, round: { number, ...own as object }, ...others },
  ];
}

const temperature = (value: number) => ({ sensors: [{ name: "xadc temp", unit: "°C", value }] });

Deno.test("fold() adds up rounds, and bounds the bit error rate without the controls", () => {
  const results = fold(wholeJournal([
    caseLine("a"),
    caseLine("b", { policy: "coherent" }),
    caseLine("c", { policy: "none", control: true }),
    ...[1, 2, 3].flatMap((number) => [
      ...round("a", number, { round: temperature(40 + number) }),
      ...round("b", number),
      ...round("c", number, { outcome: "XFAIL", reason: "as it must", faults: [FAULT] }),
    ]),
  ]));
  checkResults(JSON.parse(JSON.stringify(results)));
  assertEquals(
    results.tests.map(({ frames, bytes, seconds, attempts }) => [frames, bytes, seconds, attempts]),
    Array(3).fill([300, 300_000, 30, 3]),
  );
  const { soak } = results;
  assertEquals([soak?.frames, soak?.bytes, soak?.faults, soak?.rounds], [600, 600_000, 0, 3]);
  assertEquals([soak?.seconds, soak?.failures, soak?.first], [90, 0, null]);
  assertAlmostEquals(soak?.errorRateAtMost ?? NaN, -Math.log(0.05) / 4.8e6, 1e-15);
  assertAlmostEquals(soak?.ruleOfThree ?? NaN, 3 / 4.8e6, 1e-15);
  assertEquals(soak?.policies.map(({ policy, frames }) => [policy, frames]), [
    ["streaming", 300],
    ["coherent", 300],
  ]);
  assertEquals(soak?.sensors, [{ name: "xadc temp", unit: "°C", samples: 3, min: 41, max: 43 }]);
  assertEquals(describeSoak(results).slice(0, 2), [
    "Soak: 600 frames, 600 kB, 0 faults (1.5 min in 3 rounds)",
    "Bit error rate: at most 6.24e-7 errors per bit at 95 % confidence (exact Poisson bound, rule of " +
    "three 6.25e-7)",
  ]);
});

Deno.test("fold() says when the first failure came, how warm it was, and in how many rounds", () => {
  const failed = { outcome: "FAIL", reason: "frame 5 is wrong" };
  const results = fold(wholeJournal([
    caseLine("a"),
    caseLine("b"),
    ...round("a", 1),
    ...round("b", 1),
    ...round("a", 2),
    ...round("b", 2, {
      ...failed,
      faults: [FAULT, FAULT],
      round: { faultAfter: 4, ...temperature(71), allFaults: 16 },
    }),
    ...round("a", 3),
    ...round("b", 3),
  ]));
  const { soak } = results;
  assertEquals([soak?.faults, soak?.failures, soak?.ruleOfThree], [16, 1, null]);
  assertEquals(soak?.first, {
    ...{ seconds: 34, framesBefore: 300, round: 2, case: "loopback: b" },
    ...temperature(71),
  });
  assertAlmostEquals(soak?.errorRateAtMost ?? NaN, poissonUpperBound(16) / 4.8e6, 1e-12);
  const [a, b] = results.tests;
  assertEquals([a?.outcome, a?.failures], ["PASS", undefined]);
  assertEquals([b?.outcome, b?.failures, b?.attempts], ["FAIL", 1, 3]);
  assertEquals(b?.reason, "frame 5 is wrong; failed in 1 of 3 rounds");
  assertEquals([b?.faults.length, b?.allFaults, b?.frames], [2, 16, 300]);
  assertEquals(
    describeSoak(results)[2],
    "First failure: after 34 s and 300 frames, in round 2 of loopback: b, at xadc temp 71 °C",
  );
});

Deno.test("fold() lists a bounded number of faults, whatever the number of rounds", () => {
  const many = Array.from({ length: 200 }, (_, i) => i + 1).flatMap((number) =>
    round("a", number, { outcome: "FAIL", reason: "wrong", faults: [FAULT, FAULT] })
  );
  const [test] = fold(wholeJournal([caseLine("a"), ...many])).tests;
  assertEquals([test?.faults.length, test?.allFaults, test?.failures], [64, 400, 200]);
});

Deno.test("fold() finds no soak in a run without rounds", () => {
  const end = { outcome: "PASS", reason: null, seconds: 1, frames: 1, bytes: 8 };
  const lines = [caseLine("a"), { line: "start", at, id: "a" }, {
    line: "end",
    at,
    id: "a",
    ...end,
  }];
  const { soak } = fold(wholeJournal(lines));
  assertEquals(soak, undefined);
});
