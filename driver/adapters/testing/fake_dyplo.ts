// SPDX-License-Identifier: MIT

/**
 * A driver with the block ioctls of 2015 and a loopback in this process. It has the numbers, structs and
 * states of the real one, and on request one of its bugs.
 *
 * Each block has two memories: what the CPU sees, and what the device sees. A sync copies between them, and
 * is recorded.
 *
 * @module
 */

import { ERRNO, ErrnoError } from "../../errno.ts";
import { Mapping } from "../../mapping.ts";
import { equalBytes } from "../../memory.ts";
import { O_NONBLOCK, POLLIN, POLLOUT, PROT_WRITE, type Syscalls } from "../../syscalls.ts";
import type { Direction } from "../../uapi.ts";
import { ALLOC_REQUEST, BLOCK, REQUEST } from "../dyplo_abi.ts";
import type { SyncRange } from "../dyplo_checks.ts";

/** The bugs of the real driver. */
export interface DyploBugs {
  /** ENQUEUE of rx syncs as many bytes as the frame before had. */
  readonly syncsEarlierLength?: boolean;
  /** A tx wait that a signal ends leaves the queue of rx, so the next one is not woken. */
  readonly leavesWrongQueue?: boolean;
  /** ENQUEUE of tx takes more bytes than the block holds. */
  readonly takesTooMany?: boolean;
}

/** A wait that nothing ends. The real driver would block the process for ever. */
export class EndlessWait extends Error {
  override readonly name = "EndlessWait";
}

const PAGE = 4096;

interface FakeBlock {
  readonly offset: number;
  readonly size: number;
  readonly memory: Uint8Array;
  bytesUsed: number;
  state: number;
  mapping: Mapping | null;
}

interface FakeSide {
  readonly direction: Direction;
  readonly nonblocking: boolean;
  blocks: FakeBlock[];
  /** Blocks that the engine has, the oldest first. */
  readonly given: FakeBlock[];
  /** Blocks whose transfer has ended, the oldest first. */
  readonly done: FakeBlock[];
}

/** The driver, with the file `/dev/dyplod0`. */
export class FakeDyplo implements Syscalls {
  /** The syncs until now. */
  readonly syncs: SyncRange[] = [];
  readonly #bugs: DyploBugs;
  readonly #sides = new Map<number, FakeSide>();
  #nextFd = 3;
  #now = 1_000_000_000;
  #signal = false;
  #txIsDeaf = false;
  /** Whether the engine works only while somebody waits. */
  #asleep = false;

  /** @param bugs The bugs. Defaults to none. */
  constructor(bugs: DyploBugs = {}) {
    this.#bugs = bugs;
  }

  /** Let a signal end the next wait in a call. */
  interrupt(): void {
    this.#signal = true;
    this.#asleep = true;
  }

  /** The files that are open. */
  get openFiles(): number {
    return this.#sides.size;
  }

