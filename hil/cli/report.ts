// SPDX-License-Identifier: MIT
/**
 * `plumbline report`: what a journal says, also one whose writer died.
 *
 * @module
 */
import { Journal, JOURNAL_FILE } from "../journal.ts";
import { fold } from "../journal_fold.ts";
import { toJUnit } from "../junit.ts";
import type { Verdict } from "../outcome.ts";
import { checkResults, type Results, ResultsError } from "../results.ts";
import { commandHelp, type OptionInfo, parseOptions, UsageError } from "./options.ts";
import { outputFile, tellResults, writeText } from "./output.ts";
import { place } from "./place.ts";

/** Every option of `plumbline report`. */
const OPTIONS: readonly OptionInfo[] = [
  { name: "json", value: "FILE", help: "write the results; - is standard output" },
  { name: "junit", value: "FILE", help: "write them as JUnit XML" },
  { name: "quiet", value: null, help: "print the verdict only" },
  { name: "help", value: null, help: "this text" },
  { name: "version", value: null, help: "the version" },
];

/**
 * Tell what a run said.
 *
 * @param args the arguments behind `report`
 * @returns the exit status that the run deserved
 * @throws {UsageError} for a command line that makes no sense, or a file that is no journal
 */
export async function report(args: readonly string[]): Promise<number> {
  const { values, switches, rest } = parseOptions("report", args, OPTIONS);
  if (switches.has("help")) {
    console.log(commandHelp(
      "report [OPTIONS] JOURNAL",
      "What a journal, or its folder, says of a run, also of one that died.",
      OPTIONS,
      "as of the run: 0 as expected, 1 the design failed, 3 the bench failed",
    ));
    return 0;
  }
  const [path] = rest;
  if (path === undefined || rest.length > 1) {
    throw new UsageError(`plumbline report takes one journal or folder, found ${rest.length}`);
  }
  const json = values["json"] === "-" ? "-" : outputFile("--json", values["json"] ?? null);
  const junit = outputFile("--junit", values["junit"] ?? null);
  const results = readRun(place(path));
  if (json !== null) await writeText(json, JSON.stringify(results, null, 2) + "\n");
  if (junit !== null) await writeText(junit, toJUnit(results));
  tellResults(results, results.verdict, switches.has("quiet"));
  return results.verdict.exit;
}

/** Results from a folder of a run, a journal, or a file of results. */
function readRun(path: string): Results & { readonly verdict: Verdict } {
  try {
    const file = Deno.statSync(path).isDirectory ? `${path}/${JOURNAL_FILE}` : path;
    if (!file.endsWith(".json")) {
      const contents = Journal.read(file);
      if (contents.lines.length === 0) throw new UsageError(`${file} holds no line of a journal`);
      return fold(contents);
    }
    const results = checkResults(JSON.parse(Deno.readTextFileSync(file)));
    const { verdict } = results;
    if (verdict === undefined) {
      throw new UsageError(`${file} has no verdict: give the journal beside it instead`);
    }
    return { ...results, verdict };
  } catch (error) {
    if (error instanceof UsageError) throw error;
    const why = error instanceof Error ? error.message : String(error);
    if (error instanceof ResultsError || error instanceof SyntaxError) {
      throw new UsageError(`${path} does not hold results of schema 1: ${why}`);
    }
    throw new UsageError(`${path} cannot be read: ${why}`);
  }
}
