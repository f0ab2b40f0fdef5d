// SPDX-License-Identifier: MIT
/**
 * Repeats what may go wrong rarely, for hours: hostile calls, deaths, failed allocations, damaged answers
 * and files, good frames.
 *
 * `deno task campaign --help` lists the options.
 *
 * @module
 */

import { checkout } from "../../fixtures/host/cache.ts";
import { note, run } from "../../fixtures/host/run.ts";
import { type CommandLine, helpText, parseArguments } from "../settings/arguments.ts";
import { parseList, parseName, UsageError } from "../settings/values.ts";
import { errorMessage } from "../text/error_message.ts";
import { type Part, PARTS } from "./parts.ts";
import { addStep, nextPart, page, readState, type State } from "./state.ts";

const LINE: CommandLine = {
  command: "deno task campaign",
  purpose: "Repeats what may go wrong rarely, and prints one page of figures.",
  details:
    "The figures of several runs on one commit add up: they are kept in results/campaign.json. " +
    "A part stops at its first mistake. The debug kernel takes minutes to build once.",
  operands: "",
  groups: [{
    title: "Options",
    options: [
      { name: "hours", value: "N", help: "How long to go on. Defaults to 1" },
      {
        name: "only",
        value: "PART,...",
        help: `Only these parts: ${PARTS.map(({ name }) => name).join(", ")}`,
      },
      { name: "page", value: null, help: "Print the page and run nothing" },
    ],
  }],
  examples: [
    ["deno task campaign --hours 8", "A night"],
    ["deno task campaign --only calls,deaths", "Two parts"],
  ],
  exit: {
    0: "Nothing went wrong",
    1: "Something went wrong, and the page says what and with which seed",
    2: "The command line is wrong",
    130: "A signal ended the command. What was done is kept",
  },
};

const STATE = `${checkout}/results/campaign.json`;

async function readFile(path: string): Promise<string | null> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}

async function writeFile(state: State): Promise<void> {
  await Deno.mkdir(`${checkout}/results`, { recursive: true });
  await Deno.writeTextFile(`${STATE}.new`, JSON.stringify(state, null, 2) + "\n");
  await Deno.rename(`${STATE}.new`, STATE);
}

/** The commit, marked if the checkout differs from it. */
async function commitName(): Promise<string> {
  const done = await run("git", ["-C", checkout, "describe", "--always", "--dirty", "--abbrev=12"]);
  return done.code === 0 ? done.stdout.trim() : "unknown";
}

function parseHours(text: string): number {
  const hours = /^\d+(\.\d+)?$/.test(text) ? Number(text) : NaN;
  if (hours > 0 && hours <= 1000) return hours;
  throw new UsageError(`Expected --hours to be a number of hours up to 1000, found "${text}"`);
}

/**
 * Runs the command line.
 *
 * @param args Arguments behind the task's name
 * @returns Exit status
 */
export async function main(args: readonly string[]): Promise<number> {
  let hours: number;
  let parts: readonly Part[] = PARTS;
  let onlyPage: boolean;
  try {
    const { switches, values } = parseArguments(LINE, args);
    if (switches.has("help")) {
      console.log(helpText(LINE));
      return 0;
    }
    onlyPage = switches.has("page");
    hours = parseHours(values["hours"] ?? "1");
    const names = PARTS.map(({ name }) => name);
    const only = parseList(
      "--only",
      values["only"] ?? "all",
      (option, text) => parseName(option, text, names),
    );
    if (only !== null) parts = PARTS.filter(({ name }) => only.includes(name));
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    console.error(error.message);
    return 2;
  }

  let state = readState(await readFile(STATE), await commitName());
  const abort = new AbortController();
  const stop = () => abort.abort();
  for (const signal of ["SIGINT", "SIGTERM"] as const) Deno.addSignalListener(signal, stop);
  const end = performance.now() + hours * 3_600_000;
  while (!onlyPage && !abort.signal.aborted && performance.now() < end) {
    const part = nextPart(state, parts);
    if (part === null) break;
    const seed = (state.parts[part.name]?.steps ?? 0) + 1;
    const started = performance.now();
    try {
      const step = await part.step(seed, abort.signal);
      const seconds = (performance.now() - started) / 1000;
      state = addStep(state, part.name, { ...step, seconds });
      await writeFile(state);
      note(`${part.name}, seed ${seed}: ${step.done} in ${Math.round(seconds)} s`);
    } catch (error) {
      if (abort.signal.aborted) break;
      const seconds = (performance.now() - started) / 1000;
      state = addStep(state, part.name, { done: 0, seconds, wrong: errorMessage(error) });
      await writeFile(state);
    }
  }
  for (const signal of ["SIGINT", "SIGTERM"] as const) Deno.removeSignalListener(signal, stop);
  console.log(page(state, parts));
  if (abort.signal.aborted) return 130;
  return parts.some(({ name }) => (state.parts[name]?.wrong.length ?? 0) > 0) ? 1 : 0;
}

if (import.meta.main) Deno.exit(await main(Deno.args));
