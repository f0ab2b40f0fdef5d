// SPDX-License-Identifier: MIT

/**
 * RESET: its flags, and what it returns.
 *
 * @module
 */

import type { ResetOptions, ResetResult } from "./device_options.ts";
import { ERRNO, ErrnoError } from "./errno.ts";
import { type Handle, requestError } from "./handle.ts";
import { IOC, RESET, RESET_FLAGS } from "./uapi.ts";

/**
 * Send a RESET.
 *
 * @param handle The open device.
 * @param options What to reset.
 * @returns How many blocks were returned and how many are in quarantine, and whether the engine is idle.
 * @throws {ErrnoError} Every error except EIO, which stands for an engine that is not idle.
 */
export function sendReset(handle: Handle, options: ResetOptions): ResetResult & { idle: boolean } {
  const { force = false, direction } = options;
  const view = new DataView(new ArrayBuffer(RESET.size));
  const flags = (force ? RESET_FLAGS.force : 0) |
    (direction === undefined ? 0 : RESET_FLAGS[direction]);
  view.setUint32(RESET.at.flags, flags, true);
  let idle = true;
  try {
    handle.syscalls.ioctl(handle.fd, IOC.RESET, new Uint8Array(view.buffer));
  } catch (error) {
    if (!(error instanceof ErrnoError) || error.errno !== ERRNO.EIO) {
      throw requestError(error, "RESET", handle.path);
    }
    idle = false;
  }
  return {
    idle,
    returned: view.getUint32(RESET.at.returned, true),
    quarantined: view.getUint32(RESET.at.quarantined, true),
  };
}
