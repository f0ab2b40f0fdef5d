// SPDX-License-Identifier: MIT
/**
 * Whether a value from a journal is a line that the results can be made of. A disk and a process that dies
 * can damage every byte, so nothing is believed that the schema of results would refuse later.
 *
 * @module
 */

import { checkHeader, checkTest, ResultsError } from "../results/check.ts";
import { LimitsError, parseLimits } from "../results/limits.ts";

type Value = Readonly<Record<string, unknown>>;

/** What the result of a case may leave out. */
const NO_RESULT = { suite: "", name: "", policy: null, faults: [], measurements: [] };

/**
 * Returns whether a value is a line of a journal.
 *
 * @param value A result of `JSON.parse()`
 */
export function isJournalLine(value: unknown): boolean {
  if (!isObject(value) || !isTime(value["at"])) return false;
  const { line } = value;
  if (line === "run") return isHeader(value);
  if (line === "plan") return isPlan(value);
  if (line === "file") {
    const { file, suite, state, died } = value;
    return areTexts(file, suite) && (state === "started" || state === "ended") &&
      (died === undefined || areTexts(died));
  }
  if (!areTexts(value["id"])) return false;
  switch (line) {
    case "case":
      return isCase(value);
    case "start":
      return isCount(value["limit"]) && isCount(value["round"]);
    case "seen":
    case "end":
      return isResult(value);
    case "resume":
      return isWriter(value["writer"]);
    case "close":
      return isCount(value["seconds"]);
    default:
      return false;
  }
}

function isObject(value: unknown): value is Value {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function areTexts(...values: unknown[]): boolean {
  return values.every((value) => typeof value === "string");
}

function isTime(value: unknown): boolean {
  return typeof value === "string" && !Number.isNaN(Date.parse(value));
}

function isCount(value: unknown): boolean {
  return value === undefined || (typeof value === "number" && Number.isFinite(value) && value >= 0);
}

/** Whether a check of the schema accepts what it is given. */
function fits(check: () => void): boolean {
  try {
    check();
    return true;
  } catch (error) {
    if (error instanceof ResultsError || error instanceof LimitsError) return false;
    throw error;
  }
}

function isHeader(value: Value): boolean {
  const { tool = {}, board = {}, bitstream = {}, run = {}, environment = {}, limits } = value;
  return fits(() => {
    checkHeader({ tool, board, bitstream, run, environment });
    if (limits !== undefined && !(Array.isArray(limits) && limits.length === 0)) {
      parseLimits(JSON.stringify(limits), "limits");
    }
  });
}

function isPlan({ id, schema, by, files, writer }: Value): boolean {
  return areTexts(id) && typeof schema === "number" &&
    (by === "plumbline run" || by === "deno test") &&
    Array.isArray(files) && areTexts(...files) && isWriter(writer);
}

function isWriter(writer: unknown): boolean {
  return isObject(writer) && Number.isSafeInteger(writer["pid"]);
}

function isCase({ suite, name, policy, params, control, skip }: Value): boolean {
  return areTexts(suite, name) && (policy === null || areTexts(policy)) &&
    (params === undefined || isObject(params)) &&
    (control === undefined || typeof control === "boolean") &&
    (skip === undefined || skip === null || areTexts(skip));
}

function isResult(value: Value): boolean {
  const { evidence = {} } = value;
  return isObject(evidence) &&
    [evidence["tx"], evidence["rx"]].every((one) =>
      ["undefined", "boolean"].includes(typeof one)
    ) &&
    fits(() => {
      // damage that was seen before the end of a case has no duration yet
      const seconds = value["line"] === "seen" ? { seconds: 0 } : {};
      checkTest({ ...NO_RESULT, ...seconds, ...value }, "line");
    });
}
