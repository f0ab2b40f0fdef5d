// SPDX-License-Identifier: MIT
/**
 * Results of a run, schema 1: the types, and a reader that says what is wrong with a file.
 *
 * Sizes are bytes, times seconds, rates MB/s (10^6) unless a measurement names another unit.
 * Keys may be added at any time; the meaning of one never changes.
 *
 * @module
 */
import { countOutcomes, isOutcome, type Outcome, OUTCOMES, type Verdict } from "./outcome.ts";
import { show } from "../text/text.ts";
import { type Fault, FAULT_KINDS } from "../verify/fault.ts";

/** One figure that a case measured. */
export interface Measurement {
  /** What was measured, such as `throughput`. */
  readonly name: string;
  /** The figure. */
  readonly value: number;
  /** Its unit. */
  readonly unit: string;
  /** The bound that it was held against, or `null`. */
  readonly limit: number | null;
  /** On which side of the bound it must lie; there with every bound. */
  readonly bound?: "min" | "max";
  /** How the samples lay; `value` is their median then. */
  readonly spread?: Spread;
  /** What was varied within the case, such as `{ size: 4096, direction: "tx" }`. */
  readonly at?: Readonly<Record<string, string | number | boolean>>;
}

/** How the samples of a measurement lay, in its unit. */
export interface Spread {
  /** How many there were. */
  readonly samples: number;
  /** The lowest. */
  readonly min: number;
  /** The lowest but 5 %. */
  readonly p5: number;
  /** The highest but 5 %. */
  readonly p95: number;
  /** The highest. */
  readonly max: number;
}

/** Which policy suits one use of frames of one size, by this run's own measurements. */
export interface Advice {
  /** What the frames are for, in words, such as `receive, read once`. */
  readonly use: string;
  /** Bytes of a frame. */
  readonly size: number;
  /** The policy; `null` when none qualifies. */
  readonly policy: string | null;
  /** What it was judged by. */
  readonly value: number | null;
  /** Unit of {@linkcode value}. */
  readonly unit: string;
  /** The next best, or `null`. */
  readonly runnerUp: string | null;
  /**
   * How many times as much {@linkcode value} is as that of the next best, more than 1: 1.25 is a quarter
   * more. Null where there is no next best, or the samples leave open which of the two is better.
   */
  readonly ratio: number | null;
  /** One sentence for a person. */
  readonly why: string;
}

/** From which size on one policy is faster than another, by this run's own measurements. */
export interface Crossover {
  /** What the frames are for, in words, such as `receive, read once`. */
  readonly use: string;
  /** The policy that wins. */
  readonly faster: string;
  /** The policy that it is held against. */
  readonly than: string;
  /** The smallest size, bytes, from which on it wins at every measured one; `null` when never. */
  readonly from: number | null;
  /** One sentence for a person. */
  readonly detail: string;
}

/** What ran. */
export interface ToolInfo {
  /** Always `plumbline`. */
  readonly name: string;
  /** Version of the package. */
  readonly version: string;
  /** Version of Deno. */
  readonly deno: string;
  /** Commit of the checkout, or `null` outside one. */
  readonly git: string | null;
}

/** What it ran on. Unknown values are `null`. */
export interface BoardInfo {
  /** `local` or `vm`. */
  readonly kind: string;
  /** Whether the logic is software: such results say nothing about a real board. */
  readonly simulated: boolean;
  /** Processor architecture as Linux names it. */
  readonly arch: string | null;
  /** Release of the kernel. */
  readonly kernel: string | null;
  /** Whether the kernel takes the device for cache coherent. */
  readonly coherent: boolean | null;
  /** Bytes of a cache line, as blocks are aligned. */
  readonly cacheLine: number | null;
  /**
   * How missing syncs show on a virtual board: by bounce buffers (`swiotlb`), by caches that go wrong
   * (`adversarial`), or not at all (`coherent`). Left out elsewhere.
   */
  readonly bus?: string;
  /** Driver of the DMA controller. */
  readonly engine: string | null;
  /** What the core in the logic says it is. */
  readonly core: string | null;
}

