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
import { applyLimits } from "../results/limits.ts";
import type { Measurement } from "../results/schema.ts";
import type { Arguments } from "../settings/arguments.ts";
import { parseName, UsageError } from "../settings/values.ts";
import { plural } from "../text/format.ts";
import { printable } from "../text/text.ts";
import {
  type Command,
  EXIT,
  FORMAT_OPTIONS,
  HTML_OPTION,
  JSON_OPTION,
  LIMITS_OPTION,
  QUIET_OPTION,
} from "./command.ts";
import { makeBundle } from "./bundle.ts";
import {
  type FormatFile,
  formatFiles,
  jsonFile,
  notice,
  outputFile,
  outputFor,
  showResults,
  writeResults,
  written,
} from "./output.ts";
import { limitsFrom } from "./plan.ts";
import { readRuns, type Run } from "./results_file.ts";

/** `plumbline report`. */
export const report: Command = {
  line: {
    command: "plumbline report",
    purpose: "Show the results of runs, also of a run that died.",
    details:
      "RESULTS is the folder of a run, its journal, its results as JSON, or a bundle, which " +
      "is judged again.",
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
        {
          name: "bundle",
          value: "FILE",
          help: "Write one file with the run and what its machine says, without names and " +
            "addresses, to send to others",
        },
        LIMITS_OPTION,
        JSON_OPTION,
        ...FORMAT_OPTIONS,
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
    exit: {
      ...EXIT,
      1: "The design failed, or --fail-on found a regression",
      3: "The infrastructure failed, a run died, or it is still going",
    },
  },
  run: showRuns,
};

/** Changes that are shown one by one. */
const MOST_CHANGES = 20;

/** The greatest ratio that is shown in percent. */
const MOST_FACTOR = 3;

/** What the options ask for. */
interface Wanted {
  readonly base: string | undefined;
  readonly failOnRegression: boolean;
  readonly json: string | null;
  readonly formats: readonly FormatFile[];
  readonly html: string | null;
  readonly bundle: string | null;
  readonly quiet: boolean;
}

