// SPDX-License-Identifier: MIT

/**
 * Makes a buffer of u-dma-buf, and an engine that this program starts, look like pldma.
 *
 * u-dma-buf allocates one buffer, maps it, and syncs ranges of it on request. It moves no data. So this adapter
 * does in user space what pldma does in the kernel: it places blocks in the buffer, queues them, syncs them as
 * their policy says, and starts the engine. It is longer than 400 lines because it answers each request of pldma.
 *
 * @module
 */

import { getNumber, setNumber } from "../codecs.ts";
import { ERRNO } from "../errno.ts";
import type { Mapping } from "../mapping.ts";
import { mapRegisters } from "../register_memory.ts";
import {
  type Attachment,
  FIONBIO,
  O_NONBLOCK,
  POLLIN,
  POLLOUT,
  PROT_READ,
  PROT_WRITE,
  type RegisterPort,
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
  type PolicyName,
  QUERY,
  QUIRK_FLAGS,
  RESET,
  RESET_FLAGS,
  STATES,
  STATUSES,
  SYNC,
  SYNC_OPS,
  type SyncOp,
} from "../uapi.ts";
import { AdapterSyscalls } from "./base.ts";
import { Arena } from "./udmabuf_arena.ts";
import { AxiDmaDirect, type UserEngine } from "./udmabuf_engine.ts";
import { type Caching, UdmabufMemory } from "./udmabuf_memory.ts";
import { type PlacedBlock, Side, type Transfer } from "./udmabuf_side.ts";

/** What the driver does not tell. */
export interface UdmabufOptions {
  /** Blocks that the queue of each direction takes. Defaults to 8. */
  readonly queueDepth?: number;
  /**
   * Makes the engine. Defaults to AXI DMA in direct register mode at the UIO device that the path names.
   */
  readonly engine?: () => UserEngine;
}

/** A policy: how its blocks are mapped, and which syncs it makes. */
interface Policy {
  readonly caching: Caching;
  /** The range of each sync: the whole block, or the bytes that move. */
  readonly syncs: Readonly<Record<Direction, Partial<Record<SyncOp, "block" | "bytes">>>>;
}

const WHOLE = { "for-device": "block", "for-cpu": "block" } as const;
const NEVER = { tx: {}, rx: {} } as const;

/** The policies that u-dma-buf allows. `write-combine` is the same memory as `coherent` on arm64. */
const OFFERED: Readonly<Partial<Record<PolicyName, Policy>>> = {
  "coherent": { caching: "coherent", syncs: NEVER },
  "write-combine": { caching: "write-combine", syncs: NEVER },
  "streaming": { caching: "cached", syncs: { tx: WHOLE, rx: WHOLE } },
  "streaming-lazy": {
    caching: "cached",
    syncs: { tx: { "for-device": "bytes" }, rx: { "for-cpu": "bytes" } },
  },
  "manual": { caching: "cached", syncs: NEVER },
  "none": { caching: "cached", syncs: NEVER },
};

/** A buffer, a UIO device with AXI DMA, and the width of its length registers. */
const PATH = /^(\/dev\/[\w-]*udmabuf[\w-]*)\+(\/dev\/uio\d+)(?:\+(\d\d?))?$/;

const PAGE = 4096;
const CACHE_LINE = 64;
/** Looks at the engine before a wait goes to sleep. */
const SPINS = 50;

/** An open device. */
interface Opened {
  readonly memory: UdmabufMemory;
  readonly engine: UserEngine & Partial<Disposable>;
  readonly registers: (RegisterPort & Partial<Disposable>) | null;
  readonly arena: Arena;
  readonly blocks: Map<number, PlacedBlock>;
  readonly sides: Readonly<Record<Direction, Side>>;
  readonly maxBlock: number;
  nextId: number;
  nonblocking: boolean;
  /** Whether a RESET could not stop the engine. */
  wedged: boolean;
}

