// SPDX-License-Identifier: MIT
/**
 * A received frame, and what else the caller knows about its run.
 *
 * @module
 */

import type { Pattern } from "../patterns/pattern.ts";
import type { Fault } from "./fault.ts";
import type { Alignment, Units } from "./alignment.ts";
import type { FaultHistory } from "./history.ts";
import type { PreviousContent } from "./source.ts";

/** A frame as it was received. */
export interface ReceivedFrame {
  /** Number of the expected frame, from 0. */
  readonly sequence: number;
  /** The expected bytes. */
  readonly expected: Uint8Array;
  /** The received bytes, as many as were expected. */
  readonly received: Uint8Array;
  /** Bytes that the engine reported as moved. */
  readonly moved: number;
  /** Check value of the data that the core read, or `null` if it computes none. */
  readonly txCheck: number | null;
  /** Check value of the data that the core wrote, or `null` if it computes none. */
  readonly rxCheck: number | null;
  /** The bytes that were sent, if the design transforms them. Defaults to the expected bytes. */
  readonly sent?: Uint8Array;
}

/** What is known about a run besides the frame. */
export interface Context {
  /** The pattern that generated the frame. */
  readonly pattern: Pattern;
  /** Where the frame begins in its receive block, bytes. Defaults to the size of a cache line. */
  readonly base?: number;
  /** The units of the board. */
  readonly units?: Units;
  /** What the receive block held there before: the last frame that used it, or its initial content. */
  readonly rxHeld?: PreviousContent;
  /** What the transmit block held there before. */
  readonly txHeld?: PreviousContent;
  /** Gets another expected frame, if the design transforms. Defaults to the frames of the pattern. */
  readonly frameOf?: (sequence: number) => Uint8Array;
  /** Faults of earlier frames. Some kinds of faults show only in several frames. */
  readonly history?: FaultHistory;
}

/** A fault and the unit that its extent consists of. */
export interface NamedFault extends Fault {
  /** The largest unit of memory or of the bus that the extent consists of. */
  readonly alignment: Alignment;
}
