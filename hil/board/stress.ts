// SPDX-License-Identifier: MIT
/**
 * Load on the machine while frames move, because a design that passes on an idle board may fail on a busy one.
 *
 * @module
 */

import { alternatives, parseWhole, UsageError } from "../settings/values.ts";

/** What threads can load, with what each does. */
export const STRESSES = {
  cpu: "arithmetic in registers and the first cache",
  memory: "copies of 32 MiB, which take bandwidth of the memory",
  cache: "stores to one line in each page of 16 MiB, which evict lines of all caches",
  interrupts: "pairs of threads that wake each other, so that processors interrupt each other",
} as const;

/** What a thread can load. */
export type Stress = keyof typeof STRESSES;

/** The most threads of one kind. */
const MOST = 64;

/** How many threads load what. */
export type StressPlan = Readonly<Partial<Record<Stress, number>>>;

/** The first message to a thread. */
export interface StressStart {
  /** What it loads. */
  readonly stress: Stress;
  /** Int32: whether to end, then for each thread its count of finished pieces of work. */
  readonly control: SharedArrayBuffer;
  /** The index of its count. */
  readonly index: number;
  /** One Int32 that the two threads of a pair share: whose turn it is. */
  readonly pair: SharedArrayBuffer;
  /** 0 or 1: which of the pair it is. */
  readonly side: number;
}

/**
 * Parses the value of `--stress`.
 *
 * @param option The option, for errors
 * @param text Such as `cpu=2,memory=1`
 * @returns How many threads load what
 * @throws {UsageError} If a name or a number is not valid, or a name comes twice
 *
 * @example Two threads that load the processor, and one that loads the memory
 * ```ts
 * import { parseStress } from "./stress.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(parseStress("--stress", "cpu=2,memory"), { cpu: 2, memory: 1 });
 * ```
 */
export function parseStress(option: string, text: string): StressPlan {
  const plan: Partial<Record<Stress, number>> = {};
  for (const part of text.split(",")) {
    const [name = "", count] = part.split("=", 2).map((word) => word.trim());
    if (!Object.hasOwn(STRESSES, name)) {
      throw new UsageError(
        `Expected ${option} to name ${alternatives(Object.keys(STRESSES))}, found "${part}": ` +
          `write it as in ${option} cpu=2,memory=1`,
      );
    }
    if (plan[name as Stress] !== undefined) {
      throw new UsageError(`Expected ${option} to name ${name} once, found it twice`);
    }
    plan[name as Stress] = count === undefined ? 1 : parseWhole(option, count, 1, MOST);
  }
  return plan;
}

/** Threads that load the machine until they are disposed of. */
export class Stressor implements Disposable {
  readonly #control: Int32Array;
  readonly #workers: Worker[] = [];
  readonly #stresses: readonly Stress[];

  /**
   * Starts the threads.
   *
   * @param plan How many threads load what. For `interrupts`, how many pairs
   */
  constructor(plan: StressPlan) {
    const threads = (Object.keys(plan) as Stress[]).flatMap((stress) =>
      Array.from({ length: plan[stress] ?? 0 }, () => {
        const pair = new SharedArrayBuffer(4);
        const sides = stress === "interrupts" ? [0, 1] : [0];
        return sides.map((side) => ({ stress, pair, side }));
      }).flat()
    );
    this.#stresses = threads.map(({ stress }) => stress);
    const control = new SharedArrayBuffer(4 * (1 + threads.length));
    this.#control = new Int32Array(control);
    for (const [i, thread] of threads.entries()) {
      const worker = new Worker(new URL("./stress_worker.ts", import.meta.url), { type: "module" });
      const start: StressStart = { ...thread, control, index: 1 + i };
      worker.postMessage(start);
      this.#workers.push(worker);
    }
  }

  /** Finished pieces of work of each kind. A thread that could not work has finished none. */
  get pieces(): Readonly<Partial<Record<Stress, number>>> {
    const sums: Partial<Record<Stress, number>> = {};
    for (const [i, stress] of this.#stresses.entries()) {
      sums[stress] = (sums[stress] ?? 0) + Atomics.load(this.#control, 1 + i);
    }
    return sums;
  }

  /** Ends the threads. */
  [Symbol.dispose](): void {
    Atomics.store(this.#control, 0, 1);
    for (const worker of this.#workers) worker.terminate();
    this.#workers.length = 0;
  }
}
