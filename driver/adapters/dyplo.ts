// SPDX-License-Identifier: MIT

/**
 * Makes a driver with the block ioctls of 2015 look like pldma: ALLOC, FREE, QUERY, ENQUEUE and DEQUEUE.
 *
 * That driver has one file for both directions. An open for writing sends, one for reading receives. It has
 * one set of blocks for each open file, and no offsets, check values, deadlines, RESET or statistics.
 *
 * @module
 */

import { getNumber, setNumber } from "../codecs.ts";
import { ERRNO, ErrnoError } from "../errno.ts";
import type { Mapping } from "../mapping.ts";
import {
  type Attachment,
  FIONBIO,
  O_CLOEXEC,
  O_NONBLOCK,
  O_RDONLY,
  O_RDWR,
  POLLIN,
  POLLOUT,
  PROT_READ,
  type Syscalls,
} from "../syscalls.ts";
import {
  ABI_VERSION,
  ALLOC,
  ATTRIBUTES,
  CHAN_FLAGS,
  CHAN_INFO,
  DEQUEUE,
  type Direction,
  DIRECTIONS,
  ENQUEUE,
  ENQUEUE_FLAGS,
  FREE,
  INFO,
  IOC,
  POLICIES,
  POLICY_FLAGS,
  POLICY_INFO,
  QUERY,
  RESET,
  STATES,
} from "../uapi.ts";
import { AdapterSyscalls } from "./base.ts";
import { ALLOC_REQUEST, BLOCK, type DyploRequest, REQUEST } from "./dyplo_abi.ts";

/** What the driver does not tell. */
export interface DyploOptions {
  /** Blocks that the engine's hardware queue takes in each direction. Defaults to 4. */
  readonly queueDepth?: number;
  /** Size of the largest block, bytes. Defaults to 1 MiB. */
  readonly maxBlock?: number;
  /**
   * Whether DEQUEUE waits in the driver, and not in `poll()`. The driver knows no deadline, so a completion
   * that never comes then blocks the process for ever. Defaults to false.
   */
  readonly blocking?: boolean;
}

/** The policy that describes this driver best: it syncs the moved bytes, and rx is read-only. */
const POLICY = "streaming-lazy";

/** Names of the files of this driver. */
const PATH = /^\/dev\/dyplod\d+$/;

/** Offset between the mappings of the two directions, which have two files. */
const RX_OFFSET = 2 ** 40;

const PAGE = 4096;
const CACHE_LINE = 64;

/** A transfer that was enqueued. */
interface Queued {
  readonly id: number;
  readonly cookie: bigint;
  readonly queuedNs: number;
}

/** One direction of an open device. */
interface Side {
  readonly direction: Direction;
  readonly fd: number;
  /** The blocks of the set by their ids in pldma: their indices in the driver. */
  readonly blocks: Map<number, number>;
  /** Size of each block as it was requested, bytes. */
  size: number;
  /** The transfers, the oldest first. */
  readonly queue: Queued[];
}

/** An open device. */
interface Opened {
  readonly sides: Readonly<Record<Direction, Side>>;
  nextId: number;
  nonblocking: boolean;
}

/**
 * System calls that translate the requests of `Device` for this driver.
 *
 * It offers the policy `streaming-lazy`. Transfers begin at offset 0 of a block. What the driver cannot do
 * fails with EOPNOTSUPP: SYNC, REGISTER, EXPORT, IMPORT, STATS, batches, and `verify`. RESET fails with EIO
 * while blocks are queued. Each direction has one set of blocks: a second ALLOC fails with EBUSY.
 *
 * @example A device of this driver
 * ```ts ignore
 * import { Device } from "@plumbline/hil";
 * import { DyploSyscalls } from "./driver/adapters/dyplo.ts";
 * import { libc } from "./driver/libc.ts";
 *
 * using device = Device.open({ path: "/dev/dyplod0", syscalls: new DyploSyscalls(libc) });
 * ```
 */
export class DyploSyscalls extends AdapterSyscalls {
  protected override readonly adapter = "dyplo";
  readonly #queueDepth: number;
  readonly #maxBlock: number;
  readonly #blocking: boolean;
  readonly #opened = new Map<number, Opened>();

  /**
   * @param under The system calls that reach the driver.
   * @param options What the driver does not tell.
   */
  constructor(under: Syscalls, options: DyploOptions = {}) {
    super(under);
    this.#queueDepth = options.queueDepth ?? 4;
    this.#maxBlock = options.maxBlock ?? 2 ** 20;
    this.#blocking = options.blocking ?? false;
  }

