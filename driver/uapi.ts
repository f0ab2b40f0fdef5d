// SPDX-License-Identifier: MIT

/**
 * The numbers of the ioctl ABI: `kernel/uapi/pldma.h` in TypeScript. A test compares all of them with the
 * numbers that a C compiler computes from that header. It is one file, as the header is.
 *
 * @module
 */

import { type Layout, struct } from "./layout.ts";

/** The ABI version that this binding implements: `PLDMA_ABI_VERSION`. */
export const ABI_VERSION = 2;

/** The type byte of every request number: `PLDMA_IOC_MAGIC`. */
export const IOC_MAGIC = 0xd9;

/** A direction: `"tx"` is from memory to logic, `"rx"` from logic to memory. */
export type Direction = "tx" | "rx";

/** `enum pldma_direction` by index. */
export const DIRECTIONS = ["tx", "rx"] as const satisfies readonly Direction[];

/** `enum pldma_policy` by index: where the memory of a block comes from, and who syncs caches. */
export const POLICIES = [
  "coherent",
  "write-combine",
  "streaming",
  "streaming-lazy",
  "noncoherent",
  "user-pages",
  "user-pages-registered",
  "manual",
  "bounce",
  "none",
  "dma-buf",
] as const;

/** Name of a policy. */
export type PolicyName = (typeof POLICIES)[number];

/** Policies whose memory belongs to the caller, and whose blocks REGISTER makes. */
export const USER_POLICIES = [
  "user-pages",
  "user-pages-registered",
] as const satisfies readonly PolicyName[];

/** Name of a policy whose memory belongs to the caller. */
export type UserPolicyName = (typeof USER_POLICIES)[number];

/**
 * Tell whether the memory of a policy belongs to the caller.
 *
 * @param policy Name of the policy.
 * @returns Whether REGISTER makes its blocks, and not ALLOC.
 */
export function isUserPolicy(policy: PolicyName): policy is UserPolicyName {
  return (USER_POLICIES as readonly PolicyName[]).includes(policy);
}

/**
 * Tell whether ALLOC makes the blocks of a policy.
 *
 * @param policy Name of the policy.
 * @returns Whether the driver owns their memory, and not REGISTER or IMPORT makes them.
 */
export function isAllocPolicy(policy: PolicyName): boolean {
  return !isUserPolicy(policy) && policy !== "dma-buf";
}

/** Policies under which the caller syncs its blocks by itself. */
export const CALLER_SYNCED_POLICIES = [
  "manual",
  "dma-buf",
] as const satisfies readonly PolicyName[];

/**
 * Tell whether the caller syncs the blocks of a policy.
 *
 * @param policy Name of the policy.
 * @returns Whether `syncForDevice()` and `syncForCpu()` work, and are needed.
 */
export function isCallerSynced(policy: PolicyName): boolean {
  return (CALLER_SYNCED_POLICIES as readonly PolicyName[]).includes(policy);
}

/** Policies whose memory no cache and no bounce buffer stands in front of, on any board. */
export const UNCACHED_POLICIES = [
  "coherent",
  "write-combine",
] as const satisfies readonly PolicyName[];

/** `enum pldma_attr` by index. */
export const ATTRIBUTES = ["none", "cached", "uncached", "write-combine"] as const;

/** The effective memory attribute of a user mapping. It is `"none"` if the driver creates no mapping. */
export type MemoryAttribute = (typeof ATTRIBUTES)[number];

/** `enum pldma_state` by index. */
export const STATES = ["user", "queued", "in-flight", "done", "quarantined"] as const;

/** Who owns a block, as reported by the driver. */
export type DriverState = (typeof STATES)[number];

/** `enum pldma_status` by index. */
export const STATUSES = ["ok", "read-failed", "write-failed", "aborted", "not-submitted"] as const;

/** How a transfer ended. A short receive frame is `"ok"` with a smaller length. */
export type TransferStatus = (typeof STATUSES)[number];

/** `enum pldma_check_kind` by index. */
export const CHECK_KINDS = ["none", "crc32"] as const;

/** Kind of check value of a core. `"crc32"` is the CRC-32 of IEEE 802.3. */
export type CheckKind = (typeof CHECK_KINDS)[number];

/** `enum pldma_cost_kind` by index. */
export const COST_KINDS = [
  "forDevice",
  "forCpu",
  "map",
  "unmap",
  "pin",
  "unpin",
  "copy",
] as const;

/** A kind of call whose cost the driver measures. */
export type CostKind = (typeof COST_KINDS)[number];

/** `enum pldma_sync_op` by index. */
export const SYNC_OPS = ["for-device", "for-cpu"] as const;

/** Whom a range is handed to. */
export type SyncOp = "for-device" | "for-cpu";

