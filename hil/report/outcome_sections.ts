// SPDX-License-Identifier: MIT
/**
 * What happened: suites by policy, what failed and how, what was left out, what changed since.
 *
 * @module
 */
import type { HtmlTest } from "../render/html.ts";
import type { Change, FigureChange } from "../results/compare.ts";
import { type Outcome, OUTCOMES } from "../results/outcome.ts";
import type { Selfcheck } from "../results/schema.ts";
import type { Fault } from "../verify/fault.ts";
import type { PageRun, Section } from "./cost_sections.ts";
import { describeKey } from "./figures.ts";
import { type Html, html } from "./html.ts";
import { drawFrame } from "./picture.ts";
import { sortSeries } from "./styles.ts";
import { figure, plural, roundFigure, sizeText } from "./text.ts";

/** Rows and columns of the matrix, cases that are explained, frames of each that are drawn. */
const MOST_SUITES = 100;
const MOST_POLICIES = 24;
const MOST_CASES = 30;
const MOST_FRAMES = 4;
const MOST_CHANGES = 200;
const MOST_REASONS = 30;

/** Worst first: the outcome that stands for a group of cases. */
const WORST: readonly Outcome[] = ["FAIL", "TIMEOUT", "ERROR", "XPASS", "PASS", "XFAIL", "SKIP"];
const BAD: readonly Outcome[] = ["FAIL", "TIMEOUT", "ERROR", "XPASS"];

/** What an outcome means, for those who see it for the first time. */
const MEANING: Readonly<Record<Outcome, string>> = {
  PASS: "every frame was verified",
  FAIL: "the design lost or changed data",
  XFAIL: "a control failed, as it must",
  XPASS: "a control passed where it should fail",
  ERROR: "the bench failed, not the design",
  TIMEOUT: "a transfer did not end in time",
  SKIP: "not run, for a given reason",
};

/**
 * Show an outcome.
 *
 * @param outcome the outcome
 * @param more what follows it
 * @returns a word in a frame of its colour
 */
export function badge(outcome: Outcome, more = ""): Html {
  return html`<span class="badge ${outcome.toLowerCase()}">${outcome}${
    more === "" ? null : ` ${more}`
  }</span>`;
}

/**
 * Suites by policy: policies are rows, for there are more of them and a phone is narrow.
 *
 * @param tests the cases
 * @returns the section, or null without a case
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
    <div class="scroll" tabindex="0" role="region" aria-label="Suites by policy"
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
    <p class="lead">The worst outcome of each, and how
        many cases ended so: ${used.map((outcome, i) =>
          html`${i === 0 ? "" : "; "}<b>${outcome}</b> ${MEANING[outcome]}`
        )}.</p>
  `;
  return { id: "matrix", title: "Suites by policy", body };
}

function matrixCell(cases: readonly HtmlTest[]): Html {
  const worst = WORST.find((outcome) => cases.some((test) => test.outcome === outcome));
  if (worst === undefined) return html`<td class="none">–</td>`;
  const count = cases.filter((test) => test.outcome === worst).length;
  return html`<td>${
    badge(worst, count === cases.length ? `${count}` : `${count} of ${cases.length}`)
  }</td>`;
}

/**
 * Cases that did not end as expected, each with its faults and a picture of them.
 *
 * @param run the run
 * @returns the section, or null when there is none
 */
export function failureSection({ results }: PageRun): Section | null {
  const { tests, board } = results;
  const bad = tests.filter((test) => BAD.includes(test.outcome));
  // the design before the bench, data before words
  const rank = (test: HtmlTest): number =>
    2 * BAD.indexOf(test.outcome) - Number(test.faultCount > 0);
  const shown = bad.toSorted((a, b) => rank(a) - rank(b)).slice(0, MOST_CASES);
  if (shown.length === 0) return null;
  const line = board.cacheLine ?? 64;
  const more = bad.length - shown.length;
  const body = html`${shown.map((test) => caseArticle(test, line))}${
    more === 0 ? null : html`<p class="lead">… and ${plural(more, "more case")} like these.</p>`
  }`;
  return { id: "failures", title: `What went wrong: ${plural(bad.length, "case")}`, body };
}

