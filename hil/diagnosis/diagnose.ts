// SPDX-License-Identifier: MIT
/**
 * From results to a diagnosis: what failing cases have in common, and which known causes that leaves.
 *
 * @module
 */
import type { Diagnosis, FailureGroup, PossibleCause, Results } from "../results/schema.ts";
import { plural } from "../text/format.ts";
import { bitOf } from "./bits.ts";
import type { Cause } from "./causes.ts";
import { withoutExcused } from "./excused.ts";
import { areIndependent, blamesOf, type Damage, type Group, groupFailures } from "./groups.ts";
import { matchCauses } from "./match.ts";
import { type Observations, observe } from "./observations.ts";
import { contentOf, lengthOf, placeOf, unitOf } from "./places.ts";
import { depthOf, exposureOf, exposureText, policyOf, raggedOf, sizeOf } from "./separators.ts";
import type { Feature, Finding, Signature } from "./signature.ts";
import { blockOf, frameOf, rateOf } from "./times.ts";
import { transferOf } from "./timeouts.ts";
import { type Facts, fill } from "./wording.ts";

/** The most causes of one sentence. With more, nothing is narrowed. */
const NARROWED = 2;

/** The most groups that are listed. Hostile or broken results may have thousands. */
const MOST_GROUPS = 20;

/** Damage that moves data. */
const MOVED: readonly Damage[] = [
  "lost",
  "repeated",
  "frames",
  "exchanged",
  "shifted",
  "reordered",
];

/** What several cases did, as the rest of a sentence that begins with their number. */
const DAMAGE: Readonly<Record<Damage, string>> = {
  bits: "contain wrong bits",
  lanes: "contain bytes in another order",
  old: "contain old data in place of new data",
  lost: "lost data",
  repeated: "contain repeated data",
  frames: "lost or repeated whole frames",
  exchanged: "exchanged whole frames",
  failed: "had transfers that the engine ended with an error",
  shifted: "contain data at a wrong offset",
  reordered: "contain pieces in another order",
  short: "contain frames that are too short",
  long: "contain frames that are too long",
  overrun: "contain bytes that were written around frames",
  ones: "contain bytes of ones only",
  beside: "had wrong words beside frames",
  inexact: "contain values outside of the tolerance",
  foreign: "contain data that was never sent",
  timeout: "timed out",
  "mixed-up": "got the completion of another block or frame",
  missing: "lost a completion, while the engine continued",
  "no-data": "failed without wrong data",
};

/** The features that separate cases or frames. The others say what is wrong in a frame. */
const SEPARATORS = ["policy", "depth", "size", "ragged", "frame", "block"] as const;

/** The features that are parameters of a case. */
const OF_CASES: readonly Feature[] = ["policy", "depth", "size", "ragged"];

/** The features that separate, in the order of sentences. */
const ORDER = [
  "policy",
  "depth",
  "size",
  "ragged",
  "frame",
  "block",
  "length",
  "place",
  "bit",
  "unit",
  "content",
  "rate",
  "transfer",
] as const satisfies Feature[];

type Findings = { readonly [Name in typeof ORDER[number]]: Finding<Signature[Name]> };

/**
 * Adds a diagnosis to results in which cases failed. Results without a failure, and results that hold a
 * diagnosis, stay as they are.
 *
 * @param results The results
 * @returns The results with a diagnosis
 */
export function withDiagnosis<Any extends Results>(results: Any): Any {
  if (results.diagnosis !== undefined) return results;
  const diagnosis = diagnose(results);
  return diagnosis === null ? results : { ...results, diagnosis };
}

/**
 * Finds what the failures of a run have in common. The stale data of a control in which the core changed data
 * are left out.
 *
 * @param results The results
 * @returns The diagnosis, or `null` if no case failed
 */
export function diagnose(results: Pick<Results, "tests" | "board">): Diagnosis | null {
  const observed = observe({ ...results, tests: withoutExcused(results.tests) });
  const found = groupFailures(observed);
  const groups = found.map((group, i) =>
    describe(group, { observed, groups: found, larger: found.slice(0, i) })
  );
  if (groups.length === 0) return null;
  return { sentences: summarize(groups), groups: groups.slice(0, MOST_GROUPS) };
}

