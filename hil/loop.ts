// SPDX-License-Identifier: MIT
/**
 * Pushes frames through a loopback design and verifies every byte of what comes back.
 *
 * The layout of a block, with guards:
 *
 *     | guard | frame: what ENQUEUE moves | guard to the end of the block |
 *
 * Before the first frame each receive block is primed: a transfer over the whole block fills it with
 * poison. It comes by DMA, because what the CPU stores into a receive block is lost on many boards.
 * The primer is sent from a block of policy `coherent`, so that it does not depend on the policy
 * under test. From then on a block holds the frame before the last, which the pattern tells apart
 * from every other.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import type { Block, Completion } from "../driver/block.ts";
import type { Device } from "../driver/device.ts";
import { ERRNO, ErrnoError } from "../driver/errno.ts";
import { TransferError } from "../driver/errors.ts";
import { UserMemory } from "../driver/memory.ts";
import type { Direction, PolicyName } from "../driver/uapi.ts";
import type { Pattern } from "./patterns/pattern.ts";
import type { Fault } from "./results.ts";
import { classify, type ReceivedFrame, sight } from "./verify/classify.ts";

/** What to push through the loop. */
export interface LoopOptions {
  /** Policy of the blocks in both directions. */
  readonly policy: PolicyName;
  /** Bytes of a frame. */
  readonly size: number;
  /** Blocks in each direction; see {@linkcode loopDepth}. */
  readonly depth: number;
  /** How many frames. */
  readonly frames: number;
  /**
   * Surround each frame by guard zones and have the driver sync them too; true when left out. Without
   * it the frame is the whole block.
   */
  readonly guarded?: boolean;
  /** Sync whole blocks so that guards can be read; as `guarded` when left out. */
  readonly verify?: boolean;
  /** Prime the receive blocks; true when left out. */
  readonly primed?: boolean;
  /** Stop after so many faults; 16 when left out. */
  readonly maxFaults?: number;
  /** Longest wait for one completion, milliseconds; 20 seconds when left out. */
  readonly timeoutMs?: number;
  /** Called after priming, before the first frame. */
  readonly onPrimed?: () => void;
}

/** What came back. */
export interface LoopResult {
  /** Frames that were compared whole. */
  readonly frames: number;
  /** Their bytes. */
  readonly bytes: number;
  /** What was wrong, in the order in which it was found. */
  readonly faults: readonly Fault[];
  /** Set when a completion did not come in time: which, in words. */
  readonly timeout: string | null;
  /**
   * Where data were seen to change, over all faulty frames: null when nothing could tell.
   */
  readonly seen: { readonly tx: boolean | null; readonly rx: boolean | null };
  /** From the first ENQUEUE to the last comparison, priming not included, seconds. */
  readonly seconds: number;
}

/**
 * Bytes of guard before and after each frame.
 *
 * @param device The device
 * @returns At least one cache line
 */
export function guardSize(device: Device): number {
  return Math.max(64, device.info.cacheAlign);
}

/**
 * How many blocks in each direction a full queue means: what both queues take, as far as half of the
 * device's memory limit, 64 MiB and the limit of blocks allow.
 *
 * @param device The device
 * @param size Bytes of a frame
 * @returns At least 1
 */
export function loopDepth(device: Device, size: number): number {
  const { info } = device;
  const queue = Math.min(info.tx?.queueDepth ?? 1, info.rx?.queueDepth ?? 1);
  const bytes = Math.min(info.maxBytes / 2, 64 * 2 ** 20);
  const block = size + 2 * guardSize(device) + info.pageSize;
  return Math.max(1, Math.min(queue, Math.floor(bytes / (2 * block)), info.maxBlocks / 2 - 1));
}

/**
 * Push frames through the loop and verify them.
 *
 * The device must have no transfer in flight. Whatever happens, all blocks are freed again, after a
 * RESET where a transfer did not end.
 *
 * @param device The device, with both channels
 * @param pattern Frames, made for at least `size` bytes
 * @param options What to push
 * @returns What came back
 * @throws {ErrnoError} For a refusal of the driver that says nothing about the data
 */
export function runLoop(device: Device, pattern: Pattern, options: LoopOptions): LoopResult {
  using loop = options.policy === "bounce"
    ? new RingLoop(device, pattern, options)
    : new BlockLoop(device, pattern, options);
  return loop.run();
}

