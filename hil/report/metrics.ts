// SPDX-License-Identifier: MIT
/**
 * Groups the measurements of a run by their name into metrics. Each metric has panels, and each panel is
 * one chart and one table, with a row for each size and a column for each series.
 *
 * @module
 */
import type { Measurement, Results } from "../results/schema.ts";
import { sortSeries } from "./styles.ts";
import { sizeText } from "./text.ts";

/** The conditions of a measurement. */
type Conditions = NonNullable<Measurement["at"]>;

/** A measurement and its place in a panel. */
export interface Point {
  /** The measurement. */
  readonly measurement: Measurement;
  /** The size of a frame in bytes, or null if the measurement has none. */
  readonly size: number | null;
  /** The name of the series: the policy, a sync call, or ordinary memory. */
  readonly series: string;
  /** For a measurement of ordinary memory: the policy of its case. Otherwise null. */
  readonly measuredWith: string | null;
  /** The percentage of samples below the value, for a percentile. Otherwise null. */
  readonly percentile: number | null;
}

/** The points of a chart and a table. */
export interface Panel {
  /** The common conditions of the points in words; may be empty. */
  readonly title: string;
  /** The sizes in the order of the rows; `[null]` if the measurements have no size. */
  readonly sizes: readonly (number | null)[];
  /** The names of the series, in the order of the columns. */
  readonly series: readonly string[];
  /** All points. */
  readonly points: readonly Point[];
}

/** All measurements of one name and unit. */
export interface Metric {
  /** The name, such as `throughput`. */
  readonly name: string;
  /** The unit. */
  readonly unit: string;
  /** The panels. */
  readonly panels: readonly Panel[];
}

/**
 * The greatest numbers of metrics, of panels of a metric, and of points, rows and columns of a panel. A
 * benchmark has fewer.
 */
const MOST_METRICS = 48;
const MOST_PANELS = 48;
const MOST_POINTS = 4096;
const MOST_ROWS = 64;
const MOST_COLUMNS = 24;

/** The suffix of measurements of the short loops with which a benchmark verifies its cases. */
export const SHORT = " of short loops";

const WORDS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  direction: { tx: "transmit", rx: "receive", loop: "loop" },
  touched: { true: "data accessed", false: "data not accessed" },
  depth: { max: "queue full", 1: "one at a time" },
};

/** The conditions in the order in which they sort panels. */
const KEYS = ["policy", "access", "direction", "touched", "depth", "size"];

/**
 * Groups the measurements of a run into metrics.
 *
 * @param results The results of the run
 * @returns The metrics, in the order of the first measurement of each, and the number of measurements
 * that were omitted because there are too many
 */
export function collectMetrics(
  results: Pick<Results, "tests">,
): { readonly metrics: readonly Metric[]; readonly omitted: number } {
  let omitted = 0;
  const bench = results.tests.some((test) => test.measurements.some((one) => one.at !== undefined));
  const metrics = new Map<string, { name: string; unit: string; panels: Map<string, Mutable> }>();
  for (const { suite, policy, params, measurements } of results.tests) {
    for (const measurement of measurements) {
      const { unit } = measurement;
      // a benchmark verifies each case with a loop that is too short for a measurement
      const short = bench && measurement.at === undefined;
      const name = short ? `${measurement.name}${SHORT}` : measurement.name;
      const at = measurement.at ??
        { ...pick(params ?? {}, ["size", "depth"]), ...(short ? { suite } : {}) };
      const key = JSON.stringify([name, unit]);
      if (metrics.size >= MOST_METRICS && !metrics.has(key)) {
        omitted++;
        continue;
      }
      const metric = metrics.get(key) ?? { name, unit, panels: new Map<string, Mutable>() };
      metrics.set(key, metric);
      const { title, rank, point } = place(measurement, { ...at, ...queueOf(at, params) }, policy);
      const panel = metric.panels.get(title) ?? { title, rank, points: [] };
      if (
        panel.points.length >= MOST_POINTS ||
        (metric.panels.size >= MOST_PANELS && !metric.panels.has(title))
      ) {
        omitted++;
        continue;
      }
      metric.panels.set(title, panel);
      panel.points.push(point);
    }
  }
  const sorted = [...metrics.values()].map(({ name, unit, panels }) => ({
    name,
    unit,
    panels: [...panels.values()].sort(compareRanks).map(({ title, points }) => ({
      title,
      points,
      sizes: [...new Set(points.map(({ size }) => size))].sort((a, b) => (a ?? 0) - (b ?? 0))
        .slice(0, MOST_ROWS),
      series: sortSeries(points.map(({ series }) => series)).slice(0, MOST_COLUMNS),
    })),
  }));
  for (const { sizes, series, points } of sorted.flatMap(({ panels }) => panels)) {
    const shown = points.filter((one) => sizes.includes(one.size) && series.includes(one.series));
    omitted += points.length - shown.length;
  }
  return { metrics: sorted, omitted };
}

