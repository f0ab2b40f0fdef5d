// SPDX-License-Identifier: MIT
/**
 * The options of frames: what a test may choose, and what a case adds.
 *
 * @module
 */

import type { CompletedTransfer } from "../../driver/block.ts";
import type { PolicyName } from "../../driver/uapi.ts";
import type { PatternSpec } from "../patterns/pattern.ts";

/** Options of every run of frames. Each one defaults to the value of the test case. */
export interface RunOptions {
  /** Number of frames. */
  readonly frames?: number;
  /** Bytes of a frame. */
  readonly size?: number;
  /** Sync policy of the blocks. */
  readonly policy?: PolicyName;
  /** Blocks in flight at the same time, in each direction. */
  readonly depth?: number;
  /** Number of faults after which the run stops. Defaults to 16. */
  readonly maxFaults?: number;
  /** Longest wait for one completion, milliseconds. Defaults to 20 000. */
  readonly timeoutMs?: number;
}

/** Options of frames through a loop. */
export interface LoopOptions extends RunOptions {
  /** Pattern of the frames. */
  readonly pattern?: PatternSpec;
  /**
   * Computes the frame that comes back, for a design that transforms. Each frame that is sent must bring
   * one back, and all frames that come back must have the same length. Defaults to the frame that was
   * sent.
   *
   * @param tx The frame that was sent; the array is used again
   * @returns The frame that must come back
   */
  readonly expect?: (tx: Uint8Array<ArrayBuffer>) => Uint8Array<ArrayBuffer>;
  /**
   * Whether guard zones surround each frame. Defaults to true, unless a frame is as large as the largest
   * block.
   */
  readonly guarded?: boolean;
}

/** Options of frames that are sent. */
export interface SendOptions extends RunOptions {
  /** Pattern of the frames, or a function that makes them. */
  readonly pattern?: PatternSpec | FrameMaker;
  /**
   * Asks the design about a frame that it took, for example through its registers. Without it, a frame
   * counts as verified only if the core computes a check value over what it read.
   *
   * @param done The transfer
   * @param sequence Number of the frame, from 0
   * @returns Null if the frame is right, else what is wrong with it
   */
  readonly accept?: (done: CompletedTransfer, sequence: number) => string | null;
}

/** Options of frames that are received. */
export interface ReceiveOptions extends RunOptions {
  /** What the frames must contain: a pattern, or a function that makes each frame. */
  readonly expect: Expectation;
}

/**
 * What a design generates. A pattern that a generator may begin anywhere, such as a PRBS or a counter,
 * is located in the first frame and must continue from there without a gap. The frames of other patterns
 * must arrive in order, from frame 0.
 */
export type Expectation = PatternSpec | FrameMaker;

/**
 * Makes the bytes of a frame. It must return the same bytes for the same number, because it may be
 * called again, out of order, to name a fault.
 *
 * @param sequence Number of the frame, from 0
 * @param length Bytes
 * @returns As many bytes; the array may be used again
 */
export type FrameMaker = (sequence: number, length: number) => Uint8Array<ArrayBuffer>;

/** Options of a run with what the test case decides. */
export type FlowOptions = RunOptions & Required<Pick<RunOptions, "policy" | "size" | "depth">> & {
  /** Number of frames; Infinity with {@linkcode FlowOptions.seconds}. */
  readonly frames: number;
  /** Seconds after which no more frames are sent. Defaults to no limit. */
  readonly seconds?: number;
  /** Deadline, as `performance.now()` counts; later frames time out. Defaults to none. */
  readonly deadline?: number;
  /**
   * Whether only the first 64 KiB from the first wrong byte of a frame are named. Defaults to false. A
   * control is wrong everywhere, so this saves its time.
   */
  readonly brief?: boolean;
  /** Called after priming, before the first frame. */
  readonly onPrimed?: () => void;
};

/** Options of a loop with what the test case decides. */
export type LoopFlowOptions = FlowOptions & Omit<LoopOptions, "pattern"> & {
  /** Whether whole blocks are synced, so that guards can be read. Defaults to `guarded`. */
  readonly verify?: boolean;
  /**
   * Whether receive blocks are primed with poison. Defaults to true, but to false for a design that
   * transforms, because it would transform the poison too.
   */
  readonly primed?: boolean;
  /**
   * Whether poison is stored into each receive block before it is handed over. No such store may appear
   * after the frame. Defaults to true only where a block would otherwise hold the expected frame from
   * before; not under policy `none`, nor for blocks mapped read-only. The sync of a streaming block may
   * drop the store (arm64 before Linux 5.19). Then old frames stay unseen.
   */
  readonly stores?: boolean;
};

/** Options of sending with what the test case decides. */
export type SendFlowOptions = FlowOptions & Omit<SendOptions, "pattern">;

/** Options of receiving with what the test case decides. */
export type ReceiveFlowOptions = FlowOptions & ReceiveOptions;
