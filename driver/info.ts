// SPDX-License-Identifier: MIT

/**
 * What a device reports about itself, by INFO.
 *
 * @module
 */

import { getNumber, getString, nameOf } from "./codecs.ts";
import {
  ATTRIBUTES,
  CHAN_FLAGS,
  CHAN_INFO,
  CHECK_KINDS,
  type CheckKind,
  type Direction,
  DIRECTIONS,
  INFO,
  type MemoryAttribute,
  POLICIES,
  POLICY_FLAGS,
  POLICY_INFO,
  type PolicyName,
  type Quirk,
  QUIRK_FLAGS,
} from "./uapi.ts";

/** One channel of a device. */
export interface ChannelInfo {
  /** Name of the DMA controller's driver. */
  readonly engine: string;
  /** Name of the dmaengine channel. */
  readonly channel: string;
  /** Maximum number of blocks that are queued or in flight. */
  readonly queueDepth: number;
  /** Maximum number of these blocks that are in flight, that is, submitted to the engine. */
  readonly engineDepth: number;
  /** Longest contiguous segment that the engine accepts, bytes. */
  readonly maxSegment: number;
  /** Required alignment of the start of a transfer, bytes. */
  readonly addressAlign: number;
  /** Required alignment of the length of a transfer, bytes. */
  readonly lengthAlign: number;
  /** Kind of check value that the core computes. */
  readonly checkKind: CheckKind;
  /** Mask of the bus addresses that the DMA device can access. */
  readonly dmaMask: bigint;
  /** Whether the kernel considers the DMA device cache-coherent. It may still use bounce buffers. */
  readonly devCoherent: boolean;
  /** Whether memory mapped for the device needs sync calls, for its caches or for bounce buffers. */
  readonly needsSync: boolean;
  /** Whether RESET asks the engine whether it is idle. */
  readonly provesIdle: boolean;
  /** Whether RESET believes the engine's driver that a terminated engine is idle. */
  readonly trustsTerminate: boolean;
  /**
   * Whether the device is behind an IOMMU in strict mode. RESET then takes memory by unmapping it from an
   * engine that is not proved idle, but not that of `coherent`, `write-combine`, `noncoherent`,
   * `user-pages-registered` and `dma-buf`.
   */
  readonly unmapProves: boolean;
  /** Whether words travel beside frames. */
  readonly sideband: boolean;
  /** Whether the length of a short received frame is known. */
  readonly exactLengths: boolean;
  /** Whether there is no logic: one channel copies the oldest tx block into the oldest rx block. */
  readonly memoryLoop: boolean;
  /** Maximum number of contiguous segments of a transfer, or null without a limit. */
  readonly maxSegments: number | null;
  /** Longest transfer that needs no more segments than that, bytes, or null without a limit. */
  readonly maxTransfer: number | null;
  /** What is known about the engine's driver. */
  readonly quirks: readonly Quirk[];
  /** Whether a RESET failed to prove that the engine is idle. ENQUEUE fails with EIO until one succeeds. */
  readonly wedged: boolean;
}

/** One policy on a device. */
export interface PolicyInfo {
  /** Whether the device offers it for tx blocks. */
  readonly tx: boolean;
  /** Whether the device offers it for rx blocks. */
  readonly rx: boolean;
  /** Whether its memory is the same as that of `coherent`, so that the policy is only another name. */
  readonly alias: boolean;
  /** The effective memory attribute of the user mapping. */
  readonly attribute: MemoryAttribute;
  /** Size of the largest block, bytes. */
  readonly maxBlock: number;
}

/** The core in the programmable logic. */
export interface CoreInfo {
  /** Its id, or 0 if unknown. */
  readonly id: number;
  /** Its version, such as `"1.2"`, or `"0.0"` if unknown. */
  readonly version: string;
  /** Hash of its build, 64 hexadecimal digits, or null if unknown. */
  readonly build: string | null;
}

/** What a device reports about itself. */
export interface DeviceInfo {
  /** ABI version of the driver. */
  readonly abiVersion: number;
  /** Ranges with this alignment share no cache line, bytes. */
  readonly cacheAlign: number;
  /** Page size, which is the unit of mappings, bytes. */
  readonly pageSize: number;
  /** Maximum number of blocks. */
  readonly maxBlocks: number;
  /** Maximum amount of driver-owned memory, bytes. */
  readonly maxBytes: number;
  /** The core in the programmable logic. */
  readonly core: CoreInfo;
  /** The channel from memory to logic, or null if there is none. */
  readonly tx: ChannelInfo | null;
  /** The channel from logic to memory, or null if there is none. */
  readonly rx: ChannelInfo | null;
  /** Every policy of the ABI, whether the device offers it or not. */
  readonly policies: Readonly<Record<PolicyName, PolicyInfo>>;
}