/**
 * Finds the points of a table cell.
 *
 * @param panel The panel
 * @param size The size of the row
 * @param series The series of the column
 * @returns The points: more than one if several cases measured the same
 */
export function pointsAt(panel: Panel, size: number | null, series: string): readonly Point[] {
  return panel.points.filter((point) =>
    point.size === size && point.series === series && point.percentile === null
  );
}

interface Mutable {
  readonly title: string;
  readonly rank: readonly string[];
  readonly points: Point[];
}

/** Finds the panel of a measurement, and makes its point. */
function place(
  measurement: Measurement,
  at: Conditions,
  policy: string | null,
): { title: string; rank: string[]; point: Point } {
  const { size, percentile, ...rest } = at;
  const keys: Record<string, string> = {};
  for (const [key, value] of Object.entries(rest)) keys[key] = String(value);
  let series = keys["policy"] ?? policy ?? "all";
  delete keys["policy"];
  if (keys["call"] !== undefined) {
    keys["policy"] = series;
    series = keys["call"];
    delete keys["call"];
  }
  const measuredWith = keys["memory"] === "ordinary" ? series : null;
  if (measuredWith !== null) series = "ordinary memory";
  delete keys["memory"];
  const names = Object.keys(keys).sort((a, b) => order(a) - order(b) || (a < b ? -1 : 1));
  return {
    title: names.map((key) => describeCondition(key, keys[key] ?? "")).join(", "),
    rank: names.map((key) =>
      key === "policy" ? `p${policyRank(keys[key] ?? "")}` : keys[key] ?? ""
    ),
    point: {
      measurement,
      series,
      measuredWith,
      size: typeof size === "number" ? size : null,
      percentile: typeof percentile === "number" ? percentile : null,
    },
  };
}

/** The depth of a full queue depends on the size. All full queues belong to one line of a chart. */
function queueOf(
  at: Conditions,
  params: Readonly<Record<string, unknown>> | undefined,
): Conditions {
  return at["depth"] !== undefined && params?.["depth"] === "max" ? { depth: "max" } : {};
}

/**
 * Describes a condition.
 *
 * @param key The key, such as `direction`
 * @param value The value, such as `tx`
 * @returns Words, such as `transmit`
 */
export function describeCondition(key: string, value: string): string {
  const words = Object.hasOwn(WORDS, key) ? WORDS[key] : undefined;
  if (words !== undefined && Object.hasOwn(words, value)) return words[value] ?? value;
  return key === "policy" || key === "access" ? value : `${key} ${value}`;
}

function order(key: string): number {
  const at = KEYS.indexOf(key);
  return at < 0 ? KEYS.length : at;
}

function policyRank(policy: string): string {
  const known = sortSeries(["coherent", "streaming", "streaming-lazy", "noncoherent", policy]);
  return String(known.indexOf(policy)).padStart(2, "0");
}

/** Compares the order of two panels: transmit before receive, and numbers by their value. */
function compareRanks(a: { rank: readonly string[] }, b: { rank: readonly string[] }): number {
  const first = ["tx", "rx", "loop", "false", "true", "max"];
  for (const [i, one] of a.rank.entries()) {
    const other = b.rank[i] ?? "";
    if (one === other) continue;
    const places = [one, other].map((value) => first.indexOf(value)) as [number, number];
    if (!places.includes(-1)) return places[0] - places[1];
    if (places[0] !== places[1]) return places[1] - places[0];
    const numbers = [one, other].map(Number) as [number, number];
    if (!numbers.some(Number.isNaN)) return numbers[1] - numbers[0];
    return one < other ? -1 : 1;
  }
  return 0;
}

function pick(from: Readonly<Record<string, unknown>>, keys: readonly string[]): Conditions {
  const picked: Record<string, string | number | boolean> = {};
  for (const key of keys) {
    const value = from[key];
    if (typeof value === "number" || typeof value === "string") picked[key] = value;
  }
  return picked;
}

/**
 * Describes the size of a row.
 *
 * @param size The size in bytes, or null
 * @returns Words, such as `4 KiB` or `any size`
 */
export function rowText(size: number | null): string {
  return size === null ? "any size" : sizeText(size);
}
