// SPDX-License-Identifier: MIT
/**
 * The two blocks that an audit works on.
 *
 * @module
 */

import type { Block } from "../../driver/block.ts";
import type { Device } from "../../driver/device.ts";
import type { Direction } from "../../driver/uapi.ts";

/**
 * Allocate a block of policy `manual` for each direction.
 *
 * @param device The device.
 * @param size Size of each, bytes.
 * @returns The blocks. The caller disposes of them.
 */
export function allocBlocks(device: Device, size: number): Readonly<Record<Direction, Block>> {
  const alloc = (direction: Direction): Block => {
    const [block] = device.alloc({ direction, policy: "manual", size });
    if (block === undefined) throw new Error("Expected a block from ALLOC, found none");
    return block;
  };
  return { tx: alloc("tx"), rx: alloc("rx") };
}
