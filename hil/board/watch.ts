// SPDX-License-Identifier: MIT
/**
 * What Linux says about an engine: how many interrupts it raised, and what the kernel logged about it.
 *
 * @module
 */

import type { Device } from "../../driver/device.ts";
import type { KernelFiles } from "../../driver/remote.ts";
import type { Direction } from "../../driver/uapi.ts";
import type { Board } from "./board.ts";
import { localFiles } from "./local_files.ts";

/** Longest kernel log that is read, bytes. */
const LOG_BYTES = 1 << 20;
/** Bytes at the end of the kernel log that hold its last line. */
const LAST_BYTES = 1 << 13;
/** The most lines that are kept, the last ones. */
const MAX_LINES = 6;

/** The first completions after each of which the interrupts are read. */
const FREE_READS = 64;
/** The share of the time that later reads may take, because they are no part of what is measured. */
const SHARE = 0.02;

/** Words in a line of the log that make it one about DMA. */
const ABOUT =
  /\bpldma|\bpl_\w|\bdma(?:\b|[^a-z])|\bdmar\b|\baxi(?:\b|[^a-z])|iommu|smmu|\bamd-vi\b|\bbus error|external abort|swiotlb/i;

/** Names of interrupts that differ from the name of the engine's driver. */
const OTHER_NAMES: Readonly<Record<string, readonly string[]>> = {
  "xilinx-vdma": ["xilinx-dma-controller"],
  "xilinx-zynqmp-dma": ["zynqmp-dma"],
};

/** Words in the name of an interrupt that say which direction it is for. */
const WORDS: Readonly<Record<Direction, readonly string[]>> = {
  tx: ["tx", "mm2s", "h2c"],
  rx: ["rx", "s2mm", "c2h"],
};

/** What the machine says about an engine, from now on. */
export interface Watch {
  /** Notes that the completion of a transfer was taken. */
  completed(direction: Direction): void;
  /**
   * Looks whether an interrupt came for a completion that did not come.
   *
   * @param direction Its direction; null for a ring
   * @param others How many transfers of the other direction completed, and were not noted
   * @returns 0 if no interrupt came, more if one came; null if it is unknown
   */
  interrupts(direction: Direction | null, others: number): number | null;
  /** What the kernel logged about the engine since the watch began, at most a few lines. */
  log(): readonly string[];
}

/** How Linux names an engine. */
export interface EngineNames {
  /** Names of the device, which no other engine has. */
  readonly device: readonly string[];
  /** Names of its driver, which other engines may have as well. */
  readonly driver: readonly string[];
}

/** Interrupts of an engine since boot. */
export interface InterruptCount {
  /** The sum over all processors. */
  readonly count: number;
  /** Whether they are those of one direction only. */
  readonly directed: boolean;
  /** The number of lines that were added up. */
  readonly lines: number;
}

/**
 * Watches the engine of a device.
 *
 * @param board The board. The simulated one has no kernel
 * @param device The device, with no transfer in flight
 * @returns The watch. On a board without the files and permissions, it knows nothing
 */
export function watchEngine(board: Pick<Board, "kind" | "remote">, device: Device): Watch {
  if (board.kind === "sim") {
    return { completed() {}, interrupts: () => null, log: () => [] };
  }
  const files = board.remote?.files ?? localFiles;
  const names = namesOf(device, files);
  const begin = lastTime(files.kernelLog(LAST_BYTES));
  const ledger = new InterruptLedger(names, () => files.readFile("/proc/interrupts") ?? "");
  return {
    completed: (direction) => ledger.completed(direction),
    interrupts: (direction, others) => ledger.missing(direction, others),
    log: () => begin === null ? [] : linesSince(files.kernelLog(LOG_BYTES) ?? "", begin, names),
  };
}

/** Compares the interrupts of an engine with the completions that were taken. */
export class InterruptLedger {
  readonly #names: EngineNames;
  readonly #read: () => string;
  readonly #began = performance.now();
  /** Milliseconds that were spent on reading. */
  #spent = 0;
  readonly #first: string;
  /** What was read after the last completion of each direction, and of any; null if it was not. */
  readonly #last: Record<Direction | "any", string | null>;
  /** How many transfers completed. */
  readonly #taken = { tx: 0, rx: 0 };

  /**
   * @param names The engine's names
   * @param read Reads `/proc/interrupts`
   */
  constructor(names: EngineNames, read: () => string) {
    this.#names = names;
    this.#read = read;
    this.#first = read();
    this.#last = { tx: this.#first, rx: this.#first, any: this.#first };
  }

  /**
   * Notes a completion.
   *
   * @param direction Its direction
   */
  completed(direction: Direction): void {
    this.#taken[direction]++;
    const start = performance.now();
    const free = this.#taken.tx + this.#taken.rx <= FREE_READS;
    const affordable = free || this.#spent < SHARE * (start - this.#began);
    this.#last[direction] = this.#last.any = affordable ? this.#read() : null;
    if (affordable && !free) this.#spent += performance.now() - start;
  }

