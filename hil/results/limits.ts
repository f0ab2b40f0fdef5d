// SPDX-License-Identifier: MIT
/**
 * Limits turn measurements into PASS or FAIL: a file says what a team takes for good enough on its board.
 *
 * @module
 */
import { POLICIES } from "../../driver/uapi.ts";
import { withAdvice } from "./advise.ts";
import { nearest } from "../text/nearest.ts";
import type { Verdict } from "./outcome.ts";
import { type Measurement, type Results, summarize, type TestResult } from "./schema.ts";
import { figure, show } from "../text/text.ts";
import { errorMessage } from "../text/error_message.ts";

/** One bound. */
export interface Limit {
  /** The policy that it is for; any when left out. */
  readonly policy?: string;
  /** Name of the measurement, such as `throughput`. */
  readonly measurement: string;
  /**
   * What must have been varied how, such as `{ size: 65536, direction: "rx" }`; anything else may vary,
   * but for `percentile`: who names none means the figure itself, which is a median.
   */
  readonly at?: Readonly<Record<string, string | number | boolean>>;
  /** The least that is good; either this or {@linkcode max} is there. */
  readonly min?: number;
  /** The most that is good. */
  readonly max?: number;
}

/** A file of limits that makes no sense. */
export class LimitsError extends Error {
  override readonly name = "LimitsError";
}

/** Bytes of a file that somebody wrote by hand. */
const MAX_BYTES = 1 << 20;

const KEYS = ["policy", "measurement", "at", "min", "max"] as const;

/**
 * Read a file of limits: a JSON list of objects with the keys of {@linkcode Limit}.
 *
 * @param path The file
 * @returns The limits, at least one
 * @throws {LimitsError} When it cannot be read, or naming the first place that makes no sense
 */
export function readLimits(path: string): Limit[] {
  let text: string;
  try {
    const { size } = Deno.statSync(path);
    if (size > MAX_BYTES) {
      throw new LimitsError(
        `${path} has ${size} bytes: expected a file of limits, found a larger one`,
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
 * Make sense of limits.
 *
 * @param text JSON
 * @param what What errors call it
 * @returns The limits, at least one
 * @throws {LimitsError} Naming the first place that makes no sense
 *
 * @example A policy that must be fast
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
    throw new LimitsError(`${what} is not JSON: ${error instanceof Error ? error.message : error}`);
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
        wrong(`at.${key}`, "a text, a number, true or false", one);
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
 * Hold measurements against limits. A case with a measurement outside of its limit fails, whatever it
 * was before, unless it was worse. A limit that no measurement is held against is an error of the bench:
 * it would be kept by a run that measured nothing.
 *
 * @param results What was measured
 * @param limits The limits
 * @returns The results with limits, and with the outcomes, summary, verdict and advice that follow
 */
export function applyLimits(
  results: Results & { readonly verdict: Verdict },
  limits: readonly Limit[],
): Results & { readonly verdict: Verdict } {
  const used = new Set<Limit>();
  const tests: TestResult[] = results.tests.map((test) => limitTest(test, limits, used));
  const unused = limits.filter((limit) => !used.has(limit));
  for (const limit of unused) {
    tests.push({
      suite: "bench",
      name: `limit ${limits.indexOf(limit) + 1} that nothing was measured for`,
      policy: null,
      outcome: "ERROR",
      reason: `No measurement is ${describe(limit)}: see the measurements in results.json`,
      ...{ seconds: 0, frames: 0, bytes: 0, faults: [], measurements: [] },
    });
  }
  const verdict = judge(results, tests, unused);
  const limited = { ...results, tests, summary: summarize(tests), verdict };
  // what fails by a limit is not to be advised either
  return results.advice === undefined ? limited : withAdvice(limited);
}

/** What results with limits say: never better than without. */
function judge(
  before: Results & { readonly verdict: Verdict },
  tests: readonly TestResult[],
  unused: readonly Limit[],
): Verdict {
  const broken = tests.filter((test, i) => test.outcome !== before.tests[i]?.outcome).length -
    unused.length;
  if (broken > 0 && before.verdict.exit !== 1) {
    const cases = broken === 1 ? "1 case is" : `${broken} cases are`;
    return { exit: 1, word: "FAIL", reason: `${cases} outside of the limits` };
  }
  if (unused.length > 0 && before.verdict.exit === 0) {
    const some = unused.length === 1 ? "1 limit" : `${unused.length} limits`;
    return { exit: 3, word: "ERROR", reason: `Nothing was measured for ${some}` };
  }
  return before.verdict;
}

function limitTest(test: TestResult, limits: readonly Limit[], used: Set<Limit>): TestResult {
  const broken: string[] = [];
  const measurements = test.measurements.map((measurement) => {
    let held: Measurement = measurement;
    let failed = false;
    for (const limit of limits) {
      if (!matches(limit, test, measurement)) continue;
      used.add(limit);
      const { min, max } = limit;
      const bound = min === undefined ? "max" : "min";
      const number = min ?? max ?? NaN;
      const { value } = measurement;
      const good = bound === "min" ? value >= number : value <= number;
      if (failed && good) continue; // the one that is broken is shown
      held = { ...measurement, limit: number, bound };
      if (good) continue;
      failed = true;
      broken.push(
        `${measurement.name}${place(measurement.at)} is ${
          figure(value, 4)
        } ${measurement.unit}, the ` +
          `limit is at ${bound === "min" ? "least" : "most"} ${number}`,
      );
    }
    return held;
  });
  const fine = ["PASS", "XFAIL", "XPASS"].includes(test.outcome);
  if (broken.length === 0 || !fine) return { ...test, measurements };
  const more = broken.length === 1 ? "" : `, and ${broken.length - 1} more like this`;
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
