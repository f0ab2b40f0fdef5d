// SPDX-License-Identifier: MIT
/**
 * Faults: what is wrong with received data, where it is wrong, and which part of the path caused it.
 *
 * @module
 */

/** Every kind of fault, as in the results. */
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

/** The part of the path on which a fault is laid; `null` when that cannot be told. */
export type Blame = "tx" | "core" | "rx" | "driver" | null;

/** One place where received data are not what was sent. */
export interface Fault {
  /** What happened to the data. */
  readonly kind: FaultKind;
  /** Number of the frame within its case, from 0. */
  readonly frame: number;
  /** Id of the block that it was in, as the driver counts them; left out where it was in none. */
  readonly block?: number;
  /** First wrong byte, from the start of the frame's data; negative in the guard zone before. */
  readonly offset: number;
  /** Bytes from the first to the last wrong one. */
  readonly length: number;
  /** Where it happened. */
  readonly blame: Blame;
  /** One line for a person. */
  readonly detail: string;
  /** Which bits are wrong, from the first wrong byte on; left out where that is not known. */
  readonly damage?: {
    /** Where {@linkcode xor} begins, from the start of the frame's data. */
    readonly offset: number;
    /** What was received XOR what was due: two hexadecimal digits a byte, at most 512 bytes. */
    readonly xor: string;
    /** Where the frame's data begin in their block, bytes: tells where lines and pages end. */
    readonly base: number;
  };
}
