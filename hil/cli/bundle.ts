// SPDX-License-Identifier: MIT
/**
 * A bundle: one file with what a run, its machine and its kernel say, without names and addresses, so that
 * a team can send it to somebody who has no such board.
 *
 * `plumbline report` reads a bundle as it reads a journal, and judges it again.
 *
 * @module
 */
import { localFiles } from "../board/local_files.ts";
import { isAboutDma } from "../board/watch.ts";
import { listControllers } from "../doctor/channels.ts";
import { type Examination, examine } from "../doctor/doctor.ts";
import { type Facts, localFacts } from "../doctor/facts.ts";
import { fold } from "../journal/fold.ts";
import { JOURNAL_FILE, parseJournal } from "../journal/journal.ts";
import { VERSION } from "../results/tool.ts";
import { absolutePath } from "../settings/paths.ts";
import { UsageError } from "../settings/values.ts";
import { redact, redactAll } from "../text/redact.ts";
import { show } from "../text/text.ts";

/** The version of the format. */
const SCHEMA = 1;

/** Limits of what is read from a machine: bytes of its log, lines, and bytes of a property. */
const LOG_BYTES = 1 << 20;
const MOST_LINES = 500;
const MOST_PROPERTY = 256;

/** A bundle, schema 1. New keys may be added at any time. */
export interface Bundle {
  /** The version of the format. */
  readonly bundle: typeof SCHEMA;
  /** The version of Plumbline that wrote it. */
  readonly plumbline: string;
  /** The lines of the journal. */
  readonly journal: readonly string[];
  /** What `plumbline doctor` finds on the machine of the run, or null if the run was on another one. */
  readonly doctor: Examination | null;
  /** `/proc/interrupts` of that machine, or null. */
  readonly interrupts: readonly string[] | null;
  /** Lines of its kernel log about DMA, or those of the virtual machine; null if there are none to read. */
  readonly kernelLog: readonly string[] | null;
  /** The nodes of its DMA controllers: each property as hexadecimal digits; null if there is no device tree. */
  readonly deviceTree: Readonly<Record<string, Readonly<Record<string, string>>>> | null;
}

/**
 * Makes a bundle of a run.
 *
 * @param run The folder of the run, or its journal, as the user wrote it
 * @param facts The machine, which may be that of the run. Defaults to this one
 * @returns The bundle
 * @throws {UsageError} If there is no journal
 */
export function makeBundle(run: string, facts: Facts = localFacts()): Bundle {
  const path = absolutePath(run);
  const file = isFolder(path) ? `${path}/${JOURNAL_FILE}` : path;
  const text = localFiles.readFile(file) ?? "";
  const contents = parseJournal(text);
  if (contents.lines.length === 0) {
    throw new UsageError(`Expected --bundle with the folder of a run or its journal, found ${run}`);
  }
  const { board } = fold(contents);
  const own = board.kind === "local" && board.kernel === facts.release;
  const names = [Deno.hostname()];
  const { files } = facts;
  const log = own
    ? localFiles.kernelLog(LOG_BYTES)
    : localFiles.readFile(`${file.slice(0, file.lastIndexOf("/"))}/dmesg.log`);
  const lines = (log ?? "").split("\n").filter(isAboutDma).slice(-MOST_LINES);
  return redactAll({
    bundle: SCHEMA,
    plumbline: VERSION,
    // a line that cannot be read stays as it is, because the verdict counts it
    journal: text.split("\n").filter((line) => line !== "").map((line) => redactLine(line, names)),
    doctor: own ? examine(facts) : null,
    interrupts: own ? (files.readFile("/proc/interrupts") ?? "").trimEnd().split("\n") : null,
    kernelLog: log === null ? null : lines,
    deviceTree: own ? nodes(facts) : null,
  }, names) as Bundle;
}

function redactLine(line: string, names: readonly string[]): string {
  try {
    return JSON.stringify(redactAll(JSON.parse(line), names));
  } catch {
    return redact(line, names);
  }
}

/** The properties of the nodes of DMA controllers, and of their channels. */
function nodes({ files }: Facts): Record<string, Record<string, string>> {
  const found: Record<string, Record<string, string>> = {};
  const add = (name: string, path: string): void => {
    const properties: Record<string, string> = {};
    for (const one of files.list(path)) {
      const bytes = files.readBytes(`${path}/${one}`);
      if (bytes !== null) properties[one] = bytes.subarray(0, MOST_PROPERTY).toHex();
      else if (one.startsWith("dma-channel")) add(`${name}/${one}`, `${path}/${one}`);
    }
    found[name] = properties;
  };
  for (const { node, properties } of listControllers(files)) {
    if (node !== null) add(node, properties);
  }
  return found;
}

/**
 * Returns the journal in a bundle.
 *
 * @param value What was parsed from a file
 * @returns The text of the journal, or null if the file is no bundle
 * @throws {UsageError} If it is a bundle, and not a valid one
 */
export function journalOf(value: unknown): string | null {
  if (typeof value !== "object" || value === null || !("bundle" in value)) return null;
  const bundle = value as Partial<Record<keyof Bundle, unknown>>;
  const refuse = (key: keyof Bundle, expected: string): never => {
    throw new UsageError(
      `Expected ${key} of a bundle to be ${expected}, found ${show(bundle[key])}`,
    );
  };
  if (bundle.bundle !== SCHEMA) refuse("bundle", String(SCHEMA));
  if (typeof bundle.plumbline !== "string") refuse("plumbline", "a version");
  for (const key of ["interrupts", "kernelLog"] as const) {
    if (bundle[key] !== null && !isTexts(bundle[key])) refuse(key, "null or a list of texts");
  }
  for (const key of ["doctor", "deviceTree"] as const) {
    if (typeof bundle[key] !== "object") refuse(key, "null or an object");
  }
  const { journal } = bundle;
  return isTexts(journal) ? `${journal.join("\n")}\n` : refuse("journal", "a list of texts");
}

function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((one) => typeof one === "string");
}

function isFolder(path: string): boolean {
  try {
    return Deno.statSync(path).isDirectory;
  } catch {
    return false;
  }
}
