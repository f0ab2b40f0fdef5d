// SPDX-License-Identifier: MIT
/**
 * Moves frames through a loopback design as fast as they go, and measures.
 *
 * Other than `runLoop`, which verifies, this leaves out all that is not the transfer: each direction has
 * its own policy, and the CPU touches frames only when it is told to. What the CPU reads it compares
 * with what was sent, for a read costs the same with or without.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import type { Block } from "../../driver/block.ts";
import type { Device } from "../../driver/device.ts";
import type { DeviceStats } from "../../driver/stats.ts";
import { COST_KINDS, type Direction, DIRECTIONS, type PolicyName } from "../../driver/uapi.ts";
import { BlockSet, blockSize } from "../frames/block_set.ts";
import type { Pattern } from "../patterns/pattern.ts";
import { type CpuTime, cpuTime } from "./libc.ts";
import { whatFits } from "./memory.ts";
import { summarize, type Summary } from "../results/statistics.ts";
import { warmUp } from "./warm_up.ts";

/** What to move. */
export interface PumpOptions {
  /** Policy of the transmit blocks. */
  readonly tx: PolicyName;
  /** Policy of the receive blocks. */
  readonly rx: PolicyName;
  /** Bytes of a frame, which is a whole block but for what alignment adds. */
  readonly size: number;
  /** Frames under way at once, as far as queues and memory allow. */
  readonly depth: number;
  /** Whether the CPU fills each frame before it is sent. */
  readonly fill: boolean;
  /** Whether the CPU reads each frame whole that came. */
  readonly read: boolean;
  /** Frames, made for `size` bytes. */
  readonly pattern: Pattern;
  /** Time to measure, seconds; a quarter of it before, or more, to warm up. */
  readonly seconds: number;
}

/** What was measured. */
export interface PumpResult {
  /** Payload, MB/s (10^6), over windows of several frames each. */
  readonly throughput: Summary;
  /** Frames that were under way at once. */
  readonly depth: number;
  /** Processor time of this process over time passed. */
  readonly cpu: Summary;
  /** The part of it in user mode, from 0 to 1; many kernels know it by sampling only. */
  readonly userPart: number;
  /** Bytes given to sync calls or mapped and unmapped, both directions, per byte of payload. */
  readonly syncedPerByte: number;
  /** Time that the driver spent on handing frames over, both directions, nanoseconds per frame. */
  readonly handoverNs: Summary;
  /** Of the frames that were read, how many were not what was sent. */
  readonly wrong: number;
}

/** Windows that a measurement consists of at most. */
const WINDOWS = 50;

/** Looks at the counters of driver and kernel: fewer, for they cost more than one at the clock. */
const LOOKS = 10;

/** The end that frames are sent from. */
interface TxEnd extends Disposable {
  /** What a frame holds. */
  holds(sequence: number): Uint8Array;
  /** Send it. */
  give(sequence: number): void;
  /** Take the oldest block back. */
  take(): void;
}

/** The end that frames come to. */
interface RxEnd extends Disposable {
  /** Frames read that were not what was sent. */
  readonly wrong: number;
  /** Give the engine room for a frame. */
  give(sequence: number): void;
  /** Take it. */
  take(sequence: number): void;
}

/**
 * Move frames and measure, fewer at once where queues or memory do not take so many. The device has both
 * channels and no transfer in flight; it has none afterwards, and no block of this.
 *
 * @param device The device
 * @param options What to move
 * @returns What was measured
 * @throws {ErrnoError} ENOMEM when not even one block in each direction fits; when the driver refuses,
 * or a completion does not come
 */
export function pump(device: Device, options: PumpOptions): PumpResult {
  const { tx, rx } = device.info;
  const queue = Math.min(tx?.queueDepth ?? Infinity, rx?.queueDepth ?? Infinity);
  return whatFits(Math.min(options.depth, queue), (depth) => move(device, { ...options, depth }));
}

function move(device: Device, options: PumpOptions): PumpResult {
  using owned = new DisposableStack();
  const tx: TxEnd = owned.use(
    options.tx === "bounce" ? new TxRing(device, options) : new TxBlocks(device, options),
  );
  const sent = (sequence: number): Uint8Array => tx.holds(sequence);
  const rx: RxEnd = owned.use(
    options.rx === "bounce"
      ? new RxRing(device, options, sent)
      : new RxBlocks(device, options, sent),
  );
  // whatever happens: blocks that are with the engine cannot be freed
  owned.defer(() => device.reset());

  let [given, taken] = [0, 0];
  const give = (): void => {
    rx.give(given);
    tx.give(given++);
  };
  const take = (): void => {
    rx.take(taken);
    tx.take();
    taken++;
  };
  while (given < options.depth) give();
  const step = (): void => {
    take();
    give();
  };
  const measured = measure(device, options, step);
  const { wrong } = rx;
  while (taken < given) take();
  return { ...measured, depth: options.depth, wrong };
}

