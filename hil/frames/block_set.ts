// SPDX-License-Identifier: MIT
/**
 * Blocks of one direction and policy, wherever their memory comes from.
 *
 * @module
 */

import { crc32 } from "node:zlib";
import type { Block } from "../../driver/block.ts";
import type { Device } from "../../driver/device.ts";
import { UserMemory } from "../../driver/memory.ts";
import type { Direction, PolicyName } from "../../driver/uapi.ts";
import type { Pattern } from "../patterns/pattern.ts";

/**
 * Bytes of guard before and after each frame.
 *
 * @param device The device
 * @returns At least one cache line
 */
export function guardSize(device: Pick<Device, "info">): number {
  return Math.max(64, device.info.cacheAlign);
}

/**
 * How many blocks in each direction a full queue means: what both queues take, as far as half of the
 * device's memory limit, 64 MiB and the limit of blocks allow.
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
 * Bytes of a block with room for a frame and the guards around it.
 *
 * @param device The device
 * @param frame Bytes of the frame
 * @param guard Bytes of each guard; 0 when left out
 * @returns A multiple of the cache alignment
 */
export function blockSize(device: Pick<Device, "info">, frame: number, guard = 0): number {
  const { cacheAlign } = device.info;
  return Math.ceil((frame + 2 * guard) / cacheAlign) * cacheAlign;
}

/** Which frame a block holds, and where. */
export interface Framed {
  /** What the frame is a piece of. */
  readonly pattern: Pattern;
  /** Number of the frame, from 0. */
  readonly sequence: number;
  /** Bytes of the frame. */
  readonly size: number;
  /** Where in the block it begins. */
  readonly at: number;
}

/**
 * Write a frame into a block: one `memcpy`, and one more for the header.
 *
 * @param block The block, owned by the caller
 * @param frame The frame
 */
export function fillFrame(block: Block, { pattern, sequence, size, at }: Framed): void {
  block.set(pattern.body(sequence, size), at);
  const header = pattern.header(sequence, size);
  if (header !== null) block.set(header, at);
}

/**
 * Whether a block holds a frame: one `memcmp`, and one more for the header.
 *
 * @param block The block, owned by the caller
 * @param frame The frame
 * @returns False when any byte differs
 */
export function holdsFrame(block: Block, { pattern, sequence, size, at }: Framed): boolean {
  const header = pattern.header(sequence, size);
  const body = pattern.body(sequence, size);
  if (header === null) return block.equals(body, at, size);
  const { length } = header;
  return block.equals(header, at) &&
    block.equals(body.subarray(length), at + length, size - length);
}

/**
 * The check value that a core has to compute over a frame: CRC-32 as in zlib, without a copy of it.
 *
 * @param frame The frame
 * @returns 0 to 2^32 - 1
 */
export function checkOf({ pattern, sequence, size }: Omit<Framed, "at">): number {
  const header = pattern.header(sequence, size);
  const start = header === null ? 0 : crc32(header);
  return crc32(pattern.body(sequence, size).subarray(header?.length ?? 0), start);
}

/** Blocks, allocated or registered. Disposing it frees them; none may be with the engine then. */
export class BlockSet implements Disposable {
  readonly #blocks: Block[] = [];
  #memory: UserMemory | null = null;

  /**
   * Make blocks, all or none.
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
   * The block of a frame: they are used in turn.
   *
   * @param sequence Number of the frame, from 0
   * @returns The block
   */
  of(sequence: number): Block {
    const block = this.#blocks[sequence % this.#blocks.length];
    if (block === undefined) throw new Error("Expected at least one block, found none");
    return block;
  }

  /** Free the blocks, then their memory. */
  [Symbol.dispose](): void {
    for (const block of this.#blocks) block[Symbol.dispose]();
    this.#memory?.[Symbol.dispose]();
  }
}

/**
 * What stands around the frames of receive blocks, and whether it still does.
 *
 *     | guard | frame: what ENQUEUE moves | guard to the end of the block |
 */
export class Guards {
  readonly #before: Uint8Array[];
  readonly #after: Uint8Array[];
  readonly #guard: number;
  readonly #size: number;

  /**
   * @param options `guard`: bytes before the frame, 0 for a frame that is the whole block; `size` of
   * the frame; `fresh`: what each block holds before the first frame; `count` of blocks
   */
  constructor(options: { guard: number; size: number; fresh: Uint8Array; count: number }) {
    const { guard, size, fresh, count } = options;
    this.#guard = guard;
    this.#size = size;
    const before = fresh.subarray(0, guard);
    const after = guard > 0 ? fresh.subarray(guard + size) : new Uint8Array(0);
    this.#before = Array.from({ length: count }, () => before);
    this.#after = Array.from({ length: count }, () => after);
  }

  /**
   * Take what a block holds for what it should hold, where it was not fresh.
   *
   * @param index The block
   * @param bytes All of it
   */
  accept(index: number, bytes: Uint8Array): void {
    const start = this.#guard + this.#size;
    const { length } = this.#after[index] ?? bytes;
    this.#before[index] = bytes.slice(0, this.#guard);
    this.#after[index] = bytes.slice(start, start + length);
  }

  /**
   * Look for damage. Each is told once.
   *
   * @param block The block, owned by the caller
   * @param sequence Number of its frame, from 0
   * @returns The damaged ranges, from the first to the last changed byte, as offsets from the frame
   */
  damage(block: Block, sequence: number): { offset: number; length: number }[] {
    if (this.#guard === 0) return [];
    const index = sequence % this.#before.length;
    const found = [];
    for (
      const [zone, at] of [[this.#before, 0], [this.#after, this.#guard + this.#size]] as const
    ) {
      const guard = zone[index];
      if (guard === undefined || block.equals(guard, at)) continue;
      const now = new Uint8Array(guard.length);
      block.copyTo(now, at);
      zone[index] = now;
      let first = 0;
      while (first < now.length && now[first] === guard[first]) first++;
      let last = now.length - 1;
      while (last > first && now[last] === guard[last]) last--;
      found.push({ offset: at + first - this.#guard, length: last - first + 1 });
    }
    return found;
  }
}
