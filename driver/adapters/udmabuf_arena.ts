// SPDX-License-Identifier: MIT

/**
 * Places for blocks in one buffer, by first fit.
 *
 * @module
 */

/** A part of the buffer. */
export interface Place {
  /** Start, bytes. */
  readonly offset: number;
  /** Number of bytes. */
  readonly size: number;
}

/** The free and used parts of a buffer. */
export class Arena {
  readonly #size: number;
  /** Used parts in ascending order. */
  readonly #used: Place[] = [];

  /** @param size Size of the buffer, bytes. */
  constructor(size: number) {
    this.#size = size;
  }

  /** Bytes that are used. */
  get used(): number {
    return this.#used.reduce((sum, { size }) => sum + size, 0);
  }

  /**
   * Take the first part that is large enough.
   *
   * @param size Number of bytes.
   * @returns Its start, or null if no free part is large enough.
   */
  take(size: number): number | null {
    let offset = 0;
    let index = 0;
    for (const place of this.#used) {
      if (place.offset - offset >= size) break;
      offset = place.offset + place.size;
      index++;
    }
    if (this.#size - offset < size) return null;
    this.#used.splice(index, 0, { offset, size });
    return offset;
  }

  /**
   * Give a part back.
   *
   * @param part A part, or a piece of one, as it was taken.
   */
  give(part: Place): void {
    const index = this.#used.findIndex(({ offset, size }) =>
      part.offset >= offset && part.offset + part.size <= offset + size
    );
    const place = this.#used[index];
    if (place === undefined) return;
    const end = part.offset + part.size;
    const rest = [
      { offset: place.offset, size: part.offset - place.offset },
      { offset: end, size: place.offset + place.size - end },
    ].filter(({ size }) => size > 0);
    this.#used.splice(index, 1, ...rest);
  }
}
