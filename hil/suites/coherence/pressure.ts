// SPDX-License-Identifier: MIT
/**
 * Pressure on caches, so that lines are evicted while frames move. A second thread walks through more memory
 * than the last level holds. Where it matters, the thread of the test walks through more memory than the first
 * level of its own core holds.
 *
 * @module
 */

import type { Caches } from "./caches.ts";

/** A command for the second thread: wait. */
export const REST = 0;
/** A command for the second thread: walk through the memory. */
export const WALK = 1;
/** A command for the second thread: end. */
export const END = 2;

/** The first message to the second thread. */
export interface WorkerStart {
  /** Two Int32: the command, and the number of stretches of memory that were walked. */
  readonly control: SharedArrayBuffer;
  /** Memory to walk through, bytes. */
  readonly bytes: number;
  /** A cache line, bytes. */
  readonly line: number;
}

/** Largest amount of memory to walk, bytes. More would only take longer; see `frameSizes` of `caches.ts`. */
const MOST = 8 << 20;

/** Stores into every line.
 *
 * @param memory The memory
 * @param line Bytes of a line
 */
export function walk(memory: Uint8Array, line: number): void {
  for (let at = 0; at < memory.length; at += line) memory[at] = (memory[at] ?? 0) + 1;
}

/** Pressure that can be switched on and off. Disposing it ends the second thread. */
export class Pressure implements Disposable {
  readonly #start: WorkerStart;
  readonly #control: Int32Array;
  readonly #own: Uint8Array;
  #worker: Worker | null = null;

  /**
   * @param caches The caches that must overflow
   * @param line Bytes of a cache line
   */
  constructor(caches: Caches, line: number) {
    const bytes = Math.min(MOST, Math.ceil(2 * caches.last / (1 << 16)) * (1 << 16));
    this.#start = { control: new SharedArrayBuffer(8), bytes, line };
    this.#control = new Int32Array(this.#start.control);
    this.#own = new Uint8Array(2 * caches.first);
  }

  /** Lets the second thread walk. It is started if it does not run yet. */
  begin(): void {
    if (this.#worker === null) {
      const url = new URL("./pressure_worker.ts", import.meta.url);
      this.#worker = new Worker(url, { type: "module" });
      this.#worker.postMessage(this.#start);
    }
    this.#send(WALK);
  }

  /** Number of stretches of memory that the second thread has walked. */
  get stretches(): number {
    return Atomics.load(this.#control, 1);
  }

  /** Lets the second thread wait. */
  rest(): void {
    this.#send(REST);
  }

  /** Evicts the lines of this thread from the first level. */
  walk(): void {
    walk(this.#own, this.#start.line);
  }

  #send(command: number): void {
    Atomics.store(this.#control, 0, command);
    Atomics.notify(this.#control, 0);
  }

  [Symbol.dispose](): void {
    this.#send(END);
    this.#worker?.terminate();
    this.#worker = null;
  }
}
