// SPDX-License-Identifier: MIT
/**
 * Output of the commands: results go to standard output and to files, messages to standard error.
 *
 * @module
 */
import type { Sink } from "../../fixtures/boards/vm/mod.ts";
import { writeWhole } from "../../fixtures/host/write_whole.ts";
import { type Format, FORMATS } from "../render/formats.ts";
import { renderBench } from "../render/bench_tables.ts";
import type { Verdict } from "../results/outcome.ts";
import type { Results } from "../results/schema.ts";
import { printable } from "../text/text.ts";
import { renderTable } from "../render/table.ts";
import { errorMessage } from "../text/error_message.ts";
import { InfrastructureError } from "./infrastructure.ts";
import { absolutePath } from "../settings/paths.ts";
import { UsageError } from "../settings/values.ts";

/**
 * Prints a message.
 *
 * @param text One line
 */
export function notice(text: string): void {
  console.error(`plumbline: ${text}`);
}

/**
 * Adds what the user can do without a board.
 *
 * @param missing Why there is no device
 * @returns One line
 */
export function offerSimulation(missing: string): string {
  return `${missing}; without a board, try --board sim`;
}

/**
 * Prints results.
 *
 * @param results The results
 * @param verdict The verdict
 * @param options `quiet`: whether to print only the verdict. `json`: the value of `--json`
 */
export function showResults(
  results: Results,
  verdict: Verdict,
  { quiet, json }: { readonly quiet: boolean; readonly json: string | null },
): void {
  const out = outputFor(json);
  const measured = quiet ? null : renderBench(results);
  if (measured !== null) out.print(measured.split("\n").map(printable).join("\n") + "\n");
  const table = renderTable(results, verdict, {
    color: out.stream.isTerminal() && !Deno.noColor,
    width: columns(),
    quiet,
  });
  out.print(table);
}

/**
 * Returns where a command prints its results: on standard output, so that a pipe holds them, or on standard
 * error if JSON is on standard output.
 *
 * @param json The value of `--json`
 * @returns The stream, and how to print a text on it
 */
export function outputFor(
  json: string | null,
): { readonly stream: typeof Deno.stdout; readonly print: (text: string) => void } {
  return json === "-"
    ? { stream: Deno.stderr, print: (text) => console.error(text) }
    : { stream: Deno.stdout, print: (text) => console.log(text) };
}

/**
 * Returns where the results of the same command in a virtual machine go, as for {@linkcode outputFor}.
 *
 * @param json The value of `--json`
 * @returns What takes the standard output of the guest
 */
export function guestOutput(json: string | null): Sink {
  if (json !== "-") return "inherit";
  return async (chunk) => {
    for (let at = 0; at < chunk.length;) at += await Deno.stderr.write(chunk.subarray(at));
  };
}

/**
 * Checks that a file can be made when the run is over, because an hour of work must not end with a
 * wrong path.
 *
 * @param option The option, for errors
 * @param path The path as the user wrote it, or `null`
 * @returns An absolute path, or `null`
 * @throws {UsageError} If no file can be made there
 */
export function outputFile(option: string, path: string | null | undefined): string | null {
  if (path === null || path === undefined) return null;
  const file = absolutePath(path);
  const parent = file.slice(0, file.lastIndexOf("/")) || "/";
  const expected = `Expected ${option} to be a file`;
  if (!isFolder(parent)) {
    throw new UsageError(`${expected}, found ${path}: there is no folder ${parent}`);
  }
  if (isFolder(file)) throw new UsageError(`${expected}, found the folder ${path}`);
  return file;
}

/**
 * Checks the value of `--json`, which may also be `-` for standard output.
 *
 * @param path The value, if there is one
 * @returns An absolute path, `-`, or `null`
 * @throws {UsageError} If no file can be made there
 */
export function jsonFile(path: string | null | undefined): string | null {
  return path === "-" ? path : outputFile("--json", path);
}

/** A file for results in the format of another tool. */
export interface FormatFile {
  /** The absolute path. */
  readonly file: string;
  /** Renders the results. */
  readonly render: Format["render"];
}

/**
 * Checks the files of `--junit` and its like.
 *
 * @param given The values by the name of the option
 * @returns The files
 * @throws {UsageError} If one cannot be made
 */
export function formatFiles(given: Readonly<Record<string, string | undefined>>): FormatFile[] {
  return FORMATS.flatMap(({ option, render }) => {
    const file = outputFile(`--${option}`, given[option]);
    return file === null ? [] : [{ file, render }];
  });
}

function isFolder(path: string): boolean {
  try {
    return Deno.statSync(path).isDirectory;
  } catch {
    return false;
  }
}

/**
 * Writes a text, completely or not at all.
 *
 * @param to A file, or `-` for standard output
 * @param text The text
 */
export async function writeText(to: string, text: string): Promise<void> {
  if (to !== "-") return await writeWhole(to, text);
  let bytes = new TextEncoder().encode(text);
  while (bytes.length > 0) bytes = bytes.subarray(await Deno.stdout.write(bytes));
}

/**
 * Returns the width for output on standard error.
 *
 * @returns That of the terminal up to 100 columns, or 80 columns without a terminal
 */
export function columns(): number {
  try {
    const { columns } = Deno.consoleSize();
    return columns >= 40 ? Math.min(columns, 100) : 80;
  } catch {
    return 80; // there is no terminal
  }
}

/**
 * Writes a text like {@linkcode writeText}, for a command that has nothing else to save.
 *
 * @param to A file, or `-` for standard output
 * @param text The text
 * @throws {InfrastructureError} If the file cannot be written
 */
export function writeResults(to: string, text: string): Promise<void> {
  return written(to, () => writeText(to, text));
}

/**
 * Names the file in the error of writing it.
 *
 * @param to The file
 * @param write Writes it
 * @returns What `write` returns
 * @throws {InfrastructureError} If the file cannot be written
 */
export async function written<T>(to: string, write: () => Promise<T>): Promise<T> {
  try {
    return await write();
  } catch (error) {
    throw new InfrastructureError(`${to} could not be written: ${errorMessage(error)}`);
  }
}