/**
 * System calls that translate the requests of `Device` for u-dma-buf.
 *
 * The path of a device is that of a buffer, a plus, and that of a UIO device with the registers of AXI DMA in
 * direct register mode: `/dev/udmabuf0+/dev/uio0`. A second plus is followed by the width of the core's length
 * registers: `/dev/udmabuf0+/dev/uio0+23`. There are no check values and no statistics, and no policies whose
 * memory is not the buffer's.
 *
 * @example A device
 * ```ts ignore
 * import { Device } from "@plumbline/hil";
 * import { UdmabufSyscalls } from "./driver/adapters/udmabuf.ts";
 * import { libc } from "./driver/libc.ts";
 *
 * const path = "/dev/udmabuf0+/dev/uio0+23";
 * using device = Device.open({ path, syscalls: new UdmabufSyscalls(libc) });
 * ```
 */
export class UdmabufSyscalls extends AdapterSyscalls {
  protected override readonly adapter = "u-dma-buf";
  readonly #options: UdmabufOptions;
  readonly #opened = new Map<number, Opened>();
  /** The blocks of mappings, until they are unmapped. */
  readonly #mapped = new Map<Mapping, PlacedBlock[]>();

  /**
   * @param under The system calls that reach the driver.
   * @param options What the driver does not tell.
   */
  constructor(under: Syscalls, options: UdmabufOptions = {}) {
    super(under);
    this.#options = options;
  }

  /**
   * Tell whether the path of a device is one for this adapter.
   *
   * @param path The path.
   * @returns True for `/dev/udmabuf0+/dev/uio0` and so on.
   */
  static covers(path: string): boolean {
    return PATH.test(path);
  }

  /**
   * Tell which files a device consists of.
   *
   * @param path A path that {@linkcode covers} accepts.
   * @returns The buffer's file and that of the registers.
   */
  static filesOf(path: string): readonly string[] {
    return (PATH.exec(path) ?? []).slice(1, 3);
  }