/** What both kinds of loop have in common: the books of what was seen. */
abstract class Loop implements Disposable {
  protected readonly device: Device;
  protected readonly pattern: Pattern;
  protected readonly options: LoopOptions;
  protected readonly wait: { readonly timeoutMs: number };
  readonly #maxFaults: number;
  readonly #faults: Fault[] = [];
  #tx: boolean | null = null;
  #rx: boolean | null = null;
  #frames = 0;
  #late: string | null = null;
  /** Set when the engine may hold blocks of ours. */
  protected dirty = false;

  constructor(device: Device, pattern: Pattern, options: LoopOptions) {
    this.device = device;
    this.pattern = pattern;
    this.options = options;
    this.wait = { timeoutMs: options.timeoutMs ?? 20_000 };
    this.#maxFaults = options.maxFaults ?? 16;
  }

  /** Fill the pipeline before the first frame is due. */
  protected abstract prime(): void;
  /** Give the engine frame `sequence` and room for it. */
  protected abstract send(sequence: number): void;
  /** Take frame `sequence` and compare it. */
  protected abstract receive(sequence: number): void;
  /** Free every block; none is with the engine. */
  protected abstract free(): void;

  run(): LoopResult {
    const { frames, depth, size, onPrimed } = this.options;
    let start = performance.now();
    this.dirty = true;
    try {
      if (this.options.primed ?? true) this.prime();
      onPrimed?.();
      start = performance.now();
      let sent = 0;
      while (sent < Math.min(depth, frames)) this.send(sent++);
      for (let due = 0; due < frames && this.#faults.length < this.#maxFaults; due++) {
        this.receive(due);
        if (sent < frames) this.send(sent++);
        this.#frames = due + 1;
      }
      // frames still under way after too many faults are given back by RESET
      this.dirty = sent > this.#frames;
    } catch (error) {
      if (!(error instanceof ErrnoError) || error.errno !== ERRNO.ETIMEDOUT) throw error;
      this.#late = `frame ${this.#frames}: ${error.message}`;
    }
    return {
      frames: this.#frames,
      bytes: this.#frames * size,
      faults: this.#faults,
      timeout: this.#late,
      seen: { tx: this.#tx, rx: this.#rx },
      seconds: (performance.now() - start) / 1000,
    };
  }

  /** Whether every further fault would be dropped. */
  protected get full(): boolean {
    return this.#faults.length >= this.#maxFaults;
  }

  protected note(fault: Fault): void {
    if (!this.full) this.#faults.push(fault);
  }

  /** Remember where a frame that is not what it should be was changed. */
  protected observe(frame: ReceivedFrame): void {
    const sightings = sight(frame);
    if (sightings.tx !== null) this.#tx = this.#tx === true || sightings.tx;
    if (sightings.rx !== null) this.#rx = this.#rx === true || sightings.rx;
  }

  /** Name a frame that is not what it should be. */
  protected condemn(frame: ReceivedFrame): void {
    this.observe(frame);
    for (const fault of classify(frame, { pattern: this.pattern })) this.note(fault);
  }

  [Symbol.dispose](): void {
    if (this.dirty) this.device.reset();
    this.free();
  }
}

/** Loop through blocks that the caller maps. */
class BlockLoop extends Loop {
  readonly #memory: UserMemory[] = [];
  readonly #guard: number;
  readonly #blockSize: number;
  readonly #verify: boolean;
  readonly #manual: boolean;
  #tx: Block[] = [];
  #rx: Block[] = [];
  /** What the guards after each receive block hold; replaced once a fault in them was told. */
  readonly #guards: { before: Uint8Array; after: Uint8Array }[] = [];

  constructor(device: Device, pattern: Pattern, options: LoopOptions) {
    super(device, pattern, options);
    const { size, depth, policy } = options;
    const guarded = options.guarded ?? true;
    this.#verify = options.verify ?? guarded;
    this.#manual = policy === "manual";
    this.#guard = guarded ? guardSize(device) : 0;
    const align = device.info.cacheAlign;
    this.#blockSize = Math.ceil((size + 2 * this.#guard) / align) * align;
    try {
      this.#tx = this.#make("tx", depth);
      this.#rx = this.#make("rx", depth);
    } catch (error) {
      this.free();
      throw error;
    }
    const after = this.#guard + size;
    for (let i = 0; i < depth; i++) {
      this.#guards.push({
        before: pattern.poison(0, this.#guard),
        after: guarded ? pattern.poison(after, this.#blockSize - after) : new Uint8Array(0),
      });
    }
  }

