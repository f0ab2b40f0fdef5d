// SPDX-License-Identifier: MIT

/**
 * A device in memory for the tests of `Device` and `Block`. It tracks blocks and states as the driver does,
 * and completes transfers in order. It moves no data, so it is not a board.
 *
 * @module
 */

import { ERRNO, ErrnoError, type ErrnoName } from "../errno.ts";
import { Mapping } from "../mapping.ts";
import { equalBytes } from "../memory.ts";
import { FIONBIO, type Syscalls } from "../syscalls.ts";
import {
  ABI_VERSION,
  ALLOC,
  CHAN_FLAGS,
  CHAN_INFO,
  DEQUEUE,
  ENQUEUE,
  FREE,
  INFO,
  IOC,
  POLICIES,
  QUERY,
  REGISTER,
  type RequestName,
  RESET,
  STATES,
  STATS,
  SYNC,
} from "../uapi.ts";

interface FakeBlock {
  readonly id: number;
  readonly direction: number;
  readonly policy: number;
  readonly size: number;
  state: (typeof STATES)[number];
  mapped: boolean;
  offset: number;
  length: number;
  cookie: bigint;
  queuedNs: number;
}

const names = new Map<number, string>(Object.entries(IOC).map(([name, code]) => [code, name]));

/** A device in memory. */
export class FakeSyscalls implements Syscalls {
  /** Names of all calls, in order, such as `"ALLOC"` or `"munmap"`. */
  readonly calls: string[] = [];
  /** Open file descriptors. */
  readonly openFiles = new Set<number>();
  /** Mappings that exist, with their protection. */
  readonly mappings = new Map<Mapping, number>();
  /** Blocks that exist. */
  readonly blocks = new Map<number, FakeBlock>();
  /** CLOCK_MONOTONIC, nanoseconds. A wait that times out advances it. */
  now = 1_000_000_000;
  /** The ABI version that INFO reports. */
  abiVersion = ABI_VERSION;
  /** Error numbers of the next calls, in order, by name of the call. */
  readonly failures = new Map<string, number[]>();
  /** Length, status and check value of the next completions. */
  readonly outcomes: { length?: number; status?: number; check?: number }[] = [];
  /** Blocks that RESET leaves in quarantine. */
  readonly wedged = new Set<number>();
  /** The events that poll() returns. */
  ready = 0;
  /** The frames that read() returns. */
  readonly frames: Uint8Array[] = [];
  /** Deadlines of all DEQUEUE calls, nanoseconds. */
  readonly deadlines: bigint[] = [];
  /** A copy of the last struct of each request. */
  readonly arguments = new Map<string, DataView>();
  /** Whether the file is nonblocking. */
  nonblocking = false;
  /** The calls of {@linkcode ioctlAsync} wait for this. */
  gate: Promise<void> = Promise.resolve();
  #next = 1;

  /** Make the next calls of a name fail, with one error each. */
  fail(name: RequestName | "mmap" | "read" | "write" | "poll", ...codes: ErrnoName[]): void {
    this.failures.set(name, [
      ...this.failures.get(name) ?? [],
      ...codes.map((code) => ERRNO[code]),
    ]);
  }

