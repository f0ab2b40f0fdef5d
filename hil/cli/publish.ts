// SPDX-License-Identifier: MIT
/**
 * The end of a run: writes its results and shows them.
 *
 * @module
 */
import { exists } from "../../fixtures/host/exists.ts";
import { withDiagnosis } from "../diagnosis/diagnose.ts";
import { fold } from "../journal/fold.ts";
import { innermost } from "../journal/completeness.ts";
import { Journal, type JournalContents } from "../journal/journal.ts";
import { writeHtml } from "../render/html.ts";
import { toMarkdown } from "../render/summary.ts";
import { INFRASTRUCTURE } from "../results/infrastructure.ts";
import type { Verdict } from "../results/outcome.ts";
import type { Results } from "../results/schema.ts";
import { errorMessage } from "../text/error_message.ts";
import { printable } from "../text/text.ts";
import { LOG_FILE } from "./board_local.ts";
import { notice, outputFor, showResults, writeText } from "./output.ts";
import type { Plan } from "./plan.ts";

/** The end of a log that is shown: bytes, and characters of a line. */
const MOST_LOG = 65_536;
const MOST_LINE = 500;

/** What ended early, and why: the whole run, or the files of some suites. */
export type EarlyEnd = string | ReadonlyMap<string, string> | null;

/** How a run ended. */
export interface Ending {
  /** What ended early. */
  readonly died: EarlyEnd;
  /** Why the journal has no room for more lines, or `null` if it has. */
  readonly full: string | null;
  /** Why there is no device, or `null` if there is one. The user has seen this reason. */
  readonly missing: string | null;
}

/**
 * Writes the results of a run, and shows them.
 *
 * @param journal The journal of the run
 * @param plan What the run was to do
 * @param ending How the run ended
 * @returns The exit status
 */
export async function publish(journal: Journal, plan: Plan, ending: Ending): Promise<number> {
  const { outputs, options: { quiet } } = plan;
  const { results, verdict } = await writeResults(journal, plan, ending);
  if (ending.missing === null) {
    if (!quiet) showLog(results, `${journal.dir}/${LOG_FILE}`);
    showResults(results, verdict, { quiet, json: outputs.json });
    if (!quiet) outputFor(outputs.json).print(`Results: ${journal.dir}`);
  }
  if (outputs.html !== null) {
    const name = journal.dir.replace(/.*\//, "");
    const run = { name, folder: journal.dir, results: { ...results, verdict } };
    try {
      const problem = await writeHtml(outputs.html, [run]);
      if (problem !== null) notice(problem);
    } catch (error) {
      notice(`${outputs.html} could not be written: ${errorMessage(error)}`);
      return verdict.exit === 0 ? 3 : verdict.exit;
    }
  }
  return verdict.exit;
}

/** Folds the journal and writes the results. A pass that cannot be written becomes an error. */
async function writeResults(
  journal: Journal,
  { outputs: { json, html, formats }, options, virtual }: Plan,
  { died, full }: Ending,
): Promise<{ results: Results; verdict: Verdict }> {
  const all = Journal.read(journal.path);
  // in a virtual board, the plan of the host is still under way
  const contents = virtual ? innermost(all) : all;
  let results = withDiagnosis(fold(full === null ? contents : withReason(contents, full), died));
  const attempt = async (write: () => Promise<void>): Promise<void> => {
    try {
      await write();
    } catch (error) {
      const reason = `The results could not be written: ${errorMessage(error)}`;
      if (results.verdict.exit !== 0) notice(reason);
      else results = { ...results, verdict: { exit: 3, word: "ERROR", reason } };
    }
  };
  const text = (): string => JSON.stringify(results, null, 2) + "\n";
  await attempt(() => writeText(`${journal.dir}/results.json`, text()));
  if (json !== null) await attempt(() => writeText(json, text()));
  const files = attachments(journal.dir, html, options.waves);
  for (const { file, render } of formats) {
    await attempt(() => writeText(file, render(results, files)));
  }
  const summary = Deno.env.get("GITHUB_STEP_SUMMARY") ?? "";
  if (summary !== "" && !virtual) {
    // other steps of the job write to the same file
    await attempt(() => Deno.writeTextFile(summary, toMarkdown(results), { append: true }));
  }
  return { results, verdict: results.verdict };
}

/** The files that help with a failure. GitLab wants paths from the folder of the project. */
function attachments(dir: string, html: string | null, waves: string | null): string[] {
  const logs = ["dmesg.log", "console.log", LOG_FILE].map((name) => `${dir}/${name}`).filter(
    exists,
  );
  const signals = waves === null || !exists(waves) ? [] : [...Deno.readDirSync(waves)]
    .filter(({ name }) => name.endsWith(".fst")).map(({ name }) => `${waves}/${name}`);
  const project = Deno.env.get("CI_PROJECT_DIR");
  return [...(html === null ? [] : [html]), ...logs, ...signals.toSorted()].map((path) =>
    project !== undefined && path.startsWith(`${project}/`) ? path.slice(project.length + 1) : path
  );
}

/** Adds the reason for which the journal has no room. */
function withReason(contents: JournalContents, reason: string): JournalContents {
  const at = new Date().toISOString();
  const closing = contents.lines.flatMap((line) =>
    line.line === "plan" ? [{ line: "close", at, id: line.id } as const] : []
  );
  const id = "infrastructure/journal";
  const end = { outcome: "ERROR", reason, seconds: 0, frames: 0, bytes: 0 } as const;
  return {
    ...contents,
    lines: [
      ...contents.lines,
      { line: "run", at, run: { cut: reason } },
      { line: "case", at, id, suite: INFRASTRUCTURE, name: "journal", policy: null },
      { line: "end", at, id, ...end },
      ...closing,
    ],
  };
}

/** Shows the end of what `deno test` printed, if a file ended early. */
function showLog(results: Results, log: string): void {
  const died = results.tests.some((test) =>
    test.suite === INFRASTRUCTURE && test.name.startsWith("deno test")
  );
  if (!died) return;
  try {
    const lines = readEnd(log).trimEnd().split("\n");
    console.error(`The last lines of ${log}:`);
    for (const line of lines.slice(-15)) console.error(`  ${printable(line.slice(0, MOST_LINE))}`);
  } catch {
    // a virtual machine that was lost may not have written its log
  }
}

/** Reads the last bytes of a file, because a log may be larger than the memory. */
function readEnd(path: string): string {
  using file = Deno.openSync(path);
  const { size } = file.statSync();
  file.seekSync(Math.max(0, size - MOST_LOG), Deno.SeekMode.Start);
  const bytes = new Uint8Array(Math.min(size, MOST_LOG));
  let length = 0;
  for (let n: number | null = 1; n !== null && n > 0 && length < bytes.length; length += n ?? 0) {
    n = file.readSync(bytes.subarray(length));
  }
  return new TextDecoder().decode(bytes.subarray(0, length));
}
