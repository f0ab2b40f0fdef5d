// SPDX-License-Identifier: MIT
/**
 * The measurements: a section for each question, with charts and tables.
 *
 * @module
 */
import type { HtmlInput } from "../render/html.ts";
import type { Measurement } from "../results/schema.ts";
import { describePanel, drawDistribution, drawPanel, legend } from "./chart.ts";
import { plural } from "../text/format.ts";
import { Html, html, type Part } from "./html.ts";
import { collectMetrics, type Metric, type Panel, pointsAt, rowText, SHORT } from "./metrics.ts";
import { sortSeries, stylesFor } from "./styles.ts";
import { valueData, valueText } from "./text.ts";

/** A run in the input of the page. */
export type PageRun = HtmlInput["runs"][number];

/** A section of the page. */
export interface Section {
  /** A part of the id of its element. */
  readonly id: string;
  /** The heading, also in the list of contents. */
  readonly title: string;
  /** The content. */
  readonly body: Html;
}

/** A question about the cost of policies, and the metrics that answer it. */
interface Question {
  readonly id: string;
  readonly title: string;
  readonly text: string;
  /** The names of metrics with charts. */
  readonly charts: readonly string[];
  /** The names of metrics with a table only. */
  readonly tables: readonly string[];
  /** Whether the axes are logarithmic. */
  readonly log: boolean;
  /** Whether the tables below the charts are open. */
  readonly open?: boolean;
  /** The name of a metric that is drawn as an additional series into each chart of the same unit. */
  readonly reference?: string;
}

const QUESTIONS: readonly Question[] = [
  {
    id: "throughput",
    title: "Throughput by size and policy",
    text:
      "Higher is better. In the charts of transmit and receive, the other direction uses coherent memory.",
    charts: ["throughput"],
    tables: ["frame rate", "cpu share", "cpu user", "cpu system"],
    log: false,
  },
  {
    id: "sync",
    title: "Cost of a sync call by size",
    text: "Lower is better; both scales are logarithmic.",
    charts: ["sync call"],
    tables: ["copy", "memcpy", "handover time", "bytes synced per byte"],
    log: true,
    open: true,
    reference: "memcpy",
  },
  {
    id: "latency",
    title: "Latency and its distribution",
    text:
      "Completion latency is the time from ENQUEUE until the program wakes up with the frame. " +
      "Wake-up latency is the part of it after the engine has completed. Lower is better.",
    charts: ["completion latency", "wake-up latency", "ioctl round trip"],
    tables: [],
    log: true,
  },
  {
    id: "access",
    title: "CPU access to blocks",
    text: "Higher is better; both scales are logarithmic. Ordinary memory was measured with each " +
      "policy for comparison: the line is the median of these measurements.",
    charts: ["cpu access"],
    tables: [],
    log: true,
  },
  {
    id: "pinning",
    title: "Pinning and mapping user pages",
    text: "Lower is better.",
    charts: ["pin and map", "unmap and unpin"],
    tables: ["pin and map per page"],
    log: true,
  },
  {
    id: "gap",
    title: "Idle engine",
    text:
      "How long the engine is idle between two receive blocks that are queued. It is 0 if the engine holds several transfers. Lower is better.",
    charts: ["engine idle gap"],
    tables: [],
    log: false,
  },
  {
    id: "overhead",
    title: "Overhead of the benchmark",
    text: "The same loop in C and in Deno, measured in the same run.",
    charts: [],
    tables: [
      "deno loop",
      "deno loop with batches",
      "c loop",
      "deno over c",
      "deno with batches over c",
    ],
    log: false,
  },
  {
    id: "short",
    title: "Verified loops",
    text:
      "Before it measures, each case verifies every word of a few frames. These loops are too short to show the cost of a policy.",
    charts: [],
    tables: ["throughput", "frame rate"].map((name) => name + SHORT),
    log: false,
  },
];

/**
 * Makes a section for each question that the measurements of a run answer.
 *
 * @param run The run
 * @returns The sections
 */