  open(path: string, flags: number): number {
    if (path !== "/dev/dyplod0") throw new ErrnoError("open", ERRNO.ENOENT, path);
    const direction = (flags & 3) === 0 ? "rx" : "tx";
    if ([...this.#sides.values()].some((side) => side.direction === direction)) {
      throw new ErrnoError("open", ERRNO.EBUSY, path);
    }
    const nonblocking = (flags & O_NONBLOCK) !== 0;
    this.#sides.set(this.#nextFd, { direction, nonblocking, blocks: [], given: [], done: [] });
    return this.#nextFd++;
  }

  close(fd: number): void {
    this.#side(fd);
    this.#sides.delete(fd);
  }

  ioctl(fd: number, request: number, argument: Uint8Array<ArrayBuffer> | null): number {
    const side = this.#side(fd);
    if (request === REQUEST.FREE) {
      this.#free(side);
      return 0;
    }
    if (argument === null) throw new ErrnoError("ioctl", ERRNO.EFAULT);
    const view = new DataView(argument.buffer, argument.byteOffset, argument.byteLength);
    if (request === REQUEST.ALLOC) this.#alloc(side, view);
    else if (request === REQUEST.QUERY) report(view, side, this.#block(side, view));
    else if (request === REQUEST.ENQUEUE) this.#enqueue(side, view);
    else if (request === REQUEST.DEQUEUE) this.#dequeue(side, view);
    else throw new ErrnoError("ioctl", ERRNO.ENOTTY);
    return 0;
  }

  ioctlAsync(): Promise<number> {
    throw new Error("The adapter uses no other thread");
  }

  mmap(length: number, prot: number, _flags: number, fd: number, offset: number): Mapping {
    const side = this.#side(fd);
    // the kernel checks this: the file of rx is open for reading only
    if (side.direction === "rx" && (prot & PROT_WRITE) !== 0) {
      throw new ErrnoError("mmap", ERRNO.EACCES);
    }
    const block = side.blocks.find((one) => one.offset === offset);
    if (block === undefined || length > block.size) throw new ErrnoError("mmap", ERRNO.EINVAL);
    block.mapping = new Mapping(BigInt(0x1000_0000 + offset), new ArrayBuffer(block.size), length);
    return block.mapping;
  }

  munmap(mapping: Mapping): void {
    for (const side of this.#sides.values()) {
      for (const block of side.blocks) if (block.mapping === mapping) block.mapping = null;
    }
    mapping.detach();
  }

  poll(fd: number, events: number, timeoutMs: number): number {
    const side = this.#side(fd);
    this.#run();
    if (events !== 0 && side.done.length > 0) return events & (POLLIN | POLLOUT);
    this.#now += timeoutMs * 1e6;
    return 0;
  }

  read(): number {
    throw new ErrnoError("read", ERRNO.EINVAL);
  }

  write(): number {
    throw new ErrnoError("write", ERRNO.EINVAL);
  }

  monotonicNs(): number {
    return this.#now += 1000;
  }

  equal(mapping: Mapping, offset: number, expected: Uint8Array, length: number): boolean {
    const found = new Uint8Array(length);
    mapping.copyTo(found, offset);
    return equalBytes(found, expected.subarray(0, length));
  }

  #side(fd: number): FakeSide {
    const side = this.#sides.get(fd);
    if (side === undefined) throw new ErrnoError("ioctl", ERRNO.EBADF);
    return side;
  }

  #alloc(side: FakeSide, view: DataView): void {
    if (side.given.length + side.done.length > 0) throw new ErrnoError("ioctl", ERRNO.EBUSY);
    const size = Math.ceil(view.getUint32(ALLOC_REQUEST.at.size, true) / PAGE) * PAGE;
    const count = view.getUint32(ALLOC_REQUEST.at.count, true);
    side.blocks = Array.from({ length: count }, (_, index) => ({
      ...{ offset: index * size, size, memory: new Uint8Array(size) },
      ...{ bytesUsed: 0, state: 0, mapping: null },
    }));
    view.setUint32(ALLOC_REQUEST.at.size, size, true);
  }

