// SPDX-License-Identifier: MIT
/**
 * The check values of intact frames. The blame of damaged frames depends on them, so they must be right.
 *
 * @module
 */

import { crc32 } from "node:zlib";
import type { Pattern } from "../patterns/pattern.ts";
import type { Fault } from "../verify/fault.ts";
import { checkOf } from "./framed.ts";

/** Number of first frames whose check values are computed here as well. */
const CHECKED = 64;

/** Compares the check values of a core that returns frames unchanged. */
export class CheckValues {
  readonly #pattern: Pattern;
  readonly #lengthOf: (sequence: number) => number;
  /** Those of the first frames. */
  readonly #first: { sequence: number; read: number; written: number }[] = [];

  /**
   * @param pattern The frames
   * @param lengthOf Returns the length of a frame
   */
  constructor(pattern: Pattern, lengthOf: (sequence: number) => number) {
    this.#pattern = pattern;
    this.#lengthOf = lengthOf;
  }

  /**
   * Compares the two check values of an intact frame.
   *
   * @param sequence Number of the frame
   * @param read Check value of what the core read; null if it computes none
   * @param written Check value of what it wrote
   * @returns The faults
   */
  compare(sequence: number, read: number | null, written: number | null): Fault[] {
    if (read === null || written === null) return [];
    if (sequence >= CHECKED) {
      return read === written ? [] : [this.#disagree(sequence, read, written, "")];
    }
    this.#first.push({ sequence, read, written });
    return [];
  }

  /**
   * Compares the check values of the first frames with the frames, once.
   *
   * @returns The faults
   */
  compareFirst(): Fault[] {
    return this.#first.splice(0).flatMap(({ sequence, read, written }) => {
      const size = this.#lengthOf(sequence);
      const due = checkOf({ pattern: this.#pattern, sequence, size });
      if (read === due && written === due) return [];
      return [this.#disagree(sequence, read, written, `; that of the frame is ${hex(due)}`)];
    });
  }

  #disagree(sequence: number, read: number, written: number, due: string): Fault {
    return {
      kind: "foreign",
      frame: sequence,
      offset: 0,
      length: this.#lengthOf(sequence),
      blame: "core",
      detail:
        `the frame is intact, but the core's check values are ${hex(read)} for what it read and ` +
        `${hex(written)} for what it wrote${due}`,
    };
  }
}

/**
 * Looks by its check value whether a frame was written that its block held before. A sync may drop the poison that
 * is stored in its place.
 *
 * @param sequence Number of the frame
 * @param frame The frame
 * @param written Check value of what the core wrote; null if it computes none
 * @returns The fault, or null
 */
export function unwrittenFrame(
  sequence: number,
  frame: Uint8Array,
  written: number | null,
): Fault | null {
  if (written === null || written === crc32(frame)) return null;
  return {
    kind: "not-written",
    ...{ frame: sequence, offset: 0, length: frame.length, blame: "core" },
    detail:
      "the block held these bytes before, and the core's check value says that it wrote others",
  };
}

function hex(value: number): string {
  return `0x${value.toString(16).padStart(8, "0")}`;
}
