// SPDX-License-Identifier: MIT

/**
 * Runs litmus programs on a device, each on cache lines of its own.
 *
 * Each line of a program is a range of a block of policy `manual`, so the only sync calls are those of
 * the program. A device access is a frame through the loop: a read sends the line to a coherent block,
 * and a write receives it from one. The ranges have the alignment of the driver, so none shares a cache
 * line with another one.
 *
 * @module
 */

import type { Block } from "../../../../driver/block.ts";
import type { Device } from "../../../../driver/device.ts";
import type { WaitOptions } from "../../../../driver/device_options.ts";
import type { Direction } from "../../../../driver/uapi.ts";
import { alignment } from "../litmus_run.ts";
import { LINE_NAMES, type Program } from "./program.ts";

/** Ranges of a block. When they are used up, the blocks get new contents. */
const SLOTS = 256;

/** Bytes of a word, in which one value of a line differs from all others. */
const WORD = 4;

/** What one line of a program showed: the observations of each word, and the words that are alike. */
export interface LineOutcome {
  /** The line. */
  readonly line: number;
  /**
   * What the words showed, each once: the observed values in order, separated by commas. `?` is none of
   * the line's values.
   */
  readonly words: readonly string[];
}

/** Where the two lines of a program lie: in a block each, or side by side in one block, in either order. */
export type Layout = "apart" | "upward" | "downward";

/** The layouts. */
export const LAYOUTS: readonly Layout[] = ["apart", "upward", "downward"];

/** A transfer that moved fewer bytes than a program needs. The program cannot go on. */
export class ShortTransferError extends Error {
  override readonly name = "ShortTransferError";
  /** The direction of the transfer. */
  readonly direction: Direction;
  /** Bytes that it moved. */
  readonly moved: number;
  /** Bytes that it should have moved. */
  readonly asked: number;

  /**
   * @param direction The direction of the transfer
   * @param moved Bytes that it moved
   * @param asked Bytes that it should have moved
   */
  constructor(direction: Direction, moved: number, asked: number) {
    super(`${moved} of ${asked} bytes ${direction === "rx" ? "arrived" : "were sent"}`);
    this.direction = direction;
    this.moved = moved;
    this.asked = asked;
  }
}

/** A line of a program while it runs. */
interface Lane {
  readonly block: Block;
  readonly other: Block;
  readonly at: number;
  readonly values: Uint32Array<ArrayBuffer>[];
  readonly seen: Uint32Array<ArrayBuffer>[];
  /** The access of the device that is under way. */
  access: "R" | "W" | null;
}

/** The blocks on which programs run. Disposing it frees them. */
export class LitmusBench implements Disposable {
  /** Bytes of a range. */
  readonly line: number;
  readonly #device: Device;
  readonly #wait: WaitOptions;
  readonly #seed: number;
  readonly #blocks: Readonly<Record<Direction, readonly Block[]>>;
  readonly #others: Readonly<Record<Direction, readonly Block[]>>;
  #slot = SLOTS;
  #serial = 0;
  /** The contents of a range before a program runs in it. */
  #initial = 0;

  /**
   * @param device The device, with no block queued
   * @param seed Seed of the contents
   * @param wait How long to wait for a transfer
   */
  constructor(device: Device, seed: number, wait: WaitOptions) {
    this.#device = device;
    this.#seed = seed;
    this.#wait = wait;
    const line = Math.max(device.info.cacheAlign, alignment(device.info), WORD);
    this.line = Math.ceil(line / WORD) * WORD;
    const size = this.line * SLOTS;
    const two = (direction: Direction, policy: "manual" | "coherent") =>
      device.alloc({ direction, policy, size, count: 2 });
    this.#blocks = { tx: two("tx", "manual"), rx: two("rx", "manual") };
    this.#others = { tx: two("tx", "coherent"), rx: two("rx", "coherent") };
  }

