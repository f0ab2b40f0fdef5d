// SPDX-License-Identifier: MIT
/**
 * Charts as SVG, drawn by Vega-Lite. Their colours are CSS variables, so one chart serves light and dark.
 * Vega gets numbers for the names of series, because a name may come from anywhere.
 *
 * @module
 */
import * as vega from "vega";
import { compile, type TopLevelSpec } from "vega-lite";
import { plural } from "../text/format.ts";
import { Html, html } from "./html.ts";
import type { Panel, Point } from "./metrics.ts";
import type { SeriesStyle, Styles } from "./styles.ts";
import { sizeText, valueText } from "./text.ts";

/** The width and height inside the axes in pixels: a chart fits the width of a phone. */
const WIDTH = 295;
const HEIGHT = 170;

/** A point of a chart: series, position and range. */
interface Row {
  readonly s: string;
  readonly x: number;
  readonly y: number;
  readonly low?: number;
  readonly high?: number;
}

/** Options of a chart. */
export interface ChartOptions {
  /** The unit of the values. */
  readonly unit: string;
  /** Whether the scale of the values is logarithmic. */
  readonly log: boolean;
  /** The style of each series. */
  readonly styles: Styles;
  /** The text for screen readers. */
  readonly label: string;
}

/**
 * Draws the points of a panel: a line for each series, or a row for each series if there is one size.
 *
 * @param panel The panel
 * @param options How to draw it
 * @returns An SVG element, or null if no point can be drawn
 */
export async function drawPanel(panel: Panel, options: ChartOptions): Promise<Html | null> {
  const single = medians(panel.points.filter(({ percentile }) => percentile === null));
  if (panel.sizes.length > 1) return await drawLines(panel.series, single, options);
  return await drawRows(panel.series, single, options);
}

/**
 * Draws the distribution of each series: the percentage of samples up to each value.
 *
 * @param panel The panel
 * @param size The size of the frames
 * @param options How to draw it
 * @returns An SVG element, or null if there are fewer than two percentiles
 */
export async function drawDistribution(
  panel: Panel,
  size: number | null,
  options: ChartOptions,
): Promise<Html | null> {
  const points = panel.points.filter((point) => point.percentile !== null && point.size === size);
  const rows = points.map(({ series, percentile, measurement }) => ({
    s: series,
    x: measurement.value,
    y: percentile ?? 0,
  }));
  const shown = rows.filter(({ x, y }) => x > 0 && Number.isFinite(x) && Number.isFinite(y));
  if (shown.length < 2) return null;
  const y = quantitative("y", "% of the samples", { domain: [0, 100] });
  const x = quantitative("x", options.unit, logScale(shown.map((row) => row.x)));
  return await draw(panel.series, shown, { x, y, order: { field: "y" } }, options);
}

/** Keeps one point for each series and size: the median of several, as for ordinary memory. */
function medians(points: readonly Point[]): Point[] {
  const groups = Map.groupBy(points, ({ series, size }) => JSON.stringify([series, size]));
  return [...groups.values()].flatMap((all) =>
    all.toSorted((a, b) => a.measurement.value - b.measurement.value)[all.length >> 1] ?? []
  );
}

async function drawLines(
  series: readonly string[],
  points: readonly Point[],
  options: ChartOptions,
): Promise<Html | null> {
  const rows = points.flatMap(({ series: s, size, measurement: { value } }): Row[] =>
    size === null || size <= 0 || !drawable(value, options.log) ? [] : [{ s, x: size, y: value }]
  );
  if (rows.length < 2) return null;
  const x = {
    field: "x",
    type: "quantitative",
    scale: { type: "log", base: 2, nice: false },
    axis: { title: null, values: tickSizes(rows), labelExpr: SIZE_LABEL, grid: false },
  };
  const scale = options.log ? logScale(rows.map((row) => row.y)) : { zero: true };
  const y = quantitative("y", options.unit, scale);
  return await draw(series, rows, { x, y }, options);
}

/** Labels sizes on an axis with one letter. */
const SIZE_LABEL = "datum.value >= 1048576 ? datum.value / 1048576 + 'M' : " +
  "datum.value >= 1024 ? datum.value / 1024 + 'K' : datum.value";

