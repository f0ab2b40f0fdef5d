// SPDX-License-Identifier: MIT
/**
 * The experiments of the audit: each puts different data into memory and into the cache, lets the device
 * access them, and looks which it got.
 *
 * @module
 */

import type { Block } from "../../driver/block.ts";
import type { Device } from "../../driver/device.ts";
import { ErrnoError } from "../../driver/errno.ts";
import type { DeviceInfo } from "../../driver/info.ts";
import type { CacheOp, Direction } from "../../driver/uapi.ts";
import { Lines } from "./lines.ts";
import { allocBlocks } from "./blocks.ts";

/**
 * The longest line that is judged as one, bytes. On arm64 the alignment of INFO is that of the longest line that
 * the kernel supports (128), and a part of it would be old and another part new.
 */
const LONGEST_LINE = 64;

/** How long a transfer may take, milliseconds. */
const TIMEOUT_MS = 10_000;

/** Where the device's accesses end: in the memory of the block, in a copy that syncs make, or nowhere. */
export type Reach = "memory" | "copy" | "nowhere";

/** How many lines showed what. */
export interface Counts {
  /** Proof that the device did not snoop: it got old data, or the CPU kept its own. */
  missed: number;
  /** Proof that it did: the new data were in the cache only, or the CPU's dirty line gave way. */
  snooped: number;
  /** The data are new, but the cache may have written its line back, or may not have held it. */
  unclear: number;
  /** Neither old nor new. */
  foreign: number;
  /** `missed` of each line. */
  readonly missedAt: number[];
  /** Rounds in which a line was looked at, the same for each line. */
  rounds: number;
}

/** What stores that are not cleaned do without a device. */
export interface Held {
  /** Lines whose store was only in the cache. */
  readonly held: number;
  /** Lines whose store was in memory although it was not cleaned. */
  readonly lost: number;
}

/** What a sync call of the driver does to the cache. */
export type DriverSync = "syncs" | "nothing" | "partly";

/** The audit cannot be made on this device. */
export class AuditError extends Error {
  override readonly name = "AuditError";
}

/** What to do if the driver refuses the request CACHE. */
const REFUSALS: Readonly<Record<string, string>> = {
  EPERM: "The audit needs CAP_SYS_RAWIO for its cache operations: run it as root",
  ENOTTY: "The driver has no request CACHE: build and load the pldma.ko of this version",
};

/** Bytes of a line as the experiments count them. */
function lineOf({ cacheAlign }: Pick<DeviceInfo, "cacheAlign">): number {
  return Math.min(cacheAlign, LONGEST_LINE);
}

/**
 * Return how many lines the experiments can use.
 *
 * @param info What the device offers.
 * @returns The largest number of lines that fit into a block of policy `manual`; 0 without that policy.
 */
export function mostLines(
  { policies: { manual }, ...info }: Pick<DeviceInfo, "policies" | "cacheAlign">,
): number {
  return Math.floor(manual.maxBlock / info.cacheAlign) * info.cacheAlign / lineOf(info);
}

/** Two blocks of policy `manual`, which nobody syncs behind the back of the experiments. */
export class Probe implements Disposable {
  readonly lines: Lines;
  /** Number of lines that an operation handles together at least. */
  readonly #together: number;
  readonly #device: Device;
  readonly #blocks: Readonly<Record<Direction, Block>>;
  readonly #scratch: Uint8Array<ArrayBuffer>;

