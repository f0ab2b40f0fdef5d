// SPDX-License-Identifier: MIT
/**
 * The journal: what a run did, one line at a time, each on disk before the run goes on.
 *
 * A segfault, SIGTERM, power loss or a hung bus ends Deno without a report. What it had written to
 * the journal by then is all that is known, so results are folded from the journal and from nothing
 * else. See {@link ./journal_fold.ts}.
 *
 * The file is `journal.jsonl`, JSON lines in UTF-8. A line has a key `line` that tells its kind:
 * `run` (several may add to each other), `case` (registered), `start`, `end`.
 *
 * @module
 */
import type { Limit } from "../results/limits.ts";
import type {
  BitstreamInfo,
  BoardInfo,
  Environment,
  Measurement,
  RunInfo,
  TestResult,
  ToolInfo,
} from "../results/schema.ts";
import type { Fault } from "../verify/fault.ts";
import type { Outcome } from "../results/outcome.ts";
import { errorMessage } from "../text/error_message.ts";

/** Facts about the run; each line gives those that its writer knows, and the first one counts. */
export interface RunHeader {
  /** What runs. */
  readonly tool?: Partial<ToolInfo>;
  /** What it runs on. */
  readonly board?: Partial<BoardInfo>;
  /** What is in the logic. */
  readonly bitstream?: Partial<BitstreamInfo>;
  /** The run as a whole. */
  readonly run?: Partial<RunInfo>;
  /** What else is known of machine and kernel. */
  readonly environment?: Environment;
  /** What measurements are held against. */
  readonly limits?: readonly Limit[];
}

/** A case, as it is registered. */
export interface Case {
  /** Unique within the run, such as `loopback/loop policy=none size=64 depth=1`. */
  readonly id: string;
  /** The suite. */
  readonly suite: string;
  /** The case's own name. */
  readonly name: string;
  /** The policy, or `null` for a case that uses none. */
  readonly policy: string | null;
  /** What tells this case from its neighbours, such as size and depth. */
  readonly params?: NonNullable<TestResult["params"]>;
  /** Whether this is a negative control: a case that must fail where missing syncs can be seen. */
  readonly control?: boolean;
  /** Why it will not run, or `null`. */
  readonly skip?: string | null;
}

/** How a case ended. */
export interface CaseResult {
  /** The outcome. */
  readonly outcome: Outcome;
  /** Why, for every outcome but PASS. */
  readonly reason: string | null;
  /** How long it took. */
  readonly seconds: number;
  /** Frames verified. */
  readonly frames: number;
  /** Bytes verified. */
  readonly bytes: number;
  /** What was wrong. */
  readonly faults?: readonly Fault[];
  /** What was measured. */
  readonly measurements?: readonly Measurement[];
  /**
   * For a control, by direction: whether a missing sync was seen; no key for a direction that the
   * case does not use or cannot tell apart.
   */
  readonly evidence?: { readonly tx?: boolean; readonly rx?: boolean };
  /** What a virtual board's engine did wrong on demand, a line for each fault. */
  readonly injected?: readonly string[];
}

/** One line of a journal; `at` is when it was written, RFC 3339. */
export type JournalLine =
  & { readonly at: string }
  & (
    | ({ readonly line: "run" } & RunHeader)
    | ({ readonly line: "case" } & Case)
    | {
      readonly line: "start";
      readonly id: string;
      /** Seconds after which the case has ended, or hangs. */
      readonly limit?: number;
    }
    | ({ readonly line: "end"; readonly id: string } & CaseResult)
  );

/** What {@linkcode Journal.read} found. */
export interface JournalContents {
  /** Every line that could be read, in order. */
  readonly lines: readonly JournalLine[];
  /** Numbers, from 1, of lines that could not be read, but for a last one without its end. */
  readonly unreadable: readonly number[];
  /** Whether the last line is torn: the writer died while writing it. */
  readonly torn: boolean;
}

/** Name of the journal in its folder. */
export const JOURNAL_FILE = "journal.jsonl";

/** Environment variable that names the folder of the run. */
export const RESULTS_VARIABLE = "PLUMBLINE_RESULTS";

/**
 * Writer of a journal. Several may write to one file, from one process or many: a line is one write
 * to the end of the file.
 *
 * @example Register, run and end a case
 * ```ts
 * import { Journal } from "./journal.ts";
 * import { assertEquals } from "@std/assert";
 *
 * using journal = Journal.open({ dir: Deno.makeTempDirSync() });
 * journal.register({ id: "loopback/a", suite: "loopback", name: "a", policy: "none" });
 * journal.start("loopback/a");
 * journal.end("loopback/a", {
 *   outcome: "PASS",
 *   reason: null,
 *   seconds: 0.1,
 *   frames: 1,
 *   bytes: 64,
 * });
 * assertEquals(Journal.read(journal.path).lines.length, 3);
 * ```
 */
export class Journal implements Disposable {
  /** The folder of the run, absolute. */
  readonly dir: string;
  /** The journal in it. */
  readonly path: string;
  readonly #file: Deno.FsFile;

  private constructor(dir: string, path: string, file: Deno.FsFile) {
    this.dir = dir;
    this.path = path;
    this.#file = file;
  }

