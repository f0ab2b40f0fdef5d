// SPDX-License-Identifier: MIT
/**
 * `plumbline run`: test files on a board, and what they say about the design.
 *
 * @module
 */
import { gatherEnvironment } from "../board/environment.ts";
import { exists } from "../board/exists.ts";
import {
  Journal,
  JOURNAL_FILE,
  type JournalContents,
  RESULTS_VARIABLE,
} from "../journal/journal.ts";
import { fold } from "../journal/fold.ts";
import { type Limit, LimitsError, readLimits } from "../results/limits.ts";
import { lockDevice, LockHeldError } from "../board/lock.ts";
import type { Verdict } from "../results/outcome.ts";
import { explainDevice } from "../board/precheck.ts";
import { toJUnit } from "../render/junit.ts";
import type { Results } from "../results/schema.ts";
import { toolInfo } from "../results/tool.ts";
import { readSettings, type Settings, SWITCH_NAMES } from "../settings/settings.ts";
import { suiteName, testFilesBelow } from "../settings/suite_names.ts";
import { LOG_FILE, runLocal } from "./board_local.ts";
import { runVirtual } from "./board_vm.ts";
import { writeHtml } from "../render/html.ts";
import { benchHelp, parseRunOptions, runHelp, type RunOptions, UsageError } from "./options.ts";
import { columns, outputFile, say, tellResults, writeText } from "./output.ts";
import { place, ROOT } from "../settings/place.ts";
import { Progress } from "./progress.ts";
import { errorMessage } from "../text/error_message.ts";

/** Commands that run suites: where theirs are, and what they say of themselves. */
const COMMANDS = {
  run: { suites: `${ROOT}hil/suites`, help: runHelp },
  bench: { suites: `${ROOT}hil/bench/suites`, help: benchHelp },
} as const;

/** What died before its time, and of what: everything, or the files of some suites. */
type Died = string | ReadonlyMap<string, string> | null;

/**
 * Run test files as the command line says.
 *
 * @param args the arguments behind `run`
 * @returns the exit status: 0 as expected, 1 the design failed, 3 the bench failed
 * @throws {UsageError} for a command line that makes no sense
 */
export async function run(args: readonly string[]): Promise<number> {
  return await runSuites("run", args);
}

/**
 * Measure what every policy costs, as the command line says: suites like any others.
 *
 * @param args the arguments behind `bench`
 * @returns the exit status: 0 as expected, 1 a policy failed or a limit is broken, 3 the bench failed
 * @throws {UsageError} for a command line that makes no sense
 */
export async function bench(args: readonly string[]): Promise<number> {
  return await runSuites("bench", args);
}

