// SPDX-License-Identifier: MIT

/**
 * ENQUEUE: its options, how they are packed, and why the driver refuses.
 *
 * @module
 */

import { wholeNumber } from "./checks.ts";
import { type EnqueueArgument, SIDEBAND_WORDS } from "./codecs.ts";
import { AdapterError, ErrnoError } from "./errno.ts";
import { requestError } from "./handle.ts";
import { type Direction, ENQUEUE_FLAGS } from "./uapi.ts";

/** Options of `Block.enqueue()`. */
export interface EnqueueOptions {
  /** Start of the transfer in the block, bytes. Defaults to 0. */
  readonly offset?: number;
  /** Number of bytes to send, or space for a received frame. Defaults to the rest of the block. */
  readonly length?: number;
  /** A number that the completion returns, from 0 to 2^64 - 1. Defaults to 0. */
  readonly cookie?: bigint;
  /** Sync the whole block instead of the moved bytes, to read guard zones. Defaults to false. */
  readonly verify?: boolean;
  /** Accept an offset that is not cache-aligned. Defaults to false. */
  readonly unaligned?: boolean;
  /**
   * Up to four words of 32 bits that travel beside a frame that is sent, such as TUSER and TDEST. What they
   * mean is up to the design. Needs an engine that passes them (`sideband` of its channel). Defaults to
   * zeros.
   */
  readonly sideband?: readonly number[];
}

/** What ENQUEUE needs to know about a block. */
interface EnqueuedBlock {
  /** Id in the driver. */
  readonly id: number;
  /** Size, bytes. */
  readonly size: number;
  /** Direction of its transfers. */
  readonly direction: Direction;
}

const MAX_COOKIE = 0xffff_ffff_ffff_ffffn;

/** The offset and length to enqueue, with their defaults. */
function rangeOf(block: EnqueuedBlock, options: EnqueueOptions): [offset: number, length: number] {
  const offset = options.offset ?? 0;
  return [offset, options.length ?? Math.max(block.size - offset, 0)];
}

/**
 * Check the options and pack them.
 *
 * @param argument The struct to pack.
 * @param block The block to enqueue.
 * @param options What to move.
 * @throws {RangeError} If the ABI cannot represent a number.
 */
export function packEnqueue(
  argument: EnqueueArgument,
  block: EnqueuedBlock,
  options: EnqueueOptions,
): void {
  const [offset, length] = rangeOf(block, options);
  wholeNumber("offset", offset);
  wholeNumber("length", length);
  const cookie = options.cookie ?? 0n;
  if (cookie < 0n || cookie > MAX_COOKIE) {
    throw new RangeError(`Expected cookie from 0 to 2^64 - 1, found ${cookie}`);
  }
  const flags = (options.verify === true ? ENQUEUE_FLAGS.verify : 0) |
    (options.unaligned === true ? ENQUEUE_FLAGS.unaligned : 0);
  if (options.sideband !== undefined) checkSideband(options.sideband);
  argument.pack(block.id, flags, offset, length, cookie, options.sideband);
}

/**
 * Check words that travel beside a frame.
 *
 * @param words The words.
 * @throws {RangeError} If there are too many, or one is no word of 32 bits.
 */
export function checkSideband(words: readonly number[]): void {
  if (!Array.isArray(words) || words.length > SIDEBAND_WORDS) {
    throw new RangeError(
      `Expected up to ${SIDEBAND_WORDS} words in sideband, found ${
        Array.isArray(words) ? words.length : typeof words
      }`,
    );
  }
  for (const word of words) {
    if (word >>> 0 === word) continue;
    throw new RangeError(`Expected words from 0 to 2^32 - 1 in sideband, found ${word}`);
  }
}

/**
 * Describe the block, the range, and the likely cause of a failed ENQUEUE.
 *
 * @param error The error that `ioctl()` threw.
 * @param block The block that was enqueued.
 * @param options What was to be moved.
 * @returns The error to throw.
 */
export function enqueueError(
  error: unknown,
  block: EnqueuedBlock,
  options: EnqueueOptions,
): unknown {
  const [offset, length] = rangeOf(block, options);
  const what = `Block ${block.id}, ${length} of ${block.size} bytes at ${offset}`;
  const reasons: Record<string, string> = {
    EAGAIN: `the ${block.direction} queue is full: dequeue first`,
    EBUSY: "the engine has no free descriptor, or the block is not in state user in the driver",
    EINVAL:
      "expected a range inside the block, aligned for the engine and the cache (or unaligned: true), " +
      "and sideband words only to send, on an engine that passes them",
    EIO: "the engine is not idle: reset the device",
    ENOMEM: "the kernel has no memory to start the transfer, or RLIMIT_MEMLOCK is reached",
  };
  const silent = error instanceof ErrnoError && !(error instanceof AdapterError);
  const reason = silent ? reasons[error.code] : undefined;
  return requestError(error, "ENQUEUE", reason === undefined ? what : `${what}: ${reason}`);
}
