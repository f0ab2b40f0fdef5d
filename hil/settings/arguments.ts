// SPDX-License-Identifier: MIT
/**
 * The parser of all command lines, and the help of all commands.
 *
 * A command describes its command line once, as a {@linkcode CommandLine}. Parser, help and error
 * messages use that description, so every command treats its options alike.
 *
 * @module
 */

import { parseArgs } from "node:util";
import { nearest } from "../text/nearest.ts";
import { wrap } from "../text/text.ts";
import { alternatives, UsageError } from "./values.ts";

/** An option of a command. */
export interface OptionInfo {
  /** The name without dashes. */
  readonly name: string;
  /**
   * The word for the value in the help, or `null` if the option is a switch. An option whose word
   * ends in `,...` takes a list and may be given several times.
   */
  readonly value: string | null;
  /** One sentence without a final period. */
  readonly help: string;
}

/** Options that the help shows together. */
export interface OptionGroup {
  /** The heading. */
  readonly title: string;
  /** The options. */
  readonly options: readonly OptionInfo[];
}

/** What a command line may contain. */
export interface CommandLine {
  /** The command as the user types it, such as `plumbline run`. */
  readonly command: string;
  /** What the command does, in one sentence. */
  readonly purpose: string;
  /** What else the user should know. */
  readonly details?: string;
  /** Arguments that are not options, such as `FILE OUT`, `[FILE ...]`, or nothing. */
  readonly operands: string;
  /** The options, without `--help`. */
  readonly groups: readonly OptionGroup[];
  /** Command lines that work, each with what it does. */
  readonly examples: readonly (readonly [commandLine: string, meaning: string])[];
  /** What each exit status means. */
  readonly exit: Readonly<Record<number, string>>;
}

/** The parts of a command line. */
export interface Arguments {
  /** Values of the options that were given. Those of a list are joined with commas. */
  readonly values: Readonly<Record<string, string | undefined>>;
  /** Switches that were given. */
  readonly switches: ReadonlySet<string>;
  /** Arguments that are not options. */
  readonly operands: readonly string[];
}

/** The switch that every command has. */
const HELP: OptionInfo = { name: "help", value: null, help: "Show this help" };

/**
 * Parses the arguments of a command.
 *
 * @param line What the command line may contain
 * @param args The arguments after the command's name
 * @returns The parts. With `help` among the switches, operands may be missing
 * @throws {UsageError} If an option is not known, lacks its value, has one although it is a switch,
 * or is given twice, or if there are too few or too many operands
 *
 * @example A value may follow a blank or `=`
 * ```ts
 * import { parseArguments } from "./arguments.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const options = [{ name: "seed", value: "N", help: "The seed" }];
 * const line = {
 *   ...{ command: "try", purpose: "", operands: "[FILE ...]", examples: [], exit: {} },
 *   groups: [{ title: "Options", options }],
 * };
 * assertEquals(parseArguments(line, ["--seed", "7", "a"]).values, { seed: "7" });
 * assertEquals(parseArguments(line, ["--seed=7", "a"]).operands, ["a"]);
 * ```
 */
export function parseArguments(
  line: Pick<CommandLine, "operands" | "groups">,
  args: readonly string[],
): Arguments {
  const options = [...line.groups.flatMap((group) => group.options), HELP];
  return parseOptions(options, args, line.operands);
}

/**
 * Parses arguments without `--help`, such as those that a test file gets after `--`.
 *
 * @param options The known options
 * @param args The arguments
 * @param operands The operands, as in {@linkcode CommandLine}. Defaults to none
 * @returns The parts
 * @throws {UsageError} As {@linkcode parseArguments}
 */
export function parseOptions(
  options: readonly OptionInfo[],
  args: readonly string[],
  operands = "",
): Arguments {
  const known = new Map(options.map((option) => [option.name, option]));
  const { tokens } = parseArgs({
    args: [...args],
    options: Object.fromEntries(
      options.map(({ name, value }) => [name, {
        type: value === null ? "boolean" : "string",
        ...(name === HELP.name ? { short: "h" } : {}),
      }]),
    ),
    allowPositionals: true,
    strict: false,
    tokens: true,
  });
  const values: Record<string, string | undefined> = {};
  const switches = new Set<string>();
  const found: string[] = [];
  for (const token of tokens) {
    if (token.kind === "option-terminator") {
      throw new UsageError('Unexpected argument "--": leave it out');
    }
    if (token.kind === "positional") {
      refuseSwitchValue(token.value, args[token.index - 1], switches);
      found.push(token.value);
      continue;
    }
    const option = known.get(token.name);
    if (option === undefined) throw unknownOption(token.rawName, [...known.keys()]);
    if (option.value === null) {
      if (token.value !== undefined) throw unexpectedValue(option.name, token.value);
      switches.add(option.name);
    } else {
      const value = givenValue(option, token.value, token.inlineValue === true);
      values[option.name] = addValue(option, values[option.name], value);
    }
  }
  if (!switches.has(HELP.name)) checkOperands(operands, found);
  return { values, switches, operands: found };
}

/**
 * Makes the error for a command that is not known.
 *
 * @param found What the user typed, or `undefined` for nothing
 * @param known The commands
 * @returns The error
 */
export function commandError(found: string | undefined, known: readonly string[]): UsageError {
  const expected = `expected ${alternatives(known)}`;
  if (found === undefined) return new UsageError(`Missing command: ${expected}, or --help`);
  const guess = nearest(found, [...known, "--help", "--version"]);
  return new UsageError(
    `Unknown command ${found}: ` + (guess === null ? expected : `did you mean ${guess}?`),
  );
}

