// SPDX-License-Identifier: MIT

/**
 * A device: one pair of DMA channels under `/dev/pldmaN`.
 *
 * This file is longer than 400 lines because every method has its documentation.
 *
 * @module
 */

import { AnswerError } from "./answer_error.ts";
import { allocateBlocks, exportBlock, importBuffer, registerMemory } from "./allocation.ts";
import { Batches } from "./batches.ts";
import { type Block, blockInternals, type CompletedTransfer } from "./block.ts";
import { type BlockQuery, queryBlock } from "./block_query.ts";
import { timeout } from "./checks.ts";
import { type DequeueArgument, nameOf, requireLittleEndian } from "./codecs.ts";
import type { DmaBuffer } from "./dma_buffer.ts";
import type {
  AllocOptions,
  BatchItem,
  BatchWaitOptions,
  ImportOptions,
  OpenOptions,
  Readiness,
  RegisterOptions,
  ResetOptions,
  ResetResult,
  WaitOptions,
} from "./device_options.ts";
import { ResetError } from "./errors.ts";
import { FrameIo } from "./frame_io.ts";
import { Handle } from "./handle.ts";
import type { DeviceInfo } from "./info.ts";
import { libc } from "./libc.ts";
import type { UserMemory } from "./memory.ts";
import { readInfo } from "./read_info.ts";
import { sendReset } from "./reset.ts";
import { describeShortage } from "./shortage.ts";
import { type DeviceStats, unpackStats } from "./stats.ts";
import { O_CLOEXEC, O_RDWR, POLLERR, POLLHUP, POLLIN, POLLOUT, type Syscalls } from "./syscalls.ts";
import { type Direction, DIRECTIONS, STATS, STATS_FLAGS, STATUSES } from "./uapi.ts";
import { Waits } from "./waits.ts";

/**
 * An open device. It owns the open file and every block. Disposing it revokes all views, unmaps all blocks,
 * and closes the file. Only one process can have a device open at a time.
 *
 * @example Send a frame through a loopback core
 * ```ts ignore
 * import { Device } from "@plumbline/hil";
 *
 * using device = Device.open();
 * const [tx] = device.alloc({ size: 4096, direction: "tx", policy: "streaming" });
 * const [rx] = device.alloc({ size: 4096, direction: "rx", policy: "streaming" });
 * if (tx === undefined || rx === undefined) throw new Error("Expected two blocks");
 * const frame = crypto.getRandomValues(new Uint8Array(4096));
 * rx.enqueue();
 * tx.set(frame);
 * tx.enqueue();
 * device.dequeue("tx");
 * const { bytes } = device.dequeue("rx", { timeoutMs: 1000 });
 * console.log(bytes, rx.equals(frame));
 * ```
 */
