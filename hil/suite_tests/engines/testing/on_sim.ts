// SPDX-License-Identifier: MIT
/**
 * The scenario on the simulated board.
 *
 * @module
 */

import { Device } from "../../../../driver/device.ts";
import { SimBoard } from "../../../../fixtures/boards/sim/mod.ts";
import { type Run, runScenario } from "./scenario.ts";

/**
 * Runs the scenario on a new simulated board.
 *
 * @param seed Chooses sizes and contents
 * @param multiple Lengths are multiples of this number of bytes. Defaults to 1
 * @returns What the board did
 */
export function runOnSim(seed: number, multiple = 1): Run {
  using board = new SimBoard({ seed });
  using device = Device.open({ syscalls: board });
  return runScenario(device, seed, multiple);
}
