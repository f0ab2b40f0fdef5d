// SPDX-License-Identifier: MIT

/**
 * The numbers of u-dma-buf's interface: its ioctls, which it has since version 4.7, and the word that its
 * files `sync_for_cpu` and `sync_for_device` take in every version 4 and 5. They are facts of its public
 * header `u-dma-buf-ioctl.h` and of its documentation.
 *
 * @module
 */

import { setNumber } from "../codecs.ts";
import type { Direction, SyncOp } from "../uapi.ts";

/** `u_dma_buf_ioctl_drv_info`: offsets of its members, and its size, bytes. */
export const DRIVER_INFO = { at: { flags: 0, version: 8 }, size: 24 } as const;

/** `u_dma_buf_ioctl_dev_info`. Bits 0 to 7 of its flags are the width of the DMA mask, bit 9 is coherence. */
export const DEVICE_INFO = { at: { flags: 0, size: 8, address: 16 }, size: 24 } as const;

/** `u_dma_buf_ioctl_sync_args`. Flags: command at bit 0, direction at 2, mode at 8, owner at 16. */
export const SYNC_ARGS = { at: { flags: 0, size: 8, offset: 16 }, size: 24 } as const;

/** Values of `sync_mode`: what a file that was opened with O_SYNC maps. Bit 2 means every file. */
export const SYNC_MODES = { uncached: 1, writeCombine: 2, coherent: 3, always: 4 } as const;

const COMMANDS = { "for-cpu": 1, "for-device": 3 } as const satisfies Record<SyncOp, number>;
const TARGETS = { both: 0, tx: 1, rx: 2 } as const;

/** Direction of a sync call. `both` is DMA_BIDIRECTIONAL. */
export type SyncTarget = Direction | "both";

function ioc(write: boolean, number: number, size: number): number {
  return (((write ? 1 : 2) << 30) | (size << 16) | (0x55 << 8) | number) >>> 0;
}

/** `U_DMA_BUF_IOCTL_*`, as far as the adapter uses them. */
export const REQUEST = {
  GET_DRV_INFO: ioc(false, 1, DRIVER_INFO.size),
  GET_DEV_INFO: ioc(false, 7, DEVICE_INFO.size),
  GET_SYNC: ioc(false, 8, SYNC_ARGS.size),
  SET_SYNC: ioc(true, 9, SYNC_ARGS.size),
} as const;

/**
 * Pack the struct of SET_SYNC.
 *
 * @param args What to do. `mode` 0 keeps the mode, and `op` null only stores the settings.
 * @returns The struct.
 */
export function packSync(
  args: { op: SyncOp | null; target: SyncTarget; mode: number; offset: number; size: number },
): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(SYNC_ARGS.size);
  const view = new DataView(bytes.buffer);
  const command = args.op === null ? 0 : COMMANDS[args.op];
  setNumber(view, SYNC_ARGS.at.flags, command | TARGETS[args.target] << 2 | args.mode << 8);
  setNumber(view, SYNC_ARGS.at.size, args.size);
  setNumber(view, SYNC_ARGS.at.offset, args.offset);
  return bytes;
}

/**
 * Make the word for the files `sync_for_cpu` and `sync_for_device`.
 *
 * @param target Direction of the sync.
 * @param offset Start in the buffer, bytes, below 4 GiB.
 * @param size Number of bytes, a multiple of 16 below 4 GiB.
 * @returns The word as the kernel reads it.
 */
export function syncWord(target: SyncTarget, offset: number, size: number): string {
  const low = BigInt(size) | BigInt(TARGETS[target] << 2) | 1n;
  return `0x${(BigInt(offset) << 32n | low).toString(16)}`;
}
