// SPDX-License-Identifier: MIT
/**
 * Checks the options that a test chose. Tests are run without a type check, and an option with a mistake in its
 * name would silently leave its default in force.
 *
 * @module
 */

import type { LoopOptions, ReceiveOptions, RunOptions, SendOptions } from "../frames/options.ts";
import { nearest } from "../text/nearest.ts";
import type { Comparison, Deviation } from "../verify/tolerance.ts";
import type { TestOptions } from "./plan_case.ts";

/** The names of all options of a call. */
export type Names<Options> = Readonly<Record<keyof Options, true>>;

/** Those of a matrix have the same names. */
const TEST: Names<TestOptions> = {
  ...{ policy: true, size: true, depth: true, pattern: true, directions: true },
  timeoutSeconds: true,
};
const RUN: Names<RunOptions> = {
  ...{ frames: true, size: true, lengths: true, policy: true, depth: true, maxFaults: true },
  ...{ timeoutMs: true, pauseMs: true, picture: true },
};
const LOOP: Names<LoopOptions> = {
  ...{ ...RUN, pattern: true, expect: true, compare: true, room: true, returns: true },
  ...{ guarded: true, reuse: true, sideband: true },
};
const SEND: Names<SendOptions> = { ...RUN, pattern: true, accept: true, sideband: true };
const RECEIVE: Names<ReceiveOptions> = { ...RUN, expect: true, compare: true };

const RUNS = { "loop.run()": LOOP, "tx.send()": SEND, "rx.receive()": RECEIVE } as const;

/** The values that an option may have. */
interface Values {
  readonly expected: string;
  readonly isOne: (value: unknown) => boolean;
  /** Whether there is no default. Defaults to false. */
  readonly isRequired?: boolean;
}

const isWhole = (value: unknown) => Number.isSafeInteger(value) && (value as number) >= 1;
const isTime = (value: unknown) => typeof value === "number" && value >= 0;

const SIZE: Values = {
  expected: 'a whole number of bytes from 1, "block" or "largest"',
  isOne: (value) => isWhole(value) || value === "block" || value === "largest",
};
const DEPTH: Values = {
  expected: 'a whole number of blocks from 1, or "max"',
  isOne: (value) => isWhole(value) || value === "max",
};
const WHOLE: Values = { expected: "a whole number from 1", isOne: isWhole };
const TIME: Values = { expected: "a number from 0", isOne: isTime };
const isFunction = (value: unknown) => typeof value === "function";
const isPattern = (value: unknown) =>
  typeof value === "object" && value !== null && "create" in value && isFunction(value.create);
const FUNCTION: Values = { expected: "a function", isOne: isFunction };
const COMPARE: Values = {
  expected: "a function or null",
  isOne: (value) => value === null || isFunction(value),
};
const PATTERN: Values = { expected: "a pattern such as patterns.prbs31()", isOne: isPattern };
const SOURCE: Values = {
  expected: "a function, or a pattern such as patterns.prbs31()",
  isOne: (value) => isFunction(value) || isPattern(value),
};
const RUN_VALUES: Readonly<Record<string, Values>> = {
  ...{ size: WHOLE, depth: WHOLE, maxFaults: WHOLE, timeoutMs: TIME, pauseMs: FUNCTION },
  ...{ room: WHOLE, returns: WHOLE, compare: COMPARE, accept: FUNCTION, sideband: FUNCTION },
};
/** The values of the options that differ between the calls. */
const OWN_VALUES: Readonly<Record<keyof typeof RUNS, Readonly<Record<string, Values>>>> = {
  "loop.run()": { pattern: PATTERN, expect: FUNCTION },
  "tx.send()": { pattern: SOURCE },
  "rx.receive()": { expect: { ...SOURCE, isRequired: true } },
};

/**
 * Finds what is wrong with the options of a test or a matrix.
 *
 * @param call The call
 * @param options Its options
 * @returns What was expected and what was found; null if nothing is wrong
 */
