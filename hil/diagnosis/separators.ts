// SPDX-License-Identifier: MIT
/**
 * Which policies, depths and sizes separate failing cases from passing ones.
 *
 * A passing case counts only if it was exposed: it must have verified more frames than the failing cases
 * needed to fail, and as many bytes. So a case of two frames does not count against a fault in frame 5. Its
 * frames must be as long as a piece that is wrong. A case that failed otherwise counts only if check values prove that another part of the path caused that.
 *
 * @module
 */
import { POLICIES } from "../../driver/uapi.ts";
import { plural } from "../text/format.ts";
import { chanceOfNone, isForced } from "./chance.ts";
import { areIndependent, type Group } from "./groups.ts";
import { CACHED, type CaseRow, type Observations, USER_PAGES } from "./observations.ts";
import type { Finding, Signature } from "./signature.ts";

/** The widths in bytes of which a frame can be no multiple, the smallest first. */
const WIDTHS = [2, 4, 8, 16, 32, 64];

/** Bytes of a beat of the narrowest bus that matters. */
const BEAT = 8;

/** Bytes of a page, the smallest memory that a block or a segment has. */
const PAGE = 4096;

/** The share of failing cases from which a rule leaves nothing unexplained. */
const PURE = 0.9;

/** The share of faults from which they are pieces within frames. */
const MOSTLY = 0.5;

/** The cases in which a group could have shown: those that failed by it, and exposed ones. */
export interface Exposure {
  /** The cases that failed by the group. */
  readonly bad: readonly CaseRow[];
  /** Other cases that verified enough. */
  readonly good: readonly CaseRow[];
}

/**
 * Finds the cases in which a group of failures could have shown.
 *
 * @param group The group
 * @param observed The observations
 * @param groups All groups
 * @returns The failing and the exposed cases
 */
export function exposureOf(
  group: Group,
  observed: Observations,
  groups: readonly Group[],
): Exposure {
  const first = group.cases.map((one) => {
    const frames = group.faults.filter((row) => row.case === one).map(({ fault }) => fault.frame);
    return frames.length === 0 ? one.test.late?.frame ?? 0 : Math.min(...frames);
  });
  const frame = median(first);
  const bytes = median(group.cases.map(({ size }, i) => (size ?? 0) * ((first[i] ?? 0) + 1)));
  const own = new Set(group.cases);
  const doubtful = new Set(
    groups.filter((other) => !areIndependent(group, other)).flatMap(({ cases }) => cases),
  );
  const shortest = shortestDamage(group);
  const good = observed.cases.filter((one) => {
    const { frames, size } = one;
    if (own.has(one) || doubtful.has(one)) return false;
    if (size !== null && size < shortest) return false;
    return frames > frame && (size === null || frames * size >= Math.min(bytes, 65_536));
  });
  return { bad: group.cases, good };
}

/** The fewest bytes of a piece that is wrong within a frame: a shorter frame could not show it. */
function shortestDamage({ faults }: Group): number {
  const inner = faults.filter(({ fault: { offset, length }, joined, case: { size } }) =>
    !joined && size !== null && offset + length < size
  );
  const lengths = inner.map(({ fault }) => fault.length);
  return inner.length >= MOSTLY * faults.length ? Math.min(...lengths) : 0;
}

/**
 * Finds which policies fail.
 *
 * @param exposure The cases
 * @returns The finding
 */
export function policyOf(exposure: Exposure): Finding<Signature["policy"]> {
  const failing = [...new Set(exposure.bad.map(({ test }) => test.policy))];
  if (failing.includes(null)) return { value: "unknown" };
  const names = failing.filter((one) => one !== null);
  const left = policiesLeft(names);
  // a program's own memory begins anywhere, so only there a short frame crosses a boundary
  const crosses = ({ size }: CaseRow) => size === null || size > PAGE;
  const { bad, good } = names.every((name) => USER_PAGES.has(name))
    ? { bad: exposure.bad.filter(crosses), good: exposure.good.filter(crosses) }
    : exposure;
  const sets = [
    ["user-pages", "policies with the program's own pages", (name: string) => USER_PAGES.has(name)],
    ["cached", "policies through the CPU's cache", (name: string) => CACHED.has(name)],
    ["uncached", "policies without the CPU's cache", (name: string) => !CACHED.has(name)],
  ] as const;
  const [only] = names;
  if (names.length === 1 && only !== undefined) {
    const text = `Only policy ${only} fails`;
    if (separates({ bad, good }, ({ test }) => test.policy === only)) {
      // its driver uses one buffer for all frames, so an engine that is early shows here alone
      if (only === "bounce") return { value: "unknown", left, text };
      return {
        value: CACHED.has(only) ? "one-cached" : "one-uncached",
        facts: { policy: only },
        text,
      };
    }
    return { value: "unknown", left, facts: { policy: only } };
  }
  for (const [value, text, has] of sets) {
    if (!names.every(has)) continue;
    const inSet = (one: CaseRow) => one.test.policy !== null && has(one.test.policy);
    if (separates({ bad, good }, inSet)) return { value, text: `Only ${text} fail` };
    return { value: "unknown", left };
  }
  return { value: "any" };
}

