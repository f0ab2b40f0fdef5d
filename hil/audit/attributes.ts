// SPDX-License-Identifier: MIT
/**
 * Lists of attributes: how they are given and how they are named.
 *
 * @module
 */

import type { Attributes } from "../../driver/attributes.ts";
import { valueError } from "../settings/values.ts";

/** The values of AxCACHE that AXI4 defines (Arm IHI 0022, "Memory types"). The others are reserved. */
const DEFINED = [0, 1, 2, 3, 6, 7, 10, 11, 14, 15] as const;

/** Secure and non-secure, both unprivileged accesses to data. */
const USUAL_PROT = [0, 2] as const;

const times = (caches: readonly number[], prots: readonly number[]): Attributes[] =>
  caches.flatMap((cache) => prots.map((prot) => ({ cache, prot })));

/** The lists that have a name. */
const NAMED: Readonly<Record<string, readonly Attributes[]>> = {
  common: times(DEFINED, USUAL_PROT),
  all: times(DEFINED, [0, 1, 2, 3, 4, 5, 6, 7]),
};

/**
 * Parse a list of attributes.
 *
 * @param name The option, for the message.
 * @param text `common`, `all`, or pairs of AxCACHE and AxPROT such as `3/0,15/2`.
 * @returns The attributes, each once, in the order of the list.
 * @throws {UsageError} If the text is something else.
 */
export function parseAttributes(name: string, text: string): readonly Attributes[] {
  const named = Object.hasOwn(NAMED, text) ? NAMED[text] : undefined;
  if (named !== undefined) return named;
  const found = new Map<string, Attributes>();
  for (const pair of text.split(",")) {
    const match = /^(\d{1,2})\/([0-7])$/.exec(pair.trim());
    const [cache, prot] = [Number(match?.[1]), Number(match?.[2])];
    if (match === null || cache > 15) {
      throw valueError(
        name,
        "common, all, or pairs of AxCACHE (0 to 15) and AxPROT (0 to 7) such as 3/0,15/2",
        text,
      );
    }
    found.set(`${cache}/${prot}`, { cache, prot });
  }
  return [...found.values()];
}

/**
 * Name attributes in words.
 *
 * @param list The attributes.
 * @returns For example `AxCACHE 11 or 15 and AxPROT 2 or 3`.
 */
export function nameAttributes(list: readonly Attributes[]): string {
  const prots = new Map<number, number[]>();
  for (const { cache, prot } of list) prots.set(cache, [...prots.get(cache) ?? [], prot]);
  const caches = new Map<string, number[]>();
  for (const [cache, with_] of prots) {
    const key = or(with_);
    caches.set(key, [...caches.get(key) ?? [], cache]);
  }
  return [...caches].map(([prot, cache]) => `AxCACHE ${or(cache)} and AxPROT ${prot}`)
    .join(", or ");
}

/** Numbers in words, such as `1, 2 or 3`. */
function or(numbers: readonly number[]): string {
  const sorted = numbers.toSorted((a, b) => a - b);
  const last = sorted.pop();
  return sorted.length === 0 ? `${last}` : `${sorted.join(", ")} or ${last}`;
}