  /**
   * Open the journal of this run, making its folder if need be.
   *
   * The folder is `dir`, else `PLUMBLINE_RESULTS`, else `results/<pid>-<start>` (in `/tmp` where the
   * working folder cannot be written). It is then put into `PLUMBLINE_RESULTS`, because the test
   * files of one `deno test` share a process but no variables, and must share a journal.
   *
   * @param options.dir the folder
   * @returns the journal, open for appending; the caller owns it
   * @throws {Deno.errors.PermissionDenied} and the like, when the folder cannot be written
   */
  static open(options: { dir?: string } = {}): Journal {
    const given = options.dir ?? (Deno.env.get(RESULTS_VARIABLE) || undefined);
    const dir = given === undefined ? newFolder() : makeFolder(given);
    if (options.dir === undefined) Deno.env.set(RESULTS_VARIABLE, dir);
    const path = `${dir}/${JOURNAL_FILE}`;
    const file = Deno.openSync(path, { append: true, create: true, read: true });
    const journal = new Journal(dir, path, file);
    if (journal.#isTorn()) journal.#write("\n"); // a writer died here: start on a line of our own
    return journal;
  }

  /**
   * Read a journal, in whatever state its writer left it.
   *
   * @param path the file
   * @returns its lines and what could not be read
   * @throws {Deno.errors.NotFound} when there is no such file
   */
  static read(path: string): JournalContents {
    return parseJournal(Deno.readTextFileSync(path));
  }

  /**
   * Note facts about the run. May be called more than once.
   *
   * @param header what the caller knows
   */
  header(header: RunHeader): void {
    this.#append({ line: "run", ...header });
  }

  /**
   * Note that a case exists, before anything runs.
   *
   * @param item the case; with `skip` it must not be started
   */
  register(item: Case): void {
    this.#append({ line: "case", ...item });
  }

  /**
   * Note that a case begins.
   *
   * @param id the case
   * @param limit seconds after which it has ended, or hangs
   */
  start(id: string, limit?: number): void {
    this.#append({ line: "start", id, ...(limit === undefined ? {} : { limit }) });
  }

  /**
   * Note how a case ended.
   *
   * @param id the case
   * @param result how it ended
   */
  end(id: string, result: CaseResult): void {
    this.#append({ line: "end", id, ...result });
  }

  /**
   * Note a failure of the bench outside of any case: a process that died, a kernel report.
   *
   * @param name what failed
   * @param reason what happened
   */
  bench(name: string, reason: string): void {
    const id = `bench/${name}`;
    this.register({ id, suite: "bench", name, policy: null });
    this.end(id, { outcome: "ERROR", reason, seconds: 0, frames: 0, bytes: 0 });
  }

  /** Close the file. */
  [Symbol.dispose](): void {
    this.#file.close();
  }

  #append(line: Record<string, unknown>): void {
    const { line: kind, ...rest } = line;
    this.#write(JSON.stringify({ line: kind, at: new Date().toISOString(), ...rest }) + "\n");
  }

  /** One write, so that lines of several processes never mix, then down to the disk. */
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

/**
 * Reader of a journal that is still being written.
 */
export class JournalTail {
  readonly #path: string;
  readonly #decoder = new TextDecoder();
  #offset = 0;
  #rest = "";

  /**
   * Follow a journal from its first line.
   *
   * @param path the file, which need not exist yet
   */
  constructor(path: string) {
    this.#path = path;
  }

  /**
   * Read what was added since the last call.
   *
   * @returns the new whole lines, none when the file does not exist
   */
  poll(): JournalLine[] {
    let file: Deno.FsFile;
    try {
      file = Deno.openSync(this.#path);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return [];
      throw error;
    }
    using _closed = file;
    file.seekSync(this.#offset, Deno.SeekMode.Start);
    const buffer = new Uint8Array(65536);
    for (let n = file.readSync(buffer); n !== null && n > 0; n = file.readSync(buffer)) {
      this.#offset += n;
      this.#rest += this.#decoder.decode(buffer.subarray(0, n), { stream: true });
    }
    const end = this.#rest.lastIndexOf("\n") + 1;
    const text = this.#rest.slice(0, end);
    this.#rest = this.#rest.slice(end);
    return [...parseJournal(text).lines];
  }
}

/**
 * Take the text of a journal apart.
 *
 * @param text what the file holds
 * @returns its lines and what could not be read
 */
export function parseJournal(text: string): JournalContents {
  const lines: JournalLine[] = [];
  const unreadable: number[] = [];
  const raw = text.split("\n");
  const last = raw.pop() ?? ""; // what follows the last end of line: nothing, unless it is torn
  raw.forEach((one, i) => {
    if (one === "") return;
    const line = parseLine(one);
    if (line === null) unreadable.push(i + 1);
    else lines.push(line);
  });
  return { lines, unreadable, torn: last !== "" };
}

function parseLine(text: string): JournalLine | null {
  try {
    const line = JSON.parse(text);
    const known = typeof line === "object" && line !== null && typeof line.at === "string" &&
      (line.line === "run" ||
        ["case", "start", "end"].includes(line.line) && typeof line.id === "string");
    return known ? line : null;
  } catch {
    return null;
  }
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
    const dir = makeFolder(`/tmp/plumbline-results/${name}`);
    const why = errorMessage(error);
    console.error(`plumbline: no folder results/ here (${why}): results go to ${dir}`);
    return dir;
  }
}
