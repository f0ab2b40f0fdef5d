// SPDX-License-Identifier: MIT
/**
 * Measurements of many cases, sorted into figures: one for each name, with panels of which each has a
 * table of size (or nothing) by series.
 *
 * @module
 */
import type { Measurement, Results } from "../results/schema.ts";
import { sortSeries } from "./styles.ts";
import { sizeText } from "./text.ts";

/** What was varied. */
type At = NonNullable<Measurement["at"]>;

/** One measurement, with what it is of. */
export interface Point {
  /** The measurement. */
  readonly measurement: Measurement;
  /** Bytes of a frame, or null where the size does not matter. */
  readonly size: number | null;
  /** The policy, a sync call, or what else is told apart by colour. */
  readonly series: string;
  /** The policy that ordinary memory was measured beside; null for everything else. */
  readonly beside: string | null;
  /** Which percent of the samples lie below, for a point of a distribution. */
  readonly percentile: number | null;
}

/** Points that share a chart and a table. */
export interface Panel {
  /** What they have in common, in words; may be empty. */
  readonly title: string;
  /** Bytes in the order of rows; `[null]` where the size does not matter. */
  readonly sizes: readonly (number | null)[];
  /** Names in the order of columns. */
  readonly series: readonly string[];
  /** All of them. */
  readonly points: readonly Point[];
}

/** All measurements of one name and unit. */
export interface Figure {
  /** The name, such as `throughput`. */
  readonly name: string;
  /** The unit. */
  readonly unit: string;
  /** What belongs together. */
  readonly panels: readonly Panel[];
}

/** Figures of a run, panels of a figure, points, rows and columns of a panel; no bench makes as many. */
const MOST_FIGURES = 48;
const MOST_PANELS = 48;
const MOST_POINTS = 4096;
const MOST_ROWS = 64;
const MOST_COLUMNS = 24;

/** What follows the name of a figure that a bench did not mean to measure. */
export const SHORT = " of short loops";

const WORDS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  direction: { tx: "transmit", rx: "receive", loop: "loop" },
  touched: { true: "data touched", false: "data untouched" },
  depth: { max: "queue full", 1: "one at a time" },
};

/** Order of panels: what differs in the first key is furthest apart. */
const KEYS = ["policy", "access", "direction", "touched", "depth", "size"];

/**
 * Sort the measurements of a run into figures.
 *
 * @param results the run
 * @returns the figures, in the order in which their names come first, and how many measurements are
 * in none of them, for there are too many
 */
export function collectFigures(
  results: Pick<Results, "tests">,
): { readonly figures: readonly Figure[]; readonly omitted: number } {
  let omitted = 0;
  const bench = results.tests.some((test) => test.measurements.some((one) => one.at !== undefined));
  const figures = new Map<string, { name: string; unit: string; panels: Map<string, Mutable> }>();
  for (const { suite, policy, params, measurements } of results.tests) {
    for (const measurement of measurements) {
      const { unit } = measurement;
      // the short loops that verify each case of a bench, and are too short to measure
      const short = bench && measurement.at === undefined;
      const name = short ? `${measurement.name}${SHORT}` : measurement.name;
      const at = measurement.at ??
        { ...pick(params ?? {}, ["size", "depth"]), ...(short ? { suite } : {}) };
      const key = JSON.stringify([name, unit]);
      if (figures.size >= MOST_FIGURES && !figures.has(key)) {
        omitted++;
        continue;
      }
      const figure = figures.get(key) ?? { name, unit, panels: new Map<string, Mutable>() };
      figures.set(key, figure);
      const { title, rank, point } = place(measurement, { ...at, ...queueOf(at, params) }, policy);
      const panel = figure.panels.get(title) ?? { title, rank, points: [] };
      if (
        panel.points.length >= MOST_POINTS ||
        (figure.panels.size >= MOST_PANELS && !figure.panels.has(title))
      ) {
        omitted++;
        continue;
      }
      figure.panels.set(title, panel);
      panel.points.push(point);
    }
  }
  const sorted = [...figures.values()].map(({ name, unit, panels }) => ({
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
  return { figures: sorted, omitted };
}

/**
 * Find the point of a cell.
 *
 * @param panel the panel
 * @param size its row
 * @param series its column
 * @returns the points, several only where several cases measured the same
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

/** In which panel a measurement goes, and as what. */
function place(
  measurement: Measurement,
  at: At,
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
  const beside = keys["memory"] === "ordinary" ? series : null;
  if (beside !== null) series = "ordinary memory";
  delete keys["memory"];
  const names = Object.keys(keys).sort((a, b) => order(a) - order(b) || (a < b ? -1 : 1));
  return {
    title: names.map((key) => describeKey(key, keys[key] ?? "")).join(", "),
    rank: names.map((key) =>
      key === "policy" ? `p${policyRank(keys[key] ?? "")}` : keys[key] ?? ""
    ),
    point: {
      measurement,
      series,
      beside,
      size: typeof size === "number" ? size : null,
      percentile: typeof percentile === "number" ? percentile : null,
    },
  };
}

/** A full queue is as deep as the size allows: one line of a chart, though its depth differs. */
function queueOf(at: At, params: Readonly<Record<string, unknown>> | undefined): At {
  return at["depth"] !== undefined && params?.["depth"] === "max" ? { depth: "max" } : {};
}

/**
 * Say what was varied.
 *
 * @param key what, such as `direction`
 * @param value how
 * @returns words for a person
 */
export function describeKey(key: string, value: string): string {
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

/** What is read is looked at after what is written; numbers as numbers. */
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

function pick(from: Readonly<Record<string, unknown>>, keys: readonly string[]): At {
  const picked: Record<string, string | number | boolean> = {};
  for (const key of keys) {
    const value = from[key];
    if (typeof value === "number" || typeof value === "string") picked[key] = value;
  }
  return picked;
}

/**
 * Say a row's size.
 *
 * @param size bytes, or null
 * @returns words for a person
 */
export function rowText(size: number | null): string {
  return size === null ? "any size" : sizeText(size);
}