/**
 * What the controls looked like: how a missing sync shows on this board.
 *
 * @param run the run
 * @returns the section, or null when no control failed with faults
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
    <p class="lead">Power: ${power.detail}. This is how it looked, in the largest frames:</p>
    <details><summary>${largest.suite}: ${largest.name}</summary>${caseArticle(
      largest,
      board.cacheLine ?? 64,
    )}</details>
  `;
  return { id: "controls", title: "What a missing sync looks like on this board", body };
}

function sizeOf({ params }: HtmlTest): number {
  const size = params?.["size"];
  return typeof size === "number" ? size : 0;
}

function caseArticle(test: HtmlTest, line: number): Html {
  const frames = [...Map.groupBy(test.faults, ({ frame }) => frame)];
  const size = sizeOf(test);
  const more = test.faultCount -
    frames.slice(0, MOST_FRAMES).flatMap(([, faults]) => faults).length;
  return html`
    <article
      class="case"><h3>${badge(test.outcome)} ${test.suite}: ${test.name}</h3>${test.reason === null
        ? null
        : html`<p>${test.reason}</p>`}${(test.injected ?? []).slice(0, 5).map((one) =>
          html`<p class="lead">Injected: ${one}</p>`
        )}${frames.slice(0, MOST_FRAMES).map(([frame, faults]) => {
          const block = faults.find((fault) => fault.block !== undefined)?.block;
          const picture = drawFrame(faults, { size: size === 0 ? null : size, line });
          return html`
            <div
              class="frame-faults">${picture}<div><h4>Frame ${frame}${block === undefined
                ? null
                : ` in block ${block}`}</h4><ul class="faults">${faults
                .map(faultItem)}</ul></div></div>
          `;
        })}${more > 0
        ? html`<p class="lead">… and ${plural(more, "more fault")}: results.json has them.</p>`
        : null}</article>
  `;
}

const BLAMED: Readonly<Record<string, string>> = {
  tx: "transmit: the core read other data than the CPU wrote",
  core: "the core, or what is behind it",
  rx: "receive: the CPU read other data than the core wrote",
  driver: "the driver",
};

function faultItem({ kind, blame, offset, length, detail }: Fault): Html {
  return html`<li><b class="kind">${kind}</b> <span class="blame">${
    blame === null ? "cause unknown" : `laid on ${BLAMED[blame] ?? blame}`
  }</span><div>${detail}</div><small>bytes ${offset} to ${offset + length - 1}, ${
    plural(length, "byte")
  }</small></li>`;
}

/**
 * Why cases were not run.
 *
 * @param tests the cases
 * @returns the section, or null when all ran
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
  return { id: "skips", title: `Not run: ${plural(skipped.length, "case")}`, body };
}

/**
 * What changed since another run.
 *
 * @param run the run
 * @returns the section, or null when it was not compared
 */
export function comparisonSection({ comparison }: PageRun): Section | null {
  if (comparison === undefined) return null;
  const { base, outcomes, figures, judged, unjudged, largestUnjudged, differences } = comparison;
  const { regressions, lost } = comparison;
  const body = html`<p class="lead">Against ${base}: ${
    plural(judged, "figure")
  } compared. A figure changed when the
    middle 90 % of its samples lie wholly outside of those of the other run. What is lost was there in
    the other run, so it proves nothing any more. What changed of the machine alone is no regression,
    but says how much else to believe.</p>${
    differences.length === 0 ? null : html`
      <div class="note"><b>The runs differ:</b><ul>${differences.map((one) =>
        html`
          <li>${one}</li>
        `
      )}</ul></div>
    `
  }${
    outcomes.length === 0 ? null : html`
      <div class="scroll" tabindex="0" role="region" aria-label="Cases that ended otherwise"
      >
        <table>
          <thead>
            <tr>
              <th scope="col">Change</th>
              <th scope="col">Case</th>
              <th scope="col">Before</th>
              <th scope="col">Now</th>
              <th scope="col">Why</th>
            </tr>
          </thead>
          <tbody>${outcomes.slice(0, MOST_CHANGES).map((
            { suite, name, from, to, reason, change },
          ) =>
            html`
              <tr class="${change}">
                <td>${CHANGE_WORDS[change]}</td>
                <th scope="row">${suite}: ${name}</th>
                <td>${from === null ? "–" : badge(from)}</td>
                <td>${to === null ? "–" : badge(to)}</td>
                <td class="words">${reason}</td>
              </tr>
            `
          )}</tbody>
        </table>
      </div>
    `
  }${figures.length === 0 ? null : changeTable("Figures that changed", figures)}${
    outcomes.length + figures.length === 0 ? html`<p>Nothing changed.</p>` : null
  }${
    Math.max(outcomes.length, figures.length) > MOST_CHANGES
      ? html`<p class="lead">Only the first ${MOST_CHANGES} of each are listed.</p>`
      : null
  }${
    unjudged === 0
      ? null
      : html`<details><summary>${
        plural(unjudged, "figure")
      } differ that have no spread to judge by: the largest changes</summary>${
        changeTable("Figures that nobody can judge", largestUnjudged)
      }</details>`
  }`;
  const counts = [
    ...(regressions > 0 ? [plural(regressions, "regression")] : []),
    ...(lost > 0 ? [`${lost} lost`] : []),
  ];
  const title = `Since the earlier run: ${counts.join(", ") || "nothing is worse"}`;
  return { id: "since", title, body };
}

