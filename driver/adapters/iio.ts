// SPDX-License-Identifier: MIT

/**
 * Makes a converter of the IIO core in each direction, with DMABUFs, look like pldma.
 *
 * IIO queues DMABUFs that the caller brings, maps each one once, and syncs none of them. So this adapter
 * allocates one DMABUF for each block from a dma-heap, and syncs it by DMA_BUF_IOCTL_SYNC as its policy says.
 * It is longer than 400 lines because it answers each request of pldma.
 *
 * @module
 */

import { getNumber, setNumber } from "../codecs.ts";
import {
  BUFFER_SYNC,
  DMA_BUF_IOCTL_SYNC,
  DMA_HEAP_IOCTL_ALLOC,
  HEAP_ALLOCATION,
  SYSTEM_HEAP,
} from "../dma_buffer.ts";
import { ERRNO, ErrnoError } from "../errno.ts";
import type { Mapping } from "../mapping.ts";
import {
  type Attachment,
  FIONBIO,
  MAP_SHARED,
  O_CLOEXEC,
  O_NONBLOCK,
  O_RDWR,
  POLLIN,
  POLLOUT,
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
  FREE,
  IMPORT,
  INFO,
  IOC,
  POLICIES,
  POLICY_FLAGS,
  POLICY_INFO,
  type PolicyName,
  QUERY,
  RESET,
  RESET_FLAGS,
  STATES,
  STATUSES,
  SYNC,
  SYNC_OPS,
  type SyncOp,
} from "../uapi.ts";
import { AdapterSyscalls } from "./base.ts";
import { type FenceState, IioBuffer } from "./iio_buffer.ts";

/** What the driver does not tell. */
export interface IioOptions {
  /**
   * Blocks that the queue of each direction takes. The IIO core hands all of them to the engine, and does not
   * report if that refuses one. Defaults to 8.
   */
  readonly queueDepth?: number;
  /**
   * Size of the largest block, bytes. The memory of a heap is in pieces that the kernel maps as they are: one of
   * 1 MiB does not fit into a bounce buffer. Defaults to 512 KiB.
   */
  readonly maxBlock?: number;
}

/** The policies, and whether ENQUEUE and DEQUEUE sync. Under `dma-buf` the caller brings the DMABUF. */
const OFFERED: Readonly<Partial<Record<PolicyName, { readonly syncs: boolean }>>> = {
  "streaming": { syncs: true },
  "manual": { syncs: false },
  "none": { syncs: false },
  "dma-buf": { syncs: false },
};

/** Two IIO devices, one for each direction, and a dma-heap. */
const PATH = /^(\/dev\/iio:device\d+)\+(\/dev\/iio:device\d+)(?:\+(\/dev\/dma_heap\/[\w,-]+))?$/;

const PAGE = 4096;
const CACHE_LINE = 64;
const MAX_BLOCKS = 64;
/** The longest sleep in one wait, milliseconds. */
const SLICE_MS = 1000;

/** A block: a DMABUF that a buffer has mapped. */
interface IioBlock {
  readonly id: number;
  readonly direction: Direction;
  readonly policy: PolicyName;
  readonly size: number;
  /** The DMABUF. */
  readonly fd: number;
  /** Whether the adapter allocated it. */
  readonly own: boolean;
  /** Where the caller maps it, bytes. */
  readonly place: number;
  mapping: Mapping | null;
}

/** A transfer from ENQUEUE to DEQUEUE. */
interface Queued {
  readonly block: IioBlock;
  readonly length: number;
  readonly cookie: bigint;
  readonly queuedNs: number;
  readonly syncDeviceNs: number;
  /** The file with the fence. */
  readonly fence: number;
  state: FenceState;
  doneNs: number;
}

/** An open device. */
interface Opened {
  readonly buffers: Readonly<Record<Direction, IioBuffer>>;
  /** The transfers of each direction, the oldest first. */
  readonly queues: Readonly<Record<Direction, Queued[]>>;
  readonly heap: number;
  readonly blocks: Map<number, IioBlock>;
  nextId: number;
  nextPlace: number;
  nonblocking: boolean;
}

