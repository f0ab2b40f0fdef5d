// SPDX-License-Identifier: MIT
import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { applyLimits, LimitsError, parseLimits, readLimits } from "./limits.ts";
import { checkResults } from "./check.ts";
import type { Outcome, Verdict } from "./outcome.ts";
import type { Measurement, Results } from "./schema.ts";
import { resultsOf } from "../testing/results.ts";
import { tempDir } from "../testing/temp_dir.ts";

const GOOD: Verdict = { exit: 0, word: "PASS", reason: "all passed" };

/** Results of one policy, with a throughput for each direction. */
function results(
  outcome: Outcome = "PASS",
  verdict: Verdict = GOOD,
  rates: Readonly<Record<string, number>> = { tx: 100, rx: 50 },
): Results & { readonly verdict: Verdict } {
  const measurements: Measurement[] = Object.entries(rates).map(([direction, value]) => ({
    ...{ name: "throughput", value, unit: "MB/s", limit: null },
    at: { direction, size: 65536 },
  }));
  const tests = [{
    ...{ suite: "throughput", name: "a", policy: "streaming", outcome, reason: null },
    ...{ seconds: 1, frames: 1, bytes: 64, faults: [], measurements },
    params: { size: 65536, depth: "max", alias: false },
  }];
  return {
    ...resultsOf(tests),
    board: { ...resultsOf([]).board, kind: "sim", simulated: true },
    verdict,
  };
}

const limit = { measurement: "throughput", policy: "streaming" };

Deno.test("applyLimits() adds limits that are kept to the measurements, and changes nothing else", () => {
  const after = applyLimits(results(), [{ ...limit, min: 50 }]);
  assertEquals(after.verdict, GOOD);
  assertEquals(after.tests[0]?.outcome, "PASS");
  assertEquals(after.tests[0]?.measurements.map(({ limit, bound }) => [limit, bound]), [
    [50, "min"],
    [50, "min"],
  ]);
  checkResults(JSON.parse(JSON.stringify(after)));
});

Deno.test("applyLimits() fails a case outside a limit, with the conditions and both values in the reason", () => {
  const after = applyLimits(results(), [{ ...limit, at: { direction: "rx" }, min: 50.1 }]);
  assertEquals([after.verdict.exit, after.verdict.word], [1, "FAIL"]);
  assertEquals(after.verdict.reason, "1 case is outside of the limits");
  assertEquals(after.summary.fail, 1);
  assertEquals(
    after.tests[0]?.reason,
    "throughput at direction=rx size=65536 is 50 MB/s, the limit is at least 50.1",
  );
  assertEquals(after.tests[0]?.measurements.map(({ limit }) => limit), [null, 50.1]);
  const most = applyLimits(results(), [{ ...limit, max: 40 }]);
  assertStringIncludes(most.tests[0]?.reason ?? "", "at most 40, plus 1 more like this");
  // compared as numbers, not as strings
  assertEquals(applyLimits(results(), [{ ...limit, max: 1e3 }]).verdict.exit, 0);
});

Deno.test("applyLimits() also matches the parameters of a case, by strict equality", () => {
  const at = (one: Record<string, string | number>) =>
    applyLimits(results(), [{ ...limit, at: one, min: 1000 }]).verdict.exit;
  assertEquals(at({ depth: "max" }), 1);
  assertEquals(at({ size: 65536 }), 1);
  assertEquals(at({ size: "65536" }), 3);
  assertEquals(at({ core: 1 }), 3);
});

Deno.test("applyLimits() compares a percentile only with limits that name a percentile", () => {
  const before = results("PASS", GOOD, { rx: 50 });
  const [test] = before.tests;
  assert(test !== undefined);
  const tail = { ...test.measurements[0], value: 900, at: { direction: "rx", percentile: 99.9 } };
  const tests = [{ ...test, measurements: [...test.measurements, tail as Measurement] }];
  const exit = (at: Record<string, string | number>, max: number) =>
    applyLimits({ ...before, tests }, [{ ...limit, at, max }]).verdict.exit;
  assertEquals([exit({}, 50), exit({ direction: "rx" }, 50), exit({}, 49)], [0, 0, 1]);
  assertEquals([exit({ percentile: 99.9 }, 899), exit({ percentile: 99.9 }, 900)], [1, 0]);
});

