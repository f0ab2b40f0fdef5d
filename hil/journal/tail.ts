// SPDX-License-Identifier: MIT
/**
 * Reads a journal while it is written.
 *
 * @module
 */
import { type JournalLine, parseJournal } from "./lines.ts";

/**
 * A reader of a journal that is still being written.
 */
export class JournalTail {
  readonly #path: string;
  readonly #decoder = new TextDecoder();
  #offset = 0;
  #rest = "";

  /**
   * Creates a reader that begins at the first line.
   *
   * @param path The file, which may not exist yet
   */
  constructor(path: string) {
    this.#path = path;
  }

  /**
   * Reads the lines that were added since the last call.
   *
   * @returns The new complete lines; none if the file does not exist
   */
  poll(): JournalLine[] {
    let file: Deno.FsFile;
    try {
      file = Deno.openSync(this.#path);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return [];
      throw error;
    }
    using _closed = file;
    file.seekSync(this.#offset, Deno.SeekMode.Start);
    const buffer = new Uint8Array(65536);
    for (let n = file.readSync(buffer); n !== null && n > 0; n = file.readSync(buffer)) {
      this.#offset += n;
      this.#rest += this.#decoder.decode(buffer.subarray(0, n), { stream: true });
    }
    const end = this.#rest.lastIndexOf("\n") + 1;
    const text = this.#rest.slice(0, end);
    this.#rest = this.#rest.slice(end);
    return [...parseJournal(text).lines];
  }
}