export async function costSections(run: PageRun): Promise<Section[]> {
  const { results } = run;
  const { metrics, omitted } = collectMetrics(results);
  const known = new Set(QUESTIONS.flatMap(({ charts, tables }) => [...charts, ...tables]));
  const others = metrics.filter(({ name }) => !known.has(name)).map(({ name }) => name);
  const verifying = !results.tests.some((test) =>
    test.measurements.some((one) => one.at !== undefined)
  );
  const questions = [...QUESTIONS, {
    id: "others",
    title: "Other measurements",
    text: "",
    charts: [],
    tables: [...new Set(others)],
    log: false,
  }];
  const sections: Section[] = [];
  for (const question of questions) {
    const find = (names: readonly string[]) =>
      names.flatMap((name) => metrics.filter((one) => one.name === name));
    const [charts, tables] = [find(question.charts), find(question.tables)];
    if (charts.length + tables.length === 0) continue;
    const references = find(question.reference === undefined ? [] : [question.reference]);
    const parts: Html[] = [];
    for (const one of charts) parts.push(await charted(one, question, references));
    for (const one of tables) {
      parts.push(
        html`<details><summary>${heading(one)}</summary>${
          one.panels.map((panel) => metricTables(panel, one))
        }</details>`,
      );
    }
    const text = question.id === "throughput" && verifying
      ? "Measured while every word of a few frames was verified. Run plumbline bench for longer measurements."
      : question.text;
    const body = html`${text === "" ? null : html`<p class="lead">${text}</p>`}${parts}`;
    sections.push({ id: question.id, title: question.title, body });
  }
  const missing = omitted + run.omitted;
  if (missing > 0) {
    const body = html`<p>${
      plural(missing, "measurement")
    } of this run are not shown, because there are too many for a page.</p>`;
    sections.push({ id: "omitted", title: "Not shown", body });
  }
  return sections;
}

const OPEN = new Html(" open");

function heading(one: Metric): string {
  return `${titleOf(one)}, ${one.unit}`;
}

function titleOf({ name }: Metric): string {
  const title = name.replace(/^cpu\b/, "CPU");
  return `${title.slice(0, 1).toUpperCase()}${title.slice(1)}`;
}

async function charted(
  one: Metric,
  question: Question,
  references: readonly Metric[],
): Promise<Html> {
  const { unit } = one;
  const more = references.filter((reference) => reference.unit === unit).flatMap((
    { name, panels },
  ) => panels.flatMap(({ points }) => points.map((point) => ({ ...point, series: name }))));
  const styles = stylesFor(
    [...one.panels.flatMap(({ series }) => series), ...more.map(({ series }) => series)],
  );
  const cells: Html[] = [];
  for (const panel of one.panels) {
    const drawn = more.length === 0 ? panel : {
      ...panel,
      points: [...panel.points, ...more.filter(({ size }) => panel.sizes.includes(size))],
      series: [...panel.series, ...new Set(more.map(({ series }) => series))],
    };
    const label = describePanel(titleOf(one), drawn, unit);
    const options = { unit, log: question.log, styles, label };
    const chart = await drawPanel(drawn, options);
    cells.push(html`
      <div
        class="panel">${panel.title === ""
          ? null
          : html`<h4>${panel.title}</h4>`}${chart}<details${question.open
          ? OPEN
          : null}><summary>Table</summary>${metricTables(panel, one, false)}</details></div>
    `);
    for (const size of distributed(panel)) {
      const title = `Distribution${panel.title === "" ? "" : `, ${panel.title}`}, ${rowText(size)}`;
      const drawn = await drawDistribution(panel, size, {
        ...options,
        label: `${titleOf(one)}: ${title}`,
      });
      if (drawn !== null) cells.push(html`<div class="panel"><h4>${title}</h4>${drawn}</div>`);
    }
  }
  return html`<div class="metric"><h3>${heading(one)}</h3>${
    legend(styles)
  }<div class="panels">${cells}</div></div>`;
}

/** The sizes with a chart of the distribution: the smallest, the middle and the largest. */
function distributed(panel: Panel): (number | null)[] {
  const sizes = panel.sizes.filter((size) =>
    panel.points.some((point) => point.size === size && point.percentile !== null)
  );
  return [...new Set([sizes[0], sizes[sizes.length >> 1], sizes.at(-1)])]
    .filter((size) => size !== undefined);
}

