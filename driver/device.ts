// SPDX-License-Identifier: MIT

/**
 * A device: one pair of DMA channels under `/dev/pldmaN`.
 *
 * @module
 */

import { type Block, blockFriend, type CompletedTransfer } from "./block.ts";
import { DEFAULT_TIMEOUT_MS, range, timeout, wholeNumber, word } from "./checks.ts";
import { DequeueArgument, getNumber, nameOf, requireLittleEndian, setNumber } from "./codecs.ts";
import { ERRNO, ErrnoError } from "./errno.ts";
import { AbiMismatchError, ResetError, TransferError } from "./errors.ts";
import { explain, Handle } from "./handle.ts";
import { type DeviceInfo, unpackAbiVersion, unpackInfo } from "./info.ts";
import { libc } from "./libc.ts";
import { memoryFriend, type UserMemory } from "./memory.ts";
import { type DeviceStats, unpackStats } from "./stats.ts";
import {
  FIONBIO,
  MAP_SHARED,
  O_CLOEXEC,
  O_RDWR,
  POLLERR,
  POLLHUP,
  POLLIN,
  POLLOUT,
  PROT_READ,
  PROT_WRITE,
  type Syscalls,
} from "./syscalls.ts";
import {
  ABI_VERSION,
  ALLOC,
  BLOCK_FLAGS,
  type Direction,
  DIRECTIONS,
  type DriverState,
  INFO,
  IOC,
  POLICIES,
  type PolicyName,
  QUERY,
  REGISTER,
  RESET,
  STATES,
  STATS,
  STATS_FLAGS,
  STATUSES,
} from "./uapi.ts";

/** What to open. */
export interface OpenOptions {
  /** Path of the device; `/dev/pldma0` when left out. */
  readonly path?: string;
  /** The board; this machine when left out. */
  readonly syscalls?: Syscalls;
}

/** What to allocate. */
export interface AllocOptions {
  /** Bytes of each block. */
  readonly size: number;
  /** How many blocks; 1 when left out. */
  readonly count?: number;
  /** Which way their data goes. */
  readonly direction: Direction;
  /** Where their memory comes from and who syncs caches; not one of the two of user pages. */
  readonly policy: PolicyName;
}

/** What to register. */
export interface RegisterOptions {
  /** Which way its data goes. */
  readonly direction: Direction;
  /** Pinned at each enqueue, or once. */
  readonly policy: "user-pages" | "user-pages-registered";
  /** Start in the memory, bytes, a multiple of the cache alignment; 0 when left out. */
  readonly offset?: number;
  /** Bytes, a multiple of the cache alignment; the rest of the memory when left out. */
  readonly size?: number;
}

/** How long to wait. */
export interface WaitOptions {
  /** Milliseconds: 0 to a day, 5000 when left out; 0 only looks. */
  readonly timeoutMs?: number;
}

/** What the driver tells about a block. */
export interface BlockQuery {
  /** Id in the driver. */
  readonly id: number;
  /** Who owns it. */
  readonly state: DriverState;
  /** Which way its data goes. */
  readonly direction: Direction;
  /** Its policy. */
  readonly policy: PolicyName;
  /** Whether user space has it mapped. */
  readonly mapped: boolean;
  /** Whether the sync calls of its policy do anything at all on this device. */
  readonly needsSync: boolean;
  /** Whether its pages are pinned. */
  readonly pinned: boolean;
  /** Contiguous pieces that its memory consists of; 0 while it is not mapped for the device. */
  readonly segments: number;
  /** Bytes. */
  readonly size: number;
  /** Offset for `mmap()`, 0 when there is none. */
  readonly mmapOffset: number;
}

/** What RESET did. */
export interface ResetResult {
  /** Blocks that were given back to the caller. */
  readonly returned: number;
  /** Blocks in quarantine: 0, since otherwise `reset()` throws. */
  readonly quarantined: number;
}

/** What a device is ready for. */
export interface Readiness {
  /** A receive completion waits. */
  readonly readable: boolean;
  /** A transmit completion waits, or a slot of the transmit ring is free. */
  readonly writable: boolean;
  /** An engine error waits to be dequeued, or the engine is not idle after a failed RESET. */
  readonly error: boolean;
  /** The device is gone. */
  readonly hangup: boolean;
}

