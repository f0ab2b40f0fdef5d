// SPDX-License-Identifier: MIT

/**
 * ENQUEUE_BATCH and DEQUEUE_BATCH: one system call for many blocks.
 *
 * @module
 */

import { AnswerError } from "./answer_error.ts";
import { type Block, blockInternals, type CompletedTransfer } from "./block.ts";
import { DEFAULT_TIMEOUT_MS, timeout, wholeNumber } from "./checks.ts";
import { DequeueArgument, EnqueueArgument, indexOf, setNumber } from "./codecs.ts";
import type { BatchItem, BatchWaitOptions } from "./device_options.ts";
import { enqueueError } from "./enqueue.ts";
import { ERRNO, ErrnoError } from "./errno.ts";
import { type Handle, requestError } from "./handle.ts";
import { causeOf, type Complete } from "./waits.ts";
import {
  DEQUEUE,
  DEQUEUE_BATCH,
  type Direction,
  DIRECTIONS,
  ENQUEUE,
  ENQUEUE_BATCH,
  IOC,
  MAX_BATCH,
} from "./uapi.ts";

/** Structs of one kind, one after another in memory. */
class Items<Argument> {
  readonly #size: number;
  readonly #make: (bytes: Uint8Array<ArrayBuffer>) => Argument;
  #bytes: Uint8Array<ArrayBuffer> = new Uint8Array(0);
  #list: Argument[] = [];

  constructor(size: number, make: (bytes: Uint8Array<ArrayBuffer>) => Argument) {
    this.#size = size;
    this.#make = make;
  }

  /** Memory of the structs, for as many of them as {@linkcode reserve} asked for. */
  get bytes(): Uint8Array<ArrayBuffer> {
    return this.#bytes;
  }

  /** Make room for `count` structs. */
  reserve(count: number): void {
    if (this.#list.length >= count) return;
    const size = this.#size;
    const bytes = new Uint8Array(count * size);
    this.#bytes = bytes;
    this.#list = Array.from(
      { length: count },
      (_, i) => this.#make(bytes.subarray(i * size, (i + 1) * size)),
    );
  }

  at(index: number): Argument {
    const item = this.#list[index];
    if (item === undefined) throw new RangeError(`Expected an item below ${this.#list.length}`);
    return item;
  }
}

/** The batches of one device. */
export class Batches {
  readonly #handle: Handle;
  readonly #complete: Complete;
  readonly #blocks = new Items(ENQUEUE.size, (bytes) => new EnqueueArgument(bytes));
  readonly #completions = new Items(DEQUEUE.size, (bytes) => new DequeueArgument(bytes));
  readonly #enqueue = new DataView(new ArrayBuffer(ENQUEUE_BATCH.size));
  readonly #dequeue = new DataView(new ArrayBuffer(DEQUEUE_BATCH.size));

  /**
   * Make batches for an open device.
   *
   * @param handle The open device.
   * @param complete Takes back the block of a completion.
   */
  constructor(handle: Handle, complete: Complete) {
    this.#handle = handle;
    this.#complete = complete;
  }

  /**
   * Enqueue blocks until one does not fit.
   *
   * @param items The blocks, and what to move.
   * @returns How many were enqueued.
   */
  enqueue(items: readonly BatchItem[]): number {
    const { length: count } = items;
    if (count === 0) return 0;
    checkCount("the number of items", count);
    this.#blocks.reserve(count);
    const seen = new Set<Block>();
    items.forEach((item, i) => {
      const { block } = item;
      if (seen.has(block)) {
        throw new RangeError(`Expected each block once, found Block ${block.id} twice`);
      }
      seen.add(block);
      blockInternals.prepare(block, this.#blocks.at(i), item);
    });
    const view = this.#enqueue;
    view.setUint32(ENQUEUE_BATCH.at.item_size, ENQUEUE.size, true);
    view.setUint32(ENQUEUE_BATCH.at.count, count, true);
    const { syscalls, fd } = this.#handle;
    const attachment = { at: ENQUEUE_BATCH.at.items, bytes: this.#blocks.bytes };
    let refused: ErrnoError | null = null;
    try {
      syscalls.ioctl(fd, IOC.ENQUEUE_BATCH, new Uint8Array(view.buffer), attachment);
    } catch (error) {
      if (!(error instanceof ErrnoError)) throw error;
      refused = error;
    }
    const done = refused === null ? view.getUint32(ENQUEUE_BATCH.at.done, true) : 0;
    if (done > count || (done === 0 && refused === null)) {
      throw wrongCount(this.#handle, "ENQUEUE_BATCH", count, done);
    }
    for (let i = 0; i < done; i++) {
      const item = items[i];
      if (item !== undefined) blockInternals.setState(item.block, "queued");
    }
    const item = items[done];
    if (item === undefined) return done;
    refused ??= new ErrnoError("ioctl PLDMA_IOC_ENQUEUE_BATCH", this.#blocks.at(done).error);
    if (refused.errno === ERRNO.EAGAIN) return done; // the queue is full
    throw enqueueError(refused, item.block, item);
  }

  /**
   * Wait for completions on this thread.
   *
   * @param direction The direction.
   * @param options How many, and how long to wait.
   * @returns The transfers, at least one.
   */
  dequeue(direction: Direction, options: BatchWaitOptions): CompletedTransfer[] {
    const { max, min = 1 } = options;
    checkCount("max", max);
    if (wholeNumber("min", min) < 1 || min > max) {
      throw new RangeError(`Expected min from 1 to ${max}, found ${min}`);
    }
    const timeoutMs = timeout(options.timeoutMs ?? DEFAULT_TIMEOUT_MS);
    this.#handle.setNonblocking(false);
    this.#completions.reserve(max);
    const view = this.#dequeue;
    view.setUint32(DEQUEUE_BATCH.at.item_size, DEQUEUE.size, true);
    view.setUint32(DEQUEUE_BATCH.at.count, max, true);
    view.setUint32(DEQUEUE_BATCH.at.min, min, true);
    const index = indexOf("direction", DIRECTIONS, direction);
    view.setUint32(DEQUEUE_BATCH.at.direction, index, true);
    setNumber(view, DEQUEUE_BATCH.at.deadline_ns, this.#handle.deadlineNs(timeoutMs));
    const { syscalls, fd } = this.#handle;
    const attachment = { at: DEQUEUE_BATCH.at.items, bytes: this.#completions.bytes };
    for (;;) {
      try {
        syscalls.ioctl(fd, IOC.DEQUEUE_BATCH, new Uint8Array(view.buffer), attachment);
        break;
      } catch (error) {
        if (!(error instanceof ErrnoError)) throw error;
        if (error.errno === ERRNO.EINTR) continue; // The deadline is absolute, so it stays the same.
        throw requestError(error, "DEQUEUE_BATCH", causeOf(error.errno, direction, timeoutMs));
      }
    }
    const done = view.getUint32(DEQUEUE_BATCH.at.done, true);
    if (done === 0 || done > max) throw wrongCount(this.#handle, "DEQUEUE_BATCH", max, done);
    return Array.from(
      { length: done },
      (_, i) => this.#complete(direction, this.#completions.at(i)),
    );
  }
}

function wrongCount({ path }: Handle, request: string, count: number, done: number): AnswerError {
  return new AnswerError(path, request, `from 1 to ${count} blocks`, `${done}`);
}

function checkCount(what: string, count: number): void {
  if (Number.isSafeInteger(count) && count >= 1 && count <= MAX_BATCH) return;
  throw new RangeError(`Expected ${what} to be from 1 to ${MAX_BATCH}, found ${count}`);
}