  override open(path: string, flags: number): number {
    const [, buffer = path, uio = "", bits = "14"] = PATH.exec(path) ?? [];
    const memory = new UdmabufMemory(this.under, buffer);
    try {
      const { engine: make } = this.#options;
      const registers = make === undefined ? this.#registers(uio) : null;
      const engine = make?.() ??
        new AxiDmaDirect(registers ?? this.fail("open", ERRNO.ENODEV, `no registers at ${uio}`), {
          lengthBits: Number(bits),
        });
      // an old transfer may still be running, and the core must not write to new blocks
      if (!engine.reset()) {
        this.fail("open", ERRNO.EIO, `the engine at ${uio} does not end its reset`);
      }
      const longest = Math.min(engine.maxTransfer, memory.size / 8);
      this.#opened.set(memory.fd, {
        ...{ memory, engine, registers, arena: new Arena(memory.size), blocks: new Map() },
        sides: { tx: new Side("tx"), rx: new Side("rx") },
        maxBlock: Math.floor(longest / CACHE_LINE) * CACHE_LINE,
        ...{ nextId: 0, nonblocking: (flags & O_NONBLOCK) !== 0, wedged: false },
      });
    } catch (error) {
      memory.close();
      throw error;
    }
    return memory.fd;
  }

  override close(fd: number): void {
    const { memory, engine, registers, sides } = this.#of(fd);
    this.#opened.delete(fd);
    if (DIRECTIONS.some((direction) => sides[direction].active !== null)) engine.reset();
    registers?.[Symbol.dispose]?.();
    memory.close();
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
        this.#info(opened, argument, view);
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
      case IOC.SYNC:
        this.#sync(opened, view);
        return 0;
      case IOC.RESET:
        this.#reset(opened, view);
        return 0;
    }
    this.refuse(request, "u-dma-buf has nothing like it");
  }

  override mmap(length: number, prot: number, flags: number, fd: number, offset: number): Mapping {
    const opened = this.#opened.get(fd);
    if (opened === undefined) return this.under.mmap(length, prot, flags, fd, offset);
    const blocks = [...opened.blocks.values()]
      .filter(({ place }) => place >= offset && place < offset + length);
    const [first] = blocks;
    if (first?.place !== offset) this.fail("mmap", ERRNO.EINVAL, `no block at ${offset}`);
    const readOnly = first.policy === "streaming-lazy" && first.direction === "rx";
    if (readOnly && (prot & PROT_WRITE) !== 0) {
      this.fail("mmap", ERRNO.EACCES, "receive blocks of streaming-lazy are read-only");
    }
    const { caching } = this.#policyOf(first.policy);
    const mapping = opened.memory.map(offset, length, prot, caching);
    this.#mapped.set(mapping, blocks);
    return mapping;
  }

  override munmap(mapping: Mapping): void {
    this.#mapped.delete(mapping);
    super.munmap(mapping);
  }

  override poll(fd: number, events: number, timeoutMs: number): number {
    const opened = this.#of(fd);
    const wanted: Direction[] = [];
    if ((events & POLLIN) !== 0) wanted.push("rx");
    if ((events & POLLOUT) !== 0) wanted.push("tx");
    const deadline = this.under.monotonicNs() + timeoutMs * 1e6;
    const ready = () => wanted.filter((direction) => opened.sides[direction].done.length > 0);
    this.#wait(opened, () => ready().length > 0, deadline);
    return ready().reduce((bits, direction) => bits | (direction === "rx" ? POLLIN : POLLOUT), 0);
  }

  #of(fd: number): Opened {
    return this.#opened.get(fd) ?? this.fail("ioctl", ERRNO.EBADF, `no open device ${fd}`);
  }

  #registers(uio: string): RegisterPort & Partial<Disposable> {
    // a model has its registers; on a machine, they are mapped
    return this.under.registers?.(uio) ?? mapRegisters(uio, true, {});
  }

  /** Lets the engine go on until a condition holds, or a moment has passed. */
  #wait(opened: Opened, holds: () => boolean, deadlineNs: number): boolean {
    for (let spins = 0;; spins++) {
      this.#pump(opened);
      if (holds()) return true;
      const leftMs = (deadlineNs - this.under.monotonicNs()) / 1e6;
      if (leftMs <= 0) return false;
      // without events, poll() sleeps
      if (spins >= SPINS) this.under.poll(opened.memory.fd, 0, Math.min(leftMs, 1));
    }
  }

  #pump({ sides, engine, memory }: Opened): void {
    const now = () => this.under.monotonicNs();
    // receive first, so that a frame that is sent finds a place
    for (const direction of ["rx", "tx"] as const) {
      sides[direction].pump(engine, memory.address, now);
    }
  }

  #info(opened: Opened, argument: Uint8Array, view: DataView): void {
    const { memory, engine, maxBlock, wedged } = opened;
    argument.fill(0);
    const word = (at: number, value: number) => view.setUint32(at, value, true);
    const depth = this.#options.queueDepth ?? 8;
    word(INFO.at.abi_version, ABI_VERSION);
    word(INFO.at.cache_align, CACHE_LINE);
    word(INFO.at.page_size, PAGE);
    word(INFO.at.max_blocks, 64);
    setNumber(view, INFO.at.max_bytes, memory.size);
    const { present, needsSync, devCoherent, exactLengths, provesIdle } = CHAN_FLAGS;
    const coherence = memory.coherent ? devCoherent : needsSync;
    for (const [index, direction] of DIRECTIONS.entries()) {
      const at = INFO.at.chan + index * CHAN_INFO.size;
      const state = wedged ? CHAN_FLAGS.wedged : 0;
      word(at + CHAN_INFO.at.flags, present | coherence | exactLengths | provesIdle | state);
      word(at + CHAN_INFO.at.queue_depth, depth);
      word(at + CHAN_INFO.at.engine_depth, 1);
      word(at + CHAN_INFO.at.max_segment, engine.maxTransfer);
      word(at + CHAN_INFO.at.address_align, engine.addressAlign);
      word(at + CHAN_INFO.at.length_align, 1);
      word(at + CHAN_INFO.at.quirks, QUIRK_FLAGS.resetsBoth);
      argument.set(new TextEncoder().encode(engine.name.slice(0, 31)), at + CHAN_INFO.at.engine);
      argument.set(new TextEncoder().encode(direction), at + CHAN_INFO.at.channel);
      const mask = (1n << BigInt(memory.maskBits ?? 32)) - 1n;
      view.setBigUint64(at + CHAN_INFO.at.dma_mask, mask, true);
    }
    for (const [index, name] of POLICIES.entries()) {
      const policy = OFFERED[name];
      if (policy === undefined) continue;
      const at = INFO.at.policy + index * POLICY_INFO.size;
      const alias = name === "write-combine" ? POLICY_FLAGS.alias : 0;
      const uncached = policy.caching !== "cached" && !memory.coherent;
      word(at + POLICY_INFO.at.flags, POLICY_FLAGS.tx | POLICY_FLAGS.rx | alias);
      word(at + POLICY_INFO.at.attr, ATTRIBUTES.indexOf(uncached ? "write-combine" : "cached"));
      setNumber(view, at + POLICY_INFO.at.max_block, maxBlock);
    }
  }

  #alloc(opened: Opened, view: DataView): void {
    const { memory, arena, maxBlock } = opened;
    const size = getNumber(view, ALLOC.at.size);
    const count = view.getUint32(ALLOC.at.count, true);
    const direction = this.#directionAt(view, ALLOC.at.direction, "ALLOC");
    const policy = POLICIES[view.getUint32(ALLOC.at.policy, true)];
    if (policy === undefined || OFFERED[policy] === undefined) {
      const names = Object.keys(OFFERED).join(", ");
      this.fail("ALLOC", ERRNO.EINVAL, `expected one of the policies ${names}, found ${policy}`);
    }
    if (size < 1 || size > maxBlock || count < 1) {
      this.fail(
        "ALLOC",
        ERRNO.EINVAL,
        `expected 1 to ${maxBlock} bytes, found ${count} of ${size}`,
      );
    }
    const stride = Math.ceil(size / PAGE) * PAGE;
    const start = arena.take(stride * count);
    if (start === null) {
      const found = `${arena.used} of the ${memory.size} bytes of the buffer are used`;
      this.fail("ALLOC", ERRNO.ENOMEM, `no place for ${count} blocks of ${stride} bytes: ${found}`);
    }
    try {
      this.#clear(memory, start, stride * count);
    } catch (error) {
      arena.give({ offset: start, size: stride * count });
      throw error;
    }
    for (let n = 0; n < count; n++) {
      const id = opened.nextId + n;
      const place = start + n * stride;
      opened.blocks.set(id, { id, direction, policy, place, size });
    }
    view.setUint32(ALLOC.at.first_id, opened.nextId, true);
    setNumber(view, ALLOC.at.mmap_offset, start);
    setNumber(view, ALLOC.at.mmap_stride, stride);
    opened.nextId += count;
  }

  /** Zeroes memory, and leaves no line of it in the cache: a dirty line could overwrite what a device wrote. */
  #clear(memory: UdmabufMemory, offset: number, size: number): void {
    const mapping = memory.map(offset, size, PROT_READ | PROT_WRITE, "cached");
    mapping.fill(0, 0, size);
    memory.sync("for-device", "both", offset, size);
    memory.sync("for-cpu", "both", offset, size);
    this.under.munmap(mapping);
  }

  #free(opened: Opened, id: number): void {
    const block = this.#find(opened, id, "FREE");
    if (opened.sides[block.direction].stateOf(block) !== null) {
      this.fail("FREE", ERRNO.EBUSY, `block ${id} is queued`);
    }
    if (this.#isMapped(block)) this.fail("FREE", ERRNO.EBUSY, `block ${id} is mapped`);
    opened.blocks.delete(id);
    opened.arena.give({ offset: block.place, size: Math.ceil(block.size / PAGE) * PAGE });
  }

  #query(opened: Opened, view: DataView): void {
    const block = this.#find(opened, view.getUint32(QUERY.at.id, true), "QUERY");
    const queued = opened.sides[block.direction].stateOf(block);
    const state = queued === null ? "user" : opened.wedged ? "quarantined" : queued;
    view.setUint32(QUERY.at.state, STATES.indexOf(state), true);
    view.setUint32(QUERY.at.direction, DIRECTIONS.indexOf(block.direction), true);
    view.setUint32(QUERY.at.policy, POLICIES.indexOf(block.policy), true);
    const needsSync = this.#policyOf(block.policy).caching === "cached" && !opened.memory.coherent;
    view.setUint32(QUERY.at.flags, (this.#isMapped(block) ? 1 : 0) | (needsSync ? 2 : 0), true);
    view.setUint32(QUERY.at.segments, 1, true);
    setNumber(view, QUERY.at.size, block.size);
    setNumber(view, QUERY.at.mmap_offset, block.place);
  }

  #enqueue(opened: Opened, view: DataView): void {
    const { engine, sides } = opened;
    const id = view.getUint32(ENQUEUE.at.id, true);
    const flags = view.getUint32(ENQUEUE.at.flags, true);
    const offset = getNumber(view, ENQUEUE.at.offset);
    const length = getNumber(view, ENQUEUE.at.length);
    const block = this.#find(opened, id, "ENQUEUE");
    const side = sides[block.direction];
    if (opened.wedged) this.fail("ENQUEUE", ERRNO.EIO, "the engine is not idle: RESET it");
    if (side.stateOf(block) !== null) this.fail("ENQUEUE", ERRNO.EBUSY, `block ${id} is queued`);
    if (length < 1 || offset + length > block.size || length > engine.maxTransfer) {
      const most = `1 to ${Math.min(block.size, engine.maxTransfer)} bytes inside the block`;
      this.fail("ENQUEUE", ERRNO.EINVAL, `expected ${most}, found ${length} at ${offset}`);
    }
    const align = (flags & ENQUEUE_FLAGS.unaligned) === 0 ? CACHE_LINE : engine.addressAlign;
    if (offset % align !== 0) {
      this.fail("ENQUEUE", ERRNO.EINVAL, `expected an offset that is a multiple of ${align}`);
    }
    if (side.length >= (this.#options.queueDepth ?? 8)) {
      this.fail("ENQUEUE", ERRNO.EAGAIN, "the queue is full");
    }
    const queuedNs = this.under.monotonicNs();
    const verify = (flags & ENQUEUE_FLAGS.verify) !== 0;
    const range = { block, offset, length, verify };
    const cookie = view.getBigUint64(ENQUEUE.at.cookie, true);
    const syncDeviceNs = this.#hand(opened.memory, "for-device", range, length);
    side.waiting.push({
      ...range,
      ...{ cookie, queuedNs, syncDeviceNs, submittedNs: 0, doneNs: 0, moved: 0 },
      error: null,
    });
    this.#pump(opened);
  }

  #dequeue(opened: Opened, view: DataView): void {
    const side = opened.sides[this.#directionAt(view, DEQUEUE.at.direction, "DEQUEUE")];
    if (side.length === 0) this.fail("DEQUEUE", ERRNO.ENODATA, "nothing is queued");
    const deadline = opened.nonblocking ? 0 : getNumber(view, DEQUEUE.at.deadline_ns);
    if (!this.#wait(opened, () => side.done.length > 0, deadline)) {
      const errno = opened.nonblocking ? ERRNO.EAGAIN : ERRNO.ETIMEDOUT;
      this.fail("DEQUEUE", errno, "no completion yet");
    }
    const transfer = side.done.shift();
    if (transfer === undefined) this.fail("DEQUEUE", ERRNO.ENODATA, "nothing is queued");
    // after an error nobody knows what moved
    const touched = transfer.error === null ? transfer.moved : transfer.length;
    const syncCpuNs = this.#hand(opened.memory, "for-cpu", transfer, touched);
    const status = transfer.error === null
      ? "ok"
      : transfer.block.direction === "tx"
      ? "read-failed"
      : "write-failed";
    const number = (at: number, value: number) => setNumber(view, at, value);
    view.setUint32(DEQUEUE.at.id, transfer.block.id, true);
    view.setUint32(DEQUEUE.at.status, STATUSES.indexOf(status), true);
    number(DEQUEUE.at.offset, transfer.offset);
    number(DEQUEUE.at.length, transfer.moved);
    view.setBigUint64(DEQUEUE.at.cookie, transfer.cookie, true);
    number(DEQUEUE.at.queued_ns, transfer.queuedNs);
    number(DEQUEUE.at.submitted_ns, transfer.submittedNs);
    number(DEQUEUE.at.done_ns, transfer.doneNs);
    number(DEQUEUE.at.sync_device_ns, transfer.syncDeviceNs);
    number(DEQUEUE.at.sync_cpu_ns, syncCpuNs);
    view.setUint32(DEQUEUE.at.check_kind, 0, true);
    view.setInt32(DEQUEUE.at.error, transfer.error === null ? 0 : ERRNO.EIO, true);
    if (transfer.error !== null) this.fail("DEQUEUE", ERRNO.EIO, `the engine: ${transfer.error}`);
  }

  /** Makes the sync call of a policy, if it has one. Returns its duration, nanoseconds. */
  #hand(
    memory: UdmabufMemory,
    op: SyncOp,
    { block, offset, length, verify }: Pick<Transfer, "block" | "offset" | "length" | "verify">,
    moved: number,
  ): number {
    const range = this.#policyOf(block.policy).syncs[block.direction][op];
    if (range === undefined) return 0;
    const whole = range === "block" || verify;
    const start = this.under.monotonicNs();
    const [from, to] = whole ? [0, block.size] : [offset, offset + Math.min(moved, length)];
    this.#syncLines(memory, op, block, from, to);
    return this.under.monotonicNs() - start;
  }

  /** Syncs the cache lines of a range of a block. */
  #syncLines(
    memory: UdmabufMemory,
    op: SyncOp,
    { place, direction }: PlacedBlock,
    from: number,
    to: number,
  ): void {
    const first = Math.floor(from / CACHE_LINE) * CACHE_LINE;
    const end = Math.ceil(to / CACHE_LINE) * CACHE_LINE;
    if (end > first) memory.sync(op, direction, place + first, end - first);
  }

  #sync(opened: Opened, view: DataView): void {
    const block = this.#find(opened, view.getUint32(SYNC.at.id, true), "SYNC");
    const op = SYNC_OPS[view.getUint32(SYNC.at.op, true)];
    const offset = getNumber(view, SYNC.at.offset);
    const length = getNumber(view, SYNC.at.length);
    if (opened.sides[block.direction].stateOf(block) !== null) {
      this.fail("SYNC", ERRNO.EBUSY, `block ${block.id} is queued`);
    }
    if (op === undefined || block.policy !== "manual" || offset + length > block.size) {
      this.fail("SYNC", ERRNO.EINVAL, "expected a range inside a block of policy manual");
    }
    const start = this.under.monotonicNs();
    this.#syncLines(opened.memory, op, block, offset, offset + length);
    setNumber(view, SYNC.at.ns, this.under.monotonicNs() - start);
  }

  #reset(opened: Opened, view: DataView): void {
    const { engine, sides, memory } = opened;
    if ((view.getUint32(RESET.at.flags, true) & (RESET_FLAGS.tx | RESET_FLAGS.rx)) !== 0) {
      this.fail("RESET", ERRNO.EOPNOTSUPP, "a reset of one channel of the engine resets both");
    }
    const queued = sides.tx.length + sides.rx.length;
    opened.wedged = !engine.reset();
    view.setUint32(RESET.at.returned, opened.wedged ? 0 : queued, true);
    view.setUint32(RESET.at.quarantined, opened.wedged ? queued : 0, true);
    if (opened.wedged) this.fail("RESET", ERRNO.EIO, "the engine does not end its reset");
    for (const direction of DIRECTIONS) {
      const side = sides[direction];
      side.abort(() => this.under.monotonicNs());
      for (const transfer of side.done.splice(0)) {
        this.#hand(memory, "for-cpu", { ...transfer, verify: true }, transfer.length);
      }
    }
  }

  #isMapped(block: PlacedBlock): boolean {
    return this.#mapped.values().some((blocks) => blocks.includes(block));
  }

  #find(opened: Opened, id: number, name: string): PlacedBlock {
    return opened.blocks.get(id) ?? this.fail(name, ERRNO.ENOENT, `no block ${id}`);
  }

  #policyOf(name: PolicyName): Policy {
    return OFFERED[name] ?? this.fail("ioctl", ERRNO.EINVAL, `no policy ${name}`);
  }

  #directionAt(view: DataView, at: number, name: string): Direction {
    return DIRECTIONS[view.getUint32(at, true)] ??
      this.fail(name, ERRNO.EINVAL, "expected direction 0 or 1");
  }
}
