// SPDX-License-Identifier: MIT
/**
 * The journal: what a run did, line by line. Each line is on disk before the run continues.
 *
 * A segfault, SIGTERM, power loss or a hung bus ends Deno without a report. Only the journal survives,
 * so the results come from the journal alone: see `fold.ts`.
 *
 * The file is `journal.jsonl`: JSON lines in UTF-8. The key `line` is the kind of a line: `run` (facts
 * about the run; later lines add to earlier ones), `case` (registered), `start` and `end`.
 *
 * @module
 */
import { INFRASTRUCTURE } from "../results/infrastructure.ts";
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

/** Facts about the run. If several lines hold the same fact, the first one counts. */
export interface RunHeader {
  /** The versions of the tool. */
  readonly tool?: Partial<ToolInfo>;
  /** The board that the run uses. */
  readonly board?: Partial<BoardInfo>;
  /** The bitstream in the logic. */
  readonly bitstream?: Partial<BitstreamInfo>;
  /** The run as a whole. */
  readonly run?: Partial<RunInfo>;
  /** Facts about the machine and the kernel. */
  readonly environment?: Environment;
  /** The limits for measurements. */
  readonly limits?: readonly Limit[];
}

/** A registered case. */
export interface Case {
  /** The id, unique within the run, such as `loopback/loop policy=none size=64 depth=1`. */
  readonly id: string;
  /** The suite. */
  readonly suite: string;
  /** The name of the case. */
  readonly name: string;
  /** The policy, or `null` if the case uses none. */
  readonly policy: string | null;
  /** What distinguishes the case from others of the same name, such as size and depth. */
  readonly params?: NonNullable<TestResult["params"]>;
  /** Whether this is a negative control, which must fail on a board that reveals missing syncs. */
  readonly control?: boolean;
  /** Why the case is skipped, or `null`. */
  readonly skip?: string | null;
}

/** The result of a case. */
export interface CaseResult {
  /** How the case ended. */
  readonly outcome: Outcome;
  /** Why the case ended so, for every outcome but PASS. */
  readonly reason: string | null;
  /** The duration of the case. */
  readonly seconds: number;
  /** The number of verified frames. */
  readonly frames: number;
  /** The number of verified bytes. */
  readonly bytes: number;
  /** The faults that were found. */
  readonly faults?: readonly Fault[];
  /** The measurements of the case. */
  readonly measurements?: readonly Measurement[];
  /**
   * For a control: whether it failed because of a missing sync in each direction. A direction that the
   * case does not use, or cannot separate from the other one, has no key.
   */
  readonly evidence?: { readonly tx?: boolean; readonly rx?: boolean };
  /** The faults that were injected into the board, one text each. */
  readonly injected?: readonly string[];
}

/** A line of a journal. `at` is the time of writing, RFC 3339. */
export type JournalLine =
  & { readonly at: string }
  & (
    | ({ readonly line: "run" } & RunHeader)
    | ({ readonly line: "case" } & Case)
    | {
      readonly line: "start";
      readonly id: string;
      /** The time limit of the case in seconds. A case that exceeds it hangs. */
      readonly limit?: number;
    }
    | ({ readonly line: "end"; readonly id: string } & CaseResult)
  );

/** The contents of a journal. */
export interface JournalContents {
  /** Every readable line, in order. */
  readonly lines: readonly JournalLine[];
  /** The numbers of unreadable lines, from 1. A torn last line is not among them. */
  readonly unreadable: readonly number[];
  /** Whether the last line is torn, because the writer died while writing it. */
  readonly torn: boolean;
}

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
  /** The folder of the run, an absolute path. */
  readonly dir: string;
  /** The path of the journal. */
  readonly path: string;
  readonly #file: Deno.FsFile;

  private constructor(dir: string, path: string, file: Deno.FsFile) {
    this.dir = dir;
    this.path = path;
    this.#file = file;
  }

  /**
   * Opens the journal of this run. Creates its folder if it does not exist.
   *
   * Without `dir`, the folder is named by `PLUMBLINE_RESULTS`. Without that variable, it is a new folder
   * `results/<pid>-<start>`, or the same below `/tmp/plumbline-results` if the current folder is not
   * writable. The variable then names the new folder, because the test files of one `deno test` must
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
   */
  start(id: string, limit?: number): void {
    this.#append({ line: "start", id, ...(limit === undefined ? {} : { limit }) });
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

/**
 * A reader of a journal that is still being written.
 */
export class JournalTail {
  readonly #path: string;
  readonly #decoder = new TextDecoder();
  #offset = 0;
  #rest = "";

  /**
   * Creates a reader that begins at the first line.
   *
   * @param path The file, which may not exist yet
   */
  constructor(path: string) {
    this.#path = path;
  }

  /**
   * Reads the lines that were added since the last call.
   *
   * @returns The new complete lines; none if the file does not exist
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
 * Parses the text of a journal.
 *
 * @param text The text of the file
 * @returns The contents
 */
export function parseJournal(text: string): JournalContents {
  const lines: JournalLine[] = [];
  const unreadable: number[] = [];
  const raw = text.split("\n");
  const last = raw.pop() ?? ""; // the text after the last line feed: empty unless the line is torn
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
    console.error(`plumbline: cannot create results/ here (${why}): the results go to ${dir}`);
    return dir;
  }
}
