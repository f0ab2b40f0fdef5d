// SPDX-License-Identifier: MIT
/**
 * What all commands of `plumbline` have in common.
 *
 * @module
 */
import { type Defaults, withDefaults } from "./defaults.ts";
import { FORMATS } from "../render/formats.ts";
import {
  type Arguments,
  type CommandLine,
  helpText,
  type OptionInfo,
  parseArguments,
} from "../settings/arguments.ts";

/** A command. */
export interface Command {
  /** What its command line may contain. */
  readonly line: CommandLine;
  /**
   * Runs the command.
   *
   * @param given The parts of the command line
   * @param args The arguments as the user wrote them
   * @returns The exit status
   */
  readonly run: (given: Arguments, args: readonly string[]) => number | Promise<number>;
}

/** Meaning of each exit status, unless a command says otherwise. */
export const EXIT = {
  0: "Everything is as expected",
  1: "The design failed",
  2: "The command line is not valid",
  3: "The infrastructure failed, so nothing is known about the design",
} as const;

/** `--json` of commands that write results. */
export const JSON_OPTION: OptionInfo = {
  name: "json",
  value: "FILE",
  help: "Write the results as JSON. - is standard output",
};

/** `--json` of commands that describe something. */
export const JSON_DESCRIPTION_OPTION: OptionInfo = {
  ...JSON_OPTION,
  help: "Write the description as JSON. - is standard output",
};

/** `--junit`, `--ktap` and `--ctrf`. */
export const FORMAT_OPTIONS: readonly OptionInfo[] = FORMATS
  .map(({ option, help }) => ({ name: option, value: "FILE", help }));

/** `--html`. */
export const HTML_OPTION: OptionInfo = {
  name: "html",
  value: "FILE",
  help: "Write the results as a page with charts",
};

/** `--limits`. */
export const LIMITS_OPTION: OptionInfo = {
  name: "limits",
  value: "FILE",
  help: "Fail if a measurement exceeds a limit in FILE (see hil/bench)",
};

/** `--quiet`. */
export const QUIET_OPTION: OptionInfo = {
  name: "quiet",
  value: null,
  help: "Print only the verdict",
};

/**
 * Parses the arguments of a command and runs it, or shows its help.
 *
 * @param command The command
 * @param args The arguments after the command's name
 * @param defaults The defaults of the team, and the options of all commands. Defaults to none
 * @returns The exit status
 * @throws {UsageError} If the arguments are not valid
 */
export async function runCommand(
  command: Command,
  args: readonly string[],
  defaults: { readonly file: Defaults; readonly known: readonly string[] } | null = null,
): Promise<number> {
  const given = parseArguments(command.line, args);
  if (given.switches.has("help")) {
    console.log(helpText(command.line));
    return 0;
  }
  return await command.run(
    defaults === null ? given : withDefaults(command.line, given, defaults.file, defaults.known),
    args,
  );
}
