// SPDX-License-Identifier: MIT
/**
 * Pressure on caches, so that lines are evicted while frames move: a second thread walks through more
 * memory than the last level holds, and the thread of the test, where it matters, through more than
 * the first level of its own core.
 *
 * @module
 */

import type { Caches } from "./caches.ts";

/** What the second thread is told: to wait. */
export const REST = 0;
/** To walk. */
export const WALK = 1;
/** To end. */
export const END = 2;

/** What the second thread is started with. */
export interface WorkerStart {
  /** Two Int32: what to do, and how many stretches of memory were walked through. */
  readonly control: SharedArrayBuffer;
  /** Memory to walk through, bytes. */
  readonly bytes: number;
  /** A cache line, bytes. */
  readonly line: number;
}

/** More would only take longer: see `frameSizes` of `caches.ts`. */
const MOST = 8 << 20;

/**
 * Store into every line.
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
  readonly #told: Int32Array;
  readonly #own: Uint8Array;
  #worker: Worker | null = null;

  /**
   * @param caches What is to be overflowed
   * @param line Bytes of a cache line
   */
  constructor(caches: Caches, line: number) {
    const bytes = Math.min(MOST, Math.ceil(2 * caches.last / (1 << 16)) * (1 << 16));
    this.#start = { control: new SharedArrayBuffer(8), bytes, line };
    this.#told = new Int32Array(this.#start.control);
    this.#own = new Uint8Array(2 * caches.first);
  }

  /** Let the second thread walk, which is started when it is not there yet. */
  begin(): void {
    if (this.#worker === null) {
      const url = new URL("./pressure_worker.ts", import.meta.url);
      this.#worker = new Worker(url, { type: "module" });
      this.#worker.postMessage(this.#start);
    }
    this.#tell(WALK);
  }

  /** How many stretches of memory the second thread has walked through. */
  get stretches(): number {
    return Atomics.load(this.#told, 1);
  }

  /** Let it wait. */
  rest(): void {
    this.#tell(REST);
  }

  /** Push what this thread has in the first level out of it. */
  walk(): void {
    walk(this.#own, this.#start.line);
  }

  #tell(what: number): void {
    Atomics.store(this.#told, 0, what);
    Atomics.notify(this.#told, 0);
  }

  [Symbol.dispose](): void {
    this.#tell(END);
    this.#worker?.terminate();
    this.#worker = null;
  }
}
