// SPDX-License-Identifier: MIT

/**
 * How blocks are created: ALLOC for memory of the driver, REGISTER for memory of the caller.
 *
 * @module
 */

import { type Block, blockInternals } from "./block.ts";
import { range, uint32, wholeNumber } from "./checks.ts";
import { getNumber, indexOf, setNumber } from "./codecs.ts";
import type { AllocOptions, RegisterOptions } from "./device_options.ts";
import { ERRNO, ErrnoError } from "./errno.ts";
import { type Handle, requestError } from "./handle.ts";
import { memoryInternals, type UserMemory } from "./memory.ts";
import { MAP_SHARED, PROT_READ, PROT_WRITE } from "./syscalls.ts";
import {
  ALLOC,
  type Direction,
  DIRECTIONS,
  FREE,
  IOC,
  POLICIES,
  type PolicyName,
  REGISTER,
} from "./uapi.ts";

/**
 * Allocate and map blocks. Leaves nothing behind if one of them fails.
 *
 * @param handle The open device.
 * @param options What to allocate.
 * @param onFree Called after a block was freed.
 * @returns The blocks in the order of their ids.
 */
export function allocateBlocks(
  handle: Handle,
  options: AllocOptions,
  onFree: (block: Block) => void,
): Block[] {
  const { direction, policy } = options;
  const size = wholeNumber("size", options.size);
  const count = uint32("count", options.count ?? 1);
  const argument = new Uint8Array(ALLOC.size);
  const view = new DataView(argument.buffer);
  setNumber(view, ALLOC.at.size, size);
  view.setUint32(ALLOC.at.count, count, true);
  view.setUint32(ALLOC.at.direction, indexOf("direction", DIRECTIONS, direction), true);
  view.setUint32(ALLOC.at.policy, indexOf("policy", POLICIES, policy), true);
  const what = `${count} ${direction} blocks of ${size} bytes, policy ${policy}`;
  handle.ioctl("ALLOC", argument, what);

  const firstId = view.getUint32(ALLOC.at.first_id, true);
  const offset = getNumber(view, ALLOC.at.mmap_offset);
  const stride = getNumber(view, ALLOC.at.mmap_stride);
  const blocks: Block[] = [];
  try {
    for (let i = 0; i < count; i++) {
      const mapping = mapBlock(handle, size, direction, policy, offset + i * stride);
      blocks.push(
        blockInternals.create({
          id: firstId + i,
          size,
          direction,
          policy,
          handle,
          mapping,
          base: 0,
          memory: null,
          onFree,
        }),
      );
    }
  } catch (error) {
    freeAll(handle, firstId, count, blocks);
    throw error;
  }
  return blocks;
}

/** Map one block that ALLOC created, or return null for a block that has no mapping. */
function mapBlock(
  { syscalls, fd }: Handle,
  size: number,
  direction: Direction,
  policy: PolicyName,
  offset: number,
) {
  const readOnly = policy === "streaming-lazy" && direction === "rx";
  const prot = readOnly ? PROT_READ : PROT_READ | PROT_WRITE;
  return policy === "bounce" ? null : syscalls.mmap(size, prot, MAP_SHARED, fd, offset);
}

/** Free all blocks of an ALLOC, of which only the first ones were mapped. */
function freeAll(handle: Handle, firstId: number, count: number, mapped: readonly Block[]): void {
  for (const block of mapped) block.free();
  const argument = new Uint8Array(FREE.size);
  for (let id = firstId + mapped.length; id < firstId + count; id++) {
    new DataView(argument.buffer).setUint32(FREE.at.id, id, true);
    handle.ioctl("FREE", argument, `Block ${id}`);
  }
}

/**
 * Register memory of the caller as a block.
 *
 * @param handle The open device.
 * @param memory The memory.
 * @param options What to register.
 * @param onFree Called after the block was freed.
 * @returns The block.
 */
export function registerMemory(
  handle: Handle,
  memory: UserMemory,
  options: RegisterOptions,
  onFree: (block: Block) => void,
): Block {
  const { direction, policy } = options;
  const base = options.offset ?? 0;
  const size = options.size ?? memory.size - base;
  range("the memory", memory.size, base, size);
  const argument = new Uint8Array(REGISTER.size);
  const view = new DataView(argument.buffer);
  view.setBigUint64(REGISTER.at.address, memory.address + BigInt(base), true);
  setNumber(view, REGISTER.at.size, size);
  view.setUint32(REGISTER.at.direction, indexOf("direction", DIRECTIONS, direction), true);
  view.setUint32(REGISTER.at.policy, indexOf("policy", POLICIES, policy), true);
  const { syscalls, fd } = handle;
  try {
    syscalls.ioctl(fd, IOC.REGISTER, argument);
  } catch (error) {
    const what =
      `${size} bytes at offset ${base} of user memory for ${direction}, policy ${policy}`;
    const noMemory = error instanceof ErrnoError && error.errno === ERRNO.ENOMEM;
    const advice = noMemory
      ? ": pinned memory counts against RLIMIT_MEMLOCK, so raise it with ulimit -l"
      : "";
    throw requestError(error, "REGISTER", what + advice);
  }
  return blockInternals.create({
    id: view.getUint32(REGISTER.at.id, true),
    size,
    direction,
    policy,
    handle,
    mapping: memoryInternals.mapping(memory),
    base,
    memory,
    onFree,
  });
}
