// SPDX-License-Identifier: MIT
/**
 * Runs test files on this machine, each in a child process of its own: `deno test`.
 *
 * A child, because a segfault, a call that hangs in the driver and a test that never ends would take
 * the report with them; one for each file, because the others are to be run nevertheless. What
 * happened is in the journal, not in the child's exit status or output.
 *
 * @module
 */
import { Journal, type JournalLine, JournalTail } from "../journal/journal.ts";
import { LOCK_VARIABLE } from "../board/lock.ts";
import { SETTING_NAMES, settingVariable, SWITCH_NAMES } from "../settings/settings.ts";
import { suiteName } from "../settings/suite_names.ts";
import type { RunOptions } from "./options.ts";
import { follow, type Progress } from "./progress.ts";

/** Name of the children's output in the folder of the run. */
export const LOG_FILE = "deno-test.log";

/** How long past its limit a case is waited for, seconds: Deno ends it before that, if it can. */
const GRACE = 90;

/** How long a file may do nothing that the journal tells of, seconds. */
const IDLE = 240;

/** What {@linkcode runLocal} is given. */
export interface LocalRun {
  /** What was asked for. */
  readonly options: RunOptions;
  /** The journal of the run. */
  readonly journal: Journal;
  /** The test files, absolute. */
  readonly files: readonly string[];
  /** The seed. */
  readonly seed: number;
  /** Token of the lock on the board; null where none is needed. */
  readonly lock: string | null;
  /** What to show meanwhile. */
  readonly progress: Progress | null;
  /** Ends the run early; its reason is told. */
  readonly signal: AbortSignal;
  /** Seconds instead of the usual ones, for tests of this module. */
  readonly patience?: { readonly grace: number; readonly idle: number };
}

/**
 * Run the test files one after another and wait for their end. After one that dies the next is run.
 *
 * @param run what to run
 * @returns what ended each file that died before its time, by suite, to explain cases that have no
 * end. Failures of the bench are in the journal.
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

/** Run one file; returns what killed it, null when it ended by itself. */
async function runFile(run: LocalRun, file: string): Promise<string | null> {
  const { journal, signal } = run;
  const before = Journal.read(journal.path).lines.length;
  const child = new Deno.Command(Deno.execPath(), {
    // types are checked where the code is written; on a slow board that takes minutes
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
    const reason = `${watch.signal.reason}, and deno test does not die: it hangs in the kernel`;
    journal.infrastructureError(`deno test ${suiteName(file)}`, reason);
    return reason;
  }
  await Promise.race([copied, delay(1000)]); // a grandchild may still hold the pipes
  if (signal.aborted) return String(signal.reason);
  const lines = Journal.read(journal.path).lines.slice(before);
  return judgeChild(journal, file, ended, watch.signal, lines);
}

/** The folder of the configuration that a test file belongs to. */
function projectOf(file: string): string {
  const parent = file.slice(0, file.lastIndexOf("/")) || "/";
  for (let dir = parent; dir !== ""; dir = dir.slice(0, dir.lastIndexOf("/"))) {
    for (const name of ["deno.json", "deno.jsonc"]) {
      try {
        if (Deno.statSync(`${dir}/${name}`).isFile) return dir;
      } catch {
        // further up
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
    ...(options.board.kind === "sim" ? { PLUMBLINE_BOARD: "sim" } : {}),
  };
  for (const name of [...SETTING_NAMES, ...SWITCH_NAMES]) {
    const value = options.settings[name];
    if (value !== undefined) env[settingVariable(name)] = value;
  }
  env[settingVariable("seed")] = String(run.seed);
  return env;
}

/** Ends a file in which a case is far over its limit, or in which nothing happens at all. */
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
    this.#tail.poll(); // what earlier files did is past
    this.#wait(patience.idle, "loading the file");
    this.#timer = setInterval(() => this.#look(), 500);
  }

  #wait(seconds: number, what: string): void {
    this.#due = performance.now() + seconds * 1000;
    this.#what = `${what} took more than ${seconds} s`;
  }

  #look(): void {
    for (const line of this.#tail.poll()) {
      if (line.line === "start" && line.limit !== undefined) {
        this.#wait(line.limit + this.#patience.grace, line.id);
      } else {
        this.#wait(this.#patience.idle, "going on to the next case");
      }
    }
    if (performance.now() > this.#due) this.#abort.abort(this.#what);
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}

/** Wait for the child; on abort ask it to end, then kill it, then stop waiting. */
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
      // it has ended by itself meanwhile
    }
    const dead = await Promise.race([status, delay(grace)]);
    if (dead !== null) return dead;
  }
  child.unref();
  return null;
}

/** Keep the child's output; what comes after its end and our patience is dropped. */
async function copy(from: ReadableStream<Uint8Array>, to: Deno.FsFile): Promise<void> {
  try {
    for await (const chunk of from) to.writeSync(chunk);
  } catch {
    // the log was closed meanwhile
  }
}

/** Whether the child's end fits what its lines say, and what killed it if something did. */
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
  if (signal.aborted) return blame(String(signal.reason));
  // a child that Deno itself reports as killed has a signal; a shell or npx would say 128 + n
  const killed = status.signal ?? (status.code > 128 ? `status ${status.code}` : null);
  if (killed !== null) return blame(`deno test died of ${killed}`);
  const explained = lines.some((line) =>
    line.line === "end" && !["PASS", "XFAIL", "SKIP"].includes(line.outcome)
  );
  if (status.code !== 0 && !explained) {
    return blame(`deno test ended with status ${status.code} outside of any case`);
  }
  if (!lines.some((line) => line.line === "case")) return blame("the file registered no case");
  return null;
}

/** A bench that was told to inject a fault and did not has proved nothing. */
function checkInjected(journal: Journal, spec: string): void {
  const { lines } = Journal.read(journal.path);
  if (lines.some((line) => line.line === "end" && (line.injected ?? []).length > 0)) return;
  journal.infrastructureError(
    "fault injection",
    `The fault "${spec}" was asked for and never injected`,
  );
}

function delay(milliseconds: number): Promise<null> {
  return new Promise((resolve) => Deno.unrefTimer(setTimeout(() => resolve(null), milliseconds)));
}
