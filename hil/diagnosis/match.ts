// SPDX-License-Identifier: MIT
/**
 * Compares a signature with the table of causes.
 *
 * @module
 */
import { type Cause, CAUSES, UNSEPARATED, type Values } from "./causes.ts";
import type { Damage } from "./groups.ts";
import type { Feature, Signature } from "./signature.ts";

/** The causes that a signature allows. */
export interface Match {
  /** Causes that no feature excludes, and whose required features are all known. */
  readonly confirmed: readonly Cause[];
  /** Causes that no feature excludes, and of which a required feature is unknown. */
  readonly possible: readonly Cause[];
}

/** What faults of one damage may be as well. */
type Alternatives = ReadonlyMap<Damage, readonly Damage[]>;

/** The values that unknown features may have. All, if a feature is absent. */
export type Left = { readonly [Name in Feature]?: readonly string[] | undefined };

/** Options of {@linkcode matchCauses}. */
export interface MatchOptions {
  /** What the faults of each damage may be as well. Defaults to nothing. */
  readonly alternatives?: Alternatives;
  /** The values that unknown features may have. Defaults to all. */
  readonly left?: Left;
  /** The table. Defaults to {@linkcode CAUSES}. */
  readonly causes?: readonly Cause[];
}

/**
 * Finds the causes that a signature allows.
 *
 * @param signature The signature
 * @param options What else is known
 * @returns The causes, in the order of the table
 */
export function matchCauses(
  signature: Signature,
  { alternatives = new Map(), left = {}, causes = CAUSES }: MatchOptions = {},
): Match {
  const fitting = causes.filter(({ needs, allows }) =>
    fits(signature, { ...UNSEPARATED, ...allows, ...needs }, alternatives, left)
  );
  const isKnown = (cause: Cause) =>
    (Object.keys(cause.needs) as Feature[]).every((name) => signature[name] !== "unknown");
  return {
    confirmed: fitting.filter(isKnown),
    possible: fitting.filter((cause) => !isKnown(cause)),
  };
}

/** Whether every known feature has one of the values. The cause must be able to do all of the damage. */
function fits(
  signature: Signature,
  values: Values,
  alternatives: Alternatives,
  left: Left,
): boolean {
  return (Object.keys(values) as Feature[]).every((name) => {
    const allowed: readonly string[] = values[name] ?? [];
    const found = signature[name];
    if (typeof found !== "string") {
      return found.every((damage) =>
        [damage, ...alternatives.get(damage) ?? []].some((one) => allowed.includes(one))
      );
    }
    if (found !== "unknown") return allowed.includes(found);
    return left[name]?.some((value) => allowed.includes(value)) ?? true;
  });
}
