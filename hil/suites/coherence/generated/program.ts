// SPDX-License-Identifier: MIT

/**
 * Litmus programs: what a CPU and a device that does not snoop do to one or two cache lines, and how
 * such a program is written.
 *
 * A program names its lines with their direction, and then its events in order:
 * `tx x | Sx Dx Rx` stores to a tx line, syncs it for the device and lets the device read it.
 *
 * | Event | What happens                                                        |
 * | ----- | ------------------------------------------------------------------- |
 * | `S`   | the CPU stores a new value                                          |
 * | `L`   | the CPU loads                                                       |
 * | `D`   | sync for the device, in the direction of the line                   |
 * | `U`   | sync for the CPU, in the direction of the line                      |
 * | `R`   | a transfer starts that reads the line. tx only                      |
 * | `W`   | a transfer starts that writes a new value to the line. rx only      |
 * | `C`   | the transfer that was started on the line is complete               |
 *
 * Between the start of a transfer and its completion the device owns the line, and the program does
 * nothing else with it. A transfer that is still under way after the last event then completes.
 *
 * @module
 */

/** The direction of a line's mapping. `both` is DMA_BIDIRECTIONAL, which pldma does not offer. */
export type LineDirection = "tx" | "rx" | "both";

/** What an event does; see the table of this module. */
export type EventKind = "S" | "L" | "D" | "U" | "R" | "W" | "C";

/** One event. */
export interface LitmusEvent {
  /** What happens. */
  readonly kind: EventKind;
  /** The line that it happens to, from 0. */
  readonly line: number;
}

/** One program. */
export interface Program {
  /** The direction of each line. */
  readonly lines: readonly LineDirection[];
  /** The events in order. */
  readonly events: readonly LitmusEvent[];
}

/** The names of the lines. */
export const LINE_NAMES = "xyz";
const KINDS = "SLDURWC";

/**
 * Writes a program as text.
 *
 * @param program The program.
 * @returns For example `tx x, rx y | Sx Wy Cy Ly`.
 */
export function formatProgram(program: Program): string {
  const lines = program.lines.map((direction, index) => `${direction} ${LINE_NAMES[index]}`);
  const events = program.events.map(({ kind, line }) => `${kind}${LINE_NAMES[line]}`);
  return `${lines.join(", ")} | ${events.join(" ")}`;
}

/**
 * Reads a program from its text.
 *
 * @param text What `formatProgram()` wrote.
 * @returns The program.
 * @throws {TypeError} The text is not that of a program.
 */
export function parseProgram(text: string): Program {
  const [head = "", tail = "", ...rest] = text.split(" | ");
  const lines = head.split(", ").map((line, index) => {
    const [direction = "", name] = line.split(" ");
    if (name !== LINE_NAMES[index] || !isDirection(direction)) throw malformed(text);
    return direction;
  });
  const events = tail.split(" ").map((event) => {
    const line = LINE_NAMES.indexOf(event[1] ?? "?");
    const kind = event[0] ?? "?";
    if (event.length !== 2 || line < 0 || line >= lines.length || !isKind(kind)) {
      throw malformed(text);
    }
    return { kind, line };
  });
  if (rest.length > 0) throw malformed(text);
  return { lines, events };
}

function isDirection(text: string): text is LineDirection {
  return text === "tx" || text === "rx" || text === "both";
}

function isKind(text: string): text is EventKind {
  return KINDS.includes(text);
}

function malformed(text: string): TypeError {
  return new TypeError(`Expected a program like "tx x | Sx Dx Rx", found "${text}"`);
}

/**
 * Returns whether the owner rules hold: a transfer fits the direction of its line, and nothing but its
 * completion happens to a line while the device owns it.
 *
 * @param program The program.
 * @returns Whether a board can run it.
 */
export function isLegal(program: Program): boolean {
  const busy = program.lines.map(() => false);
  for (const { kind, line } of program.events) {
    const direction = program.lines[line];
    if ((kind === "R" && direction === "rx") || (kind === "W" && direction === "tx")) return false;
    if (busy[line] !== (kind === "C")) return false;
    busy[line] = kind === "R" || kind === "W";
  }
  return true;
}

/**
 * Returns the number of values that a line has in a program: 0 is what it held before, and each store
 * and each device write gives it the next one.
 *
 * @param program The program.
 * @param line The line.
 * @returns At least 1.
 */
export function valuesOf(program: Program, line: number): number {
  const written = program.events.filter((event) =>
    event.line === line && (event.kind === "S" || event.kind === "W")
  );
  return 1 + written.length;
}
