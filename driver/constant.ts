// SPDX-License-Identifier: MIT

/**
 * Buffers whose content never changes again, so that a target can keep a copy of them.
 *
 * @module
 */

const constants = new WeakSet<ArrayBufferLike>();

/**
 * Promise that the content of a buffer never changes again. A board on another machine then sends it there
 * once, and not with every frame.
 *
 * @param bytes A view of the buffer. The promise is about the whole buffer.
 * @returns The same view.
 *
 * @example A tape of frames
 * ```ts
 * import { constant, isConstant } from "./constant.ts";
 * import { assert } from "@std/assert";
 *
 * const tape = constant(new Uint8Array(4096).fill(7));
 * assert(isConstant(tape.subarray(64, 128)));
 * ```
 */
export function constant<T extends Uint8Array>(bytes: T): T {
  constants.add(bytes.buffer);
  return bytes;
}

/**
 * Tell whether the content of a view never changes again.
 *
 * @param bytes The view.
 * @returns Whether {@linkcode constant} was called for its buffer.
 */
export function isConstant(bytes: Uint8Array): boolean {
  return constants.has(bytes.buffer);
}
