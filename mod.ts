// SPDX-License-Identifier: MIT

/**
 * Plumbline, a hardware-in-the-loop test framework for FPGA DMA: does data survive the trip from the
 * CPU through memory and programmable logic and back, under every cache-sync policy that the driver
 * offers, and what does each policy cost?
 *
 * {@linkcode Device} opens `/dev/pldmaN` and hands out {@linkcode Block}s. Sizes and offsets are bytes,
 * times nanoseconds of CLOCK_MONOTONIC. Needs Linux on x86-64 or arm64, the kernel module `pldma`, and
 * `--allow-ffi`.
 *
 * @example Ask the board what it offers
 * ```ts ignore
 * import { Device } from "@plumbline/hil";
 *
 * using device = Device.open({ path: "/dev/pldma0" });
 * console.log(device.info.tx?.engine, device.info.policies.streaming.maxBlock);
 * ```
 *
 * @module
 */

export { Block, type BlockState, type Completion, type EnqueueOptions } from "./driver/block.ts";
export {
  type AllocOptions,
  type BlockQuery,
  Device,
  type OpenOptions,
  type Readiness,
  type RegisterOptions,
  type ResetResult,
  type WaitOptions,
} from "./driver/device.ts";
export { ERRNO, ErrnoError, type ErrnoName, errnoName } from "./driver/errno.ts";
export { AbiMismatchError, BlockStateError, ResetError, TransferError } from "./driver/errors.ts";
export type { ChannelInfo, CoreInfo, DeviceInfo, PolicyInfo } from "./driver/info.ts";
export { libc } from "./driver/libc.ts";
export { Mapping } from "./driver/mapping.ts";
export { UserMemory } from "./driver/memory.ts";
export type { ChannelStats, Cost, DeviceStats } from "./driver/stats.ts";
export type { Syscalls } from "./driver/syscalls.ts";
export {
  ABI_VERSION,
  ATTRIBUTES,
  CHECK_KINDS,
  type CheckKind,
  COST_KINDS,
  type CostKind,
  type Direction,
  type DriverState,
  type MemoryAttribute,
  POLICIES,
  type PolicyName,
  STATES,
  STATUSES,
  type TransferStatus,
} from "./driver/uapi.ts";