  /**
   * Runs a program once.
   *
   * @param program The program, which must be legal and must have at most two lines, each `tx` or `rx`
   * @param layout Where its lines lie, if `canLieBeside()`. Defaults to blocks of their own
   * @returns What each line showed that observed something
   * @throws {ShortTransferError} If a frame came short. Transfers of the program may be under way then
   */
  run(program: Program, layout: Layout = "apart"): LineOutcome[] {
    const together = layout !== "apart" && canLieBeside(program);
    const slots = together ? 2 : 1;
    if (this.#slot + slots > SLOTS) this.#renew();
    this.#serial++;
    const first = this.#slot * this.line;
    this.#slot += slots;
    const lanes = program.lines.map((direction, line): Lane => {
      if (direction === "both") throw new RangeError("Expected lines of tx or rx, found both");
      const place = layout === "upward" ? line : 1 - line;
      const at = first + (together ? place * this.line : 0);
      const [block, other] = [
        this.#blocks[direction][together ? 0 : line],
        this.#others[direction === "tx" ? "rx" : "tx"][line],
      ];
      if (block === undefined || other === undefined) {
        throw new RangeError(`Expected at most two lines, found ${program.lines.length}`);
      }
      const initial = this.#content(this.#initial, block.id, at);
      return { block, other, at, values: [initial], seen: [], access: null };
    });
    for (const { kind, line } of program.events) {
      const lane = lanes[line];
      if (lane === undefined) throw new RangeError(`Expected line ${LINE_NAMES[line]} to exist`);
      const { at } = lane;
      switch (kind) {
        case "S":
          lane.block.set(bytesOf(this.#next(lane)), at);
          break;
        case "L":
          lane.seen.push(this.#copy(lane.block, at));
          break;
        case "D":
          lane.block.syncForDevice(at, this.line);
          break;
        case "U":
          lane.block.syncForCpu(at, this.line);
          break;
        case "R":
        case "W":
          this.#start(lane, kind);
          break;
        case "C":
          this.#complete(lane, lanes);
          break;
      }
    }
    for (const lane of lanes) this.#complete(lane, lanes);
    return lanes.map((lane, line) => ({ line, words: wordsOf(lane) }));
  }

  #next(lane: Lane): Uint32Array<ArrayBuffer> {
    const value = this.#content(this.#serial, lane.block.id, lane.at + lane.values.length);
    lane.values.push(value);
    return value;
  }

  #start(lane: Lane, access: "R" | "W"): void {
    const { block, other, at } = lane;
    const part = { offset: at, length: this.line };
    lane.access = access;
    if (access === "R") {
      other.enqueue(part);
      block.enqueue(part);
    } else {
      other.set(bytesOf(this.#next(lane)), at);
      block.enqueue(part);
      other.enqueue(part);
    }
  }

  /** Takes transfers back until those of a line are complete. Another line's may come first. */
  #complete(lane: Lane, lanes: readonly Lane[]): void {
    if (lane.access === null) return;
    for (const direction of ["tx", "rx"] as const) {
      while (ownOf(lane, direction).state !== "user") {
        const done = this.#device.dequeue(direction, this.#wait);
        const owner = lanes.find(({ block, other, access }) =>
          access !== null && (done.block === block || done.block === other)
        );
        if (owner === undefined) {
          throw new Error(
            `Expected a block of the program, found block ${done.block.id}: the driver or its engine ` +
              "mixes up transfers",
          );
        }
        if (done.bytes !== this.line) {
          throw new ShortTransferError(direction, done.bytes, this.line);
        }
      }
    }
    if (lane.access === "R") lane.seen.push(this.#copy(lane.other, lane.at));
    lane.access = null;
  }

  #copy(block: Block, at: number): Uint32Array<ArrayBuffer> {
    const bytes = new Uint8Array(this.line);
    block.copyTo(bytes, at);
    return new Uint32Array(bytes.buffer);
  }

  /** Gives every range new contents that CPU and device both see. */
  #renew(): void {
    this.#slot = 0;
    this.#initial = ++this.#serial;
    const size = this.line * SLOTS;
    const fill = (block: Block, of: Block) => {
      for (let at = 0; at < size; at += this.line) {
        block.set(bytesOf(this.#content(this.#initial, of.id, at)), at);
      }
    };
    this.#blocks.tx.forEach((block) => {
      fill(block, block);
      block.syncForDevice();
    });
    this.#blocks.rx.forEach((block, line) => {
      const other = this.#others.tx[line];
      if (other === undefined) throw new Error("Expected a coherent block, found none");
      fill(other, block);
      block.syncForDevice();
      block.enqueue();
      other.enqueue();
      for (const direction of ["tx", "rx"] as const) {
        const { bytes } = this.#device.dequeue(direction, this.#wait);
        if (bytes !== size) throw new ShortTransferError(direction, bytes, size);
      }
      block.syncForCpu();
    });
  }

  /** Words that no other content of this bench has, but for one chance in 2^32. */
  #content(serial: number, id: number, at: number): Uint32Array<ArrayBuffer> {
    const words = new Uint32Array(this.line / WORD);
    const base = mix(mix(mix(this.#seed, serial), id), at);
    for (let i = 0; i < words.length; i++) words[i] = mix(base, i);
    return words;
  }

  [Symbol.dispose](): void {
    // blocks that a transfer still owns are freed when the device is closed
    const all = [this.#blocks, this.#others].flatMap(({ tx, rx }) => [...tx, ...rx]);
    for (const block of all) if (block.state === "user") block.free();
  }
}

/**
 * Returns whether both lines of a program can lie in one block: they have the same direction, and nothing
 * happens to one of them while the device owns the other one.
 *
 * @param program The program
 * @returns Whether they can
 */
export function canLieBeside({ lines, events }: Program): boolean {
  if (lines.length !== 2 || lines[0] !== lines[1]) return false;
  let owned: number | null = null;
  for (const { kind, line } of events) {
    if (owned !== null && owned !== line) return false;
    owned = kind === "R" || kind === "W" ? line : null;
  }
  return true;
}

/** The block of a line that a direction's queue holds. */
function ownOf({ block, other }: Lane, direction: Direction): Block {
  return block.direction === direction ? block : other;
}

function bytesOf(words: Uint32Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  return new Uint8Array(words.buffer);
}

/** The outcomes of the words of a line, each once, in the order in which they appear. */
function wordsOf({ values, seen }: Lane): string[] {
  const found = new Set<string>();
  const words = values[0]?.length ?? 0;
  for (let i = 0; i < words; i++) {
    found.add(
      seen.map((copy) => {
        const value = values.findIndex((one) => one[i] === copy[i]);
        return value < 0 ? "?" : value;
      }).join(),
    );
  }
  return [...found];
}

/** Hashes two words. The finalizer is that of MurmurHash3. */
function mix(a: number, b: number): number {
  let h = Math.imul(a ^ Math.imul(b + 1, 0x9e37_79b1), 0x85eb_ca6b) ^ b;
  h = Math.imul(h ^ (h >>> 16), 0x85eb_ca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2_ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
