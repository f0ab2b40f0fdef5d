// SPDX-License-Identifier: MIT
/**
 * Faults that show without a look at the bytes of a frame: the engine failed its transfer, or something was
 * written around it.
 *
 * @module
 */

import type { Block, CompletedTransfer } from "../../driver/block.ts";
import { ERRNO, ErrnoError } from "../../driver/errno.ts";
import { plural } from "../text/format.ts";
import type { Fault } from "../verify/fault.ts";

/**
 * Describes a transfer that the engine failed, as a truncated or a too long frame.
 *
 * @param done The transfer
 * @param size Bytes that it should have moved
 * @returns The fault
 */
export function failureOf(
  { block, cookie, status, bytes }: CompletedTransfer,
  size: number,
): Fault {
  const full = block.direction === "rx" && status === "write-failed" && bytes >= size;
  return {
    kind: full ? "too-long" : "truncated",
    frame: Number(cookie),
    offset: full ? size : Math.min(bytes, size - 1),
    length: full ? 1 : Math.max(1, size - bytes),
    block: block.id,
    status,
    // the driver refused it before it began
    blame: status === "not-submitted" ? "driver" : full ? "core" : block.direction,
    detail: full
      ? `the receive range of ${
        plural(size, "byte")
      } was full before the frame ended: the frame is ` +
        "longer, or TLAST is late or missing"
      : `the engine failed the ${block.direction} transfer after ${bytes} bytes: ${status}`,
  };
}

/**
 * Returns whether `read()` or `write()` says that the engine failed a transfer.
 *
 * @param error What was thrown
 * @returns Whether it is EIO. Any other error says nothing about the data
 */
export function isRingFailure(error: unknown): boolean {
  return error instanceof ErrnoError && error.errno === ERRNO.EIO;
}

/**
 * Describes a frame in a ring whose transfer the engine failed. `read()` does not say how it ended.
 *
 * @param frame Number of the frame
 * @param size Bytes that it should have
 * @param told What said that a transmit transfer failed; null if none did, and `read()` failed
 * @returns The fault
 */
export function ringFailureOf(
  frame: number,
  size: number,
  told: "write() said EIO" | "STATS counts an error" | null,
): Fault {
  const unsent = told !== null;
  return {
    ...{ kind: "truncated", frame, blame: unsent ? "tx" : null, status: "EIO" },
    // how far it got is unknown, so no more is said than that its end did not come
    ...{ offset: size - 1, length: 1 },
    ...(unsent ? {} : { alternatives: ["too-long"] }),
    detail: unsent
      ? `the engine failed the tx transfer of the frame, or of one shortly after it: ${told}`
      : "the engine failed a transfer of the frame, or the frame is longer than its slot: read() " +
        "said EIO, and not more",
  };
}

/**
 * Describes bytes that were written around a frame.
 *
 * @param block The block of the frame
 * @param sequence Number of the frame
 * @param range Where they are, as an offset from the frame, and how many
 * @returns The fault
 */
export function overrunOf(
  block: Block,
  sequence: number,
  { offset, length }: { readonly offset: number; readonly length: number },
): Fault {
  return {
    ...{ kind: "overrun", frame: sequence, offset, length, block: block.id, blame: "core" },
    // it need not be the transfer of this frame
    detail:
      `the guard ${offset < 0 ? "before" : "after"} the frame was written, by some transfer ` +
      "since the block was last compared",
  };
}
