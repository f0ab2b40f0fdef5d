// SPDX-License-Identifier: MIT
/**
 * Runs test files on this machine, each in its own child process, which is `deno test`.
 *
 * A child can die of a segmentation fault, hang in the driver or never end, without losing the report.
 * Each file has its own child, so that the other files still run. The journal says what happened; the
 * exit status and the output of the child do not.
 *
 * @module
 */
import { Journal, type JournalLine } from "../journal/journal.ts";
import { JournalTail } from "../journal/tail.ts";
import { LOCK_VARIABLE } from "../board/lock.ts";
import { SETTING_NAMES, settingVariable } from "../settings/settings.ts";
import { suiteName } from "../settings/suite_names.ts";
import type { RunOptions } from "./options.ts";
import { follow, type Progress } from "./progress.ts";

/** File in the folder of the run for the output of the children. */
export const LOG_FILE = "deno-test.log";

/** Seconds to wait for a case after its time limit. Deno ends the case before that if it can. */
const GRACE = 90;

/** Seconds that a file may take without a new line in the journal. */
const IDLE = 240;

/** What {@linkcode runLocal} needs. */
export interface LocalRun {
  /** The options of the run. */
  readonly options: RunOptions;
  /** The journal of the run. */
  readonly journal: Journal;
  /** Absolute paths of the test files. */
  readonly files: readonly string[];
  /** The seed. */
  readonly seed: number;
  /** Token of the lock on the board, or `null` if the board needs none. */
  readonly lock: string | null;
  /** Shows progress, or `null` for none. */
  readonly progress: Progress | null;
  /** Ends the run early. The results contain its reason. */
  readonly signal: AbortSignal;
  /** Seconds in place of {@linkcode GRACE} and {@linkcode IDLE}, for tests. */
  readonly patience?: { readonly grace: number; readonly idle: number };
}

/**
 * Runs the test files one after another. If one dies, the next one still runs.
 *
 * Failures of the infrastructure are in the journal.
 *
 * @param run What to run
 * @returns For each suite whose file died, the reason, which explains cases that have no end
 */
export async function runLocal(run: LocalRun): Promise<ReadonlyMap<string, string>> {
  const died = new Map<string, string>();
  await follow(
    run.progress,
    (async () => {
      for (const file of run.files) {
        const reason = await runFile(run, file);
        if (reason !== null) died.set(suiteName(file), reason);
        if (run.signal.aborted) break;
      }
    })(),
  );
  if (run.signal.aborted) {
    const reason = String(run.signal.reason);
    run.journal.header({ run: { cut: reason } });
    run.journal.infrastructureError("run", reason);
  } else if (died.size === 0 && run.options.settings.fault !== undefined) {
    checkInjected(run.journal, run.options.settings.fault);
  }
  return died;
}

/** Runs one file, and records its start and its end. Returns what killed it, or `null`. */
async function runFile(run: LocalRun, file: string): Promise<string | null> {
  const known = { file, suite: suiteName(file) };
  run.journal.file({ ...known, state: "started" });
  const died = await runChild(run, file);
  run.journal.file({ ...known, state: "ended", ...(died === null ? {} : { died }) });
  return died;
}

