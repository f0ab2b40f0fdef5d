// SPDX-License-Identifier: MIT
/**
 * Failures of the infrastructure: exit status 3.
 *
 * @module
 */

/** The infrastructure failed, so nothing is known about the design. */
export class InfrastructureError extends Error {
  override readonly name = "InfrastructureError";
}

/**
 * Returns whether an error says that there is no room for the files of a run.
 *
 * @param error What was thrown
 * @returns Whether the disk is full, read-only or over its quota
 */
export function isOutOfSpace(error: unknown): error is Error {
  const { code } = (error ?? {}) as { code?: unknown };
  return error instanceof Error && (code === "ENOSPC" || code === "EROFS" || code === "EDQUOT" ||
    error.message.startsWith("The journal "));
}