/** Step until the time is over. Each step takes a frame and gives one: what is under way stays. */
function measure(
  device: Device,
  { size, seconds, depth }: PumpOptions,
  step: () => void,
): Omit<PumpResult, "wrong" | "depth"> {
  const now = (): number => device.syscalls.monotonicNs();
  const perFrame = warmUp({ now, seconds: seconds / 4, least: depth }, step);
  // completions come in bursts of up to a whole queue: less than that says nothing
  const window = Math.max(depth, Math.round(seconds * 1e9 / WINDOWS / perFrame));

  const rates: number[] = [];
  const handovers: number[] = [];
  const shares: number[] = [];
  let [frames, bytes] = [0, 0];
  device.stats({ clear: true });
  const before = cpuTime();
  const start = now();
  let last = start;
  let seen = { at: start, cpu: before, windows: 0 };
  // a slow board takes longer for five windows, up to ten times
  while (last - start < seconds * 1e9 || (rates.length < 5 && last - start < seconds * 1e10)) {
    for (let i = 0; i < window; i++) step();
    const at = now();
    rates.push(window * size / Math.max(1, at - last) * 1000);
    last = at;
    if (at - seen.at < seconds * 1e9 / LOOKS) continue;
    const [cost, cpu] = [handover(device.stats({ clear: true })), cpuTime()];
    const moved = (rates.length - seen.windows) * window;
    handovers.push(cost.ns / moved);
    shares.push((total(cpu) - total(seen.cpu)) / (at - seen.at) * 1e9);
    frames += moved;
    bytes += cost.bytes;
    seen = { at, cpu, windows: rates.length };
  }
  return {
    throughput: summarize(rates),
    cpu: summarize(shares),
    userPart: (seen.cpu.user - before.user) / Math.max(1e-9, total(seen.cpu) - total(before)),
    syncedPerByte: bytes / (frames * size),
    handoverNs: summarize(handovers),
  };
}

function total({ user, system }: CpuTime): number {
  return user + system;
}

/** What both directions cost together. */
function handover(stats: DeviceStats): { bytes: number; ns: number } {
  let [bytes, ns] = [0, 0];
  for (const direction of DIRECTIONS) {
    for (const kind of COST_KINDS) {
      const cost = stats[direction].cost[kind];
      ns += cost.totalNs;
      if (kind === "forDevice" || kind === "forCpu" || kind === "map" || kind === "unmap") {
        bytes += cost.bytes;
      }
    }
  }
  return { bytes, ns };
}

function blocks(device: Device, options: PumpOptions, direction: Direction): BlockSet {
  const { [direction]: policy, depth: count } = options;
  return new BlockSet(device, { direction, policy, size: blockSize(device, options.size), count });
}

class TxBlocks implements TxEnd {
  readonly #device: Device;
  readonly #options: PumpOptions;
  readonly #blocks: BlockSet;

  constructor(device: Device, options: PumpOptions) {
    this.#device = device;
    this.#options = options;
    this.#blocks = blocks(device, options, "tx");
    this.#blocks.all.forEach((block, i) => block.set(options.pattern.body(i, options.size)));
  }

  holds(sequence: number): Uint8Array {
    const { fill, depth, pattern, size } = this.#options;
    return pattern.body(fill ? sequence : sequence % depth, size);
  }

  give(sequence: number): void {
    const block = this.#blocks.of(sequence);
    const { fill, tx, size } = this.#options;
    if (fill) block.set(this.holds(sequence));
    if (tx === "manual") block.syncForDevice();
    block.enqueue({ length: size });
  }

  take(): void {
    this.#device.dequeue("tx");
  }

  [Symbol.dispose](): void {
    this.#blocks[Symbol.dispose]();
  }
}

/** Transmit by write(). */
class TxRing implements TxEnd {
  readonly #device: Device;
  readonly #options: PumpOptions;
  readonly #ring: readonly Block[];
  readonly #frame: Uint8Array<ArrayBuffer>;

  constructor(device: Device, options: PumpOptions) {
    const { size, depth: count, pattern } = options;
    this.#device = device;
    this.#options = options;
    this.#frame = pattern.body(0, size).slice();
    this.#ring = device.alloc({ direction: "tx", policy: "bounce", size, count });
  }

  holds(sequence: number): Uint8Array {
    const { fill, pattern, size } = this.#options;
    return pattern.body(fill ? sequence : 0, size);
  }

  give(sequence: number): void {
    if (this.#options.fill) this.#frame.set(this.holds(sequence));
    this.#device.writeFrame(this.#frame);
  }

  take(): void {}

  [Symbol.dispose](): void {
    for (const block of this.#ring) block.free();
  }
}

class RxBlocks implements RxEnd {
  wrong = 0;
  readonly #device: Device;
  readonly #options: PumpOptions;
  readonly #blocks: BlockSet;
  readonly #sent: (sequence: number) => Uint8Array;

  constructor(device: Device, options: PumpOptions, sent: (sequence: number) => Uint8Array) {
    this.#device = device;
    this.#options = options;
    this.#sent = sent;
    this.#blocks = blocks(device, options, "rx");
  }

  give(sequence: number): void {
    const block = this.#blocks.of(sequence);
    if (this.#options.rx === "manual") block.syncForDevice();
    block.enqueue({ length: this.#options.size });
  }

  take(sequence: number): void {
    const { block } = this.#device.dequeue("rx");
    if (this.#options.rx === "manual") block.syncForCpu();
    if (this.#options.read && !block.equals(this.#sent(sequence))) this.wrong++;
  }

  [Symbol.dispose](): void {
    this.#blocks[Symbol.dispose]();
  }
}

/** Receive by read(). */
class RxRing implements RxEnd {
  wrong = 0;
  readonly #device: Device;
  readonly #options: PumpOptions;
  readonly #ring: readonly Block[];
  readonly #frame: Buffer;
  readonly #sent: (sequence: number) => Uint8Array;

  constructor(device: Device, options: PumpOptions, sent: (sequence: number) => Uint8Array) {
    const { size, depth: count } = options;
    this.#device = device;
    this.#options = options;
    this.#sent = sent;
    this.#frame = Buffer.alloc(size);
    this.#ring = device.alloc({ direction: "rx", policy: "bounce", size, count });
  }

  give(): void {}

  take(sequence: number): void {
    this.#device.readFrame(this.#frame);
    if (this.#options.read && this.#frame.compare(this.#sent(sequence)) !== 0) this.wrong++;
  }

  [Symbol.dispose](): void {
    for (const block of this.#ring) block.free();
  }
}
