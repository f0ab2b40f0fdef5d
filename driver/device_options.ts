// SPDX-License-Identifier: MIT

/**
 * What the methods of `Device` take and return, besides blocks and reports of the driver.
 *
 * @module
 */

import type { Block, EnqueueOptions } from "./block.ts";
import type { Syscalls } from "./syscalls.ts";
import type { Direction, PolicyName, UserPolicyName } from "./uapi.ts";

/** Options of `Device.open()`. */
export interface OpenOptions {
  /** Path of the device. Defaults to `/dev/pldma0`. */
  readonly path?: string;
  /** The board. Defaults to this machine. */
  readonly syscalls?: Syscalls;
}

/** Options of `Device.alloc()`. */
export interface AllocOptions {
  /** Size of each block, bytes. */
  readonly size: number;
  /** Number of blocks. Defaults to 1. */
  readonly count?: number;
  /** Direction of their transfers. */
  readonly direction: Direction;
  /** Where their memory comes from and who syncs caches. Not one of user pages, and not `dma-buf`. */
  readonly policy: PolicyName;
}

/** Options of `Device.register()`. */
export interface RegisterOptions {
  /** Direction of the block's transfers. */
  readonly direction: Direction;
  /** `user-pages` pins the pages at each enqueue, `user-pages-registered` pins them once. */
  readonly policy: UserPolicyName;
  /** Start in the memory, bytes, a multiple of the cache alignment. Defaults to 0. */
  readonly offset?: number;
  /** Size, bytes, a multiple of the cache alignment. Defaults to the rest of the memory. */
  readonly size?: number;
}

/** Options of `Device.import()`. */
export interface ImportOptions {
  /** Direction of the block's transfers. */
  readonly direction: Direction;
  /** Size of the block, bytes, from the start of the buffer. Defaults to the size of the buffer. */
  readonly size?: number;
}

/** Options of a call that waits. */
export interface WaitOptions {
  /** The longest wait, milliseconds, from 0 (do not wait) to one day. Defaults to 5000. */
  readonly timeoutMs?: number;
}

/** A block in `Device.enqueueBatch()`, and what to move. */
export interface BatchItem extends EnqueueOptions {
  /** The block. */
  readonly block: Block;
}

/** Options of `Device.dequeueBatch()`. */
export interface BatchWaitOptions extends WaitOptions {
  /** The largest number of transfers to return, from 1 to 4096. */
  readonly max: number;
  /** The number of transfers to wait for, from 1 to `max`. Defaults to 1. */
  readonly min?: number;
}

/** Options of `Device.reset()`. */
export interface ResetOptions {
  /**
   * Return blocks even if the engine may still access them, for example after another bitstream was loaded.
   * Needs CAP_SYS_RAWIO. Defaults to false.
   */
  readonly force?: boolean;
  /** The direction to reset. Defaults to both. */
  readonly direction?: Direction;
}

/** The result of `Device.reset()`. */
export interface ResetResult {
  /** Number of blocks that the caller owns again. */
  readonly returned: number;
  /** Number of blocks in quarantine. Always 0, because otherwise `reset()` throws. */
  readonly quarantined: number;
}

/** The result of `Device.poll()`. */
export interface Readiness {
  /** A receive completion can be dequeued. */
  readonly readable: boolean;
  /** A transmit completion can be dequeued, or the transmit ring has a free slot. */
  readonly writable: boolean;
  /** An engine error can be dequeued, or the engine is not idle after a failed RESET. */
  readonly error: boolean;
  /** The device is gone. */
  readonly hangup: boolean;
}
