// SPDX-License-Identifier: MIT
/**
 * Checks the tests: makes one mistake at a time in a copy of the checkout, and runs the tests on it.
 *
 * `deno task mutants --help` lists the options.
 *
 * @module
 */

import { checkout } from "../../fixtures/host/cache.ts";
import { type CommandLine, helpText, parseArguments } from "../settings/arguments.ts";
import { alternatives, UsageError } from "../settings/values.ts";
import { nearest } from "../text/nearest.ts";
import { MUTANTS, sample } from "./catalogue.ts";
import { Copy } from "./copy.ts";
import { DRIVER_MUTANTS, tryDriver } from "./driver/mod.ts";
import { EditError, type Mutant, type Part, PARTS } from "./mutant.ts";
import { isGood, mutantTable } from "./table.ts";
import { RedCopyError, Trials, type Tried } from "./try.ts";

const LINE: CommandLine = {
  command: "deno task mutants",
  purpose: "Makes one mistake at a time in a copy of the checkout, and runs the tests on it. " +
    "A mistake that no test finds is a missing test.",
  details: "Without options it tries sim and verdict. The mutants of the driver run on virtual " +
    "boards, many in one boot.",
  operands: "",
  groups: [{
    title: "Options",
    options: [
      { name: "of", value: "PART,...", help: `Only these parts: ${PARTS.join(", ")}` },
      { name: "only", value: "NAME,...", help: "Only mutants with these names" },
      {
        name: "sample",
        value: "N",
        help: "Only N mutants that are not equivalent, chosen by --seed",
      },
      { name: "seed", value: "S", help: "The seed of --sample. Defaults to 1" },
      {
        name: "kernel",
        value: "debug",
        help: "Try the driver's mutants on the kernel that watches for mistakes",
      },
      { name: "list", value: null, help: "List the mutants and try none" },
    ],
  }],
  examples: [
    ["deno task mutants --of sim", "The mutants of the simulated board"],
    ["deno task mutants --only guards-ignored", "One mutant"],
    ["deno task mutants --sample 12 --seed 1", "The sample of the continuous integration"],
  ],
  exit: {
    0: "Every mutant was killed, or is equivalent with a reason",
    1: "A mutant survived, or one that was called equivalent was killed",
    2: "The command line is wrong, or an edit no longer applies",
    3: "The tests fail without a mutant, so nothing is known",
    130: "A signal ended the command",
  },
};

/** A signal ended the command. */
class InterruptedError extends Error {
  override readonly name = "InterruptedError";
}

/** The exit status for each error that has one. */
const STATUSES = [
  [UsageError, 2],
  [EditError, 2],
  [RedCopyError, 3],
  [InterruptedError, 130],
] as const;

/** A mutant and its part. */
interface Chosen {
  readonly part: Part;
  readonly mutant: Mutant;
}

/** Chooses the mutants that a command line asks for. */
function choose(values: Readonly<Record<string, string | undefined>>): Chosen[] {
  const names = values["only"]?.split(",");
  const parts = values["of"]?.split(",") ?? (names === undefined ? ["sim", "verdict"] : PARTS);
  for (const part of parts) {
    if (!(PARTS as readonly string[]).includes(part)) {
      throw new UsageError(`--of: expected ${alternatives(PARTS)}, found ${part}`);
    }
  }
  const all = PARTS.filter((part) => parts.includes(part))
    .flatMap((part) => MUTANTS[part].map((mutant) => ({ part, mutant })));
  for (const name of names ?? []) {
    const known = all.map(({ mutant }) => mutant.id);
    if (known.includes(name)) continue;
    const guess = nearest(name, known);
    const advice = guess === null ? "see --list" : `did you mean ${guess}?`;
    throw new UsageError(`--only: there is no mutant ${name}: ${advice}`);
  }
  const chosen = all.filter(({ mutant }) => names === undefined || names.includes(mutant.id));
  const count = numberOf(values, "sample", 1);
  const seed = numberOf(values, "seed", 0) ?? 1;
  if (count === undefined) return chosen;
  // an equivalent mutant runs every test of its part
  return sample(chosen.filter(({ mutant }) => mutant.equivalent === undefined), count, seed);
}

function numberOf(
  values: Readonly<Record<string, string | undefined>>,
  name: string,
  least: number,
): number | undefined {
  const text = values[name];
  if (text === undefined) return undefined;
  const number = Number(text);
  if (/^\d+$/.test(text) && number >= least && number <= 0xffff_ffff) return number;
  throw new UsageError(`--${name}: expected a whole number from ${least}, found ${text}`);
}

/**
 * Tries the mutants that a command line asks for, and prints the table.
 *
 * @param args The command line
 * @returns The exit status
 */
async function main(args: readonly string[]): Promise<number> {
  const { values, switches } = parseArguments(LINE, args);
  if (switches.has("help")) {
    console.log(helpText(LINE));
    return 0;
  }
  const chosen = choose(values);
  const kernel = values["kernel"] ?? "main";
  if (kernel !== "main" && kernel !== "debug") {
    throw new UsageError(`--kernel: expected debug, found ${kernel}`);
  }
  if (switches.has("list")) {
    for (const { part, mutant } of chosen) console.log(`${part} ${mutant.id}: ${mutant.breaks}`);
    return 0;
  }
  const interrupted = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    Deno.addSignalListener(
      signal,
      () => interrupted.abort(new InterruptedError(`Ended by ${signal}`)),
    );
  }
  const { signal } = interrupted;
  const tried: Tried[] = [];
  const report = (one: Tried) => {
    tried.push(one);
    const found = one.by === null ? "nothing turned red" : `${one.by} turned red: ${one.why}`;
    console.error(`${tried.length}/${chosen.length} ${one.mutant.id}: ${found}`);
  };
  const ids = new Set(chosen.map(({ mutant }) => mutant.id));
  const others = chosen.flatMap(({ part, mutant }) => part === "driver" ? [] : [{ part, mutant }]);
  if (others.length > 0) {
    await using copy = await Copy.of(checkout);
    const trials = new Trials(copy, { signal });
    for (const { part, mutant } of others) report(await trials.of(part, mutant));
  }
  await tryDriver(DRIVER_MUTANTS.filter(({ id }) => ids.has(id)), report, {
    kernel,
    signal,
  });
  console.log(mutantTable(tried));
  return isGood(tried) ? 0 : 1;
}

if (import.meta.main) {
  try {
    Deno.exitCode = await main(Deno.args);
  } catch (error) {
    const status = STATUSES.find(([kind]) => error instanceof kind)?.[1] ?? null;
    if (status === null) throw error;
    console.error(error instanceof Error ? error.message : String(error));
    Deno.exitCode = status;
  }
}
