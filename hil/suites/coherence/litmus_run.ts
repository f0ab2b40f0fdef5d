// SPDX-License-Identifier: MIT
/**
 * One litmus test at one size and in one direction: its blocks, the frames through them, and the faults that were
 * found. One end of every frame is memory of the policy under test. The other end is coherent memory, so a wrong
 * line belongs to one direction.
 *
 * This file has more than 400 lines, because a litmus test needs each of these operations on the same blocks.
 *
 * @module
 */

import type { Block } from "../../../driver/block.ts";
import type { Device } from "../../../driver/device.ts";
import type { DeviceInfo } from "../../../driver/info.ts";
import type { Mapping } from "../../../driver/mapping.ts";
import { equalBytes } from "../../../driver/memory.ts";
import { MAP_SHARED, PROT_READ, PROT_WRITE } from "../../../driver/syscalls.ts";
import type { Direction, PolicyName } from "../../../driver/uapi.ts";
import { BlockSet, canBeStale, unitsOf } from "../../frames/block_set.ts";
import {
  BlockReceiveEnd,
  BlockSendEnd,
  type ReceiveEnd,
  RingReceiveEnd,
  RingSendEnd,
  type SendEnd,
} from "../../frames/ends.ts";
import type { HandoverOptions, SyncCall } from "../../frames/handover.ts";
import { Flow } from "../../frames/flow.ts";
import { runFlows } from "../../frames/run_flows.ts";
import type { FrameReport } from "../../frames/report.ts";
import type { Pattern } from "../../patterns/pattern.ts";
import type { Fault, FaultKind } from "../../verify/fault.ts";
import type { Pressure } from "./pressure.ts";
import { shapesOf } from "./shapes.ts";

/** Options of a litmus test. */
export interface LitmusOptions {
  /** The policy under test. */
  readonly policy: PolicyName;
  /** The direction under test. */
  readonly direction: Direction;
  /** Bytes of a frame. */
  readonly size: number;
  /** Rounds; Infinity with `seconds`. */
  readonly rounds: number;
  /** Seconds after which no more rounds begin. Defaults to no limit. */
  readonly seconds?: number;
  /** Deadline of the last round, as `performance.now()` counts. */
  readonly deadline: number;
  /** The call that policy `manual` leaves out; null for none. */
  readonly without: SyncCall | null;
  /** Whether it is left out for the second half of a range only. */
  readonly half: boolean;
  /** Number of faults after which the test stops. */
  readonly maxFaults: number;
  /** Pattern of the frames. */
  readonly pattern: Pattern;
  /** Called with each fault, when it is found. Defaults to nothing. */
  readonly onFault?: (fault: Fault) => void;
  /** Pressure on the caches; null if there are no caches. */
  readonly pressure: Pressure | null;
}

/** Runs one round; returns the bytes that were compared. */
export type Round = (round: number) => number;

/** Makes the blocks of a litmus test, and returns the round that uses them again and again. */
export type Setup = (run: LitmusRun) => Round;

/** Returns the bytes of a round, or of a place in it. */
export type Content = (round: number, at: number, length: number) => Uint8Array;

/** Policies under which no sync is widened to whole lines. */
const EXACT: readonly PolicyName[] = ["coherent", "write-combine", "user-pages", "manual"];

/** Slots of a ring. */
const SLOTS = 2;

/** Number of earlier rounds in which the source of a stale line is searched. */
const BACK = 64;

/** The most wrong bits of a line that are called single. A line of other content differs in half of its bits. */
const MOST_FLIPS = 4;

/** Largest number of wrong lines of one frame that are examined, because a frame may be wrong everywhere. */
const LOOKS = 512;

/** What the device read if it read the block after its completion. */
const OVERWRITTEN = "what the CPU stored after the transmit completion";

/** The data that a comparison expects. */
export interface Expected {
  /** The bytes of each round. */
  readonly piece: Content;
  /** What the CPU had stored there before. */
  readonly stored?: Content;
  /** What the CPU stored into the sender as soon as it was taken back. */
  readonly overwritten?: Content;
}

/** A litmus test at one size, in one direction. Disposing it frees every block. */
export class LitmusRun extends Flow {
  /** Bytes of a frame. */
  readonly size: number;
  /** Bytes of a cache line. */
  readonly line: number;
  /** Offsets and lengths of frames are multiples of this, bytes. */
  readonly align: number;
  /** Whether no sync of the policy reaches beyond the frame, so the CPU keeps what lies beside it. */
  readonly exact: boolean;
  readonly #options: LitmusOptions;
  readonly #setup: Setup;
  readonly #owned = new DisposableStack();
  #round: Round = () => 0;
  /** Where frames of this round came short, so that the block holds what it held before. */
  readonly #missing: { readonly from: number; readonly to: number }[] = [];