export function wrongTestOption(call: "test()" | "matrix()", options: object): string | null {
  const unknown = unknownOption(call, options, TEST);
  if (unknown !== null) return unknown;
  const { timeoutSeconds } = options as TestOptions;
  const isMatrix = call === "matrix()";
  for (const [name, values] of [["size", SIZE], ["depth", DEPTH]] as const) {
    const given = (options as Record<string, unknown>)[name];
    if (given === undefined) continue;
    if (isMatrix && !Array.isArray(given)) {
      return `Expected ${name} of matrix() to be a list, such as [${show(given)}], found ${
        show(given)
      }`;
    }
    for (const one of isMatrix ? given as unknown[] : [given]) {
      if (!values.isOne(one)) {
        return `Expected ${name} of ${call} to be ${values.expected}, found ${show(one)}`;
      }
    }
  }
  const { policy } = options as { policy?: unknown };
  if (isMatrix && policy !== undefined && policy !== "all" && !Array.isArray(policy)) {
    return `Expected policy of matrix() to be "all" or a list, such as [${show(policy)}], found ${
      show(policy)
    }`;
  }
  if (timeoutSeconds === undefined || isTime(timeoutSeconds)) return null;
  return `Expected timeoutSeconds of ${call} to be a number from 0, found ${show(timeoutSeconds)}`;
}

/**
 * Checks the options of a run of frames.
 *
 * @param call The call
 * @param options Its options
 * @throws {TypeError} If an option has a name that the call does not know
 * @throws {RangeError} If an option has a value that it cannot have, or none and no default
 */
export function checkRunOptions(
  call: keyof typeof RUNS,
  options: object,
): void {
  checkNames(call, options, RUNS[call]);
  const known = Object.entries({ ...RUN_VALUES, ...OWN_VALUES[call] });
  for (const [name, { expected, isOne, isRequired = false }] of known) {
    const value = (options as Record<string, unknown>)[name];
    if (isOne(value) || value === undefined && !isRequired) continue;
    throw new RangeError(`Expected ${name} of ${call} to be ${expected}, found ${show(value)}`);
  }
}

/**
 * Checks what a test's own comparison returns.
 *
 * @param compare The comparison
 * @returns A comparison that throws a `TypeError` for what is neither null nor a deviation
 */
export function checkedComparison(compare: Comparison): Comparison {
  return (expected, received, sequence) => {
    const found: unknown = compare(expected, received, sequence);
    if (found === null || isDeviation(found, received.length)) return found;
    throw new TypeError(
      `Expected null or { offset, text } from compare() for frame ${sequence}, with an offset within ` +
        `the frame, found ${show(found)}`,
    );
  };
}

function isDeviation(value: unknown, size: number): value is Deviation {
  if (typeof value !== "object" || value === null) return false;
  const { offset, length = 1, text, accepted } = value as Partial<Deviation>;
  return Number.isSafeInteger(offset) && (offset as number) >= 0 && (offset as number) < size &&
    isWhole(length) && typeof text === "string" &&
    (accepted === undefined || accepted instanceof Uint8Array);
}

/**
 * Checks the names of options.
 *
 * @param call The call
 * @param options Its options
 * @param names The names that it knows
 * @throws {TypeError} If there is another one
 */
export function checkNames(
  call: string,
  options: object,
  names: Readonly<Record<string, true>>,
): void {
  const unknown = unknownOption(call, options, names);
  if (unknown !== null) throw new TypeError(unknown);
}

/**
 * Says what an option that the call does not know was meant to be.
 *
 * @param call The call
 * @param options Its options
 * @param names The names that it knows
 * @returns What was expected and what was found; null if all are known
 */
export function unknownOption(
  call: string,
  options: object,
  names: Readonly<Record<string, true>>,
): string | null {
  const known = Object.keys(names);
  const found = Object.keys(options).find((name) => !known.includes(name));
  if (found === undefined) return null;
  const guess = nearest(found, known);
  const which = guess === null ? `one of ${known.join(", ")}` : guess;
  return `Expected an option of ${call} to be ${which}, found ${found}`;
}

function show(value: unknown): string {
  if (typeof value === "string") return `"${value}"`;
  return typeof value === "object" && value !== null ? JSON.stringify(value) : String(value);
}
