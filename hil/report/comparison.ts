// SPDX-License-Identifier: MIT
/**
 * The changes since an earlier run.
 *
 * @module
 */
import type { Change, MeasurementChange } from "../results/compare.ts";
import { plural } from "../text/format.ts";
import type { PageRun, Section } from "./cost_sections.ts";
import { type Html, html } from "./html.ts";
import { describeCondition } from "./metrics.ts";
import { badge } from "./outcome_sections.ts";
import { sizeText, valueData, valueText } from "./text.ts";

/** The greatest number of changes in a table. */
const MOST_CHANGES = 200;

/**
 * Shows the changes since an earlier run.
 *
 * @param run The run
 * @returns The section, or null if there is no comparison
 */
export function comparisonSection({ comparison }: PageRun): Section | null {
  if (comparison === undefined) return null;
  const { base, outcomes, measurements, judged, unjudged, largestUnjudged, differences } =
    comparison;
  const { regressions, lost } = comparison;
  const body = html`
    <p
      class="lead">Compared with ${base}: ${plural(
        judged,
        "measurement",
      )}. A measurement changed if its 5–95 % ranges in
        the two runs do not overlap. A case or measurement that is missing in this run is lost. A change
        marked “machine” does not depend on the driver or the design: it is no regression, but other
        changes may have the same cause.</p>${differences.length === 0 ? null : html`
          <div class="note"><b>Other differences between the runs:</b><ul>${differences.map((one) =>
            html`
              <li>${one}</li>
            `
          )}</ul></div>
        `}${outcomes.length === 0 ? null : html`
          <div class="scroll" tabindex="0" role="region" aria-label="Cases with another outcome"
          >
            <table>
              <thead>
                <tr>
                  <th scope="col">Change</th>
                  <th scope="col">Case</th>
                  <th scope="col">Before</th>
                  <th scope="col">Now</th>
                  <th scope="col">Reason</th>
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
        `}${measurements.length === 0 ? null : changeTable(
          "Changed measurements",
          measurements,
        )}${outcomes.length + measurements.length === 0
          ? html`<p>Nothing changed.</p>`
          : null}${Math.max(outcomes.length, measurements.length) > MOST_CHANGES
          ? html`<p class="lead">Each table shows the first ${MOST_CHANGES} changes only.</p>`
          : null}${unjudged === 0
          ? null
          : html`<details><summary>${
            plural(unjudged, "changed measurement")
          } without a spread, which cannot be judged: the largest changes</summary>${
            changeTable("Changed measurements without a spread", largestUnjudged)
          }</details>`}
  `;
  const counts = [
    ...(regressions > 0 ? [plural(regressions, "regression")] : []),
    ...(lost > 0 ? [`${lost} lost`] : []),
  ];
  const title = `Since the earlier run: ${counts.join(", ") || "no regression"}`;
  return { id: "since", title, body };
}

/** Words and signs for the changes, because colours alone are not enough. */
const CHANGE_WORDS: Readonly<Record<Change, string>> = {
  worse: "▼ worse",
  lost: "✕ lost",
  new: "+ new",
  changed: "changed",
  better: "▲ better",
  machine: "◆ machine",
  unjudged: "? not judged",
};

function changeTable(label: string, changes: readonly MeasurementChange[]): Html {
  return html`
    <div class="scroll" tabindex="0" role="region" aria-label="${label}">
      <table class="values">
        <thead>
          <tr>
            <th scope="col">Change</th>
            <th scope="col" class="name">Measurement</th>
            <th scope="col">Before</th>
            <th scope="col">Now</th>
          </tr>
        </thead>
        <tbody>${changes.slice(0, MOST_CHANGES).map(changeRow)}</tbody>
      </table>
    </div>
  `;
}

function changeRow({ suite, policy, from, to, change }: MeasurementChange): Html {
  const where = [
    policy,
    ...Object.entries(from.at ?? {}).map(([key, value]) =>
      key === "size" ? sizeText(Number(value)) : describeCondition(key, String(value))
    ),
  ].filter((part) => part !== null).join(", ");
  const percent = to === null ? NaN : 100 * (to.value / from.value - 1);
  const by = Number.isFinite(percent)
    ? `${percent > 0 ? "+" : "−"}${valueText(Math.abs(percent))} %`
    : "";
  const [before, now] = [from, to].map((one) =>
    one === null
      ? html`<td class="none">–</td>`
      : html`<td>${valueData(one.value)} ${one.unit}${
        one.spread === undefined
          ? null
          : html`<small>${valueText(one.spread.p5)}–${valueText(one.spread.p95)}</small>`
      }</td>`
  );
  return html`<tr class="${change}"><td class="name">${CHANGE_WORDS[change]}<small>${by}</small
    ></td><th scope="row">${from.name}<small>${suite}: ${where}</small></th
    >${before}${now}</tr>`;
}
