// SPDX-License-Identifier: MIT
/**
 * Leaves out what a board cannot test, although its driver offers it.
 *
 * @module
 */

import { DmaBuffer } from "../../driver/dma_buffer.ts";
import type { DeviceInfo } from "../../driver/info.ts";
import type { Syscalls } from "../../driver/syscalls.ts";

/**
 * Removes policy `dma-buf` from what a device offers if the board has no dma-heap that makes buffers.
 *
 * @param info What the device offers
 * @param syscalls The board
 * @returns What can be tested
 */
export function withoutBuffers(info: DeviceInfo, syscalls: Syscalls): DeviceInfo {
  if (DmaBuffer.available(syscalls)) return info;
  const policies = { ...info.policies };
  policies["dma-buf"] = { ...policies["dma-buf"], tx: false, rx: false };
  return { ...info, policies };
}
