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
  /** Bytes that there was room for. Defaults to as many as were expected. */
  readonly room?: number;
  /** Check value of the data that the core read, or `null` if it computes none. */
  readonly txCheck: number | null;
  /** Check value of the data that the core wrote, or `null` if it computes none. */
  readonly rxCheck: number | null;
  /** The bytes that were sent, if the design transforms them. Defaults to the expected bytes. */
  readonly sent?: Uint8Array;
  /** Whether the core may have written other bytes than the expected ones, within a tolerance. */
  readonly inexact?: true;
}

/** What a block held in the course of a run. */
export interface EarlierContent {
  /** After how many frames a block is used again. */
  readonly every: number;
  /** What it held before its first frame, in any order. */
  readonly initial: readonly Exclude<PreviousContent, number>[];
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
  /** What the receive block held there earlier. Defaults to nothing more than {@linkcode rxHeld}. */
  readonly rxEarlier?: EarlierContent;
  /** What the transmit block held there earlier. Defaults to nothing more than {@linkcode txHeld}. */
  readonly txEarlier?: EarlierContent;
  /** What the CPU stored into the transmit block as soon as its completion was taken. */
  readonly spoil?: Uint8Array;
  /** What the CPU stored there after the completion of the frame before. */
  readonly oldSpoil?: Uint8Array;
  /**
   * Whether a cache, or a bounce buffer, can hold an old copy of the block in each direction. Defaults to
   * true: nothing is known about the memory.
   */
  readonly stale?: { readonly tx: boolean; readonly rx: boolean };
  /**
   * What a second look at the receive block showed, after a wait and another sync: all expected bytes, some more
   * of them, or no change. Absent if there was no second look, or if it says nothing.
   */
  readonly later?: "arrived" | "arriving" | "same";
  /** Whether an earlier frame was wrong. A block in which a frame was right holds nothing older. */
  readonly wasWrong?: (sequence: number) => boolean;
  /** Gets another expected frame, if the design transforms. Defaults to the frames of the pattern. */
  readonly frameOf?: (sequence: number) => Uint8Array;
  /**
   * Gets the length of another expected frame, bytes, where frames differ in length; 0 if it is unknown. Defaults
   * to the length of this frame.
   */
  readonly lengthOf?: (sequence: number) => number;
  /** Whether the design generates the frames, so that none was read from a transmit block. Defaults to false. */
  readonly generated?: boolean;
  /** Faults of earlier frames. Some kinds of faults show only in several frames. */
  readonly history?: FaultHistory;
}

/** A fault and the unit that its extent consists of. */
export interface NamedFault extends Fault {
  /** The largest unit of memory or of the bus that the extent consists of. */
  readonly alignment: Alignment;
}
