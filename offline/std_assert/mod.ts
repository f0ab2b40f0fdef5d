// SPDX-License-Identifier: MIT
/**
 * A stand-in for the part of `@std/assert` that this project's tests use, over `node:assert`.
 * Names and signatures are those of the published package; messages are not. The stand-in is one file,
 * because `links` in `deno.json` puts it in the place of one module.
 *
 * @example Compare two values
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals([1, 2], [1, 2]);
 * ```
 *
 * @module
 */
import { deepStrictEqual } from "node:assert";
import { inspect, isDeepStrictEqual } from "node:util";

/** Any constructor. */
// deno-lint-ignore no-explicit-any
export type AnyConstructor = new (...args: any[]) => any;

/** The type that a constructor makes. */
export type GetConstructorType<T extends AnyConstructor> = InstanceType<T>;

/** Anything but a falsy value. */
export type Falsy = false | 0 | 0n | "" | null | undefined;

/**
 * What every assertion throws.
 *
 * @example Recognise it
 * ```ts
 * import { assert, AssertionError } from "@std/assert";
 *
 * try {
 *   assert(false);
 * } catch (error) {
 *   assert(error instanceof AssertionError);
 * }
 * ```
 */
export class AssertionError extends Error {
  /**
   * Tell what did not hold.
   *
   * @param message what did not hold
   * @param options the cause, as for `Error`
   */
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "AssertionError";
  }
}

function because(text: string, msg?: string): never {
  throw new AssertionError(msg ? `${text}: ${msg}` : text);
}

/**
 * Assert that a value is truthy.
 *
 * @param expr the value
 * @param msg what to say when it is not
 * @throws {AssertionError} when `expr` is falsy
 */
export function assert(expr: unknown, msg = ""): asserts expr {
  if (!expr) throw new AssertionError(msg);
}

/**
 * Assert that a value is falsy.
 *
 * @param expr the value
 * @param msg what to say when it is not
 * @throws {AssertionError} when `expr` is truthy
 */
export function assertFalse(expr: unknown, msg = ""): asserts expr is Falsy {
  if (expr) throw new AssertionError(msg);
}

/**
 * Assert that two values have the same structure, prototypes and leaves.
 *
 * @param actual what was found
 * @param expected what it should be
 * @param msg added to the message
 * @throws {AssertionError} with the difference
 */
export function assertEquals<T>(actual: T, expected: T, msg?: string): void {
  if (isDeepStrictEqual(actual, expected)) return;
  let difference = "Values are not equal";
  try {
    deepStrictEqual(actual, expected);
  } catch (error) {
    difference = error instanceof Error ? error.message : String(error);
  }
  because(difference, msg);
}

/**
 * Assert that two values differ in structure or leaves.
 *
 * @param actual what was found
 * @param expected what it should not be
 * @param msg added to the message
 * @throws {AssertionError} when they are equal
 */
export function assertNotEquals<T>(actual: T, expected: T, msg?: string): void {
  if (isDeepStrictEqual(actual, expected)) {
    because(`Expected something else than ${inspect(actual)}`, msg);
  }
}

/**
 * Assert that two values are the same by `Object.is`.
 *
 * @param actual what was found
 * @param expected what it should be
 * @param msg added to the message
 * @throws {AssertionError} when they are not
 */
export function assertStrictEquals<T>(
  actual: unknown,
  expected: T,
  msg?: string,
): asserts actual is T {
  if (!Object.is(actual, expected)) {
    because(`Expected the very value ${inspect(expected)}, found ${inspect(actual)}`, msg);
  }
}

/**
 * Assert that two values are not the same by `Object.is`.
 *
 * @param actual what was found
 * @param expected what it should not be
 * @param msg added to the message
 * @throws {AssertionError} when they are the same
 */
export function assertNotStrictEquals<T>(actual: T, expected: T, msg?: string): void {
  if (Object.is(actual, expected)) because(`Expected another value than ${inspect(actual)}`, msg);
}

/**
 * Assert that a value is neither null nor undefined.
 *
 * @param actual what was found
 * @param msg added to the message
 * @throws {AssertionError} when it is null or undefined
 */
export function assertExists<T>(actual: T, msg?: string): asserts actual is NonNullable<T> {
  if (actual === undefined || actual === null) because(`Expected a value, found ${actual}`, msg);
}

