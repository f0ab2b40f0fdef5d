// SPDX-License-Identifier: MIT
/**
 * What a case decides about its runs.
 *
 * @module
 */

import type { Device } from "../../driver/device.ts";
import type { PolicyName } from "../../driver/uapi.ts";
import type { PatternSpec } from "../patterns/pattern.ts";

/** The parameters of a case. */
export interface CaseParameters {
  /** Sync policy of the blocks. */
  readonly policy: PolicyName;
  /** Bytes of a frame. */
  readonly size: number;
  /** Blocks in flight, in each direction; `max` for full queues. */
  readonly depth: number | "max";
  /** Whether guards surround the frames. Without them, a frame is a whole block. */
  readonly guarded: boolean;
  /** Pattern of the frames. */
  readonly pattern: PatternSpec;
  /** Time for the case, seconds; null if the number of frames bounds it. */
  readonly seconds: number | null;
}

/** The parameters of a case on the devices that it has. */
export interface RunParameters {
  /** Every device. */
  readonly devices: readonly Device[];
  /** Sync policy of the case. */
  readonly policy: PolicyName;
  /** Bytes of a frame. */
  readonly size: number;
  /** Blocks in flight at the same time, in each direction. */
  readonly depth: number;
  /** Number of frames; Infinity if time bounds the case. */
  readonly frames: number;
}