/** What was in the logic. */
export interface BitstreamInfo {
  /** The file, or `null` when none was loaded. */
  readonly file: string | null;
  /** SHA-256 of the file, hexadecimal. */
  readonly sha256: string | null;
  /** The part that it was made for. */
  readonly part: string | null;
  /** How well it is known that the logic holds it. */
  readonly identity: "proved" | "loaded" | "unknown" | "wrong";
}

/** The run as a whole. */
export interface RunInfo {
  /** Seed of every pattern and every random choice. */
  readonly seed: number;
  /** When it began, RFC 3339. */
  readonly started: string;
  /** How long it took. */
  readonly seconds: number;
  /** The command line. */
  readonly command: readonly string[];
  /** What frames were filled with, where the command line names it. */
  readonly pattern?: string;
  /** What ended it early, and what is missing of it; only there in a run that is not whole. */
  readonly cut?: string;
}

/** One case. */
export interface TestResult {
  /** The suite. */
  readonly suite: string;
  /** The case's own name. */
  readonly name: string;
  /** The policy, or `null` for a case that uses none. */
  readonly policy: string | null;
  /** How it ended. */
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
  readonly faults: readonly Fault[];
  /** What was measured. */
  readonly measurements: readonly Measurement[];
  /** What tells this case from its neighbours, such as size and depth. */
  readonly params?: Readonly<Record<string, string | number | boolean | null>>;
  /** What a virtual board's engine did wrong on demand, a line for each fault. */
  readonly injected?: readonly string[];
  /** How often it ran, when it did so more than once (`deno test --repeats`): the worst counts. */
  readonly attempts?: number;
}

/** How many cases ended in which way. */
export type Summary = Readonly<Record<Lowercase<Outcome>, number>>;

/** What the controls proved about the board. */
export interface Power {
  /** Whether the controls failed in every direction that they use. */
  readonly coherence: boolean;
  /** Whether a missing sync on transmit was seen. */
  readonly tx: boolean;
  /** Whether a missing sync on receive was seen. */
  readonly rx: boolean;
  /** One sentence for a person. */
  readonly detail: string;
}

/** A fault that was injected on purpose, and what came of it. */
export interface InjectedFault {
  /** What was injected, in words. */
  readonly fault: string;
  /** Which part of the board was made to go wrong; two of them for a pair. */
  readonly where: string;
  /** Whether the run with it was not whole. */
  readonly caught: boolean;
  /** After how many frames, counted from the first that it hit; `null` when it was not caught. */
  readonly frames: number | null;
  /** Kinds of fault, `timeout` or `mix-up` (of completions); `null` when it was not caught. */
  readonly named: string | null;
  /** Whether it is that, and not `foreign`. */
  readonly namedRight: boolean;
  /** On whom it was laid; two for a pair. */
  readonly blamed: string | null;
  /** Whether it was they. */
  readonly blamedRight: boolean;
  /** Whether it is a pair that nothing was tuned with. */
  readonly heldOut?: boolean;
}

/** How many of the faults that were injected on purpose came out right. */
export interface InjectedCount {
  /** Runs, each with one fault or one pair. */
  readonly faults: number;
  /** Of these, how many were not whole. */
  readonly caught: number;
  /** How many were named rightly. */
  readonly namedRight: number;
  /** How many were laid on the right part. */
  readonly blamedRight: number;
}

/** What a self-check found. */
export interface Selfcheck {
  /** Every fault, then every pair. */
  readonly faults: readonly InjectedFault[];
  /** All of them; single faults, pairs, and held-out pairs by themselves. */
  readonly total: InjectedCount & {
    readonly single: InjectedCount;
    readonly pairs: InjectedCount;
    readonly heldOut: InjectedCount;
  };
}

/** Facts about machine and kernel, by names for a person; null where a fact is unknown. */
export type Environment = Readonly<Record<string, string | number | boolean | null>>;

