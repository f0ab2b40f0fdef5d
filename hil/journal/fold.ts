// SPDX-License-Identifier: MIT
/**
 * Folds a journal into results. Results come from nowhere else.
 *
 * @module
 */
import { withAdvice } from "../results/advise.ts";
import { INFRASTRUCTURE, infrastructureError } from "../results/infrastructure.ts";
import { applyLimits } from "../results/limits.ts";
import {
  countOutcomes,
  isFine,
  judge,
  summarizeOutcomes,
  type Verdict,
  WORST_FIRST,
} from "../results/outcome.ts";
import type { BoardInfo, Environment, Results, TestResult, ToolInfo } from "../results/schema.ts";
import { plural } from "../text/format.ts";
import { type Completeness, completeness, countNames } from "./completeness.ts";
import type { Case, CaseResult, JournalContents, JournalLine, Seen } from "./lines.ts";
import { judgePower, patternWarning } from "./power.ts";
import { joinParts } from "./resume.ts";
import { addRound, type RoundSums, soakOf, withRounds } from "./rounds.ts";
import { isAlive, type Writer } from "./writer.ts";

/** Everything that the journal holds about one case. */
interface Entry {
  item: Case;
  registered: number;
  startedAt: string | null;
  starts: number;
  ends: number;
  result: CaseResult | null;
  /** What the attempt under way found. */
  seen: Seen | null;
  /** The sums of its rounds; null without `--duration`. */
  sums: RoundSums | null;
}

/**
 * Folds a journal into results of schema 1, with a verdict.
 *
 * - A case that started but did not end is ERROR "died here", or FAIL if faults were recorded before.
 * - A case that was registered, but neither started nor skipped, is ERROR "never ran".
 * - A journal that does not begin with the planned files, or lacks a closing line, is ERROR. If the
 *   process that writes it is alive, `run.running` is true, and the cases are "running" or "not run yet".
 * - A closed journal in which a planned file is missing is ERROR.
 * - In all of these cases, or if a writer recorded that the run ended early, `run.cut` says so.
 * - A case that failed stays FAIL, and the run with it, whatever is missing afterwards. So does one
 *   that found damage and did not end.
 * - A case that was not registered, or registered twice, is ERROR, because its result may belong to
 *   another case.
 * - Limits in the journal are applied. Recommendations are added after a benchmark.
 * - An unreadable line is ERROR. A torn last line is not, because the case that it belongs to is
 *   incomplete and counts as above.
 *
 * @param journal The contents of the journal
 * @param died What ended the process, for the reason "died here"; or what ended the file of each suite.
 * Defaults to what the journal says about the files
 * @param alive Returns whether the process that writes the journal is alive; `null` if unknown
 * @returns The results
 *
 * @example A run that died in its only case
 * ```ts
 * import { fold } from "./fold.ts";
 * import { parseJournal } from "./lines.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const at = "2026-01-01T00:00:00Z";
 * const lines = [
 *   { line: "case", at, id: "a", suite: "loopback", name: "a", policy: "streaming" },
 *   { line: "start", at, id: "a" },
 * ].map((line) => JSON.stringify(line) + "\n");
 * const results = fold(parseJournal(lines.join("")));
 * assertEquals(results.tests[0]?.reason, "died here");
 * assertEquals(results.verdict.exit, 3);
 * ```
 */
