// SPDX-License-Identifier: MIT

/**
 * How blocks are created: ALLOC for memory of the driver, REGISTER for memory of the caller, IMPORT for
 * buffers of other drivers. And how they are exported as buffers.
 *
 * @module
 */

import { AnswerError } from "./answer_error.ts";
import { type Block, blockInternals } from "./block.ts";
import { range, uint32, wholeNumber } from "./checks.ts";
import { getNumber, indexOf, setNumber } from "./codecs.ts";
import { bufferInternals, DmaBuffer } from "./dma_buffer.ts";
import type { AllocOptions, ImportOptions, RegisterOptions } from "./device_options.ts";
import { ERRNO, ErrnoError } from "./errno.ts";
import { type Handle, requestError } from "./handle.ts";
import { memoryInternals, type UserMemory } from "./memory.ts";
import { MAP_SHARED, PROT_READ, PROT_WRITE } from "./syscalls.ts";
import {
  ALLOC,
  type Direction,
  DIRECTIONS,
  EXPORT,
  FREE,
  IMPORT,
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
 * @param why Describes a lack of memory, for the error.
 * @returns The blocks in the order of their ids.
 */
export function allocateBlocks(
  handle: Handle,
  options: AllocOptions,
  onFree: (block: Block) => void,
  why: () => string,
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
  try {
    handle.syscalls.ioctl(handle.fd, IOC.ALLOC, argument);
  } catch (error) {
    const noMemory = error instanceof ErrnoError && error.errno === ERRNO.ENOMEM;
    throw requestError(error, "ALLOC", noMemory ? `${what}: ${why()}` : what);
  }

  const firstId = view.getUint32(ALLOC.at.first_id, true);
  const blocks: Block[] = [];
  try {
    const offset = getNumber(view, ALLOC.at.mmap_offset);
    const stride = getNumber(view, ALLOC.at.mmap_stride);
    const mapped = policy !== "bounce";
    if (mapped && count > 1 && stride < size) {
      const found = `${stride} bytes: they would overlap`;
      throw new AnswerError(handle.path, "ALLOC", `blocks at least ${size} bytes apart`, found);
    }
    if (mapped && !Number.isSafeInteger(offset + count * stride)) {
      const found = `${offset} + ${count} × ${stride}`;
      throw new AnswerError(handle.path, "ALLOC", "offsets up to 2^53 - 1", found);
    }
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
  for (const block of mapped) blockInternals.close(block);
  const argument = new Uint8Array(FREE.size);
  for (let id = firstId; id < firstId + count; id++) {
    new DataView(argument.buffer).setUint32(FREE.at.id, id, true);
    try {
      handle.ioctl("FREE", argument, `Block ${id}`);
    } catch (error) {
      // the caller reports why the blocks are freed, and close() frees what is left
      if (!(error instanceof ErrnoError)) throw error;
    }
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

/**
 * Make a block of a buffer of another driver.
 *
 * @param handle The open device.
 * @param buffer The buffer.
 * @param options What to import.
 * @param onFree Called after the block was freed.
 * @returns The block.
 */
export function importBuffer(
  handle: Handle,
  buffer: DmaBuffer,
  options: ImportOptions,
  onFree: (block: Block) => void,
): Block {
  const { direction, size = buffer.size } = options;
  const mapping = bufferInternals.mapping(buffer);
  const argument = new Uint8Array(IMPORT.size);
  const view = new DataView(argument.buffer);
  setNumber(view, IMPORT.at.size, wholeNumber("size", size));
  view.setInt32(IMPORT.at.fd, buffer.fd, true);
  view.setUint32(IMPORT.at.direction, indexOf("direction", DIRECTIONS, direction), true);
  handle.ioctl("IMPORT", argument, `${size} of ${buffer.size} bytes for ${direction}`);
  return blockInternals.create({
    id: view.getUint32(IMPORT.at.id, true),
    size,
    direction,
    policy: "dma-buf",
    handle,
    mapping,
    base: 0,
    memory: null,
    buffer,
    onFree,
  });
}

/**
 * Export the memory of a block.
 *
 * @param handle The open device.
 * @param block The block.
 * @returns The buffer, which the caller owns.
 */
export function exportBlock(handle: Handle, block: Block): DmaBuffer {
  const argument = new Uint8Array(EXPORT.size);
  const view = new DataView(argument.buffer);
  view.setUint32(EXPORT.at.id, block.id, true);
  handle.ioctl("EXPORT", argument, `Block ${block.id}, policy ${block.policy}`);
  const fd = view.getInt32(EXPORT.at.fd, true);
  return new DmaBuffer(fd, block.size, { syscalls: handle.syscalls });
}
