// SPDX-License-Identifier: MIT

/**
 * What a device tells about itself, by INFO.
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
} from "./uapi.ts";

/** One channel of a device. */
export interface ChannelInfo {
  /** Name of the DMA controller's driver. */
  readonly engine: string;
  /** Name of the dmaengine channel. */
  readonly channel: string;
  /** Blocks that may be queued or in flight at once. */
  readonly queueDepth: number;
  /** Of these, how many are handed to the engine at once. */
  readonly engineDepth: number;
  /** Longest contiguous piece that the engine takes, bytes. */
  readonly maxSegment: number;
  /** Alignment of a transfer's start, bytes. */
  readonly addressAlign: number;
  /** Alignment of a transfer's length, bytes. */
  readonly lengthAlign: number;
  /** What the core's check value is. */
  readonly checkKind: CheckKind;
  /** Addresses that the mapping device reaches. */
  readonly dmaMask: bigint;
  /** Whether the kernel takes the mapping device for cache coherent. It may bounce even so. */
  readonly devCoherent: boolean;
  /** Whether a page mapped for the device needs sync calls, also because it bounces. */
  readonly needsSync: boolean;
  /** Whether RESET can prove that the engine is idle. */
  readonly provesIdle: boolean;
  /** Whether the engine was not proved idle: ENQUEUE gives EIO until RESET succeeds. */
  readonly wedged: boolean;
}

/** One policy on a device. */
export interface PolicyInfo {
  /** Whether it is offered for tx blocks. */
  readonly tx: boolean;
  /** Whether it is offered for rx blocks. */
  readonly rx: boolean;
  /** Whether its effective attribute is that of `coherent`, so that it is another name of that. */
  readonly alias: boolean;
  /** The memory attribute that the user mapping really has. */
  readonly attribute: MemoryAttribute;
  /** Largest block, bytes. */
  readonly maxBlock: number;
}

/** The core in the logic, as far as it tells. */
export interface CoreInfo {
  /** What it says it is; 0 when unknown. */
  readonly id: number;
  /** Its version, such as `"1.2"`; `"0.0"` when unknown. */
  readonly version: string;
  /** Hash of its build, 64 hexadecimal digits, or null when unknown. */
  readonly build: string | null;
}

/** What a device tells about itself. */
export interface DeviceInfo {
  /** Version of the driver's ABI. */
  readonly abiVersion: number;
  /** Blocks aligned to this share no cache line, bytes. */
  readonly cacheAlign: number;
  /** Unit of mappings, bytes. */
  readonly pageSize: number;
  /** Blocks that may exist at once. */
  readonly maxBlocks: number;
  /** Bytes of driver-owned memory that may exist at once. */
  readonly maxBytes: number;
  /** The core in the logic. */
  readonly core: CoreInfo;
  /** Memory to logic, or null when that channel is absent. */
  readonly tx: ChannelInfo | null;
  /** Logic to memory, or null when that channel is absent. */
  readonly rx: ChannelInfo | null;
  /** Every policy of the ABI, offered or not. */
  readonly policies: Readonly<Record<PolicyName, PolicyInfo>>;
}

/**
 * Unpack the version, which every version of the struct begins with.
 *
 * @param bytes `struct pldma_info`.
 * @returns The version of the driver's ABI.
 */
export function unpackAbiVersion(bytes: Uint8Array<ArrayBuffer>): number {
  return new DataView(bytes.buffer).getUint32(INFO.at.abi_version, true);
}

/**
 * Unpack what a device tells about itself.
 *
 * @param bytes `struct pldma_info`.
 * @returns The same as an object.
 * @throws {RangeError} When a number has no name or is not exact in a double.
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
