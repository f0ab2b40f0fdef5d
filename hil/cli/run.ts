// SPDX-License-Identifier: MIT
/**
 * `plumbline run` and `plumbline bench`: run test files on a board.
 *
 * A run has three steps: {@linkcode planRun} decides what to do, `execute` does it and keeps a
 * journal, and {@linkcode publish} writes and shows the results.
 *
 * @module
 */
import { AgentError, type Remote } from "../../driver/remote.ts";
import { gatherEnvironment } from "../board/environment.ts";
import { type BoardLock, LockHeldError } from "../board/lock.ts";
import { explainDevice } from "../board/precheck.ts";
import { Stressor } from "../board/stress.ts";
import { connectTarget, explainRemote, lockBoard } from "../board/remote.ts";
import { Journal } from "../journal/journal.ts";
import { toolInfo } from "../results/tool.ts";
import { ROOT } from "../settings/paths.ts";
import type { Settings } from "../settings/settings.ts";
import { errorMessage } from "../text/error_message.ts";
import type { Arguments } from "../settings/arguments.ts";
import { type LocalRun, runLocal } from "./board_local.ts";
import type { BoardChoice } from "./board_options.ts";
import { type BootedTarget, bootTarget } from "./board_target.ts";
import { runVirtual } from "./board_vm.ts";
import type { Command } from "./command.ts";
import { checkDevices } from "./device_limits.ts";
import { InfrastructureError, isOutOfSpace } from "./infrastructure.ts";
import { findLaunchers, isGone } from "./launcher.ts";
import { listHelp } from "./lists.ts";
import { BENCH_LINE, RUN_LINE } from "./options.ts";
import { columns, notice, offerSimulation } from "./output.ts";
import { type Plan, planRun } from "./plan.ts";
import { resumeRun } from "./resume.ts";
import { Progress } from "./progress.ts";
import { type EarlyEnd, publish } from "./publish.ts";

/** `plumbline run`. */
export const run: Command = {
  line: RUN_LINE,
  run: (given, args) => {
    if (given.values["resume"] === undefined) return start("run", given, args);
    const { plan, id } = resumeRun(given);
    return runSuites("run", plan, id);
  },
};

/** `plumbline bench`, whose suites are measurements. */
export const bench: Command = {
  line: BENCH_LINE,
  run: (given, args) => start("bench", given, args),
};

/** Prints what an option accepts, if that was asked for; else runs. */
function start(
  command: "run" | "bench",
  given: Arguments,
  args: readonly string[],
): number | Promise<number> {
  const list = listHelp(given.values);
  if (list === null) return runSuites(command, planRun(command, given, args));
  console.log(list);
  return 0;
}

async function runSuites(
  command: "run" | "bench",
  planned: Plan,
  resumed: string | null = null,
): Promise<number> {
  await using machine = await bootTarget(planned.options);
  const plan = machine === null
    ? planned
    : { ...planned, options: { ...planned.options, board: machine.board } };
  using target = connect(plan.options.board, machine?.missing ?? null);
  const { missing, lock } = claimBoard(plan, target, `plumbline ${command}`);
  if (missing !== null) {
    const offer = !plan.virtual && lock === null && plan.options.board.kind === "local";
    notice(offer ? offerSimulation(missing) : missing);
    // the user asked for no report, and nothing ran: leave no folder behind
    if ([...Object.values(plan.outputs), plan.dir].every((to) => to === null)) return 3;
  }
  if (missing === null && command === "run") checkNumbers(plan, target.remote);
  using journal = openJournal(plan.dir);
  const ending = await execute({ ...plan, resumed }, journal, { missing, lock }, {
    remote: target.remote,
    machine,
  });
  return await publish(journal, plan, { ...ending, missing });
}

