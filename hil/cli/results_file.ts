// SPDX-License-Identifier: MIT
/**
 * Reads runs from a folder, a journal, or a file of results.
 *
 * Such a file may be truncated, come from another tool, or be malicious. So it is read up to a limit,
 * and its content is checked.
 *
 * @module
 */
import { journalOf } from "./bundle.ts";
import { JOURNAL_FILE, parseJournal } from "../journal/journal.ts";
import { withDiagnosis } from "../diagnosis/diagnose.ts";
import { fold } from "../journal/fold.ts";
import type { Verdict } from "../results/outcome.ts";
import { checkResults, ResultsError } from "../results/check.ts";
import type { Results } from "../results/schema.ts";
import { absolutePath } from "../settings/paths.ts";
import { UsageError } from "../settings/values.ts";
import { formatBytes } from "../text/format.ts";
import { printable } from "../text/text.ts";
import { errorMessage } from "../text/error_message.ts";

/** Limit for the size of all files together, because parsed data takes several times as much memory. */
const MOST_BYTES = 128 << 20;

/** Limits for nesting, and for the lists and objects of all files together. Results are 6 deep. */
const MOST_DEPTH = 32;
const MOST_CONTAINERS = 4_000_000;

/** A run that was read from a file. */
export interface Run {
  /** The file or folder as the user wrote it. */
  readonly name: string;
  /** Its results. */
  readonly results: Results & { readonly verdict: Verdict };
}

/**
 * Reads runs.
 *
 * @param paths Folders of runs, journals, or files of results, as the user wrote them
 * @returns The runs, in this order
 * @throws {UsageError} If one of them contains no run, with its name and the reason
 */
export function readRuns(paths: readonly string[]): Run[] {
  const left = { bytes: MOST_BYTES, containers: MOST_CONTAINERS };
  return paths.map((name) => {
    const { text, isJournal } = readText(name, left);
    if (isJournal) return { name, results: readJournal(name, text) };
    const bundled = bundledJournal(text);
    return {
      name,
      results: bundled === null ? readResults(name, text) : readJournal(name, bundled),
    };
  });
}

/** The journal in a bundle; null if the text is no bundle. */
function bundledJournal(text: string): string | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null; // the reader of results says why
  }
  return journalOf(value);
}

function readJournal(name: string, text: string): Run["results"] {
  const contents = parseJournal(text);
  if (contents.lines.length === 0) {
    throw new UsageError(`Expected a journal, found no line of one in ${printable(name)}`);
  }
  return withDiagnosis(fold(contents));
}

function readResults(name: string, text: string): Run["results"] {
  const refuse = (why: string): never => {
    const message = printable(`Expected results of schema 1 in ${name}: ${why}`);
    throw new UsageError(message.length > 400 ? `${message.slice(0, 397)}...` : message);
  };
  if (text.trim() === "") refuse("it is empty");
  let results: Results;
  try {
    results = checkResults(JSON.parse(text));
  } catch (error) {
    if (error instanceof ResultsError) return refuse(error.message);
    if (!(error instanceof SyntaxError)) throw error;
    const cut = /end of JSON|unterminated/i.test(error.message) || !text.trimEnd().endsWith("}");
    return refuse(`${cut ? "it is truncated, or not JSON" : "it is not JSON"}: ${error.message}`);
  }
  const { verdict } = results;
  return verdict === undefined
    ? refuse("it has no verdict; name the journal in the same folder instead")
    : { ...results, verdict };
}

/** Reads a file, up to what is left of the limits. */
function readText(
  name: string,
  left: { bytes: number; containers: number },
): { text: string; isJournal: boolean } {
  const path = absolutePath(name);
  try {
    const folder = Deno.statSync(path).isDirectory;
    const file = folder ? `${path}/${JOURNAL_FILE}` : path;
    // a pipe or a device may never end
    if (!Deno.statSync(file).isFile) {
      throw new UsageError(
        `Expected a file or a folder, found the device or pipe ${printable(name)}`,
      );
    }
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
        `Expected results of at most ${formatBytes(MOST_BYTES)} together, found more in ${
          printable(name)
        }`,
      );
    }
    if (left.containers < 0) {
      const found = containers === Infinity
        ? `lists and objects nested deeper than ${MOST_DEPTH}`
        : `more than ${MOST_CONTAINERS} lists and objects`;
      throw new UsageError(`Expected results in ${printable(name)}, found ${found}`);
    }
    return { text: new TextDecoder().decode(bytes.subarray(0, length)), isJournal };
  } catch (error) {
    if (error instanceof UsageError) throw error;
    const why = errorMessage(error);
    throw new UsageError(printable(`${name} cannot be read: ${why}`));
  }
}

/** Whether a file contains lines of a journal, whatever its name. The first lines may be damaged. */
function hasLines(bytes: Uint8Array): boolean {
  return /^\{"line":"/m.test(new TextDecoder().decode(bytes.subarray(0, 65_536)));
}

/**
 * Counts lists and objects in JSON, or in JSON lines, before they are parsed, because 100 MB of
 * brackets take 5 GB when parsed.
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
