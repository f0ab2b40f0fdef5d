// SPDX-License-Identifier: MIT
/**
 * What runs left behind, read from anywhere: a folder, a journal, a file of results.
 *
 * Such a file may have been cut off, be of another tool, or have been made to do harm: it is read up
 * to a limit, and what it says of itself is not believed.
 *
 * @module
 */
import { JOURNAL_FILE, parseJournal } from "../journal/journal.ts";
import { fold } from "../journal/fold.ts";
import type { Verdict } from "../results/outcome.ts";
import { checkResults, ResultsError } from "../results/check.ts";
import type { Results } from "../results/schema.ts";
import { printable } from "../text/text.ts";
import { UsageError } from "./options.ts";
import { place } from "../settings/place.ts";
import { errorMessage } from "../text/error_message.ts";

/** Bytes that are read of all files together: parsed they take several times as much memory. */
const MOST_BYTES = 128 << 20;

/** Lists and objects within each other, and of all files together. Results are 6 deep. */
const MOST_DEPTH = 32;
const MOST_CONTAINERS = 4_000_000;

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
  const left = { bytes: MOST_BYTES, containers: MOST_CONTAINERS };
  return paths.map((name) => {
    const { text, isJournal } = readText(name, left);
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
function readText(
  name: string,
  left: { bytes: number; containers: number },
): { text: string; isJournal: boolean } {
  const path = place(name);
  try {
    const folder = Deno.statSync(path).isDirectory;
    const file = folder ? `${path}/${JOURNAL_FILE}` : path;
    // a pipe or a device might never end
    if (!Deno.statSync(file).isFile) throw new UsageError(`${printable(name)} is no file`);
    using opened = Deno.openSync(file);
    const bytes = new Uint8Array(Math.min(opened.statSync().size, left.bytes + 1));
    let length = 0;
    for (let n: number | null = 1; n !== null && n > 0 && length < bytes.length; length += n ?? 0) {
      n = opened.readSync(bytes.subarray(length));
    }
    const isJournal = folder || file.endsWith(".jsonl") || hasLines(bytes.subarray(0, length));
    const containers = countContainers(bytes.subarray(0, length), isJournal);
    left.bytes -= length;
    left.containers -= containers;
    if (left.bytes < 0) {
      throw new UsageError(
        `${printable(name)} is too large: results are read up to ${MOST_BYTES >> 20} MiB together`,
      );
    }
    if (left.containers < 0) {
      const found = containers === Infinity
        ? `lists and objects in each other, deeper than ${MOST_DEPTH}`
        : `more than ${MOST_CONTAINERS} lists and objects`;
      throw new UsageError(`${printable(name)} holds no results: found ${found}`);
    }
    return { text: new TextDecoder().decode(bytes.subarray(0, length)), isJournal };
  } catch (error) {
    if (error instanceof UsageError) throw error;
    const why = errorMessage(error);
    throw new UsageError(printable(`${name} cannot be read: ${why}`));
  }
}

/** Whether a file holds lines of a journal, whatever it is called, the first of them damaged perhaps. */
function hasLines(bytes: Uint8Array): boolean {
  return /^\{"line":"/m.test(new TextDecoder().decode(bytes.subarray(0, 65_536)));
}

/**
 * Count lists and objects in JSON, or JSON lines, before anything is made of them: parsed, 100 MB of
 * brackets take 5 GB.
 */
function countContainers(bytes: Uint8Array, lines: boolean): number {
  const [quote, backslash, newline] = [0x22, 0x5c, 0x0a];
  let [count, depth] = [0, 0];
  let inText = false;
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at];
    if (lines && byte === newline) [depth, inText] = [0, false];
    else if (byte === quote) inText = !inText;
    else if (inText) at += byte === backslash ? 1 : 0;
    else if (byte === 0x5b || byte === 0x7b) {
      count++;
      if (++depth > MOST_DEPTH) return Infinity;
    } else if (byte === 0x5d || byte === 0x7d) depth--;
  }
  return count;
}
