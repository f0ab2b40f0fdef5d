// SPDX-License-Identifier: MIT
/**
 * Moves frames through a loopback design at full speed, and measures.
 *
 * `runLoop` verifies every frame. This moves frames only: each direction has its own policy, and the CPU
 * touches frames only if the options say so. A frame that the CPU reads is compared with the one that was
 * sent, because the comparison costs no more than reading.
 *
 * @module
 */

import type { Device } from "../../driver/device.ts";
import type { Remote } from "../../driver/remote.ts";
import type { DeviceStats } from "../../driver/stats.ts";
import { COST_KINDS, type Direction, DIRECTIONS, type PolicyName } from "../../driver/uapi.ts";
import { BlockSet, blockSize } from "../frames/block_set.ts";
import { receiveEnds, sendEnds } from "../frames/ends.ts";
import type { Pattern } from "../patterns/pattern.ts";
import { type CpuTime, cpuTime } from "./libc.ts";
import { whatFits } from "./memory.ts";
import { average, durations, recordCalls, sample, targetOf } from "./on_target.ts";
import { summarize, type Summary } from "../results/statistics.ts";
import { warmUp } from "./warm_up.ts";

/** Options of {@linkcode pump}. */
export interface PumpOptions {
  /** Policy of the transmit blocks. */
  readonly tx: PolicyName;
  /** Policy of the receive blocks. */
  readonly rx: PolicyName;
  /** Bytes of a frame. A block is as large, apart from alignment. */
  readonly size: number;
  /** Frames in flight, if queues and memory allow as many. */
  readonly depth: number;
  /** Whether the CPU fills each frame before it is sent. */
  readonly fill: boolean;
  /** Whether the CPU reads every byte of each frame that arrived. */
  readonly read: boolean;
  /** Frames, made for `size` bytes. */
  readonly pattern: Pattern;
  /** Time to measure, seconds. The warm-up before takes a quarter of it, or more. */
  readonly seconds: number;
}

/** The measurements of {@linkcode pump}. */
export interface PumpResult {
  /** Payload, MB/s (10^6), over windows of several frames each. */
  readonly throughput: Summary;
  /** Frames that were in flight. */
  readonly depth: number;
  /** Processor time of this process, divided by the time that passed. */
  readonly cpu: Summary;
  /** The part of it in user mode, from 0 to 1. Many kernels know it from sampling only. */
  readonly userPart: number;
  /** Bytes that were synced, mapped or unmapped, in both directions, per byte of payload. */
  readonly syncedPerByte: number;
  /** Time that the driver spent on handing frames over, in both directions, nanoseconds per frame. */
  readonly handoverNs: Summary;
  /** Number of frames that were read and were wrong. */
  readonly wrong: number;
}

/** Largest number of windows of a measurement. */
const WINDOWS = 50;

/** Bytes of frames that fit into one request to the agent of a target. */
const REQUEST_BYTES = 7 << 20;

/** Number of times that the counters of driver and kernel are read. Reading them costs more than a clock. */
const LOOKS = 10;

/**
 * Moves frames and measures. Fewer frames are in flight if queues or memory do not allow as many. The device
 * must have both channels and no transfer in flight. Afterwards it has no transfer and no block of this
 * function.
 *
 * @param device The device
 * @param options The frames
 * @returns The measurements
 * @throws {ErrnoError} ENOMEM, if not even one block in each direction fits; or if the driver refuses a call
 * or a completion does not come
 */
export function pump(device: Device, options: PumpOptions): PumpResult {
  const { tx, rx } = device.info;
  const queue = Math.min(tx?.queueDepth ?? Infinity, rx?.queueDepth ?? Infinity);
  // the desk sends the frames of write() with the request that repeats them
  const sent = targetOf(device) !== null && options.tx === "bounce"
    ? Math.max(1, Math.floor(REQUEST_BYTES / (2 * options.size)))
    : Infinity;
  return whatFits(
    Math.min(options.depth, queue, sent),
    (depth) => move(device, { ...options, depth }),
  );
}