  /**
   * @param device The device
   * @param setup The litmus test
   * @param options Its options
   */
  constructor(device: Device, setup: Setup, options: LitmusOptions) {
    const { policy, size, rounds, seconds, deadline, maxFaults } = options;
    super(device, {
      ...{ policy, size, frames: rounds, depth: 1, deadline, maxFaults },
      ...(seconds === undefined ? {} : { seconds }),
      ...(options.onFault === undefined ? {} : { onFault: options.onFault }),
    });
    this.#options = options;
    this.#setup = setup;
    this.size = size;
    this.line = device.info.cacheAlign;
    this.align = alignment(device.info);
    this.exact = EXACT.includes(policy);
  }

  protected override prime(): void {
    this.#round = this.#setup(this);
  }

  protected override send(): void {}

  protected override receive(round: number): number {
    this.#missing.length = 0;
    return this.#round(round);
  }

  protected override free(): void {
    this.#owned.dispose();
  }

  /** What a round sends. All rounds differ, and so do all places in a round. */
  readonly piece: Content = (round, at, length) =>
    this.#options.pattern.body(round, this.size).subarray(at, at + length);

  /** Data that no round sends. */
  readonly poison: Content = (_round, at, length) => this.#options.pattern.poison(at, length);

  /** Returns the end that frames leave from. It uses the policy under test if that is about tx. */
  sender(): SendEnd {
    const options = this.#end("tx");
    const { size } = this;
    if (options.policy !== "bounce") return new BlockSendEnd(this.#block("tx", options), options);
    this.#ring("tx");
    return new RingSendEnd(size, options);
  }

  /** Returns the end that frames arrive at. It uses the policy under test if that is about rx. */
  receiver(): ReceiveEnd {
    const options = this.#end("rx");
    const { size } = this;
    if (options.policy !== "bounce") {
      return new BlockReceiveEnd(this.#block("rx", options), options);
    }
    this.#ring("rx");
    return new RingReceiveEnd(size, options);
  }

  /** Returns a receiver under test, and the blocks before and after it. */
  neighbours(): { receiver: ReceiveEnd; before: Block; behind: Block } {
    const options = this.#end("rx");
    const [before, block, behind] = this.#blocks("rx", options.policy, 3);
    if (before === undefined || block === undefined || behind === undefined) {
      throw new Error("Expected three blocks, found fewer");
    }
    return { receiver: new BlockReceiveEnd(block, options), before, behind };
  }

  /** Returns a sender under test, and a second mapping of its memory. */
  mappedSender(): { sender: SendEnd; alias: Mapping } {
    const options = this.#end("tx");
    const block = this.#block("tx", options);
    return { sender: new BlockSendEnd(block, options), alias: this.#alias(block) };
  }

  /** Returns a receiver under test, and a second mapping of its memory. */
  mappedReceiver(): { receiver: ReceiveEnd; alias: Mapping } {
    const options = this.#end("rx");
    const block = this.#block("rx", options);
    return { receiver: new BlockReceiveEnd(block, options), alias: this.#alias(block) };
  }

  #end(direction: Direction): HandoverOptions {
    const { device, wait } = this;
    const { policy, without, half } = this.#options;
    if (direction !== this.#options.direction) {
      return { device, wait, policy: trusted(device, direction) ?? policy };
    }
    return { device, wait, policy, omission: without === null ? null : { call: without, half } };
  }

  #blocks(direction: Direction, policy: PolicyName, count: number): readonly Block[] {
    const size = Math.ceil(this.size / this.line) * this.line;
    return this.#owned.use(new BlockSet(this.device, { direction, policy, size, count })).all;
  }

  #block(direction: Direction, { policy }: HandoverOptions): Block {
    const [block] = this.#blocks(direction, policy, 1);
    if (block === undefined) throw new Error("Expected a block, found none");
    return block;
  }

  #ring(direction: Direction): void {
    this.#blocks(direction, "bounce", SLOTS);
    // the engine holds armed receive slots until a RESET
    this.#owned.defer(() => this.device.reset());
  }

