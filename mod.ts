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

export type {
  CaseContext,
  LoopRunner,
  MeasureOptions,
  Receiver,
  Sender,
} from "./hil/case/context.ts";
export type {
  Expectation,
  ExpectedFrame,
  FrameMaker,
  LoopOptions,
  ReceiveOptions,
  RunOptions,
  SendOptions,
  Transform,
} from "./hil/frames/options.ts";
export type { SidebandMaker } from "./hil/frames/sideband.ts";
export type { Lengths, RandomLengths } from "./hil/frames/lengths.ts";
export type { VerifyOptions } from "./hil/frames/verify_block.ts";
export type { FrameReport } from "./hil/frames/report.ts";
export type { TimeoutEvidence } from "./hil/results/schema.ts";
export {
  type Hil,
  hil,
  type HilOptions,
  type MatrixOptions,
  type TestFunction,
  type TestOptions,
} from "./hil/case/hil.ts";
export { assertIntact, IntactError } from "./hil/frames/intact.ts";
export type { PictureFormat, PixelFormat } from "./hil/patterns/mod.ts";
export { type Pattern, patternNamed, patterns, type PatternSpec } from "./hil/patterns/mod.ts";
export { type Measurement, type Spread } from "./hil/results/schema.ts";
export { type Blame, type Fault, FAULT_KINDS, type FaultKind } from "./hil/verify/fault.ts";
export {
  type Comparison,
  type Deviation,
  type SampleOptions,
  type SampleType,
  tolerance,
} from "./hil/verify/tolerance.ts";
export type { FrameSize } from "./hil/settings/values.ts";
export * from "./driver/mod.ts";
export {
  type Design,
  type DesignOptions,
  designs,
  type DesignState,
  type FrameFunction,
  RegisterModel,
  type SidebandFrame,
  sim,
  type SimulateOptions,
} from "./fixtures/boards/sim/mod.ts";