Deno.test("applyLimits() reports a limit without a measurement as an infrastructure error", () => {
  const after = applyLimits(results(), [{ measurement: "troughput", min: 1 }, {
    ...limit,
    min: 1,
  }]);
  assertEquals([after.verdict.exit, after.summary.error], [3, 1]);
  assertStringIncludes(after.tests.at(-1)?.reason ?? "", `Expected a measurement "troughput"`);
  const other = applyLimits(results(), [{ ...limit, policy: "bounce", min: 1 }]);
  assertStringIncludes(other.tests.at(-1)?.reason ?? "", "of policy bounce");
});

Deno.test("applyLimits() shows the broken limit of two, and never improves a verdict", () => {
  for (const order of [[{ min: 60 }, { max: 90 }], [{ max: 90 }, { min: 60 }]]) {
    const at = { direction: "rx" };
    const after = applyLimits(results(), order.map((bound) => ({ ...limit, at, ...bound })));
    assertEquals(after.tests[0]?.measurements[1]?.limit, 60);
  }
  const lost: Verdict = { exit: 3, word: "ERROR", reason: "1 infrastructure error" };
  assertEquals(applyLimits(results("PASS", lost), [{ ...limit, min: 1 }]).verdict, lost);
  assertEquals(applyLimits(results("PASS", lost), [{ ...limit, min: 1e6 }]).verdict.exit, 1);
  const failed: Verdict = { exit: 1, word: "FAIL", reason: "The design failed in 1 case" };
  const after = applyLimits(results("TIMEOUT", failed), [{ ...limit, min: 1e6 }]);
  assertEquals([after.tests[0]?.outcome, after.verdict], ["TIMEOUT", failed]);
});

const bad: readonly (readonly [string, string])[] = [
  ["", "is not JSON"],
  ["{", "is not JSON"],
  ["{}", "expected a list such as"],
  ["[]", "expected a list such as"],
  ["[1]", "limit 1: expected an object, found 1"],
  ["[null]", "limit 1: expected an object, found null"],
  [`[{"measurement":"a","min":1,"polcy":"x"}]`, `no key "polcy": did you mean "policy"?`],
  [`[{"measurement":"a","min":1,"policy":"fast"}]`, `policy: expected one of coherent,`],
  [`[{"min":1}]`, "measurement: expected the name of a measurement, found nothing"],
  [`[{"measurement":7,"min":1}]`, "measurement: expected the name of a measurement, found 7"],
  [`[{"measurement":"a"}]`, "expected either min or max, found none"],
  [`[{"measurement":"a","min":1,"max":2}]`, "expected either min or max, found both"],
  [`[{"measurement":"a","min":"1"}]`, `min: expected a number, found "1"`],
  [`[{"measurement":"a","max":null}]`, "max: expected a number, found null"],
  [`[{"measurement":"a","max":1,"at":[]}]`, "at: expected an object, found []"],
  [`[{"measurement":"a","max":1,"at":{"size":{}}}]`, "at.size: expected a string, a number"],
  [`[{"measurement":"a","min":1},{}]`, "limit 2: measurement"],
];

for (const [text, message] of bad) {
  Deno.test(`parseLimits() refuses ${text === "" ? "an empty file" : text}`, () => {
    const error = assertThrows(() => parseLimits(text, "limits.json"), LimitsError, message);
    assert(error.message.startsWith("limits.json"), error.message);
  });
}

Deno.test("readLimits() reads a file, and says why a file cannot be read", () => {
  const dir = tempDir();
  Deno.writeTextFileSync(`${dir}/good.json`, JSON.stringify([{ ...limit, min: 1 }]));
  assertEquals(readLimits(`${dir}/good.json`), [{ ...limit, min: 1 }]);
  assertThrows(() => readLimits(`${dir}/none.json`), LimitsError, "cannot be read");
  assertThrows(() => readLimits(dir), LimitsError, "cannot be read");
  Deno.writeTextFileSync(`${dir}/large.json`, " ".repeat((1 << 20) + 1));
  assertThrows(() => readLimits(`${dir}/large.json`), LimitsError, "1048577 bytes");
});
