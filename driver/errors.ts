// SPDX-License-Identifier: MIT

/**
 * Errors of the driver binding that carry more than an errno.
 *
 * @module
 */

import type { CompletedTransfer } from "./block.ts";
import { ERRNO, ErrnoError } from "./errno.ts";
import type { TransferStatus } from "./uapi.ts";

/** The driver implements another version of the ioctl ABI, or is not the pldma driver. */
export class AbiMismatchError extends Error {
  /** Path of the device. */
  readonly path: string;
  /** The version that this binding implements. */
  readonly expected: number;
  /** The version that the driver implements, or null if it did not answer. */
  readonly found: number | null;

  /**
   * Describe a version mismatch.
   *
   * @param path Path of the device.
   * @param expected The version that this binding implements.
   * @param found The version that the driver implements, or null if it did not answer.
   */
  constructor(path: string, expected: number, found: number | null) {
    const what = found === null
      ? "a driver that does not know this version of the INFO request (ENOTTY)"
      : `version ${found}`;
    super(
      `${path}: expected pldma ABI version ${expected}, found ${what}: ` +
        "build and load pldma.ko from the same release as these bindings",
    );
    this.name = "AbiMismatchError";
    this.path = path;
    this.expected = expected;
    this.found = found;
  }
}

const failures: Readonly<Record<TransferStatus, string>> = {
  "ok": "the engine reported no error",
  "read-failed": "the engine could not read its source",
  "write-failed":
    "the engine could not write its destination, or the frame was longer than the enqueued range",
  "aborted": "the engine aborted it",
  "not-submitted": "the engine did not accept it",
};

/** A transfer failed in the engine. The caller owns the block again. */
export class TransferError extends ErrnoError {
  /** The failed transfer. Its `status` gives the reason. */
  readonly completion: CompletedTransfer;

  /**
   * Describe a failed transfer.
   *
   * @param completion The failed transfer.
   */
  constructor(completion: CompletedTransfer) {
    const { block, status, bytes, offset } = completion;
    super(
      "ioctl PLDMA_IOC_DEQUEUE",
      ERRNO.EIO,
      `${block.direction} transfer of Block ${block.id} at offset ${offset} ended with status ` +
        `${status} after ${bytes} bytes: ${failures[status]}`,
    );
    this.name = "TransferError";
    this.completion = completion;
  }
}

/** RESET could not prove that the engine is idle. The caller may try again. */
export class ResetError extends ErrnoError {
  /** Number of blocks that the caller owns again. */
  readonly returned: number;
  /** Number of blocks in quarantine, because the engine may still access their memory. */
  readonly quarantined: number;

  /**
   * Describe a failed RESET.
   *
   * @param returned Number of blocks that the caller owns again.
   * @param quarantined Number of blocks in quarantine.
   */
  constructor(returned: number, quarantined: number) {
    super(
      "ioctl PLDMA_IOC_RESET",
      ERRNO.EIO,
      `the engine could not be proved idle: ${returned} blocks returned, ${quarantined} quarantined; ` +
        "reset again, or reload the bitstream",
    );
    this.name = "ResetError";
    this.returned = returned;
    this.quarantined = quarantined;
  }
}