/** `enum pldma_cache_op` by index. */
export const CACHE_OPS = ["clean", "invalidate", "clean-invalidate"] as const;

/** A raw operation on cache lines: `"invalidate"` drops what was stored and not cleaned. */
export type CacheOp = "clean" | "invalidate" | "clean-invalidate";

/** `PLDMA_POLICY_*`: flags of `struct pldma_policy_info`. */
export const POLICY_FLAGS = { tx: 1 << 0, rx: 1 << 1, alias: 1 << 2 } as const;

/** `PLDMA_CHAN_*`: flags of `struct pldma_chan_info`. */
export const CHAN_FLAGS = {
  present: 1 << 0,
  devCoherent: 1 << 1,
  needsSync: 1 << 2,
  provesIdle: 1 << 3,
  wedged: 1 << 4,
  trustsTerminate: 1 << 5,
  exactLengths: 1 << 6,
  memoryLoop: 1 << 7,
  unmapProves: 1 << 8,
  sideband: 1 << 9,
} as const;

/** `PLDMA_QUIRK_*`: quirks of the engine's driver in `struct pldma_chan_info`. */
export const QUIRK_FLAGS = {
  terminate: 1 << 0,
  oneSegment: 1 << 1,
  length: 1 << 2,
  oneTransfer: 1 << 3,
  alignBytes: 1 << 4,
  resetsBoth: 1 << 5,
} as const satisfies Record<Quirk, number>;

/** What is known about the driver of a DMA controller, and dmaengine cannot tell. */
export type Quirk =
  | "terminate"
  | "oneSegment"
  | "length"
  | "oneTransfer"
  | "alignBytes"
  | "resetsBoth";

/** `PLDMA_BLOCK_*`: flags of `struct pldma_query`. */
export const BLOCK_FLAGS = {
  mapped: 1 << 0,
  needsSync: 1 << 1,
  pinned: 1 << 2,
  exported: 1 << 3,
} as const;

/** `PLDMA_ENQUEUE_*`: flags of `struct pldma_enqueue`. */
export const ENQUEUE_FLAGS = { verify: 1 << 0, unaligned: 1 << 1 } as const;

/** `PLDMA_RESET_*`: flags of `struct pldma_reset`. */
export const RESET_FLAGS = { force: 1 << 0, tx: 1 << 1, rx: 1 << 2 } as const;

/** `PLDMA_STATS_*`: flags of `struct pldma_stats`. */
export const STATS_FLAGS = { clear: 1 << 0 } as const;

/** `PLDMA_MAX_POLICIES`: length of the array of policies in `struct pldma_info`. */
export const MAX_POLICIES = 16;

/** `struct pldma_policy_info`. */
export const POLICY_INFO = struct("pldma_policy_info", {
  flags: "u32",
  attr: "u32",
  max_block: "u64",
});

/** `struct pldma_chan_info`. */
export const CHAN_INFO = struct("pldma_chan_info", {
  flags: "u32",
  queue_depth: "u32",
  engine_depth: "u32",
  max_segment: "u32",
  address_align: "u32",
  length_align: "u32",
  check_kind: "u32",
  quirks: "u32",
  max_segments: "u32",
  reserved: "u32",
  max_transfer: "u64",
  dma_mask: "u64",
  engine: ["u8", 32],
  channel: ["u8", 32],
});

/** `struct pldma_info`. */
export const INFO = struct("pldma_info", {
  abi_version: "u32",
  cache_align: "u32",
  page_size: "u32",
  max_blocks: "u32",
  max_bytes: "u64",
  core_id: "u32",
  core_version: "u32",
  core_build: ["u8", 32],
  chan: [CHAN_INFO, DIRECTIONS.length],
  policy: [POLICY_INFO, MAX_POLICIES],
  reserved: ["u64", 8],
});

/** `struct pldma_alloc`. */
export const ALLOC = struct("pldma_alloc", {
  size: "u64",
  count: "u32",
  direction: "u32",
  policy: "u32",
  flags: "u32",
  first_id: "u32",
  reserved: "u32",
  mmap_offset: "u64",
  mmap_stride: "u64",
});

/** `struct pldma_free`. */
export const FREE = struct("pldma_free", { id: "u32", reserved: "u32" });

/** `struct pldma_query`. */
export const QUERY = struct("pldma_query", {
  id: "u32",
  state: "u32",
  direction: "u32",
  policy: "u32",
  flags: "u32",
  segments: "u32",
  size: "u64",
  mmap_offset: "u64",
  reserved: ["u64", 2],
});

/** `struct pldma_enqueue`. */
export const ENQUEUE = struct("pldma_enqueue", {
  id: "u32",
  flags: "u32",
  offset: "u64",
  length: "u64",
  cookie: "u64",
  sideband: ["u32", 4],
  error: "s32",
  reserved: "u32",
});

