// SPDX-License-Identifier: MIT
/**
 * Limits for measurements: a case with a measurement outside its limits fails.
 *
 * @module
 */
import { POLICIES } from "../../driver/uapi.ts";
import { withAdvice } from "./advise.ts";
import { nearest } from "../text/nearest.ts";
import { infrastructureError } from "./infrastructure.ts";
import { summarizeOutcomes, type Verdict } from "./outcome.ts";
import type { Measurement, Results, TestResult } from "./schema.ts";
import { formatNumber, plural } from "../text/format.ts";
import { show } from "../text/text.ts";
import { errorMessage } from "../text/error_message.ts";

/** The limit of a measurement. */
export interface Limit {
  /** The policy of the case. Defaults to any policy. */
  readonly policy?: string;
  /** The name of the measurement, such as `throughput`. */
  readonly measurement: string;
  /**
   * The conditions of the measurement, such as `{ size: 65536, direction: "rx" }`. Other conditions may
   * have any value, except that a limit without `percentile` does not apply to percentiles.
   */
  readonly at?: Readonly<Record<string, string | number | boolean>>;
  /** The least allowed value. A limit has either `min` or `max`. */
  readonly min?: number;
  /** The greatest allowed value. */
  readonly max?: number;
}

/** A file of limits is invalid. */
export class LimitsError extends Error {
  override readonly name = "LimitsError";
}

/** The largest file in bytes. People write such files by hand. */
const MAX_BYTES = 1 << 20;

const KEYS = ["policy", "measurement", "at", "min", "max"] as const;

/**
 * Reads a file of limits, a JSON list of objects with the keys of {@linkcode Limit}.
 *
 * @param path The file
 * @returns The limits, at least one
 * @throws {LimitsError} If the file cannot be read or is invalid, with the first invalid place
 */
export function readLimits(path: string): Limit[] {
  let text: string;
  try {
    const { size } = Deno.statSync(path);
    if (size > MAX_BYTES) {
      throw new LimitsError(
        `${path}: expected at most ${MAX_BYTES} bytes of limits, found ${size} bytes`,
      );
    }
    text = Deno.readTextFileSync(path);
  } catch (error) {
    if (error instanceof LimitsError) throw error;
    const why = errorMessage(error);
    throw new LimitsError(`${path} cannot be read: ${why}`);
  }
  return parseLimits(text, path);
}

/**
 * Parses limits.
 *
 * @param text JSON
 * @param what The name of the text in errors
 * @returns The limits, at least one
 * @throws {LimitsError} If the text is invalid, with the first invalid place
 *
 * @example A least throughput for one policy
 * ```ts
 * import { parseLimits } from "./limits.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const text = `[{ "policy": "streaming", "measurement": "throughput", "min": 100 }]`;
 * assertEquals(parseLimits(text, "limits.json")[0]?.min, 100);
 * ```
 */
export function parseLimits(text: string, what: string): Limit[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new LimitsError(`${what} is not JSON: ${errorMessage(error)}`);
  }
  if (!Array.isArray(value) || value.length === 0) {
    throw new LimitsError(
      `${what}: expected a list such as [{"policy": "streaming", "measurement": "throughput", ` +
        `"min": 100}], found ${show(value)}`,
    );
  }
  return value.map((one, i) => checkLimit(one, `${what}: limit ${i + 1}`));
}

function checkLimit(value: unknown, where: string): Limit {
  const wrong = (key: string, expected: string, found: unknown): never => {
    throw new LimitsError(`${where}: ${key}: expected ${expected}, found ${show(found)}`);
  };
  if (!isObject(value)) throw new LimitsError(`${where}: expected an object, found ${show(value)}`);
  for (const key of Object.keys(value)) {
    if ((KEYS as readonly string[]).includes(key)) continue;
    const guess = nearest(key, KEYS);
    throw new LimitsError(
      `${where}: there is no key "${key}": ` +
        (guess === null ? `use ${KEYS.join(", ")}` : `did you mean "${guess}"?`),
    );
  }
  const { policy, measurement, at, min, max } = value;
  if (policy !== undefined && !(POLICIES as readonly unknown[]).includes(policy)) {
    wrong("policy", `one of ${POLICIES.join(", ")}`, policy);
  }
  if (typeof measurement !== "string" || measurement === "") {
    wrong("measurement", "the name of a measurement", measurement);
  }
  if (at !== undefined) {
    if (!isObject(at)) wrong("at", "an object", at);
    for (const [key, one] of Object.entries(at as Record<string, unknown>)) {
      if (!["string", "number", "boolean"].includes(typeof one)) {
        wrong(`at.${key}`, "a string, a number, true or false", one);
      }
    }
  }
  if ((min === undefined) === (max === undefined)) {
    throw new LimitsError(
      `${where}: expected either min or max, found ${min === undefined ? "none" : "both"}`,
    );
  }
  for (const [key, bound] of [["min", min], ["max", max]] as const) {
    if (bound !== undefined && !Number.isFinite(bound)) wrong(key, "a number", bound);
  }
  return value as unknown as Limit;
}

