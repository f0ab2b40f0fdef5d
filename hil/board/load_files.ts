// SPDX-License-Identifier: MIT
/**
 * The files with which a bitstream is loaded, wherever the board is.
 *
 * @module
 */

import { type BoardFiles, filesOf, remoteFiles } from "../../fixtures/bitstream/load/mod.ts";
import type { Board } from "./board.ts";

/**
 * Returns the files of the machine that has the devices.
 *
 * @param board The board
 * @returns Its files
 */
export function loadFiles({ remote, syscalls }: Board): BoardFiles {
  return remote === null ? filesOf("", syscalls) : remoteFiles(remote);
}
