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
  type Evidence,
  isFine,
  judge,
  summarizeOutcomes,
  type Verdict,
} from "../results/outcome.ts";
import { PATTERN_NAMES, patternNamed } from "../patterns/mod.ts";
import type {
  BoardInfo,
  Environment,
  Power,
  Results,
  TestResult,
  ToolInfo,
} from "../results/schema.ts";
import { plural } from "../text/format.ts";
import type { Case, CaseResult, JournalContents, JournalLine } from "./journal.ts";

/** Everything that the journal holds about one case. */
interface Entry {
  item: Case;
  registered: number;
  startedAt: string | null;
  starts: number;
  ends: number;
  result: CaseResult | null;
}

/**
 * Folds a journal into results of schema 1, with a verdict.
 *
 * - A case that started but did not end is ERROR "died here".
 * - A case that was registered, but neither started nor skipped, is ERROR "never ran".
 * - In both cases, or if a writer recorded that the run ended early, `run.cut` says so.
 * - A case that was not registered, or registered twice, is ERROR, because its result may belong to
 *   another case.
 * - Limits in the journal are applied. Recommendations are added after a benchmark.
 * - An unreadable line is ERROR. A torn last line is not, because the case that it belongs to is
 *   incomplete and counts as above.
 *
 * @param contents The contents of the journal
 * @param died What ended the process, for the reason "died here"; or what ended the file of each suite
 * @returns The results
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
  for (const line of contents.lines) if (line.line !== "run") enter(entries, line);

  const lastAt = contents.lines.at(-1)?.at ?? null;
  const tests = [...entries.values()].map((entry) => {
    const reason = typeof died === "string" ? died : died?.get(entry.item.suite) ?? null;
    return toTest(entry, lastAt, reason);
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

  const header = mergeHeaders(contents.lines, lastAt);
  const cut = describeCut(header.run.cut, tests);
  const { power, control } = judgePower(header.board, controls);
  const verdict: Verdict = judge({
    counts: countOutcomes(tests.map((test) => test.outcome)),
    framesVerified: tests.filter((test) => test.outcome === "PASS")
      .reduce((sum, test) => sum + test.frames, 0),
    coherent: header.board.coherent,
    control,
  });
  const results = {
    schema: 1,
    ...header,
    run: cut === null ? header.run : { ...header.run, cut },
    tests,
    summary: summarizeOutcomes(tests),
    power: { ...power, detail: power.detail + patternWarning(header.run.pattern) },
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
    item: { id: line.id, suite: INFRASTRUCTURE, name: line.id, policy: null },
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
    // a later attempt that passes must not hide an earlier failure
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

  if (registered === 0) return error("ran but was not registered");
  // it is unknown to which of the cases a result belongs, but a failure remains a failure
  if (registered > 1 && result?.outcome !== "FAIL") {
    return error(`registered ${registered} times: give each case a unique name`);
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

/** Why a run is incomplete, and what is missing; `null` for a complete run. */
function describeCut(why: string | undefined, tests: readonly TestResult[]): string | null {
  const count = (start: string, what: string): string | null => {
    const { length } = tests.filter(({ outcome, reason }) =>
      outcome === "ERROR" && reason?.startsWith(start) === true
    );
    return length === 0 ? null : `${plural(length, "case")} ${what}`;
  };
  const missing = [count("died here", "died"), count("never ran", "never ran")]
    .filter((part) => part !== null).join(", ");
  return [why, missing].filter((part) => part !== undefined && part !== "").join(": ") || null;
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

/** Adds facts that are not known yet. `null` means unknown. */
function addMissing<T extends object>(target: Partial<T>, more: Partial<T> | undefined): void {
  for (const [key, value] of Object.entries(more ?? {})) {
    const name = key as keyof T;
    if (value !== undefined && (target[name] === undefined || target[name] === null)) {
      target[name] = value as T[keyof T];
    }
  }
}

/** Says what a pattern cannot reveal on any board. */
function patternWarning(pattern: string | undefined): string {
  if (pattern === undefined || !PATTERN_NAMES.includes(pattern)) return "";
  const { period } = patternNamed(pattern).create({ seed: 0, maxLength: 64 });
  if (period > 1) return "";
  return `; all frames of pattern ${pattern} are equal, so it cannot reveal a lost, repeated or stale one`;
}

/** Judges all controls together, because a large frame may evict itself from the cache. */
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
      ? `the board claims to be cache coherent, but policy none failed in ${failed.join(", ")}`
      : "the board is cache coherent, so a missing sync has no effect and policy none proves nothing";
    return {
      power: { coherence: false, tx, rx, detail },
      control: controls.length > 0 ? "powerless" : "absent",
    };
  }
  if (controls.length === 0) {
    const detail =
      "policy none did not run, so it is unknown whether this board can reveal missing syncs";
    return { power: { coherence: false, tx, rx, detail }, control: "absent" };
  }
  if (used.length === 0 && controls.some((result) => result.outcome === "XFAIL")) {
    const detail = "policy none failed, as it must, but the direction is unknown";
    return { power: { coherence: true, tx, rx, detail }, control: "powerful" };
  }
  const powerful = failed.length > 0 && missed.length === 0;
  let detail: string;
  if (powerful && used.length === 2) {
    detail =
      "policy none failed in both directions, as it must: this board can reveal missing syncs";
  } else if (powerful) {
    detail = `policy none failed in ${used.join("")}, as it must: ` +
      `this board can reveal missing syncs there; the other direction was not tested`;
  } else if (failed.length > 0) {
    detail = `policy none failed in ${failed.join("")} only: ` +
      `this board cannot reveal a missing sync in ${missed.join("")}`;
  } else {
    detail = "policy none passed: this board cannot reveal a missing sync";
  }
  return {
    power: { coherence: powerful, tx, rx, detail },
    control: powerful ? "powerful" : "powerless",
  };
}

/** Whether a control failed because of a missing sync in a direction; `null` if no control used it. */
function direction(controls: readonly CaseResult[], name: "tx" | "rx"): boolean | null {
  const seen = controls.map((result) => result.evidence?.[name])
    .filter((value) => value !== undefined);
  return seen.length === 0 ? null : seen.includes(true);
}

function secondsBetween(from: string, to: string | null): number {
  const seconds = to === null ? 0 : (Date.parse(to) - Date.parse(from)) / 1000;
  return Number.isFinite(seconds) ? Math.max(0, seconds) : 0;
}
