// SPDX-License-Identifier: MIT
/**
 * What runs left behind, read from anywhere: a folder, a journal, a file of results.
 *
 * Such a file may have been cut off, be of another tool, or have been made to do harm: it is read up
 * to a limit, and what it says of itself is not believed.
 *
 * @module
 */
import { JOURNAL_FILE, parseJournal } from "../journal.ts";
import { fold } from "../journal_fold.ts";
import type { Verdict } from "../outcome.ts";
import { checkResults, type Results, ResultsError } from "../results.ts";
import { UsageError } from "./options.ts";
import { place } from "./place.ts";
import { printable } from "./table.ts";

/** Bytes that are read of all files together: parsed they take several times as much memory. */
const MOST_BYTES = 128 << 20;

/** A run, as a file tells it. */
export interface Run {
  /** The file or folder as the caller named it. */
  readonly name: string;
  /** What it holds. */
  readonly results: Results & { readonly verdict: Verdict };
}

/**
 * Read runs.
 *
 * @param paths folders of runs, journals, or files of results, as they were written
 * @returns them, in this order
 * @throws {UsageError} naming the first that holds no run, and why
 */
export function readRuns(paths: readonly string[]): Run[] {
  let left = MOST_BYTES;
  return paths.map((name) => {
    const { text, isJournal } = readText(name, left);
    left -= text.length;
    return { name, results: isJournal ? readJournal(name, text) : readResults(name, text) };
  });
}

function readJournal(name: string, text: string): Run["results"] {
  const contents = parseJournal(text);
  if (contents.lines.length === 0) {
    throw new UsageError(`${printable(name)} holds no line of a journal`);
  }
  return fold(contents);
}

function readResults(name: string, text: string): Run["results"] {
  const refuse = (why: string): never => {
    const told = printable(`${name} does not hold results of schema 1: ${why}`);
    throw new UsageError(told.length > 400 ? `${told.slice(0, 397)}...` : told);
  };
  if (text.trim() === "") refuse("it is empty");
  let results: Results;
  try {
    results = checkResults(JSON.parse(text));
  } catch (error) {
    if (error instanceof ResultsError) return refuse(error.message);
    if (!(error instanceof SyntaxError)) throw error;
    const cut = /end of JSON|unterminated/i.test(error.message) || !text.trimEnd().endsWith("}");
    return refuse(`${cut ? "it was cut off, or is no JSON" : "it is no JSON"}: ${error.message}`);
  }
  const { verdict } = results;
  return verdict === undefined
    ? refuse("it has no verdict: give the journal beside it instead")
    : { ...results, verdict };
}

/** The text of a file, no more than is left of the limit. */
function readText(name: string, left: number): { text: string; isJournal: boolean } {
  const path = place(name);
  try {
    const folder = Deno.statSync(path).isDirectory;
    const file = folder ? `${path}/${JOURNAL_FILE}` : path;
    // a pipe or a device might never end
    if (!Deno.statSync(file).isFile) throw new UsageError(`${printable(name)} is no file`);
    using opened = Deno.openSync(file);
    const bytes = new Uint8Array(Math.min(opened.statSync().size, left + 1));
    let length = 0;
    for (let n: number | null = 1; n !== null && n > 0 && length < bytes.length; length += n ?? 0) {
      n = opened.readSync(bytes.subarray(length));
    }
    if (length > left) {
      throw new UsageError(
        `${printable(name)} is too large: results are read up to ${MOST_BYTES >> 20} MiB together`,
      );
    }
    const text = new TextDecoder().decode(bytes.subarray(0, length));
    return { text, isJournal: folder || !file.endsWith(".json") };
  } catch (error) {
    if (error instanceof UsageError) throw error;
    const why = error instanceof Error ? error.message : String(error);
    throw new UsageError(printable(`${name} cannot be read: ${why}`));
  }
}
