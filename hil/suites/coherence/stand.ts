// SPDX-License-Identifier: MIT
/**
 * What a litmus test is done on: the blocks of one case at one size, frames through them, and the
 * books of what was wrong. One end of every frame is memory of the policy on trial. The other end is
 * coherent memory, so that what is wrong is wrong on one side.
 *
 * @module
 */

import type { Block } from "../../../driver/block.ts";
import type { Device } from "../../../driver/device.ts";
import type { DeviceInfo } from "../../../driver/info.ts";
import { equalBytes } from "../../../driver/memory.ts";
import { MAP_SHARED, PROT_READ, PROT_WRITE } from "../../../driver/syscalls.ts";
import type { Direction, PolicyName } from "../../../driver/uapi.ts";
import { BlockSet } from "../../frames/block_set.ts";
import {
  BlockReceiveEnd,
  BlockSendEnd,
  type ReceiveEnd,
  RingReceiveEnd,
  RingSendEnd,
  type SendEnd,
} from "../../frames/ends.ts";
import type { HandoverOptions, SyncCall } from "../../frames/handover.ts";
import { Flow, runFlows } from "../../frames/flow.ts";
import type { FrameReport } from "../../frames/report.ts";
import type { Pattern } from "../../patterns/pattern.ts";
import type { Pressure } from "./pressure.ts";

/** What a stand is made with. */
export interface StandOptions {
  /** The policy on trial. */
  readonly policy: PolicyName;
  /** The direction on trial. */
  readonly direction: Direction;
  /** Bytes of a frame. */
  readonly size: number;
  /** Rounds; Infinity with `seconds`. */
  readonly rounds: number;
  /** Begin no more rounds after so many seconds; no limit when left out. */
  readonly seconds?: number;
  /** Begin no round after this, as `performance.now()` tells. */
  readonly deadline: number;
  /** The call that policy `manual` leaves out; null for none. */
  readonly without: SyncCall | null;
  /** Leave it out for the second half of a range only. */
  readonly half: boolean;
  /** Stop after so many faults. */
  readonly maxFaults: number;
  /** What frames are filled with. */
  readonly pattern: Pattern;
  /** Pressure on caches; null where there are none. */
  readonly pressure: Pressure | null;
}

/** One round; returns the bytes that were compared. */
export type Round = (round: number) => number;

/** Makes the blocks of a litmus test, for rounds that use them again and again. */
export type Part = (stand: Stand) => Round;

/** Bytes that came in some round, and that may still be there. */
export type Piece = (round: number, at: number, length: number) => Uint8Array;

/** Policies under which nothing is widened to whole lines. */
const EXACT: readonly PolicyName[] = ["coherent", "write-combine", "user-pages", "manual"];

/** Slots of a ring. */
const SLOTS = 2;

/** Rounds back in which the source of an old line is looked for. */
const BACK = 64;

/** Wrong lines of one frame that are looked into: a frame may be wrong all over. */
const LOOKS = 512;

/** What a comparison is about. */
export interface Due {
  /** What each round brings. */
  readonly piece: Piece;
  /** What the CPU had stored there before. */
  readonly stored?: Piece;
}

/** A litmus test at one size, in one direction. Disposing it gives back every block. */
export class Stand extends Flow {
  /** Bytes of a frame. */
  readonly size: number;
  /** Bytes of a cache line. */
  readonly line: number;
  /** Starts and lengths of frames are multiples of this, bytes. */
  readonly align: number;
  /** Whether no sync of the policy reaches beyond the frame: what lies beside it stays the CPU's. */
  readonly exact: boolean;
  readonly #options: StandOptions;
  readonly #part: Part;
  readonly #owned = new DisposableStack();
  #round: Round = () => 0;

  /**
   * @param device The device
   * @param part The litmus test
   * @param options What it is done with
   */
  constructor(device: Device, part: Part, options: StandOptions) {
    const { policy, size, rounds, seconds, deadline, maxFaults } = options;
    super(device, {
      ...{ policy, size, frames: rounds, depth: 1, deadline, maxFaults },
      ...(seconds === undefined ? {} : { seconds }),
    });
    this.#options = options;
    this.#part = part;
    this.size = size;
    this.line = device.info.cacheAlign;
    this.align = alignment(device.info);
    this.exact = EXACT.includes(policy);
  }

