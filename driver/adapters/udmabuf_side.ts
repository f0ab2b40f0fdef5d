// SPDX-License-Identifier: MIT

/**
 * One direction of a device: blocks that wait for the engine, the one that it has, and those that are done.
 *
 * @module
 */

import type { Direction, PolicyName } from "../uapi.ts";
import type { UserEngine } from "./udmabuf_engine.ts";

/** A block in the buffer. */
export interface PlacedBlock {
  /** Id in pldma. */
  readonly id: number;
  /** Direction of its transfers. */
  readonly direction: Direction;
  /** Its policy. */
  readonly policy: PolicyName;
  /** Start in the buffer, bytes, a multiple of the page size. */
  readonly place: number;
  /** Size as it was requested, bytes. */
  readonly size: number;
}

/** A transfer from ENQUEUE to DEQUEUE. */
export interface Transfer {
  /** The block. */
  readonly block: PlacedBlock;
  /** Start in the block, bytes. */
  readonly offset: number;
  /** Number of bytes. */
  readonly length: number;
  /** Whether the whole block is synced. */
  readonly verify: boolean;
  /** The caller's number. */
  readonly cookie: bigint;
  /** When it was enqueued, and handed to the device, nanoseconds. */
  readonly queuedNs: number;
  /** Duration of the sync call for the device, nanoseconds. */
  readonly syncDeviceNs: number;
  /** When the engine started it, nanoseconds, or 0. */
  submittedNs: number;
  /** When it was seen to have ended, nanoseconds. */
  doneNs: number;
  /** Number of bytes that it moved. */
  moved: number;
  /** What the engine reported, or null. */
  error: string | null;
}

/** The queue of a direction. */
export class Side {
  /** Transfers that wait for the engine. */
  readonly waiting: Transfer[] = [];
  /** The transfer that the engine has. */
  active: Transfer | null = null;
  /** Transfers that have ended, the oldest first. */
  readonly done: Transfer[] = [];
  readonly #direction: Direction;

  /** @param direction The direction. */
  constructor(direction: Direction) {
    this.#direction = direction;
  }

  /** Number of blocks that the caller does not own. */
  get length(): number {
    return this.waiting.length + (this.active === null ? 0 : 1) + this.done.length;
  }

  /**
   * Tell whether a block is queued.
   *
   * @param block The block.
   * @returns Its place in the queue, or null.
   */
  stateOf(block: PlacedBlock): "queued" | "in-flight" | "done" | null {
    if (this.active?.block === block) return "in-flight";
    if (this.waiting.some((one) => one.block === block)) return "queued";
    return this.done.some((one) => one.block === block) ? "done" : null;
  }

  /**
   * Take what has ended off the engine, and give it the next transfer.
   *
   * @param engine The engine.
   * @param base Bus address of the buffer.
   * @param now Reads the clock.
   */
  pump(engine: UserEngine, base: number, now: () => number): void {
    if (this.active !== null) {
      const { done, bytes, error } = engine.look(this.#direction);
      if (!done) return;
      this.#end(this.active, bytes, error, now());
    }
    const next = this.waiting.shift();
    if (next === undefined) return;
    this.active = next;
    next.submittedNs = now();
    engine.start(this.#direction, base + next.block.place + next.offset, next.length);
  }

  /**
   * Return every block, after the engine was stopped.
   *
   * @param now Reads the clock.
   * @returns How many transfers had not ended.
   */
  abort(now: () => number): number {
    const open = [...this.active === null ? [] : [this.active], ...this.waiting.splice(0)];
    for (const transfer of open) {
      this.#end(transfer, 0, null, now());
    }
    return open.length;
  }

  #end(transfer: Transfer, moved: number, error: string | null, doneNs: number): void {
    transfer.moved = moved;
    transfer.error = error;
    transfer.doneNs = doneNs;
    this.done.push(transfer);
    if (this.active === transfer) this.active = null;
  }
}