/**
 * Assert that two numbers are close.
 *
 * @param actual what was found
 * @param expected what it should be near
 * @param tolerance the largest difference allowed, by default 1e-7 of `expected`
 * @param msg added to the message
 * @throws {AssertionError} when they are further apart
 */
export function assertAlmostEquals(
  actual: number,
  expected: number,
  tolerance?: number,
  msg?: string,
): void {
  if (Object.is(actual, expected)) return;
  const most = tolerance ?? (Number.isFinite(expected) ? Math.abs(expected * 1e-7) : 1e-7);
  const delta = Math.abs(expected - actual);
  if (!(delta <= most)) {
    because(`Expected ${actual} within ${most} of ${expected}, it is ${delta} away`, msg);
  }
}

/**
 * Assert that one value is greater than another.
 *
 * @param actual what was found
 * @param expected what it should exceed
 * @param msg added to the message
 * @throws {AssertionError} when it is not
 */
export function assertGreater<T>(actual: T, expected: T, msg?: string): void {
  if (!(actual > expected)) because(`Expected ${inspect(actual)} > ${inspect(expected)}`, msg);
}

/**
 * Assert that one value is greater than another, or equal.
 *
 * @param actual what was found
 * @param expected what it should reach
 * @param msg added to the message
 * @throws {AssertionError} when it is not
 */
export function assertGreaterOrEqual<T>(actual: T, expected: T, msg?: string): void {
  if (!(actual >= expected)) because(`Expected ${inspect(actual)} >= ${inspect(expected)}`, msg);
}

/**
 * Assert that one value is less than another.
 *
 * @param actual what was found
 * @param expected what it should stay below
 * @param msg added to the message
 * @throws {AssertionError} when it is not
 */
export function assertLess<T>(actual: T, expected: T, msg?: string): void {
  if (!(actual < expected)) because(`Expected ${inspect(actual)} < ${inspect(expected)}`, msg);
}

/**
 * Assert that one value is less than another, or equal.
 *
 * @param actual what was found
 * @param expected what it should not exceed
 * @param msg added to the message
 * @throws {AssertionError} when it is not
 */
export function assertLessOrEqual<T>(actual: T, expected: T, msg?: string): void {
  if (!(actual <= expected)) because(`Expected ${inspect(actual)} <= ${inspect(expected)}`, msg);
}

/**
 * Assert that a value is an instance of a class.
 *
 * @param actual what was found
 * @param expectedType the class
 * @param msg added to the message
 * @throws {AssertionError} when it is not
 */
export function assertInstanceOf<T extends AnyConstructor>(
  actual: unknown,
  expectedType: T,
  msg = "",
): asserts actual is GetConstructorType<T> {
  if (!(actual instanceof expectedType)) {
    because(`Expected an instance of ${expectedType.name}, found ${inspect(actual)}`, msg);
  }
}

/**
 * Assert that a text contains another.
 *
 * @param actual what was found
 * @param expected the part that should be in it
 * @param msg added to the message
 * @throws {AssertionError} when it is not in it
 */
export function assertStringIncludes(actual: string, expected: string, msg?: string): void {
  if (!actual.includes(expected)) {
    because(`Expected a text with ${inspect(expected)}, found ${inspect(actual)}`, msg);
  }
}

/**
 * Assert that a text matches a regular expression.
 *
 * @param actual what was found
 * @param expected the expression
 * @param msg added to the message
 * @throws {AssertionError} when it does not match
 */
export function assertMatch(actual: string, expected: RegExp, msg?: string): void {
  if (actual.match(expected) === null) {
    because(`Expected a text that matches ${expected}, found ${inspect(actual)}`, msg);
  }
}

/**
 * Assert that a text does not match a regular expression.
 *
 * @param actual what was found
 * @param expected the expression
 * @param msg added to the message
 * @throws {AssertionError} when it matches
 */
export function assertNotMatch(actual: string, expected: RegExp, msg?: string): void {
  if (actual.match(expected) !== null) {
    because(`Expected a text that does not match ${expected}, found ${inspect(actual)}`, msg);
  }
}

/**
 * Assert that an array-like contains each of some values.
 *
 * @param actual what was found
 * @param expected values that should be in it, in any order
 * @param msg added to the message
 * @throws {AssertionError} naming the values that are not
 */