async function showRuns(given: Arguments): Promise<number> {
  const wanted = readOptions(given);
  const runs = compareAll(given, wanted.base);
  for (const { results } of runs) {
    if (wanted.json !== null) {
      await writeResults(wanted.json, JSON.stringify(results, null, 2) + "\n");
    }
    for (const { file, render } of wanted.formats) await writeResults(file, render(results, []));
  }
  if (wanted.bundle !== null) {
    const bundle = makeBundle(given.operands[0] ?? "");
    await writeResults(wanted.bundle, JSON.stringify(bundle, null, 2) + "\n");
    notice(`${wanted.bundle}: look through it before you send it`);
  }
  for (const { name, results, comparison } of runs) {
    const { print } = outputFor(wanted.json);
    if (runs.length > 1) print(`${printable(name)}:`);
    showResults(results, results.verdict, wanted);
    if (comparison !== undefined) showComparison(comparison, wanted.quiet, print);
  }
  if (wanted.html !== null) {
    const html = wanted.html;
    const problem = await written(html, () => writeHtml(html, runs));
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
  const formats = formatFiles(values);
  const bundle = outputFile("--bundle", values["bundle"]);
  if (bundle !== null && operands.length > 1) {
    throw new UsageError(`--bundle takes one run, found ${operands.length}`);
  }
  if (operands.length > 1 && (json !== null || formats.length > 0)) {
    const names = ["json", ...FORMAT_OPTIONS.map(({ name }) => name)];
    throw new UsageError(
      `${names.map((name) => `--${name}`).join(", ")} take one run, found ${operands.length}`,
    );
  }
  return {
    base,
    failOnRegression: failOn !== undefined,
    json,
    formats,
    html: outputFile("--html", values["html"]),
    bundle,
    quiet: switches.has("quiet"),
  };
}

/** Reads the runs, and compares each with the base if there is one. */
function compareAll({ values, operands }: Arguments, base: string | undefined): (Run & HtmlRun)[] {
  const limits = values["limits"] === undefined ? [] : limitsFrom(values["limits"]);
  const read = readRuns(base === undefined ? operands : [base, ...operands]).map((one) =>
    limits.length === 0 ? one : { ...one, results: applyLimits(one.results, limits) }
  ).map((one) => ({ ...one, folder: folderOf(one.name) }));
  const earlier = base === undefined ? undefined : read.shift();
  if (earlier === undefined) return read;
  return read.map((one) => ({
    ...one,
    comparison: { ...compareResults(earlier.results, one.results), base: earlier.name },
  }));
}

/** The folder in which a run's attachments lie: the run itself, or that of its file. */
function folderOf(run: string): string {
  try {
    if (Deno.statSync(run).isDirectory) return run;
  } catch {
    // it was read, so something else is wrong with it
  }
  return run.includes("/") ? run.replace(/\/[^/]*$/, "") || "/" : ".";
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
function showComparison(
  comparison: Comparison & { base: string },
  quiet: boolean,
  print: (text: string) => void,
): void {
  const { outcomes, measurements, judged, unjudged, largestUnjudged, differences, base } =
    comparison;
  if (!quiet) {
    for (const line of differences) notice(printable(`the runs differ: ${line}`));
    const changes = [...outcomes, ...measurements].sort(worstFirst);
    const alike = [...Map.groupBy(changes, kindOfChange).values()];
    for (const [one, ...more] of alike.slice(0, MOST_CHANGES)) {
      if (one !== undefined) print(describeChange(one));
      if (more.length > 0) print(`    ... and ${plural(more.length, "case")} alike`);
    }
    const rest = alike.slice(MOST_CHANGES).flat().length;
    if (rest > 0) print(`  ... and ${rest} more changes`);
    for (const one of largestUnjudged) print(describeChange(one));
    if (unjudged > largestUnjudged.length) {
      print(
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
  print(
    printable(
      `Comparison: ${worse}${gone} since ${base}; measurements compared: ${judged}${blind}`,
    ),
  );
}

/** Changes of outcomes are alike if suite, outcomes and reason are the same. */
function kindOfChange(one: OutcomeChange | MeasurementChange): string {
  return "reason" in one
    ? [one.change, one.suite, one.from, one.to, one.reason].join("\0")
    : JSON.stringify([one.suite, one.name, one.from]);
}

function describeChange(one: OutcomeChange | MeasurementChange): string {
  const { suite, name, change } = one;
  const what = "reason" in one
    ? `${one.from ?? "nothing"} to ${one.to ?? "nothing"}` +
      (one.reason === null ? "" : `: ${one.reason}`)
    : describeMeasurement(one);
  return printable(`  ${change}: ${suite}: ${name}: ${what}`);
}

function describeMeasurement({ from, to }: MeasurementChange): string {
  const at = Object.entries(from.at ?? {}).map(([key, value]) => `${key}=${value}`).join(" ");
  const what = `${from.name}${at === "" ? "" : ` ${at}`}: ${describe(from)}`;
  if (to === null) return `${what} ${from.unit} to nothing`;
  const factor = to.value / from.value;
  const percent = 100 * (factor - 1);
  const by = !Number.isFinite(percent)
    ? ""
    : factor > MOST_FACTOR
    ? ` (${factor.toPrecision(2)} times as much)`
    : ` (${percent > 0 ? "+" : ""}${percent.toFixed(0)} %)`;
  return `${what} to ${describe(to)} ${to.unit}${by}`;
}

/** Writes a measurement, with its spread if it has one. */
function describe({ value, spread }: Measurement): string {
  const [middle, low, high] = [value, spread?.p5 ?? 0, spread?.p95 ?? 0].map((one) =>
    one.toPrecision(3)
  );
  return spread === undefined ? `${middle}` : `${middle} [${low}, ${high}]`;
}
