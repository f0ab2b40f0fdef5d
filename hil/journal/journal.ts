// SPDX-License-Identifier: MIT
/**
 * The journal: what a run did, line by line. Each line is on disk before the run continues.
 *
 * A segfault, SIGTERM, power loss or a hung bus ends Deno without a report. Only the journal survives,
 * so the results come from the journal alone: see `fold.ts`.
 *
 * The file is `journal.jsonl`. `lines.ts` describes its lines.
 *
 * @module
 */
import { INFRASTRUCTURE } from "../results/infrastructure.ts";
import { ROOT } from "../settings/paths.ts";
import { errorMessage } from "../text/error_message.ts";
import {
  type Case,
  type CaseResult,
  type FileState,
  JOURNAL_SCHEMA,
  type JournalContents,
  type JournalLine,
  parseJournal,
  type Plan,
  type RunHeader,
  type Seen,
} from "./lines.ts";
import { joinParts } from "./resume.ts";
import { thisProcess } from "./writer.ts";

export { parseJournal } from "./lines.ts";
export type { Case, CaseResult, JournalContents, JournalLine, RunHeader } from "./lines.ts";

/** The name of the journal in the folder of the run. */
export const JOURNAL_FILE = "journal.jsonl";

/** The environment variable that names the folder of the run. */
export const RESULTS_VARIABLE = "PLUMBLINE_RESULTS";

/**
 * A writer of a journal. Several writers, also of several processes, can share a file, because each line
 * is one write to the end of the file.
 *
 * @example Register, start and end a case
 * ```ts
 * import { Journal } from "./journal.ts";
 * import { assertEquals } from "@std/assert";
 *
 * using journal = Journal.open({ dir: Deno.makeTempDirSync() });
 * const plan = journal.plan("plumbline run", []);
 * journal.register({ id: "loopback/a", suite: "loopback", name: "a", policy: "none" });
 * journal.start("loopback/a");
 * journal.end("loopback/a", {
 *   outcome: "PASS",
 *   reason: null,
 *   seconds: 0.1,
 *   frames: 1,
 *   bytes: 64,
 * });
 * journal.close(plan);
 * assertEquals(Journal.read(journal.path).lines.length, 5);
 * ```
 */
export class Journal implements Disposable {
  /** The folder of the run, an absolute path. */
  readonly dir: string;
  /** The path of the journal. */
  readonly path: string;
  readonly #file: Deno.FsFile;
  /** When each plan was made, by the clock of this process that never jumps, in milliseconds. */
  readonly #began = new Map<string, number>();

  private constructor(dir: string, path: string, file: Deno.FsFile) {
    this.dir = dir;
    this.path = path;
    this.#file = file;
  }

