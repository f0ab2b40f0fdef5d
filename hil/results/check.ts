// SPDX-License-Identifier: MIT
/**
 * Checks that a parsed file holds results of schema 1, and says where it does not.
 *
 * @module
 */
import { isOutcome, OUTCOMES, summarizeOutcomes } from "./outcome.ts";
import type { Measurement, Results, TestResult } from "./schema.ts";
import { show } from "../text/text.ts";
import { type Fault, FAULT_KINDS } from "../verify/fault.ts";

/** A file does not hold results of schema 1. */
export class ResultsError extends Error {
  /** The place in the file, such as `tests[3].outcome`. */
  readonly path: string;

  /**
   * Creates an error for one place in the file.
   *
   * @param path The place in the file
   * @param message What was expected there, and what was found
   */
  constructor(path: string, message: string) {
    super(`${path}: ${message}`);
    this.name = "ResultsError";
    this.path = path;
  }
}

/**
 * Checks that a parsed file holds results of schema 1. Unknown keys are allowed.
 *
 * @param value A result of `JSON.parse()`
 * @returns The same value
 * @throws {ResultsError} If the value does not match the schema, with the first place that does not
 *
 * @example A file with another schema
 * ```ts
 * import { checkResults, ResultsError } from "./check.ts";
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

  checkTool(object(root["tool"], "tool"));
  checkBoard(object(root["board"], "board"));
  checkBitstream(object(root["bitstream"], "bitstream"));
  checkRun(object(root["run"], "run"));
  const tests = each(root["tests"], "tests", checkTest);
  checkSummary(object(root["summary"], "summary"), tests);
  const power = object(root["power"], "power");
  for (const key of ["coherence", "tx", "rx"]) boolean(power[key], `power.${key}`);
  text(power["detail"], "power.detail");
  if (root["verdict"] !== undefined) checkVerdict(object(root["verdict"], "verdict"));
  if (root["diagnosis"] !== undefined) checkDiagnosis(root["diagnosis"], tests.length);
  if (root["selfcheck"] !== undefined) checkSelfcheck(root["selfcheck"]);
  if (root["advice"] !== undefined) each(root["advice"], "advice", checkAdvice);
  if (root["crossovers"] !== undefined) each(root["crossovers"], "crossovers", checkCrossover);
  if (root["soak"] !== undefined) checkSoak(root["soak"]);
  if (root["environment"] !== undefined) object(root["environment"], "environment");
  return value as Results;
}

/** What the parts of a header have if a journal does not say it. */
const HEADER = {
  tool: { name: "", version: "", deno: "", git: null },
  board: {
    ...{ kind: "", simulated: false, arch: null, kernel: null, engine: null, core: null },
    ...{ coherent: null, cacheLine: null },
  },
  bitstream: { file: null, sha256: null, part: null, identity: "unknown" },
  run: { seed: 0, started: "1970-01-01T00:00:00Z", seconds: 0, command: [] },
} as const;

/**
 * Checks parts of the header of results. What is left out is not missing.
 *
 * @param parts The parts
 * @throws {ResultsError} If a value does not match the schema, with the first place that does not
 */
export function checkHeader(
  parts: Readonly<Record<keyof typeof HEADER | "environment", unknown>>,
): void {
  checkTool({ ...HEADER.tool, ...object(parts.tool, "tool") });
  checkBoard({ ...HEADER.board, ...object(parts.board, "board") });
  checkBitstream({ ...HEADER.bitstream, ...object(parts.bitstream, "bitstream") });
  checkRun({ ...HEADER.run, ...object(parts.run, "run") });
  object(parts.environment, "environment");
}

function checkTool(tool: Record<string, unknown>): void {
  for (const key of ["name", "version", "deno"]) text(tool[key], `tool.${key}`);
  textOrNull(tool["git"], "tool.git");
}

function checkBoard(board: Record<string, unknown>): void {
  text(board["kind"], "board.kind");
  boolean(board["simulated"], "board.simulated");
  for (const key of ["arch", "kernel", "engine", "core"]) textOrNull(board[key], `board.${key}`);
  if (board["coherent"] !== null) boolean(board["coherent"], "board.coherent");
  if (board["bus"] !== undefined) text(board["bus"], "board.bus");
  if (board["memoryLoop"] !== undefined) boolean(board["memoryLoop"], "board.memoryLoop");
  if (board["cacheLine"] !== null) count(board["cacheLine"], "board.cacheLine");
}

