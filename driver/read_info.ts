// SPDX-License-Identifier: MIT

/**
 * INFO: reads what a device reports about itself, and checks the version of the ABI.
 *
 * @module
 */

import { AnswerError } from "./answer_error.ts";
import { ERRNO, ErrnoError } from "./errno.ts";
import { AbiMismatchError } from "./errors.ts";
import type { Handle } from "./handle.ts";
import { type DeviceInfo, unpackAbiVersion, unpackInfo } from "./info.ts";
import { ABI_VERSION, INFO } from "./uapi.ts";

/**
 * Read INFO and check its version.
 *
 * @param handle The open device.
 * @returns What the device reports.
 * @throws {AbiMismatchError} If the driver implements another version.
 * @throws {AnswerError} If it reports an alignment or a depth that cannot be.
 */
export function readInfo(handle: Handle): DeviceInfo {
  const argument = new Uint8Array(INFO.size);
  try {
    handle.ioctl("INFO", argument, handle.path);
  } catch (error) {
    // A driver of version 1 knows a request only with the struct size of that version.
    if (error instanceof ErrnoError && error.errno === ERRNO.ENOTTY) {
      throw new AbiMismatchError(handle.path, ABI_VERSION, null);
    }
    throw error;
  }
  const version = unpackAbiVersion(argument);
  if (version !== ABI_VERSION) throw new AbiMismatchError(handle.path, ABI_VERSION, version);
  const info = unpackInfo(argument);
  checkInfo(info, handle.path);
  return info;
}

/** Check the numbers that loops and divisions use. */
function checkInfo(info: DeviceInfo, path: string): void {
  const check = (what: string, value: number, kind: string, holds: boolean) => {
    if (!holds) throw new AnswerError(path, "INFO", `${kind} as ${what}`, `${value}`);
  };
  const power = (what: string, value: number) =>
    check(what, value, "a power of two", value > 0 && (value & (value - 1)) === 0);
  power("the page size", info.pageSize);
  power("the cache alignment", info.cacheAlign);
  for (const channel of [info.tx, info.rx]) {
    if (channel === null) continue;
    const { queueDepth, engineDepth, addressAlign, lengthAlign } = channel;
    power("the alignment of addresses", addressAlign);
    check("the alignment of lengths", lengthAlign, "a number above 0", lengthAlign > 0);
    check("the queue depth", queueDepth, "a number above 0", queueDepth > 0);
    check("the engine depth", engineDepth, "a number above 0", engineDepth > 0);
  }
}
