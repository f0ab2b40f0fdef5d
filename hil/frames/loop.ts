// SPDX-License-Identifier: MIT
/**
 * Pushes frames through a loopback design and verifies every byte that comes back.
 *
 * @module
 */

import type { Device } from "../../driver/device.ts";
import type { Pattern } from "../patterns/pattern.ts";
import { BlockLoop } from "./block_loop.ts";
import { withLengths } from "./lengths.ts";
import { runFlows } from "./run_flows.ts";
import type { LoopFlowOptions } from "./options.ts";
import type { FrameReport } from "./report.ts";
import { RingLoop } from "./ring_loop.ts";
import { sharePauses, shareTransform } from "./shared.ts";

/**
 * Pushes frames through the loop and verifies them.
 *
 * The device must have no transfer in flight. All blocks are freed again in any case, after a RESET if a
 * transfer did not end.
 *
 * @param device The device, with both channels
 * @param pattern Frames, made for at least `size` bytes and its guards
 * @param options The frames; `depth` is in blocks of each direction
 * @returns The report
 * @throws {ErrnoError} If the driver refuses a call for a reason that says nothing about the data
 */
export function runLoop(device: Device, pattern: Pattern, options: LoopFlowOptions): FrameReport {
  const [report] = runLoops([device], pattern, options);
  if (report === undefined) throw new Error("Expected one report, found none");
  return report;
}

/**
 * Pushes frames through several devices at the same time. Each gets the same frames, so `expect` and
 * `pauseMs` are called once for all of them.
 *
 * @param devices The devices
 * @param pattern Frames
 * @param given The frames
 * @returns The report of each device
 */
export function runLoops(
  devices: readonly Device[],
  pattern: Pattern,
  given: LoopFlowOptions,
): FrameReport[] {
  // the primer sends from coherent memory, which the driver of another project may not have
  const primes = devices.every(({ info }) => info.policies.coherent.tx);
  const options = primes ? given : { primed: false, ...given };
  const Loop = options.policy === "bounce" ? RingLoop : BlockLoop;
  const sized = sharePauses(withLengths(options, pattern.seed), devices.length);
  const { expect, depth } = sized;
  const shared = expect === undefined
    ? sized
    : { ...sized, expect: shareTransform(expect, { devices: devices.length, depth }) };
  return runFlows(
    (own) => devices.map((device) => own(new Loop(device, pattern, shared))),
    options.onPrimed,
  );
}
