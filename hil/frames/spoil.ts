// SPDX-License-Identifier: MIT
/**
 * What is stored into a transmit block as soon as it is taken back. If the engine still reads the block, the
 * receiver sees these bytes.
 *
 * @module
 */

import type { Context } from "../verify/classify.ts";

/** Bytes that no frame contains. */
export class Spoil {
  /** They alternate, so that those of the time before differ. */
  readonly #bytes: readonly [Uint8Array, Uint8Array];
  readonly #blocks: number;

  /**
   * @param poison Poison, as long as the longest frame
   * @param blocks Number of transmit blocks, which are used in turn
   */
  constructor(poison: Uint8Array, blocks: number) {
    this.#bytes = [poison.map((byte) => byte ^ 0xff), poison.map((byte) => byte ^ 0x5a)];
    this.#blocks = blocks;
  }

  /**
   * Gets what is stored after the completion of a frame.
   *
   * @param sequence Number of the frame
   * @returns The bytes
   */
  of(sequence: number): Uint8Array {
    return this.#bytes[Math.floor(sequence / this.#blocks) % 2 === 0 ? 0 : 1];
  }

  /**
   * Returns what the classifier must know about a frame.
   *
   * @param sequence Number of the frame
   * @returns What was stored after its completion, and what was stored there the time before
   */
  context(sequence: number): Pick<Context, "spoil" | "oldSpoil"> {
    const before = sequence - this.#blocks;
    return {
      spoil: this.of(sequence),
      ...(before < 0 ? {} : { oldSpoil: this.of(before) }),
    };
  }
}