/** Words and signs, for those who do not see the colour. */
const CHANGE_WORDS: Readonly<Record<Change, string>> = {
  worse: "▼ worse",
  lost: "✕ lost",
  new: "+ new",
  changed: "changed",
  better: "▲ better",
  machine: "◆ machine",
  unjudged: "? unjudged",
};

function changeTable(label: string, figures: readonly FigureChange[]): Html {
  return html`
    <div class="scroll" tabindex="0" role="region" aria-label="${label}">
      <table class="figures">
        <thead>
          <tr>
            <th scope="col">Change</th>
            <th scope="col" class="name">Figure</th>
            <th scope="col">Before</th>
            <th scope="col">Now</th>
          </tr>
        </thead>
        <tbody>${figures.slice(0, MOST_CHANGES).map(changeRow)}</tbody>
      </table>
    </div>
  `;
}

function changeRow({ suite, policy, from, to, change }: FigureChange): Html {
  const where = [
    policy,
    ...Object.entries(from.at ?? {}).map(([key, value]) =>
      key === "size" ? sizeText(Number(value)) : describeKey(key, String(value))
    ),
  ].filter((part) => part !== null).join(", ");
  const percent = to === null ? NaN : 100 * (to.value / from.value - 1);
  const by = Number.isFinite(percent)
    ? `${percent > 0 ? "+" : "−"}${roundFigure(Math.abs(percent))} %`
    : "";
  const [before, now] = [from, to].map((one) =>
    one === null
      ? html`<td class="none">–</td>`
      : html`<td>${figure(one.value)} ${one.unit}${
        one.spread === undefined
          ? null
          : html`<small>${roundFigure(one.spread.p5)}–${roundFigure(one.spread.p95)}</small>`
      }</td>`
  );
  return html`<tr class="${change}"><td class="name">${CHANGE_WORDS[change]}<small>${by}</small
    ></td><th scope="row">${from.name}<small>${suite}: ${where}</small></th
    >${before}${now}</tr>`;
}

/**
 * What a self-check found.
 *
 * @param selfcheck its part of the results
 * @returns the section, or null when the run was none
 */
export function selfcheckSection(selfcheck: Selfcheck | undefined): Section | null {
  if (selfcheck === undefined) return null;
  const { total, faults } = selfcheck;
  const yes = (right: boolean): Html =>
    right ? html`<td>yes</td>` : html`<td class="out"><b>no</b></td>`;
  const sorted = faults.toSorted((a, b) =>
    Number(a.caught) - Number(b.caught) ||
    Number(a.namedRight) - Number(b.namedRight)
  );
  const body = html`
    <p>${total.caught} of ${total.faults} injected faults were caught, ${total.namedRight}
        named rightly, ${total.blamedRight} laid on the right part.</p>
    <details>
      <summary>Every fault, those
        that were missed first</summary>
      <div class="scroll" tabindex="0" role="region"
        aria-label="Injected faults">
        <table>
          <thead>
            <tr>
              <th scope="col">Fault</th>
              <th scope="col">Where</th>
              <th scope="col">Caught</th>
              <th scope="col">Named</th>
              <th scope="col">Rightly</th>
              <th scope="col"
              >Blamed</th>
              <th scope="col">Rightly</th>
            </tr>
          </thead>
          <tbody>${sorted.slice(0, MOST_CHANGES).map((one) =>
            html`<tr><th scope="row">${one.fault}</th><td>${one.where}</td>${yes(one.caught)}<td>${
              one.named ?? "–"
            }</td>${yes(one.namedRight)}<td>${one.blamed ?? "–"}</td>${yes(one.blamedRight)}</tr>`
          )}</tbody>
        </table>
      </div>
    </details>
  `;
  return { id: "selfcheck", title: "Self-check", body };
}
