// SPDX-License-Identifier: MIT
import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { main } from "./main.ts";
import { type Part, PARTS } from "./parts.ts";
import { addStep, nextPart, page, readState } from "./state.ts";

const part = (name: string, goal: number): Part => ({
  name,
  unit: `${name}s`,
  goal,
  step: () => Promise.resolve({ done: 1, wrong: null }),
});
const PAIR = [part("a", 100), part("b", 10)];
const good = { done: 10, seconds: 2, wrong: null };

Deno.test("addStep() adds up figures and seeds, and counts nothing of a step that went wrong", () => {
  let state = readState(null, "c1");
  state = addStep(state, "a", good);
  state = addStep(state, "a", good);
  state = addStep(state, "a", { done: 7, seconds: 1, wrong: "a leak" });
  assertEquals(state.parts["a"], {
    done: 20,
    steps: 3,
    seconds: 5,
    wrong: [{ seed: 3, why: "a leak" }],
  });
  const text = page(state, PAIR);
  assertStringIncludes(text, "| a | as | 20 | 100 | 1 to 3 | 5 | 1 |");
  assertStringIncludes(text, "| b | bs | 0 | 10 |  | 0 | 0 |");
  assertStringIncludes(text, "a, seed 3: a leak");
  const log = Array.from({ length: 400 }, (_, i) => `line ${i}`).join("\n");
  const long = page(addStep(state, "b", { ...good, wrong: log }), PAIR);
  assertStringIncludes(long, "line 11\n(388 more lines in results/campaign.json)\n");
});

Deno.test("nextPart() takes the part that is furthest behind, and none that went wrong or is done", () => {
  let state = readState(null, "c1");
  assertEquals(nextPart(state, PAIR)?.name, "a");
  state = addStep(state, "a", good);
  assertEquals(nextPart(state, PAIR)?.name, "b");
  state = addStep(state, "b", good);
  assertEquals(nextPart(state, PAIR)?.name, "a");
  state = addStep(state, "a", { ...good, wrong: "no" });
  assertEquals(nextPart(state, PAIR), null);
});

Deno.test("readState() continues on the same commit only, and refuses what is no state", () => {
  const state = addStep(readState(null, "c1"), "a", good);
  const text = JSON.stringify(state);
  assertEquals(readState(text, "c1"), state);
  assertEquals(readState(text, "c2"), { commit: "c2", parts: {} });
  for (const bad of ["", "{", "[]", '{"commit":"c1","parts":{"a":{"done":"1"}}}']) {
    assertThrows(() => readState(bad, "c1"), TypeError, "Expected the state of a campaign");
  }
});

Deno.test("deno task campaign refuses what makes no sense with status 2", async () => {
  assertEquals(await main(["--hours=0"]), 2);
  assertEquals(await main(["--only=nonsense"]), 2);
  assertEquals(await main(["--help"]), 0);
  assertEquals(new Set(PARTS.map(({ name }) => name)).size, PARTS.length);
});