  #alias(block: Block): Mapping {
    const { syscalls, fd } = this.device;
    const { mmapOffset } = this.device.query(block.id);
    const prot = block.writable ? PROT_READ | PROT_WRITE : PROT_READ;
    const mapping = syscalls.mmap(block.size, prot, MAP_SHARED, fd, mmapOffset);
    this.#owned.defer(() => syscalls.munmap(mapping));
    return mapping;
  }

  /** Sends a frame through the loop.
   *
   * @param round The round
   * @param tx The end that it leaves from
   * @param rx The end that it arrives at
   * @param range The range that leaves, and the `room` for it, which defaults to its length
   * @param meanwhile Functions that run while the device owns the receiver: `before` the frame leaves, and
   * `behind`, after it has arrived and before it is taken. `sent` runs when the sender is taken back, which is
   * before the receiver is, then
   */
  move(
    round: number,
    tx: SendEnd,
    rx: ReceiveEnd,
    range: { offset: number; length: number; room?: number },
    meanwhile: { before?: () => void; behind?: () => void; sent?: () => void } = {},
  ): void {
    const { offset, length, room = length } = range;
    rx.arm(offset, room);
    meanwhile.before?.();
    tx.send(offset, length);
    if (meanwhile.behind !== undefined) {
      this.device.poll({ readable: true }, this.wait.timeoutMs);
      meanwhile.behind();
    }
    if (meanwhile.sent !== undefined) {
      tx.finish();
      meanwhile.sent();
    }
    const moved = rx.finish();
    if (meanwhile.sent === undefined) tx.finish();
    if (moved === length) return;
    if (moved < length) {
      this.#missing.push({ from: offset + moved, to: offset + length });
      this.#missing.sort((a, b) => a.from - b.from);
    }
    this.record({
      kind: "truncated",
      frame: round,
      offset: moved,
      length: Math.abs(length - moved),
      blame: "core",
      detail: `${moved} of ${length} bytes arrived`,
    });
  }

  /** Evicts the lines of this thread from the first level of its cache. */
  evict(): void {
    this.#options.pressure?.walk();
  }

  /** Compares what arrived.
   *
   * @param round The round
   * @param rx The end that it arrived at
   * @param at Start of the range, bytes
   * @param length Length of the range, bytes
   * @param wanted The expected data
   * @returns The bytes that were compared
   */
  check(round: number, rx: ReceiveEnd, at: number, length: number, wanted: Expected): number {
    if (!rx.equals(wanted.piece(round, at, length), at)) {
      this.compare(round, rx.copy(at, length), at, wanted);
    }
    return length;
  }

  /** Compares bytes, and records a fault for each series of lines that are stale in the same way.
   *
   * @param round The round
   * @param found The bytes
   * @param at Their offset in the block
   * @param wanted The expected data
   */
  compare(round: number, found: Uint8Array, at: number, wanted: Expected): void {
    let from = at;
    for (const gap of [...this.#missing, { from: at + found.length, to: Infinity }]) {
      const to = Math.min(gap.from, at + found.length);
      if (from < to) this.#compareRange(round, found.subarray(from - at, to - at), from, wanted);
      from = Math.max(from, gap.to);
    }
  }

  #compareRange(round: number, found: Uint8Array, at: number, wanted: Expected): void {
    const expected = wanted.piece(round, at, found.length).slice();
    const wrong: WrongLines[] = [];
    for (let from = 0, to, looks = 0; from < found.length && looks < LOOKS; from = to) {
      to = Math.min(found.length, this.line - (at + from) % this.line + from);
      const bytes = found.subarray(from, to);
      if (equalBytes(bytes, expected.subarray(from, to))) continue;
      looks++;
      const early = wanted.overwritten?.(round, at + from, bytes.length);
      const old = early !== undefined && equalBytes(bytes, early)
        ? OVERWRITTEN
        : source(round, bytes, at + from, wanted);
      const flips = old === null ? flippedBits(expected.subarray(from, to), bytes) : null;
      const last = wrong.at(-1);
      const goesOn = last?.to === from && last.old === old && (last.flips ?? flips) === null;
      if (goesOn) last.to = to;
      else wrong.push({ from, to, old, flips });
    }
    const isForeign = wrong.some(({ old, flips }) => old === null && flips === null);
    const shapes = isForeign && wrong.every(({ old }) => old === null)
      ? shapesOf(
        round,
        { at, received: found, units: unitsOf(this.device) },
        wanted.piece,
        this.#options.pattern,
      )
      : null;
    if (shapes !== null) {
      for (const fault of shapes) this.record(fault);
      return;
    }
    for (const lines of wrong) {
      const { from, to, flips } = lines;
      if (flips === null) this.#recordWrongLines(round, at, lines);
      else this.#recordFlips(round, at + from, flips, expected.subarray(from, to));
    }
  }

  /** Records single wrong bits of a line, which no stale copy can have. */
  #recordFlips(round: number, line: number, flips: Flips, expected: Uint8Array): void {
    const { first, last, xor, bits } = flips;
    this.record({
      kind: "bit-flip",
      frame: round,
      offset: line + first,
      length: last + 1 - first,
      blame: null,
      detail: bits.map(({ at, bit }) => `bit ${bit} of byte ${line + at} is wrong`).join(", "),
      damage: {
        offset: line + first,
        xor: xor.slice(first, last + 1).toHex(),
        base: 0,
        expected: expected.slice(first, first + 16).toHex(),
      },
    });
  }

  #recordWrongLines(
    round: number,
    at: number,
    { from, to, old }: WrongLines,
  ): void {
    const { direction, policy } = this.#options;
    const other = direction === "tx" ? "rx" : "tx";
    // otherwise both ends have the policy under test
    const isSure = old !== null && trusted(this.device, other) !== null;
    const stale = canBeStale(this.device, policy, direction);
    // no cache can be at fault where memory is coherent
    const kind = stale
      ? `stale-${direction}` as const
      : direction === "tx"
      ? "torn"
      : "not-written";
    const alternatives: FaultKind[] = [];
    if (old !== null && direction === "rx") {
      alternatives.push(...(stale ? ["not-written"] as const : []), "early-completion");
    }
    if (old !== null && !isSure) alternatives.push(`stale-${other}`);
    this.record({
      kind: old === null ? "foreign" : kind,
      ...(alternatives.length === 0 ? {} : { alternatives }),
      frame: round,
      offset: at + from,
      length: to - from,
      blame: isSure ? direction : null,
      detail: old === null
        ? "neither the data that were sent nor any earlier content"
        : direction === "tx"
        ? `the device read ${old}`
        : `the CPU sees ${old}`,
    });
  }

  /** Records that a block changed although no frame was sent to it. */
  recordChangedNeighbour(round: number, where: string, { size }: Block): void {
    this.record({
      kind: "overrun",
      frame: round,
      offset: 0,
      length: size,
      blame: "driver",
      detail: `the block ${where} the frame changed, which the CPU owned`,
    });
  }
}

