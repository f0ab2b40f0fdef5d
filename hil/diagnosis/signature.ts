// SPDX-License-Identifier: MIT
/**
 * The signature of a group of failures: what failing cases, frames and bytes have in common, and passing
 * ones have not.
 *
 * @module
 */
import type { Blame } from "../verify/fault.ts";
import type { Damage } from "./groups.ts";
import type { Facts } from "./wording.ts";

/**
 * The features of a signature, and the values of each. `unknown` means that the run does not show it, for
 * example because it used one policy only. What is unknown never excludes a cause.
 */
export interface Signature {
  /** What happened to the data, the most frequent damage first. */
  readonly damage: readonly Damage[];
  /** The first of them; `mixed` if data moved, and old data remain in their place. */
  readonly leading: Damage | "mixed" | "unknown";
  /** The part of the path that changed the data, if it is one. */
  readonly blame: Exclude<Blame, null> | "unknown";
  /** The policies that fail: any, those through the CPU's cache, those of the program's pages, or one. */
  readonly policy:
    | "any"
    | "cached"
    | "uncached"
    | "user-pages"
    | "one-cached"
    | "one-uncached"
    | "unknown";
  /** The depths that fail: any, only several blocks in flight, or only a single one. */
  readonly depth: "any" | "queued" | "single" | "unknown";
  /**
   * The sizes that fail: any; those above a limit of at most a page, or of possibly more (`large`); or those
   * below a limit.
   */
  readonly size: "any" | "above" | "large" | "below" | "unknown";
  /** Whether only sizes fail that are no multiple of a width. */
  readonly ragged: "yes" | "no" | "unknown";
  /** The frames that fail: any, the first, the same one, every n-th, all from one on, or all. */
  readonly frame: "any" | "first" | "same" | "periodic" | "from" | "every" | "unknown";
  /** Whether all damage is in one block of several, or in some of them. */
  readonly block: "any" | "one" | "some" | "unknown";
  /**
   * Where a frame is wrong: as a whole, at its start, at its end (at most a line), from one offset to its
   * end, from any offset to its end, always at one offset, in pieces that repeat, or elsewhere; beginning
   * only at boundaries of a burst (less than 4 KiB), of 4 KiB, or of a segment (more).
   */
  readonly place:
    | "whole"
    | "start"
    | "end"
    | "from"
    | "tail"
    | "fixed"
    | "burst"
    | "4 KiB"
    | "segment"
    | "repeats"
    | "anywhere"
    | "unknown";
  /**
   * The wrong bits: one bit of a word in many words, the same bit in single bytes, bits of one byte of a
   * word, single bits that differ, or many.
   */
  readonly bit: "one" | "same" | "lane" | "single" | "many" | "unknown";
  /** What is in place of the data, if it is not known to be old for zeros only. */
  readonly content: "data" | "unknown";
  /** The unit of the damage: whole cache lines, whole beats of 8 bytes, or bytes. */
  readonly unit: "line" | "beat" | "byte" | "unknown";
  /** The share of wrong frames in the cases that fail: at least 9 of 10, or fewer. */
  readonly rate: "every" | "some" | "unknown";
  /**
   * What lengths have in common, if frames are short: modulo a power of 2, one limit, one loss, or nothing;
   * `inner` if the damage does not reach the end of the frame.
   */
  readonly length: "inner" | "wraps" | "limit" | "loses" | "varies" | "unknown";
  /** Whether the kernel treats the device as cache coherent. */
  readonly coherent: "yes" | "no" | "unknown";
  /** Whether data pass a stream in the logic: not if the engine copies memory. */
  readonly stream: "yes" | "no" | "unknown";
  /**
   * What the board showed when a completion did not come: nothing moved in the whole run, nothing moved any
   * more, the whole frame arrived, the data stopped within the frame, or only the transmit side moved.
   */
  readonly transfer: "nothing" | "halted" | "arrived" | "stopped" | "sent" | "unknown";
}

/** The name of a feature. */
export type Feature = keyof Signature;

/** The value of one feature, and what it was concluded from. */
export interface Finding<Value> {
  /** The value. */
  readonly value: Value;
  /**
   * The values that the failures still allow if the value is unknown, because more failures can never take back
   * what these exclude. Defaults to all.
   */
  readonly left?: readonly Exclude<Value, "unknown">[];
  /** Numbers and names for sentences, such as the limit of a size. */
  readonly facts?: Facts;
  /** What separates failing from passing, in one sentence; absent if nothing does. */
  readonly text?: string;
}