  /**
   * Looks whether an interrupt came for a completion that did not come.
   *
   * @param direction Its direction; null for a ring
   * @param others How many transfers of the other direction completed, and were not noted
   * @returns 0 if no interrupt came since the last completion, more if one came; null if the counts do not
   * show it
   */
  missing(direction: Direction | null, others: number): number | null {
    if (direction === null) return null;
    const text = this.#read();
    const now = countInterrupts(text, this.#names, direction);
    const before = this.#last[now?.directed ? direction : "any"];
    const [first, last] = [this.#first, before ?? ""]
      .map((one) => countInterrupts(one, this.#names, direction));
    if (!first || !last || !now) return null;
    const { tx, rx } = this.#taken;
    // some engines raise more than one interrupt for a completion, and the last of them may come late
    const exact = last.count - first.count === (now.directed ? this.#taken[direction] : tx + rx);
    const rose = now.count - last.count;
    if (now.directed) return rose === 0 || exact ? rose : null;
    // of more than two lines, some may be those of another engine
    const more = rose - others;
    return exact && (more === 0 || (more > 0 && now.lines <= 2)) ? more : null;
  }
}

/**
 * Counts the interrupts of an engine.
 *
 * @param text Content of `/proc/interrupts`
 * @param names The engine's names. Those of its driver count only if no line has a name of the device
 * @param direction The direction. Lines of the other one are left out, if the names of the lines say which
 * direction they are for
 * @returns The count, or null if no line has one of the names
 */
export function countInterrupts(
  text: string,
  names: EngineNames,
  direction: Direction | null = null,
): InterruptCount | null {
  const lines = text.split("\n").slice(1).flatMap((line) => {
    const [number = "", ...words] = line.trim().split(/\s+/);
    if (!/^\d+:$/.test(number)) return []; // of a processor
    const counts = words.findIndex((word) => !/^\d+$/.test(word));
    if (counts <= 0) return [];
    const count = words.slice(0, counts).reduce((sum, word) => sum + Number(word), 0);
    return [{ count, label: words.slice(counts).join(" ") }];
  });
  const having = (some: readonly string[]) =>
    lines.filter(({ label }) => some.some((name) => hasName(label, name)));
  const own = having(names.device);
  const all = own.length > 0 ? own : having(names.driver);
  const of = (one: Direction) =>
    all.filter(({ label }) => WORDS[one].some((word) => hasName(label, word)));
  // both directions must have lines, because a name such as "tx" may mean something else
  const directed = direction !== null && of("tx").length > 0 && of("rx").length > 0;
  const counted = directed ? of(direction) : all;
  if (counted.length === 0) return null;
  const count = counted.reduce((sum, one) => sum + one.count, 0);
  return { count, directed, lines: counted.length };
}

/**
 * Finds the lines of the kernel log that are about an engine.
 *
 * @param text The log, with the seconds since boot in front of each line
 * @param after Seconds since boot. Later lines count
 * @param names The engine's names
 * @returns The last of these lines, without the level and the time
 */
export function linesSince(text: string, after: number, names: EngineNames): string[] {
  const lines = [...logLines(text)].flatMap(({ seconds, message }) => {
    const known = ABOUT.test(message) ||
      [...names.device, ...names.driver].some((name) => hasName(message, name));
    return seconds > after && known ? [message] : [];
  });
  return lines.slice(-MAX_LINES);
}

/**
 * Returns whether a line of the kernel log is about DMA.
 *
 * @param line The line
 * @returns Whether it has a word of DMA
 */
export function isAboutDma(line: string): boolean {
  return ABOUT.test(line);
}

/** The lines of a kernel log. With some configurations the caller stands behind the time. */
function* logLines(text: string): Generator<{ seconds: number; message: string }> {
  for (const line of text.split("\n")) {
    const [, seconds, message] =
      /^(?:<\d+>)?\[\s*(\d+\.\d+)\](?:\[\s*[TC]\d+\])?\s?(.*)$/.exec(line) ?? [];
    if (seconds !== undefined && message !== undefined) yield { seconds: Number(seconds), message };
  }
}

/** The time of the last line, seconds since boot; 0 for an empty log, null for one that cannot be read. */
function lastTime(text: string | null): number | null {
  if (text === null) return null;
  return [...logLines(text)].reduce((last, { seconds }) => Math.max(last, seconds), 0);
}

/** How Linux names the engine of a device. */
function namesOf(device: Device, files: KernelFiles): EngineNames {
  const { tx, rx } = device.info;
  const channels = [tx, rx].filter((channel) => channel !== null);
  const drivers = distinct(channels.map(({ engine }) => engine));
  return {
    device: distinct(channels.flatMap(({ channel }) => engineDevice(channel, files) ?? [])),
    driver: drivers.flatMap((name) => [name, ...OTHER_NAMES[name] ?? []]),
  };
}

/** The name of the device that has a channel. */
function engineDevice(channel: string, files: KernelFiles): string | null {
  return files.readLink(`/sys/class/dma/${channel}/device`)?.replace(/^.*\//, "") ?? null;
}

/** Whether a text has a name in it, as whole words. Drivers and /proc write the marks in it differently. */
function hasName(text: string, name: string): boolean {
  const wordsOf = (some: string) =>
    some.toLowerCase().split(/[^a-z0-9]+/).filter(Boolean).join(" ");
  const wanted = wordsOf(name);
  return wanted !== "" && ` ${wordsOf(text)} `.includes(` ${wanted} `);
}

function distinct(names: readonly string[]): string[] {
  return [...new Set(names)].filter((name) => name !== "");
}
