// SPDX-License-Identifier: MIT
/**
 * From a journal to results: the only way in which results come about.
 *
 * @module
 */
import { withAdvice } from "../results/advise.ts";
import type { Case, CaseResult, JournalContents, JournalLine } from "./journal.ts";
import { applyLimits } from "../results/limits.ts";
import { countOutcomes, type Evidence, isFine, judge, type Verdict } from "../results/outcome.ts";
import { PATTERN_NAMES, patternNamed } from "../patterns/mod.ts";
import {
  type BoardInfo,
  type Environment,
  type Power,
  type Results,
  summarize,
  type TestResult,
  type ToolInfo,
} from "../results/schema.ts";

/** All that is known about one case. */
interface Entry {
  item: Case;
  registered: number;
  startedAt: string | null;
  starts: number;
  ends: number;
  result: CaseResult | null;
}

/**
 * Fold a journal into results of schema 1, with a verdict.
 *
 * - A start without an end is ERROR "died here".
 * - Registered and neither started nor skipped is ERROR "never ran".
 * - Where either is, or a writer knew that the run ends early, `run.cut` says so.
 * - A case that starts or ends unregistered, is registered twice or starts although skipped is
 *   ERROR: somebody's names or bookkeeping are wrong, and a result may belong to another case.
 * - Where there are limits, they are applied; where a bench measured, its advice follows.
 * - A line in the middle that cannot be read is ERROR; a torn last line is not, for what it would
 *   have said is already missing above.
 *
 * @param contents what {@linkcode Journal.read} gave
 * @param died what ended the process, added to "died here"; or what ended the file of each suite
 * @returns the results
 *
 * @example A run that died in its only case
 * ```ts
 * import { fold } from "./fold.ts";
 * import { parseJournal } from "./journal.ts";
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
  contents: JournalContents,
  died: string | ReadonlyMap<string, string> | null = null,
): Results & { readonly verdict: Verdict } {
  const entries = new Map<string, Entry>();
  const controls: { result: CaseResult }[] = [];
  for (const line of contents.lines) if (line.line !== "run") enter(entries, line);

  const lastAt = contents.lines.at(-1)?.at ?? null;
  const tests = [...entries.values()].map((entry) => {
    const reason = typeof died === "string" ? died : died?.get(entry.item.suite) ?? null;
    return toTest(entry, lastAt, reason);
  });
  for (const number of contents.unreadable) {
    tests.push(bench(`journal line ${number}`, "The line cannot be read: the journal is damaged"));
  }
  for (const { item, result } of entries.values()) {
    if (item.control === true && result !== null) controls.push({ result });
  }

  const header = mergeHeaders(contents.lines, lastAt);
  const cut = cutOff(header.run.cut, tests);
  const { power, control } = judgePower(header.board, controls.map(({ result }) => result));
  const verdict: Verdict = judge({
    counts: countOutcomes(tests.map((test) => test.outcome)),
    framesVerified: sum(tests.filter((test) => test.outcome === "PASS").map((test) => test.frames)),
    coherent: header.board.coherent,
    control,
  });
  const results = {
    schema: 1,
    ...header,
    run: cut === null ? header.run : { ...header.run, cut },
    tests,
    summary: summarize(tests),
    power: { ...power, detail: power.detail + alike(header.run.pattern) },
    verdict,
  } as const;
  const line = contents.lines.find((line) => line.line === "run" && line.limits !== undefined);
  const limits = line?.line === "run" ? line.limits ?? [] : [];
  return withAdvice(limits.length === 0 ? results : applyLimits(results, limits));
}

const UNSTARTED = { startedAt: null, starts: 0, ends: 0, result: null };

function enter(entries: Map<string, Entry>, line: Exclude<JournalLine, { line: "run" }>): void {
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
    item: { id: line.id, suite: "bench", name: line.id, policy: null },
    registered: 0,
    ...UNSTARTED,
  };
  entries.set(line.id, entry);
  if (line.line === "start") {
    entry.startedAt = line.at;
    entry.starts++;
  } else {
    const { line: _line, at: _at, id: _id, ...result } = line;
    entry.ends++;
    // a later attempt that goes well hides nothing
    if (entry.result === null || isFine(entry.result.outcome)) entry.result = result;
  }
}

function toTest(entry: Entry, lastAt: string | null, died: string | null): TestResult {
  const { item, registered, startedAt, starts, ends, result } = entry;
  const base = {
    suite: item.suite,
    name: item.name,
    policy: item.policy,
    ...(item.params === undefined ? {} : { params: item.params }),
    ...(result?.injected === undefined ? {} : { injected: result.injected }),
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

  if (registered === 0) return error("ran without being registered");
  // a name used twice: which of the cases a result belongs to cannot be told; a FAIL stays one
  if (registered > 1 && result?.outcome !== "FAIL") {
    return error(`registered ${registered} times: give each case a name of its own`);
  }
  if (result !== null && (starts <= ends || !isFine(result.outcome))) {
    const { outcome, reason, seconds, frames, bytes, faults = [], measurements = [] } = result;
    return { ...base, outcome, reason, seconds, frames, bytes, faults, measurements };
  }
  if (startedAt !== null) {
    const seconds = secondsBetween(startedAt, lastAt);
    return { ...error(died === null ? "died here" : `died here: ${died}`), seconds };
  }
  if (typeof item.skip === "string") {
    return { ...base, ...nothing, outcome: "SKIP", reason: item.skip };
  }
  return error("never ran");
}

/** Why a run is not whole, and what is missing; `null` where it came to its end. */
function cutOff(why: string | undefined, tests: readonly TestResult[]): string | null {
  const count = (start: string, what: string): string | null => {
    const { length } = tests.filter(({ outcome, reason }) =>
      outcome === "ERROR" && reason?.startsWith(start) === true
    );
    return length === 0 ? null : `${length} ${length === 1 ? "case" : "cases"} ${what}`;
  };
  const missing = [count("died here", "died under way"), count("never ran", "never ran")]
    .filter((part) => part !== null).join(", ");
  return [why, missing].filter((part) => part !== undefined && part !== "").join(": ") || null;
}