  #make(direction: Direction, count: number): Block[] {
    const { policy } = this.options;
    const size = this.#blockSize;
    if (policy !== "user-pages" && policy !== "user-pages-registered") {
      return this.device.alloc({ direction, policy, size, count });
    }
    const memory = UserMemory.allocate(size * count, { syscalls: this.device.syscalls });
    this.#memory.push(memory);
    return Array.from(
      { length: count },
      (_, i) => this.device.register(memory, { direction, policy, offset: i * size, size }),
    );
  }

  protected override prime(): void {
    const { device } = this;
    const length = this.#blockSize;
    const poison = this.pattern.poison(0, length);
    const trusted = device.info.policies.coherent.tx ? "coherent" : "streaming";
    const [primer] = device.alloc({ direction: "tx", policy: trusted, size: length });
    if (primer === undefined) return;
    using block = primer;
    block.set(poison);
    for (const rx of this.#rx) {
      this.#enqueueRx(rx, 0, length, 0n);
      block.enqueue({ length });
      const tx = device.dequeue("tx", this.wait);
      const done = this.#dequeueRx(rx);
      if (rx.equals(poison)) continue;
      const received = new Uint8Array(length);
      rx.copyTo(received);
      const frame = {
        sequence: 0,
        expected: poison,
        received,
        moved: done.bytes,
        txCheck: tx.check,
        rxCheck: done.check,
      };
      // without syncs the CPU cannot see the poison: evidence, and no fault of a frame
      if (this.options.policy === "none") this.observe(frame);
      else this.condemn(frame);
      // a block that the poison did not reach is judged by what it holds
      const guard = this.#guards[this.#rx.indexOf(rx)];
      if (guard === undefined) continue;
      guard.before = received.subarray(0, this.#guard);
      const after = this.#guard + this.options.size;
      guard.after = received.subarray(after, after + guard.after.length);
    }
  }

  #enqueueRx(block: Block, offset: number, length: number, cookie: bigint): void {
    if (this.#manual) block.syncForDevice();
    block.enqueue({ offset, length, cookie, verify: this.#verify });
  }

  /** Take the next receive completion, which must be that of `block`. */
  #dequeueRx(block: Block): Completion {
    let done: Completion;
    try {
      done = this.device.dequeue("rx", this.wait);
    } catch (error) {
      if (!(error instanceof TransferError)) throw error;
      done = error.completion;
      this.#failed(error);
    }
    if (done.block !== block) {
      throw new Error(
        `Expected receive block ${block.id} back first, found ${done.block.id}: the driver or its ` +
          "engine completes out of order",
      );
    }
    if (this.#manual) block.syncForCpu();
    return done;
  }

  #dequeueTx(): Completion {
    try {
      return this.device.dequeue("tx", this.wait);
    } catch (error) {
      if (!(error instanceof TransferError)) throw error;
      this.#failed(error);
      return error.completion;
    }
  }

  #failed(error: TransferError): void {
    const { block, cookie, bytes } = error.completion;
    this.note({
      kind: "lost",
      frame: Number(cookie),
      offset: 0,
      length: this.options.size,
      blame: "core",
      detail: `the engine failed the ${block.direction} transfer after ${bytes} bytes: ` +
        error.completion.status,
    });
  }

  protected override send(sequence: number): void {
    const { size, depth } = this.options;
    const index = sequence % depth;
    const [tx, rx] = [this.#tx[index], this.#rx[index]];
    if (tx === undefined || rx === undefined) return;
    const cookie = BigInt(sequence);
    this.#enqueueRx(rx, this.#guard, size, cookie);
    tx.set(this.pattern.body(sequence, size), this.#guard);
    const header = this.pattern.header(sequence, size);
    if (header !== null) tx.set(header, this.#guard);
    if (this.#manual) tx.syncForDevice(this.#guard, size);
    tx.enqueue({ offset: this.#guard, length: size, cookie });
  }

  protected override receive(sequence: number): void {
    const { size, depth } = this.options;
    const index = sequence % depth;
    const rx = this.#rx[index];
    if (rx === undefined) return;
    const received = this.#dequeueRx(rx);
    const sent = this.#dequeueTx();
    if (received.cookie !== BigInt(sequence) || sent.cookie !== BigInt(sequence)) {
      throw new Error(
        `Expected completions of frame ${sequence}, found tx ${sent.cookie} and rx ` +
          `${received.cookie}: the driver mixed them up`,
      );
    }
    if (received.bytes !== size || !this.#holds(rx, sequence)) {
      const expected = new Uint8Array(size);
      this.pattern.write(expected, sequence);
      const bytes = new Uint8Array(size);
      rx.copyTo(bytes, this.#guard);
      this.condemn({
        sequence,
        expected,
        received: bytes,
        moved: received.bytes,
        txCheck: sent.check,
        rxCheck: received.check,
      });
    }
    if (this.#guard > 0) this.#checkGuards(rx, index, sequence);
  }

  /** Whether a receive block holds a frame: one `memcmp`, and one more for the header. */
  #holds(rx: Block, sequence: number): boolean {
    const { size } = this.options;
    const header = this.pattern.header(sequence, size);
    const body = this.pattern.body(sequence, size);
    if (header === null) return rx.equals(body, this.#guard, size);
    const rest = this.#guard + header.length;
    return rx.equals(header, this.#guard) &&
      rx.equals(body.subarray(header.length), rest, size - header.length);
  }

  #checkGuards(rx: Block, index: number, sequence: number): void {
    const guard = this.#guards[index];
    if (guard === undefined) return;
    const { size } = this.options;
    const after = this.#guard + size;
    if (!rx.equals(guard.before, 0)) {
      guard.before = this.#overrun(rx, guard.before, 0, sequence);
    }
    if (!rx.equals(guard.after, after)) {
      guard.after = this.#overrun(rx, guard.after, after, sequence);
    }
  }

  /** Tell a damaged guard; returns what it holds now, so that it is told once. */
  #overrun(rx: Block, guard: Uint8Array, at: number, sequence: number): Uint8Array {
    const now = new Uint8Array(guard.length);
    rx.copyTo(now, at);
    let first = 0;
    while (first < now.length && now[first] === guard[first]) first++;
    let last = now.length - 1;
    while (last > first && now[last] === guard[last]) last--;
    const before = at === 0;
    this.note({
      kind: "overrun",
      frame: sequence,
      offset: at + first - this.#guard,
      length: last - first + 1,
      blame: "core",
      detail: `the guard ${before ? "before" : "after"} the frame was written`,
    });
    return now;
  }

  protected override free(): void {
    for (const block of [...this.#tx, ...this.#rx]) block[Symbol.dispose]();
    for (const memory of this.#memory) memory[Symbol.dispose]();
  }
}

/** Loop through the driver's rings, by read() and write(). */
class RingLoop extends Loop {
  /** The frame and, behind it, a guard in the caller's memory. */
  readonly #frame: Buffer;
  readonly #buffer: Buffer;
  readonly #guard: number;
  #blocks: Block[] = [];

  constructor(device: Device, pattern: Pattern, options: LoopOptions) {
    super(device, pattern, options);
    const { size, depth } = options;
    this.#guard = guardSize(device);
    this.#frame = Buffer.alloc(size);
    this.#buffer = Buffer.alloc(size + this.#guard);
    try {
      for (const direction of ["tx", "rx"] as const) {
        const blocks = device.alloc({ direction, policy: "bounce", size, count: depth });
        this.#blocks.push(...blocks);
      }
    } catch (error) {
      this.free();
      throw error;
    }
  }

  /** The rings are the driver's: what can be primed is the buffer, at each receive. */
  protected override prime(): void {}

  protected override send(sequence: number): void {
    this.pattern.write(this.#frame, sequence);
    this.device.writeFrame(this.#frame, this.wait);
  }

  protected override receive(sequence: number): void {
    const { size } = this.options;
    const buffer = this.#buffer;
    const poison = this.pattern.poison(0, size + this.#guard);
    buffer.set(poison);
    const moved = this.device.readFrame(buffer, this.wait);
    this.pattern.write(this.#frame, sequence);
    if (moved !== size || buffer.compare(this.#frame, 0, size, 0, size) !== 0) {
      this.condemn({
        sequence,
        expected: this.#frame.slice(),
        received: new Uint8Array(buffer.subarray(0, size)),
        moved,
        txCheck: null,
        rxCheck: null,
      });
    }
    if (buffer.compare(poison, size, size + this.#guard, size) !== 0) {
      this.note({
        kind: "overrun",
        frame: sequence,
        offset: size,
        length: this.#guard,
        blame: "driver",
        detail: "read() wrote behind the frame",
      });
    }
  }

  protected override free(): void {
    // armed receive slots are with the engine until a RESET
    if (this.#blocks.some((block) => this.device.query(block.id).state !== "user")) {
      this.device.reset();
    }
    for (const block of this.#blocks) block.free();
  }
}
