// SPDX-License-Identifier: MIT
/**
 * Failures of the infrastructure: exit status 3.
 *
 * @module
 */

import type { Journal } from "../journal/journal.ts";

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

/**
 * Adds complaints of a virtual machine's kernel to a run.
 *
 * @param journal The journal of the run
 * @param reports The complaints
 */
export function addKernelReports(journal: Journal, reports: readonly string[]): void {
  reports.forEach((report, i) => journal.infrastructureError(`kernel report ${i + 1}`, report));
}
