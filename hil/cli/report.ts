// SPDX-License-Identifier: MIT
/**
 * `plumbline report`: what runs said, also one whose writer died; as a page; against an earlier run.
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
import { toJUnit } from "../render/junit.ts";
import { applyLimits, type Limit, LimitsError, readLimits } from "../results/limits.ts";
import type { Measurement } from "../results/schema.ts";
import { printable } from "../text/text.ts";
import { parseName } from "../settings/values.ts";
import { type HtmlRun, writeHtml } from "../render/html.ts";
import { commandHelp, type OptionInfo, parseOptions, UsageError } from "./options.ts";
import { outputFile, say, tellResults, writeText } from "./output.ts";
import { place } from "../settings/place.ts";
import { readRuns, type Run } from "./results_file.ts";
import { errorMessage } from "../text/error_message.ts";

/** Every option of `plumbline report`. */
const OPTIONS: readonly OptionInfo[] = [
  { name: "html", value: "FILE", help: "write a page with charts, in one file" },
  { name: "compare", value: "BASE", help: "tell what failed, slowed down or is gone since" },
  { name: "fail-on", value: "regression", help: "then exit 1 when something did" },
  { name: "limits", value: "FILE", help: "hold measurements against these: see hil/bench" },
  { name: "json", value: "FILE", help: "write the results; - is standard output" },
  { name: "junit", value: "FILE", help: "write them as JUnit XML" },
  { name: "quiet", value: null, help: "print the verdict only" },
  { name: "help", value: null, help: "this text" },
  { name: "version", value: null, help: "the version" },
];

/** Changes that are told one by one. */
const MOST_CHANGES = 20;

/**
 * Tell what runs said.
 *
 * @param args the arguments behind `report`
 * @returns the exit status that the worst of the runs deserved, or 1 for a regression when asked to
 * @throws {UsageError} for a command line that makes no sense, or a file that holds no run
 */
export async function report(args: readonly string[]): Promise<number> {
  const { values, switches, rest } = parseOptions("report", args, OPTIONS);
  if (switches.has("help")) {
    console.log(commandHelp(
      "report [OPTIONS] RESULTS ...",
      "What runs said, from their folder, journal or JSON; also of one that died.",
      OPTIONS,
      "as of the worst run: 0 as expected, 1 the design failed, 3 the bench",
    ));
    return 0;
  }
  if (rest.length === 0) {
    throw new UsageError("plumbline report takes results: their folder, journal or JSON, found 0");
  }
  const base = values["compare"];
  const failOn = checkFailOn(values["fail-on"], base);
  const json = values["json"] === "-" ? "-" : outputFile("--json", values["json"] ?? null);
  const junit = outputFile("--junit", values["junit"] ?? null);
  const html = outputFile("--html", values["html"] ?? null);
  if (rest.length > 1 && (json !== null || junit !== null)) {
    throw new UsageError(`--json and --junit take one run, found ${rest.length}`);
  }

  const limits = checkLimits(values["limits"]);
  const read = readRuns(base === undefined ? rest : [base, ...rest]).map((one) =>
    limits.length === 0 ? one : { ...one, results: applyLimits(one.results, limits) }
  );
  const earlier = base === undefined ? undefined : read.shift();
  const runs: (Run & HtmlRun)[] = read.map((one) =>
    earlier === undefined ? one : {
      ...one,
      comparison: { ...compareResults(earlier.results, one.results), base: earlier.name },
    }
  );
  for (const { results } of runs) {
    if (json !== null) await writeText(json, JSON.stringify(results, null, 2) + "\n");
    if (junit !== null) await writeText(junit, toJUnit(results));
  }
  const quiet = switches.has("quiet");
  for (const { name, results, comparison } of runs) {
    if (runs.length > 1) console.error(`${printable(name)}:`);
    tellResults(results, results.verdict, quiet);
    if (comparison !== undefined) tellComparison(comparison, quiet);
  }
  if (html !== null) {
    const why = await writeHtml(html, runs);
    if (why !== null) say(why);
  }
  const regressed = runs.some(({ comparison }) =>
    comparison !== undefined && comparison.regressions + comparison.lost > 0
  );
  const exits: number[] = runs.map(({ results }) => results.verdict.exit);
  if (exits.includes(1) || (failOn && regressed)) return 1;
  return Math.max(...exits);
}

function checkLimits(path: string | undefined): Limit[] {
  try {
    return path === undefined ? [] : readLimits(place(path));
  } catch (error) {
    if (error instanceof LimitsError) throw new UsageError(printable(error.message));
    throw error;
  }
}

function checkFailOn(value: string | undefined, base: string | undefined): boolean {
  if (value === undefined) return false;
  try {
    parseName("--fail-on", value, ["regression"]);
  } catch (error) {
    throw new UsageError(errorMessage(error));
  }
  if (base === undefined) throw new UsageError("--fail-on regression needs --compare BASE");
  return true;
}

/** Tell a person what changed. */
function tellComparison(comparison: Comparison & { base: string }, quiet: boolean): void {
  const { outcomes, measurements, judged, unjudged, largestUnjudged, differences, base } =
    comparison;
  if (!quiet) {
    for (const line of differences) say(printable(`the runs differ: ${line}`));
    const changes = [...outcomes, ...measurements].sort(worstFirst);
    for (const one of changes.slice(0, MOST_CHANGES)) tellChange(one);
    if (changes.length > MOST_CHANGES) {
      console.error(`  ... and ${changes.length - MOST_CHANGES} more changes`);
    }
    for (const one of largestUnjudged) tellChange(one);
    if (unjudged > largestUnjudged.length) {
      console.error(`  ... and ${unjudged - largestUnjudged.length} more that nobody can judge`);
    }
  }
  const { regressions, lost } = comparison;
  const worse = regressions === 1 ? "1 regression" : `${regressions} regressions`;
  const gone = lost === 0 ? "" : `, ${lost} lost`;
  const blind = unjudged === 0 ? "" : `, changed but not judged for want of a spread: ${unjudged}`;
  say(printable(`${worse}${gone} since ${base}; figures compared: ${judged}${blind}`));
}

function tellChange(one: OutcomeChange | MeasurementChange): void {
  const { suite, name, change } = one;
  const what = "reason" in one
    ? `${one.from ?? "nothing"} to ${one.to ?? "nothing"}` +
      (one.reason === null ? "" : `: ${one.reason}`)
    : describeFigure(one);
  console.error(printable(`  ${change}: ${suite}: ${name}: ${what}`));
}

function describeFigure({ from, to }: MeasurementChange): string {
  const at = Object.entries(from.at ?? {}).map(([key, value]) => `${key}=${value}`).join(" ");
  const what = `${from.name}${at === "" ? "" : ` ${at}`}: ${describe(from)}`;
  if (to === null) return `${what} ${from.unit} to nothing`;
  const percent = 100 * (to.value / from.value - 1);
  const by = Number.isFinite(percent) ? ` (${percent > 0 ? "+" : ""}${percent.toFixed(0)} %)` : "";
  return `${what} to ${describe(to)} ${to.unit}${by}`;
}

/** A figure, with its spread where it has one. */
function describe({ value, spread }: Measurement): string {
  const [middle, low, high] = [value, spread?.p5 ?? 0, spread?.p95 ?? 0].map((one) =>
    one.toPrecision(3)
  );
  return spread === undefined ? `${middle}` : `${middle} [${low}, ${high}]`;
}
