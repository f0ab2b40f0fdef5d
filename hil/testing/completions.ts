// SPDX-License-Identifier: MIT
/**
 * Completions of a simulated board, changed on their way to the test.
 *
 * @module
 */

import { DEQUEUE, type Direction, DIRECTIONS, IOC } from "../../driver/uapi.ts";
import type { SimBoard } from "../../fixtures/boards/sim/mod.ts";

/** A completion. */
export interface Changing {
  /** Its direction. */
  readonly direction: Direction;
  /** Its cookie: the number of the frame. */
  readonly sequence: number;
  /** Its struct, `DEQUEUE`, as the driver filled it; it may be written to. */
  readonly view: DataView;
}

/**
 * Let each completion be changed that DEQUEUE gives.
 *
 * @param board The board
 * @param change Changes one
 */
export function changeCompletions(board: SimBoard, change: (completion: Changing) => void): void {
  const ioctl = board.ioctl.bind(board);
  board.ioctl = (fd, request, argument) => {
    const result = ioctl(fd, request, argument);
    if (request !== IOC.DEQUEUE || result !== 0 || argument === null) return result;
    const view = new DataView(argument.buffer, argument.byteOffset);
    const direction = DIRECTIONS[view.getUint32(DEQUEUE.at.direction, true)];
    if (direction === undefined) throw new Error("Expected a direction, found none");
    change({ direction, sequence: view.getUint32(DEQUEUE.at.cookie, true), view });
    return result;
  };
}
