// SPDX-License-Identifier: MIT

/**
 * Blocks of memory. At any time either the caller or the driver owns a block, never both.
 *
 * This file is longer than 400 lines because every method has its documentation.
 *
 * @module
 */

import { AnswerError } from "./answer_error.ts";
import { type BlockState, BlockStateError, notOwned } from "./block_state.ts";
import { isInside, outside, range, uint32, wholeNumber } from "./checks.ts";
import { enqueueError, type EnqueueOptions, packEnqueue } from "./enqueue.ts";
import { type DequeueArgument, type EnqueueArgument, setNumber } from "./codecs.ts";
import type { Handle } from "./handle.ts";
import type { Mapping } from "./mapping.ts";
import { bufferInternals, type DmaBuffer } from "./dma_buffer.ts";
import { memoryInternals, type UserMemory } from "./memory.ts";
import { STAMP_SIZE } from "./stamp.ts";
import {
  CACHE,
  CACHE_OPS,
  type CacheOp,
  type Direction,
  type DriverState,
  FREE,
  IOC,
  type PolicyName,
  SYNC_OPS,
  type SyncOp,
  type TransferStatus,
} from "./uapi.ts";

export type { EnqueueOptions } from "./enqueue.ts";

/** A transfer that ended. The caller owns its block again. */
export interface CompletedTransfer {
  /** The block. */
  readonly block: Block;
  /** Number of bytes moved. For rx it may be less than enqueued, because a short frame is no error. */
  readonly bytes: number;
  /** Start of the transfer in the block as enqueued, bytes. */
  readonly offset: number;
  /**
   * How the transfer ended. A status other than `"ok"` only occurs in a `TransferError`, and in the result of
   * `Device.dequeueBatch()`.
   */
  readonly status: TransferStatus;
  /** The number that the caller passed to `enqueue()`. */
  readonly cookie: bigint;
  /** When the driver accepted the block, nanoseconds of CLOCK_MONOTONIC. */
  readonly queuedNs: number;
  /** When the driver submitted the transfer to the engine, nanoseconds of CLOCK_MONOTONIC. */
  readonly submittedNs: number;
  /** When the engine reported completion, nanoseconds of CLOCK_MONOTONIC. */
  readonly doneNs: number;
  /** Time to hand the memory to the device (sync, or pin and map), nanoseconds. */
  readonly syncDeviceNs: number;
  /** Time to hand the memory to the CPU (sync, or unmap and unpin), nanoseconds. */
  readonly syncCpuNs: number;
  /** Check value of the bytes that the core read or wrote, or null if the core computes none. */
  readonly check: number | null;
  /** The words that came beside a received frame, always four. Absent if the engine passes none. */
  readonly sideband?: readonly number[];
}

/** What a device passes to a new block. Not part of the public API. */
export interface BlockInit {
  /** Id in the driver. */
  readonly id: number;
  /** Size, bytes. */
  readonly size: number;
  /** Direction of its transfers. */
  readonly direction: Direction;
  /** Policy. */
  readonly policy: PolicyName;
  /** The open device file. */
  readonly handle: Handle;
  /** The mapping of its memory, or null if the block is not mapped. */
  readonly mapping: Mapping | null;
  /** Start of the block in the mapping, bytes. */
  readonly base: number;
  /** The user memory that the block is registered on, or null if the driver owns the memory. */
  readonly memory: UserMemory | null;
  /** The buffer that the block was imported from, or null. */
  readonly buffer?: DmaBuffer;
  /** Called after the block was freed. */
  readonly onFree: (block: Block) => void;
}

/** What only a device may do with its blocks. Not part of the public API. */
export interface BlockInternals {
  /** Create a block. */
  create(init: BlockInit): Block;
  /** Record a change of state in the driver. */
  setState(block: Block, state: DriverState): void;
  /** Check and pack an ENQUEUE, and detach every view. The block stays in state `"user"`. */
  prepare(block: Block, argument: EnqueueArgument, options: EnqueueOptions): void;
  /**
   * Check that a completion can be that of the block. The caller compares the cookie, because it knows which
   * transfer it expects.
   */
  check(block: Block, direction: Direction, argument: DequeueArgument): void;
  /** Revoke the views and drop the mapping, because the device is closing. */
  close(block: Block): void;
}