/** Labels values without a metric prefix, because the unit may have one. */
const VALUE_LABEL = "datum.value >= 1e6 ? format(datum.value, '.0e') : format(datum.value, '~r')";

function tickSizes(rows: readonly Row[]): number[] {
  const sizes = [...new Set(rows.map(({ x }) => x))].sort((a, b) => a - b);
  const step = Math.ceil(sizes.length / 6);
  return sizes.filter((_, i) => i % step === 0);
}

/** Draws a row for each series: a thin line from minimum to maximum, a thick one for 5–95 %, the median. */
async function drawRows(
  series: readonly string[],
  points: readonly Point[],
  { unit, log, label, styles }: ChartOptions,
): Promise<Html | null> {
  const rows = points.flatMap(({ series: s, measurement: { value, spread } }) => {
    const { min = value, p5 = value, p95 = value, max = value } = spread ?? {};
    const all = [value, min, p5, p95, max];
    return all.every((one) => drawable(one, log)) ? [{ s, value, min, p5, p95, max }] : [];
  });
  if (rows.length === 0) return null;
  const names = series.filter((name) => rows.some(({ s }) => s === name));
  const ids = new Map(names.map((name, i) => [name, `s${i}`]));
  const scale = log ? logScale(rows.flatMap(({ min, max }) => [min, max])) : { zero: true };
  const y = {
    field: "s",
    type: "nominal",
    sort: [...ids.values()],
    axis: { labels: false, ticks: false, title: null, domain: false, grid: false },
  };
  const color = nominal(ids, styles, (style) => style.color);
  const shape = nominal(ids, styles, (style) => style.shape);
  const rule = (from: string, to: string, strokeWidth: number): unknown => ({
    mark: { type: "rule", strokeWidth, aria: false },
    encoding: { y, color, x: quantitative(from, unit, scale), x2: { field: to } },
  });
  return await render({
    width: WIDTH,
    height: { step: 20 },
    data: { values: rows.map((row) => ({ ...row, s: ids.get(row.s) })) },
    layer: [
      rule("min", "max", 1),
      rule("p5", "p95", 5),
      {
        mark: { type: "point", filled: true, opacity: 1, size: 60, aria: false },
        encoding: { y, color, shape, x: quantitative("value", unit, scale) },
      },
    ],
  }, label);
}

async function draw(
  series: readonly string[],
  rows: readonly Row[],
  encoding: Readonly<Record<string, unknown>>,
  { styles, label }: ChartOptions,
): Promise<Html> {
  const names = series.filter((name) => rows.some(({ s }) => s === name));
  const ids = new Map(names.map((name, i) => [name, `s${i}`]));
  const shared = { ...encoding, color: nominal(ids, styles, (style) => style.color) };
  const strokeDash = nominal(ids, styles, (style) => style.dash);
  const shape = nominal(ids, styles, (style) => style.shape);
  return await render({
    width: WIDTH,
    height: HEIGHT,
    data: { values: rows.map((row) => ({ ...row, s: ids.get(row.s) })) },
    layer: [
      {
        mark: { type: "line", strokeWidth: 1.75, aria: false },
        encoding: { ...shared, strokeDash },
      },
      {
        mark: { type: "point", filled: true, opacity: 1, size: 42, aria: false },
        encoding: { ...shared, shape },
      },
    ],
  }, label);
}

/** Encodes one property of the style of each series: its colour, dashes or shape. */
function nominal(
  ids: ReadonlyMap<string, string>,
  styles: Styles,
  property: (style: SeriesStyle) => unknown,
): unknown {
  const range = [...ids.keys()].map((name) => {
    const style = styles.get(name);
    if (style === undefined) throw new Error(`Series ${name} has no style`);
    return property(style);
  });
  return { field: "s", type: "nominal", legend: null, scale: { domain: [...ids.values()], range } };
}

