// SPDX-License-Identifier: MIT
/**
 * The options of frames: what a test may choose, and what a case adds.
 *
 * @module
 */

import type { CompletedTransfer } from "../../driver/block.ts";
import type { Device } from "../../driver/device.ts";
import type { Direction, PolicyName } from "../../driver/uapi.ts";
import type { PatternSpec } from "../patterns/pattern.ts";
import type { PictureFormat } from "../patterns/picture.ts";
import type { Fault } from "../verify/fault.ts";
import type { ReceivedFrame } from "../verify/frame.ts";
import type { Comparison } from "../verify/tolerance.ts";
import type { Lengths } from "./lengths.ts";
import type { SidebandFrame, SidebandMaker } from "./sideband.ts";

/** Options of every run of frames. Each one defaults to the value of the test case. */
export interface RunOptions {
  /** Number of frames. */
  readonly frames?: number;
  /** Bytes of a frame. */
  readonly size?: number;
  /**
   * Lengths of frames that are not all alike, bytes. A schedule or a range replaces `size`. A function returns
   * lengths up to `size`. In frames that are received, room for the longest one is offered for each of
   * them, and the design decides where the frame ends. Defaults to `size` for each frame.
   */
  readonly lengths?: Lengths;
  /** Sync policy of the blocks. */
  readonly policy?: PolicyName;
  /** Blocks in flight at the same time, in each direction. */
  readonly depth?: number;
  /** Number of faults after which the run stops. Defaults to 16. */
  readonly maxFaults?: number;
  /** Longest wait for one completion, milliseconds. Defaults to 20 000. */
  readonly timeoutMs?: number;
  /**
   * Waits before a frame is handed over, for gaps and bursts: returns the wait in milliseconds, and is called
   * once for each frame, in order, also with several devices. On the simulated board the wait takes no time.
   * Defaults to no waits.
   *
   * @param sequence Number of the frame, from 0
   * @returns Milliseconds; 0 for none
   */
  readonly pauseMs?: (sequence: number) => number;
  /**
   * The format of the frames that come back, if they are pictures. The first wrong one is then attached to the
   * results as a picture, with the expected one and their difference. Defaults to frames that are no
   * pictures.
   */
  readonly picture?: PictureFormat;
}

/** Options of frames through a loop. */
export interface LoopOptions extends RunOptions {
  /** Pattern of the frames. */
  readonly pattern?: PatternSpec;
  /** Computes what comes back, for a design that transforms. Defaults to the frame that was sent. */
  readonly expect?: Transform;
  /**
   * Judges each frame that comes back, in place of a comparison of every byte: see `tolerance`. Defaults to
   * null: every byte must be right.
   */
  readonly compare?: Comparison | null;
  /**
   * Bytes of the longest frame that comes back. Defaults to those of the first one. If `lengths` or `returns`
   * is given, defaults to those of the longest frame that is sent, if that is more.
   */
  readonly room?: number;
  /**
   * The largest number of frames that come back for one, for a design that splits frames. Room for each
   * of them must be in the receive queue. Give it if the number depends on the data: in a control, stale data
   * then explain missing frames. Defaults to how many come back for the first frame.
   */
  readonly returns?: number;
  /**
   * Whether guard zones surround each frame. Defaults to true, unless the largest block has no room for the
   * longest frame with its guards, or the engine moves only the beginning of a block.
   */
  readonly guarded?: boolean;
  /**
   * Whether each transmit block is taken back first, and overwritten at once, before the frame is taken
   * and compared. This shows a transmit completion that comes before the engine has read the block. Defaults
   * to false: the frame is taken first.
   */
  readonly reuse?: boolean;
  /**
   * Words that travel beside each frame, such as TUSER and TDEST. Needs an engine that passes them. Without
   * `expect` they must come back. Defaults to zeros, and words that come back are not compared.
   */
  readonly sideband?: SidebandMaker;
}

/**
 * Computes what comes back for a frame. It is called once for each frame, in order and when the frame is
 * sent, so it may keep state. Several devices get the same frames, and share what it returns.
 *
 * @param tx The frame that was sent; the array is used again
 * @param sequence Number of the frame, from 0
 * @param sideband The words that travel beside it, always four
 * @returns The frame that must come back, or all frames that must come back for this one, in order; an empty
 * array for none. The arrays may be used again. `{ data, sideband }` is a frame with the words that must come
 * beside it; the words beside a plain frame do not matter
 */
