// SPDX-License-Identifier: MIT
import { assertEquals, assertNotMatch, assertStringIncludes } from "@std/assert";
import type { Advice } from "../results/schema.ts";
import { adviceSection, adviceSummary, ranges } from "./advice.ts";
import { exampleResults } from "./testing/example.ts";

function advice(size: number, policy: string | null): Advice {
  const none = { value: null, unit: "", runnerUp: null, ratio: null };
  return { use: "receive", size, policy, ...none, why: "so" };
}

Deno.test("ranges() combines neighbouring sizes with the same policy, in any order", () => {
  const all = [advice(65_536, "a"), advice(64, "b"), advice(4096, "a"), advice(1 << 20, null)];
  assertEquals(ranges(all), [
    { policy: "b", from: 64, to: 64 },
    { policy: "a", from: 4096, to: 65_536 },
    { policy: null, from: 1 << 20, to: 1 << 20 },
  ]);
});

Deno.test("adviceSummary() says that a virtual board is not hardware", () => {
  const results = exampleResults();
  assertStringIncludes(adviceSummary(results).text, "not valid for hardware");
  const { text } = adviceSummary({ ...results, board: { ...results.board, simulated: false } });
  assertNotMatch(text, /hardware/);
  const { advice: _advice, ...none } = results;
  assertStringIncludes(adviceSummary(none).text, "plumbline bench");
});

Deno.test("adviceSection() shows no ratio for a tie and for a policy without a rival", () => {
  const ratioOf = (one: Partial<Advice>): string => {
    const results = {
      ...exampleResults(),
      crossovers: [],
      advice: [{ ...advice(64, "a"), ...one }],
    };
    const cells = adviceSection(results)?.body.text.split("<td") ?? [];
    return cells.at(-2)?.replace(/<[^>]*>|^>/g, "").trim() ?? "";
  };
  assertEquals(ratioOf({ runnerUp: "b", ratio: null }), "no difference");
  assertEquals(ratioOf({ runnerUp: "b", ratio: 1.25 }), "1.25 ×");
  assertEquals(ratioOf({}), "–");
});

Deno.test("adviceSection() lists every recommendation with its reason, and every crossover", () => {
  const text = adviceSection(exampleResults())?.body.text ?? "";
  assertEquals(text.split("<tr>").length - 2, 9);
  assertStringIncludes(text, "Every policy failed");
  assertStringIncludes(text, "<li>streaming-lazy beats bounce from 64 KiB on</li>");
  assertStringIncludes(text, "<li>streaming beats bounce at 64 B, 4 KiB</li>");
  const { advice: _a, crossovers: _c, ...none } = exampleResults();
  assertEquals(adviceSection(none), null);
});
