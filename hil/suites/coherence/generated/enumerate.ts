// SPDX-License-Identifier: MIT

/**
 * All litmus programs of up to six events on one or two lines, reduced by symmetry.
 *
 * These are left out, because another program of the list says the same:
 *
 * - Programs that differ in the names of lines or values. Values have no names: each store and each
 *   device write gives its line the next one. Lines of the same direction are swapped if that makes
 *   the text smaller, and a tx line comes before an rx line.
 * - Events after the last observation (`L` or `R`) of their line, and lines that observe nothing.
 * - A completion after which nothing happens to its line. It comes at the end anyway.
 * - The second of two equal syncs of a line with nothing of that line between.
 * - The order of two neighbours on different lines that are both events of the CPU: the first line
 *   goes first. The order of CPU events and of the starts and ends of transfers is kept.
 *
 * And these, because they could not tell anything: programs in which the model allows each combination
 * of the values that the lines had by then, and in which a coherent device would show the same.
 *
 * @module
 */

import { allowedOf, type Machine } from "./model.ts";
import {
  type EventKind,
  formatProgram,
  type LineDirection,
  type LitmusEvent,
  type Program,
} from "./program.ts";

/** The most events that a program has. */
export const MOST_EVENTS = 6;

const SHAPES: readonly (readonly LineDirection[])[] = [
  ["tx"],
  ["rx"],
  ["tx", "tx"],
  ["tx", "rx"],
  ["rx", "rx"],
];

const CPU_EVENTS = "SLDU";

function isObservation(kind: EventKind): boolean {
  return kind === "L" || kind === "R";
}

/** The last event of each line, from its index in the text. */
function lastOf(events: readonly LitmusEvent[], line: number): EventKind | undefined {
  return events.findLast((event) => event.line === line)?.kind;
}

/** Whether an event may follow, by the rules of owners and of this module. */
function mayFollow(
  events: readonly LitmusEvent[],
  next: LitmusEvent,
  direction: LineDirection | undefined,
): boolean {
  const last = lastOf(events, next.line);
  const busy = last === "R" || last === "W";
  if (busy !== (next.kind === "C")) return false;
  if (next.kind === (direction === "tx" ? "W" : "R")) return false;
  if ((next.kind === "D" || next.kind === "U") && last === next.kind) return false;
  const previous = events.at(-1);
  return previous === undefined || previous.line <= next.line ||
    !CPU_EVENTS.includes(previous.kind) || !CPU_EVENTS.includes(next.kind);
}

function swapped(program: Program): Program {
  const events = program.events.map(({ kind, line }) => ({ kind, line: 1 - line }));
  for (let at = 1; at < events.length; at++) {
    // neighbours of the CPU go back into the order of the lines
    for (let back = at; back > 0; back--) {
      const [first, second] = [events[back - 1], events[back]];
      if (first === undefined || second === undefined || first.line <= second.line) break;
      if (!CPU_EVENTS.includes(first.kind) || !CPU_EVENTS.includes(second.kind)) break;
      [events[back - 1], events[back]] = [second, first];
    }
  }
  return { lines: program.lines, events };
}

function isCanonical(program: Program): boolean {
  const observed = program.lines.every((_direction, line) => {
    const last = lastOf(program.events, line);
    return last !== undefined && isObservation(last);
  });
  if (!observed) return false;
  if (program.lines.length < 2 || program.lines[0] !== program.lines[1]) return true;
  return formatProgram(program) <= formatProgram(swapped(program));
}

/**
 * Yields every program, shortest first within each shape of lines.
 *
 * @param most The most events of a program.
 * @returns The programs, in the same order each time.
 */
export function* allPrograms(most = MOST_EVENTS): Generator<Program> {
  for (const lines of SHAPES) {
    let layer: LitmusEvent[][] = [[]];
    for (let length = 1; length <= most; length++) {
      const next: LitmusEvent[][] = [];
      for (const events of layer) {
        for (let line = 0; line < lines.length; line++) {
          for (const kind of ["S", "L", "D", "U", "R", "W", "C"] as const) {
            const event = { kind, line };
            if (mayFollow(events, event, lines[line])) next.push([...events, event]);
          }
        }
      }
      for (const events of next) {
        const program = { lines, events };
        if (isCanonical(program)) yield program;
      }
      layer = next;
    }
  }
}

/** The number of combinations of values that the observations of a line could show at their time. */
function combinationsOf(program: Program, line: number): number {
  let values = 1;
  let combinations = 1;
  for (const event of program.events) {
    if (event.line !== line) continue;
    if (isObservation(event.kind)) combinations *= values;
    else if (event.kind === "S" || event.kind === "W") values++;
  }
  return combinations;
}

/**
 * Returns whether a machine forbids an outcome in which each observation is a value that its line was
 * given before.
 *
 * @param program The program.
 * @param machines The machines. They forbid what none of them allows.
 * @returns Whether the program can fail.
 */
export function canFail(program: Program, machines: readonly Machine[]): boolean {
  return program.lines.some((_direction, line) =>
    allowedOf(program, line, machines).size < combinationsOf(program, line)
  );
}

/**
 * Returns whether a machine allows an outcome that a coherent one does not. If a board shows such an
 * outcome, then the device does not see the caches of the CPU.
 *
 * @param program The program.
 * @param machine The machine.
 * @returns Whether the program can show that.
 */
export function showsPower(program: Program, machine: Machine): boolean {
  return program.lines.some((_direction, line) =>
    !allowedOf(program, line, [machine]).isSubsetOf(allowedOf(program, line, ["coherent"]))
  );
}

/**
 * Returns the generated tests: the programs that can fail on a machine with caches, and those that can
 * show that there are caches.
 *
 * @param most The most events of a program.
 * @returns The programs, in the same order each time.
 */
export function generatedTests(most = MOST_EVENTS): Program[] {
  return [...allPrograms(most)]
    .filter((program) => canFail(program, ["arm64"]) || showsPower(program, "arm64"));
}

/**
 * Chooses a sample of programs. The same seed chooses the same ones.
 *
 * @param programs The programs
 * @param most The largest number to choose
 * @param seed 0 to 2^32 - 1
 * @returns The chosen programs, in their order in the list
 */
export function sampleTests(
  programs: readonly Program[],
  most: number,
  seed: number,
): readonly Program[] {
  if (programs.length <= most) return programs;
  let state = seed;
  const drawn = programs.map((program, index) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return { program, index, draw: state };
  });
  return drawn.toSorted((a, b) => a.draw - b.draw).slice(0, most)
    .toSorted((a, b) => a.index - b.index)
    .map(({ program }) => program);
}