/** A scale between round numbers, with ticks at 1, 2 and 5, or only at 1 for a large range. */
function logScale(values: readonly number[]): { type: "log"; domain: number[]; values: number[] } {
  const low = values.reduce((a, b) => Math.min(a, b), Infinity);
  const high = values.reduce((a, b) => Math.max(a, b), 0);
  const steps: number[] = [];
  for (let decade = Math.floor(Math.log10(low)); decade <= Math.ceil(Math.log10(high)); decade++) {
    for (const digit of high / low > 100 ? [1] : [1, 2, 5]) {
      steps.push(Number(`${digit}e${decade}`));
    }
  }
  const from = steps.findLast((step) => step <= low) ?? low;
  const to = steps.find((step) => step >= high && step > from) ?? high;
  const marks = steps.filter((step) => step >= from && step <= to);
  return { type: "log", domain: [from, to], values: marks };
}

function quantitative(
  field: string,
  title: string,
  { values, ...scale }: { readonly values?: readonly number[] } & Readonly<Record<string, unknown>>,
) {
  const ticks = values === undefined ? { tickCount: 5 } : { values };
  const axis = { title, labelExpr: VALUE_LABEL, ...ticks };
  return { field, type: "quantitative", axis, scale };
}

function drawable(value: number, log: boolean): boolean {
  return Number.isFinite(value) && (log ? value > 0 : value >= 0);
}

const AXES = {
  domainColor: "var(--rule)",
  tickColor: "var(--rule)",
  gridColor: "var(--grid)",
  labelColor: "var(--ink-soft)",
  titleColor: "var(--ink-soft)",
  titleFontWeight: "normal",
  labelFontSize: 11,
  titleFontSize: 11,
  labelFont: "inherit",
  titleFont: "inherit",
  labelOverlap: "greedy",
};

async function render(spec: Readonly<Record<string, unknown>>, label: string): Promise<Html> {
  const whole = {
    ...spec,
    background: null,
    padding: 2,
    config: { axis: AXES, view: { stroke: null }, font: "inherit" },
  } as unknown as TopLevelSpec;
  const view = new vega.View(vega.parse(compile(whole).spec), { renderer: "none" });
  try {
    const svg = await view.toSVG();
    const named = html`
      <svg role="img" aria-label="${label}"
    `.text;
    // the label and the table below replace the roles that Vega writes
    const plain = svg.replace(/ (?:aria-[a-z]+|role)="[^"]*"/g, "").replace(
      / pointer-events="none"/g,
      "",
    );
    return new Html(
      plain.replace("<svg ", named).replace(/ xmlns(?::xlink)?="[^"]*"/g, ""),
    );
  } finally {
    view.finalize();
  }
}

/**
 * Draws a legend.
 *
 * @param styles The series, in their order
 * @returns A list
 */
export function legend(styles: Styles): Html {
  const items = [...styles].map(([name, { color, dash, shape }]) => {
    return html`<li><svg width="34" height="12" viewBox="0 0 34 12" aria-hidden="true"
      ><path d="M1,6H33" style="stroke:${color};stroke-width:1.75;stroke-dasharray:${
      dash.join(" ") || "none"
    }"/><path d="${shape}" transform="translate(17,6) scale(4.2)" style="fill:${color}"/></svg>${name}</li>`;
  });
  return html`<ul class="legend">${items}</ul>`;
}

/**
 * Describes a chart for screen readers.
 *
 * @param name The name of the metric
 * @param panel The panel
 * @param unit The unit of the values
 * @returns One sentence
 */
export function describePanel(name: string, panel: Panel, unit: string): string {
  const values = panel.points.map(({ measurement }) => measurement.value);
  const sizes = panel.sizes.filter((size) => size !== null);
  const over = sizes.length > 1
    ? ` over frames of ${sizeText(sizes[0] ?? 0)} to ${sizeText(sizes.at(-1) ?? 0)}`
    : "";
  const low = values.reduce((a, b) => Math.min(a, b), Infinity);
  const high = values.reduce((a, b) => Math.max(a, b), -Infinity);
  const title = panel.title === "" ? name : `${name}, ${panel.title}`;
  return `${title}: ${plural(panel.series.length, over === "" ? "row" : "line")}${over}, from ` +
    `${valueText(low)} to ${valueText(high)} ${unit}; the table has all values`;
}