export class Device implements Disposable, AsyncDisposable {
  /** Path of the device. */
  readonly path: string;
  readonly #handle: Handle;
  readonly #blocks = new Map<number, Block>();
  readonly #waits: Waits;
  readonly #batches: Batches;
  readonly #frames: FrameIo;
  readonly #onFree = (block: Block): void => {
    this.#blocks.delete(block.id);
  };
  #info: DeviceInfo;

  private constructor(handle: Handle, info: DeviceInfo) {
    this.path = handle.path;
    this.#handle = handle;
    this.#waits = new Waits(handle, (...answer) => this.#complete(...answer));
    this.#batches = new Batches(handle, (...answer) => this.#complete(...answer));
    this.#frames = new FrameIo(handle);
    this.#info = info;
  }

  /**
   * Open a device and check that its driver implements the ABI version of this binding.
   *
   * @param options What to open.
   * @returns The device, which the caller owns.
   * @throws {ErrnoError} ENOENT if there is no such device, EACCES without permission, EBUSY if the device
   * is already open.
   * @throws {AbiMismatchError} If the driver implements another version.
   */
  static open(options?: OpenOptions): Device {
    requireLittleEndian();
    const path = options?.path ?? "/dev/pldma0";
    const syscalls = options?.syscalls ?? libc;
    const handle = new Handle(path, syscalls, syscalls.open(path, O_RDWR | O_CLOEXEC));
    try {
      return new Device(handle, readInfo(handle));
    } catch (error) {
      handle.close();
      throw error;
    }
  }

  /** What the device reported about itself, at {@linkcode open} or at the last {@linkcode refreshInfo}. */
  get info(): DeviceInfo {
    return this.#info;
  }

  /**
   * The open file descriptor, for requests that this class does not support. The device owns it, so do not
   * close it.
   */
  get fd(): number {
    return this.#handle.fd;
  }

  /** The board that the device is on. */
  get syscalls(): Syscalls {
    return this.#handle.syscalls;
  }

  /** The blocks that exist, in the order of their ids. */
  get blocks(): Block[] {
    return [...this.#blocks.values()];
  }

  /**
   * Read {@linkcode info} from the device again.
   *
   * @returns What the device reports about itself.
   */
  refreshInfo(): DeviceInfo {
    this.#info = readInfo(this.#handle);
    return this.#info;
  }

  /**
   * Allocate and map blocks. Leaves nothing behind if it fails.
   *
   * @param options What to allocate.
   * @returns The blocks in the order of their ids, filled with zeros. They exist until they are freed or
   * the device is closed.
   * @throws {RangeError} If the ABI cannot represent a number.
   * @throws {ErrnoError} EINVAL if a size or count is 0 or over its limit, if the device has no such
   * channel, or if it does not offer the policy; ENOMEM without memory; ENOSPC if all ids are used up.
   */
  alloc(options: AllocOptions): Block[] {
    const { size, count = 1, policy } = options;
    const blocks = allocateBlocks(this.#handle, options, this.#onFree, () =>
      describeShortage({
        ...{ info: this.#info, bytes: size * count, count, policy },
        held: this.blocks.map((block) => block.size),
        memoryInfo: this.syscalls.memoryInfo?.() ?? null,
      }));
    this.#add("ALLOC", blocks);
    if (options.policy === "bounce") this.#frames.disarm();
    return blocks;
  }

  /**
   * Register memory of the caller as a block. Revokes all views of the memory. Until the block is freed,
   * the memory can only be accessed through blocks and cannot be disposed.
   *
   * @param memory The memory.
   * @param options What to register.
   * @returns The block.
   * @throws {RangeError} If the range is not inside the memory.
   * @throws {ErrnoError} EINVAL if the range is not aligned, ENOMEM over RLIMIT_MEMLOCK, EBUSY if the range
   * overlaps another registered range and at least one of the two is for rx.
   */
  register(memory: UserMemory, options: RegisterOptions): Block {
    const block = registerMemory(this.#handle, memory, options, this.#onFree);
    this.#add("REGISTER", [block]);
    return block;
  }

  /**
   * Make a block of a buffer that another driver exported, under the policy `dma-buf`. Revokes all views of
   * the buffer. Until the block is freed, the buffer can only be accessed through blocks and cannot be
   * disposed. Call `syncForCpu()` of the block before each access, and `syncForDevice()` after it.
   *
   * @param buffer The buffer.
   * @param options What to import.
   * @returns The block.
   * @throws {ErrnoError} EINVAL if the size is 0, over that of the buffer, or over the limit; EACCES for rx
   * into a buffer that was opened for reading only; EOPNOTSUPP if the buffer has more segments than the
   * engine can receive into.
   */
  import(buffer: DmaBuffer, options: ImportOptions): Block {
    const block = importBuffer(this.#handle, buffer, options, this.#onFree);
    this.#add("IMPORT", [block]);
    return block;
  }

  /**
   * Export the memory of a block as a buffer for other drivers. The block cannot be freed before the buffer
   * is disposed and no other driver uses it.
   *
   * @param block A block of this device, of policy `streaming`, `streaming-lazy`, `manual` or `none`.
   * @returns The buffer, which the caller owns.
   * @throws {ErrnoError} EBUSY if the caller does not own the block, EOPNOTSUPP for another policy and for
   * a receive block of `streaming-lazy`.
   */
  export(block: Block): DmaBuffer {
    return exportBlock(this.#handle, block);
  }

  /**
   * Wait until the oldest transfer of a direction ends, and take its block back. Blocks this thread: no
   * timer and no other task runs meanwhile.
   *
   * @param direction The direction.
   * @param options How long to wait.
   * @returns The transfer. The caller owns its block.
   * @throws {TransferError} EIO: the transfer failed in the engine. The caller owns its block.
   * @throws {ErrnoError} ETIMEDOUT if the time is over, ENODATA if nothing is queued, ECANCELED after a
   * RESET, ENODEV if the device is gone.
   * @throws {RangeError} If the timeout is negative, not finite, or longer than one day.
   */
  dequeue(direction: Direction, options?: WaitOptions): CompletedTransfer {
    return this.#waits.dequeue(direction, options);
  }

  /**
   * Like {@linkcode dequeue}, but wait on another thread, so that timers and other devices continue. Costs
   * about 30 µs more. If several waits of one direction overlap, their order is not defined.
   *
   * @param direction The direction.
   * @param options How long to wait.
   * @returns A promise of the transfer. It rejects with the errors of `dequeue`, and with ECANCELED after
   * the device was reset or closed.
   */
  dequeueAsync(direction: Direction, options?: WaitOptions): Promise<CompletedTransfer> {
    return this.#waits.dequeueAsync(direction, options);
  }

  /**
   * Enqueue blocks with one system call, in their order, until the queue is full. Detaches the views of all
   * of them.
   *
   * @param items The blocks, and what to move. At most 4096.
   * @returns How many blocks were enqueued, counted from the first one. The caller still owns all others.
   * @throws {BlockStateError} If the caller does not own one of the blocks. Nothing is enqueued then.
   * @throws {RangeError} If the ABI cannot represent a number, or a block is there twice. Nothing is
   * enqueued then.
   * @throws {ErrnoError} The error of `Block.enqueue()`, except EAGAIN, for the first block that was
   * refused. The blocks before it are enqueued: their `state` is `"queued"`.
   *
   * @example Enqueue two blocks
   * ```ts ignore
   * const enqueued = device.enqueueBatch([{ block: rx }, { block: tx, length: 1500 }]);
   * ```
   */
  enqueueBatch(items: readonly BatchItem[]): number {
    return this.#batches.enqueue(items);
  }

  /**
   * Take back several transfers of a direction with one system call. Blocks this thread, as
   * {@linkcode dequeue} does.
   *
   * @param direction The direction.
   * @param options How many to wait for, how many to take, and how long to wait.
   * @returns The transfers in the order of their completion, at least one. There are fewer than `min` if the
   * time is over, or if nothing else is queued. A transfer that failed in the engine is among them: look at
   * its `status`.
   * @throws {ErrnoError} As for {@linkcode dequeue}, if there is no transfer.
   * @throws {RangeError} If a number is out of its range.
   */
  dequeueBatch(direction: Direction, options: BatchWaitOptions): CompletedTransfer[] {
    return this.#batches.dequeue(direction, options);
  }

  /** Remember new blocks. Two blocks with one id would be the same memory. */
  #add(request: string, blocks: readonly Block[]): void {
    const known = blocks.find(({ id }) => this.#blocks.has(id));
    if (known !== undefined) {
      // they cannot be freed, because an id is that of another block
      for (const block of blocks) blockInternals.close(block);
      throw new AnswerError(this.path, request, "a new id", `${known.id}, which another block has`);
    }
    for (const block of blocks) this.#blocks.set(block.id, block);
  }

  /** Take back the block of a completion. */
  #complete(direction: Direction, argument: DequeueArgument): CompletedTransfer {
    const { id } = argument;
    const block = this.#blocks.get(id);
    if (block === undefined) {
      throw new AnswerError(this.path, "DEQUEUE", "a block that exists", `the unknown id ${id}`);
    }
    blockInternals.check(block, direction, argument);
    blockInternals.setState(block, "user");
    const done = {
      block,
      bytes: argument.length,
      offset: argument.offset,
      status: nameOf("pldma_status", STATUSES, argument.status),
      cookie: argument.cookie,
      queuedNs: argument.queuedNs,
      submittedNs: argument.submittedNs,
      doneNs: argument.doneNs,
      syncDeviceNs: argument.syncDeviceNs,
      syncCpuNs: argument.syncCpuNs,
      check: argument.checkKind === 0 ? null : argument.check,
    };
    if (direction === "tx" || this.#info.rx?.sideband !== true) return done;
    return { ...done, sideband: argument.sideband };
  }

  /**
   * Ask the driver about a block.
   *
   * @param id Id of the block. The block need not have a `Block` object.
   * @returns What the driver reports.
   * @throws {ErrnoError} ENOENT if the driver has no such block.
   */
  query(id: number): BlockQuery {
    return queryBlock(this.#handle, id);
  }

  /**
   * Read the driver's counters. They start at zero when the device is opened.
   *
   * @param options `clear`: set the counters to zero after reading them. Defaults to false.
   * @returns The counters.
   */
  stats(options?: { clear?: boolean }): DeviceStats {
    const argument = new Uint8Array(STATS.size);
    const flags = options?.clear === true ? STATS_FLAGS.clear : 0;
    new DataView(argument.buffer).setUint32(STATS.at.flags, flags, true);
    this.#handle.ioctl("STATS", argument, this.path);
    return unpackStats(argument);
  }

  /**
   * Abort all transfers that are queued or in flight, and take every block back. Drops completions that were
   * not dequeued.
   *
   * @param options What to reset. Defaults to both directions.
   * @returns How many blocks were returned.
   * @throws {ResetError} EIO: the driver could not prove that the engine is idle. Blocks that the engine
   * may still access are in state `"quarantined"`. The caller owns all others.
   * @throws {ErrnoError} EINVAL if there is no channel of the direction, EOPNOTSUPP if the engine can only
   * reset both directions, EPERM for `force` without the right.
   */
  reset(options: ResetOptions = {}): ResetResult {
    const { direction } = options;
    const { idle, returned, quarantined } = sendReset(this.#handle, options);
    if (direction !== "tx") this.#frames.disarm();
    this.#waits.noteReset(direction === undefined ? DIRECTIONS : [direction]);
    for (const block of this.#blocks.values()) {
      if (direction !== undefined && block.direction !== direction) continue;
      if (block.state !== "user") {
        blockInternals.setState(block, idle ? "user" : this.query(block.id).state);
      }
    }
    if (!idle) throw new ResetError(returned, quarantined);
    return { returned, quarantined };
  }

  /**
   * Wait until the device is ready.
   *
   * @param events What to wait for. Errors and hangups always end the wait.
   * @param timeoutMs The longest wait, milliseconds, from 0 (do not wait) to one day.
   * @returns What the device is ready for. All members are false if the time is over.
   * @throws {RangeError} If the timeout is negative, not finite, or longer than one day.
   */
  poll(events: { readable?: boolean; writable?: boolean }, timeoutMs: number): Readiness {
    timeout(timeoutMs);
    const wanted = (events.readable === true ? POLLIN : 0) |
      (events.writable === true ? POLLOUT : 0);
    const ready = this.#handle.poll(wanted, this.#handle.deadlineNs(timeoutMs));
    return {
      readable: (ready & POLLIN) !== 0,
      writable: (ready & POLLOUT) !== 0,
      error: (ready & POLLERR) !== 0,
      hangup: (ready & POLLHUP) !== 0,
    };
  }

  /**
   * Receive one frame through the blocks of policy `bounce`.
   *
   * @param buffer Receives the frame.
   * @param options How long to wait.
   * @returns Length of the frame, bytes. It is 0 if the engine completed a transfer without a byte.
   * @throws {ErrnoError} EMSGSIZE if the buffer is too small (the frame can be read again), EINVAL without
   * receive blocks of policy `bounce`, ETIMEDOUT if the time is over, EIO, ECANCELED and ENODEV as for
   * {@linkcode dequeue}.
   */
  readFrame(buffer: Uint8Array, options?: WaitOptions): number {
    return this.#frames.read(buffer, options);
  }

  /**
   * Send one frame through the blocks of policy `bounce`. Returns after the driver has copied the frame.
   *
   * @param frame The frame.
   * @param options How long to wait for a free slot.
   * @returns Length of the frame, bytes.
   * @throws {ErrnoError} EMSGSIZE if the frame is larger than a block, EINVAL without transmit blocks of
   * policy `bounce` or for 0 bytes, ETIMEDOUT if the time is over, EIO, ECANCELED and ENODEV as for
   * {@linkcode dequeue}.
   */
  writeFrame(frame: Uint8Array, options?: WaitOptions): number {
    return this.#frames.write(frame, options);
  }

  /**
   * Revoke all views, unmap all blocks, and close the file. The driver then aborts all transfers and
   * releases every block. A second call does nothing. Waits of {@linkcode dequeueAsync} end with ECANCELED,
   * and the last of them closes the file. Use `await using` to wait for that.
   */
  [Symbol.dispose](): void {
    if (!this.#handle.open) return;
    try {
      for (const block of this.#blocks.values()) blockInternals.close(block);
      this.#blocks.clear();
      this.#waits.cancel();
    } finally {
      this.#waits.close();
    }
  }

  /** Like `[Symbol.dispose]()`, but also wait until the file is closed. */
  async [Symbol.asyncDispose](): Promise<void> {
    this[Symbol.dispose]();
    await this.#waits.settled();
  }
}
