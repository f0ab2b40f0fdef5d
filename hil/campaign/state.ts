// SPDX-License-Identifier: MIT
/**
 * How far a campaign has come: a file, so that figures add up over several runs, and a page from it.
 *
 * @module
 */

import type { Part } from "./parts.ts";

/** How far one part has come. */
export interface Progress {
  /** Units done without a mistake. */
  readonly done: number;
  /** Steps done. The next step has this number, plus one, as its seed. */
  readonly steps: number;
  /** Time spent, seconds. */
  readonly seconds: number;
  /** The steps that went wrong: their seeds, and why. */
  readonly wrong: readonly { readonly seed: number; readonly why: string }[];
}

/** How far a campaign has come, by name of the part. */
export interface State {
  /** The commit whose figures these are. */
  readonly commit: string;
  /** The parts that have begun. */
  readonly parts: Readonly<Record<string, Progress>>;
}

/** A part that has not begun. */
export const NOTHING: Progress = { done: 0, steps: 0, seconds: 0, wrong: [] };

/**
 * Reads the state of a campaign. Figures of another commit say nothing about this one.
 *
 * @param text Text of the file, or null if there is none
 * @param commit The present commit
 * @returns The state, which is empty for another commit
 * @throws {TypeError} If the file does not hold a state
 */
export function readState(text: string | null, commit: string): State {
  if (text === null) return { commit, parts: {} };
  let state: unknown;
  try {
    state = JSON.parse(text);
  } catch {
    state = null;
  }
  const { commit: found, parts } = (state ?? {}) as Partial<State>;
  const whole = typeof found === "string" && typeof parts === "object" && parts !== null &&
    Object.values(parts).every(({ done, steps, seconds, wrong }) =>
      [done, steps, seconds].every(Number.isFinite) && Array.isArray(wrong)
    );
  if (!whole) {
    throw new TypeError("Expected the state of a campaign, found something else: remove the file");
  }
  return found === commit ? { commit, parts } : { commit, parts: {} };
}

/**
 * Adds a step to the state of its part.
 *
 * @param state The state
 * @param name Name of the part
 * @param step What the step did, its seed, and how long it took
 * @returns The new state
 */
export function addStep(
  state: State,
  name: string,
  step: { readonly done: number; readonly seconds: number; readonly wrong: string | null },
): State {
  const old = state.parts[name] ?? NOTHING;
  const seed = old.steps + 1;
  const part: Progress = {
    done: old.done + (step.wrong === null ? step.done : 0),
    steps: seed,
    seconds: old.seconds + step.seconds,
    wrong: step.wrong === null ? old.wrong : [...old.wrong, { seed, why: step.wrong }],
  };
  return { ...state, parts: { ...state.parts, [name]: part } };
}

/**
 * Returns the part that has come the smallest part of its way, or null if all are done.
 *
 * @param state The state
 * @param parts The parts
 */
export function nextPart(state: State, parts: readonly Part[]): Part | null {
  const share = ({ name, goal }: Part) => (state.parts[name]?.done ?? 0) / goal;
  const open = parts.filter((part) =>
    share(part) < 1 && (state.parts[part.name]?.wrong.length ?? 0) === 0
  );
  return open.toSorted((a, b) => share(a) - share(b))[0] ?? null;
}

/** Lines of a reason that the page shows. */
const SHOWN = 12;

/** The begin of a reason, which may hold the log of a kernel. */
function headOf(why: string): string {
  const lines = why.split("\n");
  if (lines.length <= SHOWN) return why;
  return [
    ...lines.slice(0, SHOWN),
    `(${lines.length - SHOWN} more lines in results/campaign.json)`,
  ].join("\n");
}

/**
 * Writes the page of figures.
 *
 * @param state The state
 * @param parts The parts
 * @returns A table in Markdown, and what went wrong
 */
export function page(state: State, parts: readonly Part[]): string {
  const rows = parts.map(({ name, unit, goal }) => {
    const { done, steps, seconds, wrong } = state.parts[name] ?? NOTHING;
    const seeds = steps === 0 ? "" : steps === 1 ? "1" : `1 to ${steps}`;
    return `| ${name} | ${unit} | ${done} | ${goal} | ${seeds} | ${
      Math.round(seconds)
    } | ${wrong.length} |`;
  });
  const wrong = parts.flatMap(({ name }) =>
    (state.parts[name]?.wrong ?? []).map(({ seed, why }) =>
      `${name}, seed ${seed}: ${headOf(why)}\n`
    )
  );
  return [
    `Commit ${state.commit}\n`,
    "| part | what is counted | done | goal | seeds | seconds | wrong |",
    "| --- | --- | ---: | ---: | --- | ---: | ---: |",
    ...rows,
    "",
    ...wrong,
  ].join("\n");
}
