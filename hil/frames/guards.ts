// SPDX-License-Identifier: MIT
/**
 * Guard zones around received frames.
 *
 * @module
 */

import type { Block } from "../../driver/block.ts";
import type { Device } from "../../driver/device.ts";
import type { DeviceInfo } from "../../driver/info.ts";
import type { PolicyName } from "../../driver/uapi.ts";

/**
 * Returns the bytes of the guard zone before and after each frame.
 *
 * @param device The device
 * @returns At least one cache line
 */
export function guardSize(device: Pick<Device, "info">): number {
  return Math.max(64, device.info.cacheAlign);
}

/**
 * Returns whether an engine can move a frame that lies behind a guard, and not only the beginning of a
 * block.
 *
 * @param info What the device offers
 * @returns Whether it can, in each direction that it has
 */
export function movesFromGuards(info: DeviceInfo): boolean {
  const guard = guardSize({ info });
  return [info.tx, info.rx].every((channel) => guard % (channel?.addressAlign ?? 1) === 0);
}

/**
 * Returns whether guards can surround the frames of a run.
 *
 * @param device The device
 * @param policy Sync policy of the blocks
 * @param size Bytes of the longest frame
 * @returns False if the largest block has no room for both guards, or the engine cannot move from behind
 * one
 */
export function hasGuards(
  device: Pick<Device, "info">,
  policy: PolicyName,
  size: number,
): boolean {
  const { info } = device;
  return movesFromGuards(info) && size + 2 * guardSize(device) <= info.policies[policy].maxBlock;
}

/**
 * The guard zones around the frames of receive blocks, and what they should contain.
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
   * Accepts the content of a block as what its guards should contain, because priming did not reach it.
   *
   * @param index The block
   * @param bytes The whole block
   */
  accept(index: number, bytes: Uint8Array): void {
    const start = this.#guard + this.#size;
    const { length } = this.#after[index] ?? bytes;
    this.#before[index] = bytes.slice(0, this.#guard);
    this.#after[index] = bytes.slice(start, start + length);
  }

  /**
   * Finds changed guard bytes. Each change is returned once.
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