export function assertArrayIncludes<T>(
  actual: ArrayLike<T>,
  expected: ArrayLike<T>,
  msg?: string,
): void {
  const found = Array.from(actual);
  const missing = Array.from(expected)
    .filter((wanted) => !found.some((value) => isDeepStrictEqual(value, wanted)));
  if (missing.length > 0) because(`Expected ${inspect(missing)} in ${inspect(found)}`, msg);
}

/**
 * Fail in any case.
 *
 * @param msg why
 * @throws {AssertionError} always
 */
export function fail(msg?: string): never {
  throw new AssertionError(msg ? `Failed assertion: ${msg}` : "Failed assertion");
}

/** The class of an error, abstract or not. */
// deno-lint-ignore no-explicit-any
export type ErrorClass<E extends Error> = abstract new (...args: any[]) => E;

function check<E extends Error>(
  error: unknown,
  kind: ErrorClass<E> | undefined,
  includes: string | undefined,
  msg: string | undefined,
): void {
  if (kind === undefined) return;
  if (!(error instanceof Error)) because("A non-Error object was thrown", msg);
  if (!(error instanceof kind)) {
    because(`Expected a ${kind.name}, found ${error.name}: ${error.message}`, msg);
  }
  if (includes !== undefined && !error.message.includes(includes)) {
    because(`Expected an error with ${inspect(includes)}, found ${inspect(error.message)}`, msg);
  }
}

/**
 * Assert that a function throws.
 *
 * @param fn the function
 * @param msg added to the message
 * @returns what it threw
 * @throws {AssertionError} when it does not throw
 */
export function assertThrows(fn: () => unknown, msg?: string): unknown;
/**
 * Assert that a function throws a certain error.
 *
 * @param fn the function
 * @param ErrorClass the class of the error
 * @param msgIncludes a text that must be in its message
 * @param msg added to the message
 * @returns the error
 * @throws {AssertionError} when it does not throw, or something else
 */
export function assertThrows<E extends Error = Error>(
  fn: () => unknown,
  ErrorClass: ErrorClass<E>,
  msgIncludes?: string,
  msg?: string,
): E;
export function assertThrows<E extends Error = Error>(
  fn: () => unknown,
  kindOrMsg?: ErrorClass<E> | string,
  includes?: string,
  msg?: string,
): unknown {
  const kind = typeof kindOrMsg === "string" ? undefined : kindOrMsg;
  const note = typeof kindOrMsg === "string" ? kindOrMsg : msg;
  try {
    fn();
  } catch (error) {
    check(error, kind, includes, note);
    return error;
  }
  because("Expected function to throw", note);
}

/**
 * Assert that a function's promise rejects.
 *
 * @param fn the function
 * @param msg added to the message
 * @returns the reason
 * @throws {AssertionError} when the promise is fulfilled, or `fn` itself throws
 */
export function assertRejects(fn: () => PromiseLike<unknown>, msg?: string): Promise<unknown>;
/**
 * Assert that a function's promise rejects with a certain error.
 *
 * @param fn the function
 * @param ErrorClass the class of the error
 * @param msgIncludes a text that must be in its message
 * @param msg added to the message
 * @returns the error
 * @throws {AssertionError} when the promise is fulfilled or rejects otherwise, or `fn` itself throws
 */
export function assertRejects<E extends Error = Error>(
  fn: () => PromiseLike<unknown>,
  ErrorClass: ErrorClass<E>,
  msgIncludes?: string,
  msg?: string,
): Promise<E>;
export async function assertRejects<E extends Error = Error>(
  fn: () => PromiseLike<unknown>,
  kindOrMsg?: ErrorClass<E> | string,
  includes?: string,
  msg?: string,
): Promise<unknown> {
  const kind = typeof kindOrMsg === "string" ? undefined : kindOrMsg;
  const note = typeof kindOrMsg === "string" ? kindOrMsg : msg;
  let promise: PromiseLike<unknown>;
  try {
    promise = fn();
  } catch {
    because("Function throws when expected to reject", note);
  }
  try {
    await promise;
  } catch (error) {
    check(error, kind, includes, note);
    return error;
  }
  because("Expected function to reject", note);
}
