// SPDX-License-Identifier: MIT
/**
 * Where commands write: what a person reads to standard error, results to files.
 *
 * @module
 */
import { renderBench } from "../render/bench_tables.ts";
import type { Verdict } from "../results/outcome.ts";
import type { Results } from "../results/schema.ts";
import { printable } from "../text/text.ts";
import { UsageError } from "./options.ts";
import { place } from "../settings/place.ts";
import { renderTable } from "../render/table.ts";

/**
 * Tell a person.
 *
 * @param text one line
 */
export function say(text: string): void {
  console.error(`plumbline: ${text}`);
}

/**
 * Tell a person what results say.
 *
 * @param results the results
 * @param verdict the verdict
 * @param quiet whether only the verdict is printed
 */
export function tellResults(results: Results, verdict: Verdict, quiet: boolean): void {
  const measured = quiet ? null : renderBench(results);
  if (measured !== null) console.error(measured.split("\n").map(printable).join("\n") + "\n");
  if (!quiet) tellInjected(results);
  console.error(renderTable(results, verdict, {
    color: Deno.stderr.isTerminal() && !Deno.noColor,
    width: columns(),
    quiet,
  }));
}

/** Faults that were injected on demand, so that a person can hold the classifier's words against. */
function tellInjected(results: Results): void {
  const lines = results.tests.flatMap((test) =>
    (test.injected ?? []).map((line) => printable(`${test.name}: ${line}`))
  );
  if (lines.length === 0) return;
  console.error(`Faults injected: ${lines.length}`);
  for (const line of lines.slice(0, 5)) console.error(`  ${line}`);
  if (lines.length > 5) console.error("  ... all are in results.json");
}

/**
 * A file that can be made when the run is over: an hour of work must not end in a wrong path.
 *
 * @param option the option, for errors
 * @param path as it was written; null when it was not
 * @returns an absolute path, or null
 * @throws {UsageError} when no file can be made there
 */
export function outputFile(option: string, path: string | null): string | null {
  if (path === null) return null;
  const file = place(path);
  const parent = file.slice(0, file.lastIndexOf("/")) || "/";
  if (!isFolder(parent)) throw new UsageError(`${option} ${path}: there is no folder ${parent}`);
  if (isFolder(file)) throw new UsageError(`${option} ${path} is a folder: name a file in it`);
  return file;
}

function isFolder(path: string): boolean {
  try {
    return Deno.statSync(path).isDirectory;
  } catch {
    return false;
  }
}

/**
 * Write a text whole.
 *
 * @param to a file, or `-` for standard output
 * @param text the text
 */
export async function writeText(to: string, text: string): Promise<void> {
  if (to !== "-") return await Deno.writeTextFile(to, text);
  let bytes = new TextEncoder().encode(text);
  while (bytes.length > 0) bytes = bytes.subarray(await Deno.stdout.write(bytes));
}

/**
 * Columns to write within.
 *
 * @returns those of the terminal up to 100, 80 without one
 */
export function columns(): number {
  try {
    const { columns } = Deno.consoleSize();
    return columns >= 40 ? Math.min(columns, 100) : 80;
  } catch {
    return 80; // no terminal
  }
}
