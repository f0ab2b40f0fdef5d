// SPDX-License-Identifier: MIT
/**
 * Pictures that cases attached, for the HTML page, which contains them because it loads nothing.
 *
 * @module
 */

import type { AttachmentInfo } from "../results/schema.ts";

/** A picture on the page. */
export interface PagePicture {
  /** Its name, such as `frame 3 received`. */
  readonly name: string;
  /** The PNG file in Base64. */
  readonly png: string;
}

/** Bytes of one picture, pictures of one case, and bytes of all pictures of a page. */
const MOST_BYTES = 8 << 20;
const MOST_PICTURES = 12;
const MOST_TOTAL = 32 << 20;

/** The first bytes of a PNG file. */
const MAGIC = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];

/** Reads the pictures of a page, up to a limit for all of them. */
export class PagePictures {
  #left = MOST_TOTAL;

  /**
   * Reads the pictures that a case attached. Whatever is no picture in the folder of the run is left out: the
   * page names every attachment anyway.
   *
   * @param folder The folder of the run; null if there is none
   * @param attachments What the case attached, as the results say, which may come from anywhere
   * @returns The pictures
   */
  read(folder: string | null, attachments: readonly AttachmentInfo[] = []): PagePicture[] {
    if (folder === null) return [];
    const files = attachments.map(({ file }) => file).filter(isPicture).slice(0, MOST_PICTURES);
    return files.flatMap((file) => {
      const bytes = this.#bytesOf(folder, file);
      if (bytes === null) return [];
      this.#left -= bytes.length;
      return [{ name: file.replace(/^.*\/|\.png$/g, ""), png: bytes.toBase64() }];
    });
  }

  /** The bytes of a file; null if it is no picture, or too large. */
  #bytesOf(folder: string, file: string): Uint8Array | null {
    try {
      const root = Deno.realPathSync(`${folder}/attachments`);
      const path = Deno.realPathSync(`${folder}/${file}`);
      const { isFile, size } = Deno.statSync(path);
      if (!path.startsWith(`${root}/`) || !isFile) return null;
      if (size > Math.min(MOST_BYTES, this.#left)) return null;
      const bytes = Deno.readFileSync(path);
      return MAGIC.every((byte, i) => bytes[i] === byte) ? bytes : null;
    } catch {
      return null; // results are often read without their folder
    }
  }
}

function isPicture(file: string): boolean {
  return /^attachments\/.+\.png$/.test(file);
}
