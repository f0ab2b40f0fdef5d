// SPDX-License-Identifier: MIT
/**
 * Blocks of one direction and policy, allocated by the driver or registered memory of the caller.
 *
 * @module
 */

import type { Block } from "../../driver/block.ts";
import type { Device } from "../../driver/device.ts";
import { UserMemory } from "../../driver/memory.ts";
import type { Direction, PolicyName } from "../../driver/uapi.ts";
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
    if (policy !== "user-pages" && policy !== "user-pages-registered") {
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
  }
}
