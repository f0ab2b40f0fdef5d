// SPDX-License-Identifier: MIT
/**
 * Files that a test attaches to its results.
 *
 * @module
 */

import type { AttachmentInfo } from "../results/schema.ts";

/** The folder of attachments, in the folder of the results. */
const FOLDER = "attachments";

/** The largest attachment, bytes. */
const MOST = 64 * 2 ** 20;

/** The attachments of one case. */
export class Attachments {
  readonly #dir: string;
  readonly #case: string;
  readonly #all: AttachmentInfo[] = [];

  /**
   * @param dir The folder of the results
   * @param id The id of the case
   */
  constructor(dir: string, id: string) {
    this.#dir = dir;
    // ids have slashes, spaces and whatever an author puts into a name
    this.#case = id.replaceAll(/[^\w.=-]+/g, "_").slice(0, 120);
  }

  /** What was attached, in order. */
  get all(): readonly AttachmentInfo[] {
    return this.#all;
  }

  /**
   * Writes an attachment.
   *
   * @param name Its name, which is the name of a file
   * @param content Its content
   * @throws {RangeError} If the name is no plain name, was used before, or the content is too large
   */
  add(name: string, content: Uint8Array | string): void {
    if (!/^[\w][\w .=+-]{0,99}$/.test(name)) {
      throw new RangeError(
        "Expected the name of an attachment to have letters, digits, spaces and . = + - _, at most 100 of " +
          `them, found ${JSON.stringify(name)}`,
      );
    }
    if (this.#all.some((one) => one.name === name)) {
      throw new RangeError(`Expected one attachment ${name} in a case, found another one`);
    }
    const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
    if (bytes.length > MOST) {
      throw new RangeError(
        `Expected at most ${MOST} bytes in attachment ${name}, found ${bytes.length}`,
      );
    }
    const folder = `${FOLDER}/${this.#case}`;
    Deno.mkdirSync(`${this.#dir}/${folder}`, { recursive: true });
    Deno.writeFileSync(`${this.#dir}/${folder}/${name}`, bytes);
    this.#all.push({ name, file: `${folder}/${name}`, bytes: bytes.length });
  }
}