function bench(name: string, reason: string): TestResult {
  return {
    suite: "bench",
    name,
    policy: null,
    outcome: "ERROR",
    reason,
    seconds: 0,
    frames: 0,
    bytes: 0,
    faults: [],
    measurements: [],
  };
}

function mergeHeaders(
  lines: readonly JournalLine[],
  lastAt: string | null,
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
      seconds: run.seconds ?? secondsBetween(started, lastAt),
      command: run.command ?? [],
      ...(run.pattern === undefined ? {} : { pattern: run.pattern }),
      ...(run.cut === undefined ? {} : { cut: run.cut }),
    },
    ...(Object.keys(environment).length === 0 ? {} : { environment: environment as Environment }),
  };
}

/** Keep what is known, take over what is not; `null` is "unknown" and gives way. */
function addMissing<T extends object>(target: Partial<T>, more: Partial<T> | undefined): void {
  for (const [key, value] of Object.entries(more ?? {})) {
    const name = key as keyof T;
    if (value !== undefined && (target[name] === undefined || target[name] === null)) {
      target[name] = value as T[keyof T];
    }
  }
}

/** What a pattern cannot show, whatever the board. */
function alike(pattern: string | undefined): string {
  if (pattern === undefined || !PATTERN_NAMES.includes(pattern)) return "";
  const { period } = patternNamed(pattern).create({ seed: 0, maxLength: 64 });
  if (period > 1) return "";
  return `; frames of pattern ${pattern} are all alike: a lost, repeated or old one stays unseen`;
}

/** Power is judged over all controls together: a large frame may evict itself from the cache. */
function judgePower(
  board: BoardInfo,
  controls: readonly CaseResult[],
): { power: Power; control: Evidence["control"] } {
  const seen = { tx: direction(controls, "tx"), rx: direction(controls, "rx") };
  const tx = seen.tx === true && board.coherent !== true;
  const rx = seen.rx === true && board.coherent !== true;
  const used = (["tx", "rx"] as const).filter((name) => seen[name] !== null);
  const failed = used.filter((name) => seen[name] === true);
  const missed = used.filter((name) => seen[name] === false);

  if (board.coherent === true) {
    const detail = failed.length > 0
      ? `the board says that it is cache coherent, yet policy none failed in ${failed.join(", ")}`
      : "the board is cache coherent: missing syncs cannot show on it, policy none proves nothing";
    return {
      power: { coherence: false, tx, rx, detail },
      control: controls.length > 0 ? "powerless" : "absent",
    };
  }
  if (controls.length === 0) {
    const detail = "policy none did not run: whether this board can show missing syncs is unknown";
    return { power: { coherence: false, tx, rx, detail }, control: "absent" };
  }
  if (used.length === 0 && controls.some((result) => result.outcome === "XFAIL")) {
    const detail = "policy none failed, as it must, but in which direction cannot be told";
    return { power: { coherence: true, tx, rx, detail }, control: "powerful" };
  }
  const powerful = failed.length > 0 && missed.length === 0;
  let detail: string;
  if (powerful && used.length === 2) {
    detail = "policy none failed in both directions, as it must: this board can show missing syncs";
  } else if (powerful) {
    detail = `policy none failed in ${used.join("")}, as it must: ` +
      `this board can show missing syncs there, the other direction was not tried`;
  } else if (failed.length > 0) {
    detail = `policy none failed in ${failed.join("")} only: ` +
      `a missing sync in ${missed.join("")} would stay unseen on this board`;
  } else {
    detail = "policy none passed: a missing sync would stay unseen on this board";
  }
  return {
    power: { coherence: powerful, tx, rx, detail },
    control: powerful ? "powerful" : "powerless",
  };
}

/** Whether a missing sync was seen in a direction; `null` when no control used it. */
function direction(controls: readonly CaseResult[], name: "tx" | "rx"): boolean | null {
  const told = controls.map((result) => result.evidence?.[name])
    .filter((value) => value !== undefined);
  return told.length === 0 ? null : told.includes(true);
}

function secondsBetween(from: string, to: string | null): number {
  const seconds = to === null ? 0 : (Date.parse(to) - Date.parse(from)) / 1000;
  return Number.isFinite(seconds) ? Math.max(0, seconds) : 0;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, one) => total + one, 0);
}
