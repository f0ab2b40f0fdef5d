// SPDX-License-Identifier: MIT
/**
 * Verifies one frame for a test that moves frames by hand, with the same report as the runs of the framework.
 *
 * @module
 */

import { crc32 } from "node:zlib";
import type { Block, CompletedTransfer } from "../../driver/block.ts";
import type { Device } from "../../driver/device.ts";
import { equalBytes } from "../../driver/memory.ts";
import { expectedPattern } from "../patterns/computed.ts";
import { classify, compareCheckValues, type Context } from "../verify/classify.ts";
import type { Fault } from "../verify/fault.ts";
import { type Comparison, nameDeviation } from "../verify/tolerance.ts";
import { canBeStale, unitsOf } from "./block_set.ts";
import { failureOf } from "./failed.ts";
import type { FrameReport } from "./report.ts";

/** What is known about a frame besides its bytes. All of it is optional, and makes the names more exact. */
export interface VerifyOptions {
  /** Where the frame begins in its block, bytes. Defaults to 0. */
  readonly at?: number;
  /**
   * The receive transfer, for its length and its check value. One that failed is a fault. Defaults to a frame as
   * long as expected.
   */
  readonly received?: CompletedTransfer;
  /**
   * The transmit transfer, for its check value, without which a fault before the core and one in it look the same.
   * One that failed is a fault. Defaults to none.
   */
  readonly transmitted?: CompletedTransfer;
  /** The bytes that were sent, if the design transforms them. Defaults to the expected ones. */
  readonly sent?: Uint8Array;
  /** What the block held before. It distinguishes stale data from others. Defaults to nothing known. */
  readonly before?: Uint8Array;
  /** Number of the frame, for the report. Defaults to 0. */
  readonly sequence?: number;
  /** Judges the frame in place of a comparison of every byte: see `tolerance`. */
  readonly compare?: Comparison;
}

/**
 * Verifies a frame in a block.
 *
 * @param device The device of the block
 * @param block The receive block, owned by the caller. Under policy `manual` it is synced already
 * @param expected The expected bytes, at least one
 * @param options What else is known
 * @returns The report of one frame
 * @throws {RangeError} If the frame does not fit into the block
 */
export function verifyBlock(
  device: Device,
  block: Block,
  expected: Uint8Array,
  options: VerifyOptions = {},
): FrameReport {
  const { at = 0, received: done, transmitted, sequence = 0, before, compare } = options;
  if (!Number.isSafeInteger(at) || at < 0 || at + expected.length > block.size) {
    throw new RangeError(
      `Expected a frame of ${expected.length} bytes at offset ${at} within block ${block.id} of ` +
        `${block.size} bytes`,
    );
  }
  if (expected.length === 0) throw new RangeError("Expected at least one byte, found none");
  const failures = failuresOf(options, expected.length);
  const failed = done !== undefined && done.status !== "ok";
  // of a transfer that failed, only what arrived is compared, and a judge cannot see a part of a frame
  const length = !failed
    ? expected.length
    : compare === undefined
    ? Math.min(done.bytes, expected.length)
    : 0;
  const due = expected.subarray(0, length);
  const found = new Uint8Array(length);
  if (length > 0) block.copyTo(found, at);
  const moved = failed ? length : done?.bytes ?? length;
  const transforms = options.sent !== undefined || compare !== undefined;
  const frame = {
    ...{ sequence, expected: due, received: found, moved },
    // the end of the block is the end of the room
    room: block.size - at,
    txCheck: failed ? null : transmitted?.check ?? null,
    rxCheck: failed ? null : done?.check ?? null,
    ...(transforms ? { sent: options.sent ?? expected } : {}),
  };
  const deviation = failed ? null : compare?.(expected, found, sequence) ?? null;
  const exact = compare !== undefined || equalBytes(found, due);
  const right = moved === length && exact && deviation === null;
  const seen: { tx: boolean | null; rx: boolean | null; core?: true } = { tx: null, rx: null };
  const report = {
    ...{ asked: 1, frames: 1, bytes: expected.length, timeout: null, seen, seconds: 0 },
  };
  if (right) {
    // stale data may equal the expected ones only if they are the same data
    if (frame.rxCheck !== null) seen.rx = frame.rxCheck !== crc32(found);
    return { ...report, faults: failures };
  }
  const checks = compareCheckValues(deviation === null ? frame : { ...frame, inexact: true });
  [seen.tx, seen.rx] = [checks.tx, checks.rx];
  if (checks.core === true) seen.core = true;
  const { policy, direction } = block;
  const context: Context = {
    // frame 0 is the content before; this one is frame 1
    pattern: expectedPattern(0, block.size, () => new Uint8Array(block.size)),
    base: at,
    units: unitsOf(device),
    stale: { tx: canBeStale(device, policy, "tx"), rx: canBeStale(device, policy, "rx") },
    ...(before === undefined ? {} : { rxHeld: 0 }),
    generated: device.info.tx === null,
    frameOf: (other) => other === 0 ? before?.subarray(0, expected.length) ?? NOTHING : NOTHING,
  };
  const numbered = { ...frame, sequence: 1 };
  const faults = deviation !== null && moved === length
    ? nameDeviation(numbered, context, deviation)
    : classify(
      compare === undefined ? numbered : { ...numbered, expected: deviation?.accepted ?? found },
      context,
    );
  return {
    ...report,
    faults: [
      ...failures,
      ...faults.map(({ found: _, ...fault }) => ({
        ...fault,
        frame: sequence,
        ...(direction === "rx" ? { block: block.id } : {}),
      })),
    ],
  };
}

/** The faults of the transfers that failed. */
function failuresOf(
  { received, transmitted, sent, sequence = 0 }: VerifyOptions,
  size: number,
): Fault[] {
  const sentFailed = transmitted !== undefined && transmitted.status !== "ok";
  const faults: Fault[] = [];
  if (sentFailed) faults.push({ ...failureOf(transmitted, sent?.length ?? size), frame: sequence });
  // the engine aborts one direction because of the other
  const isCause = received?.status !== "aborted" || !sentFailed;
  if (received !== undefined && received.status !== "ok" && isCause) {
    // its range may be longer than the frame, and is at least as long as what arrived
    const fault = failureOf(received, Math.max(size, received.bytes));
    faults.push({ ...fault, frame: sequence });
  }
  return faults;
}

const NOTHING = new Uint8Array();