export function fold(
  journal: JournalContents,
  died: string | ReadonlyMap<string, string> | null = null,
  alive: (writer: Writer) => boolean | null = isAlive,
): Results & { readonly verdict: Verdict } {
  const { contents, resumed } = joinParts(journal);
  const entries = new Map<string, Entry>();
  const diedFiles = new Map<string, string>();
  for (const line of contents.lines) {
    switch (line.line) {
      case "case":
      case "start":
      case "seen":
      case "end":
        enter(entries, line);
    }
    if (line.line === "file" && line.died !== undefined) diedFiles.set(line.suite, line.died);
  }

  const whole = completeness(contents, alive);
  const running = whole.state === "running";
  const lastAt = contents.lines.at(-1)?.at ?? null;
  const tests = [...entries.values()].map((entry) => {
    const { suite } = entry.item;
    const known = typeof died === "string" ? died : died?.get(suite);
    const why = known ?? diedFiles.get(suite) ?? null;
    const unfinished = running && why === null ? UNFINISHED.running : UNFINISHED.cut;
    return withRounds(toTest(entry, lastAt, why, unfinished), entry.sums);
  });
  for (const number of contents.unreadable) {
    tests.push(
      infrastructureError(
        `journal line ${number}`,
        "The line cannot be read: the journal is damaged",
      ),
    );
  }
  const controls = [...entries.values()].flatMap(({ item, result }) =>
    item.control === true && result !== null ? [result] : []
  );

  const header = mergeHeaders(contents.lines, lastAt, resumed !== null);
  const incomplete = describeIncomplete(whole, tests, header.run.cut);
  const cut = describeCut(incomplete ?? header.run.cut, whole.missing, tests);
  if (incomplete !== null) tests.push(infrastructureError("journal", sentence(cut ?? incomplete)));
  const { power, control, half = null } = judgePower(header.board, controls);
  const warning = patternWarning(header.run.pattern);
  const verdict: Verdict = judge({
    counts: countOutcomes(tests.map((test) => test.outcome)),
    firstError: tests.find(({ outcome }) => outcome === "ERROR")?.reason ?? null,
    framesVerified: tests.filter((test) => test.outcome === "PASS")
      .reduce((sum, test) => sum + test.frames, 0),
    skippedSuites: skippedSuites(tests),
    coherent: header.board.coherent,
    control,
    half: half === null ? null : half + warning,
    incomplete: incomplete === null ? null : cut,
    alone: whole.alone,
  });
  const soak = soakOf(contents.lines);
  const results = {
    schema: 1,
    ...header,
    run: {
      ...header.run,
      ...(cut === null ? {} : { cut }),
      ...(running ? { running } : {}),
      ...(resumed === null ? {} : { resumed }),
    },
    tests,
    summary: summarizeOutcomes(tests),
    power: { ...power, detail: power.detail + warning },
    verdict,
    ...(soak === null ? {} : { soak }),
  } as const;
  const line = contents.lines.find((line) => line.line === "run" && line.limits !== undefined);
  const limits = line?.line === "run" ? line.limits ?? [] : [];
  return withAdvice(limits.length === 0 ? results : applyLimits(results, limits));
}

const UNSTARTED = { startedAt: null, starts: 0, ends: 0, result: null, seen: null, sums: null };

/** The suites of which every case was skipped. */
function skippedSuites(tests: readonly TestResult[]): string[] {
  const suites = new Set(tests.map(({ suite }) => suite));
  for (const { suite, outcome } of tests) if (outcome !== "SKIP") suites.delete(suite);
  return [...suites];
}

/** What the reasons of cases without an end begin with. */
const UNFINISHED = {
  cut: { started: "died here", waiting: "never ran" },
  running: { started: "running", waiting: "not run yet" },
} as const;

function enter(
  entries: Map<string, Entry>,
  line: Extract<JournalLine, { line: "case" | "start" | "seen" | "end" }>,
): void {
  const known = entries.get(line.id);
  if (line.line === "case") {
    const { line: _line, at: _at, ...item } = line;
    if (known === undefined) {
      entries.set(line.id, { item, registered: 1, ...UNSTARTED });
    } else {
      if (known.registered === 0) known.item = item;
      known.registered++;
    }
    return;
  }
  const entry = known ?? {
    item: { id: line.id, suite: INFRASTRUCTURE, name: line.id, policy: null },
    registered: 0,
    ...UNSTARTED,
  };
  entries.set(line.id, entry);
  if (line.line === "start") {
    entry.startedAt = line.at;
    entry.starts++;
    entry.seen = null;
  } else if (line.line === "seen") {
    const { line: _line, at: _at, id: _id, ...seen } = line;
    // of two that are equally bad, the later one holds more
    if (entry.seen === null || !isWorse(entry.seen, seen)) entry.seen = seen;
  } else {
    const { line: _line, at: _at, id: _id, ...result } = line;
    entry.ends++;
    if (line.round !== undefined) entry.sums = addRound(entry.sums, line);
    // no attempt may hide a worse one
    if (entry.result === null || isWorse(result, entry.result)) entry.result = result;
  }
}

