// SPDX-License-Identifier: MIT
/**
 * Results as one HTML file. Charts need npm packages, which nothing here imports: a program of its own
 * makes the page (`hil/report/`), with no permission at all, from what it is given on standard input.
 *
 * @module
 */
import type { Comparison } from "../results/compare.ts";
import type { Results, TestResult } from "../results/schema.ts";
import { printable } from "../text/text.ts";
import { ROOT } from "../settings/paths.ts";
import { errorMessage } from "../text/error_message.ts";

/** A run to show. */
export interface HtmlRun {
  /** What to call it, such as the name of its file. */
  readonly name: string;
  /** What it says. */
  readonly results: Results;
  /** What changed since another run. */
  readonly comparison?: Comparison & { readonly base: string };
}

/** A case as the page gets it: with no more faults than it shows. */
export interface HtmlTest extends TestResult {
  /** How many there are. */
  readonly faultCount: number;
}

/** What the page is made from. */
export interface HtmlInput {
  /** The runs, in the order in which they are shown. */
  readonly runs: readonly (Omit<HtmlRun, "results"> & {
    readonly results: Omit<Results, "tests"> & { readonly tests: readonly HtmlTest[] };
    /** How many measurements were left out, for there are too many. */
    readonly omitted: number;
  })[];
}

const FOLDER = `${ROOT}hil/report`;
/** Seconds for the page; fetching the packages included. */
const PATIENCE = 180;
/** Faults of a case that the page shows. */
const MOST_FAULTS = 16;
/** Measurements of a run that the page gets; a whole bench has a sixth of them. */
const MOST_MEASUREMENTS = 40_000;
/** Characters of one text: names and reasons are shorter, unless somebody plays tricks. */
const MOST_TEXT = 2000;

/**
 * Write a page. What the runs say does not depend on whether that can be done.
 *
 * @param file where to, absolute
 * @param runs what to show
 * @returns null when it is written, else one line that says why not
 */
export async function writeHtml(file: string, runs: readonly HtmlRun[]): Promise<string | null> {
  try {
    const html = await makeHtml(runs);
    await Deno.writeFile(file, html);
    return null;
  } catch (error) {
    const why = errorMessage(error);
    return printable(`There is no HTML report: ${why}`);
  }
}

async function makeHtml(runs: readonly HtmlRun[]): Promise<Uint8Array> {
  const main = `${FOLDER}/main.ts`;
  try {
    Deno.statSync(main);
  } catch {
    throw new Error(
      "hil/report is not part of this installation: give the results to plumbline report where it is",
    );
  }
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", "--no-check", "--frozen", `--config=${FOLDER}/deno.json`, main],
    env: { NO_COLOR: "1" },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const late = setTimeout(() => child.kill("SIGKILL"), PATIENCE * 1000);
  try {
    const fed = feed(child.stdin, JSON.stringify(inputFor(runs)));
    const { code, signal, stdout, stderr } = await child.output();
    await fed;
    if (code === 0) return stdout;
    if (signal === "SIGKILL") throw new Error(`it was not done after ${PATIENCE} s`);
    throw new Error(explain(new TextDecoder().decode(stderr)));
  } finally {
    clearTimeout(late);
  }
}

async function feed(stdin: WritableStream<Uint8Array>, text: string): Promise<void> {
  try {
    await new Blob([text]).stream().pipeTo(stdin);
  } catch {
    // it ended early: its own words tell why
  }
}

/** Why the page was not made, from what Deno or the program said. */
function explain(stderr: string): string {
  const lines = stderr.split("\n").map((line) => line.trim()).filter((line) => line !== "");
  const error = lines.find((line) => /^error\b/i.test(line)) ?? lines.at(-1) ?? "no word of why";
  const text = error.replace(/^error: (?:Uncaught )?(?:\(in promise\) )?/, "").slice(0, 300);
  return /\bnpm\b/.test(text)
    ? `its charts need npm packages that cannot be had here (${text}): give the results to ` +
      "plumbline report on a machine with a network"
    : text;
}

function inputFor(runs: readonly HtmlRun[]): HtmlInput {
  return {
    runs: runs.map(({ name, results, comparison }) => {
      // what is not known by name stays behind
      const { schema, tool, board, bitstream, run, summary, power } = results;
      const { verdict, selfcheck, advice, crossovers, environment } = results;
      const known = { schema, tool, board, bitstream, run, summary, power, verdict, selfcheck };
      let left = MOST_MEASUREMENTS;
      const tests = results.tests.map((test) => {
        const measurements = test.measurements.slice(0, left);
        left -= measurements.length;
        const faults = test.faults.slice(0, MOST_FAULTS);
        return { ...test, measurements, faults, faultCount: test.faults.length };
      });
      const shown = { ...known, advice, crossovers, environment, tests };
      const count = results.tests.reduce((sum, test) => sum + test.measurements.length, 0);
      const omitted = Math.max(0, count - MOST_MEASUREMENTS);
      return slim({ name, results: shown, comparison, omitted }, 0) as HtmlInput["runs"][number];
    }),
  };
}

/** A copy without texts that never end, and without depths in which somebody could fall. */
function slim(value: unknown, depth: number): unknown {
  if (typeof value === "string") {
    return value.length > MOST_TEXT ? `${value.slice(0, MOST_TEXT)}…` : value;
  }
  if (typeof value !== "object" || value === null) return value;
  if (depth > 9) return null;
  if (Array.isArray(value)) return value.map((item) => slim(item, depth + 1));
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [slim(key, 0), slim(item, depth + 1)]),
  );
}
