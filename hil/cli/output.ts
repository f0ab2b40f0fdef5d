// SPDX-License-Identifier: MIT
/**
 * Output of the commands: messages go to standard error, results to files.
 *
 * @module
 */
import { renderBench } from "../render/bench_tables.ts";
import type { Verdict } from "../results/outcome.ts";
import type { Results } from "../results/schema.ts";
import { printable } from "../text/text.ts";
import { renderTable } from "../render/table.ts";
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
 * @param quiet Whether to print only the verdict
 */
export function showResults(results: Results, verdict: Verdict, quiet: boolean): void {
  const measured = quiet ? null : renderBench(results);
  if (measured !== null) console.error(measured.split("\n").map(printable).join("\n") + "\n");
  if (!quiet) showInjected(results);
  console.error(renderTable(results, verdict, {
    color: Deno.stderr.isTerminal() && !Deno.noColor,
    width: columns(),
    quiet,
  }));
}

/** Prints the faults that `--fault` injected, to compare them with the faults that were found. */
function showInjected(results: Results): void {
  const lines = results.tests.flatMap((test) =>
    (test.injected ?? []).map((line) => printable(`${test.name}: ${line}`))
  );
  if (lines.length === 0) return;
  console.error(`Faults injected: ${lines.length}`);
  for (const line of lines.slice(0, 5)) console.error(`  ${line}`);
  if (lines.length > 5) console.error("  ... all are in results.json");
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

function isFolder(path: string): boolean {
  try {
    return Deno.statSync(path).isDirectory;
  } catch {
    return false;
  }
}

/**
 * Writes a text.
 *
 * @param to A file, or `-` for standard output
 * @param text The text
 */
export async function writeText(to: string, text: string): Promise<void> {
  if (to !== "-") return await Deno.writeTextFile(to, text);
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
