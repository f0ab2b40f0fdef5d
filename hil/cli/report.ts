// SPDX-License-Identifier: MIT
/**
 * `plumbline report`: the results of runs, also of runs that died, as text, as a page, or compared
 * with an earlier run.
 *
 * @module
 */
import {
  compareResults,
  type Comparison,
  type MeasurementChange,
  type OutcomeChange,
  worstFirst,
} from "../results/compare.ts";
import { type HtmlRun, writeHtml } from "../render/html.ts";
import { toJUnit } from "../render/junit.ts";
import { applyLimits } from "../results/limits.ts";
import type { Measurement } from "../results/schema.ts";
import type { Arguments } from "../settings/arguments.ts";
import { parseName, UsageError } from "../settings/values.ts";
import { printable } from "../text/text.ts";
import {
  type Command,
  EXIT,
  HTML_OPTION,
  JSON_OPTION,
  JUNIT_OPTION,
  LIMITS_OPTION,
  QUIET_OPTION,
} from "./command.ts";
import { jsonFile, notice, outputFile, showResults, writeText } from "./output.ts";
import { limitsFrom } from "./plan.ts";
import { readRuns, type Run } from "./results_file.ts";

/** `plumbline report`. */
export const report: Command = {
  line: {
    command: "plumbline report",
    purpose: "Show the results of runs, also of a run that died.",
    details: "RESULTS is the folder of a run, its journal, or its results as JSON.",
    operands: "RESULTS ...",
    groups: [{
      title: "Options",
      options: [
        HTML_OPTION,
        { name: "compare", value: "RESULTS", help: "Show what changed since that earlier run" },
        {
          name: "fail-on",
          value: "regression",
          help: "With --compare: exit 1 if something failed, slowed down or is missing",
        },
        LIMITS_OPTION,
        JSON_OPTION,
        JUNIT_OPTION,
        QUIET_OPTION,
      ],
    }],
    examples: [
      ["plumbline report results/today --html report.html", "Make a page of a run"],
      [
        "plumbline report results/today --compare results/base --fail-on regression",
        "Compare two runs",
      ],
    ],
    exit: { ...EXIT, 1: "The design failed, or --fail-on found a regression" },
  },
  run: showRuns,
};

/** Changes that are shown one by one. */
const MOST_CHANGES = 20;

/** What the options ask for. */
interface Wanted {
  readonly base: string | undefined;
  readonly failOnRegression: boolean;
  readonly json: string | null;
  readonly junit: string | null;
  readonly html: string | null;
  readonly quiet: boolean;
}

async function showRuns(given: Arguments): Promise<number> {
  const wanted = readOptions(given);
  const runs = compareAll(given, wanted.base);
  for (const { results } of runs) {
    if (wanted.json !== null) {
      await writeText(wanted.json, JSON.stringify(results, null, 2) + "\n");
    }
    if (wanted.junit !== null) await writeText(wanted.junit, toJUnit(results));
  }
  for (const { name, results, comparison } of runs) {
    if (runs.length > 1) console.error(`${printable(name)}:`);
    showResults(results, results.verdict, wanted.quiet);
    if (comparison !== undefined) showComparison(comparison, wanted.quiet);
  }
  if (wanted.html !== null) {
    const problem = await writeHtml(wanted.html, runs);
    if (problem !== null) notice(problem);
  }
  return exitStatus(runs, wanted.failOnRegression);
}

function readOptions({ values, switches, operands }: Arguments): Wanted {
  const { compare: base, "fail-on": failOn } = values;
  if (failOn !== undefined) {
    parseName("--fail-on", failOn, ["regression"]);
    if (base === undefined) throw new UsageError("--fail-on needs a base: add --compare RESULTS");
  }
  const json = jsonFile(values["json"]);
  const junit = outputFile("--junit", values["junit"]);
  if (operands.length > 1 && (json !== null || junit !== null)) {
    throw new UsageError(`--json and --junit take one run, found ${operands.length}`);
  }
  return {
    base,
    failOnRegression: failOn !== undefined,
    json,
    junit,
    html: outputFile("--html", values["html"]),
    quiet: switches.has("quiet"),
  };
}

