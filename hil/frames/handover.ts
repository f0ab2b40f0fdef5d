// SPDX-License-Identifier: MIT
/**
 * Hands blocks to the device and takes them back. This is the one place that makes the sync calls which
 * some policies leave to the caller, and the one place that checks which transfer came back.
 *
 * @module
 */

import type { Block, CompletedTransfer, EnqueueOptions } from "../../driver/block.ts";
import type { Device } from "../../driver/device.ts";
import type { WaitOptions } from "../../driver/device_options.ts";
import { DEFAULT_TIMEOUT_MS } from "../../driver/checks.ts";
import { ERRNO, ErrnoError } from "../../driver/errno.ts";
import { TransferError } from "../../driver/errors.ts";
import { type Direction, isCallerSynced, type PolicyName } from "../../driver/uapi.ts";
import { dequeueError } from "../../driver/waits.ts";
import { Batches } from "./batches.ts";

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
  /**
   * Number of blocks of a direction that one system call hands over or takes back. A block then waits for
   * others, so a completion that comes too early may stay unseen. Defaults to 1.
   */
  readonly batch?: number;
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
  /** Whether the expected one did not come at all, so it may be lost. */
  readonly missing: boolean;

  /**
   * @param message What was expected and what was found
   * @param taken The transfer that came back
   * @param missing Whether the expected one did not come at all. Defaults to false
   */
  constructor(message: string, taken: Taken, missing = false) {
    super(`${message}: the driver or its engine mixes up completions`);
    this.name = "MixUpError";
    this.taken = taken;
    this.missing = missing;
  }
}

/** Longest single wait, milliseconds. A longer wait consists of several, so a driver that sleeps is found. */
const SLICE_MS = 1000;

/** Waits in a row that end at their deadline, although their transfer ended long before. */
const MAX_OVERSLEPT = 3;

/** The driver does not wake a waiting DEQUEUE when a transfer ends. */
export class NotWokenError extends Error {
  /** @param direction The direction that was waited for */
  constructor(direction: Direction) {
    super(
      `The driver does not wake DEQUEUE: ${MAX_OVERSLEPT} waits for ${direction} in a row ended at their ` +
        "deadline, although their transfers had ended long before",
    );
    this.name = "NotWokenError";
  }
}

/** A transfer with its error. DEQUEUE_BATCH returns failed transfers, where DEQUEUE throws. */
function takenOf(done: CompletedTransfer): Taken {
  return { done, error: done.status === "ok" ? null : new TransferError(done) };
}

/** Hands blocks of one policy to the device and back. */
export class Handover {
  readonly #options: HandoverOptions;
  /** Waits in a row that the driver did not end. */
  #overslept = 0;
  /** Blocks that go and come together; null if each has a call of its own. */
  readonly #batches: Batches | null;

  /** @param options How blocks are handed over */
  constructor(options: HandoverOptions) {
    const { device, batch = 1 } = options;
    this.#options = options;
    this.#batches = batch > 1 ? new Batches(device, batch) : null;
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
    if (this.#batches === null) block.enqueue(options);
    else this.#batches.give({ ...options, block });
  }

  /**
   * Takes the next transfer of a direction, and syncs nothing.
   *
   * @param block The block that must come back
   * @param cookie The cookie that must come back with it. Defaults to any
   * @returns The transfer, also if the engine failed it
   * @throws {MixUpError} If another block or cookie came back
   * @throws {ErrnoError} ETIMEDOUT, if none came back in time
   * @throws {NotWokenError} If waits end at their deadline only
   */
  take(block: Block, cookie?: bigint): Taken {
    let taken: Taken;
    try {
      taken = takenOf(this.#dequeue(block.direction));
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
   * Takes all completions of a direction that are there now, whichever they are.
   *
   * @param direction The direction
   * @returns The transfers, also those that the engine failed
   */
  drain(direction: Direction): Taken[] {
    const taken = (this.#batches?.drain(direction) ?? []).map(takenOf);
    for (;;) {
      try {
        const done = this.#options.device.dequeue(direction, { timeoutMs: 0 });
        taken.push({ done, error: null });
      } catch (error) {
        if (error instanceof TransferError) taken.push({ done: error.completion, error });
        else if (error instanceof ErrnoError) return taken;
        else throw error;
      }
    }
  }

  /**
   * Looks whether the expected completion comes after the wrong one, and says so.
   *
   * @param error The wrong completion
   * @param block The expected block
   * @param sequence Number of the expected frame
   * @returns The error to throw
   */
  explain(error: MixUpError, { direction, id }: Block, sequence: number): MixUpError {
    const { done } = error.taken;
    // another cookie for the same block is no missing completion
    if (done.cookie <= BigInt(sequence) || done.block.id === id) return error;
    const comes = this.drain(direction).some(({ done }) => done.cookie === BigInt(sequence));
    const what = comes
      ? `came after that of frame ${done.cookie}`
      : `never came: that of frame ${done.cookie} came next`;
    return new MixUpError(
      `The ${direction} completion of frame ${sequence} (block ${id}) ${what}`,
      error.taken,
      !comes,
    );
  }

  /** Waits for a completion, in slices. */
  #dequeue(direction: Direction): CompletedTransfer {
    const { device, wait } = this.#options;
    const { timeoutMs = DEFAULT_TIMEOUT_MS } = wait ?? {};
    let left = timeoutMs;
    for (;;) {
      // after a wait that the driver did not end, the next ones are shorter
      const slice = Math.min(left, this.#overslept > 0 ? SLICE_MS / 4 : SLICE_MS);
      const start = performance.now();
      try {
        const done = this.#batches?.next(direction, slice) ??
          device.dequeue(direction, { timeoutMs: slice });
        this.#notice(direction, slice, performance.now() - start, done.doneNs);
        return done;
      } catch (error) {
        left -= slice;
        const late = error instanceof ErrnoError && error.errno === ERRNO.ETIMEDOUT;
        if (!late) throw error;
        if (left > 0) continue;
        throw dequeueError(ERRNO.ETIMEDOUT, direction, timeoutMs);
      }
    }
  }

  /** Compares when a wait ended with when its transfer ended. */
  #notice(direction: Direction, sliceMs: number, waitedMs: number, doneNs: number): void {
    const woken = waitedMs < sliceMs;
    if (woken && this.#overslept === 0) return; // nearly every wait, so it asks for no time
    const sinceNs = this.#options.device.syscalls.monotonicNs() - doneNs;
    if (woken) {
      // the transfer ended during the wait, so the driver woke it
      if (sinceNs < waitedMs * 1e6) this.#overslept = 0;
      return;
    }
    if (sinceNs < sliceMs * 1e6 / 2) return;
    if (++this.#overslept >= MAX_OVERSLEPT) throw new NotWokenError(direction);
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
    if (!isCallerSynced(policy)) return;
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
