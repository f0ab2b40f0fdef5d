// SPDX-License-Identifier: MIT
/**
 * What a person sees while a run goes on, read from the growing journal.
 *
 * @module
 */
import { type JournalLine, JournalTail } from "../journal/journal.ts";

/** How to show progress. */
export interface ProgressOptions {
  /** Whether each ended case gets a line; otherwise there is one line a minute. */
  readonly terminal: boolean;
  /** Where lines go. */
  readonly print: (line: string) => void;
  /** Columns to stay within. */
  readonly width?: number;
}

const MINUTE = 60_000;

/** Follows a journal. */
export class Progress {
  readonly #tail: JournalTail;
  readonly #options: ProgressOptions;
  readonly #names = new Map<string, string>();
  readonly #skipped = new Set<string>();
  #ended = 0;
  #failed = 0;
  #told: number;

  /**
   * @param path the journal, which need not exist yet
   * @param options how to show progress
   * @param now the time, in milliseconds
   */
  constructor(path: string, options: ProgressOptions, now: number = Date.now()) {
    this.#tail = new JournalTail(path);
    this.#options = options;
    this.#told = now;
  }

  /**
   * Look for news and print them.
   *
   * @param now the time, in milliseconds
   */
  poll(now: number = Date.now()): void {
    for (const line of this.#tail.poll()) this.#take(line);
    if (!this.#options.terminal && now - this.#told >= MINUTE) {
      this.#told = now;
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
 * Poll until something is settled, and once more after that.
 *
 * @param progress what to poll; `null` shows nothing
 * @param until what to wait for
 * @returns what it settled to
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
