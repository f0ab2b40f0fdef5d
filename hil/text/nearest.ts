// SPDX-License-Identifier: MIT
/**
 * Suggestions for mistyped words.
 *
 * @module
 */

/**
 * Finds the known word that is most similar to a mistyped one.
 *
 * @param word The mistyped word
 * @param known The known words
 * @returns The most similar word, or `null` if none is similar. A known word is similar if it begins
 * with the mistyped one, or if at most two letters, or a third of them, differ
 *
 * @example A typing error
 * ```ts
 * import { nearest } from "./nearest.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(nearest("plicy", ["policy", "seed"]), "policy");
 * assertEquals(nearest("xyzzy", ["policy", "seed"]), null);
 * ```
 */
export function nearest(word: string, known: readonly string[]): string | null {
  let best: string | null = null;
  let least = Infinity;
  for (const candidate of known) {
    const isPrefix = word.length >= 2 && candidate.startsWith(word);
    const distance = isPrefix ? 1 : editDistance(word, candidate);
    const limit = Math.max(2, Math.floor(candidate.length / 3));
    if (distance < least && distance <= limit && distance < candidate.length) {
      best = candidate;
      least = distance;
    }
  }
  return best;
}

/** Levenshtein distance: how many letters to insert, remove or replace. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