/** Wrong lines that follow each other and are wrong in the same way. */
interface WrongLines {
  /** Offset of the first byte in the compared range, and of the byte after the last one. */
  readonly from: number;
  to: number;
  /** The earlier content that they hold; null if it is none. */
  readonly old: string | null;
  /** Their single wrong bits; null if more is wrong. */
  readonly flips: Flips | null;
}

/** Single wrong bits of a line. */
interface Flips {
  /** The first and the last wrong byte. */
  readonly first: number;
  readonly last: number;
  /** Received bytes XOR expected bytes. */
  readonly xor: Uint8Array;
  readonly bits: readonly { readonly at: number; readonly bit: number }[];
}

/** Finds single wrong bits. Returns null if there are too many, as in a line with other content. */
function flippedBits(expected: Uint8Array, received: Uint8Array): Flips | null {
  const xor = received.map((byte, i) => byte ^ (expected[i] ?? 0));
  const bits: { at: number; bit: number }[] = [];
  for (const [at, byte] of xor.entries()) {
    for (let bit = 0; bit < 8; bit++) if ((byte >> bit & 1) === 1) bits.push({ at, bit });
    if (bits.length > Math.min(MOST_FLIPS, expected.length / 8)) return null;
  }
  const [first, last] = [bits[0]?.at ?? 0, bits.at(-1)?.at ?? 0];
  return { first, last, xor, bits };
}

/** The source of stale bytes, in words; null if it is unknown. */
function source(round: number, bytes: Uint8Array, at: number, wanted: Expected): string | null {
  if (wanted.stored !== undefined && equalBytes(bytes, wanted.stored(round, at, bytes.length))) {
    return "what the CPU had stored there before";
  }
  for (let back = 1; back <= Math.min(round, BACK); back++) {
    const held = [wanted.piece, wanted.overwritten].some((content) =>
      content !== undefined && equalBytes(bytes, content(round - back, at, bytes.length))
    );
    if (held) return `what was there in round ${round - back}`;
  }
  return bytes.every((byte) => byte === 0) ? "the zeros of fresh memory" : null;
}

/** A policy for the end that is not under test, whose calls are known to work; null if the driver has none. */
function trusted({ info }: Device, direction: Direction): PolicyName | null {
  const names = ["coherent", "streaming"] as const;
  return names.find((name) => info.policies[name][direction]) ?? null;
}

/** Returns the alignment of offsets and lengths of frames.
 *
 * @param info What the device offers
 * @returns Bytes
 */
export function alignment({ tx, rx }: Pick<DeviceInfo, "tx" | "rx">): number {
  return Math.max(
    ...[tx, rx].flatMap((chan) => chan === null ? [1] : [chan.addressAlign, chan.lengthAlign]),
  );
}

/** Runs a litmus test.
 *
 * @param device The device, with no transfer in flight
 * @param setup The litmus test
 * @param options Its options
 * @param onPrimed Called after all blocks are made
 * @returns The report
 */
export function runLitmus(
  device: Device,
  setup: Setup,
  options: LitmusOptions,
  onPrimed?: () => void,
): FrameReport {
  const [report] = runFlows((own) => [own(new LitmusRun(device, setup, options))], onPrimed);
  if (report === undefined) throw new Error("Expected one report, found none");
  return report;
}
