// SPDX-License-Identifier: MIT
/**
 * Runs the suites on this machine, in a child process: `deno test`.
 *
 * A child, because a segfault, a call that hangs in the driver and a test that never ends would take
 * the report with them. What happened is in the journal, not in the child's exit status or output.
 *
 * @module
 */
import { Journal } from "../journal.ts";
import type { RunOptions } from "./options.ts";
import { follow, type Progress } from "./progress.ts";

/** Name of the child's output in the folder of the run. */
export const LOG_FILE = "deno-test.log";

/** What {@linkcode runLocal} is given. */
export interface LocalRun {
  /** What was asked for. */
  readonly options: RunOptions;
  /** The journal of the run. */
  readonly journal: Journal;
  /** The checkout. */
  readonly root: string;
  /** The suites to run, as test files relative to the checkout. */
  readonly files: readonly string[];
  /** The device. */
  readonly device: string;
  /** The seed. */
  readonly seed: number;
  /** What to show meanwhile. */
  readonly progress: Progress | null;
  /** Ends the run early; its reason is told. */
  readonly signal: AbortSignal;
}

/**
 * Run the suites and wait for their end.
 *
 * @param run what to run
 * @returns what ended the child before its time, to explain cases that have no end; `null` when it
 * ended by itself. Failures of the bench are in the journal.
 */
export async function runLocal(run: LocalRun): Promise<string | null> {
  const { options, journal, signal } = run;
  // faults are armed through debugfs, and Deno lets nobody into /sys without all permissions
  const permissions = options.fault === null ? "-P" : "-A";
  const child = new Deno.Command(Deno.execPath(), {
    // types are checked where the code is written; on a slow board that takes minutes
    args: ["test", permissions, "--no-check", "--no-prompt", ...run.files],
    cwd: run.root,
    env: environment(run),
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  using log = Deno.openSync(`${journal.dir}/${LOG_FILE}`, { append: true, create: true });
  const copied = Promise.all([copy(child.stdout, log), copy(child.stderr, log)]);
  const ended = await follow(run.progress, untilEnd(child, signal));
  if (ended === null) {
    const reason = `${signal.reason}, and deno test does not die: it hangs in the kernel`;
    journal.bench("deno test", reason);
    return reason;
  }
  await Promise.race([copied, delay(1000)]); // a grandchild may still hold the pipes
  const died = judgeChild(journal, ended, signal);
  if (died === null && options.fault !== null) checkInjected(journal, options.fault);
  return died;
}

function environment(run: LocalRun): Record<string, string> {
  const { options, journal } = run;
  const env: Record<string, string> = {
    PLUMBLINE_DEVICE: run.device,
    PLUMBLINE_RESULTS: journal.dir,
    PLUMBLINE_SEED: String(run.seed),
    NO_COLOR: "1",
  };
  if (options.policy !== null) env["PLUMBLINE_POLICY"] = options.policy.join(",");
  if (options.size !== null) env["PLUMBLINE_SIZE"] = options.size.join(",");
  if (options.depth !== null) env["PLUMBLINE_DEPTH"] = options.depth.join(",");
  if (options.frames !== null) env["PLUMBLINE_FRAMES"] = String(options.frames);
  if (options.fault !== null) env["PLUMBLINE_FAULT"] = options.fault;
  return env;
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

/** Whether the child's end fits what the journal says, and what killed it if something did. */
function judgeChild(
  journal: Journal,
  status: Deno.CommandStatus,
  signal: AbortSignal,
): string | null {
  if (signal.aborted) {
    journal.bench("deno test", String(signal.reason));
    return String(signal.reason);
  }
  // a child that Deno itself reports as killed has a signal; a shell or npx would say 128 + n
  const killed = status.signal ?? (status.code > 128 ? `status ${status.code}` : null);
  if (killed !== null) {
    journal.bench("deno test", `deno test died of ${killed}: see ${LOG_FILE}`);
    return killed;
  }
  const ends = Journal.read(journal.path).lines.filter((line) => line.line === "end");
  const explained = ends.some((line) => !["PASS", "XFAIL", "SKIP"].includes(line.outcome));
  if (status.code !== 0 && !explained) {
    journal.bench(
      "deno test",
      `deno test ended with status ${status.code} outside of any case: see ${LOG_FILE}`,
    );
  }
  return null;
}

/** A bench that was told to inject a fault and did not has proved nothing. */
function checkInjected(journal: Journal, spec: string): void {
  const { lines } = Journal.read(journal.path);
  if (lines.some((line) => line.line === "end" && (line.injected ?? []).length > 0)) return;
  journal.bench("fault injection", `The fault "${spec}" was asked for and never injected`);
}

function delay(milliseconds: number): Promise<null> {
  return new Promise((resolve) => Deno.unrefTimer(setTimeout(() => resolve(null), milliseconds)));
}
