// SPDX-License-Identifier: MIT
/**
 * Whether a journal is whole, and what is missing from it.
 *
 * A journal that lacks its end looks like one of a shorter run, unless it says at its beginning what it
 * will hold. So its first line is a plan, and the last line of a plan is its closing line.
 *
 * @module
 */
import { plural } from "../text/format.ts";
import { JOURNAL_SCHEMA, type JournalContents, type JournalLine, type Plan } from "./lines.ts";
import { isAlive, type Writer } from "./writer.ts";

/** What a journal says about the end of its run. */
export interface Completeness {
  /** `closed`: every plan has its closing line; `running`: the writer is alive; else `cut`. */
  readonly state: "closed" | "running" | "cut";
  /** Why the journal is not whole, as a clause; `null` for a closed journal. */
  readonly reason: string | null;
  /** Which planned files did not start or did not end. Empty if all did. */
  readonly missing: string;
  /** Whether `deno test` ran the files by itself, so that nothing names the files to come. */
  readonly alone: boolean;
}

/** How many names of files or cases a text has at most. */
const MOST_NAMES = 3;

/**
 * Checks whether a journal is whole.
 *
 * @param contents The journal
 * @param alive Returns whether the process that writes it is alive; `null` if unknown
 * @returns What it says about the end of its run
 *
 * @example A journal that does not begin with a plan
 * ```ts
 * import { completeness } from "./completeness.ts";
 * import { parseJournal } from "./lines.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(completeness(parseJournal("")).state, "cut");
 * ```
 */
export function completeness(
  contents: JournalContents,
  alive: (writer: Writer) => boolean | null = isAlive,
): Completeness {
  const { lines } = contents;
  const plans = lines.filter((line) => line.line === "plan");
  const closed = new Set(lines.flatMap((line) => line.line === "close" ? [line.id] : []));
  const open = plans.filter(({ id }) => !closed.has(id));
  const found = {
    missing: describeMissing(lines, plans),
    alone: plans.some(({ by }) => by === "deno test"),
  };
  const cut = (reason: string): Completeness => ({ ...found, state: "cut", reason });

  const [first] = lines;
  if (first?.line !== "plan") {
    return cut(
      "the journal does not begin with the planned files, " +
        "because its beginning is lost or an older Plumbline wrote it",
    );
  }
  const other = plans.find(({ schema }) => schema !== JOURNAL_SCHEMA);
  if (other !== undefined) {
    return cut(
      `expected a journal of schema ${JOURNAL_SCHEMA}, found schema ${other.schema}: ` +
        "read it with the Plumbline that wrote it",
    );
  }
  const [outermost] = open;
  if (outermost === undefined) return { ...found, state: "closed", reason: null };
  switch (alive(outermost.writer)) {
    case true:
      return {
        ...found,
        state: "running",
        reason: `the run is still going, in process ${outermost.writer.pid}`,
      };
    case false:
      return cut("the run ended early, without a closing line in its journal");
    case null:
      return cut(
        "the journal has no closing line: the run ended early, " +
          "or it is still going where this process cannot see it",
      );
  }
}

/**
 * Returns the part of a journal that the innermost plan covers: in a virtual board, that of the guest.
 *
 * @param contents The journal
 * @returns The same journal as if only that plan had been made
 */
export function innermost(contents: JournalContents): JournalContents {
  const plan = contents.lines.findLast((line) => line.line === "plan");
  if (plan === undefined) return contents;
  return { ...contents, lines: [plan, ...contents.lines.filter((line) => line.line !== "plan")] };
}

/** Planned files that did not start or did not end. */
function describeMissing(lines: readonly JournalLine[], plans: readonly Plan[]): string {
  const planned = [...new Set(plans.flatMap(({ files }) => files))];
  const started = new Set<string>();
  const ended = new Set<string>();
  for (const line of lines) {
    if (line.line === "file") (line.state === "started" ? started : ended).add(line.file);
  }
  const parts = [
    countNames(planned.filter((file) => !started.has(file)), "file", "did not start"),
    countNames([...started].filter((file) => !ended.has(file)), "file", "did not end"),
  ];
  return parts.filter((part) => part !== "").join(", ");
}

/**
 * Counts things that something happened to, and names the first ones.
 *
 * @param names Their names
 * @param noun What one of them is
 * @param what What happened to them
 * @returns A clause; empty if there are none
 *
 * @example Two files
 * ```ts
 * import { countNames } from "./completeness.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(countNames(["a", "b"], "file", "did not end"), "2 files did not end (a, b)");
 * ```
 */
export function countNames(names: readonly string[], noun: string, what: string): string {
  if (names.length === 0) return "";
  const more = names.length > MOST_NAMES ? `, and ${names.length - MOST_NAMES} more` : "";
  const some = names.slice(0, MOST_NAMES).join(", ");
  return `${plural(names.length, noun)} ${what} (${some}${more})`;
}