let internals: BlockInternals;
const EMPTY = new Uint8Array(0);
const DEFAULTS: EnqueueOptions = {};

/**
 * A block of memory that DMA reads (`tx`) or writes (`rx`). `Device.alloc()`, `Device.register()` and
 * `Device.import()` create blocks.
 *
 * The caller may access a block only in state `"user"`. `enqueue()` hands the block to the driver and
 * detaches every view that `bytes()` returned. `Device.dequeue()` hands the block back.
 *
 * If the driver is unbound from the device, memory of the policies `coherent`, `write-combine` and
 * `noncoherent` is unmapped. An access then kills the process with SIGBUS.
 */
export class Block implements Disposable {
  /** Id in the driver. It is not reused while the device is open. */
  readonly id: number;
  /** Size, bytes. */
  readonly size: number;
  /** Direction of its transfers. */
  readonly direction: Direction;
  /** Where its memory comes from and who syncs caches. */
  readonly policy: PolicyName;
  /**
   * Whether the CPU may write to the block. False for policy `bounce`, which has no mapping, and for
   * receive blocks of policy `streaming-lazy`. The pages of the latter are read-only, so a store through
   * a view kills the process.
   */
  readonly writable: boolean;

  readonly #handle: Handle;
  readonly #base: number;
  readonly #memory: UserMemory | null;
  readonly #buffer: DmaBuffer | null;
  readonly #onFree: (block: Block) => void;
  #mapping: Mapping | null;
  #state: BlockState = "user";
  /** What was enqueued last. */
  #offset = 0;
  #length = 0;
  /** The view that `bytes()` returned last, and the buffer that it was made from. */
  #view: Uint8Array<ArrayBuffer> = EMPTY;
  #viewed: ArrayBuffer = EMPTY.buffer;

