// SPDX-License-Identifier: MIT
/**
 * The blocks of a loop where memory is scarce: the transmit block that the primer is sent from, and fewer blocks
 * than were asked for.
 *
 * @module
 */

import type { Block } from "../../driver/block.ts";
import type { Device } from "../../driver/device.ts";
import { ERRNO, ErrnoError } from "../../driver/errno.ts";

/** Longest piece of a primer, bytes. Coherent memory is scarce on many boards. */
const PIECE = 4 << 20;

/** Shortest piece that is tried, bytes. */
const LEAST_PIECE = 1 << 16;

/** A tx block that poison is sent from, piece by piece if the receive block is longer. */
export class Primer implements Disposable {
  readonly #poison: Uint8Array;
  /** The block. */
  readonly block: Block;
  /** Offset and length of each piece, bytes. */
  readonly pieces: readonly (readonly [offset: number, length: number])[];

  /**
   * @param device The device
   * @param poison What to send
   */
  constructor(device: Device, poison: Uint8Array) {
    this.#poison = poison;
    const { policies } = device.info;
    const policy = policies.coherent.tx ? "coherent" : "streaming";
    const most = Math.min(poison.length, policies[policy].maxBlock, PIECE);
    const { cacheAlign } = device.info;
    let size = most === poison.length ? most : Math.floor(most / cacheAlign) * cacheAlign;
    let block: Block | undefined;
    while (block === undefined) {
      try {
        [block] = device.alloc({ direction: "tx", policy, size });
        if (block === undefined) throw new Error("Expected a block, found none");
      } catch (error) {
        const half = Math.ceil(size / 2 / cacheAlign) * cacheAlign;
        if (!isOutOfMemory(error) || half < LEAST_PIECE) throw error;
        size = half;
      }
    }
    this.block = block;
    this.pieces = Array.from(
      { length: Math.ceil(poison.length / size) },
      (_, i) => [i * size, Math.min(size, poison.length - i * size)] as const,
    );
    if (this.pieces.length === 1) this.block.set(poison);
  }

  /**
   * Stores a piece of the poison, unless it is there already.
   *
   * @param offset Where the piece begins, bytes
   * @param length Its length, bytes
   */
  fill(offset: number, length: number): void {
    if (this.pieces.length > 1) this.block.set(this.#poison.subarray(offset, offset + length));
  }

  /** Frees the block, unless the engine may still hold it. */
  [Symbol.dispose](): void {
    this.block[Symbol.dispose]();
  }
}

/**
 * Makes blocks for a depth, or for a smaller one if the memory does not suffice and that is allowed.
 *
 * @param depth The depth
 * @param shallower Whether a smaller one is allowed
 * @param make Makes all blocks, or throws and leaves none
 * @returns The blocks, and the depth that they are for
 */
export function makeBlocks<Blocks>(
  depth: number,
  shallower: boolean,
  make: (depth: number) => Blocks,
): { readonly blocks: Blocks; readonly depth: number } {
  for (;;) {
    try {
      return { blocks: make(depth), depth };
    } catch (error) {
      if (!shallower || depth === 1 || !isOutOfMemory(error)) throw error;
      depth = Math.floor(depth / 2);
    }
  }
}

/**
 * Returns how many frames can be in flight if several come back for each one.
 *
 * @param device The device
 * @param returns The largest number of frames that come back for one
 * @param depth How many frames should be in flight
 * @param shallower Whether fewer are allowed
 * @returns Their number
 * @throws {RangeError} If the receive queue has no room for all that come back
 */
export function fittingDepth(
  { info }: Pick<Device, "info">,
  returns: number,
  depth: number,
  shallower: boolean,
): number {
  if (returns === 1) return depth;
  const room = Math.min(info.rx?.queueDepth ?? Infinity, Math.floor(info.maxBlocks / 2));
  const most = Math.floor(room / returns);
  if (most >= depth || (shallower && most >= 1)) return Math.min(depth, most);
  throw new RangeError(
    `Expected room in the receive queue for ${depth * returns} frames, which come back for ` +
      `${depth} that are sent; found room for ${room}: use less depth, or shorter frames`,
  );
}

function isOutOfMemory(error: unknown): boolean {
  return error instanceof ErrnoError && error.errno === ERRNO.ENOMEM;
}
