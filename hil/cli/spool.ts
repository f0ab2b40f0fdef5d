// SPDX-License-Identifier: MIT
/**
 * Keeps the output of a program in a file, because it may be larger than the memory.
 *
 * @module
 */

/** Bytes of the end that are kept in memory. */
const MOST_TAIL = 4096;

/** A file for output, and the end of that output. */
export class Spool implements Disposable {
  readonly #file: Deno.FsFile;
  #tail: Uint8Array = new Uint8Array();
  #error: unknown = null;

  /**
   * Creates the file.
   *
   * @param path Its path
   * @throws {Error} If it cannot be written
   */
  constructor(path: string) {
    this.#file = Deno.openSync(path, { write: true, create: true, truncate: true });
  }

  /**
   * Adds output. It does not throw, because the program must not wait for a full disk.
   *
   * @param chunk The output
   */
  write(chunk: Uint8Array): void {
    const both = new Uint8Array(this.#tail.length + Math.min(chunk.length, MOST_TAIL));
    both.set(this.#tail);
    both.set(chunk.subarray(-MOST_TAIL), this.#tail.length);
    this.#tail = both.slice(-MOST_TAIL);
    if (this.#error !== null) return;
    try {
      for (let at = 0; at < chunk.length;) at += this.#file.writeSync(chunk.subarray(at));
    } catch (error) {
      this.#error = error;
    }
  }

  /** The last line of the output, or a part of it if it is long. */
  get lastLine(): string {
    return new TextDecoder().decode(this.#tail).trimEnd().split("\n").at(-1) ?? "";
  }

  /**
   * Checks that all output is in the file.
   *
   * @throws {Error} What prevented it first, such as a full disk
   */
  check(): void {
    if (this.#error !== null) throw this.#error;
  }

  /** Closes the file. */
  [Symbol.dispose](): void {
    this.#file.close();
  }
}
