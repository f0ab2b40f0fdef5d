// SPDX-License-Identifier: MIT
/**
 * Blocks that are handed over and taken back together, with one system call for several of them.
 *
 * @module
 */

import type { CompletedTransfer } from "../../driver/block.ts";
import type { Device } from "../../driver/device.ts";
import type { BatchItem } from "../../driver/device_options.ts";
import type { Direction } from "../../driver/uapi.ts";

/** The batches of one device. */
export class Batches {
  readonly #device: Device;
  readonly #size: number;
  /** Blocks that wait for the next batch. */
  #given: BatchItem[] = [];
  /** Transfers of a batch that were not asked for yet. */
  readonly #came: Record<Direction, CompletedTransfer[]> = { tx: [], rx: [] };
  /** Number of blocks that the device has. */
  readonly #inFlight: Record<Direction, number> = { tx: 0, rx: 0 };

  /**
   * @param device The device
   * @param size Number of blocks of a direction in a batch
   */
  constructor(device: Device, size: number) {
    this.#device = device;
    this.#size = size;
  }

  /**
   * Hands over a block, together with later ones. A wait hands over all of them.
   *
   * @param item The block, owned by the caller, and the transfer
   */
  give(item: BatchItem): void {
    this.#given.push(item);
    if (this.#given.length >= 2 * this.#size) this.#flush();
  }

  /**
   * Takes the next transfer of a direction, together with later ones.
   *
   * @param direction The direction
   * @param timeoutMs The longest wait, milliseconds
   * @returns The transfer, also if the engine failed it
   */
  next(direction: Direction, timeoutMs: number): CompletedTransfer {
    const came = this.#came[direction];
    if (came.length === 0) {
      this.#flush();
      const max = this.#size;
      const min = Math.max(1, Math.min(max, this.#inFlight[direction]));
      came.push(...this.#device.dequeueBatch(direction, { max, min, timeoutMs }));
      this.#inFlight[direction] -= came.length;
    }
    const next = came.shift();
    if (next === undefined) throw new Error("Expected a transfer in the batch, found none");
    return next;
  }

  /**
   * Takes the transfers of a direction that came back and were not asked for yet.
   *
   * @param direction The direction
   * @returns The transfers
   */
  drain(direction: Direction): CompletedTransfer[] {
    return this.#came[direction].splice(0);
  }

  #flush(): void {
    const items = this.#given;
    this.#given = [];
    const count = this.#device.enqueueBatch(items);
    if (count < items.length) {
      throw new Error(
        `Expected room for ${items.length} blocks in the queues, found room for ${count}: use less depth`,
      );
    }
    for (const { block: { direction } } of items) this.#inFlight[direction]++;
  }
}
