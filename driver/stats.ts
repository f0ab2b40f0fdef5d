// SPDX-License-Identifier: MIT

/**
 * What a device counted since it was opened, by STATS.
 *
 * @module
 */

import { getNumber } from "./codecs.ts";
import {
  CHAN_STATS,
  COST,
  COST_KINDS,
  type CostKind,
  type Direction,
  DIRECTIONS,
  STATS,
} from "./uapi.ts";

/** What one kind of call cost in one direction. */
export interface Cost {
  /** Times that a block, or a part of one, was given to that call. */
  readonly calls: number;
  /** Bytes given to it. */
  readonly bytes: number;
  /** Time spent in it, nanoseconds. */
  readonly totalNs: number;
  /** The longest, nanoseconds. */
  readonly maxNs: number;
}

/** What was counted in one direction. */
export interface ChannelStats {
  /** Costs of transfers without VERIFY. */
  readonly cost: Readonly<Record<CostKind, Cost>>;
  /** Costs of transfers with VERIFY, and of RESET. */
  readonly verify: Readonly<Record<CostKind, Cost>>;
  /** Transfers that the engine reported done. */
  readonly transfers: number;
  /** Bytes that they moved. */
  readonly bytes: number;
  /** Of these transfers, how many failed. */
  readonly errors: number;
  /** DEQUEUE calls whose deadline passed. */
  readonly timeouts: number;
  /** RESET calls that had to give back a block. */
  readonly resets: number;
  /** Blocks in quarantine now. */
  readonly quarantinedBlocks: number;
  /** Their bytes. */
  readonly quarantinedBytes: number;
}

/** What a device counted. */
export interface DeviceStats {
  /** Blocks that exist. */
  readonly blocks: number;
  /** Driver-owned bytes that exist, quarantine included. */
  readonly bytes: number;
  /** Memory to logic. */
  readonly tx: ChannelStats;
  /** Logic to memory. */
  readonly rx: ChannelStats;
}

/**
 * Unpack what a device counted.
 *
 * @param bytes `struct pldma_stats`.
 * @returns The same as an object.
 * @throws {RangeError} When a number is not exact in a double.
 */
export function unpackStats(bytes: Uint8Array<ArrayBuffer>): DeviceStats {
  const view = new DataView(bytes.buffer);
  return {
    blocks: view.getUint32(STATS.at.blocks, true),
    bytes: getNumber(view, STATS.at.bytes),
    tx: unpackChannel(view, "tx"),
    rx: unpackChannel(view, "rx"),
  };
}

function unpackChannel(view: DataView, direction: Direction): ChannelStats {
  const base = STATS.at.chan + DIRECTIONS.indexOf(direction) * CHAN_STATS.size;
  const at = CHAN_STATS.at;
  const count = (offset: number) => getNumber(view, base + offset);
  return {
    cost: unpackCosts(view, base + at.cost),
    verify: unpackCosts(view, base + at.verify),
    transfers: count(at.transfers),
    bytes: count(at.bytes),
    errors: count(at.errors),
    timeouts: count(at.timeouts),
    resets: count(at.resets),
    quarantinedBlocks: count(at.quarantined_blocks),
    quarantinedBytes: count(at.quarantined_bytes),
  };
}

function unpackCosts(view: DataView, base: number): Record<CostKind, Cost> {
  const costs = COST_KINDS.map((kind, index) => {
    const count = (offset: number) => getNumber(view, base + index * COST.size + offset);
    const cost: Cost = {
      calls: count(COST.at.calls),
      bytes: count(COST.at.bytes),
      totalNs: count(COST.at.total_ns),
      maxNs: count(COST.at.max_ns),
    };
    return [kind, cost] as const;
  });
  return Object.fromEntries(costs) as Record<CostKind, Cost>;
}
