// SPDX-License-Identifier: MIT
/**
 * Progress of a run, read from its growing journal.
 *
 * @module
 */
import type { JournalLine } from "../journal/lines.ts";
import { JournalTail } from "../journal/tail.ts";

/** How to show progress. */
export interface ProgressOptions {
  /** Whether to print a line for each case that ended. Otherwise there is one line per minute. */
  readonly terminal: boolean;
  /** Prints a line. */
  readonly print: (line: string) => void;
  /** Width of the lines on a terminal, in columns. Defaults to 80. */
  readonly width?: number;
}

const MINUTE = 60_000;

/** Prints the progress of a run. */
export class Progress {
  readonly #tail: JournalTail;
  readonly #options: ProgressOptions;
  readonly #names = new Map<string, string>();
  readonly #skipped = new Set<string>();
  #ended = 0;
  #failed = 0;
  #printed: number;

  /**
   * @param path The journal, which may not exist yet
   * @param options How to show progress
   * @param now The time, in milliseconds
   */
  constructor(path: string, options: ProgressOptions, now: number = Date.now()) {
    this.#tail = new JournalTail(path);
    this.#options = options;
    this.#printed = now;
  }

  /**
   * Reads new lines of the journal and prints the progress.
   *
   * @param now The time, in milliseconds
   */
  poll(now: number = Date.now()): void {
    for (const line of this.#tail.poll()) this.#take(line);
    if (!this.#options.terminal && now - this.#printed >= MINUTE) {
      this.#printed = now;
      const failed = this.#failed === 0 ? "" : `, ${this.#failed} not as expected`;
      this.#options.print(`${this.#ended} of ${this.#cases} cases done${failed}`);
    }
  }

  get #cases(): number {
    return this.#names.size - this.#skipped.size;
  }

  #take(line: JournalLine): void {
    if (line.line === "case") {
      this.#names.set(line.id, `${line.suite}: ${line.name}`);
      if (typeof line.skip === "string") this.#skipped.add(line.id);
    }
    if (line.line !== "end") return;
    this.#ended++;
    if (!["PASS", "XFAIL", "SKIP"].includes(line.outcome)) this.#failed++;
    if (!this.#options.terminal) return;
    const count = `[${this.#ended}/${this.#cases}]`.padEnd(10);
    const name = this.#names.get(line.id) ?? line.id;
    const text = `${count} ${line.outcome.padEnd(7)} ${line.seconds.toFixed(1)} s  ${name}`;
    const width = this.#options.width ?? 80;
    this.#options.print(text.length <= width ? text : `${text.slice(0, width - 1)}…`);
  }
}

/**
 * Shows progress until a promise settles, and once more after that.
 *
 * @param progress The progress, or `null` to show nothing
 * @param until The promise
 * @returns The value of the promise
 */
export async function follow<T>(progress: Progress | null, until: Promise<T>): Promise<T> {
  if (progress === null) return await until;
  const timer = setInterval(() => progress.poll(), 200);
  try {
    return await until;
  } finally {
    clearInterval(timer);
    progress.poll();
  }
}
