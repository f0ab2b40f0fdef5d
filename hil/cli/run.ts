// SPDX-License-Identifier: MIT
/**
 * `plumbline run` and `plumbline bench`: run test files on a board.
 *
 * A run has three steps: {@linkcode planRun} decides what to do, `execute` does it and keeps a
 * journal, and {@linkcode publish} writes and shows the results.
 *
 * @module
 */
import { gatherEnvironment } from "../board/environment.ts";
import { lockDevice, LockHeldError } from "../board/lock.ts";
import { explainDevice } from "../board/precheck.ts";
import { Journal } from "../journal/journal.ts";
import { toolInfo } from "../results/tool.ts";
import type { Arguments } from "../settings/arguments.ts";
import { ROOT } from "../settings/paths.ts";
import type { Settings } from "../settings/settings.ts";
import { errorMessage } from "../text/error_message.ts";
import { runLocal } from "./board_local.ts";
import { runVirtual } from "./board_vm.ts";
import type { Command } from "./command.ts";
import { InfrastructureError, isOutOfSpace } from "./infrastructure.ts";
import { BENCH_LINE, RUN_LINE } from "./options.ts";
import { columns, notice, offerSimulation } from "./output.ts";
import { type Plan, planRun } from "./plan.ts";
import { Progress } from "./progress.ts";
import { type EarlyEnd, publish } from "./publish.ts";

/** `plumbline run`. */
export const run: Command = {
  line: RUN_LINE,
  run: (given, args) => runSuites("run", given, args),
};

/** `plumbline bench`, whose suites are measurements. */
export const bench: Command = {
  line: BENCH_LINE,
  run: (given, args) => runSuites("bench", given, args),
};

async function runSuites(
  command: "run" | "bench",
  given: Arguments,
  args: readonly string[],
): Promise<number> {
  const plan = planRun(command, given, args);
  const { missing, lock } = plan.options.board.kind === "local"
    ? takeBoard(plan.settings, `plumbline ${command}`)
    : { missing: null, lock: null };
  if (missing !== null) {
    notice(plan.virtual || lock !== null ? missing : offerSimulation(missing));
    // the user asked for no report, and nothing ran: leave no folder behind
    if ([...Object.values(plan.outputs), plan.dir].every((to) => to === null)) return 3;
  }
  using journal = openJournal(plan.dir);
  const ending = await execute(plan, journal, { missing, lock });
  return await publish(journal, plan, { ...ending, missing });
}

function openJournal(dir: string | null): Journal {
  try {
    return Journal.open(dir === null ? {} : { dir });
  } catch (error) {
    throw new InfrastructureError(
      `The folder for results cannot be made: ${errorMessage(error)}: name another by --results`,
    );
  }
}

/** What {@linkcode takeBoard} found. */
interface Claim {
  /** Why the board cannot be used, in one line, or `null` if it can. */
  readonly missing: string | null;
  /** Token of the lock on the board, which may be that of another run. */
  readonly lock: string | null;
}

/** Locks the devices for this run. */
function takeBoard(settings: Settings, what: string): Claim {
  let lock: string | null = null;
  for (const device of settings.devices) {
    try {
      const token: { token?: string } = lock === null ? {} : { token: lock };
      lock = lockDevice(device, { what, ...token }).token;
    } catch (error) {
      if (!(error instanceof LockHeldError)) throw error;
      return { missing: error.message, lock: error.holder?.token ?? "" };
    }
    // a device may appear only when its bitstream is loaded
    const missing = settings.bitstream === null ? explainDevice(device) : null;
    if (missing !== null) return { missing, lock: null };
  }
  return { missing: null, lock };
}

/** Runs the test files and keeps the journal. */
async function execute(
  plan: Plan,
  journal: Journal,
  { missing, lock }: Claim,
): Promise<{ died: EarlyEnd; full: string | null }> {
  const began = performance.now();
  let died: EarlyEnd = null;
  writeHeader(plan, journal);
  try {
    if (missing !== null) {
      journal.infrastructureError("device", missing);
    } else if (plan.files.length === 0) {
      journal.infrastructureError("suites", `Expected test files in ${plan.source}, found none`);
    } else {
      died = await runBoard(plan, journal, lock);
    }
    // the clock of a virtual machine may be wrong, so its host measures the time
    const seconds = Math.round(performance.now() - began) / 1000;
    if (!plan.virtual) journal.header({ run: { seconds } });
    return { died, full: null };
  } catch (error) {
    if (!isOutOfSpace(error)) throw error;
    // the lines in the journal are whole, and another disk may have room for a report
    return { died, full: error.message };
  }
}

/** Writes what is known before the first case runs. */
function writeHeader({ options: { board }, ...plan }: Plan, journal: Journal): void {
  const { kind } = board;
  journal.header({
    tool: toolInfo(),
    board: {
      kind: plan.virtual ? "vm" : kind,
      simulated: plan.virtual || kind !== "local",
      ...(kind === "vm"
        ? { arch: board.arch }
        : { arch: Deno.build.arch, ...(kind === "sim" ? {} : { kernel: Deno.osRelease() }) }),
    },
    run: {
      seed: plan.settings.seed,
      started: new Date().toISOString(),
      command: plan.command,
    },
    // a virtual machine adds its own environment
    ...(kind === "vm"
      ? {}
      : { environment: gatherEnvironment({ device: plan.settings.devices[0] }) }),
    ...(plan.limits === null ? {} : { limits: plan.limits }),
  });
}

/** Runs the test files on the chosen board, until they end, the time is over, or a signal comes. */
async function runBoard(plan: Plan, journal: Journal, lock: string | null): Promise<EarlyEnd> {
  const { options, files, settings: { seed } } = plan;
  const { board, timeout, quiet } = options;
  const progress = quiet ? null : new Progress(journal.path, {
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
    const shared = { journal, seed, progress, signal: abort.signal };
    if (board.kind !== "vm") return await runLocal({ ...shared, options, files, lock });
    if (!quiet) notice(`virtual ${board.arch} board: results in ${journal.dir}`);
    const relative = files.map((file) => file.slice(ROOT.length));
    return await runVirtual({ ...shared, files: relative, options: { ...options, board } });
  } finally {
    clearTimeout(limit);
    for (const name of signals) Deno.removeSignalListener(name, stop);
  }
}