/** Runs the child of one file. Returns what killed it, or `null` if it ended by itself. */
async function runChild(run: LocalRun, file: string): Promise<string | null> {
  const { journal, signal } = run;
  const before = Journal.read(journal.path).lines.length;
  const child = new Deno.Command(Deno.execPath(), {
    // no type check, because it takes minutes on a slow board
    args: ["test", "-A", "--no-check", "--no-prompt", file],
    cwd: projectOf(file),
    env: environment(run),
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  using log = Deno.openSync(`${journal.dir}/${LOG_FILE}`, { append: true, create: true });
  const copied = Promise.all([copy(child.stdout, log), copy(child.stderr, log)]);
  using watch = new Watch(journal.path, run.patience ?? { grace: GRACE, idle: IDLE }, signal);
  const ended = await untilEnd(child, watch.signal);
  if (ended === null) {
    const reason = `${watch.signal.reason}, and deno test cannot be killed: it hangs in the kernel`;
    journal.infrastructureError(`deno test ${suiteName(file)}`, reason);
    return reason;
  }
  await Promise.race([copied, delay(1000)]); // a grandchild may keep the pipes open
  if (signal.aborted) return String(signal.reason);
  const lines = Journal.read(journal.path).lines.slice(before);
  return judgeChild(journal, file, ended, watch.signal, lines);
}

/** The folder with the configuration of a test file. */
function projectOf(file: string): string {
  const parent = file.slice(0, file.lastIndexOf("/")) || "/";
  for (let dir = parent; dir !== ""; dir = dir.slice(0, dir.lastIndexOf("/"))) {
    for (const name of ["deno.json", "deno.jsonc"]) {
      try {
        if (Deno.statSync(`${dir}/${name}`).isFile) return dir;
      } catch {
        // look in the parent folder
      }
    }
  }
  return parent;
}

function environment(run: LocalRun): Record<string, string> {
  const { options, journal, lock } = run;
  const env: Record<string, string> = {
    PLUMBLINE_RESULTS: journal.dir,
    NO_COLOR: "1",
    ...(lock === null ? {} : { [LOCK_VARIABLE]: lock }),
    ...boardVariable(options.board),
  };
  for (const name of SETTING_NAMES) {
    const value = options.settings[name];
    if (value !== undefined) env[settingVariable(name)] = value;
  }
  env[settingVariable("seed")] = String(run.seed);
  return env;
}

/** The board of the suites, unless it is what they find by themselves. */
function boardVariable(board: RunOptions["board"]): Record<string, string> {
  if (board.kind === "sim") return { PLUMBLINE_BOARD: "sim" };
  return board.kind === "remote" ? { PLUMBLINE_BOARD: board.name } : {};
}

/** Ends a file in which a case is far over its time limit, or in which nothing happens. */
class Watch implements Disposable {
  readonly #abort = new AbortController();
  readonly #tail: JournalTail;
  readonly #patience: { readonly grace: number; readonly idle: number };
  readonly #timer: ReturnType<typeof setInterval>;
  readonly signal: AbortSignal;
  #due = 0;
  #what = "";

  constructor(
    path: string,
    patience: { readonly grace: number; readonly idle: number },
    signal: AbortSignal,
  ) {
    this.#tail = new JournalTail(path);
    this.#patience = patience;
    this.signal = AbortSignal.any([signal, this.#abort.signal]);
    this.#tail.poll(); // skip the lines of earlier files
    this.#wait(patience.idle, "the file did not load");
    this.#timer = setInterval(() => this.#look(), 500);
  }

  #wait(seconds: number, what: string): void {
    this.#due = performance.now() + seconds * 1000;
    this.#what = `${what} within ${seconds} s`;
  }

  #look(): void {
    for (const line of this.#tail.poll()) {
      if (line.line === "start" && line.limit !== undefined) {
        this.#wait(line.limit + this.#patience.grace, `case ${line.id} did not end`);
      } else {
        this.#wait(this.#patience.idle, "no next case started or ended");
      }
    }
    if (performance.now() > this.#due) this.#abort.abort(this.#what);
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}

/** Waits for the child. On abort, asks it to end, then kills it, then stops waiting. */
async function untilEnd(
  child: Deno.ChildProcess,
  signal: AbortSignal,
): Promise<Deno.CommandStatus | null> {
  const status = child.status;
  const aborted = new Promise<null>((resolve) => {
    if (signal.aborted) resolve(null);
    else signal.addEventListener("abort", () => resolve(null), { once: true });
  });
  const ended = await Promise.race([status, aborted]);
  if (ended !== null) return ended;
  for (const [how, grace] of [["SIGTERM", 3000], ["SIGKILL", 10_000]] as const) {
    try {
      child.kill(how);
    } catch {
      // it ended by itself
    }
    const dead = await Promise.race([status, delay(grace)]);
    if (dead !== null) return dead;
  }
  child.unref();
  return null;
}

/** Copies the child's output to the log until the log is closed. */
async function copy(from: ReadableStream<Uint8Array>, to: Deno.FsFile): Promise<void> {
  try {
    for await (const chunk of from) to.writeSync(chunk);
  } catch {
    // the log is closed
  }
}

/** Checks that the child's end fits its lines in the journal. Returns what killed it, if anything. */
function judgeChild(
  journal: Journal,
  file: string,
  status: Deno.CommandStatus,
  signal: AbortSignal,
  lines: readonly JournalLine[],
): string | null {
  const suite = suiteName(file);
  const blame = (reason: string): string => {
    journal.infrastructureError(`deno test ${suite}`, `${reason}: see ${LOG_FILE}`);
    return reason;
  };
  if (signal.aborted) return blame(`${signal.reason}; its process was killed`);
  // a child killed by a signal has that signal, or status 128 + n if a shell or npx is in between
  const killed = status.signal ?? (status.code > 128 ? `status ${status.code}` : null);
  if (killed !== null) return blame(`deno test died of ${killed}`);
  const explained = lines.some((line) =>
    line.line === "end" && !["PASS", "XFAIL", "SKIP"].includes(line.outcome)
  );
  if (status.code !== 0 && !explained) {
    return blame(`deno test ended with status ${status.code}, but no case failed`);
  }
  if (!lines.some((line) => line.line === "case")) return blame("the file registered no case");
  return null;
}

/** A run that was to inject a fault and did not proves nothing. */
function checkInjected(journal: Journal, spec: string): void {
  const { lines } = Journal.read(journal.path);
  if (lines.some((line) => line.line === "end" && (line.injected ?? []).length > 0)) return;
  journal.infrastructureError(
    "fault injection",
    `Expected the fault "${spec}", but none was injected`,
  );
}

function delay(milliseconds: number): Promise<null> {
  return new Promise((resolve) => Deno.unrefTimer(setTimeout(() => resolve(null), milliseconds)));
}
