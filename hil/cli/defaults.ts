// SPDX-License-Identifier: MIT
/**
 * `plumbline.json`: the defaults of a team, for options that nobody wants to type every time.
 *
 * The file lies in the folder in which the command is typed, or in one above it. Its keys are the names of
 * options, without dashes, and `files` for test files. Paths in it are relative to its folder. The command
 * line wins.
 *
 * @module
 */
import type { Arguments, CommandLine, OptionInfo } from "../settings/arguments.ts";
import { absolutePath } from "../settings/paths.ts";
import { UsageError } from "../settings/values.ts";
import { nearest } from "../text/nearest.ts";
import { show } from "../text/text.ts";

/** The name of the file. */
export const DEFAULTS_FILE = "plumbline.json";

/** The key for test files. */
const FILES = "files";

/** Words for values that are paths. */
const PATHS = ["FILE", "DIR"];

/** A file with defaults. */
export interface Defaults {
  /** Its path. */
  readonly path: string;
  /** Its folder. */
  readonly folder: string;
  /** Its content. */
  readonly values: Readonly<Record<string, unknown>>;
}

/**
 * Finds the defaults for a folder, in it or in the nearest folder above it.
 *
 * @param folder The absolute path of the folder
 * @returns The defaults, or null if there is no file
 * @throws {UsageError} If the file is not a JSON object
 */
export function findDefaults(folder: string): Defaults | null {
  for (let dir = folder.replace(/\/+$/, ""); dir !== ""; dir = dir.slice(0, dir.lastIndexOf("/"))) {
    const path = `${dir}/${DEFAULTS_FILE}`;
    let text: string;
    try {
      text = Deno.readTextFileSync(path);
    } catch {
      continue; // not here, or not readable: look in the folder above
    }
    return { path, folder: dir, values: parse(path, text) };
  }
  return null;
}

function parse(path: string, text: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new UsageError(`${path} is not JSON: ${error instanceof Error ? error.message : error}`);
  }
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    return value as Record<string, unknown>;
  }
  throw new UsageError(`Expected an object in ${path}, found ${show(value)}`);
}

/**
 * Adds the defaults to a command line. A default for an option that the command does not have is ignored.
 *
 * @param line What the command line may contain
 * @param given The parts of the command line
 * @param defaults The defaults
 * @param known The options of all commands
 * @returns The parts with the defaults
 * @throws {UsageError} If no command has an option, or a value has the wrong type
 */
export function withDefaults(
  line: Pick<CommandLine, "groups" | "operands">,
  given: Arguments,
  defaults: Defaults,
  known: readonly string[],
): Arguments {
  const values: Record<string, string | undefined> = { ...given.values };
  const switches = new Set(given.switches);
  let { operands } = given;
  const own = new Map(line.groups.flatMap(({ options }) => options).map((one) => [one.name, one]));
  for (const [key, value] of Object.entries(defaults.values)) {
    if (key === FILES) {
      if (line.operands === "[FILE ...]" && operands.length === 0) {
        operands = listOf(key, value, defaults).map((file) => below(defaults.folder, file));
      }
      continue;
    }
    if (!known.includes(key)) {
      const guess = nearest(key, [...known, FILES]);
      throw new UsageError(
        `${defaults.path}: no command has the option ${key}` +
          (guess === null ? "" : `: did you mean ${guess}?`),
      );
    }
    const option = own.get(key);
    if (option === undefined || values[key] !== undefined || switches.has(key)) continue;
    if (option.value !== null) values[key] = textOf(option, value, defaults);
    else if (value === true) switches.add(key);
    else if (value !== false) throw wrong(key, "true or false", value, defaults);
  }
  return { values, switches, operands };
}

function textOf({ name, value: word }: OptionInfo, value: unknown, defaults: Defaults): string {
  const text = word?.endsWith(",...") === true && Array.isArray(value)
    ? listOf(name, value, defaults).join(",")
    : typeof value === "number" || typeof value === "string"
    ? String(value)
    : null;
  if (text === null || text === "") throw wrong(name, `a text (${word})`, value, defaults);
  const isPath = PATHS.includes(word ?? "") && text !== "-";
  return isPath ? below(defaults.folder, text) : text;
}

function listOf(name: string, value: unknown, defaults: Defaults): string[] {
  const list = Array.isArray(value) ? value : [value];
  return list.map((one) => {
    if (typeof one === "string" || typeof one === "number") return String(one);
    throw wrong(name, "a text, or a list of texts", value, defaults);
  });
}

function below(folder: string, path: string): string {
  return path.startsWith("/") ? path : `${folder}/${path}`;
}

function wrong(name: string, expected: string, found: unknown, { path }: Defaults): UsageError {
  return new UsageError(`${path}: expected ${name} to be ${expected}, found ${show(found)}`);
}

/**
 * Returns the folder in which the user typed the command.
 *
 * @returns An absolute path
 */
export function userFolder(): string {
  return absolutePath(".").replace(/\/\.$/, "");
}
