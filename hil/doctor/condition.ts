// SPDX-License-Identifier: MIT
/**
 * A condition between a bare board and the first frame, and what is known about it.
 *
 * @module
 */

/**
 * Whether a condition is met.
 *
 * - `ok`: it is.
 * - `missing`: it is not, and no frame can move until it is.
 * - `waits`: it cannot be looked at before an earlier condition is met.
 * - `advice`: frames can move, but something may surprise or slow down.
 * - `unknown`: the board does not show it.
 */
export type Status = "ok" | "missing" | "waits" | "advice" | "unknown";

/** One condition. */
export interface Condition {
  /** Its name, which never changes, such as `module-loaded`. */
  readonly id: string;
  /** What the condition is about, in a few words. */
  readonly title: string;
  /** Whether it is met. */
  readonly status: Status;
  /** What was found. */
  readonly found: string;
  /** What is expected. */
  readonly expected: string;
  /** The command, or the step, that mends it; null if nothing has to be done. */
  readonly mend: string | null;
}

/** A condition before it is judged. */
type Subject = Pick<Condition, "id" | "title" | "expected">;

/**
 * Makes a condition that is met.
 *
 * @param subject Its name, its title, and what is expected
 * @param found What was found
 * @returns The condition
 */
export function met(subject: Subject, found: string): Condition {
  return { ...subject, status: "ok", found, mend: null };
}

/**
 * Makes a condition that is not met, or not known to be met.
 *
 * @param subject Its name, its title, and what is expected
 * @param status Whether frames can move nevertheless
 * @param found What was found
 * @param mend What mends it
 * @returns The condition
 */
export function unmet(
  subject: Subject,
  status: "missing" | "advice" | "unknown",
  found: string,
  mend: string | null,
): Condition {
  return { ...subject, status, found, mend };
}

/**
 * Judges a condition only if an earlier one is met.
 *
 * @param before The earlier condition
 * @param subject The condition, which waits if the earlier one is not met
 * @param judge Judges it
 * @returns The condition
 */
export function after(before: Condition, subject: Subject, judge: () => Condition): Condition {
  const first = before.status === "missing" || before.status === "waits";
  if (!first) return judge();
  return { ...subject, status: "waits", found: `waits for: ${before.title}`, mend: null };
}