function isWorse(one: Pick<CaseResult, "outcome">, other: Pick<CaseResult, "outcome">): boolean {
  return WORST_FIRST.indexOf(one.outcome) < WORST_FIRST.indexOf(other.outcome);
}

function toTest(
  entry: Entry,
  lastAt: string | null,
  died: string | null,
  { started, waiting }: typeof UNFINISHED[keyof typeof UNFINISHED],
): TestResult {
  const { item, registered, startedAt, starts, ends, result } = entry;
  const base = {
    suite: item.suite,
    name: item.name,
    policy: item.policy,
    ...(item.params === undefined ? {} : { params: item.params }),
    ...(item.place === undefined ? {} : { place: item.place }),
    ...(result?.injected === undefined ? {} : { injected: result.injected }),
    ...(result?.notes === undefined ? {} : { notes: result.notes }),
    ...(result?.attachments === undefined ? {} : { attachments: result.attachments }),
    ...(result?.stack === undefined ? {} : { stack: result.stack }),
    ...(starts > 1 ? { attempts: starts } : {}),
  };
  const nothing = { seconds: 0, frames: 0, bytes: 0, faults: [], measurements: [] };
  const error = (reason: string): TestResult => ({
    ...base,
    outcome: "ERROR",
    reason,
    seconds: result?.seconds ?? 0,
    frames: result?.frames ?? 0,
    bytes: result?.bytes ?? 0,
    faults: result?.faults ?? [],
    measurements: result?.measurements ?? [],
  });

  // it is unknown to which case the result belongs, but a failure remains a failure
  if (result?.outcome !== "FAIL" && result?.outcome !== "TIMEOUT") {
    if (registered === 0) return error("ran but was not registered");
    if (registered > 1) {
      return error(`registered ${registered} times: give each case a unique name`);
    }
  }
  if (result !== null && (starts <= ends || !isFine(result.outcome))) {
    const { outcome, reason, seconds, frames, bytes, faults = [], measurements = [] } = result;
    const ended = { outcome, reason, seconds, frames, bytes, faults, measurements };
    return { ...base, ...ended, ...lateOf(result) };
  }
  if (startedAt !== null) {
    const seconds = secondsBetween(startedAt, lastAt);
    const why = died === null ? started : `${started}: ${died}`;
    if (entry.seen !== null) {
      const { outcome, reason, faults = [], frames, bytes } = entry.seen;
      const then = `${reason}; then ${why}`;
      const seen = { outcome, reason: then, seconds, faults, frames, bytes };
      return { ...base, ...nothing, ...seen, ...lateOf(entry.seen) };
    }
    return { ...error(why), seconds };
  }
  if (typeof item.skip === "string") {
    return { ...base, ...nothing, outcome: "SKIP", reason: item.skip };
  }
  return error(died === null ? waiting : `${waiting}: ${died}`);
}

function lateOf({ late }: Seen): Pick<TestResult, "late"> {
  return late === undefined ? {} : { late };
}

/** Why the journal is not whole, as a clause; `null` if it is, or if it explains what is missing. */
function describeIncomplete(
  { state, reason, missing }: Completeness,
  tests: readonly TestResult[],
  why: string | undefined,
): string | null {
  if (state !== "closed") return why === undefined ? reason : `${why}; ${reason}`;
  const explained = tests.some(({ outcome }) => outcome === "ERROR");
  return missing === "" || explained ? null : "the journal is closed, but parts of it are missing";
}