  #free(side: FakeSide): void {
    if (side.given.length + side.done.length > 0) throw new ErrnoError("ioctl", ERRNO.EBUSY);
    if (side.blocks.some(({ mapping }) => mapping !== null)) {
      throw new ErrnoError("ioctl", ERRNO.EBUSY);
    }
    side.blocks = [];
  }

  #block(side: FakeSide, view: DataView): FakeBlock {
    const block = side.blocks[view.getUint32(BLOCK.at.id, true)];
    if (block === undefined) throw new ErrnoError("ioctl", ERRNO.EINVAL);
    return block;
  }

  #enqueue(side: FakeSide, view: DataView): void {
    const block = this.#block(side, view);
    const length = view.getUint32(BLOCK.at.bytesUsed, true);
    if (block.state !== 0) throw new ErrnoError("ioctl", ERRNO.EBUSY);
    const bounded = side.direction === "rx" || this.#bugs.takesTooMany !== true;
    if (length === 0 || bounded && length > block.size) throw new ErrnoError("ioctl", ERRNO.EINVAL);
    const earlier = side.direction === "rx" && this.#bugs.syncsEarlierLength === true;
    this.#sync(side, block, "for-device", earlier ? block.bytesUsed : length, length);
    block.bytesUsed = length;
    block.state = 1;
    side.given.push(block);
    report(view, side, block);
  }

  #dequeue(side: FakeSide, view: DataView): void {
    const block = this.#block(side, view);
    if (block.state === 0) throw new ErrnoError("ioctl", ERRNO.EINVAL);
    if (!this.#asleep) this.#run();
    if (side.done.length === 0 && side.nonblocking) throw new ErrnoError("ioctl", ERRNO.EAGAIN);
    if (side.done.length === 0) this.#sleep(side);
    if (side.done[0] !== block) throw new ErrnoError("ioctl", ERRNO.EIO);
    side.done.shift();
    this.#sync(side, block, "for-cpu", block.bytesUsed, block.bytesUsed);
    block.state = 0;
    report(view, side, block);
  }

  /** Waits in the driver until the engine has ended a transfer of this direction. */
  #sleep(side: FakeSide): void {
    if (this.#signal) {
      this.#signal = false;
      if (side.direction === "tx" && this.#bugs.leavesWrongQueue === true) this.#txIsDeaf = true;
      throw new ErrnoError("ioctl", ERRNO.EINTR);
    }
    this.#asleep = false;
    this.#run();
    const woken = side.done.length > 0 && !(side.direction === "tx" && this.#txIsDeaf);
    if (!woken) throw new EndlessWait(`DEQUEUE of ${side.direction} is never woken`);
  }

  /** Moves frames through the loopback. */
  #run(): void {
    const sides = [...this.#sides.values()];
    const [tx, rx] = ["tx", "rx"].map((name) => sides.find(({ direction }) => direction === name));
    while (tx !== undefined && rx !== undefined) {
      const [from, to] = [tx.given[0], rx.given[0]];
      if (from === undefined || to === undefined) return;
      const sent = readFrom(tx.blocks, from);
      const length = Math.min(sent.length, to.bytesUsed);
      to.memory.set(sent.subarray(0, length));
      to.bytesUsed = length;
      tx.given.shift();
      rx.given.shift();
      tx.done.push(from);
      rx.done.push(to);
    }
  }

  #sync(
    { direction }: FakeSide,
    block: FakeBlock,
    op: SyncRange["op"],
    length: number,
    due: number,
  ): void {
    this.syncs.push({ direction, op, length, due });
    const { mapping } = block;
    if (mapping === null) return;
    const cpu = new Uint8Array(mapping.buffer);
    if (direction === "tx" && op === "for-device") block.memory.set(cpu.subarray(0, length));
    if (direction === "rx" && op === "for-cpu") cpu.set(block.memory.subarray(0, length));
  }
}

/** What the engine reads. Behind the end of a block it reads the next ones. */
function readFrom(blocks: readonly FakeBlock[], from: FakeBlock): Uint8Array {
  const { memory, size, bytesUsed } = from;
  if (bytesUsed <= size) return memory.subarray(0, bytesUsed);
  const behind = blocks.slice(blocks.indexOf(from)).flatMap((block) => [...block.memory]);
  return Uint8Array.from(behind.slice(0, bytesUsed));
}

function report(view: DataView, side: FakeSide, block: FakeBlock): void {
  view.setUint32(BLOCK.at.id, side.blocks.indexOf(block), true);
  view.setUint32(BLOCK.at.offset, block.offset, true);
  view.setUint32(BLOCK.at.size, block.size, true);
  view.setUint32(BLOCK.at.bytesUsed, block.bytesUsed, true);
  view.setUint16(BLOCK.at.state, block.state, true);
}
