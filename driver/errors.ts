// SPDX-License-Identifier: MIT

/**
 * Errors of the driver binding that say more than an errno.
 *
 * @module
 */

import type { BlockState, CompletedTransfer } from "./block.ts";
import { ERRNO, ErrnoError } from "./errno.ts";
import type { TransferStatus } from "./uapi.ts";

/** The driver speaks another version of the ioctl ABI, or is no pldma driver at all. */
export class AbiMismatchError extends Error {
  /** Path of the device. */
  readonly path: string;
  /** The version that this binding speaks. */
  readonly expected: number;
  /** The version that the driver speaks, or null when it does not answer the question. */
  readonly found: number | null;

  /**
   * Describe a mismatch.
   *
   * @param path Path of the device.
   * @param expected The version that this binding speaks.
   * @param found The version that the driver speaks, or null when it does not answer.
   */
  constructor(path: string, expected: number, found: number | null) {
    const what = found === null
      ? `a driver that does not answer INFO of that version (ENOTTY)`
      : `version ${found}`;
    super(
      `${path}: expected pldma ABI version ${expected}, found ${what}: ` +
        "build and load pldma.ko and use these bindings from the same release",
    );
    this.name = "AbiMismatchError";
    this.path = path;
    this.expected = expected;
    this.found = found;
  }
}

/** A block was used in a state, or of a kind, that does not allow it. */
export class BlockStateError extends Error {
  /** The block. */
  readonly id: number;
  /** The state that it was in. */
  readonly state: BlockState;

  /**
   * Describe a misuse.
   *
   * @param id The block.
   * @param state The state that it is in.
   * @param message What is wrong and what to do.
   */
  constructor(id: number, state: BlockState, message: string) {
    super(message);
    this.name = "BlockStateError";
    this.id = id;
    this.state = state;
  }
}

const failures: Readonly<Record<TransferStatus, string>> = {
  "ok": "the engine reported no reason",
  "read-failed": "the engine could not read its source",
  "write-failed":
    "the engine could not write its destination, or the frame was longer than the block's range",
  "aborted": "the engine gave it up",
  "not-submitted": "the engine refused it",
};

/** The engine failed a transfer. The block is the caller's again. */
export class TransferError extends ErrnoError {
  /** The failed transfer, valid but for what `status` says. */
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
      `${block.direction} transfer of Block ${block.id} at offset ${offset} ended ${status} after ` +
        `${bytes} bytes: ${failures[status]}`,
    );
    this.name = "TransferError";
    this.completion = completion;
  }
}

/** RESET could not prove that the engine is idle. It may be tried again. */
export class ResetError extends ErrnoError {
  /** Blocks that were given back to the caller. */
  readonly returned: number;
  /** Blocks that had to be quarantined, because the engine may still reach their memory. */
  readonly quarantined: number;

  /**
   * Describe a failed RESET.
   *
   * @param returned Blocks given back.
   * @param quarantined Blocks quarantined.
   */
  constructor(returned: number, quarantined: number) {
    super(
      "ioctl PLDMA_IOC_RESET",
      ERRNO.EIO,
      `the engine could not be proved idle: ${returned} blocks given back, ${quarantined} quarantined; ` +
        "reset again, or reload the bitstream",
    );
    this.name = "ResetError";
    this.returned = returned;
    this.quarantined = quarantined;
  }
}
