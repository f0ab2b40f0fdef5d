// SPDX-License-Identifier: MIT
/**
 * One run with injected faults, observed without knowing which faults they are.
 *
 * @module
 */

import { AnswerError } from "../../driver/answer_error.ts";
import { Device } from "../../driver/device.ts";
import { ERRNO, ErrnoError } from "../../driver/errno.ts";
import { BlockStateError } from "../../driver/block_state.ts";
import { ResetError } from "../../driver/errors.ts";
import type { PolicyName } from "../../driver/uapi.ts";
import type { SimFault } from "../../fixtures/boards/sim/mod.ts";
import type { Board } from "../board/board.ts";
import { MixUpError } from "../frames/handover.ts";
import { isIntact } from "../frames/intact.ts";
import { runLoop } from "../frames/loop.ts";
import { patterns } from "../patterns/mod.ts";
import type { Fault } from "../verify/fault.ts";

/** Bytes of a frame: several pages, and an end within a cache line. */
const SIZE = 16384 + 40;
const DEPTH = 4;
const FRAMES = 24;
/** Faults after which a run ends: those of at least two frames of each block, which may prove each other. */
const MAX_FAULTS = 192;
/** Bytes of the blocks of a run before, which are shorter than those of the run itself. */
const SHORTER = 64;
/** Longest wait for a completion, milliseconds. A frame takes less than a hundredth of it. */
const TIMEOUT = 5000;

/** The errors of the driver if its state of a block differs from that of the caller. */
const STATE_ERRORS: readonly number[] = [ERRNO.EBUSY, ERRNO.ENODATA, ERRNO.ENOENT];

/** Options of a run. */
export interface TrialOptions {
  /** What to inject. */
  readonly spec: string;
  /** Seed of the frames. */
  readonly seed: number;
  /** What else a run needs, so that the fault shows. */
  readonly needs?: SimFault["needs"];
  /** Policy of the blocks. Defaults to `streaming`. */
  readonly policy?: PolicyName;
}

/** What was observed in a run. */
export interface Observation {
  /** Whether all frames passed. */
  readonly intact: boolean;
  /** The faults that were found in frames. */
  readonly faults: readonly Fault[];
  /**
   * Why the run ended early: a completion did not arrive, it was not the expected one, or a later one came in
   * its place, so it is missing.
   */
  readonly end: "timeout" | "mix-up" | "missing" | null;
  /** Number of frames that were received. */
  readonly taken: number;
  /** What the board reported as injected. */
  readonly injected: readonly string[];
}

/**
 * Sends frames through a loop on a board that injects faults.
 *
 * @param board The board
 * @param path The device
 * @param options The faults and the run
 * @returns What was observed
 */
export function runTrial(board: Board, path: string, options: TrialOptions): Observation {
  const device = Device.open({ path, syscalls: board.syscalls });
  let observed: Omit<Observation, "injected">;
  let injected: string[];
  try {
    observed = observe(board, device, options);
  } finally {
    injected = board.disarm();
    device[Symbol.dispose]();
  }
  return { ...observed, injected };
}

function observe(
  board: Board,
  device: Device,
  { spec, seed, needs, policy = "streaming" }: TrialOptions,
): Omit<Observation, "injected"> {
  const maxLength = SIZE + device.info.pageSize;
  const pattern = patterns.tagged().create({ seed, maxLength });
  const common = { policy, depth: DEPTH, timeoutMs: TIMEOUT } as const;
  const varied = needs === "varied-lengths";
  if (varied) runLoop(device, pattern, { ...common, size: SHORTER, frames: DEPTH });
  let sent = 0;
  const body = pattern.body.bind(pattern);
  pattern.body = (sequence, length) => {
    sent = Math.max(sent, sequence + 1);
    return body(sequence, length);
  };
  try {
    const report = runLoop(device, pattern, {
      ...common,
      size: SIZE,
      frames: FRAMES,
      maxFaults: MAX_FAULTS,
      // priming uses the length of the block, so the first frame would follow a longer transfer
      ...(varied ? { primed: false, guarded: false } : {}),
      stores: needs === "stores-to-receive-blocks",
      reuse: needs === "tx-reuse",
      onPrimed: () => board.arm(spec),
    });
    const { faults, timeout, frames } = report;
    return {
      intact: isIntact(report),
      faults,
      end: timeout === null ? null : "timeout",
      taken: frames,
    };
  } catch (error) {
    const end = endOf(error);
    if (end === null) throw error;
    return { intact: false, faults: [], end, taken: Math.max(0, sent - DEPTH) };
  }
}

/** How a run ended, by the error; `null` if the error has other reasons. */
function endOf(error: unknown): Observation["end"] {
  if (error instanceof ResetError) return "timeout"; // the engine hangs, and RESET cannot stop it
  if (error instanceof ErrnoError) {
    if (error.errno === ERRNO.ETIMEDOUT) return "timeout";
    // a completed block is still owned by the driver, or nothing is in flight although something must be
    return STATE_ERRORS.includes(error.errno) ? "mix-up" : null;
  }
  // a block or a cookie that was not expected, by the state of the loop or of the binding
  if (error instanceof MixUpError) return error.missing ? "missing" : "mix-up";
  return error instanceof BlockStateError || error instanceof AnswerError ? "mix-up" : null;
}
