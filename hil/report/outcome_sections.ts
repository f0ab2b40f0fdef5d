// SPDX-License-Identifier: MIT
/**
 * The outcomes: suites and policies, failed cases, skipped cases, and the self-check.
 *
 * @module
 */
import type { HtmlTest } from "../render/html.ts";
import { type Outcome, OUTCOMES, WORST_FIRST } from "../results/outcome.ts";
import type { Selfcheck } from "../results/schema.ts";
import { type Fault, namesOf, placeOf } from "../verify/fault.ts";
import type { PageRun, Section } from "./cost_sections.ts";
import { plural } from "../text/format.ts";
import { type Html, html } from "./html.ts";
import { drawFrame } from "./picture.ts";
import { sortSeries } from "./styles.ts";

/** The greatest numbers of columns and rows, drawn frames of a case, injected faults and reasons. */
const MOST_SUITES = 100;
const MOST_POLICIES = 24;
const MOST_FRAMES = 4;
const MOST_INJECTED = 200;
const MOST_REASONS = 30;

/** What an outcome means. */
const MEANING: Readonly<Record<Outcome, string>> = {
  PASS: "every frame arrived whole",
  FAIL: "the design lost or changed data",
  XFAIL: "a control failed, as it must",
  XPASS: "a control passed, so it detected no missing sync",
  ERROR: "the infrastructure failed: nothing is known about the design",
  TIMEOUT: "the design did not complete a transfer in time",
  SKIP: "did not run; the reason is below",
};

/**
 * Shows an outcome.
 *
 * @param outcome The outcome
 * @param more A text after the outcome
 * @returns The outcome in a coloured frame
 */
export function badge(outcome: Outcome, more = ""): Html {
  return html`<span class="badge ${outcome.toLowerCase()}">${outcome}${
    more === "" ? null : ` ${more}`
  }</span>`;
}

/**
 * Shows a column for each suite and a row for each policy. There are more policies than suites, and a
 * phone is narrow.
 *
 * @param tests The cases
 * @returns The section, or null if there is no case
 */
export function matrixSection(tests: readonly HtmlTest[]): Section | null {
  if (tests.length === 0) return null;
  const cells = Map.groupBy(tests, (test) => `${test.suite}\0${test.policy ?? ""}`);
  const allSuites = [...new Set(tests.map(({ suite }) => suite))];
  const allPolicies = sortSeries(tests.map(({ policy }) => policy).filter((one) => one !== null));
  const suites = allSuites.slice(0, MOST_SUITES);
  const policies = [
    ...allPolicies.slice(0, MOST_POLICIES),
    ...(tests.some(({ policy }) => policy === null) ? [null] : []),
  ];
  const rows = policies.map((policy) =>
    html`<tr><th scope="row">${policy ?? html`<i>no policy</i>`}</th>${
      suites.map((suite) => matrixCell(cells.get(`${suite}\0${policy ?? ""}`) ?? []))
    }</tr>`
  );
  const used = OUTCOMES.filter((outcome) => tests.some((test) => test.outcome === outcome));
  const body = html`
    <div class="scroll" tabindex="0" role="region" aria-label="Suites and policies"
    >
      <table class="matrix">
        <thead>
          <tr><th scope="col">Policy</th>${suites.map((suite) =>
            html`<th scope="col">${suite}</th>`
          )}</tr>
        </thead>
        <tbody>${rows}</tbody>
      </table>
    </div>
    <p class="lead">Each cell shows the worst outcome
        and the number of cases with it. ${used.map((outcome, i) =>
          html`${i === 0 ? "" : "; "}<b>${outcome}</b>: ${MEANING[outcome]}`
        )}.</p>
  `;
  return { id: "matrix", title: "Suites and policies", body };
}

function matrixCell(cases: readonly HtmlTest[]): Html {
  const worst = WORST_FIRST.find((outcome) => cases.some((test) => test.outcome === outcome));
  if (worst === undefined) return html`<td class="none">–</td>`;
  const count = cases.filter((test) => test.outcome === worst).length;
  return html`<td>${
    badge(worst, count === cases.length ? `${count}` : `${count} of ${cases.length}`)
  }</td>`;
}

/**
 * Shows the faults of a control: the effect of a missing sync on this board.
 *
 * @param run The run
 * @returns The section, or null if no control failed with faults
 */
export function controlSection({ results }: PageRun): Section | null {
  const { tests, board, power } = results;
  const controls = tests.filter(({ outcome, faultCount }) => outcome === "XFAIL" && faultCount > 0);
  const largest = controls.reduce<HtmlTest | null>(
    (best, test) => best === null || sizeOf(test) > sizeOf(best) ? test : best,
    null,
  );
  if (largest === null) return null;
  const body = html`
    <p class="lead">Controls: ${power.detail}. The control with the largest frames:</p>
    <details><summary>${largest.suite}: ${largest.name}</summary>${caseArticle(
      largest,
      board.cacheLine ?? 64,
    )}</details>
  `;
  return { id: "controls", title: "Effect of a missing sync on this board", body };
}

function sizeOf({ params }: HtmlTest): number {
  const size = params?.["size"];
  return typeof size === "number" ? size : 0;
}

/**
 * Shows a case with its faults, and a picture of them.
 *
 * @param test The case
 * @param line Bytes of a cache line
 * @returns The case
 */
