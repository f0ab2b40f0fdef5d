// SPDX-License-Identifier: MIT

/**
 * Plumbline, a hardware-in-the-loop test framework for FPGA DMA: does data survive the trip from the
 * CPU through memory and programmable logic and back, under every cache-sync policy that the driver
 * offers, and what does each policy cost?
 *
 * {@linkcode hil} finds the board and registers tests for `deno test`; {@linkcode assertIntact} demands
 * that every frame came back whole, and names what is wrong with those that did not. Below that,
 * {@linkcode Device} opens `/dev/pldmaN` and hands out {@linkcode Block}s. Sizes and offsets are bytes,
 * times nanoseconds of CLOCK_MONOTONIC. Needs Linux on x86-64 or arm64, the kernel module `pldma`, and
 * `--allow-ffi`.
 *
 * @example A loop under every policy
 * ```ts ignore
 * import { assertIntact, hil } from "@plumbline/hil";
 *
 * const top = await hil();
 * top.matrix("loop", { policy: "all", size: [64, 4096, "largest"], depth: [1, "max"] },
 *   async ({ loop }) => assertIntact(await loop.run()));
 * ```
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

export type { CaseContext, LoopRunner, Receiver, Sender } from "./hil/case/context.ts";
export type {
  Expectation,
  FrameMaker,
  LoopOptions,
  ReceiveOptions,
  RunOptions,
  SendOptions,
} from "./hil/frames/options.ts";
export type { FrameReport } from "./hil/frames/report.ts";
export {
  type Hil,
  hil,
  type HilOptions,
  type MatrixOptions,
  type TestFunction,
  type TestOptions,
} from "./hil/case/hil.ts";
export { assertIntact, IntactError } from "./hil/frames/intact.ts";
export { type Pattern, patternNamed, patterns, type PatternSpec } from "./hil/patterns/mod.ts";
export { type Measurement, type Spread } from "./hil/results/schema.ts";
export { type Blame, type Fault, FAULT_KINDS, type FaultKind } from "./hil/verify/fault.ts";
export type { FrameSize } from "./hil/settings/values.ts";
export { Block, type CompletedTransfer } from "./driver/block.ts";
export type { BlockQuery } from "./driver/block_query.ts";
export { type BlockState, BlockStateError } from "./driver/block_state.ts";
export { Device } from "./driver/device.ts";
export type {
  AllocOptions,
  OpenOptions,
  Readiness,
  RegisterOptions,
  ResetResult,
  WaitOptions,
} from "./driver/device_options.ts";
export type { EnqueueOptions } from "./driver/enqueue.ts";
export { ERRNO, ErrnoError, type ErrnoName, errnoName } from "./driver/errno.ts";
export { AbiMismatchError, ResetError, TransferError } from "./driver/errors.ts";
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
