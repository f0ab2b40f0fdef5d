// SPDX-License-Identifier: MIT
/**
 * `plumbline run`: the suites on a board, and what they say about the design.
 *
 * @module
 */
import { Journal, JOURNAL_FILE, RESULTS_VARIABLE } from "../journal.ts";
import { fold } from "../journal_fold.ts";
import type { Verdict } from "../outcome.ts";
import type { Results } from "../results.ts";
import { toolInfo } from "../results_tool.ts";
import { LOG_FILE, runLocal } from "./board_local.ts";
import { runVirtual } from "./board_vm.ts";
import { parseRunOptions, runHelp, type RunOptions, UsageError } from "./options.ts";
import { explainDevice } from "../precheck.ts";
import { Progress } from "./progress.ts";
import { renderTable } from "./table.ts";

/** The checkout that this file is in. */
const ROOT = new URL("../../", import.meta.url);

const SUITES = "hil/suites";

/**
 * Run the suites as the command line says.
 *
 * @param args the arguments behind `run`
 * @returns the exit status: 0 as expected, 1 the design failed, 3 the bench failed
 * @throws {UsageError} for a command line that makes no sense
 */
export async function run(args: readonly string[]): Promise<number> {
  const virtual = Deno.env.get("PLUMBLINE_BOARD") === "vm";
  const suites = findSuites();
  const options = parseRunOptions(args, { suites, virtual });
  if (options.help) {
    console.log(runHelp());
    return 0;
  }
  const json = options.json === null || options.json === "-"
    ? options.json
    : jsonFile(options.json);
  const dir = folder(options, virtual);
  const seed = options.seed ?? environmentSeed();
  const device = options.device ?? (Deno.env.get("PLUMBLINE_DEVICE") || "/dev/pldma0");
  const missing = options.board.kind === "local" ? explainDevice(device) : null;
  if (missing !== null) say(missing + (virtual ? "" : "; without a board try --board vm"));
  // nothing was run, and nobody asked for a report: leave no folder behind
  if (missing !== null && json === null && dir === undefined) return 3;

  using journal = Journal.open(dir === undefined ? {} : { dir });
  const began = performance.now();
  const simulated = virtual || options.board.kind === "vm";
  journal.header({
    tool: toolInfo(),
    board: {
      kind: simulated ? "vm" : "local",
      simulated,
      ...(options.board.kind === "local"
        ? { arch: Deno.build.arch, kernel: Deno.osRelease() }
        : { arch: options.board.arch }),
    },
    run: { seed, started: new Date().toISOString(), command: ["plumbline", "run", ...args] },
  });

  let died: string | null = null;
  if (missing !== null) {
    journal.bench("device", missing);
  } else {
    died = await runBoard({ options, journal, device, seed, suites });
  }
  // a guest's clock may be wrong: its host takes the time
  const seconds = Math.round(performance.now() - began) / 1000;
  if (!virtual) journal.header({ run: { seconds } });
  const { results, verdict } = await writeResults(journal, json, died);
  // a missing device has been told already, in one line
  if (missing === null) tell(options, journal, results, verdict);
  return verdict.exit;
}

async function runBoard(
  { options, journal, device, seed, suites }: {
    options: RunOptions;
    journal: Journal;
    device: string;
    seed: number;
    suites: readonly string[];
  },
): Promise<string | null> {
  const terminal = Deno.stderr.isTerminal();
  const progress = options.quiet ? null : new Progress(journal.path, {
    terminal,
    print: (line) => console.error(line),
    width: columns(),
  });
  const abort = new AbortController();
  const limit = setTimeout(
    () => abort.abort(`the time limit of ${options.timeout} s was reached`),
    (options.timeout + (options.board.kind === "vm" ? 3600 : 0)) * 1000,
  );
  const stop = (): void => abort.abort("the run was interrupted");
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
  for (const name of signals) Deno.addSignalListener(name, stop);
  try {
    const shared = { journal, seed, progress, signal: abort.signal };
    const { board } = options;
    if (board.kind === "vm") {
      if (!options.quiet) say(`virtual ${board.arch} board: results in ${journal.dir}`);
      return await runVirtual({ ...shared, options: { ...options, board } });
    }
    const names = options.suite ?? suites;
    if (names.length === 0) {
      journal.bench("suites", `There is no suite in ${SUITES}`);
      return null;
    }
    const files = names.map((name) => `${SUITES}/${name}_test.ts`);
    return await runLocal({ ...shared, options, device, files, root: ROOT.pathname });
  } finally {
    clearTimeout(limit);
    for (const name of signals) Deno.removeSignalListener(name, stop);
  }
}

