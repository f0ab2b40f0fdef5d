// SPDX-License-Identifier: MIT
/**
 * The lines of a journal: their types, and how they are read.
 *
 * The file is JSON lines in UTF-8. The key `line` is the kind of a line:
 *
 * - `plan`: the schema, the test files that a writer is going to run, and the writer. The first line of
 *   a journal is a plan. A virtual board adds a plan of its own.
 * - `run`: facts about the run. Later lines add to earlier ones.
 * - `file`: a test file started or ended.
 * - `case` (registered), `start` and `end`: a case.
 * - `seen`: a case found damage and still runs. It counts if the case has no end.
 * - `resume`: a run that ended early goes on.
 * - `close`: a plan is done. A journal in which a plan has no closing line is incomplete.
 *
 * @module
 */
import { isJournalLine } from "./valid.ts";
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
import type { SensorReading } from "../results/soak.ts";
import type { Fault } from "../verify/fault.ts";
import type { Outcome } from "../results/outcome.ts";
import type { Writer } from "./writer.ts";

/** The schema of a journal that this version writes and reads. */
export const JOURNAL_SCHEMA = 1;

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

/** What a writer of the journal is going to run. */
export interface Plan {
  /** Identifies the plan in its closing line. */
  readonly id: string;
  /** The schema of the journal. */
  readonly schema: number;
  /** Who plans: `plumbline run` knows every file, and `deno test` knows only the one that it loads. */
  readonly by: "plumbline run" | "deno test";
  /** The test files, relative to the checkout if they are in it. */
  readonly files: readonly string[];
  /** The process that writes the closing line. */
  readonly writer: Writer;
}

/** The start or the end of a test file. */
export interface FileState {
  /** The file, as in {@linkcode Plan.files}. */
  readonly file: string;
  /** Its suite. */
  readonly suite: string;
  /** Whether its process started or ended. */
  readonly state: "started" | "ended";
  /** What ended the file early. Absent if it ended by itself. */
  readonly died?: string;
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
  /** Where the test file registers the case, as in {@linkcode TestResult.place}. */
  readonly place?: string;
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
  /** What differs from what was asked for, such as a queue that is less deep. */
  readonly notes?: readonly string[];
  /** What the board shows of the first completion that did not come in time. */
  readonly late?: NonNullable<TestResult["late"]>;
  /** Files that the test attached. */
  readonly attachments?: NonNullable<TestResult["attachments"]>;
  /** Stack of what the test threw, where it is in the test's own file. */
  readonly stack?: string;
  /** What all rounds need. Present in a run with `--duration`. */
  readonly round?: Round;
}

/** What a round of `--duration` adds to the result of a case. */
export interface Round {
  /** The number of the round, from 1. */
  readonly number: number;
  /** The time from the start of the case to its first fault, in seconds. Absent without a fault. */
  readonly faultAfter?: number;
  /** The number of all faults, if fewer are listed. */
  readonly allFaults?: number;
  /** What the sensors of the machine showed at the end. Absent if there are none. */
  readonly sensors?: readonly SensorReading[];
}

/** Damage that a case found before its end. */
export type Seen = Pick<CaseResult, "outcome" | "reason" | "frames" | "bytes" | "faults" | "late">;

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
      /** The number of the round, from 1. Present in a run with `--duration`. */
      readonly round?: number;
    }
    | ({ readonly line: "seen"; readonly id: string } & Seen)
    | ({ readonly line: "end"; readonly id: string } & CaseResult)
    | ({ readonly line: "plan" } & Plan)
    | ({ readonly line: "file" } & FileState)
    | {
      readonly line: "resume";
      /** The id of the plan that goes on. */
      readonly id: string;
      /** The process that goes on with it, and writes the closing line. */
      readonly writer: Writer;
    }
    | {
      readonly line: "close";
      /** The id of the plan that is done. */
      readonly id: string;
      /** The time since the plan was made, in seconds, by a clock that never jumps. */
      readonly seconds?: number;
    }
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
    if (line === null) {
      unreadable.push(i + 1);
      return;
    }
    // the writer died within the line before, and that is why the run was resumed
    if (line.line === "resume" && unreadable.at(-1) === i) unreadable.pop();
    lines.push(line);
  });
  return { lines, unreadable, torn: last !== "" };
}

function parseLine(text: string): JournalLine | null {
  try {
    const line: unknown = JSON.parse(text);
    return isJournalLine(line) ? line as JournalLine : null;
  } catch {
    return null;
  }
}