/**
 * Applies limits to measurements. A case that did not fail before fails if a measurement is outside its
 * limits. A limit that applies to no measurement is an infrastructure error. Otherwise a run that
 * measured nothing would keep every limit.
 *
 * @param results The results
 * @param limits The limits
 * @returns The results with the limits, and with the outcomes, summary, verdict and advice that follow
 */
export function applyLimits(
  results: Results & { readonly verdict: Verdict },
  limits: readonly Limit[],
): Results & { readonly verdict: Verdict } {
  const used = new Set<Limit>();
  const tests: TestResult[] = results.tests.map((test) => limitTest(test, limits, used));
  const unused = limits.filter((limit) => !used.has(limit));
  for (const limit of unused) {
    tests.push(infrastructureError(
      `limit ${limits.indexOf(limit) + 1} without a measurement`,
      `Expected a measurement ${describe(limit)}, found none: see the measurements in results.json`,
    ));
  }
  const verdict = withLimits(results, tests, unused);
  const limited = { ...results, tests, summary: summarizeOutcomes(tests), verdict };
  // a policy that fails because of a limit must not be recommended
  return results.advice === undefined ? limited : withAdvice(limited);
}

/** Returns the verdict with limits, which is never better than the verdict without. */
function withLimits(
  before: Results & { readonly verdict: Verdict },
  tests: readonly TestResult[],
  unused: readonly Limit[],
): Verdict {
  const broken = tests.filter((test, i) => test.outcome !== before.tests[i]?.outcome).length -
    unused.length;
  if (broken > 0 && before.verdict.exit !== 1) {
    const reason = `${plural(broken, "case")} ${broken === 1 ? "is" : "are"} outside of the limits`;
    return { exit: 1, word: "FAIL", reason };
  }
  if (unused.length > 0 && before.verdict.exit === 0) {
    const reason = `No measurement for ${plural(unused.length, "limit")}`;
    return { exit: 3, word: "ERROR", reason };
  }
  return before.verdict;
}

/**
 * Compares a measurement with its limit.
 *
 * @param measurement The measurement
 * @returns What is wrong, or null if the value is within its limit or has none
 */
export function brokenLimit(measurement: Measurement): string | null {
  const { name, value, unit, limit, bound, at } = measurement;
  if (limit === null) return null;
  if (bound === "min" ? value >= limit : value <= limit) return null;
  return `${name}${place(at)} is ${formatNumber(value, { digits: 4 })} ${unit}, the limit is ` +
    `at ${bound === "min" ? "least" : "most"} ${limit}`;
}

function limitTest(test: TestResult, limits: readonly Limit[], used: Set<Limit>): TestResult {
  const broken: string[] = [];
  const measurements = test.measurements.map((measurement) => {
    let held: Measurement = measurement;
    // the test may have set a limit, too
    let failed = brokenLimit(measurement) !== null;
    for (const limit of limits) {
      if (!matches(limit, test, measurement)) continue;
      used.add(limit);
      const { min, max } = limit;
      const bound = min === undefined ? "max" : "min";
      const limited = { ...measurement, limit: min ?? max ?? NaN, bound } as const;
      const problem = brokenLimit(limited);
      if (failed && problem === null) continue; // the results show the limit that is broken
      held = limited;
      if (problem === null) continue;
      failed = true;
      broken.push(problem);
    }
    return held;
  });
  const fine = ["PASS", "XFAIL", "XPASS"].includes(test.outcome);
  if (broken.length === 0 || !fine) return { ...test, measurements };
  const more = broken.length === 1 ? "" : `, plus ${broken.length - 1} more like this`;
  return { ...test, measurements, outcome: "FAIL", reason: `${broken[0]}${more}` };
}

function matches(limit: Limit, test: TestResult, measurement: Measurement): boolean {
  if (limit.measurement !== measurement.name) return false;
  if (limit.policy !== undefined && limit.policy !== test.policy) return false;
  if (measurement.at?.["percentile"] !== undefined && limit.at?.["percentile"] === undefined) {
    return false;
  }
  const known: Readonly<Record<string, unknown>> = { ...test.params, ...measurement.at };
  return Object.entries(limit.at ?? {}).every(([key, value]) => known[key] === value);
}

function describe({ policy, measurement, at }: Limit): string {
  return `"${measurement}"${place(at)}${policy === undefined ? "" : ` of policy ${policy}`}`;
}

function place(at: Measurement["at"]): string {
  const words = Object.entries(at ?? {}).map(([key, value]) => `${key}=${value}`);
  return words.length === 0 ? "" : ` at ${words.join(" ")}`;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