  /**
   * Tell whether a device file belongs to this driver.
   *
   * @param path Path of the file.
   * @returns True for `/dev/dyplod0` and so on.
   */
  static covers(path: string): boolean {
    return PATH.test(path);
  }

  override open(path: string, _flags: number): number {
    const mode = O_CLOEXEC | (this.#blocking ? 0 : O_NONBLOCK);
    // the kernel maps a file for writing only if it is also open for reading
    const tx = this.under.open(path, O_RDWR | mode);
    let rx: number;
    try {
      rx = this.under.open(path, O_RDONLY | mode);
    } catch (error) {
      this.under.close(tx);
      throw error;
    }
    const side = (direction: Direction, fd: number): Side => ({
      ...{ direction, fd, blocks: new Map(), size: 0, queue: [] },
    });
    const sides = { tx: side("tx", tx), rx: side("rx", rx) };
    this.#opened.set(tx, { sides, nextId: 0, nonblocking: false });
    return tx;
  }

  override close(fd: number): void {
    const { sides } = this.#of(fd);
    this.#opened.delete(fd);
    try {
      this.under.close(sides.rx.fd);
    } finally {
      this.under.close(fd);
    }
  }

  override ioctl(
    fd: number,
    request: number,
    argument: Uint8Array<ArrayBuffer> | null,
    _attachment?: Attachment,
  ): number {
    const opened = this.#of(fd);
    if (argument === null) this.fail("ioctl", ERRNO.EINVAL, "expected a struct, found none");
    const view = new DataView(argument.buffer, argument.byteOffset, argument.byteLength);
    switch (request) {
      case FIONBIO:
        opened.nonblocking = argument[0] !== 0;
        return 0;
      case IOC.INFO:
        this.#info(argument, view);
        return 0;
      case IOC.ALLOC:
        this.#alloc(opened, view);
        return 0;
      case IOC.FREE:
        this.#free(opened, view.getUint32(FREE.at.id, true));
        return 0;
      case IOC.QUERY:
        this.#query(opened, view);
        return 0;
      case IOC.ENQUEUE:
        this.#enqueue(opened, view);
        return 0;
      case IOC.DEQUEUE:
        this.#dequeue(opened, view);
        return 0;
      case IOC.RESET:
        this.#reset(opened, view);
        return 0;
    }
    this.refuse(request, "a driver with block ioctls of 2015 has no such request");
  }

  override mmap(length: number, prot: number, flags: number, fd: number, offset: number): Mapping {
    const opened = this.#opened.get(fd);
    if (opened === undefined) return this.under.mmap(length, prot, flags, fd, offset);
    const { tx, rx } = opened.sides;
    return offset < RX_OFFSET
      ? this.under.mmap(length, prot, flags, tx.fd, offset)
      : this.under.mmap(length, PROT_READ, flags, rx.fd, offset - RX_OFFSET);
  }

  override poll(fd: number, events: number, timeoutMs: number): number {
    const { tx, rx } = this.#of(fd).sides;
    // the caller waits for one of them at a time
    return (events & POLLOUT) !== 0
      ? this.under.poll(tx.fd, POLLOUT, timeoutMs)
      : this.under.poll(rx.fd, events & POLLIN, timeoutMs);
  }

  #of(fd: number): Opened {
    const opened = this.#opened.get(fd);
    if (opened === undefined) this.fail("ioctl", ERRNO.EBADF, `no open device ${fd}`);
    return opened;
  }