/** At most three items: those of the largest groups with a cause of their own, and a count. */
function summarize(groups: readonly FailureGroup[]): string[] {
  const own = groups.filter(({ status }) => status !== "follows");
  const rest = own.slice(2);
  const follows = groups.length - own.length;
  const more = [
    rest.length === 0
      ? []
      : [`${plural(rest.length, "more group")} of failures may have other causes`],
    follows === 0
      ? []
      : [`${plural(follows, "smaller group")} of failures may be consequences of these`],
  ].flat();
  return [
    ...own.slice(0, 2).map(({ sentence }) => sentence),
    ...(more.length === 0 ? [] : [`${more.join(", and ")}.`]),
  ];
}

/** What surrounds a group. */
interface Surroundings {
  readonly observed: Observations;
  /** All groups. */
  readonly groups: readonly Group[];
  /** The groups that are larger than this one. */
  readonly larger: readonly Group[];
}

function describe(group: Group, { observed, groups, larger }: Surroundings): FailureGroup {
  const exposure = exposureOf(group, observed, groups);
  const passing = exposure.good.map(({ size }) => size).filter((size) => size !== null);
  const findings: Findings = {
    policy: policyOf(exposure),
    depth: depthOf(exposure),
    size: sizeOf(exposure),
    ragged: raggedOf(exposure),
    frame: frameOf(group),
    block: blockOf(group),
    length: lengthOf(group, passing),
    place: placeOf(group, observed.line),
    bit: bitOf(group),
    unit: unitOf(group, observed.line),
    content: contentOf(group),
    rate: rateOf(group),
    transfer: transferOf(group, observed.cases),
  };
  const signature = signatureOf(group, observed, findings);
  const { confirmed, possible } = matchCauses(signature, {
    alternatives: group.alternatives,
    left: Object.fromEntries(ORDER.map((name) => [name, findings[name].left])),
  });
  const facts = Object.assign({}, ...ORDER.map((name) => findings[name].facts));
  const left = [...confirmed, ...possible];
  // a smaller group may be a consequence of a larger one, which would have the cause
  const mayFollow = larger.some((other) =>
    !areIndependent(group, other) && !areUnlike(group, findings.bit.value, other)
  );
  const isStated = confirmed.length > 0 && left.length <= NARROWED && !mayFollow;
  const status = mayFollow
    ? "follows"
    : !isStated
    ? "open"
    : left.length === 1
    ? "named"
    : "narrowed";
  const texts = ORDER.map((name) => findings[name].text).filter((text) => text !== undefined);
  return {
    sentence: sentenceOf(group, signature, findings, {
      stated: isStated ? left : [],
      left,
      mayFollow,
      exposed: exposure.good.length > 0,
      facts,
    }) + ".",
    status,
    causes: (mayFollow ? [] : left).map((cause) => toCause(cause, facts)),
    evidence: [
      `${exposureText(exposure)}.`,
      ...texts.map((text) => `${text}.`),
    ],
    unknown: ORDER.filter((name) =>
      findings[name].value === "unknown" && name !== "transfer" && name !== "content" &&
      // without wrong data, only the parameters of a case can matter
      (group.faults.length > 0 || OF_CASES.includes(name))
    ),
    tests: group.cases.map(({ index }) => index),
    faults: group.faults.length,
  };
}

/** Whether single wrong bits and moved bytes cannot follow from each other. */
function areUnlike(group: Group, bit: Signature["bit"], other: Group): boolean {
  const areBits = ({ damage }: Group) => damage.length === 1 && damage[0] === "bits";
  const areMoved = ({ damage }: Group) =>
    damage.every((one) => MOVED.includes(one) || one === "old" || one === "short");
  const isSingle = (one: Signature["bit"]) => one === "single" || one === "one";
  return areBits(group) && isSingle(bit) && areMoved(other) ||
    areMoved(group) && areBits(other) && isSingle(bitOf(other).value);
}

