// SPDX-License-Identifier: MIT
/**
 * Looks at a receive block once more: after a frame was wrong, or after it did not come.
 *
 * @module
 */

import type { Block } from "../../driver/block.ts";
import type { Device } from "../../driver/device.ts";
import { equalBytes } from "../../driver/memory.ts";
import { isCallerSynced, type PolicyName } from "../../driver/uapi.ts";
import type { Context } from "../verify/classify.ts";
import { canBeStale } from "./block_set.ts";

/** How long after the first look wrong frames are looked at again, milliseconds: the first ones of a run only. */
const LOOKS_MS = [250, 20, 20, 20];

/** Looks at wrong frames again. */
export class SecondLook {
  readonly #device: Device;
  readonly #policy: PolicyName;
  readonly #at: number;
  #looks = 0;

  /**
   * @param device The device
   * @param policy The policy of its blocks
   * @param at Where frames begin in their blocks, bytes
   */
  constructor(device: Device, policy: PolicyName, at: number) {
    this.#device = device;
    this.#policy = policy;
    this.#at = at;
  }

  /**
   * Looks at a wrong frame again, after a while and, under policy `manual`, another sync. If data have arrived
   * then, they were late, or a stale copy hid them.
   *
   * @param rx The block of the frame
   * @param expected The expected bytes
   * @param first The bytes that were found before
   * @returns What the second look shows; null if there is none, or if it says nothing
   */
  look(
    rx: Block,
    expected: Uint8Array,
    first: Uint8Array,
  ): NonNullable<Context["later"]> | null {
    const policy = this.#policy;
    const waitMs = LOOKS_MS[this.#looks++];
    if (waitMs === undefined) return null;
    this.#device.poll({}, waitMs); // waits for no event
    if (isCallerSynced(policy)) rx.syncForCpu();
    const again = new Uint8Array(first.length);
    rx.copyTo(again, this.#at);
    if (equalBytes(again, expected)) return "arrived";
    // lines that left the cache meanwhile show what is in memory
    const arrives = again.some((byte, i) => byte !== first[i]) &&
      again.every((byte, i) => byte === first[i] || byte === expected[i]);
    if (arrives) return "arriving";
    // where the memory is cached and the caller cannot sync, a second look may find the same old copy
    const hidden = !isCallerSynced(policy) && canBeStale(this.#device, policy, "rx");
    return hidden || !equalBytes(again, first) ? null : "same";
  }
}

/**
 * Compares a part of a block with what is due there, and with what was there before.
 *
 * @param rx The block
 * @param offset Where the part begins, bytes
 * @param bytes `due`: the expected bytes; `before`: as many bytes that were there before
 * @returns How many of the expected bytes are there, from the first one on, and whether any byte changed
 */
export function compareArrived(
  rx: Block,
  offset: number,
  { due, before }: { readonly due: Uint8Array; readonly before: Uint8Array },
): { arrived: number; changed: boolean } {
  const found = new Uint8Array(due.length);
  rx.copyTo(found, offset);
  // bytes of the frame that were there before have not arrived
  const changed = found.some((byte, i) => byte !== before[i]);
  let arrived = 0;
  while (changed && arrived < due.length && found[arrived] === due[arrived]) arrived++;
  return { arrived, changed };
}
