// SPDX-License-Identifier: MIT
/**
 * What receive blocks hold, where frames differ in length or are computed.
 *
 * A block has room for the longest frame. After a shorter one, it still holds the rest of what was there
 * before. So bytes that the engine writes after the end of a frame are found, although they are inside the
 * range that it may write to.
 *
 * @module
 */

import type { Block } from "../../driver/block.ts";
import { wholeFrame } from "../patterns/pattern.ts";
import type { Returned } from "./returned.ts";

/** The content of the receive blocks of a loop. */
export class RxContent {
  readonly #back: Pick<Returned, "pattern" | "length">;
  readonly #blocks: Uint8Array[];
  readonly #store: "always" | "repeated" | "never";
  readonly #poison: Uint8Array;
  /** Numbers of the frames in flight before which poison is stored, and of those that were looked at. */
  readonly #stored = new Map<number, boolean>();

  /**
   * @param options `back`: the frames that come back; `count` of blocks, which are used in turn; `size`:
   * room for a frame; `initial`: what it holds at first; `store`: when poison is stored before a frame:
   * always, if the block would hold the expected bytes already, or never; `poison`: what is stored, as long
   * as the room for a frame
   */
  constructor(options: {
    readonly back: Pick<Returned, "pattern" | "length">;
    readonly count: number;
    readonly size: number;
    readonly initial: Uint8Array;
    readonly store: "always" | "repeated" | "never";
    readonly poison: Uint8Array;
  }) {
    const { back, count, size, initial, store, poison } = options;
    this.#back = back;
    this.#blocks = Array.from({ length: count }, () => initial.slice(0, size));
    this.#store = store;
    this.#poison = poison;
  }

  /**
   * Accepts what a block holds at first, because priming did not reach it.
   *
   * @param index The block
   * @param bytes Its content from where frames begin
   */
  accept(index: number, bytes: Uint8Array): void {
    const block = this.#blocks[index];
    block?.set(bytes.subarray(0, block.length));
  }

  /**
   * Gets what the block of a frame held before, as long as that frame was not compared.
   *
   * @param number Number of the frame
   * @returns A copy from where frames begin, with room for the longest one. A frame that was judged with
   * tolerance is there as it was received
   */
  before(number: number): Uint8Array {
    return this.#of(number).slice();
  }

  /**
   * Returns whether poison is stored before a frame. Call it before the frame is handed over.
   *
   * @param number Number of the frame
   * @returns Whether a frame that is not written would look like the expected one
   */
  isStored(number: number): boolean {
    if (this.#store !== "repeated") return this.#store === "always";
    let stored = this.#stored.get(number);
    if (stored === undefined) {
      const size = this.#back.length(number);
      const holds = this.#of(number);
      stored = wholeFrame(this.#back.pattern, number, size)
        .every((byte, i) => byte === holds[i]);
      this.#stored.set(number, stored);
    }
    return stored;
  }

  /**
   * Looks for bytes that were written after the end of a frame, and notes what the block holds now. A sync may
   * drop poison that was stored, all of it or some cache lines. So each byte may be the poison, or what the
   * block held before, and any other byte was written.
   *
   * @param block The block, owned by the caller
   * @param number Number of its frame
   * @param found `at`: where the frame begins in the block, bytes; `moved`: how many bytes the engine reported;
   * `right`: whether the block holds exactly the expected bytes
   * @returns The first and the number of bytes up to the last one, as an offset from the frame; null if there
   * are none, or if what was there before is not known
   */
  compare(
    block: Block,
    number: number,
    { at, moved, right }: { readonly at: number; readonly moved: number; readonly right: boolean },
  ): { offset: number; length: number } | null {
    const holds = this.#of(number);
    const size = Math.max(this.#back.length(number), moved);
    const stored = this.isStored(number);
    this.#stored.delete(number);
    const rest = holds.subarray(size);
    const same = rest.length === 0 || block.equals(rest, at + size);
    if (same && right) {
      this.#back.pattern.write(holds.subarray(0, size), number);
      return null;
    }
    const before = holds.slice();
    block.copyTo(holds, at);
    // without syncs the CPU may see old content
    if (same || this.#store === "never") return null;
    const isWritten = (i: number) =>
      holds[i] !== before[i] && !(stored && holds[i] === this.#poison[i]);
    let [first, end] = [size, holds.length];
    while (first < end && !isWritten(first)) first++;
    while (end > first && !isWritten(end - 1)) end--;
    return first === end ? null : { offset: first, length: end - first };
  }

  #of(number: number): Uint8Array {
    const block = this.#blocks[number % this.#blocks.length];
    if (block === undefined) throw new Error("Expected at least one block, found none");
    return block;
  }
}