function checkBitstream(bitstream: Record<string, unknown>): void {
  for (const key of ["file", "sha256", "part"]) textOrNull(bitstream[key], `bitstream.${key}`);
  oneOf(bitstream["identity"], ["proved", "loaded", "unknown", "wrong"], "bitstream.identity");
}

function checkRun(run: Record<string, unknown>): void {
  number(run["seed"], "run.seed");
  if (Number.isNaN(Date.parse(text(run["started"], "run.started")))) {
    wrong("run.started", "a time", run["started"]);
  }
  number(run["seconds"], "run.seconds");
  each(run["command"], "run.command", text);
  if (run["pattern"] !== undefined) text(run["pattern"], "run.pattern");
  if (run["cut"] !== undefined) text(run["cut"], "run.cut");
  if (run["resumed"] !== undefined) each(run["resumed"], "run.resumed", text);
  if (run["running"] !== undefined) boolean(run["running"], "run.running");
}

function checkSummary(summary: Record<string, unknown>, tests: readonly TestResult[]): void {
  for (const [key, expected] of Object.entries(summarizeOutcomes(tests))) {
    if (count(summary[key], `summary.${key}`) !== expected) {
      wrong(`summary.${key}`, `${expected} as in tests`, summary[key]);
    }
  }
}

function checkVerdict(verdict: Record<string, unknown>): void {
  if (![0, 1, 3].includes(number(verdict["exit"], "verdict.exit"))) {
    wrong("verdict.exit", "0, 1 or 3", verdict["exit"]);
  }
  oneOf(verdict["word"], ["PASS", "FAIL", "ERROR"], "verdict.word");
  text(verdict["reason"], "verdict.reason");
}

/**
 * Checks the result of a case.
 *
 * @param value The result
 * @param path Its place in the file, for the error
 * @returns The same value
 * @throws {ResultsError} If the value does not match the schema
 */
export function checkTest(value: unknown, path: string): TestResult {
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
  for (const key of ["attempts", "failures", "allFaults"]) {
    if (test[key] !== undefined) count(test[key], `${path}.${key}`);
  }
  if (test["injected"] !== undefined) each(test["injected"], `${path}.injected`, text);
  if (test["notes"] !== undefined) each(test["notes"], `${path}.notes`, text);
  if (test["stack"] !== undefined) text(test["stack"], `${path}.stack`);
  if (test["attachments"] !== undefined) {
    each(test["attachments"], `${path}.attachments`, checkAttachment);
  }
  if (test["late"] !== undefined) checkLate(test["late"], `${path}.late`);
  if (test["params"] !== undefined) object(test["params"], `${path}.params`);
  if (test["place"] !== undefined) text(test["place"], `${path}.place`);
  return value as TestResult;
}

function checkAttachment(value: unknown, path: string): void {
  const attachment = object(value, path);
  for (const key of ["name", "file"]) text(attachment[key], `${path}.${key}`);
  count(attachment["bytes"], `${path}.bytes`);
}

function checkLate(value: unknown, path: string): void {
  const late = object(value, path);
  if (late["direction"] !== null) oneOf(late["direction"], ["tx", "rx"], `${path}.direction`);
  for (const key of ["frame", "size"]) count(late[key], `${path}.${key}`);
  for (const key of ["arrived", "interrupts"]) {
    if (late[key] !== null) count(late[key], `${path}.${key}`);
  }
  boolean(late["primer"], `${path}.primer`);
  for (const key of ["transmitted", "changed", "idle"]) {
    if (late[key] !== null) boolean(late[key], `${path}.${key}`);
  }
  each(late["log"], `${path}.log`, text);
}

function checkDiagnosis(value: unknown, tests: number): void {
  const diagnosis = object(value, "diagnosis");
  each(diagnosis["sentences"], "diagnosis.sentences", text);
  each(diagnosis["groups"], "diagnosis.groups", (one, path) => {
    const group = object(one, path);
    text(group["sentence"], `${path}.sentence`);
    oneOf(group["status"], ["named", "narrowed", "open", "follows"], `${path}.status`);
    each(group["causes"], `${path}.causes`, (cause, at) => {
      const known = object(cause, at);
      for (const key of ["id", "cause", "check", "remedy"]) text(known[key], `${at}.${key}`);
    });
    for (const key of ["evidence", "unknown"]) each(group[key], `${path}.${key}`, text);
    count(group["faults"], `${path}.faults`);
    const indices = each(group["tests"], `${path}.tests`, count);
    if (indices.length === 0) wrong(`${path}.tests`, "at least one case", indices);
    for (const index of indices) {
      if (index >= tests) wrong(`${path}.tests`, `numbers below ${tests}`, index);
    }
  });
}

