// SPDX-License-Identifier: MIT
/**
 * What the failures have in common, and the cases that failed. Cases with one cause are folded.
 *
 * @module
 */
import type { HtmlTest } from "../render/html.ts";
import { headlines } from "../diagnosis/headline.ts";
import { EXPLAINED } from "../results/outcome.ts";
import type { Diagnosis, FailureGroup } from "../results/schema.ts";
import { plural } from "../text/format.ts";
import { caseArticle } from "./outcome_sections.ts";
import type { PageRun, Section } from "./cost_sections.ts";
import { type Html, html } from "./html.ts";

/** The greatest numbers of explained cases, of groups, and of folded cases of a group. */
const MOST_CASES = 30;
const MOST_GROUPS = 8;
const MOST_FOLDED = 8;

/**
 * Shows the sentences of a diagnosis, for the top of the page.
 *
 * @param diagnosis The diagnosis in the results
 * @returns The sentences, or null if there is none
 */
export function diagnosisSummary(diagnosis: Diagnosis | undefined): Html | null {
  if (diagnosis === undefined || diagnosis.sentences.length === 0) return null;
  return html`<ul class="diagnosis">${
    diagnosis.sentences.slice(0, 3).map((sentence) => html`<li>${sentence}</li>`)
  }</ul>`;
}

/**
 * Shows what is wrong with the data, for the top of the page: kind, part, policies, and an example of each suite.
 *
 * @param results The results of the run
 * @returns The list, or null if no case failed with wrong data, or after a benchmark
 */
export function headlineSummary({ tests, advice = [] }: PageRun["results"]): Html | null {
  // a benchmark has its recommendations on the first screen, and its diagnosis says the same
  const found = advice.length > 0 ? [] : headlines({ tests });
  if (found.length === 0) return null;
  return html`<ul class="headlines">${
    found.map(({ text, notCache, examples }) =>
      html`<li><strong>${text}</strong>${notCache === null ? null : html`<div>${notCache}.</div>`}${
        examples.map((one) => html`<div class="example">${one}</div>`)
      }</li>`
    )
  }</ul>`;
}

/**
 * Shows the groups of failures with their evidence, then the cases of no group.
 *
 * @param run The run
 * @returns The section, or null if no case failed
 */
export function failureSection({ results }: PageRun): Section | null {
  const { tests, board, diagnosis } = results;
  const bad = tests.filter((test) => EXPLAINED.includes(test.outcome));
  if (bad.length === 0) return null;
  const line = board.cacheLine ?? 64;
  const groups = (diagnosis?.groups ?? []).slice(0, MOST_GROUPS);
  const seen = new Set<HtmlTest>();
  const grouped = groups.map((group) => {
    const own = group.tests.map((i) => tests[i])
      .filter((test) => test !== undefined && !seen.has(test)) as HtmlTest[];
    for (const test of own) seen.add(test);
    // the case that is shown is one of which the part that did it is known
    const known = own.toSorted((a, b) => Number(isBlamed(b)) - Number(isBlamed(a)));
    return groupArticle(group, known, line);
  });
  // failures of the design come first, and those with faults before others
  const rank = (test: HtmlTest): number =>
    2 * EXPLAINED.indexOf(test.outcome) - Number(test.faultCount > 0);
  const others = bad.filter((test) => !seen.has(test)).toSorted((a, b) => rank(a) - rank(b));
  const more = others.length - MOST_CASES;
  const body = html`${grouped}${
    others.slice(0, MOST_CASES).map((test) => caseArticle(test, line))
  }${more <= 0 ? null : html`<p class="lead">… and ${plural(more, "more case")}.</p>`}`;
  return { id: "failures", title: `Failed: ${plural(bad.length, "case")}`, body };
}

function isBlamed({ faults }: HtmlTest): boolean {
  return faults.some(({ blame }) => blame !== null);
}

function groupArticle(group: FailureGroup, cases: readonly HtmlTest[], line: number): Html {
  const { sentence, evidence, unknown, tests, faults } = group;
  const [first, ...rest] = cases;
  const more = rest.length - MOST_FOLDED;
  return html`
    <article
      class="group"><h3>${sentence}</h3><p class="lead">${plural(tests.length, "case")}, ${plural(
        faults,
        "fault",
      )}</p><details><summary>Evidence</summary><ul>${evidence.map((one) =>
        html`<li>${one}</li>`
      )}${unknown.length === 0
        ? null
        : html`<li>This run does not show whether these matter: ${
          unknown.join(", ")
        }.</li>`}</ul>${causeList(group)}</details>${first === undefined
        ? null
        : caseArticle(first, line)}${rest.length === 0
        ? null
        : html`<details><summary>${plural(rest.length, "more case")} like this one</summary>${
          rest.slice(0, MOST_FOLDED).map((test) => caseArticle(test, line))
        }${
          more <= 0 ? null : html`<p class="lead">… and ${plural(more, "more case")}.</p>`
        }</details>`}</article>
  `;
}

function causeList({ causes, status }: FailureGroup): Html | null {
  if (causes.length === 0) return null;
  const lead = status === "open" ? "These known causes fit. None is proved:" : "What to do:";
  return html`
    <p>${lead}</p>
    <ul>${causes.slice(0, 12).map(({ id, cause, check, remedy }) =>
      html`<li><b>${id}</b>: ${cause}.<div>To check: ${check}.</div><div>To mend: ${remedy}.</div></li>`
    )}</ul>
  `;
}
