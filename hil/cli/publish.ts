// SPDX-License-Identifier: MIT
/**
 * The end of a run: writes its results and shows them.
 *
 * @module
 */
import { fold } from "../journal/fold.ts";
import { Journal, type JournalContents } from "../journal/journal.ts";
import { writeHtml } from "../render/html.ts";
import { toJUnit } from "../render/junit.ts";
import { INFRASTRUCTURE } from "../results/infrastructure.ts";
import type { Verdict } from "../results/outcome.ts";
import type { Results } from "../results/schema.ts";
import { errorMessage } from "../text/error_message.ts";
import { LOG_FILE } from "./board_local.ts";
import { notice, showResults, writeText } from "./output.ts";
import type { Outputs, Plan } from "./plan.ts";

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
  const { results, verdict } = await writeResults(journal, outputs, ending);
  if (ending.missing === null) {
    if (!quiet) showLog(results, `${journal.dir}/${LOG_FILE}`);
    showResults(results, verdict, quiet);
    if (!quiet) console.error(`Results: ${journal.dir}`);
  }
  if (outputs.html !== null) {
    const name = journal.dir.replace(/.*\//, "");
    const problem = await writeHtml(outputs.html, [{ name, results: { ...results, verdict } }]);
    if (problem !== null) notice(problem);
  }
  return verdict.exit;
}

/** Folds the journal and writes the results. A pass that cannot be written becomes an error. */
async function writeResults(
  journal: Journal,
  { json, junit }: Outputs,
  { died, full }: Ending,
): Promise<{ results: Results; verdict: Verdict }> {
  const contents = Journal.read(journal.path);
  let results = fold(full === null ? contents : withReason(contents, full), died);
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
  await attempt(() => writeWhole(`${journal.dir}/results.json`, text()));
  if (json !== null) await attempt(() => writeText(json, text()));
  if (junit !== null) await attempt(() => writeText(junit, toJUnit(results)));
  return { results, verdict: results.verdict };
}

/** Adds the reason for which the journal has no room. */
function withReason(contents: JournalContents, reason: string): JournalContents {
  const at = new Date().toISOString();
  const id = "infrastructure/journal";
  const end = { outcome: "ERROR", reason, seconds: 0, frames: 0, bytes: 0 } as const;
  return {
    ...contents,
    lines: [
      ...contents.lines,
      { line: "run", at, run: { cut: reason } },
      { line: "case", at, id, suite: INFRASTRUCTURE, name: "journal", policy: null },
      { line: "end", at, id, ...end },
    ],
  };
}

/** Writes a file completely, or not at all. */
async function writeWhole(path: string, text: string): Promise<void> {
  const part = `${path}.part`;
  try {
    await Deno.writeTextFile(part, text);
    await Deno.rename(part, path);
  } catch (error) {
    await Deno.remove(part).catch(() => {});
    throw error;
  }
}

/** Shows the end of what `deno test` printed, if a file ended early. */
function showLog(results: Results, log: string): void {
  const died = results.tests.some((test) =>
    test.suite === INFRASTRUCTURE && test.name.startsWith("deno test")
  );
  if (!died) return;
  try {
    const lines = Deno.readTextFileSync(log).trimEnd().split("\n");
    console.error(`The last lines of ${log}:`);
    for (const line of lines.slice(-15)) console.error(`  ${line}`);
  } catch {
    // a virtual machine that was lost may not have written its log
  }
}