/** `struct pldma_dequeue`. */
export const DEQUEUE = struct("pldma_dequeue", {
  direction: "u32",
  flags: "u32",
  deadline_ns: "u64",
  id: "u32",
  status: "u32",
  offset: "u64",
  length: "u64",
  cookie: "u64",
  queued_ns: "u64",
  submitted_ns: "u64",
  done_ns: "u64",
  sync_device_ns: "u64",
  sync_cpu_ns: "u64",
  check_kind: "u32",
  check: "u32",
  sideband: ["u32", 4],
  error: "s32",
  reserved: "u32",
});

/** `struct pldma_enqueue_batch`. */
export const ENQUEUE_BATCH = struct("pldma_enqueue_batch", {
  items: "u64",
  item_size: "u32",
  count: "u32",
  done: "u32",
  flags: "u32",
});

/** `struct pldma_dequeue_batch`. */
export const DEQUEUE_BATCH = struct("pldma_dequeue_batch", {
  items: "u64",
  item_size: "u32",
  count: "u32",
  min: "u32",
  done: "u32",
  direction: "u32",
  flags: "u32",
  deadline_ns: "u64",
});

/** `PLDMA_MAX_BATCH`: the largest number of items in a batch. */
export const MAX_BATCH = 4096;

/** `struct pldma_sync`. */
export const SYNC = struct("pldma_sync", {
  id: "u32",
  op: "u32",
  offset: "u64",
  length: "u64",
  ns: "u64",
});

/** `struct pldma_register`. */
export const REGISTER = struct("pldma_register", {
  address: "u64",
  size: "u64",
  direction: "u32",
  policy: "u32",
  flags: "u32",
  id: "u32",
});

/** `struct pldma_export`. */
export const EXPORT = struct("pldma_export", {
  id: "u32",
  flags: "u32",
  fd: "s32",
  reserved: "u32",
});

/** `struct pldma_import`. */
export const IMPORT = struct("pldma_import", {
  size: "u64",
  fd: "s32",
  direction: "u32",
  flags: "u32",
  id: "u32",
});

/** `struct pldma_cache`. */
export const CACHE = struct("pldma_cache", {
  id: "u32",
  op: "u32",
  offset: "u64",
  length: "u64",
});

/** `struct pldma_cost`. */
export const COST = struct("pldma_cost", {
  calls: "u64",
  bytes: "u64",
  total_ns: "u64",
  max_ns: "u64",
});

/** `struct pldma_chan_stats`. */
export const CHAN_STATS = struct("pldma_chan_stats", {
  cost: [COST, 8],
  verify: [COST, 8],
  transfers: "u64",
  bytes: "u64",
  errors: "u64",
  timeouts: "u64",
  resets: "u64",
  quarantined_blocks: "u64",
  quarantined_bytes: "u64",
  reserved: "u64",
});

/** `struct pldma_stats`. */
export const STATS = struct("pldma_stats", {
  flags: "u32",
  blocks: "u32",
  bytes: "u64",
  chan: [CHAN_STATS, DIRECTIONS.length],
});

/** `struct pldma_reset`. */
export const RESET = struct("pldma_reset", {
  flags: "u32",
  returned: "u32",
  quarantined: "u32",
  reserved: "u32",
});

/** `_IOC()` of asm-generic/ioctl.h, which x86-64 and arm64 use. `>>> 0` makes the number unsigned. */
function ioc(
  direction: "read" | "write" | "both",
  number: number,
  { size }: Layout<string>,
): number {
  const bits = { write: 1, read: 2, both: 3 }[direction];
  return ((bits << 30) | (size << 16) | (IOC_MAGIC << 8) | number) >>> 0;
}

/** `PLDMA_IOC_*`: the request numbers. */
export const IOC = {
  INFO: ioc("read", 0, INFO),
  ALLOC: ioc("both", 1, ALLOC),
  FREE: ioc("write", 2, FREE),
  QUERY: ioc("both", 3, QUERY),
  ENQUEUE: ioc("both", 4, ENQUEUE),
  DEQUEUE: ioc("both", 5, DEQUEUE),
  SYNC: ioc("both", 6, SYNC),
  REGISTER: ioc("both", 7, REGISTER),
  UNREGISTER: ioc("write", 8, FREE),
  STATS: ioc("both", 9, STATS),
  RESET: ioc("both", 10, RESET),
  ENQUEUE_BATCH: ioc("both", 11, ENQUEUE_BATCH),
  DEQUEUE_BATCH: ioc("both", 12, DEQUEUE_BATCH),
  EXPORT: ioc("both", 13, EXPORT),
  IMPORT: ioc("both", 14, IMPORT),
  CACHE: ioc("write", 15, CACHE),
} as const;

/** Name of a request without its prefix, such as `"ENQUEUE"`. */
export type RequestName = keyof typeof IOC;
