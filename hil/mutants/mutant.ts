// SPDX-License-Identifier: MIT
/**
 * A mutant: one mistake that somebody could make in one file, kept as data.
 *
 * @module
 */

/** The parts of the project that have mutants. */
export const PARTS = ["sim", "verdict", "cache", "driver"] as const;

/** A part of the project that has mutants. */
export type Part = typeof PARTS[number];

/** One edit of one file. */
export interface Mutant {
  /** Its name, unique among all mutants: words joined by hyphens. */
  readonly id: string;
  /** The file, from the root of the checkout. */
  readonly file: string;
  /** A text that occurs exactly once in the file. */
  readonly find: string;
  /** The text in its place. */
  readonly replace: string;
  /** What the mistake breaks, in one sentence without a final period. */
  readonly breaks: string;
  /** Why it behaves exactly like the original; absent if a test can tell the two apart. */
  readonly equivalent?: string;
}

/** The text of a mutant occurs in its file never, or more than once. */
export class EditError extends Error {
  override readonly name = "EditError";
}

/**
 * Applies the edit of a mutant to the text of its file.
 *
 * @param mutant The mutant
 * @param text The text of its file
 * @returns The text with the mistake
 * @throws {EditError} If the text to find does not occur exactly once, or if the edit changes nothing
 *
 * @example Turn a comparison around
 * ```ts
 * import { applyEdit } from "./mutant.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const mutant = { id: "late", file: "a.ts", find: "a < b", replace: "a > b", breaks: "the order" };
 * assertEquals(applyEdit(mutant, "return a < b;"), "return a > b;");
 * ```
 */
export function applyEdit({ id, file, find, replace }: Mutant, text: string): string {
  const found = text.split(find).length - 1;
  if (found !== 1) {
    throw new EditError(
      `Mutant ${id}: expected its text once in ${file}, found it ${found} times: correct \`find\`, ` +
        "so that it makes the same mistake in the code as it is now",
    );
  }
  if (find === replace) throw new EditError(`Mutant ${id}: expected a change, found none`);
  return text.replace(find, () => replace);
}
