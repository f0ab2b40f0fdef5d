// SPDX-License-Identifier: MIT
/**
 * Blocks of one direction and policy, allocated by the driver or registered memory of the caller.
 *
 * @module
 */

import type { Block } from "../../driver/block.ts";
import type { Device } from "../../driver/device.ts";
import { DmaBuffer } from "../../driver/dma_buffer.ts";
import { UserMemory } from "../../driver/memory.ts";
import {
  type Direction,
  isUserPolicy,
  type PolicyName,
  UNCACHED_POLICIES,
} from "../../driver/uapi.ts";
import type { Units } from "../verify/alignment.ts";
import { guardSize } from "./guards.ts";

/**
 * Returns how many blocks in each direction fill the queues: the depth of both queues, limited by half of
 * the device's memory, 64 MiB and the number of blocks.
 *
 * @param device The device
 * @param size Bytes of a frame
 * @returns At least 1
 */
export function loopDepth(device: Pick<Device, "info">, size: number): number {
  const { info } = device;
  const queue = Math.min(info.tx?.queueDepth ?? Infinity, info.rx?.queueDepth ?? Infinity);
  const bytes = Math.min(info.maxBytes / 2, 64 * 2 ** 20);
  const block = size + 2 * guardSize(device) + info.pageSize;
  return Math.max(1, Math.min(queue, Math.floor(bytes / (2 * block)), info.maxBlocks / 2 - 1));
}

/**
 * Returns the size of a block with room for a frame and its guards.
 *
 * @param device The device
 * @param frame Bytes of the frame
 * @param guard Bytes of each guard. Defaults to 0
 * @returns A multiple of the cache alignment
 */
export function blockSize(device: Pick<Device, "info">, frame: number, guard = 0): number {
  const { cacheAlign } = device.info;
  return Math.ceil((frame + 2 * guard) / cacheAlign) * cacheAlign;
}

/** Blocks. Disposing them frees them; the engine must hold none of them then. */
export class BlockSet implements Disposable {
  readonly #blocks: Block[] = [];
  readonly #buffers: DmaBuffer[] = [];
  #memory: UserMemory | null = null;

  /**
   * Makes blocks, all or none.
   *
   * @param device The device
   * @param options `direction`, `policy`, `size` of each in bytes, a multiple of the cache alignment,
   * and `count`
   */
  constructor(
    device: Device,
    options: { direction: Direction; policy: PolicyName; size: number; count: number },
  ) {
    const { direction, policy, size, count } = options;
    if (policy === "dma-buf") {
      this.#import(device, options);
      return;
    }
    if (!isUserPolicy(policy)) {
      this.#blocks.push(...device.alloc(options));
      return;
    }
    const memory = UserMemory.allocate(size * count, { syscalls: device.syscalls });
    this.#memory = memory;
    try {
      for (let i = 0; i < count; i++) {
        this.#blocks.push(device.register(memory, { direction, policy, offset: i * size, size }));
      }
    } catch (error) {
      this[Symbol.dispose]();
      throw error;
    }
  }

  /** Imports one buffer for each block. */
  #import(device: Device, options: { direction: Direction; size: number; count: number }): void {
    const { direction, size, count } = options;
    try {
      for (let i = 0; i < count; i++) {
        const buffer = DmaBuffer.allocate(size, { syscalls: device.syscalls });
        this.#buffers.push(buffer);
        this.#blocks.push(device.import(buffer, { direction }));
      }
    } catch (error) {
      this[Symbol.dispose]();
      throw error;
    }
  }

  /** The blocks. */
  get all(): readonly Block[] {
    return this.#blocks;
  }

  /**
   * Returns the block of a frame. Blocks are used in turn.
   *
   * @param sequence Number of the frame, from 0
   * @returns The block
   */
  of(sequence: number): Block {
    const block = this.#blocks[sequence % this.#blocks.length];
    if (block === undefined) throw new Error("Expected at least one block, found none");
    return block;
  }

  /** Frees the blocks, then their memory. */
  [Symbol.dispose](): void {
    for (const block of this.#blocks) block[Symbol.dispose]();
    this.#memory?.[Symbol.dispose]();
    for (const buffer of this.#buffers) buffer[Symbol.dispose]();
  }
}

/**
 * Whether the CPU or the device can see an old copy of a block, because a cache or a bounce buffer holds it.
 *
 * @param device The device
 * @param policy The policy of the block
 * @param direction Its direction
 * @returns False where memory is coherent or is not cached
 */
export function canBeStale(
  { info }: Pick<Device, "info">,
  policy: PolicyName,
  direction: Direction,
): boolean {
  return info[direction]?.needsSync === true &&
    !(UNCACHED_POLICIES as readonly PolicyName[]).includes(policy);
}

/**
 * Returns the units in which the memory of a board may be wrong.
 *
 * @param device The device
 * @returns Its cache line and its page, bytes
 */
export function unitsOf({ info: { cacheAlign, pageSize } }: Pick<Device, "info">): Units {
  // cacheAlign is that of the architecture: arm64 says 128, and its cores have lines of 64
  return { cacheLine: Math.min(cacheAlign, 64), pageSize };
}