function move(device: Device, options: PumpOptions): PumpResult {
  const { size, depth, fill, read, pattern } = options;
  using owned = new DisposableStack();
  const [tx, rx] = [
    owned.use(blocksFor(device, options, "tx")).all,
    owned.use(blocksFor(device, options, "rx")).all,
  ];
  const senders = sendEnds(tx, size, { device, policy: options.tx });
  const receivers = receiveEnds(rx, size, { device, policy: options.rx });
  // in any case, because blocks that the engine holds cannot be freed
  owned.defer(() => device.reset());
  const of = <End>(ends: readonly End[], sequence: number): End => {
    const end = ends[sequence % ends.length];
    if (end === undefined) throw new Error("Expected at least one block, found none");
    return end;
  };
  const remote = targetOf(device);
  // a target repeats the same calls, in which a block has two frames in turn, so that a stale one is found
  const turns = options.tx === "bounce" && 2 * depth * size > REQUEST_BYTES ? 1 : 2;
  const cycle = remote === null ? Infinity : turns * depth;
  /** The frame that leaves as number `sequence`. */
  const sent = (sequence: number): Uint8Array =>
    pattern.body(fill ? sequence % cycle : sequence % senders.length, size);

  senders.forEach((end, i) => end.set(pattern.body(i, size), 0));
  let [given, taken, wrong] = [0, 0, 0];
  const give = (): void => {
    of(receivers, given).arm(0, size);
    const sender = of(senders, given);
    if (fill) sender.set(sent(given), 0);
    sender.send(0, size);
    given++;
  };
  const take = (): void => {
    const receiver = of(receivers, taken);
    receiver.finish();
    if (read && !receiver.equals(sent(taken), 0)) wrong++;
    of(senders, taken).finish();
    taken++;
  };
  while (given < depth) give();
  const step = (): void => {
    take();
    give();
  };
  const measured = remote === null
    ? { ...measure(device, options, step), wrong: 0 }
    : measureThere(remote, { device, ...options, cycle }, step);
  const found = wrong + measured.wrong;
  while (taken < given) take();
  return { ...measured, depth, wrong: found };
}

/** Blocks for the frames of one direction, or the slots of a ring, which are as large as a frame. */
function blocksFor(device: Device, options: PumpOptions, direction: Direction): BlockSet {
  const { [direction]: policy, depth: count, size } = options;
  const room = policy === "bounce" ? size : blockSize(device, size);
  return new BlockSet(device, { direction, policy, size: room, count });
}

/** The first part of a sum of two parts. The difference of two sums could round to less than a part. */
function partOf(first: number, second: number): number {
  return first / Math.max(1e-9, first + second);
}

/** Measures until the time is over. Each step takes a frame and gives one, so the depth stays the same. */
function measure(
  device: Device,
  { size, seconds, depth }: PumpOptions,
  step: () => void,
): Omit<PumpResult, "wrong" | "depth"> {
  const now = (): number => device.syscalls.monotonicNs();
  const perFrame = warmUp({ now, seconds: seconds / 4, least: depth }, step);
  // completions come in bursts of up to a whole queue, so a window must not be shorter
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
  // on a slow board five windows may take up to ten times as long
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
    userPart: partOf(seen.cpu.user - before.user, seen.cpu.system - before.system),
    syncedPerByte: bytes / (frames * size),
    handoverNs: summarize(handovers),
  };
}

function total({ user, system }: CpuTime): number {
  return user + system;
}

/** Measures on a target, where the agent repeats a cycle of steps. */
function measureThere(
  remote: Remote,
  { device, size, seconds, cycle }: PumpOptions & { device: Device; cycle: number },
  step: () => void,
): Omit<PumpResult, "depth"> {
  const program = recordCalls(remote, () => {
    for (let i = 0; i < cycle; i++) step();
  });
  const window = seconds * 1e9 / WINDOWS;
  const once = average(sample(remote, program, { seconds: seconds / 4, least: 1 }));
  const passes = Math.max(1, Math.round(window / Math.max(1, once)));
  const bytes = passes * cycle * size;
  const rates: number[] = [];
  const shares: number[] = [];
  const handovers: number[] = [];
  const all = { synced: 0, frames: 0, wrong: 0, user: 0, system: 0 };
  for (let look = 0; look < LOOKS; look++) {
    device.stats({ clear: true });
    const part = sample(remote, program, { seconds: seconds / LOOKS, passes, least: 1 });
    const cost = handover(device.stats({ clear: true }));
    const windows = durations(part);
    const frames = part.times * passes * cycle;
    const passed = windows.reduce((sum, ns) => sum + ns, 0);
    rates.push(...windows.map((ns) => bytes / Math.max(1, ns) * 1000));
    shares.push((part.userNs + part.systemNs) / Math.max(1, passed));
    handovers.push(cost.ns / frames);
    all.synced += cost.bytes;
    all.frames += frames;
    all.wrong += part.wrong;
    all.user += part.userNs;
    all.system += part.systemNs;
  }
  return {
    throughput: summarize(rates),
    cpu: summarize(shares),
    userPart: partOf(all.user, all.system),
    syncedPerByte: all.synced / (all.frames * size),
    handoverNs: summarize(handovers),
    wrong: all.wrong,
  };
}

/** The cost of both directions together. */
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
