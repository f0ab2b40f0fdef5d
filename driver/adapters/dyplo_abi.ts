// SPDX-License-Identifier: MIT

/**
 * The numbers of the block ioctls of Topic's driver for its product Dyplo (2013 to 2015), from which later
 * drivers of this kind come. They are facts of its public header `dyplo.h`.
 *
 * @module
 */

/** `struct dyplo_buffer_block`: offsets of its members, and its size, bytes. */
export const BLOCK = {
  at: { id: 0, offset: 4, size: 8, bytesUsed: 12, userSignal: 16, state: 18 },
  size: 20,
} as const;

/** `struct dyplo_buffer_block_alloc_req`: offsets of its members, and its size, bytes. */
export const ALLOC_REQUEST = { at: { size: 0, count: 4 }, size: 8 } as const;

/** `_IOWR('d', number, struct)`. */
function both(number: number, size: number): number {
  return ((3 << 30) | (size << 16) | (0x64 << 8) | number) >>> 0;
}

/** `DYPLO_IOCDMABLOCK_*`. FREE takes no argument. */
export const REQUEST = {
  ALLOC: both(0x20, ALLOC_REQUEST.size),
  FREE: 0x6421,
  QUERY: both(0x22, BLOCK.size),
  ENQUEUE: both(0x23, BLOCK.size),
  DEQUEUE: both(0x24, BLOCK.size),
} as const;

/** Name of a request without its prefix. */
export type DyploRequest = keyof typeof REQUEST;
