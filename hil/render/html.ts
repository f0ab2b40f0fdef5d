// SPDX-License-Identifier: MIT
/**
 * Results as one HTML file. The charts need npm packages, so a separate program makes the page
 * (`hil/report/`). It reads the results from standard input and has no permissions.
 *
 * @module
 */
import { writeWhole } from "../../fixtures/host/write_whole.ts";
import type { Comparison } from "../results/compare.ts";
import type { Results, TestResult } from "../results/schema.ts";
import { printable, truncate } from "../text/text.ts";
import { type PagePicture, PagePictures } from "./pictures.ts";
import { ROOT } from "../settings/paths.ts";
import { errorMessage } from "../text/error_message.ts";

/** A run on the page. */
export interface HtmlRun {
  /** The title of the run, such as the name of its file. */
  readonly name: string;
  /** The results of the run. */
  readonly results: Results;
  /** The folder of the run, in which attachments lie. Defaults to none. */
  readonly folder?: string;
  /** The changes since another run, `base`. */
  readonly comparison?: Comparison & { readonly base: string };
}

/** A case as the program gets it, with no more faults than the page shows. */
export interface HtmlTest extends TestResult {
  /** The number of all faults. */
  readonly faultCount: number;
  /** The pictures that it attached; absent for none. */
  readonly pictures?: readonly PagePicture[];
}

/** The input of the program. */
export interface HtmlInput {
  /** The runs, in the order of the page. */
  readonly runs: readonly (Omit<HtmlRun, "results"> & {
    readonly results: Omit<Results, "tests"> & { readonly tests: readonly HtmlTest[] };
    /** The number of measurements that were omitted because there are too many. */
    readonly omitted: number;
  })[];
}

const FOLDER = `${ROOT}hil/report`;
/** The time limit of the program in seconds, including the download of the packages. */
const TIMEOUT = 180;
/** The number of faults that the page shows of a case. */
const MOST_FAULTS = 16;
/** The number of measurements that the page gets of a run. A whole benchmark has a sixth of that. */
const MOST_MEASUREMENTS = 40_000;
/** The longest text. Only hostile results have longer names and reasons. */
const MOST_TEXT = 2000;

/**
 * Writes a page. The verdict of a run does not depend on whether it can be made, for example because a package
 * is missing; but a file that cannot be written is an error, as for all other files.
 *
 * @param file The absolute path of the page
 * @param runs The runs to show
 * @returns Null, or one line that says why there is no page
 * @throws {Error} If the file cannot be written
 */
export async function writeHtml(file: string, runs: readonly HtmlRun[]): Promise<string | null> {
  let html: Uint8Array;
  try {
    html = await makeHtml(runs);
  } catch (error) {
    const why = errorMessage(error);
    return printable(`The HTML report could not be made: ${why}`);
  }
  await writeWhole(file, html);
  return null;
}

async function makeHtml(runs: readonly HtmlRun[]): Promise<Uint8Array> {
  const main = `${FOLDER}/main.ts`;
  try {
    Deno.statSync(main);
  } catch {
    throw new Error(
      "this installation does not include hil/report: run plumbline report in a checkout",
    );
  }
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", "--no-check", "--frozen", `--config=${FOLDER}/deno.json`, main],
    env: { NO_COLOR: "1" },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const late = setTimeout(() => child.kill("SIGKILL"), TIMEOUT * 1000);
  try {
    const written = feed(child.stdin, JSON.stringify(inputFor(runs)));
    const { code, signal, stdout, stderr } = await child.output();
    await written;
    if (code === 0) return stdout;
    if (signal === "SIGKILL") throw new Error(`it took more than ${TIMEOUT} s`);
    throw new Error(explain(new TextDecoder().decode(stderr)));
  } finally {
    clearTimeout(late);
  }
}

async function feed(stdin: WritableStream<Uint8Array>, text: string): Promise<void> {
  try {
    await new Blob([text]).stream().pipeTo(stdin);
  } catch {
    // the program ended early, and its error output says why
  }
}

/** Finds the reason in the error output of Deno or the program. */
function explain(stderr: string): string {
  const lines = stderr.split("\n").map((line) => line.trim()).filter((line) => line !== "");
  const error = lines.find((line) => /^error\b/i.test(line)) ?? lines.at(-1) ?? "it gave no reason";
  const text = error.replace(/^error: (?:Uncaught )?(?:\(in promise\) )?/, "").slice(0, 300);
  return /\bnpm\b/.test(text)
    ? `its charts need npm packages that are not available here (${text}): run ` +
      "plumbline report on a machine with a network"
    : text;
}

function inputFor(runs: readonly HtmlRun[]): HtmlInput {
  const pictures = new PagePictures();
  return {
    runs: runs.map(({ name, results, folder = null, comparison }) => {
      // unknown keys are omitted
      const { schema, tool, board, bitstream, run, summary, power } = results;
      const { verdict, diagnosis, selfcheck, advice, crossovers, environment, soak } = results;
      const known = { schema, tool, board, bitstream, run, summary, power, verdict, selfcheck };
      let left = MOST_MEASUREMENTS;
      const tests = results.tests.map((test) => {
        const measurements = test.measurements.slice(0, left);
        left -= measurements.length;
        const faults = test.faults.slice(0, MOST_FAULTS);
        return { ...test, measurements, faults, faultCount: test.allFaults ?? test.faults.length };
      });
      const shown = { ...known, diagnosis, advice, crossovers, environment, soak, tests };
      const count = results.tests.reduce((sum, test) => sum + test.measurements.length, 0);
      const omitted = Math.max(0, count - MOST_MEASUREMENTS);
      const page = limited(
        { name, results: shown, comparison, omitted },
        0,
      ) as HtmlInput["runs"][number];
      // the page gets pictures whole
      const whole = page.results.tests.map((test, i) => {
        const read = pictures.read(folder, results.tests[i]?.attachments);
        return read.length === 0 ? test : { ...test, pictures: read };
      });
      return { ...page, results: { ...page.results, tests: whole } };
    }),
  };
}

/** Copies a value without endless texts and without deep nesting. */
function limited(value: unknown, depth: number): unknown {
  if (typeof value === "string") {
    return truncate(value, MOST_TEXT);
  }
  if (typeof value !== "object" || value === null) return value;
  if (depth > 9) return null;
  if (Array.isArray(value)) return value.map((item) => limited(item, depth + 1));
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [limited(key, 0), limited(item, depth + 1)]),
  );
}