function checkSelfcheck(value: unknown): void {
  const selfcheck = object(value, "selfcheck");
  each(selfcheck["faults"], "selfcheck.faults", (one, path) => {
    const fault = object(one, path);
    for (const key of ["fault", "where"]) text(fault[key], `${path}.${key}`);
    for (const key of ["caught", "namedRight", "blamedRight", "certain", "heldOut"]) {
      boolean(fault[key], `${path}.${key}`);
    }
    for (const key of ["named", "blamed"]) textOrNull(fault[key], `${path}.${key}`);
    if (fault["frames"] !== null) count(fault["frames"], `${path}.frames`);
  });
  const total = object(selfcheck["total"], "selfcheck.total");
  for (const part of ["", ".single", ".ambiguous", ".pairs", ".heldOut"]) {
    const path = `selfcheck.total${part}`;
    const counts = part === "" ? total : object(total[part.slice(1)], path);
    for (const key of ["faults", "caught", "namedRight", "blamedRight"]) {
      count(counts[key], `${path}.${key}`);
    }
  }
}

function checkSoak(value: unknown): void {
  const soak = object(value, "soak");
  number(soak["seconds"], "soak.seconds");
  for (const key of ["rounds", "failures"]) count(soak[key], `soak.${key}`);
  checkSoakCount(soak, "soak");
  if (soak["ruleOfThree"] !== null) number(soak["ruleOfThree"], "soak.ruleOfThree");
  if (soak["first"] !== null) {
    const first = object(soak["first"], "soak.first");
    number(first["seconds"], "soak.first.seconds");
    for (const key of ["framesBefore", "round"]) count(first[key], `soak.first.${key}`);
    text(first["case"], "soak.first.case");
    each(first["sensors"], "soak.first.sensors", (one, path) => {
      const reading = object(one, path);
      for (const key of ["name", "unit"]) text(reading[key], `${path}.${key}`);
      number(reading["value"], `${path}.value`);
    });
  }
  each(soak["policies"], "soak.policies", (one, path) => {
    const policy = object(one, path);
    text(policy["policy"], `${path}.policy`);
    checkSoakCount(policy, path);
  });
  each(soak["sensors"], "soak.sensors", (one, path) => {
    const sensor = object(one, path);
    for (const key of ["name", "unit"]) text(sensor[key], `${path}.${key}`);
    count(sensor["samples"], `${path}.samples`);
    for (const key of ["min", "max"]) number(sensor[key], `${path}.${key}`);
  });
}

function checkSoakCount(counts: Record<string, unknown>, path: string): void {
  for (const key of ["frames", "bytes", "faults"]) count(counts[key], `${path}.${key}`);
  if (counts["errorRateAtMost"] !== null) {
    number(counts["errorRateAtMost"], `${path}.errorRateAtMost`);
  }
}

function checkFault(value: unknown, path: string): Fault {
  const fault = object(value, path);
  oneOf(fault["kind"], FAULT_KINDS, `${path}.kind`);
  if (fault["alternatives"] !== undefined) {
    each(fault["alternatives"], `${path}.alternatives`, (one, at) => oneOf(one, FAULT_KINDS, at));
  }
  if (fault["found"] !== undefined) count(fault["found"], `${path}.found`);
  if (fault["status"] !== undefined) text(fault["status"], `${path}.status`);
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
  const { expected } = damage;
  if (expected === undefined) return;
  if (!/^(?:[0-9a-f]{2}){1,16}$/.test(text(expected, `${path}.expected`))) {
    wrong(`${path}.expected`, "1 to 16 bytes in hexadecimal digits", expected);
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
  return typeof value === "string" ? value : wrong(path, "a string", value);
}

function textOrNull(value: unknown, path: string): void {
  if (value !== null && typeof value !== "string") wrong(path, "a string or null", value);
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
