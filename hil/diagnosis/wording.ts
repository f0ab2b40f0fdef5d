// SPDX-License-Identifier: MIT
/**
 * Sentences about facts, some of which a run may not show.
 *
 * @module
 */

/** Numbers and names for sentences, by their names. */
export type Facts = Readonly<Record<string, string | number>>;

/** A name in braces stands for a fact. */
const FACT = /\{(\w+)\}/g;

/** Words that need facts, and after a bar the words in their place. */
const CHOICE = /\[([^\]|]*)(?:\|([^\]|]*))?\]/g;

/**
 * Puts facts into a sentence.
 *
 * `{name}` stands for a fact. `[words|others]` stands for the words if all facts in them are known, else for
 * the others; without a bar there are no others. So every fact that a run may not show is in brackets, and
 * no choice is within another one.
 *
 * @param text The sentence
 * @param facts The known facts
 * @returns The sentence, without braces and brackets
 * @throws {RangeError} If a fact outside of brackets is unknown
 *
 * @example
 * ```ts
 * import { fill } from "./wording.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const text = "a length register[ of {bits} bits]";
 * assertEquals(fill(text, { bits: 14 }), "a length register of 14 bits");
 * assertEquals(fill(text, {}), "a length register");
 * ```
 */
export function fill(text: string, facts: Facts): string {
  return text
    .replaceAll(
      CHOICE,
      (_, words: string, others = "") =>
        factsOf(words).every((name) => name in facts) ? words : others,
    )
    .replaceAll(FACT, (_, name: string) => {
      const fact = facts[name];
      if (fact === undefined) throw new RangeError(`No fact ${name} for: ${text}`);
      return String(fact);
    });
}

/**
 * Lists the facts of a sentence.
 *
 * @param text The sentence, as {@linkcode fill} takes it
 * @returns Their names
 */
export function factsOf(text: string): string[] {
  return [...text.matchAll(FACT)].map(([, name = ""]) => name);
}
