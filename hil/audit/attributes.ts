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
 * @param text `common`, `all`, or AxCACHE and AxPROT such as `15/2`, each also with AxUSER such as `common/1` or
 * `15/2/1`; or several of these with commas.
 * @returns The attributes, each once, in the order of the list.
 * @throws {UsageError} If the text is something else.
 */
export function parseAttributes(name: string, text: string): readonly Attributes[] {
  const found = new Map<string, Attributes>();
  for (const item of text.split(",")) {
    const match = /^(?:([a-z]+)|(\d+)\/(\d))(?:\/(\d+))?$/.exec(item.trim());
    const [, named = "", cache, prot, own] = match ?? [];
    const user = own === undefined ? {} : { user: Number(own) };
    const list = cache !== undefined
      ? [{ cache: Number(cache), prot: Number(prot) }]
      : Object.hasOwn(NAMED, named)
      ? NAMED[named] ?? []
      : [];
    const fits = ({ cache, prot }: Attributes) => cache <= 15 && prot <= 7;
    if (list.length === 0 || !list.every(fits) || Number(own ?? 0) > 65_535) {
      throw valueError(
        name,
        "common, all, or pairs of AxCACHE (0 to 15) and AxPROT (0 to 7) such as 3/0,15/2, each also with AxUSER " +
          "(0 to 65535) such as common/1 or 15/2/1",
        text,
      );
    }
    for (const one of list) found.set(`${one.cache}/${one.prot}/${own}`, { ...one, ...user });
  }
  return [...found.values()];
}

/**
 * Name attributes in words.
 *
 * @param list The attributes.
 * @returns For example `AxCACHE 11 or 15 and AxPROT 2 or 3`, or `AxCACHE 15, AxPROT 2 and AxUSER 1`.
 */
export function nameAttributes(list: readonly Attributes[]): string {
  const rows = list.map(({ cache, prot, user }) => ({
    cache: [cache],
    prot: [prot],
    user: [user],
  }));
  return merge(merge(merge(rows, "prot"), "cache"), "user").map(({ cache, prot, user }) => {
    const both = [`AxCACHE ${or(cache)}`, `AxPROT ${or(prot)}`];
    const users = user.filter((one) => one !== undefined);
    return users.length === 0 ? both.join(" and ") : `${both.join(", ")} and AxUSER ${or(users)}`;
  }).join(", or ");
}

/** Attributes: each of the values with each of the others. */
interface Group {
  readonly cache: number[];
  readonly prot: number[];
  readonly user: (number | undefined)[];
}

/** Puts groups together that differ in one attribute only. */
function merge(groups: readonly Group[], by: keyof Group): Group[] {
  const merged = new Map<string, Group>();
  for (const group of groups) {
    const key = JSON.stringify({ ...group, [by]: null });
    const values = [...merged.get(key)?.[by] ?? [], ...group[by]];
    merged.set(key, { ...group, [by]: values.sort((a, b) => (a ?? -1) - (b ?? -1)) });
  }
  return [...merged.values()];
}

/** Numbers in words, such as `1, 2 or 3`. */
function or(numbers: readonly number[]): string {
  const sorted = numbers.toSorted((a, b) => a - b);
  const last = sorted.pop();
  return sorted.length === 0 ? `${last}` : `${sorted.join(", ")} or ${last}`;
}
