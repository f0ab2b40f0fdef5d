// SPDX-License-Identifier: MIT

/**
 * Counters of the driver, by STATS.
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

/** Cost of one kind of call in one direction. */
export interface Cost {
  /** Number of blocks, or parts of blocks, that the call processed. */
  readonly calls: number;
  /** Number of bytes that the call processed. */
  readonly bytes: number;
  /** Total duration, nanoseconds. */
  readonly totalNs: number;
  /** Longest duration, nanoseconds. */
  readonly maxNs: number;
}

/** Counters of one direction. */
export interface ChannelStats {
  /** Cost of transfers without VERIFY. */
  readonly cost: Readonly<Record<CostKind, Cost>>;
  /** Cost of transfers with VERIFY, and of RESET. */
  readonly verify: Readonly<Record<CostKind, Cost>>;
  /** Number of transfers that the engine completed. */
  readonly transfers: number;
  /** Number of bytes that these transfers moved. */
  readonly bytes: number;
  /** Number of failed transfers, including those that the engine did not accept. */
  readonly errors: number;
  /** Number of DEQUEUE calls that timed out. */
  readonly timeouts: number;
  /** Number of RESET calls that returned at least one block. */
  readonly resets: number;
  /** Number of blocks that are in quarantine now. */
  readonly quarantinedBlocks: number;
  /** Total size of the blocks in quarantine, bytes. */
  readonly quarantinedBytes: number;
}

/** Counters of a device. */
export interface DeviceStats {
  /** Number of blocks that exist. */
  readonly blocks: number;
  /** Amount of driver-owned memory, including blocks in quarantine, bytes. */
  readonly bytes: number;
  /** Counters of the direction from memory to logic. */
  readonly tx: ChannelStats;
  /** Counters of the direction from logic to memory. */
  readonly rx: ChannelStats;
}

/**
 * Unpack the counters of a device.
 *
 * @param bytes `struct pldma_stats`.
 * @returns The counters.
 * @throws {RangeError} If a number is above 2^53 - 1.
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
