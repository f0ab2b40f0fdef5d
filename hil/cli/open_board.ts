// SPDX-License-Identifier: MIT
/**
 * Opens a board for a command that uses its device itself.
 *
 * @module
 */
import { AbiMismatchError } from "../../driver/errors.ts";
import { ErrnoError } from "../../driver/errno.ts";
import { Device } from "../../driver/device.ts";
import { AgentError } from "../../driver/remote.ts";
import { type Board, openBoard } from "../board/board.ts";
import { LockHeldError } from "../board/lock.ts";
import { explainDevice } from "../board/precheck.ts";
import { lockBoard } from "../board/remote.ts";
import type { Settings } from "../settings/settings.ts";
import type { BoardChoice } from "./board_options.ts";
import { InfrastructureError } from "./infrastructure.ts";

/**
 * Returns what `--board` is in the settings of a command that runs in this process.
 *
 * @param board The board
 * @param virtual Whether this process runs inside a virtual machine
 * @returns The value of the setting
 */
export function boardSetting(
  board: BoardChoice,
  virtual: boolean,
): string {
  if (board.kind === "remote") return board.name;
  return board.kind === "local" && virtual ? "vm" : board.kind;
}

/**
 * Opens the board that the settings name.
 *
 * @param settings The settings
 * @returns The board
 * @throws {InfrastructureError} If the agent of a remote board cannot be used
 */
export function openChosen(settings: Settings): Board {
  try {
    return openBoard(settings);
  } catch (error) {
    if (error instanceof AgentError) throw new InfrastructureError(error.message);
    throw error;
  }
}

/**
 * Locks a device until this process ends.
 *
 * @param board The board, which is no simulated one
 * @param path The device
 * @param what What runs, in words, for others that find the device locked
 * @throws {InfrastructureError} If another run holds it, or it cannot be used
 */
export function takeDevice(board: Board, path: string, what: string): void {
  try {
    lockBoard(board.remote, path, { what });
  } catch (error) {
    if (error instanceof LockHeldError) throw new InfrastructureError(error.message);
    throw error;
  }
  requireDevice(board, path);
}

/**
 * Checks that a device can be used.
 *
 * @param board The board
 * @param path The device
 * @throws {InfrastructureError} With the step that is missing
 */
export function requireDevice(board: Board, path: string): void {
  const missing = whyMissing(board, path);
  if (missing !== null) throw new InfrastructureError(missing);
}

/**
 * Says why a device cannot be used.
 *
 * @param board The board
 * @param path The device
 * @returns One line, or null if it can be used
 */
export function whyMissing(board: Board, path: string): string | null {
  return board.kind === "sim" || board.kind === "remote"
    ? board.explain(path)
    : explainDevice(path);
}

/**
 * Opens a device. One with another version, or that is no device of pldma, is not a defect of Plumbline.
 *
 * @param board The board
 * @param path The device
 * @returns The device
 * @throws {InfrastructureError} If it cannot be opened
 */
export function openDevice({ syscalls }: Board, path: string): Device {
  try {
    return Device.open({ path, syscalls });
  } catch (error) {
    if (error instanceof AbiMismatchError || error instanceof ErrnoError) {
      throw new InfrastructureError(error.message);
    }
    throw error;
  }
}
