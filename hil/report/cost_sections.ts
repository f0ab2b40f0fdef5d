// SPDX-License-Identifier: MIT
/**
 * What everything costs: a section for each question, with charts and the tables behind them.
 *
 * @module
 */
import type { HtmlInput } from "../render/html.ts";
import type { Measurement } from "../results/schema.ts";
import { describePanel, drawDistribution, drawPanel, legend } from "./chart.ts";
import { collectFigures, type Figure, type Panel, pointsAt, rowText, SHORT } from "./figures.ts";
import { Html, html, type Part } from "./html.ts";
import { sortSeries, stylesFor } from "./styles.ts";
import { figure, plural, roundFigure } from "./text.ts";

/** One run, as the page gets it. */
export type PageRun = HtmlInput["runs"][number];

/** A section of the page, with what the contents list calls it. */
export interface Section {
  /** Part of its id. */
  readonly id: string;
  /** Its heading. */
  readonly title: string;
  /** What stands below. */
  readonly body: Html;
}

/** Which figures answer a question. */
interface Question {
  readonly id: string;
  readonly title: string;
  readonly text: string;
  /** Figures with charts. */
  readonly charts: readonly string[];
  /** Figures of which a table is enough. */
  readonly tables: readonly string[];
  /** Whether each step up an axis is a multiple. */
  readonly log: boolean;
  /** Whether the tables below the charts are open: those that a reader comes for. */
  readonly open?: boolean;
  /** A figure that is drawn as one more series into each chart of the same unit. */
  readonly reference?: string;
}

const QUESTIONS: readonly Question[] = [
  {
    id: "throughput",
    title: "Throughput by size and policy",
    text: "Higher is better. For transmit and receive the other side is coherent.",
    charts: ["throughput"],
    tables: ["frame rate", "cpu share", "cpu user", "cpu system"],
    log: false,
  },
  {
    id: "sync",
    title: "What a sync call costs, by size",
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
      "Completion latency is from ENQUEUE to waking up with the frame, wake-up latency the part " +
      "of it from the engine's completion on. Lower is better.",
    charts: ["completion latency", "wake-up latency", "ioctl round trip"],
    tables: [],
    log: true,
  },
  {
    id: "access",
    title: "What it costs the CPU to touch a block",
    text: "Higher is better; both scales are logarithmic. Ordinary memory, for comparison, was " +
      "measured beside each policy: the line is the middle of these figures.",
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
    id: "overhead",
    title: "What the bench itself costs",
    text: "The same loop in C and in Deno, in the same run.",
    charts: [],
    tables: ["deno loop", "c loop", "deno over c"],
    log: false,
  },
  {
    id: "short",
    title: "The loops that proved each case",
    text: "A few frames each, every word of them verified: too short to say what a policy costs.",
    charts: [],
    tables: ["throughput", "frame rate"].map((name) => name + SHORT),
    log: false,
  },
];

/**
 * Make the sections on cost that a run has figures for.
 *
 * @param run the run
 * @returns the sections
 */
export async function costSections(run: PageRun): Promise<Section[]> {
  const { results } = run;
  const { figures, omitted } = collectFigures(results);
  const known = new Set(QUESTIONS.flatMap(({ charts, tables }) => [...charts, ...tables]));
  const others = figures.filter(({ name }) => !known.has(name)).map(({ name }) => name);
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
      names.flatMap((name) => figures.filter((one) => one.name === name));
    const [charts, tables] = [find(question.charts), find(question.tables)];
    if (charts.length + tables.length === 0) continue;
    const references = find(question.reference === undefined ? [] : [question.reference]);
    const parts: Html[] = [];
    for (const one of charts) parts.push(await charted(one, question, references));
    for (const one of tables) {
      parts.push(
        html`<details><summary>${heading(one)}</summary>${
          one.panels.map((panel) => figureTables(panel, one))
        }</details>`,
      );
    }
    const text = question.id === "throughput" && verifying
      ? "Of the loops that verified every word, a few frames each: plumbline bench measures longer."
      : question.text;
    const body = html`${text === "" ? null : html`<p class="lead">${text}</p>`}${parts}`;
    sections.push({ id: question.id, title: question.title, body });
  }
  const missing = omitted + run.omitted;
  if (missing > 0) {
    const body = html`<p>${
      plural(missing, "measurement")
    } of these results are not shown: there are too many for a page.</p>`;
    sections.push({ id: "omitted", title: "Not shown", body });
  }
  return sections;
}

const OPEN = new Html(" open");

function heading(one: Figure): string {
  return `${titleOf(one)}, ${one.unit}`;
}

function titleOf({ name }: Figure): string {
  const title = name.replace(/^cpu\b/, "CPU");
  return `${title.slice(0, 1).toUpperCase()}${title.slice(1)}`;
}

async function charted(
  one: Figure,
  question: Question,
  references: readonly Figure[],
): Promise<Html> {
  const { unit } = one;
  const more = references.filter((figure) => figure.unit === unit).flatMap(({ name, panels }) =>
    panels.flatMap(({ points }) => points.map((point) => ({ ...point, series: name })))
  );
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
          : null}><summary>Figures</summary>${figureTables(panel, one, false)}</details></div>
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
  return html`<div class="figure"><h3>${heading(one)}</h3>${
    legend(styles)
  }<div class="panels">${cells}</div></div>`;
}

/** Sizes whose distribution is drawn: the smallest, the largest, and one between. */
function distributed(panel: Panel): (number | null)[] {
  const sizes = panel.sizes.filter((size) =>
    panel.points.some((point) => point.size === size && point.percentile !== null)
  );
  return [...new Set([sizes[0], sizes[sizes.length >> 1], sizes.at(-1)])]
    .filter((size) => size !== undefined);
}

/** Every figure of a panel; what was measured in ordinary memory beside each policy by itself. */
function figureTables(panel: Panel, one: Figure, titled = true): Html[] {
  const own = panel.points.filter(({ beside }) => beside === null);
  const ordinary = panel.points.flatMap((point) =>
    point.beside === null ? [] : [{ ...point, series: point.beside }]
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

/** A table of size by series. */
function table(panel: Panel, { name, unit }: Figure, title: string): Html {
  const spread = panel.points.some(({ measurement }) => measurement.spread !== undefined);
  const caption = `${title === "" ? "" : `${title}: `}${name}, ${unit}${
    spread ? "; small: the middle 90 %" : ""
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
      <table class="figures" data-figure="${name}" data-panel="${panel.title}">
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
      <table class="figures" data-percentiles="${name}">
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

/** Figures, mostly one. */
function cell(found: readonly Measurement[]): Html {
  if (found.length === 0) return html`<td class="none">–</td>`;
  return html`<td>${found.map((one) => html`<div>${cellFigure(one)}</div>`)}</td>`;
}

/** A figure, its spread, and whether it is within its bound. */
function cellFigure({ value, spread, limit, bound }: Measurement): Html {
  const notes: Part[] = [];
  if (spread !== undefined) {
    notes.push(
      html`<small title="${spread.samples} samples, ${roundFigure(spread.min)} to ${
        roundFigure(spread.max)
      }">${roundFigure(spread.p5)}–${roundFigure(spread.p95)}</small>`,
    );
  }
  const out = limit !== null && (bound === "min" ? value < limit : value > limit);
  if (limit !== null) {
    notes.push(
      html`<small class="${out ? "out" : "within"}">${out ? "outside" : "within"} ${
        bound === "min" ? "≥" : "≤"
      } ${roundFigure(limit)}</small>`,
    );
  }
  return html`${figure(value)}${notes}`;
}