/** Why a run is incomplete, and what is missing; `null` for a complete run. */
function describeCut(
  why: string | undefined,
  parts: string,
  tests: readonly TestResult[],
): string | null {
  const find = (start: string): string[] =>
    tests.filter(({ outcome, reason }) => outcome === "ERROR" && reason?.startsWith(start) === true)
      .map(({ suite, name }) => `${suite}: ${name}`);
  const { cut, running } = UNFINISHED;
  const waiting = (start: string): string => {
    const { length } = find(start);
    return length === 0 ? "" : `${plural(length, "case")} ${start}`;
  };
  const missing = [
    ...[countNames(find(cut.started), "case", "died"), waiting(cut.waiting)],
    ...[countNames(find(running.started), "case", running.started), waiting(running.waiting)],
    parts,
  ].filter((part) => part !== "").join(", ");
  return [why, missing].filter((part) => part !== undefined && part !== "").join(": ") || null;
}

/** Makes a sentence of a clause. */
function sentence(clause: string): string {
  return clause.charAt(0).toUpperCase() + clause.slice(1);
}

function mergeHeaders(
  lines: readonly JournalLine[],
  lastAt: string | null,
  resumed: boolean,
): Pick<Results, "tool" | "board" | "bitstream" | "run" | "environment"> {
  const environment: Partial<Record<string, Environment[string]>> = {};
  const tool: Partial<ToolInfo> = {};
  const board: Partial<BoardInfo> = {};
  const bitstream = {};
  const run: Partial<Results["run"]> = {};
  for (const line of lines) {
    if (line.line !== "run") continue;
    addMissing(tool, line.tool);
    addMissing(board, line.board);
    addMissing(bitstream, line.bitstream);
    addMissing(run, line.run);
    addMissing(environment, line.environment);
  }
  const started = run.started ?? lines[0]?.at ?? new Date(0).toISOString();
  return {
    tool: { name: "plumbline", version: "unknown", deno: "unknown", git: null, ...tool },
    board: {
      kind: "unknown",
      simulated: false,
      arch: null,
      kernel: null,
      coherent: null,
      cacheLine: null,
      engine: null,
      core: null,
      ...board,
    },
    bitstream: { file: null, sha256: null, part: null, identity: "unknown", ...bitstream },
    run: {
      seed: run.seed ?? 0,
      started,
      // the time between the parts of a resumed run is not part of it
      seconds: resumed ? secondsOfCases(lines) : run.seconds ?? secondsOfPlan(lines) ??
        Math.max(secondsBetween(started, lastAt), secondsOfCases(lines)),
      command: run.command ?? [],
      ...(run.pattern === undefined ? {} : { pattern: run.pattern }),
      ...(run.cut === undefined ? {} : { cut: run.cut }),
    },
    ...(Object.keys(environment).length === 0 ? {} : { environment: environment as Environment }),
  };
}

/** Adds facts that are not known yet. `null` means unknown. */
function addMissing<T extends object>(target: Partial<T>, more: Partial<T> | undefined): void {
  for (const [key, value] of Object.entries(more ?? {})) {
    const name = key as keyof T;
    if (value !== undefined && (target[name] === undefined || target[name] === null)) {
      target[name] = value as T[keyof T];
    }
  }
}

/** The duration of the outermost plan, by a clock that never jumps; undefined if it is not closed. */
function secondsOfPlan(lines: readonly JournalLine[]): number | undefined {
  const id = lines.find((line) => line.line === "plan")?.id;
  const line = lines.find((line) => line.line === "close" && line.id === id);
  return line?.line === "close" ? line.seconds : undefined;
}

/** The time of all cases, because the wall clock may have been set back since the run began. */
function secondsOfCases(lines: readonly JournalLine[]): number {
  return lines.reduce((sum, line) => line.line === "end" ? sum + line.seconds : sum, 0);
}

function secondsBetween(from: string, to: string | null): number {
  const seconds = to === null ? 0 : (Date.parse(to) - Date.parse(from)) / 1000;
  return Number.isFinite(seconds) ? Math.max(0, seconds) : 0;
}