/**
 * An open device. It owns the open file and every block; disposing it revokes all views, unmaps all
 * blocks and closes the file. Opening is exclusive.
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
  readonly #pending = new Set<Promise<unknown>>();
  readonly #forget = (block: Block): void => {
    this.#blocks.delete(block.id);
  };
  #info: DeviceInfo;
  #nonblocking = false;
  /** Whether read() has given the slots of the receive ring to the engine. */
  #armed = false;
  /** When the last RESET ended, nanoseconds of CLOCK_MONOTONIC. */
  #resetNs = 0;

  private constructor(handle: Handle, info: DeviceInfo) {
    this.path = handle.path;
    this.#handle = handle;
    this.#info = info;
  }

  /**
   * Open a device and check that its driver speaks this binding's ABI.
   *
   * @param options What to open.
   * @returns The device, which the caller owns.
   * @throws {ErrnoError} ENOENT without the device, EACCES without permission, EBUSY when it is open
   * already.
   * @throws {AbiMismatchError} When the driver is of another version.
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

  /** What the device told about itself when it was opened or last asked. */
  get info(): DeviceInfo {
    return this.#info;
  }

  /**
   * The open file descriptor, for requests that this class does not make. It stays the device's: do
   * not close it.
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
   * Ask the device again about itself.
   *
   * @returns What it tells.
   */
  refreshInfo(): DeviceInfo {
    this.#info = readInfo(this.#handle);
    return this.#info;
  }

  /**
   * Allocate and map blocks. All or none.
   *
   * @param options What to allocate.
   * @returns The blocks, zeroed, in the order of their ids. They live until they are freed or the
   * device is closed.
   * @throws {RangeError} When a number is not one that the ABI can hold.
   * @throws {ErrnoError} EINVAL for a size or count that is 0 or over its limit, an absent channel, or a
   * policy that is not offered; ENOMEM without memory; ENOSPC when ids are used up.
   */
  alloc(options: AllocOptions): Block[] {
    const { direction, policy } = options;
    const size = wholeNumber("size", options.size);
    const count = word("count", options.count ?? 1);
    const argument = new Uint8Array(ALLOC.size);
    const view = new DataView(argument.buffer);
    setNumber(view, ALLOC.at.size, size);
    view.setUint32(ALLOC.at.count, count, true);
    view.setUint32(ALLOC.at.direction, indexOf("direction", DIRECTIONS, direction), true);
    view.setUint32(ALLOC.at.policy, indexOf("policy", POLICIES, policy), true);
    const what = `${count} ${direction} blocks of ${size} bytes, policy ${policy}`;
    this.#handle.ioctl("ALLOC", argument, what);
    if (policy === "bounce") this.#armed = false;

    const firstId = view.getUint32(ALLOC.at.first_id, true);
    const offset = getNumber(view, ALLOC.at.mmap_offset);
    const stride = getNumber(view, ALLOC.at.mmap_stride);
    const blocks: Block[] = [];
    try {
      for (let i = 0; i < count; i++) {
        blocks.push(this.#map(firstId + i, size, direction, policy, offset + i * stride));
      }
    } catch (error) {
      this.#abandon(firstId, count, blocks);
      throw error;
    }
    return blocks;
  }

  /** Map one block that ALLOC made. */
  #map(
    id: number,
    size: number,
    direction: Direction,
    policy: PolicyName,
    offset: number,
  ): Block {
    const { syscalls, fd } = this.#handle;
    const readOnly = policy === "streaming-lazy" && direction === "rx";
    const prot = readOnly ? PROT_READ : PROT_READ | PROT_WRITE;
    const mapping = policy === "bounce" ? null : syscalls.mmap(size, prot, MAP_SHARED, fd, offset);
    return this.#own(
      blockFriend.create({
        id,
        size,
        direction,
        policy,
        handle: this.#handle,
        mapping,
        base: 0,
        memory: null,
        forget: this.#forget,
      }),
    );
  }

  /** Free what ALLOC made when mapping it failed half way. */
  #abandon(firstId: number, count: number, mapped: readonly Block[]): void {
    for (const block of mapped) block.free();
    const argument = new Uint8Array(8);
    for (let id = firstId + mapped.length; id < firstId + count; id++) {
      new DataView(argument.buffer).setUint32(0, id, true);
      this.#handle.ioctl("FREE", argument, `Block ${id}`);
    }
  }

  #own(block: Block): Block {
    this.#blocks.set(block.id, block);
    return block;
  }

  /**
   * Register memory of the caller as a block. Views over the memory are revoked; until the block is
   * freed, it is reached through the block and cannot be disposed.
   *
   * @param memory The memory.
   * @param options What to register.
   * @returns The block.
   * @throws {RangeError} When the range is not inside the memory.
   * @throws {ErrnoError} EINVAL when not aligned, ENOMEM over RLIMIT_MEMLOCK, EBUSY when it overlaps
   * another registered range and either is for rx.
   */
  register(memory: UserMemory, options: RegisterOptions): Block {
    const { direction, policy } = options;
    const base = options.offset ?? 0;
    const size = options.size ?? memory.size - base;
    range("the memory", memory.size, base, size);
    const argument = new Uint8Array(REGISTER.size);
    const view = new DataView(argument.buffer);
    view.setBigUint64(REGISTER.at.address, memory.address + BigInt(base), true);
    setNumber(view, REGISTER.at.size, size);
    view.setUint32(REGISTER.at.direction, indexOf("direction", DIRECTIONS, direction), true);
    view.setUint32(REGISTER.at.policy, indexOf("policy", POLICIES, policy), true);
    const what =
      `${size} bytes at offset ${base} of user memory for ${direction}, policy ${policy}`;
    const limit = "; pinned memory counts against RLIMIT_MEMLOCK (ulimit -l)";
    const { syscalls, fd } = this.#handle;
    try {
      syscalls.ioctl(fd, IOC.REGISTER, argument);
    } catch (error) {
      const over = error instanceof ErrnoError && error.errno === ERRNO.ENOMEM;
      throw explain(error, "REGISTER", what + (over ? limit : ""));
    }
    return this.#own(
      blockFriend.create({
        id: view.getUint32(REGISTER.at.id, true),
        size,
        direction,
        policy,
        handle: this.#handle,
        mapping: memoryFriend.mapping(memory),
        base,
        memory,
        forget: this.#forget,
      }),
    );
  }

  /**
   * Wait for the oldest transfer of a direction to end and take its block back. Blocks this thread:
   * no timer and no other task runs meanwhile.
   *
   * @param direction The direction.
   * @param options How long to wait.
   * @returns The transfer. Its block is the caller's.
   * @throws {TransferError} EIO: the engine failed the transfer; the block is the caller's.
   * @throws {ErrnoError} ETIMEDOUT when the time is over, ENODATA when nothing is queued, ECANCELED when
   * a RESET came in between, ENODEV when the device is gone.
   * @throws {RangeError} When the timeout is negative, not finite, or longer than a day.
   */
  dequeue(direction: Direction, options?: WaitOptions): CompletedTransfer {
    const timeoutMs = timeout(options?.timeoutMs ?? DEFAULT_TIMEOUT_MS);
    if (this.#nonblocking) this.#setNonblocking(false);
    const { syscalls, fd, dequeue: argument } = this.#handle;
    argument.pack(indexOf("direction", DIRECTIONS, direction), this.#deadline(timeoutMs));
    for (;;) {
      try {
        syscalls.ioctl(fd, IOC.DEQUEUE, argument.bytes);
        break;
      } catch (error) {
        if (!(error instanceof ErrnoError)) throw error;
        if (error.errno === ERRNO.EINTR) continue; // the deadline is absolute: it stays the same
        if (error.errno === ERRNO.EIO && argument.written) {
          throw new TransferError(this.#complete(argument));
        }
        throw explain(error, "DEQUEUE", absence(error.errno, direction, timeoutMs));
      }
    }
    return this.#complete(argument);
  }

  /**
   * As {@linkcode dequeue}, but the wait is on another thread, so that timers and other devices go on.
   * Costs some 30 µs more. When several waits of one direction overlap, their order is open.
   *
   * @param direction The direction.
   * @param options How long to wait.
   * @returns A promise of the transfer. It rejects with what `dequeue` throws; with ECANCELED when the
   * device was reset or closed meanwhile.
   */
  dequeueAsync(direction: Direction, options?: WaitOptions): Promise<CompletedTransfer> {
    const wait = this.#wait(direction, options);
    this.#pending.add(wait);
    // The file is closed by whoever is last: see dispose.
    const settled = () => {
      this.#pending.delete(wait);
      if (!this.#handle.open && this.#pending.size === 0) this.#handle.close();
    };
    wait.then(settled, settled);
    return wait;
  }

  async #wait(direction: Direction, options?: WaitOptions): Promise<CompletedTransfer> {
    const timeoutMs = timeout(options?.timeoutMs ?? DEFAULT_TIMEOUT_MS);
    const index = indexOf("direction", DIRECTIONS, direction);
    const deadline = this.#deadline(timeoutMs);
    const argument = new DequeueArgument(); // its own: other calls run meanwhile
    for (;;) {
      if (this.#nonblocking) this.#setNonblocking(false);
      argument.pack(index, deadline);
      const { syscalls, fd } = this.#handle;
      const result = await syscalls.ioctlAsync(fd, IOC.DEQUEUE, argument.bytes);
      const { error } = argument;
      const late = !this.#handle.open || (argument.written && argument.queuedNs < this.#resetNs);
      // A RESET or close already took back the block that this transfer was of.
      if (late) throw failure(ERRNO.ECANCELED, direction, timeoutMs);
      if (result >= 0) return this.#complete(argument);
      if (error === ERRNO.EIO && argument.written) {
        throw new TransferError(this.#complete(argument));
      }
      // EAGAIN: readFrame or writeFrame made the file nonblocking before the call began.
      if (error !== ERRNO.EINTR && error !== ERRNO.EAGAIN) {
        throw failure(error, direction, timeoutMs);
      }
    }
  }

  /** When a wait ends, nanoseconds of CLOCK_MONOTONIC. A time in the past only looks. */
  #deadline(timeoutMs: number): number {
    return timeoutMs === 0 ? 0 : this.#handle.syscalls.monotonicNs() + timeoutMs * 1e6;
  }

  /** Take back the block that a filled-in struct speaks of. */
  #complete(argument: DequeueArgument): CompletedTransfer {
    const { id } = argument;
    const block = this.#blocks.get(id);
    if (block === undefined) {
      throw new Error(`Expected a block of this Device, found a completion of block ${id}`);
    }
    blockFriend.settle(block, "user");
    return {
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
  }

  /**
   * Ask the driver about a block.
   *
   * @param id Its id; need not be of a `Block` of this device.
   * @returns What the driver tells.
   * @throws {ErrnoError} ENOENT for an unknown id.
   */
  query(id: number): BlockQuery {
    const argument = new Uint8Array(QUERY.size);
    const view = new DataView(argument.buffer);
    const get = (at: number) => view.getUint32(at, true);
    view.setUint32(QUERY.at.id, word("id", id), true);
    this.#handle.ioctl("QUERY", argument, `Block ${id}`);
    const flags = get(QUERY.at.flags);
    return {
      id,
      state: nameOf("pldma_state", STATES, get(QUERY.at.state)),
      direction: nameOf("pldma_direction", DIRECTIONS, get(QUERY.at.direction)),
      policy: nameOf("pldma_policy", POLICIES, get(QUERY.at.policy)),
      mapped: (flags & BLOCK_FLAGS.mapped) !== 0,
      needsSync: (flags & BLOCK_FLAGS.needsSync) !== 0,
      pinned: (flags & BLOCK_FLAGS.pinned) !== 0,
      segments: get(QUERY.at.segments),
      size: getNumber(view, QUERY.at.size),
      mmapOffset: getNumber(view, QUERY.at.mmap_offset),
    };
  }

  /**
   * What the driver counted since the device was opened or the counters were cleared.
   *
   * @param options `clear`: set the counters to zero after reading them.
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
   * Abort what is queued and in flight in both directions and take every block back. Completions that
   * nobody dequeued are dropped.
   *
   * @returns What was given back.
   * @throws {ResetError} EIO: the engine could not be proved idle. Blocks that it may still reach are in
   * state `"quarantined"`, the others are the caller's.
   */
  reset(): ResetResult {
    const { syscalls, fd } = this.#handle;
    const argument = new Uint8Array(RESET.size);
    let idle = true;
    try {
      syscalls.ioctl(fd, IOC.RESET, argument);
    } catch (error) {
      if (!(error instanceof ErrnoError) || error.errno !== ERRNO.EIO) {
        throw explain(error, "RESET", this.path);
      }
      idle = false;
    }
    this.#armed = false;
    this.#resetNs = syscalls.monotonicNs();
    for (const block of this.#blocks.values()) {
      if (block.state !== "user") {
        blockFriend.settle(block, idle ? "user" : this.query(block.id).state);
      }
    }
    const view = new DataView(argument.buffer);
    const returned = view.getUint32(RESET.at.returned, true);
    const quarantined = view.getUint32(RESET.at.quarantined, true);
    if (!idle) throw new ResetError(returned, quarantined);
    return { returned, quarantined };
  }

  /**
   * Wait until the device is ready.
   *
   * @param events What to wait for.
   * @param timeoutMs The longest wait, milliseconds: 0 to a day; 0 only looks.
   * @returns What it is ready for; all false when the time is over.
   * @throws {RangeError} When the timeout is negative, not finite, or longer than a day.
   */
  poll(events: { readable?: boolean; writable?: boolean }, timeoutMs: number): Readiness {
    timeout(timeoutMs);
    const wanted = (events.readable === true ? POLLIN : 0) |
      (events.writable === true ? POLLOUT : 0);
    const ready = this.#poll(wanted, this.#deadline(timeoutMs));
    return {
      readable: (ready & POLLIN) !== 0,
      writable: (ready & POLLOUT) !== 0,
      error: (ready & POLLERR) !== 0,
      hangup: (ready & POLLHUP) !== 0,
    };
  }

  /** poll() until an absolute time, whatever signals come. */
  #poll(events: number, deadlineNs: number): number {
    const { syscalls, fd } = this.#handle;
    for (;;) {
      const left = deadlineNs === 0 ? 0 : (deadlineNs - syscalls.monotonicNs()) / 1e6;
      try {
        return syscalls.poll(fd, events, Math.max(0, left));
      } catch (error) {
        if (!(error instanceof ErrnoError) || error.errno !== ERRNO.EINTR) throw error;
      }
    }
  }

  /**
   * Receive one frame through the blocks of policy `bounce`.
   *
   * @param buffer Where to put it.
   * @param options How long to wait.
   * @returns Its length, bytes.
   * @throws {ErrnoError} EMSGSIZE when the buffer is too small (the frame stays), EINVAL without receive
   * blocks of policy `bounce`, ETIMEDOUT when the time is over, EIO, ECANCELED and ENODEV as for
   * {@linkcode dequeue}.
   */
  readFrame(buffer: Uint8Array, options?: WaitOptions): number {
    return this.#transfer("read", POLLIN, buffer, options);
  }

  /**
   * Send one frame through the blocks of policy `bounce`. Returns when the driver has taken it.
   *
   * @param frame The frame.
   * @param options How long to wait for a free slot.
   * @returns Its length, bytes.
   * @throws {ErrnoError} EMSGSIZE when it is larger than a block, EINVAL without transmit blocks of
   * policy `bounce` or for 0 bytes, ETIMEDOUT when the time is over, EIO, ECANCELED and ENODEV as for
   * {@linkcode dequeue}.
   */
  writeFrame(frame: Uint8Array, options?: WaitOptions): number {
    return this.#transfer("write", POLLOUT, frame, options);
  }

  /** read() and write() take no deadline, so they only look, and poll() waits. */
  #transfer(
    call: "read" | "write",
    event: number,
    buffer: Uint8Array,
    options?: WaitOptions,
  ): number {
    const timeoutMs = timeout(options?.timeoutMs ?? DEFAULT_TIMEOUT_MS);
    const deadline = this.#deadline(timeoutMs);
    if (!this.#nonblocking) this.#setNonblocking(true);
    const { syscalls, fd } = this.#handle;
    // A frame is rarely there yet, a free slot nearly always: wait first for a frame. But only read()
    // gives the engine the slots of a new ring, so that the first look comes first even there.
    const wait = call === "read" && this.#armed;
    for (let misses = 0;; misses++) {
      if (wait || misses > 0) {
        // poll() does not wait when the device is ready for something else, such as a completion that
        // is not the ring's, or an error of the other direction.
        if (misses > 1) Atomics.wait(pause, 0, 0, 1);
        const ready = this.#poll(event, deadline);
        if (ready === 0 || (misses > 1 && deadline <= syscalls.monotonicNs())) {
          const detail = `no ${call === "read" ? "frame" : "free slot"} within ${timeoutMs} ms`;
          throw new ErrnoError(`${call} ${this.path}`, ERRNO.ETIMEDOUT, detail);
        }
      }
      try {
        if (call === "read") this.#armed = true;
        return syscalls[call](fd, buffer);
      } catch (error) {
        if (!(error instanceof ErrnoError)) throw error;
        if (error.errno !== ERRNO.EAGAIN && error.errno !== ERRNO.EINTR) {
          throw new ErrnoError(`${call} ${this.path}`, error.errno, `${buffer.length} bytes`);
        }
      }
    }
  }

  #setNonblocking(on: boolean): void {
    const { syscalls, fd } = this.#handle;
    syscalls.ioctl(fd, FIONBIO, new Uint8Array([on ? 1 : 0, 0, 0, 0]));
    this.#nonblocking = on;
  }

  /**
   * Revoke all views, unmap all blocks, close the file: the driver aborts what is in flight and takes
   * everything back. A second call does nothing. Waits of {@linkcode dequeueAsync} end with ECANCELED,
   * and the file is closed when the last of them has: use `await using` to wait for that.
   */
  [Symbol.dispose](): void {
    if (!this.#handle.open) return;
    try {
      for (const block of this.#blocks.values()) blockFriend.close(block);
      this.#blocks.clear();
      if (this.#pending.size > 0) this.#cancel();
    } finally {
      if (this.#pending.size > 0) this.#handle.shut();
      else this.#handle.close();
    }
  }

  /** As `[Symbol.dispose]()`, and wait until the file is closed. */
  async [Symbol.asyncDispose](): Promise<void> {
    this[Symbol.dispose]();
    await Promise.allSettled(this.#pending);
  }

  /** End the waits on other threads. When the engine is not idle, that is not our concern here. */
  #cancel(): void {
    const { syscalls, fd } = this.#handle;
    try {
      syscalls.ioctl(fd, IOC.RESET, new Uint8Array(RESET.size));
    } catch (error) {
      if (!(error instanceof ErrnoError)) throw error;
    }
  }
}

/** Never notified: waiting on it is a sleep. */
const pause = new Int32Array(new SharedArrayBuffer(4));

function readInfo(handle: Handle): DeviceInfo {
  const argument = new Uint8Array(INFO.size);
  try {
    handle.ioctl("INFO", argument, handle.path);
  } catch (error) {
    // A struct of another size makes another request number, which the driver does not know.
    if (error instanceof ErrnoError && error.errno === ERRNO.ENOTTY) {
      throw new AbiMismatchError(handle.path, ABI_VERSION, null);
    }
    throw error;
  }
  const version = unpackAbiVersion(argument);
  if (version !== ABI_VERSION) throw new AbiMismatchError(handle.path, ABI_VERSION, version);
  return unpackInfo(argument);
}

function indexOf<T extends string>(what: string, names: readonly T[], name: T): number {
  const index = names.indexOf(name);
  if (index >= 0) return index;
  throw new RangeError(`Expected ${what} to be one of ${names.join(", ")}, found ${name}`);
}

function failure(errno: number, direction: Direction, timeoutMs: number): ErrnoError {
  return new ErrnoError("ioctl PLDMA_IOC_DEQUEUE", errno, absence(errno, direction, timeoutMs));
}

/** Why there is no completion, in words. */
function absence(errno: number, direction: Direction, timeoutMs: number): string {
  switch (errno) {
    case ERRNO.ETIMEDOUT:
      return `no ${direction} completion within ${timeoutMs} ms`;
    case ERRNO.ENODATA:
      return `no ${direction} block is queued: enqueue one first`;
    case ERRNO.ECANCELED:
      return `the device was reset or closed while waiting for ${direction}`;
    case ERRNO.ENODEV:
      return `the device is gone while waiting for ${direction}`;
    case 0:
      return `the driver stored no error while waiting for ${direction}`;
    default:
      return `waiting for ${direction}`;
  }
}