/** Reads the runs, and compares each with the base if there is one. */
function compareAll({ values, operands }: Arguments, base: string | undefined): (Run & HtmlRun)[] {
  const limits = values["limits"] === undefined ? [] : limitsFrom(values["limits"]);
  const read = readRuns(base === undefined ? operands : [base, ...operands]).map((one) =>
    limits.length === 0 ? one : { ...one, results: applyLimits(one.results, limits) }
  );
  const earlier = base === undefined ? undefined : read.shift();
  if (earlier === undefined) return read;
  return read.map((one) => ({
    ...one,
    comparison: { ...compareResults(earlier.results, one.results), base: earlier.name },
  }));
}

/** The exit status of the worst run. A failed design is worse than failed infrastructure. */
function exitStatus(runs: readonly (Run & HtmlRun)[], failOnRegression: boolean): number {
  const regressed = runs.some(({ comparison }) =>
    comparison !== undefined && comparison.regressions + comparison.lost > 0
  );
  const exits: number[] = runs.map(({ results }) => results.verdict.exit);
  if (exits.includes(1) || (failOnRegression && regressed)) return 1;
  return Math.max(...exits);
}

/** Shows what changed. */
function showComparison(comparison: Comparison & { base: string }, quiet: boolean): void {
  const { outcomes, measurements, judged, unjudged, largestUnjudged, differences, base } =
    comparison;
  if (!quiet) {
    for (const line of differences) notice(printable(`the runs differ: ${line}`));
    const changes = [...outcomes, ...measurements].sort(worstFirst);
    for (const one of changes.slice(0, MOST_CHANGES)) showChange(one);
    if (changes.length > MOST_CHANGES) {
      console.error(`  ... and ${changes.length - MOST_CHANGES} more changes`);
    }
    for (const one of largestUnjudged) showChange(one);
    if (unjudged > largestUnjudged.length) {
      console.error(
        `  ... and ${
          unjudged - largestUnjudged.length
        } more without a spread, which cannot be judged`,
      );
    }
  }
  const { regressions, lost } = comparison;
  const worse = regressions === 1 ? "1 regression" : `${regressions} regressions`;
  const gone = lost === 0 ? "" : `, ${lost} lost`;
  const blind = unjudged === 0
    ? ""
    : `, changed but not judged, because they have no spread: ${unjudged}`;
  notice(printable(`${worse}${gone} since ${base}; measurements compared: ${judged}${blind}`));
}

function showChange(one: OutcomeChange | MeasurementChange): void {
  const { suite, name, change } = one;
  const what = "reason" in one
    ? `${one.from ?? "nothing"} to ${one.to ?? "nothing"}` +
      (one.reason === null ? "" : `: ${one.reason}`)
    : describeMeasurement(one);
  console.error(printable(`  ${change}: ${suite}: ${name}: ${what}`));
}

function describeMeasurement({ from, to }: MeasurementChange): string {
  const at = Object.entries(from.at ?? {}).map(([key, value]) => `${key}=${value}`).join(" ");
  const what = `${from.name}${at === "" ? "" : ` ${at}`}: ${describe(from)}`;
  if (to === null) return `${what} ${from.unit} to nothing`;
  const percent = 100 * (to.value / from.value - 1);
  const by = Number.isFinite(percent) ? ` (${percent > 0 ? "+" : ""}${percent.toFixed(0)} %)` : "";
  return `${what} to ${describe(to)} ${to.unit}${by}`;
}

/** Writes a measurement, with its spread if it has one. */
function describe({ value, spread }: Measurement): string {
  const [middle, low, high] = [value, spread?.p5 ?? 0, spread?.p95 ?? 0].map((one) =>
    one.toPrecision(3)
  );
  return spread === undefined ? `${middle}` : `${middle} [${low}, ${high}]`;
}
