// SPDX-License-Identifier: MIT

/**
 * Blocks: memory that is owned by the caller or by the driver, never by both.
 *
 * @module
 */

import { range, wholeNumber, word } from "./checks.ts";
import { ErrnoError } from "./errno.ts";
import { BlockStateError } from "./errors.ts";
import { explain, type Handle } from "./handle.ts";
import type { Mapping } from "./mapping.ts";
import { memoryFriend, type UserMemory } from "./memory.ts";
import {
  type Direction,
  type DriverState,
  ENQUEUE_FLAGS,
  FREE,
  IOC,
  type PolicyName,
  SYNC_OPS,
  type TransferStatus,
} from "./uapi.ts";

/**
 * Who owns a block. Between `enqueue()` and `dequeue()` a `Block` says `"queued"`; how far the driver
 * is with it, `"in-flight"` or `"done"`, is told by `Device.query()`.
 */
export type BlockState = DriverState | "freed";

/** A transfer that came back from the driver. Its block is the caller's again. */
export interface CompletedTransfer {
  /** The block. */
  readonly block: Block;
  /** Bytes moved. For rx this may be less than enqueued: a short frame is not an error. */
  readonly bytes: number;
  /** Start of the transfer in the block, bytes, as enqueued. */
  readonly offset: number;
  /** How the engine ended it. Other than `"ok"` only in a `TransferError`. */
  readonly status: TransferStatus;
  /** As enqueued. */
  readonly cookie: bigint;
  /** When the driver took the block, nanoseconds of CLOCK_MONOTONIC. */
  readonly queuedNs: number;
  /** When the engine was given it, nanoseconds of CLOCK_MONOTONIC. */
  readonly submittedNs: number;
  /** When the engine reported it, nanoseconds of CLOCK_MONOTONIC. */
  readonly doneNs: number;
  /** Spent to hand the memory to the device (sync, or pin and map), nanoseconds. */
  readonly syncDeviceNs: number;
  /** Spent to hand the memory to the CPU (sync, or unmap and unpin), nanoseconds. */
  readonly syncCpuNs: number;
  /** Check value over the bytes that the core saw, or null when the core computes none. */
  readonly check: number | null;
}

/** How to enqueue a block. */
export interface EnqueueOptions {
  /** Start of the transfer, bytes; 0 when left out. */
  readonly offset?: number;
  /** Bytes to send, or room for the frame to receive; the rest of the block when left out. */
  readonly length?: number;
  /** Handed back in the completion, 0 to 2^64 - 1; 0 when left out. */
  readonly cookie?: bigint;
  /** Sync the whole block, not only what moves, so that guard zones can be read. */
  readonly verify?: boolean;
  /** Accept an offset that is not cache-aligned: neighbours may share a cache line. */
  readonly unaligned?: boolean;
}

/** What a device knows of a block when it makes it; not part of the public API. */
export interface BlockInit {
  /** Id in the driver. */
  readonly id: number;
  /** Bytes. */
  readonly size: number;
  /** Direction. */
  readonly direction: Direction;
  /** Policy. */
  readonly policy: PolicyName;
  /** The open file. */
  readonly handle: Handle;
  /** The block's own mapping, or that of the memory it is registered on, or null without one. */
  readonly mapping: Mapping | null;
  /** Start in the mapping, bytes. */
  readonly base: number;
  /** The memory it is registered on. */
  readonly memory: UserMemory | null;
  /** Told when the block is freed. */
  readonly forget: (block: Block) => void;
}

/** What a device may do to its blocks; not part of the public API. */
export interface BlockFriend {
  /** Make a block. */
  create(init: BlockInit): Block;
  /** The driver gave the block another owner. */
  settle(block: Block, state: DriverState): void;
  /** The device is closing: revoke the views and drop the mapping. */
  close(block: Block): void;
}

let friend: BlockFriend;
const EMPTY = new Uint8Array(0);
const MAX_COOKIE = 0xffff_ffff_ffff_ffffn;
const DEFAULTS: EnqueueOptions = {};

