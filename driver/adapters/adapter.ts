// SPDX-License-Identifier: MIT

/**
 * Chooses the adapter for a device by its path.
 *
 * @module
 */

import type { Syscalls } from "../syscalls.ts";
import { DyploSyscalls } from "./dyplo.ts";
import { IioSyscalls } from "./iio.ts";
import { UdmabufSyscalls } from "./udmabuf.ts";

/**
 * Find the system calls that make devices of another driver look like those of pldma.
 *
 * @param paths Paths of the devices of a run.
 * @param under The system calls of the machine.
 * @returns Those of the adapter that covers all of them, or `under`.
 */
export function adapt(paths: readonly string[], under: Syscalls): Syscalls {
  const all = (covers: (path: string) => boolean) => paths.length > 0 && paths.every(covers);
  if (all(DyploSyscalls.covers)) return new DyploSyscalls(under);
  if (all(IioSyscalls.covers)) return new IioSyscalls(under);
  return all(UdmabufSyscalls.covers) ? new UdmabufSyscalls(under) : under;
}

/**
 * Tell which adapter covers a device.
 *
 * @param path Path of the device.
 * @returns The name of its driver, or null for a device of pldma.
 */
export function driverOf(path: string): string | null {
  if (DyploSyscalls.covers(path)) return "dyplo";
  if (IioSyscalls.covers(path)) return "IIO";
  return UdmabufSyscalls.covers(path) ? "u-dma-buf" : null;
}

/**
 * Explain why a device of another driver cannot be opened.
 *
 * @param path Path of the device.
 * @param exists Whether a path exists.
 * @returns One line that names the missing file, null if all files are there, or undefined if no adapter covers
 * the path.
 */
export function explainAdapted(
  path: string,
  exists: (path: string) => boolean,
): string | null | undefined {
  if (DyploSyscalls.covers(path)) {
    return exists(path) ? null : `There is no ${path}: load the driver that makes it`;
  }
  if (IioSyscalls.covers(path)) {
    const missing = IioSyscalls.filesOf(path).find((file) => !exists(file));
    if (missing === undefined) return null;
    const what = missing.startsWith("/dev/iio")
      ? "load the driver of the IIO device"
      : "name another one behind a second +, or boot a kernel with CONFIG_DMABUF_HEAPS_SYSTEM";
    return `There is no ${missing}: ${what}`;
  }
  if (!UdmabufSyscalls.covers(path)) return undefined;
  const [buffer = "", registers = ""] = UdmabufSyscalls.filesOf(path);
  if (!exists(buffer)) {
    const name = buffer.slice("/dev/".length);
    return `There is no ${buffer}: load u-dma-buf, for example by modprobe u-dma-buf ${name}=4194304`;
  }
  if (exists(registers)) return null;
  return `There is no ${registers}: bind the registers of the engine to uio_pdrv_genirq`;
}