/** Results of a run, schema 1. */
export interface Results {
  /** Always 1. */
  readonly schema: 1;
  /** What ran. */
  readonly tool: ToolInfo;
  /** What it ran on. */
  readonly board: BoardInfo;
  /** What was in the logic. */
  readonly bitstream: BitstreamInfo;
  /** The run as a whole. */
  readonly run: RunInfo;
  /** Every case. */
  readonly tests: readonly TestResult[];
  /** How many cases ended in which way. */
  readonly summary: Summary;
  /** What the controls proved about the board. */
  readonly power: Power;
  /** What the run says; added by the tool that wrote the file. */
  readonly verdict?: Verdict;
  /** What a self-check found; only there in the results of one. */
  readonly selfcheck?: Selfcheck;
  /** Which policy to choose; only there in the results of a bench. */
  readonly advice?: readonly Advice[];
  /** Where one policy overtakes another; only there in the results of a bench. */
  readonly crossovers?: readonly Crossover[];
  /** What else is known of machine and kernel, by names for a person, such as `cache L1d`. */
  readonly environment?: Environment;
}

/**
 * Count the outcomes of cases.
 *
 * @param tests the cases
 * @returns the totals, as in the results
 *
 * @example Nothing ran
 * ```ts
 * import { summarize } from "./schema.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(summarize([]).pass, 0);
 * ```
 */
export function summarize(tests: readonly Pick<TestResult, "outcome">[]): Summary {
  const counts = countOutcomes(tests.map((test) => test.outcome));
  return {
    pass: counts.PASS,
    fail: counts.FAIL,
    xfail: counts.XFAIL,
    xpass: counts.XPASS,
    error: counts.ERROR,
    timeout: counts.TIMEOUT,
    skip: counts.SKIP,
  };
}

/** Results that are not of schema 1. */
export class ResultsError extends Error {
  /** Where in the file, such as `tests[3].outcome`. */
  readonly path: string;

  /**
   * Tell of a place that is not as the schema says.
   *
   * @param path where in the file
   * @param message what is expected there and what was found
   */
  constructor(path: string, message: string) {
    super(`${path}: ${message}`);
    this.name = "ResultsError";
    this.path = path;
  }
}

/**
 * Check that a parsed file holds results of schema 1.
 *
 * @param value what `JSON.parse` gave
 * @returns the same value
 * @throws {ResultsError} naming the first place that is not as the schema says
 *
 * @example A file of another kind
 * ```ts
 * import { checkResults, ResultsError } from "./schema.ts";
 * import { assertThrows } from "@std/assert";
 *
 * assertThrows(() => checkResults({ schema: 2 }), ResultsError, "schema: expected 1, found 2");
 * ```
 */