/** What may be true of the policies that fail, although nothing separates them: never what one contradicts. */
function policiesLeft(
  names: readonly string[],
): readonly Exclude<Signature["policy"], "unknown">[] {
  const areKnown = names.every((name) => (POLICIES as readonly string[]).includes(name));
  const cached = !areKnown || names.every((name) => CACHED.has(name));
  const uncached = !areKnown || !names.some((name) => CACHED.has(name));
  const isOne = names.length === 1;
  return [
    "any",
    ...(cached ? ["cached" as const] : []),
    ...(cached && isOne ? ["one-cached" as const] : []),
    ...(uncached ? ["uncached" as const] : []),
    ...(uncached && isOne ? ["one-uncached" as const] : []),
    ...(!areKnown || names.every((name) => USER_PAGES.has(name)) ? ["user-pages" as const] : []),
  ];
}

/**
 * Finds which depths fail.
 *
 * @param exposure The cases
 * @returns The finding
 */
export function depthOf({ bad, good }: Exposure): Finding<Signature["depth"]> {
  if (bad.some(({ depth }) => depth === null)) return { value: "unknown" };
  const isQueued = ({ depth }: CaseRow) => depth !== null && depth > 1;
  const queued = bad.filter(isQueued).length;
  if (queued > 0 && queued < bad.length) return { value: "any" };
  const [value, text, has] = queued > 0
    ? ["queued", "Only cases with several blocks in flight fail", isQueued] as const
    : [
      "single",
      "Only cases with one block in flight fail",
      ({ depth }: CaseRow) => depth === 1,
    ] as const;
  return separates({ bad, good }, has)
    ? { value, text }
    : { value: "unknown", left: ["any", value] };
}

/**
 * Finds whether a limit separates the sizes that fail.
 *
 * @param exposure The cases
 * @returns The finding
 */
export function sizeOf(exposure: Exposure): Finding<Signature["size"]> {
  const { bad, good } = exposure;
  const sizes = sizesOf(bad);
  if (sizes === null) return { value: "unknown" };
  // a frame of one page needs no second segment
  const left = Math.min(...sizes) > PAGE ? {} : { left: ["any", "above", "below"] } as const;
  const rules = sizeRules(exposure, sizes);
  const only = decide(rules, exposure);
  if (only !== null) {
    if (only.finding.value === "partial") return { value: "unknown", ...left };
    // a frame of one beat has no second one that could be damaged, so it proves no limit
    const { value, facts, text = "" } = only.finding;
    const isBeat = value === "above" && Number(facts?.["below"]) <= BEAT;
    return { value: isBeat ? "unknown" : value, ...left, facts: facts ?? {}, text };
  }
  if (rules.length > 0) return { value: "unknown", ...left, text: sizesText(exposure) };
  // if cases of all sizes fail, no limit separates them
  const [least, most] = [Math.min(...sizes), Math.max(...sizes)];
  const free = good.every(({ size }) => size === null || (size >= least && size <= most));
  const spread = most >= 8 * least && sizes.some((size) => size % 8 === 0);
  return { value: free && spread ? "any" : "unknown", ...left };
}

/**
 * Finds whether only sizes fail that are no multiple of a width.
 *
 * @param exposure The cases
 * @returns The finding; `no` if each width has a multiple that fails, or other sizes that pass
 */
export function raggedOf(exposure: Exposure): Finding<Signature["ragged"]> {
  const sizes = sizesOf(exposure.bad);
  if (sizes === null) return { value: "unknown" };
  const { value, left: _, ...rest } = decide(sizeRules(exposure, sizes), exposure)?.finding ?? {};
  if (value === "partial") return { value: "yes", ...rest };
  const isLeft = (width: number) =>
    sizes.every((size) => size % width !== 0) && isPure(exposure, isPartial(width));
  return { value: WIDTHS.some(isLeft) ? "unknown" : "no" };
}

/** The sizes of cases; null if one is unknown. */
function sizesOf(cases: readonly CaseRow[]): number[] | null {
  const sizes = cases.map(({ size }) => size).filter((size) => size !== null);
  return sizes.length < cases.length || sizes.length === 0 ? null : sizes;
}

