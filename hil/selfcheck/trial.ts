// SPDX-License-Identifier: MIT
/**
 * One run with something injected, and what it looks like to who does not know what.
 *
 * @module
 */

import { Device } from "../../driver/device.ts";
import { ERRNO, ErrnoError } from "../../driver/errno.ts";
import { BlockStateError } from "../../driver/block_state.ts";
import { ResetError } from "../../driver/errors.ts";
import type { PolicyName } from "../../driver/uapi.ts";
import type { Board } from "../board/board.ts";
import { MixUpError } from "../frames/handover.ts";
import { isIntact } from "../frames/intact.ts";
import { runLoop } from "../frames/loop.ts";
import { patterns } from "../patterns/mod.ts";
import type { Fault } from "../verify/fault.ts";

/** Bytes of a frame: several pages, and an end that is no end of a cache line. */
const SIZE = 16384 + 40;
const DEPTH = 4;
const FRAMES = 24;
/** Blocks of a run before, shorter than those of the run itself. */
const SHORTER = 64;
/** Longest wait for a completion, milliseconds; no frame takes a hundredth of it. */
const TIMEOUT = 5000;

/** What the driver refuses with when its books of blocks are not the caller's. */
const MIXED_UP: readonly number[] = [ERRNO.EBUSY, ERRNO.ENODATA, ERRNO.ENOENT];

/** What to run with. */
export interface TrialOptions {
  /** What to inject. */
  readonly spec: string;
  /** Seed of the frames. */
  readonly seed: number;
  /** What else a run needs for a fault to show. */
  readonly needs?: "varied-lengths" | "stores-to-receive-blocks";
  /** Policy of the blocks; `streaming` when left out. */
  readonly policy?: PolicyName;
}

/** What a run looked like. */
export interface Sight {
  /** Whether all frames came back whole. */
  readonly intact: boolean;
  /** What was wrong with frames. */
  readonly faults: readonly Fault[];
  /** Why the run ended early: a completion never came, or was another than the one that was due. */
  readonly end: "timeout" | "mix-up" | null;
  /** Frames that were taken. */
  readonly taken: number;
  /** What the board says that it did. */
  readonly injected: readonly string[];
}

/**
 * Push frames through a loop on a board that does something wrong.
 *
 * @param board The board
 * @param path The device
 * @param options What it does wrong
 * @returns What it looked like
 */
export function runTrial(board: Board, path: string, options: TrialOptions): Sight {
  const device = Device.open({ path, syscalls: board.syscalls });
  let seen: Omit<Sight, "injected">;
  let injected: string[];
  try {
    seen = look(board, device, options);
  } finally {
    injected = board.disarm();
    device[Symbol.dispose]();
  }
  return { ...seen, injected };
}

function look(
  board: Board,
  device: Device,
  { spec, seed, needs, policy = "streaming" }: TrialOptions,
): Omit<Sight, "injected"> {
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
      // a primer has the length of the block: the frame after it would have a longer one before it
      ...(varied ? { primed: false, guarded: false } : {}),
      stores: needs === "stores-to-receive-blocks",
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

/** What an error says of the board; null when it says nothing of it. */
function endOf(error: unknown): Sight["end"] {
  if (error instanceof ResetError) return "timeout"; // the engine hangs, and does not let go
  if (error instanceof ErrnoError) {
    if (error.errno === ERRNO.ETIMEDOUT) return "timeout";
    // a block that is not the caller's although it came back, or nothing under way where there must be
    return MIXED_UP.includes(error.errno) ? "mix-up" : null;
  }
  // a block or a cookie that was not due: the loop's own books, or those of the binding
  return error instanceof BlockStateError || error instanceof MixUpError ? "mix-up" : null;
}