export function caseArticle(test: HtmlTest, line: number): Html {
  const frames = [...Map.groupBy(test.faults, (fault) => placeOf(fault))];
  const size = sizeOf(test);
  const more = test.faultCount -
    frames.slice(0, MOST_FRAMES).flatMap(([, faults]) => faults).length;
  return html`
    <article
      class="case"><h3>${badge(test.outcome)} ${test.suite}: ${test.name}</h3>${test.reason === null
        ? null
        : html`<p>${test.reason}</p>`}${(test.injected ?? []).slice(0, 5).map((one) =>
          html`<p class="lead">Injected: ${one}</p>`
        )}${(test.attachments ?? []).slice(0, 10).map(({ file }) =>
          html`<p class="lead">Attached: ${file}</p>`
        )}${pictureStrip(test)}${frames.slice(0, MOST_FRAMES).map(([place, faults]) => {
          const block = faults.find((fault) => fault.block !== undefined)?.block;
          const picture = drawFrame(faults, { size: size === 0 ? null : size, line });
          return html`
            <div
              class="frame-faults">${picture}<div><h4>${place[0]?.toUpperCase()}${place.slice(
                1,
              )}${block === undefined ? null : ` in block ${block}`}</h4><ul class="faults">${faults
                .map(faultItem)}</ul></div></div>
          `;
        })}${more > 0
        ? html`<p class="lead">… and ${plural(more, "more fault")}, see results.json.</p>`
        : null}</article>
  `;
}

/** Shows the pictures that a case attached, such as a wrong frame beside the expected one. */
function pictureStrip({ pictures = [] }: HtmlTest): Html | null {
  const shown = pictures.filter(({ png }) => /^[\w+/]+={0,2}$/.test(png));
  if (shown.length === 0) return null;
  return html`<div class="pictures">${
    shown.map(({ name, png }) =>
      html`<figure><img src="data:image/png;base64,${png}" alt="${name}"><figcaption>${name}${
        name.endsWith(" difference") ? " (four times as strong)" : null
      }</figcaption></figure>`
    )
  }</div>`;
}

/** The part of the path that is blamed for a fault. */
const BLAMED: Readonly<Record<string, string>> = {
  tx: "transmit: the core did not read what the CPU wrote",
  core: "the core, or the logic behind it",
  rx: "receive: the CPU did not read what the core wrote",
  driver: "the driver",
};

function faultItem(fault: Fault): Html {
  const { blame, offset, length, detail } = fault;
  const place = length === 0
    ? "no byte of the frame"
    : length === 1
    ? `byte ${offset}`
    : `bytes ${offset} to ${offset + length - 1} (${plural(length, "byte")})`;
  return html`<li><b class="kind">${namesOf(fault)}</b> <span class="blame">${
    blame === null ? "cause unknown" : `caused by ${BLAMED[blame] ?? blame}`
  }</span><div>${detail}</div><small>${place}</small></li>`;
}

/**
 * Lists the reasons why cases were skipped.
 *
 * @param tests The cases
 * @returns The section, or null if no case was skipped
 */
export function skipSection(tests: readonly HtmlTest[]): Section | null {
  const skipped = tests.filter(({ outcome }) => outcome === "SKIP");
  if (skipped.length === 0) return null;
  const reasons = [...Map.groupBy(skipped, ({ reason }) => reason ?? "no reason given")]
    .toSorted(([, a], [, b]) => b.length - a.length);
  const more = reasons.length - MOST_REASONS;
  const body = html`<ul>${
    reasons.slice(0, MOST_REASONS).map(([reason, cases]) =>
      html`<li><b>${cases.length}×</b> ${reason}</li>`
    )
  }</ul>${more > 0 ? html`<p class="lead">… and ${plural(more, "more reason")}.</p>` : null}`;
  return { id: "skips", title: `Skipped: ${plural(skipped.length, "case")}`, body };
}

/**
 * Shows the results of a self-check.
 *
 * @param selfcheck The self-check in the results
 * @returns The section, or null if the run was no self-check
 */
export function selfcheckSection(selfcheck: Selfcheck | undefined): Section | null {
  if (selfcheck === undefined) return null;
  const { total, faults } = selfcheck;
  const answer = (right: boolean): Html =>
    right ? html`<td>yes</td>` : html`<td class="out"><b>no</b></td>`;
  const sorted = faults.toSorted((a, b) =>
    Number(a.caught) - Number(b.caught) ||
    Number(a.namedRight) - Number(b.namedRight)
  );
  const body = html`
    <p>${total.caught} of ${total.faults} injected faults were caught, ${total.namedRight}
        named correctly and ${total.blamedRight} blamed on the correct part.</p>
    <details>
      <summary>All faults, the
        missed ones first</summary>
      <div class="scroll" tabindex="0" role="region"
        aria-label="Injected faults">
        <table>
          <thead>
            <tr>
              <th scope="col">Fault</th>
              <th scope="col">Where</th>
              <th scope="col">Caught</th>
              <th scope="col">Named</th>
              <th scope="col">Correct</th>
              <th scope="col"
              >Blamed</th>
              <th scope="col">Correct</th>
            </tr>
          </thead>
          <tbody>${sorted.slice(0, MOST_INJECTED).map((one) =>
            html`<tr><th scope="row">${one.fault}</th><td>${one.where}</td>${
              answer(one.caught)
            }<td>${one.named ?? "–"}</td>${answer(one.namedRight)}<td>${one.blamed ?? "–"}</td>${
              answer(one.blamedRight)
            }</tr>`
          )}</tbody>
        </table>
      </div>
    </details>
  `;
  return { id: "selfcheck", title: "Self-check", body };
}
