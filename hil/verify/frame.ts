// SPDX-License-Identifier: MIT
/**
 * A received frame, and what a caller knows besides.
 *
 * @module
 */

import type { Pattern } from "../patterns/pattern.ts";
import type { Fault } from "./fault.ts";
import type { Alignment, Units } from "./alignment.ts";
import type { FaultHistory } from "./history.ts";
import type { Held } from "./sources.ts";

/** A frame as it was received. */
export interface ReceivedFrame {
  /** Number of the frame that was due, from 0. */
  readonly sequence: number;
  /** What was due. */
  readonly expected: Uint8Array;
  /** What is in its place, as many bytes. */
  readonly received: Uint8Array;
  /** Bytes that the engine says it moved. */
  readonly moved: number;
  /** Check value over what the core read, or null when it computes none. */
  readonly txCheck: number | null;
  /** Check value over what the core wrote, or null when it computes none. */
  readonly rxCheck: number | null;
  /** What was sent, when the design transforms; what was due when left out. */
  readonly sent?: Uint8Array;
}

/** What is known of a run besides the frame. */
export interface Context {
  /** The pattern that made the frame. */
  readonly pattern: Pattern;
  /** Where the frame begins in its receive block, bytes; one cache line when left out. */
  readonly base?: number;
  /** The board's units. */
  readonly units?: Units;
  /** What the receive block held there before: the frame that used it last, or what primed it. */
  readonly rxHeld?: Held;
  /** What the transmit block held there before. */
  readonly txHeld?: Held;
  /** What is due for another frame, when the design transforms; the pattern's own when left out. */
  readonly frameOf?: (sequence: number) => Uint8Array;
  /** Faults of the frames before, for those that take several frames to be named. */
  readonly history?: FaultHistory;
}

/** A fault with the unit that it is made of. */
export interface NamedFault extends Fault {
  /** The largest unit of memory or bus of which its extent consists. */
  readonly alignment: Alignment;
}