/** Refuses numbers that the device cannot hold. The command in a virtual machine asks its device there. */
function checkNumbers({ settings, options: { board, files } }: Plan, remote: Remote | null): void {
  if (board.kind === "vm" || board.kind === "target") return;
  checkDevices(
    { ...settings, board: board.kind === "sim" ? "sim" : "local" },
    { syscalls: remote, loops: files.length === 0 },
  );
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

/** The target of a remote board for the time of a run, because the agent holds its lock. */
interface Target extends Disposable {
  /** The target, or null for another board or without a connection. */
  readonly remote: Remote | null;
  /** Why there is no connection with a remote board, or null. */
  readonly missing: string | null;
}

function connect(board: BoardChoice, missing: string | null): Target {
  const none = { remote: null, missing, [Symbol.dispose]() {} };
  if (board.kind !== "remote") return none;
  try {
    const remote = connectTarget(board.address);
    return { ...none, remote, [Symbol.dispose]: () => remote[Symbol.dispose]() };
  } catch (error) {
    if (!(error instanceof AgentError)) throw error;
    return { ...none, missing: error.message };
  }
}

/** Locks the devices of a board that no other run may use. */
function claimBoard({ options, settings }: Plan, { remote, missing }: Target, what: string): Claim {
  if (missing !== null) return { missing, lock: null };
  if (remote === null && options.board.kind !== "local") return { missing: null, lock: null };
  return takeBoard(
    settings,
    (device, token) => lockBoard(remote, device, { what, ...token }),
    (device) => remote === null ? explainDevice(device) : explainRemote(remote, device),
  );
}

/** Locks the devices for this run. */
function takeBoard(
  settings: Settings,
  take: (device: string, token: { token?: string }) => BoardLock,
  explain: (device: string) => string | null,
): Claim {
  let lock: string | null = null;
  for (const device of settings.devices) {
    try {
      lock = take(device, lock === null ? {} : { token: lock }).token;
    } catch (error) {
      if (!(error instanceof LockHeldError)) throw error;
      return { missing: error.message, lock: error.holder?.token ?? "" };
    }
    // a device may appear only when its bitstream is loaded
    const missing = settings.bitstream === null ? explain(device) : null;
    if (missing !== null) return { missing, lock: null };
  }
  return { missing: null, lock };
}

/** Runs the test files and keeps the journal. */
async function execute(
  plan: Plan & { readonly resumed: string | null },
  journal: Journal,
  { missing, lock }: Claim,
  { remote, machine }: { readonly remote: Remote | null; readonly machine: BootedTarget | null },
): Promise<{ died: EarlyEnd; full: string | null }> {
  const began = performance.now();
  let died: EarlyEnd = null;
  try {
    const { resumed } = plan;
    if (resumed !== null) journal.resume(resumed);
    const id = resumed ?? journal.plan("plumbline run", plan.files);
    writeHeader(plan, journal, remote);
    if (missing !== null) {
      journal.infrastructureError("device", missing);
    } else if (plan.files.length === 0 && resumed === null) {
      journal.infrastructureError("suites", `Expected test files in ${plan.source}, found none`);
    } else {
      // the processes of the run need the line, and each takes the lock
      if (remote?.isExclusive === true) remote[Symbol.dispose]();
      died = await runBoard(plan, journal, lock);
    }
    await machine?.finish(journal);
    // the clock of a virtual machine may be wrong, so its host measures the time
    const seconds = Math.round(performance.now() - began) / 1000;
    if (!plan.virtual && resumed === null) journal.header({ run: { seconds } });
    journal.close(id);
    return { died, full: null };
  } catch (error) {
    if (!isOutOfSpace(error)) throw error;
    // the lines in the journal are whole, and another disk may have room for a report
    return { died, full: error.message };
  }
}

/** Writes what is known before the first case runs. */
function writeHeader(
  { options: { board }, ...plan }: Plan,
  journal: Journal,
  remote: Remote | null,
): void {
  const { kind } = board;
  journal.header({
    tool: toolInfo(),
    board: {
      kind: plan.virtual || kind === "target" ? "vm" : kind,
      // whether a remote board is virtual is known when its device is open
      ...(kind === "remote" ? {} : { simulated: plan.virtual || kind !== "local" }),
      ...(kind === "vm"
        ? { arch: board.arch }
        : kind === "target"
        ? { arch: null, kernel: null }
        : kind === "remote"
        ? { arch: remote?.target.machine ?? null, kernel: remote?.target.release ?? null }
        : { arch: Deno.build.arch, ...(kind === "sim" ? {} : { kernel: Deno.osRelease() }) }),
    },
    run: {
      seed: plan.settings.seed,
      started: new Date().toISOString(),
      command: plan.command,
    },
    // a virtual machine adds its own environment
    ...(kind === "vm" || kind === "target" || kind === "remote" && remote === null ? {} : {
      environment: gatherEnvironment({ device: plan.settings.devices[0], files: remote?.files }),
    }),
    ...(plan.limits === null ? {} : { limits: plan.limits }),
  });
}

/** Runs test files on this machine while threads load it, if that was asked for. */
async function runStressed(run: LocalRun): Promise<ReadonlyMap<string, string>> {
  const { stress } = run.options;
  if (stress === null) return await runLocal(run);
  using stressor = new Stressor(stress.plan);
  try {
    return await runLocal(run);
  } finally {
    const counts = Object.entries(stressor.pieces).map(([name, count]) => `${name} ${count}`);
    run.journal.header({
      environment: { "stress": stress.text, "stress, pieces of work": counts.join(", ") },
    });
  }
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
    () => abort.abort(`the time limit of ${timeout} s was reached (--timeout sets it)`),
    (timeout + (board.kind === "vm" ? 3600 : 0)) * 1000,
  );
  const stop = (): void => abort.abort("the run was interrupted");
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
  for (const name of signals) Deno.addSignalListener(name, stop);
  const launchers = findLaunchers();
  const watch = setInterval(() => {
    if (launchers.some((one) => isGone(one))) abort.abort("npx, which started the run, was ended");
  }, 1000);
  try {
    const shared = { journal, seed, progress, signal: abort.signal };
    if (board.kind !== "vm") return await runStressed({ ...shared, options, files, lock });
    if (!quiet) notice(`virtual ${board.arch} board: results in ${journal.dir}`);
    const relative = files.map((file) => file.slice(ROOT.length));
    return await runVirtual({ ...shared, files: relative, options: { ...options, board } });
  } finally {
    clearTimeout(limit);
    clearInterval(watch);
    for (const name of signals) Deno.removeSignalListener(name, stop);
  }
}