export type Transform = (
  tx: Uint8Array<ArrayBuffer>,
  sequence: number,
  sideband: readonly number[],
) =>
  | Uint8Array<ArrayBuffer>
  | SidebandFrame
  | readonly (Uint8Array<ArrayBuffer> | SidebandFrame)[];

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
  /** Words that travel beside each frame. Needs an engine that passes them. Defaults to zeros. */
  readonly sideband?: SidebandMaker;
}

/** Options of frames that are received. */
export interface ReceiveOptions extends RunOptions {
  /** What the frames must contain: a pattern, or a function that makes each frame. */
  readonly expect: Expectation;
  /**
   * Judges each frame, in place of a comparison of every byte: see `tolerance`. Needs a function in `expect`.
   * Defaults to null: every byte must be right.
   */
  readonly compare?: Comparison | null;
}

/**
 * What a design generates. A pattern that a generator may begin anywhere, such as a PRBS or a counter,
 * is located in the first frame and must continue from there without a gap. The frames of other patterns
 * must arrive in order, from frame 0.
 */
export type Expectation = PatternSpec | ExpectedFrame;

/**
 * Makes the bytes of a frame. It is called once for each frame, in order, so it may keep state.
 *
 * @param sequence Number of the frame, from 0
 * @param length Bytes
 * @returns As many bytes; the array may be used again
 */
export type FrameMaker = (sequence: number, length: number) => Uint8Array<ArrayBuffer>;

/**
 * Makes what a generator must send. It is called once for each frame, in order, so it may keep state. Several
 * devices share what it returns.
 *
 * @param sequence Number of the frame, from 0
 * @param length Bytes
 * @returns As many bytes; or `{ data, sideband }`, with the words that must come beside the frame
 */
export type ExpectedFrame = (
  sequence: number,
  length: number,
) => Uint8Array<ArrayBuffer> | SidebandFrame;

/** Options of a run with what the test case decides. */
export type FlowOptions = RunOptions & Required<Pick<RunOptions, "policy" | "size" | "depth">> & {
  /** Number of frames; Infinity with {@linkcode FlowOptions.seconds}. */
  readonly frames: number;
  /** Returns the length of a frame, up to `size`. `lengths` decides it. Defaults to `size` for each. */
  readonly lengthOf?: (sequence: number) => number;
  /** Seconds after which no more frames are sent. Defaults to no limit. */
  readonly seconds?: number;
  /** Deadline, as `performance.now()` counts; later frames time out. Defaults to none. */
  readonly deadline?: number;
  /**
   * Whether only the first 64 KiB from the first wrong byte of a frame are named. Defaults to false. A
   * control is wrong everywhere, so this saves its time.
   */
  readonly brief?: boolean;
  /** Number of blocks that one system call hands over or takes back. Defaults to 1. */
  readonly batch?: number;
  /** Called after priming, before the first frame. */
  readonly onPrimed?: () => void;
  /** Called with each frame whose bytes are wrong, before its faults are found. */
  readonly onWrong?: (frame: ReceivedFrame) => void;
  /** Called with each fault, when it is found. */
  readonly onFault?: (fault: Fault) => void;
  /** Starts to watch the engine of a device, for the diagnosis of a timeout. Defaults to not watching. */
  readonly watch?: (device: Device) => EngineWatch;
  /**
   * Whether a smaller depth may be used if the memory does not suffice. The report has a note then.
   * Defaults to false.
   */
  readonly shallower?: boolean;
};

/** What the machine says about an engine, apart from its driver's ioctl API. */
export interface EngineWatch {
  /** Notes that the completion of a transfer was taken. */
  completed(direction: Direction): void;
  /**
   * Looks whether an interrupt came for a completion that did not come.
   *
   * @param direction Its direction; null for a ring
   * @param others How many transfers of the other direction completed, and were not noted
   * @returns 0 if no interrupt came, more if one came; null if it is unknown
   */
  interrupts(direction: Direction | null, others: number): number | null;
  /** What the kernel logged about the engine since the watch began. */
  log(): readonly string[];
}

/** Options of a loop with what the test case decides. */
export type LoopFlowOptions = FlowOptions & Omit<LoopOptions, "pattern"> & {
  /** Whether whole blocks are synced, so that guards can be read. Defaults to `guarded`. */
  readonly verify?: boolean;
  /**
   * Whether receive blocks are primed with poison. Defaults to true, but to false for a design that
   * transforms, because it would transform the poison too, and for a driver without coherent memory.
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
