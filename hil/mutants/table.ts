// SPDX-License-Identifier: MIT
/**
 * The table of mutants and what came of them.
 *
 * @module
 */

import type { Tried } from "./try.ts";

/** What came of a mutant, in one word. */
export type Fate = "killed" | "survived" | "equivalent" | "not equivalent";

/**
 * Says what came of a mutant.
 *
 * @param tried The mutant and the suite that turned red
 * @returns `survived` and `not equivalent` are failures
 */
export function fateOf({ mutant, by }: Tried): Fate {
  if (mutant.equivalent === undefined) return by === null ? "survived" : "killed";
  return by === null ? "equivalent" : "not equivalent";
}

/**
 * Returns whether every mutant was killed, or is equivalent as its reason claims.
 *
 * @param tried The mutants
 * @returns False if there is a survivor, or a mutant that was called equivalent and is not
 */
export function isGood(tried: readonly Tried[]): boolean {
  return tried.every((one) => ["killed", "equivalent"].includes(fateOf(one)));
}

/**
 * Makes a table in Markdown, and the totals below it.
 *
 * @param tried The mutants
 * @returns The text
 */
export function mutantTable(tried: readonly Tried[]): string {
  const cell = (text: string) => text.replaceAll("|", "\\|").replaceAll(/\s+/g, " ");
  const rows = tried.map((one) => {
    const { part, mutant, by, why } = one;
    const fate = fateOf(one);
    const how = {
      "killed": `${by}: ${why}`,
      "survived": "**survived**: write the test that is missing",
      "equivalent": `equivalent: ${mutant.equivalent}`,
      "not equivalent": `**not equivalent**, ${by}: ${why}`,
    }[fate];
    return `| ${part} | ${mutant.id} | ${cell(mutant.breaks)} | ${cell(how)} |`;
  });
  const count = (fate: Fate) => tried.filter((one) => fateOf(one) === fate).length;
  const wrong = count("not equivalent");
  const totals = `${count("killed") + wrong} killed, ${count("survived")} survived, ` +
    `${count("equivalent")} equivalent`;
  return [
    "| part | mutant | what it breaks | what turned red |",
    "| --- | --- | --- | --- |",
    ...rows,
    "",
    wrong === 0 ? totals : `${totals}, ${wrong} with a wrong reason \`equivalent\``,
  ].join("\n");
}
