// SPDX-License-Identifier: MIT
import { assertEquals, assertNotMatch, assertThrows } from "@std/assert";
import { CAUSES } from "./causes.ts";
import { type Facts, factsOf, fill } from "./wording.ts";

/** Every text of the table, with the cause. */
const TEXTS = CAUSES.flatMap(({ id, cause, sentence, check, remedy }) =>
  Object.entries({ cause, sentence, check, remedy }).flatMap(([name, text]) =>
    text === undefined ? [] : [{ name: `${id}: ${name}`, text }]
  )
);

/** What a sentence has where a piece is missing. */
const GAPS: readonly (readonly [what: string, gap: RegExp])[] = [
  ["dots", /\.\.\.|…/],
  ["marks of a choice", /[{}[\]|]/],
  ["a double space", / {2}/],
  ["a space at an edge", /^ | $/],
  ["a space before a mark", / [.,:;)]/],
  [
    "a word that needs another one",
    /\b(a|an|the|of|at|from|with|in|than|between|every|each|and|or|on both sides of)([.,:;)]|$)/,
  ],
  [
    "two words of which one is left over",
    /\b(a|an|the|of|at|from|with|than|every) (of|at|and|or)\b/,
  ],
  ["a unit without its number", /\b(of|than|between|every|--size) (bits?|bytes?|and|or)\b/],
];

/** Every set of known facts that a text names. */
function* combinations(names: readonly string[]): Generator<Facts> {
  for (let set = 0; set < 2 ** names.length; set++) {
    yield Object.fromEntries(names.filter((_, i) => set >> i & 1).map((name) => [name, 24]));
  }
}

Deno.test("fill() says every sentence of the table without a gap, whatever is known", () => {
  for (const { name, text } of TEXTS) {
    for (const facts of combinations([...new Set(factsOf(text))])) {
      const filled = fill(text, facts);
      for (const [what, gap] of GAPS) {
        assertNotMatch(filled, gap, `${name} has ${what}: ${filled}`);
      }
    }
  }
});

Deno.test("fill() takes the words after the bar unless all facts in the words before it are known", () => {
  const text = "a size [between {below} and {least}|that fails]";
  assertEquals(fill(text, { below: 4, least: 8 }), "a size between 4 and 8");
  assertEquals([{ below: 4 }, { least: 8 }, {}].map((facts) => fill(text, facts)), [
    ...Array.from({ length: 3 }, () => "a size that fails"),
  ]);
  assertEquals(fill("a ring of [{period} ]descriptors", {}), "a ring of descriptors");
  assertEquals(fill("from {least} on", { least: 0 }), "from 0 on");
});

Deno.test("fill() refuses a sentence that cannot do without an unknown fact", () => {
  assertThrows(() => fill("a ring of {period} descriptors", {}), RangeError, "No fact period");
});