function signatureOf(group: Group, observed: Observations, findings: Findings): Signature {
  const blames = blamesOf(group);
  const [blame] = blames;
  const values = Object.fromEntries(ORDER.map((name) => [name, findings[name].value]));
  return {
    ...values as unknown as Signature,
    damage: group.damage,
    leading: group.damage.includes("old") && group.damage.some((one) => MOVED.includes(one))
      ? "mixed"
      : group.damage[0] ?? "unknown",
    blame: blames.size === 1 && blame !== undefined ? blame : "unknown",
    coherent: observed.coherent === null ? "unknown" : observed.coherent ? "yes" : "no",
    stream: observed.copiesMemory ? "no" : "unknown",
  };
}

/** Says what is wrong, what separates it from the rest, and which causes that leaves. */
function sentenceOf(
  group: Group,
  signature: Signature,
  findings: Findings,
  { stated, left, mayFollow, exposed, facts }: Conclusion,
): string {
  const [first] = stated;
  const count = plural(group.cases.length, "case");
  const what = DAMAGE[group.damage[0] ?? "no-data"];
  const cases = `${count} ${
    group.cases.length === 1 ? what.replace(/^contain /, "contains ") : what
  }`;
  if (stated.length === 1 && first?.sentence !== undefined) {
    return `${cases}. ${fill(first.sentence, facts)}`;
  }
  const where = [...fragments(signature, findings, first)];
  const names = left.map((cause) => fill(cause.cause, facts));
  if (stated.length > 0) {
    return [
      cases,
      ...where,
      names.length === 1 ? `This looks like ${names[0]}` : `Two causes fit: ${listed(names)}`,
    ].join(". ");
  }
  if (mayFollow) {
    return [cases, ...where, "This may be a consequence of the failures above"].join(". ");
  }
  const separates = SEPARATORS.some((name) => findings[name].text !== undefined);
  const nothing = exposed
    ? "Nothing separates what fails from what passes"
    : "No other case would have shown it";
  const separated = separates ? where : [nothing, ...where];
  const fits = left.length === 0
    ? "No known cause fits"
    : left.length === 1
    ? `One known cause fits, but is not proved: ${names[0]}`
    : left.length <= NARROWED
    ? `Two causes fit, but neither is proved: ${listed(names)}`
    : `${left.length} known causes fit, so none is named`;
  return [cases, ...separated, fits].join(". ");
}

/** Numbers several causes, because the text of a cause may have an "or" of its own. */
function listed(names: readonly string[]): string {
  return names.map((name, i) => `(${i + 1}) ${name}`).join("; ");
}

/** What separates, in short sentences: first the features that the cause needs. */
function fragments(
  signature: Signature,
  findings: Findings,
  cause: Cause | undefined,
): Set<string> {
  const needs = cause?.needs ?? {};
  const found: string[] = [];
  const add = (name: Feature, text: string | undefined) => {
    if (text !== undefined && (cause === undefined || name in needs)) found.push(text);
  };
  const { policy, depth, size, ragged, frame, block, place, bit, unit, transfer } = findings;
  add("policy", policy.text);
  if (signature.blame !== "unknown") {
    add("blame", `Check values blame ${signature.blame === "core" ? "the core" : signature.blame}`);
  }
  for (const [name, finding] of Object.entries({ depth, size, ragged, frame, block })) {
    add(name as Feature, finding.text);
  }
  if (!["whole", "anywhere"].includes(place.value)) add("place", place.text);
  if (bit.value !== "single") add("bit", bit.text);
  if (unit.value === "line") add("unit", unit.text);
  add("transfer", transfer.text);
  return new Set(found);
}

/** What follows from a group. */
interface Conclusion {
  /** The causes that are named, at most two. */
  readonly stated: readonly Cause[];
  /** The causes that are left. */
  readonly left: readonly Cause[];
  /** Whether the group may follow from a larger one. */
  readonly mayFollow: boolean;
  /** Whether other cases would have shown the damage, and did not. */
  readonly exposed: boolean;
  /** The facts of the findings. */
  readonly facts: Facts;
}

function toCause({ id, cause, check, remedy }: Cause, facts: Facts): PossibleCause {
  return { id, cause: fill(cause, facts), check: fill(check, facts), remedy: fill(remedy, facts) };
}