/**
 * A block of memory that DMA reads (`tx`) or writes (`rx`). Made by `Device.alloc()` and
 * `Device.register()`.
 *
 * Only in state `"user"` may it be touched. `enqueue()` hands it to the driver and detaches every view
 * that `bytes()` gave out; the completion of `Device.dequeue()` hands it back.
 *
 * When the driver is unbound from the device, the memory goes and a touch kills the process (SIGBUS), as
 * it does any user of a mapped device.
 */
export class Block implements Disposable {
  /** Id in the driver, never reused while the device is open. */
  readonly id: number;
  /** Bytes. */
  readonly size: number;
  /** Which way its data goes. */
  readonly direction: Direction;
  /** Where its memory comes from and who syncs caches. */
  readonly policy: PolicyName;
  /**
   * Whether the CPU may store to it. False for receive blocks of `streaming-lazy`, whose pages are
   * read-only, so that a store through a view kills the process, and for `bounce`.
   */
  readonly writable: boolean;

  readonly #handle: Handle;
  readonly #base: number;
  readonly #memory: UserMemory | null;
  readonly #forget: (block: Block) => void;
  #mapping: Mapping | null;
  #state: BlockState = "user";
  /** A view for internal use, and the buffer that it is over. */
  #view: Uint8Array<ArrayBuffer> = EMPTY;
  #viewed: ArrayBuffer = EMPTY.buffer;

  static {
    friend = {
      create: (init) => new Block(init),
      settle: (block, state) => {
        block.#state = state;
      },
      close: (block) => block.#drop(),
    };
  }

  private constructor(init: BlockInit) {
    this.id = init.id;
    this.size = init.size;
    this.direction = init.direction;
    this.policy = init.policy;
    this.writable = init.mapping !== null &&
      !(init.policy === "streaming-lazy" && init.direction === "rx");
    this.#handle = init.handle;
    this.#mapping = init.mapping;
    this.#base = init.base;
    this.#memory = init.memory;
    this.#forget = init.forget;
    if (init.memory !== null) memoryFriend.attach(init.memory);
  }

  /** Who owns the block, as this process knows it. */
  get state(): BlockState {
    return this.#state;
  }

  /** Address of the first byte in this process; 0 when the block has no mapping. */
  get address(): bigint {
    return this.#mapping === null ? 0n : this.#mapping.address + BigInt(this.#base);
  }

  /**
   * The block's memory. The view is good until the block is enqueued, freed, or its device closed; then
   * it is detached and reads as empty. The views of blocks registered on the same `UserMemory` are
   * detached together. Where {@linkcode writable} is false, a store to it kills the process.
   *
   * @returns A view over the whole block.
   * @throws {BlockStateError} Unless the caller owns the block and it is mapped.
   */
  bytes(): Uint8Array<ArrayBuffer> {
    const view = this.#owned("reading it");
    this.#mapping?.lend();
    return view;
  }

  /**
   * Copy bytes into the block.
   *
   * @param source The bytes.
   * @param offset Where to put them, bytes from the start.
   * @throws {BlockStateError} Unless the caller owns the block and may write it.
   * @throws {RangeError} When they do not fit.
   */
  set(source: Uint8Array, offset = 0): void {
    const view = this.#owned("writing it");
    if (!this.writable) throw this.#readOnly();
    range(`Block ${this.id}`, this.size, offset, source.length);
    view.set(source, offset);
  }

  /**
   * Fill the block with one byte.
   *
   * @param value The byte, 0 to 255.
   * @param offset Where to start, bytes.
   * @param length How many bytes; the rest of the block when left out.
   * @throws {BlockStateError} Unless the caller owns the block and may write it.
   * @throws {RangeError} When the value is no byte or the range does not fit.
   */
  fill(value: number, offset = 0, length: number = this.size - offset): void {
    const view = this.#owned("writing it");
    if (!this.writable) throw this.#readOnly();
    range(`Block ${this.id}`, this.size, offset, length);
    if (word("value", value) > 255) throw new RangeError(`Expected a byte, found ${value}`);
    view.fill(value, offset, offset + length);
  }