export function checkResults(value: unknown): Results {
  const root = object(value, "results");
  if (root["schema"] !== 1) {
    throw new ResultsError("schema", `expected 1, found ${show(root["schema"])}`);
  }

  const tool = object(root["tool"], "tool");
  for (const key of ["name", "version", "deno"]) text(tool[key], `tool.${key}`);
  textOrNull(tool["git"], "tool.git");

  const board = object(root["board"], "board");
  text(board["kind"], "board.kind");
  boolean(board["simulated"], "board.simulated");
  for (const key of ["arch", "kernel", "engine", "core"]) textOrNull(board[key], `board.${key}`);
  if (board["coherent"] !== null) boolean(board["coherent"], "board.coherent");
  if (board["bus"] !== undefined) text(board["bus"], "board.bus");
  if (board["cacheLine"] !== null) count(board["cacheLine"], "board.cacheLine");

  const bitstream = object(root["bitstream"], "bitstream");
  for (const key of ["file", "sha256", "part"]) textOrNull(bitstream[key], `bitstream.${key}`);
  oneOf(bitstream["identity"], ["proved", "loaded", "unknown", "wrong"], "bitstream.identity");

  const run = object(root["run"], "run");
  number(run["seed"], "run.seed");
  if (Number.isNaN(Date.parse(text(run["started"], "run.started")))) {
    throw new ResultsError("run.started", `expected a time, found ${show(run["started"])}`);
  }
  number(run["seconds"], "run.seconds");
  each(run["command"], "run.command", text);
  if (run["pattern"] !== undefined) text(run["pattern"], "run.pattern");
  if (run["cut"] !== undefined) text(run["cut"], "run.cut");

  const tests = each(root["tests"], "tests", checkTest);
  const summary = object(root["summary"], "summary");
  for (const [key, expected] of Object.entries(summarize(tests))) {
    if (count(summary[key], `summary.${key}`) !== expected) {
      throw new ResultsError(
        `summary.${key}`,
        `expected ${expected} as in tests, found ${summary[key]}`,
      );
    }
  }

  const power = object(root["power"], "power");
  for (const key of ["coherence", "tx", "rx"]) boolean(power[key], `power.${key}`);
  text(power["detail"], "power.detail");
  if (root["verdict"] !== undefined) {
    const verdict = object(root["verdict"], "verdict");
    if (![0, 1, 3].includes(number(verdict["exit"], "verdict.exit"))) {
      wrong("verdict.exit", "0, 1 or 3", verdict["exit"]);
    }
    oneOf(verdict["word"], ["PASS", "FAIL", "ERROR"], "verdict.word");
    text(verdict["reason"], "verdict.reason");
  }
  if (root["selfcheck"] !== undefined) checkSelfcheck(root["selfcheck"]);
  if (root["advice"] !== undefined) each(root["advice"], "advice", checkAdvice);
  if (root["crossovers"] !== undefined) each(root["crossovers"], "crossovers", checkCrossover);
  if (root["environment"] !== undefined) object(root["environment"], "environment");
  return value as Results;
}

function checkTest(value: unknown, path: string): TestResult {
  const test = object(value, path);
  text(test["suite"], `${path}.suite`);
  text(test["name"], `${path}.name`);
  textOrNull(test["policy"], `${path}.policy`);
  if (!isOutcome(test["outcome"])) oneOf(test["outcome"], OUTCOMES, `${path}.outcome`);
  textOrNull(test["reason"], `${path}.reason`);
  number(test["seconds"], `${path}.seconds`);
  count(test["frames"], `${path}.frames`);
  count(test["bytes"], `${path}.bytes`);
  each(test["faults"], `${path}.faults`, checkFault);
  each(test["measurements"], `${path}.measurements`, checkMeasurement);
  if (test["attempts"] !== undefined) count(test["attempts"], `${path}.attempts`);
  if (test["injected"] !== undefined) each(test["injected"], `${path}.injected`, text);
  if (test["params"] !== undefined) object(test["params"], `${path}.params`);
  return value as TestResult;
}

function checkSelfcheck(value: unknown): void {
  const selfcheck = object(value, "selfcheck");
  each(selfcheck["faults"], "selfcheck.faults", (one, path) => {
    const fault = object(one, path);
    for (const key of ["fault", "where"]) text(fault[key], `${path}.${key}`);
    for (const key of ["caught", "namedRight", "blamedRight"]) {
      boolean(fault[key], `${path}.${key}`);
    }
    for (const key of ["named", "blamed"]) textOrNull(fault[key], `${path}.${key}`);
    if (fault["frames"] !== null) count(fault["frames"], `${path}.frames`);
  });
  const total = object(selfcheck["total"], "selfcheck.total");
  for (const part of ["", ".single", ".pairs", ".heldOut"]) {
    const path = `selfcheck.total${part}`;
    const counts = part === "" ? total : object(total[part.slice(1)], path);
    for (const key of ["faults", "caught", "namedRight", "blamedRight"]) {
      count(counts[key], `${path}.${key}`);
    }
  }
}

