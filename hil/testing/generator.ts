// SPDX-License-Identifier: MIT
/**
 * A simulated design that generates frames: each receive block that is enqueued gets one.
 *
 * @module
 */

import type { Device } from "../../driver/device.ts";
import { IOC } from "../../driver/uapi.ts";
import type { SimBoard } from "../../fixtures/boards/sim/mod.ts";

/** What a design generates. */
export interface Generated {
  /** Writes frame `sequence`, from 0. */
  readonly write: (frame: Uint8Array, sequence: number) => void;
  /** Bytes of a frame. */
  readonly size: number;
  /** The most receive blocks that are enqueued at once. */
  readonly depth: number;
}

/**
 * Closes the loop of a simulated board, so that it generates frames.
 *
 * @param board The board. Its ENQUEUE is replaced
 * @param device Its device, on which the caller receives
 * @param generated The frames
 */
export function generateFrames(
  board: SimBoard,
  device: Device,
  { write, size, depth }: Generated,
): void {
  const sources = device.alloc({ direction: "tx", policy: "coherent", size, count: 2 * depth });
  const ioctl = board.ioctl.bind(board);
  let sent = 0;
  let busy = false;
  board.ioctl = (fd, request, argument) => {
    const result = ioctl(fd, request, argument);
    if (request !== IOC.ENQUEUE || busy) return result;
    busy = true;
    if (sent >= depth) device.dequeue("tx");
    const source = sources[sent % sources.length];
    if (source === undefined) throw new Error("Expected at least one block, found none");
    const frame = new Uint8Array(size);
    write(frame, sent++);
    source.set(frame);
    source.enqueue({ length: size });
    busy = false;
    return result;
  };
}