  /** Record a call, and throw if it is to fail. */
  #enter(name: string): void {
    this.calls.push(name);
    const errno = this.failures.get(name)?.shift();
    if (errno !== undefined) throw new ErrnoError(name, errno);
  }

  open(path: string, _flags: number): number {
    this.#enter("open");
    if (path !== "/dev/fake") throw new ErrnoError(`open ${path}`, ERRNO.ENOENT);
    if (this.openFiles.size > 0) throw new ErrnoError(`open ${path}`, ERRNO.EBUSY);
    this.openFiles.add(7);
    return 7;
  }

  close(fd: number): void {
    this.#enter("close");
    if (!this.openFiles.delete(fd)) throw new ErrnoError("close", ERRNO.EBADF);
  }

  mmap(length: number, prot: number, _flags: number, fd: number, offset: number): Mapping {
    this.#enter("mmap");
    const mapping = new Mapping(0x10_0000n * BigInt(this.#next++), new ArrayBuffer(length));
    if (fd !== -1) {
      const block = this.blocks.get(offset / 0x1000);
      const whole = block !== undefined && block.size === length && !block.mapped;
      if (!whole) throw new ErrnoError("mmap", ERRNO.EINVAL);
      block.mapped = true;
    }
    this.mappings.set(mapping, prot);
    return mapping;
  }

  munmap(mapping: Mapping): void {
    this.#enter("munmap");
    mapping.detach();
    if (!this.mappings.delete(mapping)) throw new ErrnoError("munmap", ERRNO.EINVAL);
  }

  poll(_fd: number, _events: number, timeoutMs: number): number {
    this.#enter("poll");
    if (this.ready === 0) this.now += timeoutMs * 1e6;
    return this.ready;
  }

  read(_fd: number, buffer: Uint8Array): number {
    this.#enter("read");
    const frame = this.frames.shift();
    if (frame === undefined) throw new ErrnoError("read", ERRNO.EAGAIN);
    buffer.set(frame);
    return frame.length;
  }

  write(_fd: number, buffer: Uint8Array): number {
    this.#enter("write");
    this.frames.push(buffer.slice());
    return buffer.length;
  }

  monotonicNs(): number {
    return this.now;
  }

  equal(mapping: Mapping, offset: number, expected: Uint8Array, length: number): boolean {
    return equalBytes(
      new Uint8Array(mapping.buffer, offset, length),
      expected.subarray(0, length),
    );
  }

  async ioctlAsync(
    fd: number,
    request: number,
    argument: Uint8Array<ArrayBuffer>,
  ): Promise<number> {
    await this.gate;
    if (!this.openFiles.has(fd)) throw new Error("Expected an open file for the whole call");
    try {
      return this.ioctl(fd, request, argument);
    } catch (error) {
      if (!(error instanceof ErrnoError)) throw error;
      new DataView(argument.buffer).setInt32(DEQUEUE.at.error, error.errno, true);
      return -1;
    }
  }

  ioctl(fd: number, request: number, argument: Uint8Array<ArrayBuffer> | null): number {
    if (!this.openFiles.has(fd)) throw new ErrnoError("ioctl", ERRNO.EBADF);
    if (argument === null) throw new ErrnoError("ioctl", ERRNO.EFAULT);
    const view = new DataView(argument.buffer);
    if (request === FIONBIO) {
      this.#enter("FIONBIO");
      this.nonblocking = view.getInt32(0, true) !== 0;
      return 0;
    }
    const name = names.get(request);
    if (name === undefined) throw new ErrnoError("ioctl", ERRNO.ENOTTY);
    this.arguments.set(name, new DataView(argument.buffer.slice(0)));
    if (name === "DEQUEUE") this.deadlines.push(view.getBigUint64(DEQUEUE.at.deadline_ns, true));
    if (name === "RESET" && this.failures.get("RESET")?.[0] === ERRNO.EIO) this.#reset(view);
    this.#enter(name);
    switch (request) {
      case IOC.INFO:
        this.#info(view);
        break;
      case IOC.ALLOC:
        this.#alloc(view);
        break;
      case IOC.FREE:
      case IOC.UNREGISTER:
        this.#free(view);
        break;
      case IOC.QUERY:
        this.#query(view);
        break;
      case IOC.ENQUEUE:
        this.#enqueue(view);
        break;
      case IOC.DEQUEUE:
        this.#dequeue(view);
        break;
      case IOC.SYNC:
        view.setBigUint64(SYNC.at.ns, 123n, true);
        break;
      case IOC.REGISTER:
        this.#register(view);
        break;
      case IOC.STATS:
        view.setUint32(STATS.at.blocks, this.blocks.size, true);
        break;
      case IOC.RESET:
        this.#reset(view);
        break;
    }
    return 0;
  }

  #info(view: DataView): void {
    view.setUint32(INFO.at.abi_version, this.abiVersion, true);
    view.setUint32(INFO.at.cache_align, 64, true);
    view.setUint32(INFO.at.page_size, 4096, true);
    for (const base of [INFO.at.chan, INFO.at.chan + CHAN_INFO.size]) {
      view.setUint32(base + CHAN_INFO.at.flags, CHAN_FLAGS.present, true);
      for (
        const member of ["queue_depth", "engine_depth", "address_align", "length_align"] as const
      ) {
        view.setUint32(base + CHAN_INFO.at[member], 1, true);
      }
    }
  }

  #add(direction: number, policy: number, size: number): FakeBlock {
    const block: FakeBlock = {
      id: this.#next++,
      direction,
      policy,
      size,
      state: "user",
      mapped: false,
      offset: 0,
      length: 0,
      cookie: 0n,
      queuedNs: 0,
    };
    this.blocks.set(block.id, block);
    return block;
  }

  #alloc(view: DataView): void {
    const size = Number(view.getBigUint64(ALLOC.at.size, true));
    const count = view.getUint32(ALLOC.at.count, true);
    if (size === 0 || count === 0) throw new ErrnoError("ioctl", ERRNO.EINVAL);
    const first = this.#next;
    for (let i = 0; i < count; i++) {
      const policy = view.getUint32(ALLOC.at.policy, true);
      this.#add(view.getUint32(ALLOC.at.direction, true), policy, size);
    }
    view.setUint32(ALLOC.at.first_id, first, true);
    view.setBigUint64(ALLOC.at.mmap_offset, BigInt(first) * 0x1000n, true);
    view.setBigUint64(ALLOC.at.mmap_stride, 0x1000n, true);
  }

  #register(view: DataView): void {
    const size = Number(view.getBigUint64(REGISTER.at.size, true));
    const policy = view.getUint32(REGISTER.at.policy, true);
    const block = this.#add(view.getUint32(REGISTER.at.direction, true), policy, size);
    view.setUint32(REGISTER.at.id, block.id, true);
  }

  #find(id: number): FakeBlock {
    const block = this.blocks.get(id);
    if (block === undefined) throw new ErrnoError("ioctl", ERRNO.ENOENT);
    return block;
  }

  #free(view: DataView): void {
    const block = this.#find(view.getUint32(FREE.at.id, true));
    if (block.state !== "user") throw new ErrnoError("ioctl", ERRNO.EBUSY);
    this.blocks.delete(block.id);
  }

  #query(view: DataView): void {
    const block = this.#find(view.getUint32(QUERY.at.id, true));
    view.setUint32(QUERY.at.state, STATES.indexOf(block.state), true);
    view.setUint32(QUERY.at.direction, block.direction, true);
    view.setUint32(QUERY.at.policy, block.policy, true);
    view.setBigUint64(QUERY.at.size, BigInt(block.size), true);
  }

  #enqueue(view: DataView): void {
    const block = this.#find(view.getUint32(ENQUEUE.at.id, true));
    if (block.state !== "user") throw new ErrnoError("ioctl", ERRNO.EBUSY);
    if (POLICIES[block.policy] === "bounce") throw new ErrnoError("ioctl", ERRNO.EINVAL);
    block.offset = Number(view.getBigUint64(ENQUEUE.at.offset, true));
    block.length = Number(view.getBigUint64(ENQUEUE.at.length, true));
    block.cookie = view.getBigUint64(ENQUEUE.at.cookie, true);
    block.state = "queued";
    block.queuedNs = this.now++;
  }

  #dequeue(view: DataView): void {
    if (this.nonblocking) throw new ErrnoError("ioctl", ERRNO.EAGAIN);
    const direction = view.getUint32(DEQUEUE.at.direction, true);
    const queued = [...this.blocks.values()]
      .filter((block) => block.state === "queued" && block.direction === direction)
      .sort((a, b) => a.queuedNs - b.queuedNs);
    const block = queued[0];
    if (block === undefined) throw new ErrnoError("ioctl", ERRNO.ENODATA);
    const { length = block.length, status = 0, check } = this.outcomes.shift() ?? {};
    block.state = "user";
    view.setUint32(DEQUEUE.at.id, block.id, true);
    view.setUint32(DEQUEUE.at.status, status, true);
    view.setInt32(DEQUEUE.at.error, status === 0 ? 0 : ERRNO.EIO, true);
    view.setBigUint64(DEQUEUE.at.offset, BigInt(block.offset), true);
    view.setBigUint64(DEQUEUE.at.length, BigInt(length), true);
    view.setBigUint64(DEQUEUE.at.cookie, block.cookie, true);
    view.setBigUint64(DEQUEUE.at.queued_ns, BigInt(block.queuedNs), true);
    view.setBigUint64(DEQUEUE.at.submitted_ns, BigInt(block.queuedNs + 1), true);
    view.setBigUint64(DEQUEUE.at.done_ns, BigInt(block.queuedNs + 2), true);
    view.setBigUint64(DEQUEUE.at.sync_device_ns, 3n, true);
    view.setBigUint64(DEQUEUE.at.sync_cpu_ns, 4n, true);
    view.setUint32(DEQUEUE.at.check_kind, check === undefined ? 0 : 1, true);
    view.setUint32(DEQUEUE.at.check, check ?? 0, true);
    if (status !== 0) throw new ErrnoError("ioctl", ERRNO.EIO);
  }

  #reset(view: DataView): void {
    let returned = 0;
    let quarantined = 0;
    for (const block of this.blocks.values()) {
      if (this.wedged.has(block.id)) {
        block.state = "quarantined";
        quarantined++;
      } else if (block.state !== "user") {
        block.state = "user";
        returned++;
      }
    }
    this.now++;
    view.setUint32(RESET.at.returned, returned, true);
    view.setUint32(RESET.at.quarantined, quarantined, true);
  }
}
