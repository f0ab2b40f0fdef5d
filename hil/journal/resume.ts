// SPDX-License-Identifier: MIT
/**
 * Runs that ended early and were resumed: their journal has a line `resume` for each time.
 *
 * @module
 */
import { INFRASTRUCTURE } from "../results/infrastructure.ts";
import type { JournalContents, JournalLine, Seen } from "./lines.ts";

/** What earlier parts of a resumed run have done. */
export interface Done {
  /** How often each case ended. */
  readonly cases: ReadonlyMap<string, number>;
  /** The time of the cases of each suite, in seconds. */
  readonly seconds: ReadonlyMap<string, number>;
}

/**
 * Returns what is done before a run is resumed for the last time.
 *
 * @param lines The lines of its journal
 * @returns What is done; nothing if the run was not resumed
 */
export function doneBefore(lines: readonly JournalLine[]): Done {
  const cases = new Map<string, number>();
  const seconds = new Map<string, number>();
  const suites = new Map<string, string>();
  const last = lines.findLastIndex(({ line }) => line === "resume");
  for (const line of lines.slice(0, Math.max(0, last))) {
    if (line.line === "case") suites.set(line.id, line.suite);
    if (line.line !== "end") continue;
    cases.set(line.id, (cases.get(line.id) ?? 0) + 1);
    const suite = suites.get(line.id) ?? INFRASTRUCTURE;
    seconds.set(suite, (seconds.get(suite) ?? 0) + line.seconds);
  }
  return { cases, seconds };
}

/**
 * Joins the parts of a resumed run, as if nothing had ended it. Damage that was found stays.
 *
 * @param contents The journal
 * @returns The same journal without the ends of earlier parts, and what ran at each of these ends; null
 * in place of that if the run was not resumed
 */
export function joinParts(
  contents: JournalContents,
): { readonly contents: JournalContents; readonly resumed: readonly string[] | null } {
  const resumed: string[] = [];
  let lines: JournalLine[] = [];
  // each part registers its cases
  const known = new Set<string>();
  const again = new Set<string>();
  for (const line of contents.lines) {
    if (line.line === "case" && known.has(line.id) && !again.has(line.id)) {
      again.add(line.id);
    } else if (line.line !== "resume") {
      lines.push(line);
    } else {
      const open = openCases(lines);
      resumed.push(open.length === 0 ? "between two cases" : namesOf(open));
      const starts = new Set<JournalLine>(
        open.filter(({ seen }) => seen === null).map(({ start }) => start),
      );
      lines = lines.filter((one) => !starts.has(one)).flatMap((one) => continued(one, line));
      for (const { id, start, seen } of open) {
        if (seen !== null) lines.push(endOf(id, start, seen, line.at));
      }
      for (const one of lines) if (one.line === "case") known.add(one.id);
      again.clear();
    }
  }
  return resumed.length === 0
    ? { contents, resumed: null }
    : { contents: { ...contents, lines }, resumed };
}

type Line<Kind> = Extract<JournalLine, { line: Kind }>;

/** A case that started and did not end. */
interface Open {
  readonly id: string;
  readonly start: Line<"start">;
  /** The damage that it found. */
  readonly seen: Seen | null;
}

function namesOf(open: readonly Open[]): string {
  return `within ${open.map(({ id }) => id).join(", ")}`;
}

/** The result of a case that found damage before the run ended. */
function endOf(id: string, { round }: Line<"start">, seen: Seen, at: string): Line<"end"> {
  return {
    ...seen,
    ...{ line: "end", at, id, reason: `${seen.reason}; then the run ended early`, seconds: 0 },
    ...(round === undefined ? {} : { round: { number: round } }),
  };
}

function openCases(lines: readonly JournalLine[]): Open[] {
  const open = new Map<string, Open>();
  for (const line of lines) {
    if (line.line === "start") open.set(line.id, { id: line.id, start: line, seen: null });
    else if (line.line === "end") open.delete(line.id);
    else if (line.line === "seen") {
      const { line: _line, at: _at, id, ...seen } = line;
      const started = open.get(id);
      if (started !== undefined) open.set(id, { ...started, seen });
    }
  }
  return [...open.values()];
}

/** A line of a part that was continued: none, or without what only its end means. */
function continued(line: JournalLine, resume: Line<"resume">): JournalLine[] {
  switch (line.line) {
    case "plan":
      return [line.id === resume.id ? { ...line, writer: resume.writer } : line];
    case "close":
      return [];
    case "run": {
      const { cut: _cut, seconds: _seconds, ...run } = line.run ?? {};
      return [line.run === undefined ? line : { ...line, run }];
    }
    case "file":
      // it runs again
      return line.died === undefined ? [line] : [];
    case "case":
    case "end":
      return line.id === `${INFRASTRUCTURE}/run` ? [] : [line];
    default:
      return [line];
  }
}
