// SPDX-License-Identifier: MIT

/**
 * Judges the outcomes of generated litmus tests, and counts them as litmus7 does.
 *
 * @module
 */

import type { Fault } from "../../../verify/fault.ts";
import type { Kind } from "../expected.ts";
import type { LineOutcome } from "./bench.ts";
import { allowedOf, allowedOutcomes, type Machine, MACHINES } from "./model.ts";
import { formatProgram, LINE_NAMES, type Program } from "./program.ts";

/**
 * The machines that a board may be. What none of them allows is a fault.
 *
 * Sim and the adversarial bus invalidate in each sync of an rx line, as arch/arm does. Hardware that needs
 * syncs may be either machine with caches, or it has bounce buffers.
 */
export const MACHINES_OF: Readonly<Record<Kind, readonly Machine[]>> = {
  sim: ["arm"],
  adversarial: ["arm"],
  swiotlb: ["bounce"],
  hardware: ["arm64", "arm", "bounce"],
  coherent: ["coherent"],
};

/** Programs that a histogram lists with all their outcomes. */
const LISTED = 4000;

/** Runs after which a board with stale lines has shown one. */
const ENOUGH = 30;

/** The outcomes of many runs. */
export class Histogram {
  readonly #machines: readonly Machine[];
  readonly #programs = new Map<string, { program: Program; counts: Map<string, number> }>();
  #runs = 0;
  #powerful = 0;

  /** @param machines The machines that the board may be */
  constructor(machines: readonly Machine[]) {
    this.#machines = machines;
  }

  /**
   * Counts what a run showed.
   *
   * @param program The program
   * @param outcomes What its lines showed
   * @returns A fault for each line that showed what the machines forbid
   */
  add(program: Program, outcomes: readonly LineOutcome[]): Fault[] {
    const name = formatProgram(program);
    const entry = this.#programs.get(name) ?? { program, counts: new Map<string, number>() };
    this.#programs.set(name, entry);
    const state = outcomes.map(({ line, words }) => `${LINE_NAMES[line]}=${words.join("/")}`)
      .join(" ");
    entry.counts.set(state, (entry.counts.get(state) ?? 0) + 1);
    const frame = this.#runs++;
    if (outcomes.some((outcome) => needsCaches(program, outcome))) this.#powerful++;
    return outcomes.flatMap((outcome) => this.#faults(program, outcome, frame));
  }

  /** Programs that ran. */
  get programs(): number {
    return this.#programs.size;
  }

  /** Runs of programs. */
  get runs(): number {
    return this.#runs;
  }

  /** Runs that showed what a coherent device never shows. */
  get powerful(): number {
    return this.#powerful;
  }

  /** Different outcomes, over all programs. */
  get states(): number {
    return [...this.#programs.values()].reduce((sum, { counts }) => sum + counts.size, 0);
  }

  /** Outcomes that the machines allow, over all programs that ran. */
  get allowed(): number {
    return [...this.#programs.values()].reduce(
      (sum, { program }) => sum + allowedOutcomes(program, this.#machines).length,
      0,
    );
  }

  /**
   * Returns the counts as text, like the histograms of litmus7.
   *
   * @returns For each program its name, and for each outcome how often it was seen, the outcome, and `*` if
   * a coherent device never shows it
   */
  text(): string {
    const lines: string[] = [];
    for (const [name, { program, counts }] of [...this.#programs].slice(0, LISTED)) {
      lines.push(
        `${name}`,
        `Histogram (${counts.size} of ${allowedOutcomes(program, this.#machines).length} states)`,
      );
      for (const [state, count] of [...counts].toSorted((a, b) => b[1] - a[1])) {
        const strong = !allowedOutcomes(program, ["coherent"]).includes(state);
        lines.push(`${String(count).padEnd(6)}${strong ? "*" : ":"}> ${state}`);
      }
    }
    const more = this.#programs.size - LISTED;
    if (more > 0) lines.push(`${more} more programs`);
    return `${lines.join("\n")}\n`;
  }

  #faults(program: Program, { line, words }: LineOutcome, frame: number): Fault[] {
    const allowed = allowedOf(program, line, this.#machines);
    const wrong = words.filter((word) => !allowed.has(word));
    if (wrong.length === 0) return [];
    const rx = program.lines[line] === "rx";
    const foreign = wrong.some((word) => word.includes("?"));
    const kind = foreign ? "foreign" : rx ? "stale-rx" : "stale-tx";
    return [{
      kind,
      frame,
      offset: 0,
      length: 0,
      blame: foreign ? null : rx ? "rx" : "tx",
      detail:
        `${formatProgram(program)}: line ${LINE_NAMES[line]} showed ${wrong.join(" and ")}, ` +
        `which ${this.#machines.join(" or ")} forbids. Allowed: ${
          [...allowed].toSorted().join(" ")
        }`,
    }];
  }
}

/** Whether a line showed what a coherent device never shows. */
function needsCaches(program: Program, { line, words }: LineOutcome): boolean {
  const coherent = allowedOf(program, line, ["coherent"]);
  const known = allowedOf(program, line, MACHINES);
  return words.some((word) => known.has(word) && !coherent.has(word));
}

/**
 * Returns what is wrong if no run showed that the device does not see the caches.
 *
 * @param kind The board
 * @param histogram The outcomes of all runs
 * @returns A sentence if the board had to show it, or null
 */
export function lostPower(kind: Kind, { runs, powerful }: Histogram): string | null {
  if (kind === "coherent" || kind === "hardware" || runs < ENOUGH || powerful > 0) return null;
  return `${runs} programs ran, and each showed what a coherent device shows. A board of kind ${kind} ` +
    "has stale lines, so these tests have lost their power";
}