function checkFault(value: unknown, path: string): Fault {
  const fault = object(value, path);
  oneOf(fault["kind"], FAULT_KINDS, `${path}.kind`);
  count(fault["frame"], `${path}.frame`);
  if (fault["block"] !== undefined) count(fault["block"], `${path}.block`);
  number(fault["offset"], `${path}.offset`);
  count(fault["length"], `${path}.length`);
  if (fault["blame"] !== null) {
    oneOf(fault["blame"], ["tx", "core", "rx", "driver"], `${path}.blame`);
  }
  text(fault["detail"], `${path}.detail`);
  if (fault["damage"] !== undefined) checkDamage(fault["damage"], `${path}.damage`);
  return value as Fault;
}

function checkDamage(value: unknown, path: string): void {
  const damage = object(value, path);
  number(damage["offset"], `${path}.offset`);
  count(damage["base"], `${path}.base`);
  if (!/^(?:[0-9a-f]{2}){0,512}$/.test(text(damage["xor"], `${path}.xor`))) {
    wrong(`${path}.xor`, "up to 512 bytes in hexadecimal digits", damage["xor"]);
  }
}

function checkMeasurement(value: unknown, path: string): Measurement {
  const measurement = object(value, path);
  text(measurement["name"], `${path}.name`);
  number(measurement["value"], `${path}.value`);
  text(measurement["unit"], `${path}.unit`);
  if (measurement["limit"] !== null) number(measurement["limit"], `${path}.limit`);
  if (measurement["bound"] !== undefined) {
    oneOf(measurement["bound"], ["min", "max"], `${path}.bound`);
  }
  if (measurement["at"] !== undefined) object(measurement["at"], `${path}.at`);
  if (measurement["spread"] !== undefined) {
    const spread = object(measurement["spread"], `${path}.spread`);
    count(spread["samples"], `${path}.spread.samples`);
    for (const key of ["min", "p5", "p95", "max"]) number(spread[key], `${path}.spread.${key}`);
  }
  return value as Measurement;
}

function checkAdvice(value: unknown, path: string): void {
  const advice = object(value, path);
  for (const key of ["use", "unit", "why"]) text(advice[key], `${path}.${key}`);
  for (const key of ["policy", "runnerUp"]) textOrNull(advice[key], `${path}.${key}`);
  count(advice["size"], `${path}.size`);
  for (const key of ["value", "ratio"]) {
    if (advice[key] !== null) number(advice[key], `${path}.${key}`);
  }
}

function checkCrossover(value: unknown, path: string): void {
  const crossover = object(value, path);
  for (const key of ["use", "faster", "than", "detail"]) text(crossover[key], `${path}.${key}`);
  if (crossover["from"] !== null) count(crossover["from"], `${path}.from`);
}

function wrong(path: string, expected: string, found: unknown): never {
  throw new ResultsError(path, `expected ${expected}, found ${show(found)}`);
}

function object(value: unknown, path: string): Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    wrong(path, "an object", value);
  }
  return value as Record<string, unknown>;
}

function text(value: unknown, path: string): string {
  return typeof value === "string" ? value : wrong(path, "a text", value);
}

function textOrNull(value: unknown, path: string): void {
  if (value !== null && typeof value !== "string") wrong(path, "a text or null", value);
}

function boolean(value: unknown, path: string): void {
  if (typeof value !== "boolean") wrong(path, "true or false", value);
}

function number(value: unknown, path: string): number {
  return typeof value === "number" && Number.isFinite(value)
    ? value
    : wrong(path, "a number", value);
}

function count(value: unknown, path: string): number {
  return Number.isSafeInteger(value) && (value as number) >= 0
    ? value as number
    : wrong(path, "a whole number from 0", value);
}

function oneOf(value: unknown, allowed: readonly string[], path: string): void {
  if (typeof value !== "string" || !allowed.includes(value)) {
    wrong(path, `one of ${allowed.join(", ")}`, value);
  }
}

function each<T>(value: unknown, path: string, check: (value: unknown, path: string) => T): T[] {
  if (!Array.isArray(value)) wrong(path, "a list", value);
  return value.map((item, i) => check(item, `${path}[${i}]`));
}
