// SPDX-License-Identifier: MIT
/**
 * Numbers of a command line that a device cannot hold, refused before anything runs.
 *
 * @module
 */
import { Device } from "../../driver/device.ts";
import type { DeviceInfo } from "../../driver/info.ts";
import type { Syscalls } from "../../driver/syscalls.ts";
import { openBoard } from "../board/board.ts";
import type { Settings } from "../settings/settings.ts";
import { UsageError, valueError } from "../settings/values.ts";

/** The numbers that a device limits. */
export interface DeviceNumbers {
  /** Blocks in flight; null for those of the suites. */
  readonly depths: readonly (number | "max")[] | null;
  /** Whether each frame in flight takes a block in each direction, as in Plumbline's own suites. */
  readonly loops: boolean;
}

/**
 * Refuses a depth for which a device has too few blocks.
 *
 * @param path The device, for the error
 * @param info What it offers
 * @param numbers The depths
 * @throws {UsageError} With the largest depth
 */
export function checkDepths(
  path: string,
  { maxBlocks }: Pick<DeviceInfo, "maxBlocks">,
  { depths, loops }: DeviceNumbers,
): void {
  // the primer of a loop takes one more
  const most = loops ? Math.floor((maxBlocks - 1) / 2) : maxBlocks;
  const deep = depths?.find((depth) => depth !== "max" && depth > most);
  if (deep === undefined) return;
  const why = loops ? ", and a frame in flight takes one in each direction" : "";
  throw new UsageError(
    `${valueError("--depth", `at most ${most}`, `${deep}`).message}: ${path} has ${maxBlocks} ` +
      `blocks${why}. Use a smaller depth, or max for full queues`,
  );
}

/**
 * Asks the devices of a run what they can hold. A device that cannot be opened yet is not asked: the run
 * says what is wrong with it.
 *
 * @param settings The settings of the run, with its devices and depths
 * @param options `syscalls`: those of a remote board, or null for a board of this machine. `loops`: as in
 * {@linkcode DeviceNumbers}
 * @throws {UsageError} If one cannot hold what was asked for
 */
export function checkDevices(
  settings: Settings,
  { syscalls, loops }: { readonly syscalls: Syscalls | null; readonly loops: boolean },
): void {
  const { depths, devices } = settings;
  // a bitstream may bring the device, and full queues fit every one
  if (settings.bitstream !== null || !depths?.some((depth) => depth !== "max")) return;
  const board = syscalls ?? openBoard(settings).syscalls;
  for (const path of devices) {
    let info: DeviceInfo;
    try {
      using device = Device.open({ path, syscalls: board });
      info = device.info;
    } catch {
      continue;
    }
    checkDepths(path, info, { depths, loops });
  }
}