  /**
   * Opens the journal of this run. Creates its folder if it does not exist.
   *
   * Without `dir`, the folder is named by `PLUMBLINE_RESULTS`. Without that variable, it is a new folder
   * `results/<pid>-<start>`, or the same below `/tmp/plumbline-results-<user id>` if the current folder
   * is not writable. The variable then names the new folder, because the test files of one `deno test` must
   * share a journal, and share a process but no variables of JavaScript.
   *
   * @param options.dir The folder
   * @returns The journal, open for appending; the caller owns it
   * @throws {Deno.errors.PermissionDenied} If the folder is not writable; other errors of the file system
   */
  static open(options: { dir?: string } = {}): Journal {
    const given = options.dir ?? (Deno.env.get(RESULTS_VARIABLE) || undefined);
    const dir = given === undefined ? newFolder() : makeFolder(given);
    if (options.dir === undefined) Deno.env.set(RESULTS_VARIABLE, dir);
    const path = `${dir}/${JOURNAL_FILE}`;
    const file = Deno.openSync(path, { append: true, create: true, read: true });
    const journal = new Journal(dir, path, file);
    if (journal.#isTorn()) journal.#write("\n"); // a writer died within a line: begin a new one
    return journal;
  }

  /**
   * Reads a journal, also one that is damaged or not finished.
   *
   * @param path The file
   * @returns The contents
   * @throws {Deno.errors.NotFound} If there is no such file
   */
  static read(path: string): JournalContents {
    return parseJournal(Deno.readTextFileSync(path));
  }

  /**
   * Reads this journal as it is now.
   *
   * @returns Its lines
   */
  lines(): readonly JournalLine[] {
    return Journal.read(this.path).lines;
  }

  /**
   * Records what this process is going to run. The first line of a journal is a plan.
   *
   * @param by Who plans
   * @param files Absolute paths of the test files
   * @returns The id of the plan, for {@linkcode close}
   */
  plan(by: Plan["by"], files: readonly string[]): string {
    const id = crypto.randomUUID();
    const names = files.map(inCheckout);
    const writer = thisProcess();
    this.#began.set(id, performance.now());
    this.#append({ line: "plan", id, schema: JOURNAL_SCHEMA, by, files: names, writer });
    return id;
  }

  /**
   * Records that this process goes on with a run that ended early.
   *
   * @param id The id of its plan
   */
  resume(id: string): void {
    this.#began.set(id, performance.now());
    this.#append({ line: "resume", id, writer: thisProcess() });
  }

  /**
   * Returns whether a plan that is under way covers a test file.
   *
   * @param file The absolute path of the file
   * @returns Whether `plumbline run`, which plans every file, or this file itself has planned it
   */
  isPlanned(file: string): boolean {
    const { lines } = joinParts(Journal.read(this.path)).contents;
    const closed = new Set(lines.flatMap((line) => line.line === "close" ? [line.id] : []));
    return lines.some((line) =>
      line.line === "plan" && !closed.has(line.id) &&
      (line.by === "plumbline run" || line.files.includes(inCheckout(file)))
    );
  }

  /**
   * Records that a plan is done, in whatever way its files ended. Without this line the run died.
   *
   * @param id The id of the plan
   */
  close(id: string): void {
    const began = this.#began.get(id);
    const seconds = began === undefined ? undefined : (performance.now() - began) / 1000;
    this.#append({ line: "close", id, ...(seconds === undefined ? {} : { seconds }) });
  }

  /**
   * Records that a test file started or ended.
   *
   * @param state What happened to the file, whose path is absolute
   */
  file(state: FileState): void {
    this.#append({ line: "file", ...state, file: inCheckout(state.file) });
  }

  /**
   * Records facts about the run. Can be called several times.
   *
   * @param header The facts that the caller knows
   */
  header(header: RunHeader): void {
    this.#append({ line: "run", ...header });
  }

  /**
   * Records that a case exists, before any case runs.
   *
   * @param item The case; with `skip`, the case must not start
   */
  register(item: Case): void {
    this.#append({ line: "case", ...item });
  }

  /**
   * Records that a case starts.
   *
   * @param id The id of the case
   * @param limit The time limit in seconds; a case that exceeds it hangs
   * @param round The number of the round, from 1, in a run with `--duration`
   */
  start(id: string, limit?: number, round?: number): void {
    this.#append({
      ...{ line: "start", id },
      ...(limit === undefined ? {} : { limit }),
      ...(round === undefined ? {} : { round }),
    });
  }

  /**
   * Records damage when it is found, because the case may never end.
   *
   * @param id The id of the case
   * @param seen What was found
   */
  seen(id: string, seen: Seen): void {
    this.#append({ line: "seen", id, ...seen });
  }

  /**
   * Records the result of a case.
   *
   * @param id The id of the case
   * @param result The result
   */
  end(id: string, result: CaseResult): void {
    this.#append({ line: "end", id, ...result });
  }

  /**
   * Records an infrastructure error outside any case: a process that died, a report of the kernel.
   *
   * @param name What failed
   * @param reason What happened
   */
  infrastructureError(name: string, reason: string): void {
    const id = `${INFRASTRUCTURE}/${name}`;
    this.register({ id, suite: INFRASTRUCTURE, name, policy: null });
    this.end(id, { outcome: "ERROR", reason, seconds: 0, frames: 0, bytes: 0 });
  }

  /** Closes the file. */
  [Symbol.dispose](): void {
    this.#file.close();
  }

  #append(line: Record<string, unknown>): void {
    const { line: kind, ...rest } = line;
    this.#write(JSON.stringify({ line: kind, at: new Date().toISOString(), ...rest }) + "\n");
  }

  /** Writes a line in one write, so that lines of several processes never mix, then to the disk. */
  #write(text: string): void {
    const bytes = new TextEncoder().encode(text);
    const written = this.#file.writeSync(bytes);
    if (written !== bytes.length) {
      throw new Error(
        `The journal ${this.path} took ${written} of ${bytes.length} bytes: is the disk full?`,
      );
    }
    this.#file.syncDataSync();
  }

  #isTorn(): boolean {
    const { size } = this.#file.statSync();
    if (size === 0) return false;
    this.#file.seekSync(size - 1, Deno.SeekMode.Start);
    const last = new Uint8Array(1);
    this.#file.readSync(last);
    return last[0] !== 0x0a;
  }
}

/** A path as another machine can have it too: relative to the checkout, if the file is in it. */
function inCheckout(path: string): string {
  return path.startsWith(ROOT) ? path.slice(ROOT.length) : path;
}

function makeFolder(dir: string): string {
  Deno.mkdirSync(dir, { recursive: true });
  return Deno.realPathSync(dir);
}

function newFolder(): string {
  const name = `${Deno.pid}-${new Date().toISOString().replace(/[-:]|\.\d+/g, "")}`;
  try {
    return makeFolder(`results/${name}`);
  } catch (error) {
    const why = errorMessage(error);
    // each user needs a folder of their own
    const parent = `/tmp/plumbline-results-${Deno.uid() ?? "user"}`;
    let dir: string;
    try {
      dir = makeFolder(`${parent}/${name}`);
    } catch (second) {
      throw new Error(
        `Neither results/ here (${why}) nor ${parent} (${errorMessage(second)}) can be written: ` +
          `name a folder in ${RESULTS_VARIABLE}`,
      );
    }
    console.error(`plumbline: cannot create results/ here (${why}): the results go to ${dir}`);
    return dir;
  }
}
