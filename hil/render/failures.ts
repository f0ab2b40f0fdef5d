// SPDX-License-Identifier: MIT
/**
 * What the failures of a run have in common, as text, and which cases stand for the others.
 *
 * @module
 */
import { EXPLAINED } from "../results/outcome.ts";
import type { Diagnosis, FailureGroup, Results, TestResult } from "../results/schema.ts";
import { wrap } from "../text/text.ts";

/** The groups whose evidence is shown. */
const MOST_GROUPS = 3;

/**
 * Renders what failures have in common, in at most three items.
 *
 * @param diagnosis The diagnosis
 * @param width The width in columns
 * @returns The lines
 */
export function renderDiagnosis({ sentences }: Diagnosis, width: number): string[] {
  return sentences.flatMap((sentence) => wrap(`* ${sentence}`, width, "  "));
}

/**
 * Renders the evidence for each group of failures that has a cause of its own.
 *
 * @param diagnosis The diagnosis
 * @param width The width in columns
 * @returns The lines, with an empty one after each group
 */
export function renderEvidence({ groups, sentences }: Diagnosis, width: number): string[] {
  const line = (text: string) => wrap(`  ${text}`, width, "    ");
  return groups.filter(({ status }) => status !== "follows").slice(0, MOST_GROUPS)
    .flatMap((group) => [
      // the sentence is above already, as an item
      ...(sentences.includes(group.sentence)
        ? [`Evidence for item ${sentences.indexOf(group.sentence) + 1}:`]
        : wrap(`Evidence: ${group.sentence}`, width, "  ")),
      ...group.evidence.filter((one) => !group.sentence.includes(one)).flatMap(line),
      ...openQuestion(group).flatMap(line),
      "",
    ]);
}

/** What is left to do, or what the run does not show. */
function openQuestion({ status, causes, unknown }: FailureGroup): string[] {
  if (status === "named" || status === "narrowed") {
    return causes.flatMap(({ id, check, remedy }) => [
      `To check ${id}: ${check}.`,
      `To mend ${id}: ${remedy}.`,
    ]);
  }
  return [
    unknown.length === 0
      ? ""
      : `This run does not show whether these matter: ${unknown.join(", ")}.`,
    causes.length === 0 ? "" : `These known causes fit: ${causes.map(({ id }) => id).join(", ")}.`,
  ].filter((text) => text !== "");
}

/** A case that failed, and stands for others. */
export interface FoldedCase {
  /** The case. */
  readonly test: TestResult;
  /** The number of other cases of its group, which are not shown. */
  readonly alike: number;
}

/**
 * Lists the cases that failed, in the order of the results. Of each group of the diagnosis, and of
 * the errors of a suite with one reason, only the first case is listed.
 *
 * @param results The results
 * @returns The cases
 */
export function foldFailures({ tests, diagnosis }: Results): FoldedCase[] {
  const alike = new Map<number, number>();
  const hidden = new Set<number>();
  for (const group of diagnosis?.groups ?? []) {
    const [first, ...others] = group.tests.filter((i) => !hidden.has(i) && !alike.has(i));
    if (first === undefined) continue;
    alike.set(first, others.length);
    for (const i of others) hidden.add(i);
  }
  // infrastructure errors with one reason are one failure
  const errors = new Map<string, number>();
  for (const [i, { outcome, suite, reason }] of tests.entries()) {
    if (outcome !== "ERROR" || hidden.has(i) || alike.has(i) || reason === null) continue;
    const first = errors.get(`${suite}\0${reason}`);
    if (first === undefined) {
      errors.set(`${suite}\0${reason}`, i);
      continue;
    }
    alike.set(first, (alike.get(first) ?? 0) + 1);
    hidden.add(i);
  }
  return tests.flatMap((test, i) =>
    EXPLAINED.includes(test.outcome) && !hidden.has(i) ? [{ test, alike: alike.get(i) ?? 0 }] : []
  );
}