async function runSuites(command: keyof typeof COMMANDS, args: readonly string[]): Promise<number> {
  const virtual = Deno.env.get("PLUMBLINE_BOARD") === "vm";
  const folder = COMMANDS[command].suites;
  const suites = (asked: readonly string[]) => testFiles(asked, folder).map(suiteName);
  const options = parseRunOptions(args, { suites, virtual, bench: command === "bench" });
  if (options.help) {
    console.log(COMMANDS[command].help());
    return 0;
  }
  const settings = allSettings(options);
  const limits = limitsOf(options);
  const files = testFiles(options.files, folder)
    .filter((file) => settings.suites?.includes(suiteName(file)) ?? true);
  const { kind } = options.board;
  if (kind === "vm") refuseOutside([...files, ...bitstreams(settings)]);
  const json = options.json === "-" ? "-" : outputFile("--json", options.json);
  const junit = outputFile("--junit", options.junit);
  const html = outputFile("--html", options.html);
  const dir = resultsFolder(options, virtual);

  const { missing, lock } = kind === "local"
    ? takeBoard(settings, `plumbline ${command}`)
    : { missing: null, lock: null };
  if (missing !== null) {
    say(missing + (virtual || lock !== null ? "" : "; without a board try --board sim"));
    // nothing was run, and nobody asked for a report: leave no folder behind
    if ([json, junit, html, dir ?? null].every((to) => to === null)) return 3;
  }

  using journal = openJournal(dir);
  const began = performance.now();
  const simulated = virtual || kind !== "local";
  journal.header({
    tool: toolInfo(),
    board: {
      kind: virtual ? "vm" : kind,
      simulated,
      ...(options.board.kind === "vm"
        ? { arch: options.board.arch }
        : { arch: Deno.build.arch, ...(kind === "sim" ? {} : { kernel: Deno.osRelease() }) }),
    },
    run: {
      seed: settings.seed,
      started: new Date().toISOString(),
      command: ["plumbline", command, ...args],
    },
    // a guest tells of itself
    ...(kind === "vm" ? {} : { environment: gatherEnvironment({ device: settings.devices[0] }) }),
    ...(limits === null ? {} : { limits }),
  });

  let died: Died = null;
  let full: string | null = null;
  try {
    if (missing !== null) {
      journal.infrastructureError("device", missing);
    } else if (files.length === 0) {
      journal.infrastructureError(
        "suites",
        `There is no test file in ${options.files.join(", ") || folder}`,
      );
    } else {
      died = await runBoard(options, { journal, files, lock, seed: settings.seed });
    }
    // a guest's clock may be wrong: its host takes the time
    const seconds = Math.round(performance.now() - began) / 1000;
    if (!virtual) journal.header({ run: { seconds } });
  } catch (error) {
    if (!isOutOfSpace(error)) throw error;
    // the lines that were written are whole, and others may have room for a report of them
    full = error.message;
  }
  const { results, verdict } = await writeResults(journal, { json, junit }, { died, full });
  // a missing device has been told already, in one line
  if (missing === null) {
    if (!options.quiet) tellOutput(results, `${journal.dir}/${LOG_FILE}`);
    tellResults(results, verdict, options.quiet);
    if (!options.quiet) console.error(`Results: ${journal.dir}`);
  }
  if (html !== null) {
    const name = journal.dir.replace(/.*\//, "");
    const why = await writeHtml(html, [{ name, results: { ...results, verdict } }]);
    if (why !== null) say(why);
  }
  return verdict.exit;
}

/** The bench failed, and in words. */
export class BenchError extends Error {
  override readonly name = "BenchError";
}

function openJournal(dir: string | undefined): Journal {
  try {
    return Journal.open(dir === undefined ? {} : { dir });
  } catch (error) {
    const why = errorMessage(error);
    throw new BenchError(`There is no place for results: ${why}: name another by --results`);
  }
}

/** The settings as the suites will read them: from the command line, else from variables. */
function allSettings(options: RunOptions): Settings {
  try {
    const switches: readonly string[] = SWITCH_NAMES;
    const args = Object.entries(options.settings)
      .map(([name, value]) => switches.includes(name) ? `--${name}` : `--${name}=${value}`);
    const ignored = ["PLUMBLINE_BOARD", "PLUMBLINE_COHERENT"];
    return readSettings(args, (name) => ignored.includes(name) ? undefined : Deno.env.get(name));
  } catch (error) {
    if (error instanceof RangeError) throw new UsageError(error.message);
    throw error;
  }
}

/** The limits that were asked for. */
function limitsOf({ limits }: RunOptions): Limit[] | null {
  if (limits === null) return null;
  try {
    return readLimits(place(limits));
  } catch (error) {
    if (error instanceof LimitsError) throw new UsageError(`--limits: ${error.message}`);
    throw error;
  }
}

/** The test files that were asked for, absolute; those of a folder of this package where none was. */
function testFiles(asked: readonly string[], folder: string): string[] {
  if (asked.length === 0) return testFilesBelow(folder);
  return [
    ...new Set(asked.flatMap((path) => {
      const file = place(path).replace(/\/+$/, "");
      try {
        return Deno.statSync(file).isDirectory ? testFilesBelow(file) : [file];
      } catch {
        throw new UsageError(`There is no test file or folder ${path}`);
      }
    })),
  ];
}

function bitstreams({ bitstream }: Settings): string[] {
  return bitstream === null ? [] : [bitstream];
}

function refuseOutside(files: readonly string[]): void {
  const outside = files.find((file) => !file.startsWith(ROOT));
  if (outside === undefined) return;
  throw new UsageError(`A virtual machine sees ${ROOT} only, and ${outside} is not in it`);
}

/** Lock the devices for this run; what is missing, in one line. */
function takeBoard(
  settings: Settings,
  what: string,
): { missing: string | null; lock: string | null } {
  let lock: string | null = null;
  for (const device of settings.devices) {
    try {
      const token: { token?: string } = lock === null ? {} : { token: lock };
      lock = lockDevice(device, { what, ...token }).token;
    } catch (error) {
      if (!(error instanceof LockHeldError)) throw error;
      return { missing: error.message, lock: error.holder?.token ?? "" };
    }
    // a bitstream may be what makes it appear
    const missing = settings.bitstream === null ? explainDevice(device) : null;
    if (missing !== null) return { missing, lock: null };
  }
  return { missing: null, lock };
}

async function runBoard(
  options: RunOptions,
  run: { journal: Journal; files: readonly string[]; lock: string | null; seed: number },
): Promise<Died> {
  const { board, timeout, quiet } = options;
  const progress = quiet ? null : new Progress(run.journal.path, {
    terminal: Deno.stderr.isTerminal(),
    print: (line) => console.error(line),
    width: columns(),
  });
  const abort = new AbortController();
  const limit = setTimeout(
    () => abort.abort(`the time limit of ${timeout} s was reached`),
    (timeout + (board.kind === "vm" ? 3600 : 0)) * 1000,
  );
  const stop = (): void => abort.abort("the run was interrupted");
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
  for (const name of signals) Deno.addSignalListener(name, stop);
  try {
    const shared = { ...run, progress, signal: abort.signal };
    if (board.kind !== "vm") return await runLocal({ ...shared, options });
    if (!quiet) say(`virtual ${board.arch} board: results in ${run.journal.dir}`);
    const files = run.files.map((file) => file.slice(ROOT.length));
    return await runVirtual({ ...shared, files, options: { ...options, board } });
  } finally {
    clearTimeout(limit);
    for (const name of signals) Deno.removeSignalListener(name, stop);
  }
}

/** Fold the journal and write the results; a verdict that cannot be written is not a pass. */
async function writeResults(
  journal: Journal,
  to: { json: string | null; junit: string | null },
  { died, full }: { died: Died; full: string | null },
): Promise<{ results: Results; verdict: Verdict }> {
  const contents = Journal.read(journal.path);
  let results = fold(full === null ? contents : withReason(contents, full), died);
  const attempt = async (write: () => Promise<void>): Promise<void> => {
    try {
      await write();
    } catch (error) {
      const why = errorMessage(error);
      const reason = `The results could not be written: ${why}`;
      if (results.verdict.exit !== 0) say(reason);
      else results = { ...results, verdict: { exit: 3, word: "ERROR", reason } };
    }
  };
  const text = (): string => JSON.stringify(results, null, 2) + "\n";
  await attempt(() => writeWhole(`${journal.dir}/results.json`, text()));
  const { json, junit } = to;
  if (json !== null) await attempt(() => writeText(json, text()));
  if (junit !== null) await attempt(() => writeText(junit, toJUnit(results)));
  return { results, verdict: results.verdict };
}

/** What a journal that had no room left could not be told. */
function withReason(contents: JournalContents, reason: string): JournalContents {
  const at = new Date().toISOString();
  const id = "infrastructure/journal";
  const end = { outcome: "ERROR", reason, seconds: 0, frames: 0, bytes: 0 } as const;
  return {
    ...contents,
    lines: [
      ...contents.lines,
      { line: "run", at, run: { cut: reason } },
      { line: "case", at, id, suite: "infrastructure", name: "journal", policy: null },
      { line: "end", at, id, ...end },
    ],
  };
}

/** A file that is there whole or not at all. */
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

/**
 * Tell whether there was no room for what a run had to write.
 *
 * @param error what was thrown
 * @returns whether it was that, and nothing else
 */
export function isOutOfSpace(error: unknown): error is Error {
  const { code } = (error ?? {}) as { code?: unknown };
  return error instanceof Error && (code === "ENOSPC" || code === "EROFS" || code === "EDQUOT" ||
    error.message.startsWith("The journal "));
}

/** The end of what deno test printed, when something died there. */
function tellOutput(results: Results, log: string): void {
  const died = results.tests.some((test) =>
    test.suite === "infrastructure" && test.name.startsWith("deno test")
  );
  if (!died) return;
  try {
    const lines = Deno.readTextFileSync(log).trimEnd().split("\n");
    console.error(`The last lines of ${log}:`);
    for (const line of lines.slice(-15)) console.error(`  ${line}`);
  } catch {
    // the log of a guest that was lost may never have been written
  }
}

/** The folder that was asked for, or `undefined` for a new one. */
function resultsFolder(options: RunOptions, virtual: boolean): string | undefined {
  const asked = options.results ?? (Deno.env.get(RESULTS_VARIABLE) || undefined);
  if (asked === undefined) return undefined;
  const dir = place(asked);
  // but a virtual board's journal was begun by its host
  if (!virtual && exists(`${dir}/${JOURNAL_FILE}`)) {
    const from = options.results === null ? RESULTS_VARIABLE : "--results";
    throw new UsageError(`${from} ${asked} holds another run: name a new folder`);
  }
  return dir;
}
