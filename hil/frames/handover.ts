// SPDX-License-Identifier: MIT
/**
 * Hands blocks to the device and takes them back. This is the one place that makes the sync calls which
 * policy `manual` leaves to the caller, and the one place that checks which transfer came back.
 *
 * @module
 */

import type { Block, CompletedTransfer, EnqueueOptions } from "../../driver/block.ts";
import type { Device } from "../../driver/device.ts";
import type { WaitOptions } from "../../driver/device_options.ts";
import { TransferError } from "../../driver/errors.ts";
import type { PolicyName } from "../../driver/uapi.ts";

/** The sync calls that matter. `for_cpu` on tx is not among them, because it has no effect anywhere. */
export const SYNC_CALLS = ["tx-for-device", "rx-for-device", "rx-for-cpu"] as const;

/** A sync call of the DMA API. */
export type SyncCall = typeof SYNC_CALLS[number];

/** A sync call that policy `manual` leaves out on purpose, for a control. */
export interface Omission {
  /** The call. */
  readonly call: SyncCall;
  /** Whether it is left out for the second half of the range only. */
  readonly half: boolean;
}

/** How blocks are handed over. */
export interface HandoverOptions {
  /** The device. */
  readonly device: Device;
  /** The policy of the blocks. */
  readonly policy: PolicyName;
  /** How to wait for a transfer. Defaults to the device's own limit. */
  readonly wait?: WaitOptions;
  /** The call to leave out. Defaults to none. */
  readonly omission?: Omission | null;
}

/** Part of a block, bytes. */
export interface Range {
  /** Where it begins. */
  readonly offset: number;
  /** Its length. */
  readonly length: number;
}

/** A transfer that came back. */
export interface Taken {
  /** The transfer. */
  readonly done: CompletedTransfer;
  /** The engine's error, or null if it moved the data. */
  readonly error: TransferError | null;
}

/** A transfer came back that is not the expected one, so nothing after it would mean anything. */
export class MixUpError extends Error {
  /** The transfer that came back. */
  readonly taken: Taken;

  /**
   * @param message What was expected and what was found
   * @param taken The transfer that came back
   */
  constructor(message: string, taken: Taken) {
    super(`${message}: the driver or its engine mixes up completions`);
    this.name = "MixUpError";
    this.taken = taken;
  }
}

/** Hands blocks of one policy to the device and back. */
export class Handover {
  readonly #options: HandoverOptions;

  /** @param options How blocks are handed over */
  constructor(options: HandoverOptions) {
    this.#options = options;
  }

  /**
   * Hands a block to the device.
   *
   * @param block The block, owned by the caller
   * @param options The transfer
   * @param synced Range to sync first, where that is the caller's duty. Defaults to the whole block
   */
  give(block: Block, options: EnqueueOptions, synced?: Range): void {
    this.#sync(block, block.direction === "tx" ? "tx-for-device" : "rx-for-device", synced);
    block.enqueue(options);
  }

  /**
   * Takes the next transfer of a direction, and syncs nothing.
   *
   * @param block The block that must come back
   * @param cookie The cookie that must come back with it. Defaults to any
   * @returns The transfer, also if the engine failed it
   * @throws {MixUpError} If another block or cookie came back
   * @throws {ErrnoError} ETIMEDOUT, if none came back in time
   */
  take(block: Block, cookie?: bigint): Taken {
    const { device, wait } = this.#options;
    let taken: Taken;
    try {
      taken = { done: device.dequeue(block.direction, wait), error: null };
    } catch (error) {
      if (!(error instanceof TransferError)) throw error;
      taken = { done: error.completion, error };
    }
    const { done } = taken;
    if (done.block === block && (cookie === undefined || done.cookie === cookie)) return taken;
    const frame = (number: bigint) => cookie === undefined ? "" : ` with frame ${number}`;
    throw new MixUpError(
      `Expected ${block.direction} block ${block.id} back${frame(cookie ?? 0n)}, found block ` +
        `${done.block.id}${frame(done.cookie)}`,
      taken,
    );
  }

  /**
   * Makes received data visible to the CPU, where that is the caller's duty.
   *
   * @param block The receive block, owned by the caller
   * @param range What to sync. Defaults to the whole block
   */
  syncReceived(block: Block, range?: Range): void {
    this.#sync(block, "rx-for-cpu", range);
  }

  #sync(block: Block, call: SyncCall, range?: Range): void {
    const { device, policy, omission } = this.#options;
    if (policy !== "manual") return;
    const offset = range?.offset ?? 0;
    let length = range?.length ?? block.size;
    if (call === omission?.call) {
      const { cacheAlign } = device.info;
      length = omission.half ? Math.floor(length / 2 / cacheAlign) * cacheAlign : 0;
    }
    if (length === 0) return;
    if (call === "rx-for-cpu") block.syncForCpu(offset, length);
    else block.syncForDevice(offset, length);
  }
}
