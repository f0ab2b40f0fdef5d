// SPDX-License-Identifier: MIT
/**
 * How fast a device moves data between memory and memory.
 *
 * @module
 */

import type { Block } from "../../driver/block.ts";
import type { Device } from "../../driver/device.ts";
import type { Direction } from "../../driver/uapi.ts";
import { allocBlocks } from "./blocks.ts";

/** Size of a frame, bytes, if the device takes such blocks. */
const SIZE = 512 << 10;
/** Frames of one measurement at least, and at most. */
const LEAST = 3;
const MOST = 16;
/** A measurement ends when its frames have taken this long, nanoseconds. */
const LONG_NS = 20e6;
/** How long a transfer may take, milliseconds. */
const TIMEOUT_MS = 20_000;

/** Two blocks that frames move between. No line of them is in a cache when a transfer begins. */
export class Rate implements Disposable {
  readonly #device: Device;
  readonly #blocks: Readonly<Record<Direction, Block>>;

  /** @param device The device, with both directions and policy `manual`. */
  constructor(device: Device) {
    this.#device = device;
    const size = Math.min(SIZE, device.info.policies.manual.maxBlock);
    this.#blocks = allocBlocks(device, size);
  }

  /** Frees both blocks. */
  [Symbol.dispose](): void {
    for (const block of Object.values(this.#blocks)) block[Symbol.dispose]();
  }

  /**
   * Measure the rate, by the times that the kernel takes.
   *
   * @returns The median of several frames, megabytes (10^6 bytes) per second.
   */
  measure(): number {
    const rates: number[] = [];
    let total = 0;
    while (rates.length < LEAST || (total < LONG_NS && rates.length < MOST)) {
      const ns = this.#move();
      total += ns;
      rates.push(1e3 * this.#blocks.tx.size / Math.max(ns, 1));
    }
    rates.sort((a, b) => a - b);
    return rates[Math.floor(rates.length / 2)] ?? 0;
  }

  /** Moves a frame. Returns nanoseconds from its submission to the end of both transfers. */
  #move(): number {
    const { tx, rx } = this.#blocks;
    for (const block of [tx, rx]) block.cache("clean-invalidate");
    rx.enqueue();
    tx.enqueue();
    const written = this.#device.dequeue("rx", { timeoutMs: TIMEOUT_MS });
    const read = this.#device.dequeue("tx", { timeoutMs: TIMEOUT_MS });
    return Math.max(written.doneNs, read.doneNs) - read.submittedNs;
  }
}
