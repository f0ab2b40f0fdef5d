// SPDX-License-Identifier: MIT
/**
 * Faults: what is wrong with received data, where it is wrong, and which part of the path caused it.
 *
 * @module
 */

/** Every kind of fault, as the results name them. */
export const FAULT_KINDS = [
  "stale-tx",
  "stale-rx",
  "not-written",
  "shifted",
  "lost",
  "duplicated",
  "swapped",
  "truncated",
  "overrun",
  "byte-lanes",
  "bit-flip",
  "stuck-bit",
  "torn",
  "foreign",
] as const;

/** A kind of fault. */
export type FaultKind = typeof FAULT_KINDS[number];

/** The part of the path that caused a fault; `null` if it is unknown. */
export type Blame = "tx" | "core" | "rx" | "driver" | null;

/** One place where received data differ from what was expected. */
export interface Fault {
  /** What happened to the data. */
  readonly kind: FaultKind;
  /** Number of the frame within its case, from 0. */
  readonly frame: number;
  /** Id of the frame's block, as the driver counts them; absent if the frame was in no block. */
  readonly block?: number;
  /** Offset of the first wrong byte in the frame's data; negative in the guard zone before them. */
  readonly offset: number;
  /** Bytes from the first to the last wrong one. */
  readonly length: number;
  /** The part of the path that caused it. */
  readonly blame: Blame;
  /** Description for a person, one line. */
  readonly detail: string;
  /** The wrong bits, from the first wrong byte on; absent if they are unknown. */
  readonly damage?: {
    /** Offset of the first byte of {@linkcode xor} in the frame's data. */
    readonly offset: number;
    /** Received bytes XOR expected bytes: two hexadecimal digits a byte, at most 256 bytes. */
    readonly xor: string;
    /** Where the frame's data begin in their block, bytes. Edges of lines and pages follow from it. */
    readonly base: number;
  };
}