/** Fold the journal and write the results; a verdict that cannot be written is not a pass. */
async function writeResults(
  journal: Journal,
  json: string | null,
  died: string | null,
): Promise<{ results: Results; verdict: Verdict }> {
  const results = fold(Journal.read(journal.path), died);
  const text = JSON.stringify(results, null, 2) + "\n";
  try {
    await Deno.writeTextFile(`${journal.dir}/results.json`, text);
    if (json === "-") await writeAll(Deno.stdout, text);
    else if (json !== null) await Deno.writeTextFile(json, text);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    const reason = `The results could not be written: ${why}`;
    if (results.verdict.exit === 0) return { results, verdict: { exit: 3, word: "ERROR", reason } };
    say(reason);
  }
  return { results, verdict: results.verdict };
}

/** Tell a person. */
function tell(options: RunOptions, journal: Journal, results: Results, verdict: Verdict): void {
  if (!options.quiet) {
    tellOutput(results, `${journal.dir}/${LOG_FILE}`);
    tellInjected(results);
  }
  console.error(renderTable(results, verdict, {
    color: Deno.stderr.isTerminal() && !Deno.noColor,
    width: columns(),
    quiet: options.quiet,
  }));
  if (!options.quiet) console.error(`Results: ${journal.dir}`);
}

/** The end of what deno test printed, when something died there. */
function tellOutput(results: Results, log: string): void {
  const died = results.tests.some((test) => test.suite === "bench" && test.name === "deno test");
  if (!died) return;
  try {
    const lines = Deno.readTextFileSync(log).trimEnd().split("\n");
    console.error(`The last lines of ${log}:`);
    for (const line of lines.slice(-15)) console.error(`  ${line}`);
  } catch {
    // the log of a guest that was lost may never have been written
  }
}

/** Faults that were injected on demand, so that a person can hold the classifier's words against. */
function tellInjected(results: Results): void {
  const lines = results.tests.flatMap((test) =>
    (test.injected ?? []).map((line) => `${test.name}: ${line}`)
  );
  if (lines.length === 0) return;
  console.error(`Faults injected: ${lines.length}`);
  for (const line of lines.slice(0, 5)) console.error(`  ${line}`);
  if (lines.length > 5) console.error("  ... all are in results.json");
}

function findSuites(): string[] {
  try {
    return [...Deno.readDirSync(new URL(`${SUITES}/`, ROOT))]
      .flatMap((entry) => /^(.+)_test\.ts$/.exec(entry.name)?.[1] ?? [])
      .sort();
  } catch {
    return [];
  }
}

/** The folder that was asked for, or `undefined` for a new one. */
function folder(options: RunOptions, virtual: boolean): string | undefined {
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

/** A file that can be made when the run is over: an hour of work must not end in a wrong path. */
function jsonFile(path: string): string {
  const file = place(path);
  const parent = file.slice(0, file.lastIndexOf("/")) || "/";
  if (!exists(`${parent}/.`)) throw new UsageError(`--json ${path}: there is no folder ${parent}`);
  if (exists(`${file}/.`)) throw new UsageError(`--json ${path} is a folder: name a file in it`);
  return file;
}

function environmentSeed(): number {
  const text = Deno.env.get("PLUMBLINE_SEED") || "1";
  if (!/^\d+$/.test(text) || Number(text) >= 2 ** 32) {
    throw new UsageError(`PLUMBLINE_SEED takes a whole number below 2^32, not "${text}"`);
  }
  return Number(text);
}

/** A path as the caller meant it: `deno task` moves to the checkout and tells where it came from. */
function place(path: string): string {
  if (path.startsWith("/")) return path;
  const from = Deno.env.get("INIT_CWD");
  const moved = from !== undefined && `${Deno.cwd()}/` === ROOT.pathname;
  return `${moved ? from : Deno.cwd()}/${path}`;
}

function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch {
    return false;
  }
}

function columns(): number {
  try {
    const { columns } = Deno.consoleSize();
    return columns >= 40 ? Math.min(columns, 100) : 80;
  } catch {
    return 80; // no terminal
  }
}

async function writeAll(to: { write(bytes: Uint8Array): Promise<number> }, text: string) {
  let bytes = new TextEncoder().encode(text);
  while (bytes.length > 0) bytes = bytes.subarray(await to.write(bytes));
}

function say(text: string): void {
  console.error(`plumbline: ${text}`);
}
