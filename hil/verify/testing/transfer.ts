// SPDX-License-Identifier: MIT
/**
 * A frame on its way through transmit memory, core and receive memory, each of which may damage it.
 *
 * A frame is sent. The core may read other data from transmit memory, and may change what it read. What
 * it writes arrives in a receive block that holds an older frame or poison. The CPU may see other data
 * than were written. Each damage is done in the stage where its kind is done in reality, so that the
 * check values are those that a real core would compute.
 *
 * @module
 */

import { crc32 } from "node:zlib";

/** What was done, in the words of the results. */
export interface KnownDamage {
  readonly kind: string;
  readonly from: number;
  readonly to: number;
  readonly blame: "tx" | "core" | "rx";
}

/** A frame that is sent, and what its blocks held before. */
export interface Transfer {
  readonly sequence: number;
  /** Makes any frame of the run, a copy. */
  readonly frame: (sequence: number) => Uint8Array<ArrayBuffer>;
  readonly length: number;
  /** Where the frame begins in its blocks. */
  readonly base: number;
  /** What the transmit block held there. */
  readonly txOld: Uint8Array;
  /** What the receive block held there. */
  readonly rxOld: Uint8Array;
  /** Bytes of guard zone before the frame, and after it. */
  readonly guard: number;
}

/** What arrived. */
export interface Arrival {
  readonly received: Uint8Array<ArrayBuffer>;
  readonly moved: number;
  readonly txCheck: number;
  readonly rxCheck: number;
  /** The bytes around the frame that were written, as offsets in the frame. */
  readonly overrun: { readonly from: number; readonly to: number } | null;
  /** All damages that were done. */
  readonly known: readonly KnownDamage[];
}

/** What is done to a frame in each stage. */
export class Path {
  /** Changes what the core reads. */
  readonly beforeCore: ((read: Uint8Array) => void)[] = [];
  /** Changes what the core makes of it. */
  readonly inCore: ((bytes: Uint8Array) => Uint8Array<ArrayBuffer>)[] = [];
  /** Ranges that the core does not write. */
  readonly holes: { readonly from: number; readonly to: number }[] = [];
  /** Whether the core writes nothing at all. */
  nothingWritten = false;
  /** Changes what the CPU sees. */
  readonly afterCore: ((seen: Uint8Array) => void)[] = [];
  /** What is written around the frame. */
  overrun: Arrival["overrun"] = null;
  /** What was done. */
  readonly known: KnownDamage[] = [];

  /**
   * Sends a frame through all stages.
   *
   * @param transfer The frame
   * @returns What arrived
   */
  send({ sequence, length, frame, rxOld }: Transfer): Arrival {
    let bytes: Uint8Array<ArrayBuffer> = frame(sequence);
    for (const change of this.beforeCore) change(bytes);
    const txCheck = crc32(bytes);
    for (const change of this.inCore) bytes = change(bytes);
    const moved = Math.min(bytes.length, length);
    const received = rxOld.slice() as Uint8Array<ArrayBuffer>;
    let rxCheck = 0;
    if (!this.nothingWritten) {
      let at = 0;
      const holes = this.holes.sort((a, b) => a.from - b.from);
      for (const { from, to } of [...holes, { from: moved, to: moved }]) {
        const part = bytes.subarray(at, Math.max(at, Math.min(from, moved)));
        received.set(part, at);
        rxCheck = crc32(part, rxCheck);
        at = to;
      }
    }
    for (const change of this.afterCore) change(received);
    const known = this.known.map((one) => one.to < 0 ? { ...one, to: moved } : one);
    return { received, moved, txCheck, rxCheck, overrun: this.overrun, known };
  }
}
