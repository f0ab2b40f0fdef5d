// SPDX-License-Identifier: MIT
/**
 * Words that travel beside frames, such as TUSER and TDEST: how a run pads and compares them.
 *
 * @module
 */

import type { CompletedTransfer } from "../../driver/block.ts";
import { SIDEBAND_WORDS } from "../../driver/codecs.ts";
import type { Device } from "../../driver/device.ts";
import { checkSideband } from "../../driver/enqueue.ts";
import type { SidebandFrame } from "../../fixtures/boards/sim/design/design.ts";
import type { Fault } from "../verify/fault.ts";

export type { SidebandFrame };

/**
 * Returns the words that travel beside a frame that is sent. It must return the same words for the same number.
 *
 * @param sequence Number of the frame, from 0
 * @returns Up to four words of 32 bits
 */
export type SidebandMaker = (sequence: number) => readonly number[];

/**
 * Fills words up with zeros, as a design receives them.
 *
 * @param words Up to four words
 * @returns Four words
 * @throws {RangeError} If there are too many, or one is no word of 32 bits
 */
export function paddedWords(words: readonly number[]): readonly number[] {
  checkSideband(words);
  return Array.from({ length: SIDEBAND_WORDS }, (_, i) => words[i] ?? 0);
}

/**
 * Checks that an engine passes words beside frames.
 *
 * @param device The device
 * @param policy The sync policy of the run
 * @throws {Error} If it passes none, with what to do
 */
export function requireSideband({ info }: Device, policy: string): void {
  if (policy === "bounce") {
    throw new Error(
      "Expected another policy than bounce for words beside frames, because read() and write() carry only " +
        "bytes: leave bounce out of policy",
    );
  }
  const channel = info.tx ?? info.rx;
  if (channel?.sideband === true) return;
  throw new Error(
    `Expected an engine that passes words beside frames, found ${channel?.engine}, which passes none: ` +
      "return bytes from expect, and leave out sideband",
  );
}

/**
 * Compares the words that came beside a frame.
 *
 * @param frame Number of the frame
 * @param due The expected words; null if they do not matter
 * @param received The transfer of the frame
 * @returns The fault; null if all words are right
 */
export function sidebandFault(
  frame: number,
  due: readonly number[] | null,
  { sideband, block }: Pick<CompletedTransfer, "sideband" | "block">,
): Fault | null {
  if (due === null) return null;
  const hex = (word: number | undefined) =>
    word === undefined ? "missing" : `0x${word.toString(16).padStart(8, "0")}`;
  const wrong = due.flatMap((word, i) =>
    word === sideband?.[i] ? [] : [`word ${i} is ${hex(sideband?.[i])}, expected ${hex(word)}`]
  );
  if (wrong.length === 0) return null;
  return {
    ...{ kind: "sideband", frame, block: block.id, offset: 0, length: 0, blame: null },
    detail: `beside the frame, ${wrong.join(", ")}`,
  };
}
