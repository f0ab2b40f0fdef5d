// SPDX-License-Identifier: MIT
/**
 * Journals of runs that ended by themselves, for tests of what is in between.
 *
 * @module
 */
import { JOURNAL_SCHEMA, type JournalContents, parseJournal } from "../journal/lines.ts";

const at = "2026-01-01T00:00:00.000Z";

/** A process that cannot be alive here, because it ran on another machine. */
export const ELSEWHERE = { pid: 1, start: 1, machine: "another machine" } as const;

/**
 * Puts a plan without files before the lines of a journal, and its closing line behind them.
 *
 * @param lines The lines
 * @param closing More keys of the closing line
 * @returns The journal
 */
export function wholeJournal(
  lines: readonly { readonly at?: string }[],
  closing: { readonly seconds?: number } = {},
): JournalContents {
  const plan = {
    ...{ line: "plan", at, id: "plan", schema: JOURNAL_SCHEMA, by: "plumbline run" },
    ...{ files: [], writer: ELSEWHERE },
  };
  const all = [plan, ...lines, {
    line: "close",
    at: lines.at(-1)?.at ?? at,
    id: "plan",
    ...closing,
  }];
  return parseJournal(all.map((line) => `${JSON.stringify(line)}\n`).join(""));
}