  /**
   * Copy bytes out of the block, without handing out a view.
   *
   * @param target Where to put them; its length says how many.
   * @param offset Where to start in the block, bytes.
   * @throws {BlockStateError} Unless the caller owns the block and it is mapped.
   * @throws {RangeError} When the block does not hold that many.
   */
  copyTo(target: Uint8Array, offset = 0): void {
    const view = this.#owned("reading it");
    range(`Block ${this.id}`, this.size, offset, target.length);
    target.set(view.subarray(offset, offset + target.length));
  }

  /**
   * Compare the block with bytes at memory speed. Hands out no view.
   *
   * @param expected The bytes, compared from their beginning.
   * @param offset Where to start in the block, bytes.
   * @param length How many bytes to compare; all of `expected` when left out.
   * @returns Whether all are equal.
   * @throws {BlockStateError} Unless the caller owns the block and it is mapped.
   * @throws {RangeError} When either side does not hold that many.
   */
  equals(expected: Uint8Array, offset = 0, length: number = expected.length): boolean {
    const mapping = this.#mapped("reading it");
    range(`Block ${this.id}`, this.size, offset, length);
    range("expected", expected.length, 0, length);
    return this.#handle.syscalls.equal(mapping, this.#base + offset, expected, length);
  }

  /**
   * Hand the block to the driver, which owns it until it is dequeued. Every view is detached.
   *
   * @param options What to move.
   * @throws {BlockStateError} Unless the caller owns the block.
   * @throws {RangeError} When a number is not one that the ABI can hold.
   * @throws {ErrnoError} EAGAIN when the queue is full, EINVAL when the range is outside the block or
   * not aligned, EBUSY when the engine has no descriptor left, EIO when it is not idle after a failed
   * RESET, ENODEV when the device is gone. The block is then still the caller's and unchanged, but its
   * views are detached.
   */
  enqueue(options: EnqueueOptions = DEFAULTS): void {
    if (this.#state !== "user") throw this.#notUser("enqueuing it");
    const offset = wholeNumber("offset", options.offset ?? 0);
    const length = wholeNumber("length", options.length ?? Math.max(this.size - offset, 0));
    const cookie = options.cookie ?? 0n;
    if (cookie < 0n || cookie > MAX_COOKIE) {
      throw new RangeError(`Expected cookie from 0 to 2^64 - 1, found ${cookie}`);
    }
    const flags = (options.verify === true ? ENQUEUE_FLAGS.verify : 0) |
      (options.unaligned === true ? ENQUEUE_FLAGS.unaligned : 0);
    const { syscalls, fd, enqueue: argument } = this.#handle;
    this.#mapping?.revoke();
    argument.pack(this.id, flags, offset, length, cookie);
    try {
      syscalls.ioctl(fd, IOC.ENQUEUE, argument.bytes);
    } catch (error) {
      throw explain(error, "ENQUEUE", this.#refusal(error, offset, length));
    }
    this.#state = "queued";
  }

  /**
   * Hand a range to the device (clean caches), for policy `manual`.
   *
   * @param offset Start of the range, bytes; any alignment.
   * @param length Bytes; the rest of the block when left out.
   * @returns What it took, nanoseconds.
   * @throws {BlockStateError} Unless the caller owns the block.
   * @throws {ErrnoError} EINVAL for another policy or a range outside the block.
   */
  syncForDevice(offset = 0, length: number = this.size - offset): number {
    return this.#sync("for-device", offset, length);
  }

  /**
   * Hand a range to the CPU (invalidate caches), for policy `manual`.
   *
   * @param offset Start of the range, bytes; any alignment.
   * @param length Bytes; the rest of the block when left out.
   * @returns What it took, nanoseconds.
   * @throws {BlockStateError} Unless the caller owns the block.
   * @throws {ErrnoError} EINVAL for another policy or a range outside the block.
   */
  syncForCpu(offset = 0, length: number = this.size - offset): number {
    return this.#sync("for-cpu", offset, length);
  }

  /**
   * Give the block back to the driver: detach the views, unmap, free. Memory that it was registered on
   * may be disposed afterwards.
   *
   * @throws {BlockStateError} Unless the caller owns the block.
   * @throws {ErrnoError} When the driver refuses.
   */
  free(): void {
    if (this.#state !== "user") throw this.#notUser("freeing it");
    const registered = this.#memory !== null;
    const argument = new Uint8Array(FREE.size);
    new DataView(argument.buffer).setUint32(FREE.at.id, this.id, true);
    // FREE refuses a block that is mapped; memory of the caller stays mapped.
    const unmap = this.#mapping !== null && !registered;
    if (unmap) this.#drop();
    this.#handle.ioctl(registered ? "UNREGISTER" : "FREE", argument, `Block ${this.id}`);
    if (!unmap) this.#drop();
    this.#forget(this);
  }

  /**
   * {@linkcode free} at the end of a scope. A block that the driver owns, or that was freed, is left to
   * its device: closing that gives everything back.
   */
  [Symbol.dispose](): void {
    if (this.#state === "user" && this.#handle.open) this.free();
  }

  #sync(op: (typeof SYNC_OPS)[number], offset: number, length: number): number {
    if (this.#state !== "user") throw this.#notUser("syncing it");
    const { sync } = this.#handle;
    sync.pack(
      this.id,
      SYNC_OPS.indexOf(op),
      wholeNumber("offset", offset),
      wholeNumber("length", length),
    );
    const detail =
      `Block ${this.id}, policy ${this.policy}: ${length} of ${this.size} bytes at ${offset}`;
    this.#handle.ioctl("SYNC", sync.bytes, detail);
    return sync.ns;
  }

  /** The internal view, after a check that the caller owns the memory. */
  #owned(purpose: string): Uint8Array<ArrayBuffer> {
    const { buffer } = this.#mapped(purpose);
    if (this.#viewed !== buffer) {
      this.#viewed = buffer;
      this.#view = new Uint8Array(buffer, this.#base, this.size);
    }
    return this.#view;
  }

  #mapped(purpose: string): Mapping {
    if (this.#state !== "user") throw this.#notUser(purpose);
    if (this.#mapping !== null) return this.#mapping;
    throw new BlockStateError(
      this.id,
      this.#state,
      `Block ${this.id} has no mapping: policy ${this.policy} is used by readFrame and writeFrame`,
    );
  }

  /** Detach the views, drop the mapping, and be freed. */
  #drop(): void {
    if (this.#state === "freed") return;
    this.#state = "freed";
    const mapping = this.#mapping;
    this.#mapping = null;
    this.#view = EMPTY;
    this.#viewed = EMPTY.buffer;
    if (this.#memory !== null) {
      mapping?.revoke();
      memoryFriend.detach(this.#memory);
    } else if (mapping !== null) {
      this.#handle.syscalls.munmap(mapping);
    }
  }

  #notUser(purpose: string): BlockStateError {
    const { id } = this;
    const advice: Record<BlockState, string> = {
      "user": "",
      "queued": `dequeue it before ${purpose}`,
      "in-flight": `dequeue it before ${purpose}`,
      "done": `dequeue it before ${purpose}`,
      "quarantined": `the engine may still reach it: reset the device before ${purpose}`,
      "freed": `allocate another instead of ${purpose}`,
    };
    return new BlockStateError(
      id,
      this.#state,
      `Block ${id} is ${this.#state}: ${advice[this.#state]}`,
    );
  }

  #readOnly(): BlockStateError {
    return new BlockStateError(
      this.id,
      this.#state,
      `Block ${this.id} is read-only: only the device writes receive blocks of policy ${this.policy}`,
    );
  }

  #refusal(error: unknown, offset: number, length: number): string {
    const what = `Block ${this.id}, ${length} of ${this.size} bytes at ${offset}`;
    const why: Record<string, string> = {
      EAGAIN: `the ${this.direction} queue is full: dequeue first`,
      EBUSY:
        "the engine has no descriptor left, or the driver does not take the block for the caller's",
      EINVAL:
        "expected a range inside the block, as the engine and the cache align it (or unaligned: true)",
      EIO: "the engine is not idle: reset the device",
    };
    const reason = error instanceof ErrnoError ? why[error.code] : undefined;
    return reason === undefined ? what : `${what}: ${reason}`;
  }
}

/** The door that {@linkcode Block} leaves open for its device; not part of the public API. */
export const blockFriend: BlockFriend = friend;
