// SPDX-License-Identifier: MIT
/**
 * What the lines of a block contain, so that a line tells whether it is old or new.
 *
 * @module
 */

/** A content: what memory holds, what is newer, or what is in the cache only while the device writes. */
export type Content = "old" | "new" | "dirty";

const CONTENTS = ["old", "new", "dirty"] as const satisfies readonly Content[];

/** What a line was found to hold. `"foreign"` is none of the contents of its round, or a mixture of them. */
export type Found = Content | "foreign";

/** Hash two words. The finalizer is that of MurmurHash3. */
function mix(a: number, b: number): number {
  let h = Math.imul(a ^ Math.imul(b, 0x9e3779b1), 0x85ebca6b) ^ b;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/** The contents of a block. Each word of each round, content and line differs from all others. */
export class Lines {
  /** Size of a line, bytes. */
  readonly line: number;
  /** Number of lines. */
  readonly count: number;
  readonly #seed: number;

  /**
   * @param line Size of a line, bytes, a multiple of 4.
   * @param count Number of lines.
   * @param seed Seed of the contents.
   */
  constructor(line: number, count: number, seed: number) {
    this.line = line;
    this.count = count;
    this.#seed = seed;
  }

  /**
   * Make the bytes of one line.
   *
   * @param content The content.
   * @param round Number of the round.
   * @param index Number of the line.
   * @returns The bytes, new memory.
   */
  one(content: Content, round: number, index: number): Uint8Array<ArrayBuffer> {
    const words = new Uint32Array(this.line / 4);
    const base = mix(mix(this.#seed, 4 * round + CONTENTS.indexOf(content)), index);
    for (let i = 0; i < words.length; i++) words[i] = mix(base, i);
    return new Uint8Array(words.buffer);
  }

  /**
   * Make the bytes of all lines.
   *
   * @param content The content.
   * @param round Number of the round.
   * @returns The bytes, new memory.
   */
  all(content: Content, round: number): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(this.count * this.line);
    for (let i = 0; i < this.count; i++) bytes.set(this.one(content, round, i), i * this.line);
    return bytes;
  }

  /**
   * Tell what a line holds.
   *
   * @param bytes The bytes of all lines.
   * @param round Number of the round.
   * @param index Number of the line.
   * @returns The content.
   */
  found(bytes: Uint8Array, round: number, index: number): Found {
    const at = index * this.line;
    const same = (content: Content) =>
      this.one(content, round, index).every((byte, i) => byte === bytes[at + i]);
    return CONTENTS.find(same) ?? "foreign";
  }
}
