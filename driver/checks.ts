// SPDX-License-Identifier: MIT

/**
 * Checks of arguments before they are packed into a struct.
 *
 * @module
 */

/** The longest timeout that a call accepts: one day, in milliseconds. */
export const MAX_TIMEOUT_MS = 86_400_000;

/** The timeout of a call without the option `timeoutMs`, milliseconds. */
export const DEFAULT_TIMEOUT_MS = 5_000;

/**
 * Check a number of bytes, or another count that has 64 bits in the ABI.
 *
 * @param what Name of the argument, for the message.
 * @param value The argument.
 * @returns The argument.
 * @throws {RangeError} If the argument is negative, not whole, or above 2^53 - 1.
 */
export function wholeNumber(what: string, value: number): number {
  if (Number.isSafeInteger(value) && value >= 0) return value;
  throw new RangeError(`Expected ${what} to be a whole number from 0 to 2^53 - 1, found ${value}`);
}

/**
 * Check a number that has 32 bits in the ABI.
 *
 * @param what Name of the argument, for the message.
 * @param value The argument.
 * @returns The argument.
 * @throws {RangeError} If the argument is negative, not whole, or above 2^32 - 1.
 */
export function uint32(what: string, value: number): number {
  if (value >>> 0 === value) return value;
  throw new RangeError(`Expected ${what} to be a whole number from 0 to 2^32 - 1, found ${value}`);
}

/**
 * Check that a range of bytes lies inside a container.
 *
 * @param what Name of the container, for the message.
 * @param size Size of the container, bytes.
 * @param offset Start of the range, bytes.
 * @param length Length of the range, bytes.
 * @throws {RangeError} If the range does not lie inside.
 */
export function range(what: string, size: number, offset: number, length: number): void {
  if (!isInside(size, offset, length)) throw outside(what, size, offset, length);
}

/**
 * Tell whether a range of bytes lies inside a container.
 *
 * @param size Size of the container, bytes.
 * @param offset Start of the range, bytes.
 * @param length Length of the range, bytes.
 * @returns Whether both numbers are whole and the range lies inside.
 */
export function isInside(size: number, offset: number, length: number): boolean {
  return offset >= 0 && length >= 0 && length <= size - offset && Number.isInteger(offset) &&
    Number.isInteger(length);
}

/**
 * Make the error for a range that does not lie inside a container.
 *
 * @param what Name of the container.
 * @param size Size of the container, bytes.
 * @param offset Start of the range, bytes.
 * @param length Length of the range, bytes.
 * @returns The error.
 * @throws {RangeError} If the offset or the length is no number of bytes.
 */
export function outside(what: string, size: number, offset: number, length: number): RangeError {
  wholeNumber("offset", offset);
  wholeNumber("length", length);
  return new RangeError(
    `Expected a range inside the ${size} bytes of ${what}, found ${length} bytes at ${offset}`,
  );
}

/**
 * Check the timeout of a call.
 *
 * @param timeoutMs The timeout, milliseconds.
 * @returns The argument.
 * @throws {RangeError} If the timeout is negative, not finite, or longer than one day.
 */
export function timeout(timeoutMs: number): number {
  if (timeoutMs >= 0 && timeoutMs <= MAX_TIMEOUT_MS) return timeoutMs;
  throw new RangeError(
    `Expected timeoutMs from 0 to ${MAX_TIMEOUT_MS} (one day), found ${timeoutMs}`,
  );
}