  /** Fills in what is true of every such driver, and what the options say. */
  #info(argument: Uint8Array, view: DataView): void {
    argument.fill(0);
    const word = (at: number, value: number) => view.setUint32(at, value, true);
    word(INFO.at.abi_version, ABI_VERSION);
    word(INFO.at.cache_align, CACHE_LINE);
    word(INFO.at.page_size, PAGE);
    // a loop has up to two tx blocks more than rx blocks, and no set is larger than the queue
    word(INFO.at.max_blocks, 2 * (this.#queueDepth - 1));
    setNumber(view, INFO.at.max_bytes, 2 * this.#queueDepth * this.#maxBlock);
    for (const [index, direction] of DIRECTIONS.entries()) {
      const at = INFO.at.chan + index * CHAN_INFO.size;
      const { present, needsSync, exactLengths } = CHAN_FLAGS;
      word(at + CHAN_INFO.at.flags, present | needsSync | exactLengths);
      word(at + CHAN_INFO.at.queue_depth, this.#queueDepth);
      word(at + CHAN_INFO.at.engine_depth, this.#queueDepth);
      word(at + CHAN_INFO.at.max_segment, this.#maxBlock);
      word(at + CHAN_INFO.at.address_align, PAGE);
      word(at + CHAN_INFO.at.length_align, 8);
      argument.set(new TextEncoder().encode("dyplo"), at + CHAN_INFO.at.engine);
      argument.set(new TextEncoder().encode(direction), at + CHAN_INFO.at.channel);
      view.setBigUint64(at + CHAN_INFO.at.dma_mask, 0xffff_ffffn, true);
    }
    const policy = INFO.at.policy + POLICIES.indexOf(POLICY) * POLICY_INFO.size;
    word(policy + POLICY_INFO.at.flags, POLICY_FLAGS.tx | POLICY_FLAGS.rx);
    word(policy + POLICY_INFO.at.attr, ATTRIBUTES.indexOf("cached"));
    setNumber(view, policy + POLICY_INFO.at.max_block, this.#maxBlock);
  }

  #alloc(opened: Opened, view: DataView): void {
    const size = getNumber(view, ALLOC.at.size);
    const count = view.getUint32(ALLOC.at.count, true);
    const side = opened.sides[DIRECTIONS[view.getUint32(ALLOC.at.direction, true)] ?? "tx"];
    const policy = POLICIES[view.getUint32(ALLOC.at.policy, true)];
    if (policy !== POLICY) {
      this.fail("ALLOC", ERRNO.EINVAL, `expected policy ${POLICY}, found ${policy}`);
    }
    if (size < 1 || size > this.#maxBlock || count < 1 || count > this.#queueDepth) {
      const most = `${this.#queueDepth} blocks of at most ${this.#maxBlock} bytes`;
      this.fail("ALLOC", ERRNO.EINVAL, `expected 1 to ${most}, found ${count} of ${size}`);
    }
    if (side.blocks.size > 0) {
      const what = `the ${side.direction} blocks exist: free all of them first`;
      this.fail("ALLOC", ERRNO.EBUSY, what);
    }
    const request = new DataView(new ArrayBuffer(ALLOC_REQUEST.size));
    request.setUint32(ALLOC_REQUEST.at.size, size, true);
    request.setUint32(ALLOC_REQUEST.at.count, count, true);
    this.#send(side, "ALLOC", request);
    const offsets = Array.from({ length: count }, (_, index) => {
      const block = blockRequest(index);
      this.#send(side, "QUERY", block);
      return block.getUint32(BLOCK.at.offset, true);
    });
    const [first = 0, second = first] = offsets;
    const stride = second - first;
    if (offsets.some((offset, index) => offset !== first + index * stride)) {
      this.#send(side, "FREE", null);
      const found = `expected blocks at equal distances, found ${offsets.join(", ")}`;
      this.fail("ALLOC", ERRNO.EIO, found);
    }
    side.size = size;
    for (const index of offsets.keys()) side.blocks.set(opened.nextId + index, index);
    view.setUint32(ALLOC.at.first_id, opened.nextId, true);
    setNumber(view, ALLOC.at.mmap_offset, first + (side.direction === "rx" ? RX_OFFSET : 0));
    setNumber(view, ALLOC.at.mmap_stride, stride);
    opened.nextId += count;
  }

  /** Frees the set with its last block, because the driver frees all blocks at once. */
  #free(opened: Opened, id: number): void {
    const { side } = this.#find(opened, id, "FREE");
    if (side.queue.some((one) => one.id === id)) {
      this.fail("FREE", ERRNO.EBUSY, `block ${id} is queued`);
    }
    side.blocks.delete(id);
    if (side.blocks.size === 0) this.#send(side, "FREE", null);
  }

  #query(opened: Opened, view: DataView): void {
    const id = view.getUint32(QUERY.at.id, true);
    const { side, index } = this.#find(opened, id, "QUERY");
    const block = blockRequest(index);
    this.#send(side, "QUERY", block);
    const busy = block.getUint16(BLOCK.at.state, true) !== 0;
    view.setUint32(QUERY.at.state, STATES.indexOf(busy ? "in-flight" : "user"), true);
    view.setUint32(QUERY.at.direction, DIRECTIONS.indexOf(side.direction), true);
    view.setUint32(QUERY.at.policy, POLICIES.indexOf(POLICY), true);
    view.setUint32(QUERY.at.flags, 0, true);
    view.setUint32(QUERY.at.segments, 1, true);
    setNumber(view, QUERY.at.size, side.size);
    const offset = block.getUint32(BLOCK.at.offset, true);
    setNumber(view, QUERY.at.mmap_offset, offset + (side.direction === "rx" ? RX_OFFSET : 0));
  }

  #enqueue(opened: Opened, view: DataView): void {
    const id = view.getUint32(ENQUEUE.at.id, true);
    const length = getNumber(view, ENQUEUE.at.length);
    if ((view.getUint32(ENQUEUE.at.flags, true) & ENQUEUE_FLAGS.verify) !== 0) {
      this.fail("ENQUEUE", ERRNO.EOPNOTSUPP, "the driver syncs the moved bytes only");
    }
    if (getNumber(view, ENQUEUE.at.offset) !== 0 || length > 0xffff_ffff) {
      this.fail("ENQUEUE", ERRNO.EINVAL, "the driver moves the beginning of a block only");
    }
    const { side, index } = this.#find(opened, id, "ENQUEUE");
    const block = blockRequest(index);
    block.setUint32(BLOCK.at.bytesUsed, length, true);
    this.#send(side, "ENQUEUE", block);
    const cookie = view.getBigUint64(ENQUEUE.at.cookie, true);
    side.queue.push({ id, cookie, queuedNs: this.under.monotonicNs() });
  }

  #dequeue(opened: Opened, view: DataView): void {
    const side = opened.sides[DIRECTIONS[view.getUint32(DEQUEUE.at.direction, true)] ?? "tx"];
    const [oldest] = side.queue;
    if (oldest === undefined) this.fail("DEQUEUE", ERRNO.ENODATA, "nothing is queued");
    const { index } = this.#find(opened, oldest.id, "DEQUEUE");
    const deadline = getNumber(view, DEQUEUE.at.deadline_ns);
    const block = blockRequest(index);
    while (!this.#taken(side, block)) {
      if (opened.nonblocking) this.fail("DEQUEUE", ERRNO.EAGAIN, "no completion yet");
      const leftMs = (deadline - this.under.monotonicNs()) / 1e6;
      if (leftMs <= 0) this.fail("DEQUEUE", ERRNO.ETIMEDOUT, "no completion yet");
      // the driver may report room as readiness, so each wait is short
      const event = side.direction === "tx" ? POLLOUT : POLLIN;
      if (this.under.poll(side.fd, event, Math.min(leftMs, 10)) !== 0) {
        if (this.#taken(side, block)) break;
        this.under.poll(side.fd, 0, Math.min(leftMs, 1));
      }
    }
    side.queue.shift();
    const now = this.under.monotonicNs();
    view.setUint32(DEQUEUE.at.id, oldest.id, true);
    view.setUint32(DEQUEUE.at.status, 0, true);
    setNumber(view, DEQUEUE.at.offset, 0);
    setNumber(view, DEQUEUE.at.length, block.getUint32(BLOCK.at.bytesUsed, true));
    view.setBigUint64(DEQUEUE.at.cookie, oldest.cookie, true);
    setNumber(view, DEQUEUE.at.queued_ns, oldest.queuedNs);
    setNumber(view, DEQUEUE.at.submitted_ns, oldest.queuedNs);
    setNumber(view, DEQUEUE.at.done_ns, now);
    setNumber(view, DEQUEUE.at.sync_device_ns, 0);
    setNumber(view, DEQUEUE.at.sync_cpu_ns, 0);
    view.setUint32(DEQUEUE.at.check_kind, 0, true);
  }

  /** Takes the oldest block of a direction, if its transfer has ended. */
  #taken(side: Side, block: DataView<ArrayBuffer>): boolean {
    try {
      this.#send(side, "DEQUEUE", block);
      return true;
    } catch (error) {
      if (error instanceof ErrnoError && error.errno === ERRNO.EAGAIN) return false;
      throw error;
    }
  }

  /** The driver has no RESET. Without a transfer there is nothing to reset. */
  #reset(opened: Opened, view: DataView): void {
    const queued = DIRECTIONS.flatMap((direction) => opened.sides[direction].queue);
    view.setUint32(RESET.at.returned, 0, true);
    view.setUint32(RESET.at.quarantined, queued.length, true);
    if (queued.length === 0) return;
    this.fail("RESET", ERRNO.EIO, "the driver has no RESET: close the device");
  }

  #find(opened: Opened, id: number, name: string): { side: Side; index: number } {
    for (const direction of DIRECTIONS) {
      const side = opened.sides[direction];
      const index = side.blocks.get(id);
      if (index !== undefined) return { side, index };
    }
    this.fail(name, ERRNO.ENOENT, `no block ${id}`);
  }

  #send(side: Side, name: DyploRequest, argument: DataView<ArrayBuffer> | null): void {
    const bytes = argument === null ? null : new Uint8Array(argument.buffer);
    this.under.ioctl(side.fd, REQUEST[name], bytes);
  }
}

function blockRequest(index: number): DataView<ArrayBuffer> {
  const view = new DataView(new ArrayBuffer(BLOCK.size));
  view.setUint32(BLOCK.at.id, index, true);
  return view;
}
