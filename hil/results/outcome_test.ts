// SPDX-License-Identifier: MIT
import { assertEquals, assertMatch } from "@std/assert";
import { countOutcomes, type Evidence, judge, type Outcome } from "./outcome.ts";

function run(outcomes: Outcome[], more: Partial<Evidence> = {}): Evidence {
  return {
    counts: countOutcomes(outcomes),
    framesVerified: outcomes.includes("PASS") ? 100 : 0,
    coherent: false,
    control: outcomes.includes("XFAIL") ? "powerful" : "absent",
    ...more,
  };
}

const rows: [string, Evidence, number][] = [
  ["passes and a control that failed", run(["PASS", "XFAIL"]), 0],
  ["passes and skips", run(["PASS", "SKIP"]), 0],
  ["passes without any control", run(["PASS"]), 0],
  [
    "a coherent board whose control passed",
    run(["PASS"], { coherent: true, control: "powerless" }),
    0,
  ],
  ["a control that passed among others that failed", run(["PASS", "XFAIL", "XPASS"]), 0],
  ["one failure among passes", run(["PASS", "FAIL", "PASS", "XFAIL"]), 1],
  ["a timeout", run(["PASS", "TIMEOUT"]), 1],
  ["a failure and an infrastructure error", run(["FAIL", "ERROR"]), 1],
  ["a failure although the control passed", run(["FAIL"], { control: "powerless" }), 1],
  ["an infrastructure error among passes", run(["PASS", "ERROR"]), 3],
  ["a control that passed", run(["PASS", "XPASS"]), 3],
  [
    "a control that passed on a board of unknown coherence",
    run(["PASS", "XPASS"], { coherent: null, control: "powerless" }),
    3,
  ],
  ["a non-coherent board whose control passed", run(["PASS"], { control: "powerless" }), 3],
  ["no case", run([]), 3],
  ["only skipped cases", run(["SKIP", "SKIP"]), 3],
  ["only controls", run(["XFAIL"]), 3],
  ["passes that verify no frame by design", run(["PASS"], { framesVerified: 0 }), 0],
  [
    "passes without frames beside a suite that was skipped",
    run(["PASS", "SKIP"], { framesVerified: 0, skippedSuites: ["loopback"] }),
    3,
  ],
  [
    "passes with frames beside a suite that was skipped",
    run(["PASS", "SKIP"], { skippedSuites: ["ring"] }),
    0,
  ],
  ["passes of a run that died", run(["PASS"], { incomplete: "the run ended early" }), 3],
  ["a failure of a run that died", run(["FAIL"], { incomplete: "the run ended early" }), 1],
];

for (const [name, evidence, exit] of rows) {
  Deno.test(`judge() gives exit status ${exit} for ${name}`, () => {
    const verdict = judge(evidence);
    assertEquals(verdict.exit, exit);
    assertEquals(verdict.word, ({ 0: "PASS", 1: "FAIL", 3: "ERROR" } as const)[verdict.exit]);
    assertMatch(verdict.reason, /^[A-Z0-9].*[^.]$/);
  });
}

Deno.test("judge() counts infrastructure errors, with and without a failure of the design", () => {
  assertEquals(
    judge(run(["FAIL", "ERROR", "ERROR"])).reason,
    "The design failed in 1 case, plus 2 infrastructure errors",
  );
  assertEquals(
    judge(run(["PASS", "ERROR"])).reason,
    "1 infrastructure error, so nothing is known about the design",
  );
  assertEquals(
    judge(run(["PASS", "ERROR", "ERROR"], { firstError: "The guest stopped.\nIts log: a" })).reason,
    "2 infrastructure errors, so nothing is known about the design; the first: The guest stopped",
  );
});

Deno.test("judge() says what was missing from controls that failed in one direction only", () => {
  const half = "Policy none failed in rx only, and must fail in both directions";
  const evidence = run(["PASS", "XFAIL"], { control: "powerless", half });
  assertEquals([judge(evidence).exit, judge(evidence).reason], [3, half]);
  assertMatch(judge({ ...evidence, half: null }).reason, /^Policy none did not fail, as it must/);
});

Deno.test("judge() says that no frame was verified, and what is missing from a run that died", () => {
  assertEquals(
    judge(run(["PASS"], { framesVerified: 0 })).reason,
    "1 case passed; no frame was verified, so nothing is known about data",
  );
  const incomplete = "the run ended early: 1 file did not start (b_test.ts)";
  assertEquals(
    judge(run(["PASS"], { incomplete })).reason,
    "The run ended early: 1 file did not start (b_test.ts)",
  );
  assertEquals(
    judge(run(["FAIL"], { incomplete })).reason,
    `The design failed in 1 case; ${incomplete}`,
  );
});

Deno.test("judge() counts what passed, what controls did and what was skipped", () => {
  assertEquals(
    judge(run(["PASS", "PASS", "XFAIL", "XPASS", "SKIP"])).reason,
    "2 cases passed, 1 control failed as expected, 1 control detected nothing at their frame size, " +
      "1 skipped",
  );
});