/**
 * System calls that translate the requests of `Device` for the DMABUF calls of IIO, in Linux 6.12 and newer.
 *
 * The path of a device is that of an IIO device, a plus, and that of another one. One has an output buffer and
 * one an input buffer, in any order: `/dev/iio:device0+/dev/iio:device1`. A second plus is followed by the
 * dma-heap for blocks, which defaults to `/dev/dma_heap/system`. A channel of each device must be enabled.
 *
 * It offers the policies `streaming`, `manual`, `none` and `dma-buf`. Transfers begin at offset 0 of a block.
 * The length of a short received frame is not reported, nor a transfer that failed in the engine. What IIO has
 * nothing for fails with EOPNOTSUPP: REGISTER, EXPORT, STATS, CACHE, and batches.
 *
 * @example A device
 * ```ts ignore
 * import { Device } from "@plumbline/hil";
 * import { IioSyscalls } from "./driver/adapters/iio.ts";
 * import { libc } from "./driver/libc.ts";
 *
 * const path = "/dev/iio:device0+/dev/iio:device1";
 * using device = Device.open({ path, syscalls: new IioSyscalls(libc) });
 * ```
 */
export class IioSyscalls extends AdapterSyscalls {
  protected override readonly adapter = "iio";
  readonly #queueDepth: number;
  readonly #maxBlock: number;
  readonly #opened = new Map<number, Opened>();

  /**
   * @param under The system calls that reach the driver.
   * @param options What the driver does not tell.
   */
  constructor(under: Syscalls, options: IioOptions = {}) {
    super(under);
    this.#queueDepth = options.queueDepth ?? 8;
    this.#maxBlock = options.maxBlock ?? 2 ** 19;
  }

  /**
   * Tell whether the path of a device is one for this adapter.
   *
   * @param path The path.
   * @returns True for `/dev/iio:device0+/dev/iio:device1` and so on.
   */
  static covers(path: string): boolean {
    return PATH.test(path);
  }

  /**
   * Tell which files a device consists of.
   *
   * @param path A path that {@linkcode covers} accepts.
   * @returns The files of the two devices, and that of the heap.
   */
  static filesOf(path: string): readonly string[] {
    const [, first = "", second = "", heap = SYSTEM_HEAP] = PATH.exec(path) ?? [];
    return [first, second, heap];
  }

