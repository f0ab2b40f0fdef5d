// SPDX-License-Identifier: MIT
/**
 * Opens a device that another process of the same run may still use.
 *
 * @module
 */
import { Device } from "../../driver/device.ts";
import { ERRNO, ErrnoError } from "../../driver/errno.ts";
import type { Board } from "../board/board.ts";

/** Time between two attempts, milliseconds. */
const LOOK_MS = 50;

/**
 * Opens a device, and waits while another process of this run has it open.
 *
 * @param board The board
 * @param path The path of the device
 * @param patience The longest wait, in milliseconds
 * @returns The device
 * @throws {Error} If it is still open elsewhere after that time, or cannot be opened
 */
export async function openFree(board: Board, path: string, patience: number): Promise<Device> {
  const start = performance.now();
  for (;;) {
    try {
      return Device.open({ path, syscalls: board.syscalls });
    } catch (error) {
      const busy = error instanceof ErrnoError && error.errno === ERRNO.EBUSY;
      if (!busy) throw error;
      const left = start + patience - performance.now();
      if (left <= 0) {
        throw new Error(
          `Expected ${path} to be free within ${
            Number((patience / 1000).toFixed(1))
          } s, found it open: ` +
            `another process uses it, and fuser ${path} shows which`,
          { cause: error },
        );
      }
      await new Promise((resolve) => setTimeout(resolve, Math.min(LOOK_MS, left)));
    }
  }
}