  protected override prime(): void {
    this.#round = this.#part(this);
  }

  protected override send(): void {}

  protected override receive(round: number): number {
    return this.#round(round);
  }

  protected override free(): void {
    this.#owned.dispose();
  }

  /** What round `round` sends: all rounds, and all places in them, differ. */
  readonly piece: Piece = (round, at, length) =>
    this.#options.pattern.body(round, this.size).subarray(at, at + length);

  /** What no round sends. */
  readonly poison: Piece = (_round, at, length) => this.#options.pattern.poison(at, length);

  /** Where frames leave from: under the policy on trial when it is about transmit. */
  sender(): SendEnd {
    const options = this.#end("tx");
    const { size } = this;
    if (options.policy !== "bounce") return new BlockSendEnd(this.#block("tx", options), options);
    this.#ring("tx");
    return new RingSendEnd(size, options);
  }

  /** Where frames arrive: under the policy on trial when it is about receive. */
  receiver(): ReceiveEnd {
    const options = this.#end("rx");
    const { size } = this;
    if (options.policy !== "bounce") {
      return new BlockReceiveEnd(this.#block("rx", options), options);
    }
    this.#ring("rx");
    return new RingReceiveEnd(size, options);
  }

  /** A receiver on trial, and the blocks that lie before and behind it. */
  neighbours(): { receiver: ReceiveEnd; before: Block; behind: Block } {
    const options = this.#end("rx");
    const [before, block, behind] = this.#blocks("rx", options.policy, 3);
    if (before === undefined || block === undefined || behind === undefined) {
      throw new Error("Expected three blocks, found fewer");
    }
    return { receiver: new BlockReceiveEnd(block, options), before, behind };
  }

  /** A sender on trial, and its memory by another mapping. */
  mappedSender(): { sender: SendEnd; alias: Uint8Array } {
    const options = this.#end("tx");
    const block = this.#block("tx", options);
    return { sender: new BlockSendEnd(block, options), alias: this.#alias(block) };
  }

  /** A receiver on trial, and its memory by another mapping. */
  mappedReceiver(): { receiver: ReceiveEnd; alias: Uint8Array } {
    const options = this.#end("rx");
    const block = this.#block("rx", options);
    return { receiver: new BlockReceiveEnd(block, options), alias: this.#alias(block) };
  }

  #end(direction: Direction): HandoverOptions {
    const { device, wait } = this;
    const { policy, without, half } = this.#options;
    if (direction !== this.#options.direction) {
      return { device, wait, policy: trusted(device, direction) };
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
    // armed receive slots are with the engine until a RESET
    this.#owned.defer(() => this.device.reset());
  }

  #alias(block: Block): Uint8Array {
    const { syscalls, fd } = this.device;
    const { mmapOffset } = this.device.query(block.id);
    const prot = block.writable ? PROT_READ | PROT_WRITE : PROT_READ;
    const mapping = syscalls.mmap(block.size, prot, MAP_SHARED, fd, mmapOffset);
    this.#owned.defer(() => syscalls.munmap(mapping));
    return new Uint8Array(mapping.lend());
  }

  /**
   * Send a frame round.
   *
   * @param round The round
   * @param tx Where it leaves from
   * @param rx Where it arrives
   * @param range What leaves, and how much `room` there is for it, as much when left out
   * @param meanwhile Done while the receiver is the device's: `before` the frame leaves, and `behind`,
   * when it has arrived and was not taken yet
   */
  move(
    round: number,
    tx: SendEnd,
    rx: ReceiveEnd,
    range: { offset: number; length: number; room?: number },
    meanwhile: { before?: () => void; behind?: () => void } = {},
  ): void {
    const { offset, length, room = length } = range;
    rx.arm(offset, room);
    meanwhile.before?.();
    tx.send(offset, length);
    if (meanwhile.behind !== undefined) {
      this.device.poll({ readable: true }, this.wait.timeoutMs);
      meanwhile.behind();
    }
    const moved = rx.finish();
    tx.finish();
    if (moved === length) return;
    this.record({
      kind: "truncated",
      frame: round,
      offset: moved,
      length: Math.abs(length - moved),
      blame: "core",
      detail: `${moved} of ${length} bytes arrived`,
    });
  }

  /** Push what this thread has in the first level of its cache out of it. */
  press(): void {
    this.#options.pressure?.walk();
  }

  /**
   * Compare what arrived.
   *
   * @param round The round
   * @param rx Where it arrived
   * @param at Start of the range, bytes
   * @param length Its bytes
   * @param due What must be there
   * @returns The bytes that were compared
   */
  check(round: number, rx: ReceiveEnd, at: number, length: number, due: Due): number {
    if (!rx.equals(due.piece(round, at, length), at)) {
      this.compare(round, rx.copy(at, length), at, due);
    }
    return length;
  }

  /**
   * Compare bytes, and note what is wrong: a fault for lines in a row that are old in the same way, as
   * far as so many lines go.
   *
   * @param round The round
   * @param found The bytes
   * @param at Where they are in the block
   * @param due What must be there
   */
  compare(round: number, found: Uint8Array, at: number, due: Due): void {
    const expected = due.piece(round, at, found.length).slice();
    let wrong: { from: number; to: number; old: string | null } | null = null;
    let looks = 0;
    for (let from = 0, to; from < found.length && looks < LOOKS && !this.full; from = to) {
      to = Math.min(found.length, this.line - (at + from) % this.line + from);
      const bytes = found.subarray(from, to);
      if (equalBytes(bytes, expected.subarray(from, to))) continue;
      looks++;
      const old = source(round, bytes, at + from, due);
      if (wrong !== null && wrong.to === from && wrong.old === old) {
        wrong.to = to;
        continue;
      }
      if (wrong !== null) this.#condemn(round, at, wrong);
      wrong = { from, to, old };
    }
    if (wrong !== null) this.#condemn(round, at, wrong);
  }

  #condemn(
    round: number,
    at: number,
    { from, to, old }: { from: number; to: number; old: string | null },
  ): void {
    const { direction } = this.#options;
    this.record({
      kind: old === null ? "foreign" : `stale-${direction}`,
      frame: round,
      offset: at + from,
      length: to - from,
      blame: old === null ? null : direction,
      detail: old === null
        ? "neither what was sent nor anything that was there before"
        : direction === "tx"
        ? `the device read ${old}`
        : `the CPU sees ${old}`,
    });
  }

  /** Note that a block changed that no frame went to. */
  trespass(round: number, where: string, { size }: Block): void {
    this.record({
      kind: "overrun",
      frame: round,
      offset: 0,
      length: size,
      blame: "driver",
      detail: `the block ${where} changed, which belonged to the CPU`,
    });
  }
}

/** What old bytes are of, in words; null when nobody knows. */
function source(round: number, bytes: Uint8Array, at: number, due: Due): string | null {
  if (due.stored !== undefined && equalBytes(bytes, due.stored(round, at, bytes.length))) {
    return "what the CPU had stored there before";
  }
  for (let back = 1; back <= Math.min(round, BACK); back++) {
    if (equalBytes(bytes, due.piece(round - back, at, bytes.length))) {
      return `what was there in round ${round - back}`;
    }
  }
  return bytes.every((byte) => byte === 0) ? "the zeros of fresh memory" : null;
}

/** The policy of the end that is not on trial. */
function trusted(device: Device, direction: Direction): PolicyName {
  return device.info.policies.coherent[direction] ? "coherent" : "streaming";
}

/**
 * What starts and lengths of frames must be multiples of.
 *
 * @param info What the device offers
 * @returns Bytes
 */
export function alignment({ tx, rx }: Pick<DeviceInfo, "tx" | "rx">): number {
  return Math.max(
    ...[tx, rx].flatMap((chan) => chan === null ? [1] : [chan.addressAlign, chan.lengthAlign]),
  );
}

/**
 * Do a litmus test.
 *
 * @param device The device, with no transfer in flight
 * @param part The litmus test
 * @param options What it is done with
 * @param onPrimed Called when all blocks are made
 * @returns What came of it
 */
export function runStand(
  device: Device,
  part: Part,
  options: StandOptions,
  onPrimed?: () => void,
): FrameReport {
  const [report] = runFlows((own) => [own(new Stand(device, part, options))], onPrimed);
  if (report === undefined) throw new Error("Expected one report, found none");
  return report;
}
