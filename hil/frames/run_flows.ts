// SPDX-License-Identifier: MIT
/**
 * Runs flows side by side, and keeps what they found, whatever ends them.
 *
 * @module
 */

import { errorMessage } from "../text/error_message.ts";
import type { Flow } from "./flow.ts";
import { BrokenRunError, type FrameReport } from "./report.ts";

/**
 * Runs flows side by side to their end, and frees their blocks.
 *
 * @param make Makes the flows; those that it passed to `own` are freed if a later one fails
 * @param onPrimed Called after all of them are primed, before the first frame
 * @returns The report of each. If freeing the blocks fails after something was wrong, the reports say so
 * @throws {BrokenRunError} In place of what was thrown, if faults were found before
 */
export function runFlows(
  make: (own: <Item extends Flow>(flow: Item) => Item) => readonly Flow[],
  onPrimed: (() => void) | undefined,
): FrameReport[] {
  const owned = new DisposableStack();
  let flows: readonly Flow[];
  try {
    flows = make((flow) => owned.use(flow));
  } catch (error) {
    owned.dispose();
    throw error;
  }
  let thrown: { readonly error: unknown } | null = null;
  try {
    for (const flow of flows) flow.prepare();
    onPrimed?.();
    for (const flow of flows) flow.start();
    for (let busy = flows; busy.length > 0;) busy = busy.filter((flow) => flow.step());
  } catch (error) {
    thrown = { error };
  }
  let reports = flows.map((flow) => flow.report());
  const wrong = reports.some(({ faults, timeout }) => faults.length > 0 || timeout !== null);
  try {
    owned.dispose();
  } catch (error) {
    // what was found must not be lost because the blocks could not be freed
    if (!wrong && thrown === null) throw error;
    reports = reports.map((report) => ({ ...report, aftermath: errorMessage(error) }));
  }
  if (thrown === null) return reports;
  if (wrong) throw new BrokenRunError(reports, thrown.error);
  throw thrown.error;
}
