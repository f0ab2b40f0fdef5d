// SPDX-License-Identifier: MIT

/**
 * Who owns a block, and the error for using a block in the wrong state.
 *
 * @module
 */

import type { DriverState } from "./uapi.ts";

/**
 * Who owns a block. A `Block` reports `"queued"` from `enqueue()` until `dequeue()`, because this process
 * does not see the driver's progress in between. `Device.query()` asks the driver, and reports
 * `"in-flight"` and `"done"` too.
 */
export type BlockState = DriverState | "freed";

/** A block was used in a state, or under a policy, that does not allow it. */
export class BlockStateError extends Error {
  /** Id of the block. */
  readonly id: number;
  /** The state that the block was in. */
  readonly state: BlockState;

  /**
   * Describe a wrong use of a block.
   *
   * @param id Id of the block.
   * @param state The state that the block is in.
   * @param message What is wrong and what to do.
   */
  constructor(id: number, state: BlockState, message: string) {
    super(message);
    this.name = "BlockStateError";
    this.id = id;
    this.state = state;
  }
}

const advice: Readonly<Record<Exclude<BlockState, "user">, string>> = {
  "queued": "dequeue it before",
  "in-flight": "dequeue it before",
  "done": "dequeue it before",
  "quarantined": "the engine may still access it: reset the device before",
  "freed": "allocate another one instead of",
};

/**
 * Describe the use of a block that the caller does not own.
 *
 * @param id Id of the block.
 * @param state The state that the block is in, which is not `"user"`.
 * @param purpose What the caller wanted to do, such as `"reading it"`.
 * @returns The error to throw.
 */
export function notOwned(
  id: number,
  state: Exclude<BlockState, "user">,
  purpose: string,
): BlockStateError {
  return new BlockStateError(id, state, `Block ${id} is ${state}: ${advice[state]} ${purpose}`);
}