/**
 * Unpack the ABI version. It is the first member of the struct in every version.
 *
 * @param bytes `struct pldma_info`.
 * @returns The ABI version of the driver.
 */
export function unpackAbiVersion(bytes: Uint8Array<ArrayBuffer>): number {
  return new DataView(bytes.buffer).getUint32(INFO.at.abi_version, true);
}

/**
 * Unpack what a device reports about itself.
 *
 * @param bytes `struct pldma_info`.
 * @returns The report.
 * @throws {RangeError} If a number has no name, or is above 2^53 - 1.
 */
export function unpackInfo(bytes: Uint8Array<ArrayBuffer>): DeviceInfo {
  const view = new DataView(bytes.buffer);
  const version = view.getUint32(INFO.at.core_version, true);
  const build = new Uint8Array(bytes.buffer, INFO.at.core_build, 32);
  const policies = POLICIES.map((name, index) => [name, unpackPolicy(view, index)] as const);
  return {
    abiVersion: unpackAbiVersion(bytes),
    cacheAlign: view.getUint32(INFO.at.cache_align, true),
    pageSize: view.getUint32(INFO.at.page_size, true),
    maxBlocks: view.getUint32(INFO.at.max_blocks, true),
    maxBytes: getNumber(view, INFO.at.max_bytes),
    core: {
      id: view.getUint32(INFO.at.core_id, true),
      version: `${version >>> 16}.${version & 0xffff}`,
      build: build.every((byte) => byte === 0) ? null : build.toHex(),
    },
    tx: unpackChannel(view, "tx"),
    rx: unpackChannel(view, "rx"),
    policies: Object.fromEntries(policies) as Record<PolicyName, PolicyInfo>,
  };
}

const quirkNames = Object.keys(QUIRK_FLAGS) as Quirk[];

function unpackChannel(view: DataView, direction: Direction): ChannelInfo | null {
  const base = INFO.at.chan + DIRECTIONS.indexOf(direction) * CHAN_INFO.size;
  const at = CHAN_INFO.at;
  const word = (offset: number) => view.getUint32(base + offset, true);
  const flags = word(at.flags);
  if ((flags & CHAN_FLAGS.present) === 0) return null;
  return {
    engine: getString(view, base + at.engine, 32),
    channel: getString(view, base + at.channel, 32),
    queueDepth: word(at.queue_depth),
    engineDepth: word(at.engine_depth),
    maxSegment: word(at.max_segment),
    addressAlign: word(at.address_align),
    lengthAlign: word(at.length_align),
    checkKind: nameOf("pldma_check_kind", CHECK_KINDS, word(at.check_kind)),
    dmaMask: view.getBigUint64(base + at.dma_mask, true),
    devCoherent: (flags & CHAN_FLAGS.devCoherent) !== 0,
    needsSync: (flags & CHAN_FLAGS.needsSync) !== 0,
    provesIdle: (flags & CHAN_FLAGS.provesIdle) !== 0,
    trustsTerminate: (flags & CHAN_FLAGS.trustsTerminate) !== 0,
    unmapProves: (flags & CHAN_FLAGS.unmapProves) !== 0,
    sideband: (flags & CHAN_FLAGS.sideband) !== 0,
    exactLengths: (flags & CHAN_FLAGS.exactLengths) !== 0,
    memoryLoop: (flags & CHAN_FLAGS.memoryLoop) !== 0,
    maxSegments: word(at.max_segments) || null,
    maxTransfer: getNumber(view, base + at.max_transfer) || null,
    quirks: quirkNames.filter((name) => (word(at.quirks) & QUIRK_FLAGS[name]) !== 0),
    wedged: (flags & CHAN_FLAGS.wedged) !== 0,
  };
}

function unpackPolicy(view: DataView, index: number): PolicyInfo {
  const base = INFO.at.policy + index * POLICY_INFO.size;
  const flags = view.getUint32(base + POLICY_INFO.at.flags, true);
  const attribute = view.getUint32(base + POLICY_INFO.at.attr, true);
  return {
    tx: (flags & POLICY_FLAGS.tx) !== 0,
    rx: (flags & POLICY_FLAGS.rx) !== 0,
    alias: (flags & POLICY_FLAGS.alias) !== 0,
    attribute: nameOf("pldma_attr", ATTRIBUTES, attribute),
    maxBlock: getNumber(view, base + POLICY_INFO.at.max_block),
  };
}

/**
 * Returns whether RESET can ever know that the engine is idle. If it cannot, blocks that were in flight
 * stay in quarantine, except those that can be unmapped (`unmapProves`).
 *
 * @param channel The channel.
 * @returns Whether its driver proves it, or is trusted.
 */
export function knowsIdle(channel: Pick<ChannelInfo, "provesIdle" | "trustsTerminate">): boolean {
  return channel.provesIdle || channel.trustsTerminate;
}