/** Makes the tables of a panel. Measurements of ordinary memory have a table of their own. */
function metricTables(panel: Panel, one: Metric, titled = true): Html[] {
  const own = panel.points.filter(({ measuredWith }) => measuredWith === null);
  const ordinary = panel.points.flatMap((point) =>
    point.measuredWith === null ? [] : [{ ...point, series: point.measuredWith }]
  );
  const memory = {
    ...panel,
    title: [panel.title, "ordinary memory"].filter((part) => part !== "").join(", "),
    points: ordinary,
    series: sortSeries(ordinary.map(({ series }) => series)),
  };
  return [
    own.length === 0 ? [] : table(
      {
        ...panel,
        series: panel.series.filter((name) => own.some(({ series }) => series === name)),
      },
      one,
      titled ? panel.title : "",
    ),
    ordinary.length === 0 ? [] : table(memory, one, titled ? memory.title : "ordinary memory"),
  ].flat();
}

/** Makes a table with a row for each size and a column for each series. */
function table(panel: Panel, { name, unit }: Metric, title: string): Html {
  const spread = panel.points.some(({ measurement }) => measurement.spread !== undefined);
  const caption = `${title === "" ? "" : `${title}: `}${name}, ${unit}${
    spread ? "; small: 5–95 %" : ""
  }`;
  const rows = panel.sizes.map((size) =>
    html`<tr><th scope="row">${rowText(size)}</th>${
      panel.series.map((series) =>
        cell(pointsAt(panel, size, series).map((one) => one.measurement))
      )
    }</tr>`
  );
  const percentiles = distributed(panel).length === 0 ? null : percentileTable(panel, name, unit);
  return html`
    <div class="scroll" tabindex="0" role="region" aria-label="${caption}">
      <table class="values" data-metric="${name}" data-panel="${panel.title}">
        <caption>${caption}</caption>
        <thead>
          <tr><th scope="col">Size</th>${panel.series.map((series) =>
            html`<th scope="col">${series}</th>`
          )}</tr>
        </thead>
        <tbody>${rows}</tbody>
      </table>
    </div>${percentiles}
  `;
}

function percentileTable(panel: Panel, name: string, unit: string): Html {
  const points = panel.points.filter(({ percentile }) => percentile !== null);
  const columns = [...new Set(points.map(({ percentile }) => percentile))]
    .sort((a, b) => (a ?? 0) - (b ?? 0));
  const rows = panel.sizes.flatMap((size) =>
    panel.series.map((series) => ({
      size,
      series,
      points: points.filter((point) => point.size === size && point.series === series),
    }))
  ).filter((row) => row.points.length > 0);
  const caption = `Percentiles of ${name}, ${unit}`;
  return html`
    <div class="scroll" tabindex="0" role="region" aria-label="${caption}">
      <table class="values" data-percentiles="${name}">
        <caption>${caption}</caption>
        <thead>
          <tr><th scope="col">Size</th><th scope="col">Policy</th>${columns.map((column) =>
            html`<th scope="col">${column ?? ""} %</th>`
          )}</tr>
        </thead>
        <tbody>${rows.map((row) =>
          html`<tr><th scope="row">${rowText(row.size)}</th><td class="name">${row.series}</td>${
            columns.map((column) =>
              cell(
                row.points.filter((one) => one.percentile === column).map((one) => one.measurement),
              )
            )
          }</tr>`
        )}</tbody>
      </table>
    </div>
  `;
}

/** Shows the measurements of a cell, mostly one. */
function cell(found: readonly Measurement[]): Html {
  if (found.length === 0) return html`<td class="none">–</td>`;
  return html`<td>${found.map((one) => html`<div>${cellValue(one)}</div>`)}</td>`;
}

/** Shows a value, its spread, and whether it is within its limit. */
function cellValue({ value, spread, limit, bound }: Measurement): Html {
  const notes: Part[] = [];
  if (spread !== undefined) {
    notes.push(
      html`<small title="${spread.samples} samples, ${valueText(spread.min)} to ${
        valueText(spread.max)
      }">${valueText(spread.p5)}–${valueText(spread.p95)}</small>`,
    );
  }
  const out = limit !== null && (bound === "min" ? value < limit : value > limit);
  if (limit !== null) {
    notes.push(
      html`<small class="${out ? "out" : "within"}">${out ? "outside" : "within"} ${
        bound === "min" ? "≥" : "≤"
      } ${valueText(limit)}</small>`,
    );
  }
  return html`${valueData(value)}${notes}`;
}
