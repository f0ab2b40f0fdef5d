// SPDX-License-Identifier: MIT

/**
 * Checks of arguments before they are packed into a struct.
 *
 * @module
 */

/** The longest wait that a call may be asked for, milliseconds: a day. */
export const MAX_TIMEOUT_MS = 86_400_000;

/** The wait that a call is given when it names none, milliseconds. */
export const DEFAULT_TIMEOUT_MS = 5_000;

/**
 * Check a number of bytes or another count that the ABI holds in 64 bits.
 *
 * @param what Name of the argument, for the message.
 * @param value The argument.
 * @returns The argument.
 * @throws {RangeError} When it is negative, not whole, or above 2^53 - 1.
 */
export function wholeNumber(what: string, value: number): number {
  if (Number.isSafeInteger(value) && value >= 0) return value;
  throw new RangeError(`Expected ${what} to be a whole number from 0 to 2^53 - 1, found ${value}`);
}

/**
 * Check a number that the ABI holds in 32 bits.
 *
 * @param what Name of the argument, for the message.
 * @param value The argument.
 * @returns The argument.
 * @throws {RangeError} When it is negative, not whole, or above 2^32 - 1.
 */
export function word(what: string, value: number): number {
  if (value >>> 0 === value) return value;
  throw new RangeError(`Expected ${what} to be a whole number from 0 to 2^32 - 1, found ${value}`);
}

/**
 * Check a range of bytes inside something.
 *
 * @param what Name of what holds the range, for the message.
 * @param size Its size, bytes.
 * @param offset Start of the range, bytes.
 * @param length Length of the range, bytes.
 * @throws {RangeError} When it does not lie inside.
 */
export function range(what: string, size: number, offset: number, length: number): void {
  wholeNumber("offset", offset);
  wholeNumber("length", length);
  if (length <= size && offset <= size - length) return;
  throw new RangeError(
    `Expected a range inside the ${size} bytes of ${what}, found ${length} bytes at ${offset}`,
  );
}

/**
 * Check how long a call may wait.
 *
 * @param timeoutMs Milliseconds.
 * @returns The argument.
 * @throws {RangeError} When it is negative, not finite, or longer than a day.
 */
export function timeout(timeoutMs: number): number {
  if (timeoutMs >= 0 && timeoutMs <= MAX_TIMEOUT_MS) return timeoutMs;
  throw new RangeError(
    `Expected timeoutMs from 0 to ${MAX_TIMEOUT_MS}, since no wait is unbounded, found ${timeoutMs}`,
  );
}