/** The rules that separate the sizes of a run. */
function sizeRules(exposure: Exposure, sizes: readonly number[]): SizeRule[] {
  return [partialRule(exposure, sizes), ...limitRules(exposure, sizes)]
    .filter((rule) => rule !== null);
}

/** The only rule, or the only one that no passing size contradicts. */
function decide(rules: readonly SizeRule[], exposure: Exposure): SizeRule | null {
  const [only, other] = rules.length > 1 ? rules.filter(({ has }) => isPure(exposure, has)) : rules;
  return other === undefined ? only ?? null : null;
}

function isPartial(width: number): (one: CaseRow) => boolean {
  return ({ size }) => size !== null && size % width !== 0;
}

/** A rule that separates the sizes. */
interface SizeRule {
  readonly finding: Finding<"partial" | "above" | "large" | "below">;
  readonly has: (one: CaseRow) => boolean;
}

/** Sizes that are no multiple of a width. */
function partialRule(exposure: Exposure, sizes: readonly number[]): SizeRule | null {
  const rules = WIDTHS.filter((width) => sizes.every((size) => size % width !== 0))
    .map((width) => ({ width, has: isPartial(width) }))
    .filter(({ has }) => separates(exposure, has));
  // each width fits what fails; a wider one is contradicted by a size that passes
  const rule = rules.findLast(({ has }) => isPure(exposure, has)) ?? rules[0];
  if (rule === undefined) return null;
  const { width, has } = rule;
  const text = `Only frames whose size is not a multiple of ${plural(width, "byte")} fail`;
  return { finding: { value: "partial", facts: { multiple: width }, text }, has };
}

/** Sizes above or below a limit. */
function limitRules(exposure: Exposure, sizes: readonly number[]): (SizeRule | null)[] {
  const passing = exposure.good.map(({ size }) => size).filter((size) => size !== null);
  const [least, most] = [Math.min(...sizes), Math.max(...sizes)];
  const below = Math.max(...passing.filter((size) => size < least));
  const above = Math.min(...passing.filter((size) => size > most));
  const isLarge = ({ size }: CaseRow) => size !== null && size >= least;
  const isSmall = ({ size }: CaseRow) => size !== null && size <= most;
  return [
    below < least && Number.isFinite(below) && separates(exposure, isLarge)
      ? {
        finding: {
          value: least > PAGE ? "large" : "above",
          facts: { least, below },
          text: `Only frames of ${plural(least, "byte")} or more fail; ${below}-byte frames pass`,
        },
        has: isLarge,
      }
      : null,
    Number.isFinite(above) && separates(exposure, isSmall)
      ? {
        finding: {
          value: "below",
          facts: { most, above },
          text: `Only frames of ${plural(most, "byte")} or less fail; ${above}-byte frames pass`,
        },
        has: isSmall,
      }
      : null,
  ];
}

function sizesText({ bad, good }: Exposure): string {
  const list = (cases: readonly CaseRow[]) => {
    const sizes = [...new Set(cases.map(({ size }) => size ?? 0))].sort((a, b) => a - b)
      .slice(0, 12);
    return [...sizes.slice(0, -1), plural(sizes.at(-1) ?? 0, "byte")].join(", ");
  };
  return `Frames of ${list(bad)} fail; frames of ${list(good)} pass`;
}

/** Whether nearly all cases of a class fail. */
function isPure({ bad, good }: Exposure, has: (one: CaseRow) => boolean): boolean {
  const inside = good.filter(has).length;
  return bad.length >= PURE * (bad.length + inside);
}

/** Whether a class of cases contains every failing one, and the others would have failed as well. */
function separates({ bad, good }: Exposure, has: (one: CaseRow) => boolean): boolean {
  if (!bad.every(has)) return false;
  const inside = good.filter(has).length;
  const outside = good.length - inside;
  return isForced(chanceOfNone({ bad: bad.length, all: bad.length + inside }, outside));
}

/**
 * Counts the cases for the evidence.
 *
 * @param exposure The cases
 * @returns A sentence
 */
export function exposureText({ bad, good }: Exposure): string {
  const others = good.length === 0
    ? "no other case would have shown this damage"
    : `${plural(good.length, "other case")} would have shown this damage, and did not`;
  return `${plural(bad.length, "case")} failed; ${others}`;
}

/**
 * Returns the median.
 *
 * @param values At least one number
 * @returns The lower of the two in the middle
 */
export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor((values.length - 1) / 2)] ?? 0;
}