  static {
    internals = {
      create: (init) => new Block(init),
      setState: (block, state) => {
        block.#state = state;
      },
      prepare: (block, argument, options) => block.#prepare(argument, options),
      check: (block, direction, argument) => block.#check(direction, argument),
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
    this.#buffer = init.buffer ?? null;
    this.#onFree = init.onFree;
    if (init.memory !== null) memoryInternals.attach(init.memory);
    if (init.buffer !== undefined) bufferInternals.attach(init.buffer);
  }

  /** Who owns the block, as far as this process knows. */
  get state(): BlockState {
    return this.#state;
  }

  /** Address of the first byte in this process, or 0 if the block has no mapping. */
  get address(): bigint {
    return this.#mapping === null ? 0n : this.#mapping.address + BigInt(this.#base);
  }

  /**
   * Get a view of the block's memory. The view is detached, and then has length 0, when the block is
   * enqueued or freed, and when its device is closed. Views of blocks that are registered on the same
   * `UserMemory` are detached together. If {@linkcode writable} is false, a store to the view kills the
   * process.
   *
   * @returns A view of the whole block.
   * @throws {BlockStateError} If the caller does not own the block, or the block is not mapped.
   * @throws {Error} If the block is on another machine. Use `set()`, `fill()`, `copyTo()` and `equals()`.
   */
  bytes(): Uint8Array<ArrayBuffer> {
    const buffer = this.#access("reading it", 0, this.size).lend();
    if (this.#viewed !== buffer) {
      this.#viewed = buffer;
      this.#view = new Uint8Array(buffer, this.#base, this.size);
    }
    return this.#view;
  }

  /**
   * Copy bytes into the block.
   *
   * @param source The bytes to copy.
   * @param offset Start in the block, bytes. Defaults to 0.
   * @throws {BlockStateError} If the caller does not own the block or must not write to it.
   * @throws {RangeError} If the bytes do not fit.
   */
  set(source: Uint8Array, offset = 0): void {
    const mapping = this.#access("writing it", offset, source.length);
    mapping.set(source, this.#base + offset);
  }

  /**
   * Copy bytes into the block, except for the last four, which a stamp replaces. Takes less time than two calls.
   *
   * @param source The bytes to copy, at least four.
   * @param stamp What the last four bytes hold: a signed 32-bit word, little-endian.
   * @param offset Start in the block, bytes. Defaults to 0.
   * @throws {BlockStateError} If the caller does not own the block or must not write to it.
   * @throws {RangeError} If there are fewer than four bytes or they do not fit.
   */
  setStamped(source: Uint8Array, stamp: number, offset = 0): void {
    const { length } = source;
    if (length < STAMP_SIZE) throw tooShort(length);
    const mapping = this.#access("writing it", offset, length);
    const start = this.#base + offset;
    mapping.set(source, start);
    mapping.setInt32(start + length - STAMP_SIZE, stamp);
  }

  /**
   * Fill the block, or a part of it, with one byte.
   *
   * @param value The byte, from 0 to 255.
   * @param offset Start in the block, bytes. Defaults to 0.
   * @param length Number of bytes. Defaults to the rest of the block.
   * @throws {BlockStateError} If the caller does not own the block or must not write to it.
   * @throws {RangeError} If the value is not a byte or the range does not fit.
   */
  fill(value: number, offset = 0, length: number = this.size - offset): void {
    const mapping = this.#access("writing it", offset, length);
    if (uint32("value", value) > 255) throw new RangeError(`Expected a byte, found ${value}`);
    mapping.fill(value, this.#base + offset, length);
  }

  /**
   * Copy bytes out of the block. Creates no view.
   *
   * @param target Receives the bytes. Its length is the number of bytes to copy.
   * @param offset Start in the block, bytes. Defaults to 0.
   * @throws {BlockStateError} If the caller does not own the block, or the block is not mapped.
   * @throws {RangeError} If the range is not inside the block.
   */
  copyTo(target: Uint8Array, offset = 0): void {
    const mapping = this.#access("reading it", offset, target.length);
    mapping.copyTo(target, this.#base + offset);
  }

  /**
   * Compare bytes of the block with expected bytes by `memcmp()`. Creates no view.
   *
   * @param expected The expected bytes, starting at index 0.
   * @param offset Start in the block, bytes. Defaults to 0.
   * @param length Number of bytes to compare. Defaults to the length of `expected`.
   * @returns Whether all bytes are equal.
   * @throws {BlockStateError} If the caller does not own the block, or the block is not mapped.
   * @throws {RangeError} If the block or `expected` is too short.
   */
  equals(expected: Uint8Array, offset = 0, length: number = expected.length): boolean {
    const mapping = this.#access("reading it", offset, length);
    if (length > expected.length) throw outside("expected", expected.length, 0, length);
    return this.#handle.syscalls.equal(mapping, this.#base + offset, expected, length);
  }

  /**
   * Compare bytes of the block with what {@linkcode setStamped} stored. Creates no view.
   *
   * @param expected The expected bytes, at least four.
   * @param stamp What the last four bytes must hold in their place.
   * @param offset Start in the block, bytes. Defaults to 0.
   * @returns Whether all bytes are equal.
   * @throws {BlockStateError} If the caller does not own the block, or the block is not mapped.
   * @throws {RangeError} If there are fewer than four bytes or the block is too short.
   */
  equalsStamped(expected: Uint8Array, stamp: number, offset = 0): boolean {
    const { length } = expected;
    if (length < STAMP_SIZE) throw tooShort(length);
    const mapping = this.#access("reading it", offset, length);
    const rest = length - STAMP_SIZE;
    const start = this.#base + offset;
    return this.#handle.syscalls.equal(mapping, start, expected, rest) &&
      mapping.getInt32(start + rest) === stamp;
  }

  /**
   * Hand the block to the driver, which owns it until it is dequeued. Detaches every view.
   *
   * @param options What to move.
   * @throws {BlockStateError} If the caller does not own the block.
   * @throws {RangeError} If the ABI cannot represent a number.
   * @throws {ErrnoError} EAGAIN if the queue is full, EINVAL if the range is outside the block or not
   * aligned, EBUSY if the engine has no free descriptor, ENOMEM if its driver has no memory for one, EIO if the engine is not idle after a failed
   * RESET, ENODEV if the device is gone. The caller then still owns the unchanged block, but its views
   * are detached.
   */
  enqueue(options: EnqueueOptions = DEFAULTS): void {
    const { syscalls, fd, enqueue: argument } = this.#handle;
    this.#prepare(argument, options);
    try {
      syscalls.ioctl(fd, IOC.ENQUEUE, argument.bytes);
    } catch (error) {
      throw enqueueError(error, this, options);
    }
    this.#state = "queued";
  }

  /**
   * Hand a range to the device under policy `manual` (clean caches), or the whole buffer under `dma-buf`.
   *
   * @param offset Start of the range, bytes, without alignment rules. Defaults to 0.
   * @param length Number of bytes. Defaults to the rest of the block.
   * @returns Duration of the sync calls, nanoseconds.
   * @throws {BlockStateError} If the caller does not own the block.
   * @throws {ErrnoError} EINVAL if the policy is neither `manual` nor `dma-buf`, or the range is outside the block.
   */
  syncForDevice(offset = 0, length: number = this.size - offset): number {
    return this.#sync("for-device", offset, length);
  }

  /**
   * Hand a range to the CPU under policy `manual` (invalidate caches), or the whole buffer under `dma-buf`.
   *
   * @param offset Start of the range, bytes, without alignment rules. Defaults to 0.
   * @param length Number of bytes. Defaults to the rest of the block.
   * @returns Duration of the sync calls, nanoseconds.
   * @throws {BlockStateError} If the caller does not own the block.
   * @throws {ErrnoError} EINVAL if the policy is neither `manual` nor `dma-buf`, or the range is outside the block.
   */
  syncForCpu(offset = 0, length: number = this.size - offset): number {
    return this.#sync("for-cpu", offset, length);
  }

  /**
   * Do a raw operation on the cache lines of a range under policy `manual`, whatever the kernel believes about
   * the device. For an audit of what the hardware snoops. `"invalidate"` drops what was stored and not cleaned.
   *
   * @param op The operation.
   * @param offset Start of the range, bytes, a multiple of `cacheAlign` of INFO. Defaults to 0.
   * @param length Number of bytes, a multiple of `cacheAlign`. Defaults to the rest of the block.
   * @throws {BlockStateError} If the caller does not own the block.
   * @throws {ErrnoError} EPERM without CAP_SYS_RAWIO, EINVAL if the policy is not `manual` or the range is not
   * aligned or not inside the block, EOPNOTSUPP if the processor has no such operation, as x86 has no
   * `"invalidate"`.
   */
  cache(op: CacheOp, offset = 0, length: number = this.size - offset): void {
    if (this.#state !== "user") throw notOwned(this.id, this.#state, "cleaning its cache lines");
    const argument = new Uint8Array(CACHE.size);
    const view = new DataView(argument.buffer);
    view.setUint32(CACHE.at.id, this.id, true);
    view.setUint32(CACHE.at.op, CACHE_OPS.indexOf(op), true);
    setNumber(view, CACHE.at.offset, wholeNumber("offset", offset));
    setNumber(view, CACHE.at.length, wholeNumber("length", length));
    const detail = `Block ${this.id}, policy ${this.policy}: ${op} ${length} bytes at ${offset}`;
    this.#handle.ioctl("CACHE", argument, detail);
  }

  /**
   * Free the block: detach the views, unmap the memory, and release it in the driver. `UserMemory` that
   * the block was registered on may be disposed afterwards.
   *
   * @throws {BlockStateError} If the caller does not own the block.
   * @throws {ErrnoError} If the request fails.
   */
  free(): void {
    if (this.#state !== "user") throw notOwned(this.id, this.#state, "freeing it");
    const registered = this.#memory !== null;
    const argument = new Uint8Array(FREE.size);
    new DataView(argument.buffer).setUint32(FREE.at.id, this.id, true);
    // FREE refuses a block that is mapped. UserMemory stays mapped.
    const unmap = this.#mapping !== null && !registered && this.#buffer === null;
    if (unmap) this.#drop();
    this.#handle.ioctl(registered ? "UNREGISTER" : "FREE", argument, `Block ${this.id}`);
    if (!unmap) this.#drop();
    this.#onFree(this);
  }

  /**
   * {@linkcode free} the block at the end of a scope if the caller owns it. Does nothing in any other
   * state, because closing the device releases all blocks.
   */
  [Symbol.dispose](): void {
    if (this.#state === "user" && this.#handle.open) this.free();
  }

  #prepare(argument: EnqueueArgument, options: EnqueueOptions): void {
    if (this.#state !== "user") throw notOwned(this.id, this.#state, "enqueuing it");
    packEnqueue(argument, this, options);
    this.#offset = argument.offset;
    this.#length = argument.length;
    this.#mapping?.revoke();
  }

  #check(direction: Direction, argument: DequeueArgument): void {
    const wrong = (expected: string, found: unknown) =>
      new AnswerError(this.#handle.path, "DEQUEUE", expected, `${found}`);
    const name = `Block ${this.id}`;
    if (this.#state === "user" || this.#state === "freed") {
      throw wrong(`a block that is enqueued`, `${name}, which the caller owns`);
    }
    if (this.direction !== direction) {
      throw wrong(`a ${direction} block`, `the ${this.direction} ${name}`);
    }
    if (argument.offset !== this.#offset) {
      throw wrong(`offset ${this.#offset} of ${name}, as enqueued`, argument.offset);
    }
    if (argument.length > this.#length) {
      throw wrong(`at most the ${this.#length} bytes that ${name} has room for`, argument.length);
    }
    if ((argument.status === 0) !== (argument.error === 0)) {
      const status = `status ${argument.status} with error ${argument.error}`;
      throw wrong(`an error of ${name} if its status is one`, status);
    }
    const { queuedNs, submittedNs, doneNs } = argument;
    // a block that the engine did not accept was never submitted
    if (
      queuedNs > doneNs || (submittedNs !== 0 && (queuedNs > submittedNs || submittedNs > doneNs))
    ) {
      throw wrong(
        `the times of ${name} in the order queued, submitted, done`,
        `${queuedNs}, ${submittedNs}, ${doneNs}`,
      );
    }
  }

  #sync(op: SyncOp, offset: number, length: number): number {
    if (this.#state !== "user") throw notOwned(this.id, this.#state, "syncing it");
    if (this.#buffer !== null) {
      range(`Block ${this.id}`, this.size, offset, length);
      const start = this.#handle.syscalls.monotonicNs();
      this.#buffer.sync(op);
      return this.#handle.syscalls.monotonicNs() - start;
    }
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

  /**
   * Get the mapping, if the caller may access a range of the block. V8 compiles short functions into their
   * callers, so what happens for every frame is apart from the refusal.
   */
  #access(purpose: "reading it" | "writing it", offset: number, length: number): Mapping {
    const mapping = this.#mapping;
    if (
      mapping === null || this.#state !== "user" || !isInside(this.size, offset, length) ||
      !(this.writable || purpose === "reading it")
    ) {
      throw this.#refusal(purpose, offset, length);
    }
    return mapping;
  }

  #refusal(purpose: string, offset: number, length: number): Error {
    if (this.#state !== "user") return notOwned(this.id, this.#state, purpose);
    const error = (why: string) =>
      new BlockStateError(this.id, this.#state, `Block ${this.id} ${why}`);
    if (this.#mapping === null) {
      return error(`has no mapping: use readFrame and writeFrame with policy ${this.policy}`);
    }
    if (!isInside(this.size, offset, length)) {
      return outside(`Block ${this.id}`, this.size, offset, length);
    }
    return error(
      `is read-only: only the device may write to receive blocks of policy ${this.policy}`,
    );
  }

  /** Detach the views, drop the mapping, and enter state `"freed"`. */
  #drop(): void {
    if (this.#state === "freed") return;
    this.#state = "freed";
    const mapping = this.#mapping;
    this.#mapping = null;
    this.#view = EMPTY;
    this.#viewed = EMPTY.buffer;
    if (this.#memory !== null) {
      mapping?.revoke();
      memoryInternals.detach(this.#memory);
    } else if (this.#buffer !== null) {
      mapping?.revoke();
      bufferInternals.detach(this.#buffer);
    } else if (mapping !== null) {
      this.#handle.syscalls.munmap(mapping);
    }
  }
}

function tooShort(length: number): RangeError {
  return new RangeError(`Expected at least the ${STAMP_SIZE} bytes of a stamp, found ${length}`);
}

/** What {@linkcode Block} leaves to its device. Not part of the public API. */
export const blockInternals: BlockInternals = internals;
