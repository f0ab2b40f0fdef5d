// SPDX-License-Identifier: MIT
import { assertEquals } from "@std/assert";
import type { Outcome } from "../results/outcome.ts";
import { fold } from "./fold.ts";
import { parseJournal } from "./journal.ts";

const at = "2026-01-01T00:00:00Z";

/** The result of a case that ended like this, attempt by attempt. `null` is an attempt without an end. */
function resultOf(attempts: readonly (Outcome | null)[]) {
  const end = { reason: null, seconds: 1, frames: 1, bytes: 64 };
  const lines = [
    { line: "case", at, id: "a", suite: "loopback", name: "a", policy: "streaming" },
    ...attempts.flatMap((outcome) => [
      { line: "start", at, id: "a" },
      ...(outcome === null ? [] : [{ line: "end", at, id: "a", outcome, ...end }]),
    ]),
  ].map((line) => `${JSON.stringify(line)}\n`);
  return fold(parseJournal(lines.join(""))).tests.find(({ name }) => name === "a");
}

for (
  const [attempts, outcome] of [
    [["PASS", "PASS"], "PASS"],
    [["FAIL", "PASS"], "FAIL"],
    [["PASS", "FAIL"], "FAIL"],
    [["TIMEOUT", "PASS"], "TIMEOUT"],
    [["PASS", null], "ERROR"],
    [["FAIL", null], "FAIL"],
  ] as const
) {
  const names = attempts.map((one) => one ?? "no end").join(", then ");
  Deno.test(`fold() calls a case ${outcome} after ${names}`, () => {
    const found = resultOf(attempts);
    assertEquals([found?.outcome, found?.attempts], [outcome, attempts.length]);
  });
}