  /**
   * @param device The device. It must return each frame that it is sent.
   * @param lines Number of lines, which is rounded up to what an operation handles together.
   * @param seed Seed of the contents.
   */
  constructor(device: Device, lines: number, seed: number) {
    const { cacheAlign } = device.info;
    const line = lineOf({ cacheAlign });
    this.#together = cacheAlign / line;
    const count = Math.ceil(lines / this.#together) * this.#together;
    const size = line * count;
    this.lines = new Lines(line, count, seed);
    this.#device = device;
    this.#scratch = new Uint8Array(size);
    this.#blocks = allocBlocks(device, size);
  }

  /** Frees both blocks. */
  [Symbol.dispose](): void {
    for (const block of Object.values(this.#blocks)) block[Symbol.dispose]();
  }

  /**
   * Tell whether the processor has an operation.
   *
   * @throws {AuditError} If the driver refuses all of them.
   */
  can(op: CacheOp): boolean {
    try {
      this.#blocks.tx.cache(op);
      return true;
    } catch (error) {
      if (!(error instanceof ErrnoError)) throw error;
      if (error.code === "EOPNOTSUPP") return false;
      const refusal = REFUSALS[error.code];
      throw refusal === undefined ? error : new AuditError(refusal);
    }
  }

  /** Find out where the device's accesses end. Needs `"clean"` and `"clean-invalidate"`. */
  reach(): Reach {
    const { tx, rx } = this.#blocks;
    const arrives = (round: number, found: Uint8Array): boolean => {
      const all = Array.from({ length: this.lines.count }, (_, i) => i);
      return all.every((i) => this.lines.found(found, round, i) === "new");
    };
    tx.set(this.lines.all("new", 0));
    tx.cache("clean");
    if (arrives(0, this.#receive())) return "memory";
    tx.set(this.lines.all("new", 1));
    tx.syncForDevice();
    rx.syncForDevice();
    this.#move();
    rx.syncForCpu();
    return arrives(1, this.#load(rx)) ? "copy" : "nowhere";
  }

  /** Find out whether a store that is not cleaned stays in the cache. Needs `"invalidate"`. */
  held(direction: Direction, round: number): Held {
    const block = this.#blocks[direction];
    this.#split(block, round);
    block.cache("invalidate");
    const found = this.#load(block);
    let lost = 0;
    for (let i = 0; i < this.lines.count; i++) {
      if (this.lines.found(found, round, i) === "new") lost++;
    }
    return { held: this.lines.count - lost, lost };
  }

  /**
   * Find out whether the driver's sync call cleans (tx) or drops (rx) the lines of a block. Needs
   * `"invalidate"` for tx.
   */
  driver(direction: Direction, round: number): DriverSync {
    const block = this.#blocks[direction];
    this.#split(block, round);
    if (direction === "tx") {
      block.syncForDevice();
      block.cache("invalidate");
    } else {
      block.syncForCpu();
    }
    const found = this.#load(block);
    const done = direction === "tx" ? "new" : "old";
    let synced = 0;
    for (let i = 0; i < this.lines.count; i++) {
      if (this.lines.found(found, round, i) === done) synced++;
    }
    return synced === this.lines.count ? "syncs" : synced === 0 ? "nothing" : "partly";
  }

  /**
   * Let the device read lines that are old in memory and new in the cache.
   *
   * @param round Number of the round.
   * @param counts The counts to add to.
   * @param proves Whether to look afterwards what was in memory. Needs `"invalidate"`.
   */
  tx(round: number, counts: Counts, proves: boolean): void {
    const { tx } = this.#blocks;
    this.#split(tx, round);
    const got = this.#receive().slice();
    // what the device got from the cache is new although memory is old
    if (proves) tx.cache("invalidate");
    const memory = this.#load(tx);
    counts.rounds++;
    for (let i = 0; i < this.lines.count; i++) {
      const [seen, left] = [this.lines.found(got, round, i), this.lines.found(memory, round, i)];
      if (seen === "old") miss(counts, i);
      else if (seen !== "new" || left === "foreign") counts.foreign++;
      else if (proves && left === "old") counts.snooped++;
      else counts.unclear++;
    }
  }

  /**
   * Let the device write lines that the CPU has in its cache. Half of them are dirty, and the other half in the
   * next round.
   *
   * @param round Number of the round.
   * @param counts The counts to add to.
   */
  rx(round: number, counts: Counts): void {
    const { tx, rx } = this.#blocks;
    const dirty = (i: number) => (Math.floor(i / this.#together) + round) % 2 === 1;
    tx.set(this.lines.all("new", round));
    tx.cache("clean");
    rx.set(this.lines.all("old", round));
    rx.cache("clean");
    this.#load(rx);
    for (let i = 0; i < this.lines.count; i++) {
      if (dirty(i)) rx.set(this.lines.one("dirty", round, i), i * this.lines.line);
    }
    this.#move();
    const seen = this.#load(rx).slice();
    rx.cache("clean-invalidate");
    const memory = this.#load(rx);
    counts.rounds++;
    for (let i = 0; i < this.lines.count; i++) {
      const found = this.lines.found(seen, round, i);
      // a dirty line was written over the data, so only a clean one shows that they came
      if (!dirty(i) && this.lines.found(memory, round, i) !== "new") counts.foreign++;
      else if (found === (dirty(i) ? "dirty" : "old")) miss(counts, i);
      else if (found !== "new") counts.foreign++;
      else if (dirty(i)) counts.snooped++;
      else counts.unclear++;
    }
  }

  /** Puts old data into memory, and new data into the cache only. */
  #split(block: Block, round: number): void {
    const fresh = this.lines.all("new", round);
    block.set(this.lines.all("old", round));
    block.cache("clean");
    block.set(fresh);
  }

  /** Moves the tx block, and returns what the device read, whatever the device snoops when it writes. */
  #receive(): Uint8Array<ArrayBuffer> {
    const { rx } = this.#blocks;
    rx.cache("clean-invalidate");
    this.#move();
    rx.cache("clean-invalidate");
    return this.#load(rx);
  }

  #load(block: Block): Uint8Array<ArrayBuffer> {
    block.copyTo(this.#scratch);
    return this.#scratch;
  }

  #move(): void {
    const { tx, rx } = this.#blocks;
    rx.enqueue();
    tx.enqueue();
    for (const direction of ["tx", "rx"] as const) {
      const { bytes } = this.#device.dequeue(direction, { timeoutMs: TIMEOUT_MS });
      if (bytes === this.#scratch.length) continue;
      throw new AuditError(
        `Expected a frame of ${this.#scratch.length} bytes on ${direction}, found ${bytes}: the audit needs a design that returns each frame`,
      );
    }
  }
}

function miss(counts: Counts, line: number): void {
  counts.missed++;
  counts.missedAt[line] = (counts.missedAt[line] ?? 0) + 1;
}

/**
 * Make counts without a round.
 *
 * @param lines Number of lines.
 * @returns The counts.
 */
export function noCounts(lines: number): Counts {
  return {
    ...{ missed: 0, snooped: 0, unclear: 0, foreign: 0, rounds: 0 },
    missedAt: new Array<number>(lines).fill(0),
  };
}
