// SPDX-License-Identifier: MIT
import { assertEquals } from "@std/assert";
import type { Outcome } from "../results/outcome.ts";
import type { Results, TestResult } from "../results/schema.ts";
import type { Fault } from "../verify/fault.ts";
import { headlines } from "./headline.ts";

const flip: Fault = {
  ...{ kind: "bit-flip", frame: 17, offset: 7, length: 1, blame: "core", detail: "bit 7 is wrong" },
  damage: { offset: 7, xor: "80", base: 64, expected: "76" },
};

function test(
  policy: string | null,
  outcome: Outcome,
  faults: readonly Fault[] = [],
  suite = "loopback",
): TestResult {
  return {
    ...{ suite, name: `loop policy=${policy}`, policy, outcome, reason: null, faults },
    ...{ seconds: 1, frames: 300, bytes: 300, measurements: [] },
  };
}

const lines = (...tests: TestResult[]) => headlines({ tests } as unknown as Results);

Deno.test("headlines() names kind, part, bit and policies, and says that no cache is at fault", () => {
  const unknown = { ...flip, blame: null };
  const [first, ...more] = lines(
    ...["coherent", "streaming"].map((policy) => test(policy, "FAIL", [flip])),
    test("coherent", "FAIL", [unknown], "coherence"),
    test("none", "XFAIL", [{ ...flip, kind: "stale-rx", blame: "rx" }]),
  );
  assertEquals(more, []);
  assertEquals(
    first?.text,
    "bit-flip by the core (known in 2 cases), bit 7 of a byte, under every policy (2): " +
      "3 of 3 failed cases",
  );
  assertEquals(first?.notCache?.startsWith("Not a cache or sync problem: "), true);
  assertEquals(first?.examples, [
    "loopback: frame 17, offset 7: expected 76, received f6, in loop policy=coherent",
    "coherence: frame 17, offset 7: expected 76, received f6, in loop policy=coherent",
  ]);
});

Deno.test("headlines() puts faults of a known part before more frequent ones, and claims nothing of them", () => {
  const foreign: Fault = { ...flip, kind: "foreign", blame: null };
  const stale: Fault = { ...flip, kind: "stale-rx", blame: "rx", alternatives: ["not-written"] };
  const found = lines(
    test("coherent", "PASS"),
    test("streaming", "FAIL", [foreign, foreign]),
    test("user-pages", "FAIL", [foreign]),
    test("streaming", "FAIL", [stale]),
  );
  assertEquals(found.map(({ text }) => text), [
    "stale-rx or not-written by the receive path, under streaming, and not under coherent, " +
    "user-pages: 1 of 3 failed cases",
    "foreign, under streaming, user-pages, and not under coherent: 2 of 3 failed cases",
  ]);
  assertEquals(found.map(({ notCache }) => notCache), [null, null]);
});

Deno.test("headlines() keeps parts apart that both caused one kind, and names no bit among many", () => {
  const many = { ...flip, damage: { offset: 7, xor: "80ff", base: 64 } };
  const found = lines(test("coherent", "FAIL", [flip, { ...many, blame: "tx" }]));
  assertEquals(found.map(({ text }) => text), [
    "bit-flip by the core, bit 7 of a byte, under coherent, the only policy under test: " +
    "1 of 1 failed case",
    "bit-flip by the transmit path, under coherent, the only policy under test: 1 of 1 failed case",
  ]);
});

Deno.test("headlines() says nothing of a run without faults", () => {
  assertEquals(lines(test("coherent", "PASS"), test(null, "FAIL"), test("none", "ERROR")), []);
});
