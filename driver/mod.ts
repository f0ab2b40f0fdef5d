// SPDX-License-Identifier: MIT
/**
 * The driver `pldma` without the test framework: devices, blocks, and registers of a design.
 *
 * @example Send a block of a program
 * ```ts ignore
 * import { Device } from "@plumbline/hil/driver";
 *
 * using device = Device.open({ path: "/dev/pldma0" });
 * const [block] = device.alloc({ direction: "tx", policy: "streaming", size: 4096, count: 1 });
 * block?.enqueue();
 * device.dequeue("tx");
 * ```
 *
 * @module
 */

export { Block, type CompletedTransfer } from "./block.ts";
export type { BlockQuery } from "./block_query.ts";
export { type BlockState, BlockStateError } from "./block_state.ts";
export { Device } from "./device.ts";
export type {
  AllocOptions,
  BatchItem,
  BatchWaitOptions,
  ImportOptions,
  OpenOptions,
  Readiness,
  RegisterOptions,
  ResetOptions,
  ResetResult,
  WaitOptions,
} from "./device_options.ts";
export type { EnqueueOptions } from "./enqueue.ts";
export { ERRNO, ErrnoError, type ErrnoName, errnoName } from "./errno.ts";
export { AnswerError } from "./answer_error.ts";
export { AbiMismatchError, ResetError, TransferError } from "./errors.ts";
export type { ChannelInfo, CoreInfo, DeviceInfo, PolicyInfo } from "./info.ts";
export { libc } from "./libc.ts";
export { Mapping } from "./mapping.ts";
export { DmaBuffer } from "./dma_buffer.ts";
export { UserMemory } from "./memory.ts";
export type { ChannelStats, Cost, DeviceStats } from "./stats.ts";
export {
  FpgaNotReadyError,
  type MapRegistersOptions,
  type PollOptions,
  PollTimeoutError,
  Registers,
} from "./registers.ts";
export { readRegisterFile, RegisterFileError, type RegisterFileOptions } from "./register_file.ts";
export type { RegisterPlaces } from "./register_memory.ts";
export type {
  FieldName,
  FieldSpec,
  FieldValues,
  RegisterAccess,
  RegisterMap,
  RegisterName,
  RegisterSpec,
} from "./register_map.ts";
export type { Attachment, RegisterPort, Syscalls } from "./syscalls.ts";
export {
  ABI_VERSION,
  ATTRIBUTES,
  type CacheOp,
  CHECK_KINDS,
  type CheckKind,
  COST_KINDS,
  type CostKind,
  type Direction,
  type DriverState,
  type MemoryAttribute,
  POLICIES,
  type PolicyName,
  type Quirk,
  STATES,
  STATUSES,
  type SyncOp,
  type TransferStatus,
  USER_POLICIES,
  type UserPolicyName,
} from "./uapi.ts";
