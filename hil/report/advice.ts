// SPDX-License-Identifier: MIT
/**
 * The recommended policies: in a few lines for the top of the page, and as a table.
 *
 * @module
 */
import type { Advice, Crossover, Results } from "../results/schema.ts";
import { type Html, html } from "./html.ts";
import { styleOf } from "./styles.ts";
import type { Section } from "./cost_sections.ts";
import { plural } from "../text/format.ts";
import { sizeText, valueData } from "./text.ts";

/** The uses in the summary, and the ranges of sizes in all uses and in each: they fit a phone. */
const MOST_USES = 4;
const MOST_RANGES = 15;
const MOST_RANGES_OF_USE = 5;
const MOST_ROWS = 300;

/** The head of the page already says that the board is simulated. */
const SIMULATED = /^SIMULATED[^:]*: /;

/** A range of sizes with the same policy. */
interface Range {
  policy: string | null;
  readonly from: number;
  to: number;
}

/**
 * Combines neighbouring sizes with the same policy into ranges.
 *
 * @param advice The advice for one use, in any order
 * @returns The ranges, ordered by size
 */
export function ranges(advice: readonly Advice[]): Range[] {
  const found: Range[] = [];
  for (const { size, policy } of advice.toSorted((a, b) => a.size - b.size)) {
    const last = found.at(-1);
    if (last !== undefined && last.policy === policy) last.to = size;
    else found.push({ policy, from: size, to: size });
  }
  return found;
}

/**
 * Shows the recommended policies in a few lines.
 *
 * @param results The results of the run
 * @returns A block for the top of the page
 */
export function adviceSummary({ advice = [], board }: Results): Html {
  if (advice.length === 0) {
    return html`<p>None. Run <code>plumbline bench</code> to measure every policy and get a
      recommendation.</p>`;
  }
  const uses = [...Map.groupBy(advice, ({ use }) => use)];
  const more = uses.length - MOST_USES;
  const most = Math.min(
    MOST_RANGES_OF_USE,
    Math.floor(MOST_RANGES / Math.min(uses.length, MOST_USES)),
  );
  return html`<dl class="advised">${
    uses.slice(0, MOST_USES).map(([use, all]) => {
      const folded = ranges(all);
      const hidden = folded.length - most;
      return html`
        <dt>${use}</dt>
        <dd>${folded.slice(0, most).map(({ policy, from, to }) =>
          html`<span class="choice">${policyName(policy)} <small>${
            from === to ? sizeText(from) : `${sizeText(from)} – ${sizeText(to)}`
          }</small></span>`
        )}${hidden > 0
          ? html`<small class="choice">and ${plural(hidden, "more range")}</small>`
          : null}</dd>
      `;
    })
  }</dl>${more > 0 ? html`<p class="lead">… and ${plural(more, "more use")} below.</p>` : null}${
    board.simulated
      ? html`<p class="caveat">Measured on a virtual board: not valid for hardware.</p>`
      : null
  }`;
}

function policyName(policy: string | null): Html {
  if (policy === null) return html`<b>no policy</b>`;
  return html`<b style="--mark:${styleOf(policy, 0).color}" class="policy">${policy}</b>`;
}

/** Whether one policy is faster than another at no measured size. */
function isNever({ from, detail }: Crossover): boolean {
  return from === null && detail.endsWith("at no measured size");
}

/** The number of comparisons in which one policy is faster at no size. */
function neverFaster(all: readonly Crossover[]): Html | null {
  const { length } = all.filter(isNever);
  return length === 0
    ? null
    : html`<p class="lead">${
      plural(length, "more comparison")
    } of policies found no size at which the first one is faster.</p>`;
}

/**
 * Shows all recommendations and crossovers in a table.
 *
 * @param results The results of the run
 * @returns The section, or null if there is no recommendation
 */
export function adviceSection({ advice = [], crossovers = [] }: Results): Section | null {
  if (advice.length + crossovers.length === 0) return null;
  const body = html`${
    advice.length === 0 ? null : html`
      <div class="scroll" tabindex="0" role="region" aria-label="Recommended policies">
        <table class="values"
        >
          <thead>
            <tr>
              <th scope="col">Use</th>
              <th scope="col">Size</th>
              <th scope="col" class="name">Policy</th>
              <th scope="col">Throughput</th>
              <th scope="col" class="name">Second best</th>
              <th scope="col">Ratio</th>
              <th scope="col" class="name">Why</th>
            </tr>
          </thead>
          <tbody>${advice.slice(0, MOST_ROWS).map(adviceRow)}</tbody>
        </table>
      </div>
    `
  }${
    crossovers.length === 0 ? null : html`
      <h3>Crossovers</h3>
      <div class="crossovers">${[...Map.groupBy(crossovers.slice(0, MOST_ROWS), ({ use }) => use)]
        .map((
          [use, all],
        ) =>
          html`
            <div>
              <h4>${use}</h4>
              <ul>${all.filter((one) => !isNever(one))
                .map(({ detail }) => html`<li>${detail}</li>`)}</ul>${neverFaster(all)}
            </div>
          `
        )}</div>
    `
  }`;
  return { id: "advice", title: "Recommended policies", body };
}

function adviceRow({ use, size, policy, value, unit, runnerUp, ratio, why }: Advice): Html {
  return html`
    <tr>
      <th scope="row">${use}</th>
      <td><data value="${size}">${sizeText(size)}</data></td>
      <td class="name">${policyName(policy)}</td>
      <td>${value === null ? "–" : html`${valueData(value)} ${unit}`}</td>
      <td class="name">${runnerUp ?? "–"}</td>
      <td>${runnerUp === null
        ? "–"
        : ratio === null
        ? "no difference"
        : html`${valueData(ratio)} ×`}</td>
      <td class="words">${why.replace(SIMULATED, "")}</td>
    </tr>
  `;
}