function unknownOption(found: string, known: readonly string[]): UsageError {
  const short = /^-(\w)$/.exec(found)?.[1];
  if (short !== undefined) {
    const long = known.find((name) => name.startsWith(short));
    const guess = long === undefined ? "see --help" : `did you mean --${long}?`;
    return new UsageError(`Unknown option ${found}: options have two dashes; ${guess}`);
  }
  const guess = nearest(found.replace(/^-+/, ""), known);
  if (guess !== null) return new UsageError(`Unknown option ${found}: did you mean --${guess}?`);
  const advice = known.includes(HELP.name)
    ? "see --help"
    : `expected ${alternatives(known.map((name) => `--${name}`))}`;
  return new UsageError(`Unknown option ${found}: ${advice}`);
}

function unexpectedValue(name: string, value: string): UsageError {
  return new UsageError(`--${name} takes no value, found "${value}"`);
}

/** Refuses `--quiet true`, because `true` would pass for the name of a file. */
function refuseSwitchValue(
  operand: string,
  before: string | undefined,
  switches: ReadonlySet<string>,
): void {
  const name = before?.replace(/^--/, "") ?? "";
  if (["true", "false"].includes(operand) && before === `--${name}` && switches.has(name)) {
    throw unexpectedValue(name, operand);
  }
}

/** The value of an option. One that begins with `--` is the next option, unless `=` precedes it. */
function givenValue(
  { name, value }: OptionInfo,
  found: string | undefined,
  inline: boolean,
): string {
  const isNextOption = !inline && found?.startsWith("--") === true;
  if (found !== undefined && found !== "" && !isNextOption) return found;
  const instead = isNextOption ? `"${found}"` : "nothing";
  throw new UsageError(`--${name} needs a value: expected ${value}, found ${instead}`);
}

/** The values of a list together. Any other option must be given once. */
function addValue({ name, value }: OptionInfo, before: string | undefined, added: string): string {
  if (before === undefined) return added;
  if (value?.endsWith(",...")) return `${before},${added}`;
  throw new UsageError(
    `--${name} is given twice: expected one value, found ${before} and ${added}`,
  );
}

function checkOperands(operands: string, found: readonly string[]): void {
  const names = operands.split(" ").filter((word) => /^\[?\w/.test(word));
  // of "[NAME=]FILE ..." only a part of the word is optional
  const least = names.filter((name) => !/^\[[^\]]*\]?$/.test(name)).length;
  const most = operands.includes("...") ? Infinity : names.length;
  if (found.length >= least && found.length <= most) return;
  const expected = `expected ${operands === "" ? "options only" : operands}`;
  throw new UsageError(
    found.length < least
      ? `Missing ${names[found.length]}: ${expected}`
      : `Unexpected argument "${found[most]}": ${expected}`,
  );
}

/** Columns of the help. */
const WIDTH = 80;

/**
 * Writes the help of a command.
 *
 * @param line What the command line may contain
 * @returns The text, at most 80 columns wide, without a final line break
 */
export function helpText(line: CommandLine): string {
  const usage = ["Usage:", line.command, "[OPTIONS]", line.operands].filter((word) => word !== "");
  const groups = line.groups.map(({ title, options }, i) => {
    const shown = i === line.groups.length - 1 ? [...options, HELP] : options;
    return section(title, shown.map(({ name, value, help }) => [optionText(name, value), help]));
  });
  const exit = Object.entries(line.exit);
  return [
    [usage.join(" "), ...paragraph(line.purpose), ...paragraph(line.details ?? "")].join("\n"),
    ...groups,
    ...(line.examples.length === 0
      ? []
      : [["Examples:", ...line.examples.flatMap(exampleLines)].join("\n")]),
    ...(exit.length === 0 ? [] : [section("Exit status", exit, 3)]),
  ].join("\n\n");
}

/**
 * Writes the help of a program with several commands.
 *
 * @param program Its name, its purpose, its commands with their purposes, and its exit status
 * @returns The text, at most 80 columns wide, without a final line break
 */
export function commandsHelp({ command, purpose, commands, exit }: {
  readonly command: string;
  readonly purpose: string;
  readonly commands: readonly (readonly [name: string, purpose: string])[];
  readonly exit: Readonly<Record<number, string>>;
}): string {
  const width = 2 + Math.max(...commands.map(([name]) => name.length));
  return [
    [`Usage: ${command} COMMAND [OPTIONS]`, ...paragraph(purpose)].join("\n"),
    section("Commands", commands, width),
    section("Options", [
      ["--help", "Show this help. COMMAND --help shows that of a command"],
      ["--version", "Show the version"],
    ], 12),
    section("Exit status", Object.entries(exit), 3),
  ].join("\n\n");
}

function optionText(name: string, value: string | null): string {
  return value === null ? `--${name}` : `--${name} ${value}`;
}

function exampleLines([example, meaning]: readonly [string, string]): string[] {
  return [...wrap(`  # ${meaning}`, WIDTH, ""), `  ${example}`];
}

function paragraph(text: string): string[] {
  return text === "" ? [] : wrap(text, WIDTH, "");
}

/** A heading, and below it rows of two columns. */
function section(title: string, rows: readonly (readonly [string, string])[], width = 22): string {
  const lines = rows.flatMap(([left, right]) => {
    const indent = " ".repeat(width);
    const [first = "", ...more] = wrap(right, WIDTH - 2 - width, "");
    return [`  ${left.padEnd(width - 1)} ${first}`, ...more.map((text) => `  ${indent}${text}`)];
  });
  return [`${title}:`, ...lines].join("\n");
}