  override open(path: string, flags: number): number {
    // a dma-heap, for buffers of the caller
    if (!IioSyscalls.covers(path)) return this.under.open(path, flags);
    const [first = "", second = "", heapPath = ""] = IioSyscalls.filesOf(path);
    const heap = this.under.open(heapPath, O_RDWR | O_CLOEXEC);
    const open: IioBuffer[] = [];
    try {
      for (const device of [first, second]) open.push(new IioBuffer(this.under, device));
      const [tx, rx] = DIRECTIONS.map((wanted) =>
        open.find(({ direction }) => direction === wanted)
      );
      if (tx === undefined || rx === undefined) {
        const found = open.map(({ direction }) => direction === "tx" ? "out" : "in").join(" and ");
        this.fail("open", ERRNO.ENODEV, `expected buffers of both directions, found ${found}`);
      }
      this.#opened.set(tx.device, {
        ...{ buffers: { tx, rx }, queues: { tx: [], rx: [] }, heap, blocks: new Map() },
        ...{ nextId: 0, nextPlace: 0, nonblocking: (flags & O_NONBLOCK) !== 0 },
      });
      return tx.device;
    } catch (error) {
      for (const buffer of open) buffer.close();
      this.under.close(heap);
      throw error;
    }
  }

  override close(fd: number): void {
    const opened = this.#opened.get(fd);
    if (opened === undefined) return this.under.close(fd);
    this.#opened.delete(fd);
    const { buffers, queues, heap, blocks } = opened;
    const files = blocks.values().filter((block) => block.own).map((block) => block.fd);
    try {
      for (const direction of DIRECTIONS) {
        buffers[direction].disable();
        for (const { fence } of queues[direction]) this.under.close(fence);
      }
    } finally {
      for (const direction of DIRECTIONS) buffers[direction].close();
      for (const file of [...files, heap]) this.under.close(file);
    }
  }

  override ioctl(
    fd: number,
    request: number,
    argument: Uint8Array<ArrayBuffer> | null,
    attachment?: Attachment,
  ): number {
    const opened = this.#opened.get(fd);
    // a heap, or a buffer of the caller
    if (opened === undefined) return this.under.ioctl(fd, request, argument, attachment);
    if (argument === null) this.fail("ioctl", ERRNO.EINVAL, "expected a struct, found none");
    const view = new DataView(argument.buffer, argument.byteOffset, argument.byteLength);
    switch (request) {
      case FIONBIO:
        opened.nonblocking = argument[0] !== 0;
        return 0;
      case IOC.INFO:
        this.#info(opened, argument, view);
        return 0;
      case IOC.ALLOC:
        this.#alloc(opened, view);
        return 0;
      case IOC.IMPORT:
        this.#import(opened, view);
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
      case IOC.SYNC:
        this.#sync(opened, view);
        return 0;
      case IOC.RESET:
        this.#reset(opened, view);
        return 0;
    }
    this.refuse(request, "IIO has nothing like it");
  }

  override mmap(length: number, prot: number, flags: number, fd: number, offset: number): Mapping {
    const opened = this.#opened.get(fd);
    if (opened === undefined) return this.under.mmap(length, prot, flags, fd, offset);
    const block = opened.blocks.values().find(({ own, place }) => own && place === offset);
    if (block === undefined) this.fail("mmap", ERRNO.EINVAL, `no block at ${offset}`);
    block.mapping = this.under.mmap(length, prot, MAP_SHARED, block.fd, 0);
    return block.mapping;
  }

  override munmap(mapping: Mapping): void {
    for (const { blocks } of this.#opened.values()) {
      for (const block of blocks.values()) if (block.mapping === mapping) block.mapping = null;
    }
    super.munmap(mapping);
  }

  override poll(fd: number, events: number, timeoutMs: number): number {
    const opened = this.#opened.get(fd);
    if (opened === undefined) return this.under.poll(fd, events, timeoutMs);
    const wanted = DIRECTIONS.filter((direction) =>
      (events & (direction === "tx" ? POLLOUT : POLLIN)) !== 0
    );
    const deadline = this.under.monotonicNs() + timeoutMs * 1e6;
    for (;;) {
      const ready = wanted.filter((direction) => {
        const [oldest] = opened.queues[direction];
        return oldest !== undefined && this.#ended(opened, oldest, 0);
      });
      const leftMs = (deadline - this.under.monotonicNs()) / 1e6;
      if (ready.length > 0 || leftMs <= 0) {
        return ready.reduce((bits, one) => bits | (one === "tx" ? POLLOUT : POLLIN), 0);
      }
      const [only] = wanted.length === 1 ? wanted.map((one) => opened.queues[one][0]) : [];
      if (only !== undefined) this.#ended(opened, only, Math.min(leftMs, SLICE_MS));
      // without events, poll() sleeps
      else this.under.poll(fd, 0, Math.min(leftMs, 1));
    }
  }

  /** Fills in what is true of every such device, and what the options say. */
  #info({ buffers }: Opened, argument: Uint8Array, view: DataView): void {
    argument.fill(0);
    const word = (at: number, value: number) => view.setUint32(at, value, true);
    word(INFO.at.abi_version, ABI_VERSION);
    word(INFO.at.cache_align, CACHE_LINE);
    word(INFO.at.page_size, PAGE);
    word(INFO.at.max_blocks, MAX_BLOCKS);
    setNumber(view, INFO.at.max_bytes, MAX_BLOCKS * this.#maxBlock);
    for (const [index, direction] of DIRECTIONS.entries()) {
      const at = INFO.at.chan + index * CHAN_INFO.size;
      const { present, needsSync, trustsTerminate } = CHAN_FLAGS;
      const { name, lengthAlign } = buffers[direction];
      word(at + CHAN_INFO.at.flags, present | needsSync | trustsTerminate);
      word(at + CHAN_INFO.at.queue_depth, this.#queueDepth);
      word(at + CHAN_INFO.at.engine_depth, this.#queueDepth);
      word(at + CHAN_INFO.at.max_segment, this.#maxBlock);
      // each transfer begins with the DMABUF
      word(at + CHAN_INFO.at.address_align, PAGE);
      word(at + CHAN_INFO.at.length_align, lengthAlign);
      argument.set(new TextEncoder().encode("iio"), at + CHAN_INFO.at.engine);
      argument.set(new TextEncoder().encode(name.slice(0, 31)), at + CHAN_INFO.at.channel);
      view.setBigUint64(at + CHAN_INFO.at.dma_mask, 2n ** 64n - 1n, true);
    }
    for (const [index, name] of POLICIES.entries()) {
      if (OFFERED[name] === undefined) continue;
      const policy = INFO.at.policy + index * POLICY_INFO.size;
      const attribute = name === "dma-buf" ? "none" : "cached";
      word(policy + POLICY_INFO.at.flags, POLICY_FLAGS.tx | POLICY_FLAGS.rx);
      word(policy + POLICY_INFO.at.attr, ATTRIBUTES.indexOf(attribute));
      setNumber(view, policy + POLICY_INFO.at.max_block, this.#maxBlock);
    }
  }

  #alloc(opened: Opened, view: DataView): void {
    const size = getNumber(view, ALLOC.at.size);
    const count = view.getUint32(ALLOC.at.count, true);
    const direction = this.#directionAt(view, ALLOC.at.direction, "ALLOC");
    const policy = POLICIES[view.getUint32(ALLOC.at.policy, true)];
    if (policy === undefined || policy === "dma-buf" || OFFERED[policy] === undefined) {
      const names = Object.keys(OFFERED).filter((name) => name !== "dma-buf").join(", ");
      this.fail("ALLOC", ERRNO.EINVAL, `expected one of the policies ${names}, found ${policy}`);
    }
    if (size < 1 || size > this.#maxBlock || count < 1) {
      const most = `blocks of 1 to ${this.#maxBlock} bytes`;
      this.fail("ALLOC", ERRNO.EINVAL, `expected ${most}, found ${count} of ${size}`);
    }
    if (opened.blocks.size + count > MAX_BLOCKS) {
      const found = `${opened.blocks.size} exist, and ${count} more were requested`;
      this.fail("ALLOC", ERRNO.ENOMEM, `expected at most ${MAX_BLOCKS} blocks, found: ${found}`);
    }
    const stride = Math.ceil(size / PAGE) * PAGE;
    const firstId = opened.nextId;
    const start = opened.nextPlace;
    try {
      for (let n = 0; n < count; n++) {
        const fd = this.#fromHeap(opened.heap, stride);
        const place = start + n * stride;
        this.#add(opened, { direction, policy, size, fd, own: true, place });
      }
    } catch (error) {
      for (let id = firstId; id < opened.nextId; id++) this.#free(opened, id);
      throw error;
    }
    opened.nextPlace += count * stride;
    view.setUint32(ALLOC.at.first_id, firstId, true);
    setNumber(view, ALLOC.at.mmap_offset, start);
    setNumber(view, ALLOC.at.mmap_stride, stride);
  }

  #fromHeap(heap: number, size: number): number {
    const request = new DataView(new ArrayBuffer(HEAP_ALLOCATION.size));
    setNumber(request, HEAP_ALLOCATION.at.len, size);
    request.setUint32(HEAP_ALLOCATION.at.fd_flags, O_RDWR | O_CLOEXEC, true);
    this.under.ioctl(heap, DMA_HEAP_IOCTL_ALLOC, new Uint8Array(request.buffer));
    return request.getInt32(HEAP_ALLOCATION.at.fd, true);
  }

  #import(opened: Opened, view: DataView): void {
    const direction = this.#directionAt(view, IMPORT.at.direction, "IMPORT");
    const size = getNumber(view, IMPORT.at.size);
    const fd = view.getInt32(IMPORT.at.fd, true);
    if (size < 1 || size > this.#maxBlock) {
      const most = `1 to ${this.#maxBlock} bytes`;
      this.fail("IMPORT", ERRNO.EINVAL, `expected ${most}, found ${size}`);
    }
    if (opened.blocks.size >= MAX_BLOCKS) {
      this.fail("IMPORT", ERRNO.ENOMEM, `expected at most ${MAX_BLOCKS} blocks`);
    }
    view.setUint32(IMPORT.at.id, opened.nextId, true);
    this.#add(opened, { direction, policy: "dma-buf", size, fd, own: false, place: 0 });
  }

  /** Maps a DMABUF for its device, and makes it a block. Closes the DMABUF, if it is the adapter's, on failure. */
  #add(opened: Opened, block: Omit<IioBlock, "id" | "mapping">): void {
    try {
      opened.buffers[block.direction].attach(block.fd);
    } catch (error) {
      if (block.own) this.under.close(block.fd);
      throw error;
    }
    const id = opened.nextId++;
    opened.blocks.set(id, { ...block, id, mapping: null });
  }

  #free(opened: Opened, id: number): void {
    const block = this.#find(opened, id, "FREE");
    if (this.#isQueued(opened, block)) this.fail("FREE", ERRNO.EBUSY, `block ${id} is queued`);
    if (block.mapping !== null) this.fail("FREE", ERRNO.EBUSY, `block ${id} is mapped`);
    opened.buffers[block.direction].detach(block.fd);
    opened.blocks.delete(id);
    if (block.own) this.under.close(block.fd);
  }

  #query(opened: Opened, view: DataView): void {
    const block = this.#find(opened, view.getUint32(QUERY.at.id, true), "QUERY");
    const queued = opened.queues[block.direction].find((one) => one.block === block);
    const ended = queued !== undefined && this.#ended(opened, queued, 0);
    const state = queued === undefined ? "user" : ended ? "done" : "in-flight";
    view.setUint32(QUERY.at.state, STATES.indexOf(state), true);
    view.setUint32(QUERY.at.direction, DIRECTIONS.indexOf(block.direction), true);
    view.setUint32(QUERY.at.policy, POLICIES.indexOf(block.policy), true);
    view.setUint32(QUERY.at.flags, (block.mapping === null ? 0 : 1) | 2, true);
    view.setUint32(QUERY.at.segments, 1, true);
    setNumber(view, QUERY.at.size, block.size);
    setNumber(view, QUERY.at.mmap_offset, block.place);
  }

  #enqueue(opened: Opened, view: DataView): void {
    const id = view.getUint32(ENQUEUE.at.id, true);
    const length = getNumber(view, ENQUEUE.at.length);
    const block = this.#find(opened, id, "ENQUEUE");
    const queue = opened.queues[block.direction];
    const buffer = opened.buffers[block.direction];
    if (this.#isQueued(opened, block)) {
      this.fail("ENQUEUE", ERRNO.EBUSY, `block ${id} is queued`);
    }
    if (getNumber(view, ENQUEUE.at.offset) !== 0) {
      this.fail("ENQUEUE", ERRNO.EINVAL, "IIO moves the beginning of a DMABUF only");
    }
    if (length < 1 || length > block.size || length % buffer.lengthAlign !== 0) {
      const most = `1 to ${block.size} bytes, a multiple of ${buffer.lengthAlign}`;
      this.fail("ENQUEUE", ERRNO.EINVAL, `expected ${most}, found ${length}`);
    }
    if (queue.length >= this.#queueDepth) this.fail("ENQUEUE", ERRNO.EAGAIN, "the queue is full");
    const queuedNs = this.under.monotonicNs();
    const syncDeviceNs = this.#hand(block, "for-device");
    let fence: number;
    try {
      fence = buffer.enqueue(block.fd, length);
    } catch (error) {
      if (!(error instanceof ErrnoError) || error.errno !== ERRNO.EBUSY) throw error;
      const why = "its driver lacks device_prep_peripheral_dma_vec, or its queue was full";
      this.fail("ENQUEUE", ERRNO.EBUSY, `the engine refused block ${id} before: ${why}`);
    }
    const cookie = view.getBigUint64(ENQUEUE.at.cookie, true);
    const times = { queuedNs, syncDeviceNs, doneNs: 0 };
    queue.push({ block, length, cookie, fence, ...times, state: "pending" });
  }

  #dequeue(opened: Opened, view: DataView): void {
    const direction = this.#directionAt(view, DEQUEUE.at.direction, "DEQUEUE");
    const queue = opened.queues[direction];
    const [oldest] = queue;
    if (oldest === undefined) this.fail("DEQUEUE", ERRNO.ENODATA, "nothing is queued");
    const deadline = getNumber(view, DEQUEUE.at.deadline_ns);
    const leftMs = () => Math.max(0, (deadline - this.under.monotonicNs()) / 1e6);
    while (!this.#ended(opened, oldest, opened.nonblocking ? 0 : Math.min(leftMs(), SLICE_MS))) {
      if (opened.nonblocking) this.fail("DEQUEUE", ERRNO.EAGAIN, "no completion yet");
      if (leftMs() <= 0) this.fail("DEQUEUE", ERRNO.ETIMEDOUT, "no completion yet");
    }
    queue.shift();
    this.under.close(oldest.fence);
    const aborted = oldest.state === "aborted";
    const syncCpuNs = this.#hand(oldest.block, "for-cpu");
    view.setUint32(DEQUEUE.at.id, oldest.block.id, true);
    view.setUint32(DEQUEUE.at.status, STATUSES.indexOf(aborted ? "aborted" : "ok"), true);
    setNumber(view, DEQUEUE.at.offset, 0);
    // IIO knows the length of a short frame, but reports it only to read()
    setNumber(view, DEQUEUE.at.length, aborted ? 0 : oldest.length);
    view.setBigUint64(DEQUEUE.at.cookie, oldest.cookie, true);
    setNumber(view, DEQUEUE.at.queued_ns, oldest.queuedNs);
    setNumber(view, DEQUEUE.at.submitted_ns, oldest.queuedNs);
    setNumber(view, DEQUEUE.at.done_ns, oldest.doneNs);
    setNumber(view, DEQUEUE.at.sync_device_ns, oldest.syncDeviceNs);
    setNumber(view, DEQUEUE.at.sync_cpu_ns, syncCpuNs);
    view.setUint32(DEQUEUE.at.check_kind, 0, true);
    view.setInt32(DEQUEUE.at.error, aborted ? ERRNO.EIO : 0, true);
    if (aborted) this.fail("DEQUEUE", ERRNO.EIO, "somebody disabled the buffer in sysfs");
  }

  /** Waits for the end of a transfer, and notes when it was seen. */
  #ended({ buffers }: Opened, transfer: Queued, timeoutMs: number): boolean {
    if (transfer.state !== "pending") return true;
    const { block, fence } = transfer;
    transfer.state = buffers[block.direction].wait(block.fd, fence, timeoutMs);
    transfer.doneNs = this.under.monotonicNs();
    return transfer.state !== "pending";
  }

  /** Makes the sync call of a policy, if it has one. Returns its duration, nanoseconds. */
  #hand(block: IioBlock, op: SyncOp): number {
    return OFFERED[block.policy]?.syncs === true ? this.#syncWhole(block, op) : 0;
  }

  /** Starts or ends an access by the CPU. Returns the duration of the call, nanoseconds. */
  #syncWhole({ fd, direction }: IioBlock, op: SyncOp): number {
    const start = this.under.monotonicNs();
    const argument = new Uint8Array(8);
    argument[0] = (direction === "tx" ? BUFFER_SYNC.write : BUFFER_SYNC.read) |
      (op === "for-device" ? BUFFER_SYNC.end : 0);
    this.under.ioctl(fd, DMA_BUF_IOCTL_SYNC, argument);
    return this.under.monotonicNs() - start;
  }

  /** Syncs the whole block, because a DMABUF has no sync of a range. */
  #sync(opened: Opened, view: DataView): void {
    const block = this.#find(opened, view.getUint32(SYNC.at.id, true), "SYNC");
    const op = SYNC_OPS[view.getUint32(SYNC.at.op, true)];
    const end = getNumber(view, SYNC.at.offset) + getNumber(view, SYNC.at.length);
    if (this.#isQueued(opened, block)) {
      this.fail("SYNC", ERRNO.EBUSY, `block ${block.id} is queued`);
    }
    const syncs = block.policy === "manual" || block.policy === "dma-buf";
    if (op === undefined || !syncs || end > block.size) {
      this.fail(
        "SYNC",
        ERRNO.EINVAL,
        "expected a range inside a block of policy manual or dma-buf",
      );
    }
    setNumber(view, SYNC.at.ns, this.#syncWhole(block, op));
  }

  /** Disables the buffers. The IIO core then stops the engine and signals every fence. */
  #reset(opened: Opened, view: DataView): void {
    const flags = view.getUint32(RESET.at.flags, true);
    const all = (flags & (RESET_FLAGS.tx | RESET_FLAGS.rx)) === 0;
    let returned = 0;
    for (const direction of DIRECTIONS) {
      if (!all && (flags & RESET_FLAGS[direction]) === 0) continue;
      opened.buffers[direction].disable();
      for (const { block, fence } of opened.queues[direction].splice(0)) {
        this.under.close(fence);
        this.#hand(block, "for-cpu");
        returned++;
      }
    }
    view.setUint32(RESET.at.returned, returned, true);
    view.setUint32(RESET.at.quarantined, 0, true);
  }

  #isQueued({ queues }: Opened, block: IioBlock): boolean {
    return queues[block.direction].some((one) => one.block === block);
  }

  #find(opened: Opened, id: number, name: string): IioBlock {
    return opened.blocks.get(id) ?? this.fail(name, ERRNO.ENOENT, `no block ${id}`);
  }

  #directionAt(view: DataView, at: number, name: string): Direction {
    return DIRECTIONS[view.getUint32(at, true)] ??
      this.fail(name, ERRNO.EINVAL, "expected direction 0 or 1");
  }
}
