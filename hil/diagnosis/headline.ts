// SPDX-License-Identifier: MIT
/**
 * The first lines of a failed run: what is wrong with the data, which part did it, and under which policies.
 *
 * @module
 */
import type { Results, TestResult } from "../results/schema.ts";
import { plural } from "../text/format.ts";
import { bytesOf, type Fault, namesOf, placeOf } from "../verify/fault.ts";
import { withoutExcused } from "./excused.ts";

/** Faults of one kind that are laid on one part. */
export interface Headline {
  /** The kind with its alternatives, as `namesOf()` writes them. */
  readonly kind: string;
  /** The part that caused them, or null if that is unknown. */
  readonly blame: Fault["blame"];
  /** What is wrong, and under which policies, in one sentence without a final period. */
  readonly text: string;
  /** Why no cache and no sync can be the cause, or null if one can. */
  readonly notCache: string | null;
  /** One example of each suite, one line each. */
  readonly examples: readonly string[];
}

/** The most groups, and the most suites of one group. */
const MOST = 3;

/** The most numbers of bits that a sentence names. */
const MOST_BITS = 3;

const PARTS: Readonly<Record<string, string>> = {
  tx: "the transmit path",
  rx: "the receive path",
  core: "the core",
  driver: "the driver",
};

/**
 * Groups the faults of failed cases by kind and by the part that caused them. The stale data of a control in
 * which the core changed data are left out.
 *
 * @param results The results
 * @returns At most three groups. Those whose cause is known come first, then those with the most cases.
 * None if no case failed with a fault
 */
export function headlines(results: Pick<Results, "tests">): Headline[] {
  const isFailed = ({ outcome }: TestResult) => outcome === "FAIL" || outcome === "TIMEOUT";
  const failed = results.tests.filter(isFailed);
  const tests = withoutExcused(results.tests);
  const found = tests.filter(isFailed).flatMap((test) =>
    test.faults.map((fault) => ({ test, fault }))
  );
  const groups = [...Map.groupBy(found, ({ fault }) => namesOf(fault)).values()]
    .flatMap(splitByBlame)
    .map((faults) => ({ faults, cases: [...new Set(faults.map(({ test }) => test))] }))
    .toSorted((a, b) => isKnown(b.faults) - isKnown(a.faults) || b.cases.length - a.cases.length);
  return groups.slice(0, MOST).flatMap(({ faults, cases }) => {
    const [first] = faults;
    if (first === undefined) return [];
    const { blame } = first.fault;
    const kind = namesOf(first.fault);
    const bits = bitsOf(faults.map(({ fault }) => fault));
    const sure = faults.filter(({ fault }) => fault.blame !== null).map(({ test }) => test);
    const proved = new Set(sure).size;
    const by = blame === null ? "" : ` by ${PARTS[blame] ?? blame}` +
      (proved === cases.length ? "" : ` (known in ${plural(proved, "case")})`);
    return [{
      kind,
      blame,
      text: `${kind}${by}${bits === null ? "" : `, ${bits}`}, ${policiesOf(cases, tests)}: ` +
        `${cases.length} of ${plural(failed.length, "failed case")}`,
      notCache: blame === "core"
        ? "Not a cache or sync problem: the core got the data as sent, and memory holds what it wrote"
        : null,
      examples: [...Map.groupBy(faults, ({ test }) => test.suite).values()].slice(0, MOST)
        .flatMap(([one]) => one === undefined ? [] : [exampleOf(one.test, one.fault)]),
    }];
  });
}

/** A fault with its case. */
interface Found {
  readonly test: TestResult;
  readonly fault: Fault;
}

/**
 * Splits faults of one kind by the part that caused them. Those whose part is unknown stay with the others if
 * these have one part only, because many cases have no check values. Known ones come first.
 */
function splitByBlame(faults: readonly Found[]): Found[][] {
  const parts = Map.groupBy(faults, ({ fault }) => fault.blame);
  const unknown = parts.get(null) ?? [];
  parts.delete(null);
  const known = [...parts.values()];
  const [only] = known;
  if (only !== undefined && known.length === 1) return [[...only, ...unknown]];
  return unknown.length === 0 ? known : [...known, unknown];
}

function isKnown(faults: readonly Found[]): number {
  return Number(faults[0]?.fault.blame !== null);
}

/** The bits that are wrong in all of these faults, such as `bit 7`; null if there are many. */
function bitsOf(faults: readonly Fault[]): string | null {
  if (!faults.every(({ kind }) => kind === "bit-flip" || kind === "stuck-bit")) return null;
  const bits = new Set<number>();
  for (const { damage } of faults) {
    if (damage === undefined) return null;
    for (const [pair] of damage.xor.matchAll(/../g)) {
      for (let bit = 0; bit < 8; bit++) if ((parseInt(pair, 16) >> bit & 1) === 1) bits.add(bit);
    }
  }
  if (bits.size === 0 || bits.size > MOST_BITS) return null;
  const list = [...bits].toSorted((a, b) => a - b).join(", ");
  return `${bits.size === 1 ? "bit" : "bits"} ${list} of a byte`;
}

/** The policies of these cases, compared with those that could have shown the same. */
function policiesOf(cases: readonly TestResult[], tests: readonly TestResult[]): string {
  const suites = new Set(cases.map(({ suite }) => suite));
  const wrong = new Set(cases.map(({ policy }) => policy).filter((one) => one !== null));
  const tried = new Set(
    tests.filter(({ suite, outcome, frames }) =>
      suites.has(suite) && frames > 0 && outcome !== "XFAIL" && outcome !== "SKIP"
    ).map(({ policy }) => policy).filter((one) => one !== null),
  );
  for (const one of wrong) tried.add(one);
  if (wrong.size === 0) return "in tests without a policy";
  if (tried.size === 1) return `under ${[...wrong].join()}, the only policy under test`;
  if (wrong.size === tried.size) return `under every policy (${wrong.size})`;
  return `under ${[...wrong].join(", ")}, and not under ${
    [...tried].filter((one) => !wrong.has(one)).join(", ")
  }`;
}

/** One fault of a suite, with its bytes, its case, and the place of the case in the test file. */
function exampleOf(test: TestResult, fault: Fault): string {
  const bytes = bytesOf(fault);
  return `${test.suite}: ${placeOf(fault)}, offset ${fault.offset}: ` +
    `${bytes ?? fault.detail}, in ${test.name}${
      test.place === undefined ? "" : ` (${test.place})`
    }`;
}
