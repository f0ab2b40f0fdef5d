// SPDX-License-Identifier: MIT
/**
 * The board that a test file runs on: how to reach its devices, and how to inject faults.
 *
 * @module
 */

import type { Device } from "../../driver/device.ts";
import type { CoreInfo } from "../../driver/info.ts";
import { libc } from "../../driver/libc.ts";
import type { Syscalls } from "../../driver/syscalls.ts";
import { SimBoard } from "../../fixtures/boards/sim/mod.ts";
import { armFault, disarmFault } from "../../fixtures/boards/vm/fault.ts";
import { findProblem } from "./precheck.ts";
import type { BoardInfo } from "../results/schema.ts";
import type { Settings } from "../settings/settings.ts";

/** Number of devices that the simulated board can have. */
const SIM_DEVICES = 16;

/** A board, as the suites see it. */
export interface Board {
  /** `local`, `vm` inside a virtual machine, or `sim` for a board in this process. */
  readonly kind: Settings["board"];
  /** System calls that reach the devices. */
  readonly syscalls: Syscalls;
  /**
   * Explains why a device cannot be used.
   *
   * @param path Path of the device
   * @returns One line, or `null` if the device can be used
   */
  explain(path: string): string | null;
  /**
   * Arms a fault. Frames count from 0 from now on.
   *
   * @param spec What to inject, such as `kind=flip frame=17`
   */
  arm(spec: string): void;
  /**
   * Disarms the fault.
   *
   * @returns A line for each fault that was injected
   */
  disarm(): string[];
}

/**
 * Opens the board that the settings name, and never another one.
 *
 * @param settings The settings
 * @returns The board
 */
export function openBoard(settings: Settings): Board {
  if (settings.board === "sim") return simulate(settings);
  return {
    kind: settings.board,
    syscalls: libc,
    explain: findProblem,
    arm: armFault,
    disarm: disarmFault,
  };
}

/** Makes a board in this process, with all devices that the settings name. */
function simulate(settings: Settings): Board {
  const numbers = settings.devices.map((path) => Number(/^\/dev\/pldma(\d+)$/.exec(path)?.[1]));
  const devices = Math.max(
    1,
    ...numbers.filter((number) => number < SIM_DEVICES)
      .map((number) => number + 1),
  );
  const board = new SimBoard({ seed: settings.seed, coherent: settings.coherent, devices });
  return {
    kind: "sim",
    syscalls: board,
    explain: (path) =>
      /^\/dev\/pldma\d+$/.test(path) && Number(path.slice(10)) < devices
        ? null
        : `There is no ${path}: the simulated board has /dev/pldma0 to /dev/pldma${
          SIM_DEVICES - 1
        }`,
    arm: (spec) => board.arm(spec),
    disarm: () => board.disarm(),
  };
}

/**
 * Describes a board for the results.
 *
 * @param board The board
 * @param device A device on it, or `null` if there is none yet
 * @returns What is known about it
 */
export function describeBoard(board: Board, device: Device | null): Partial<BoardInfo> {
  const simulated = board.kind !== "local";
  const bus = Deno.env.get("PLUMBLINE_BUS");
  const machine = {
    kind: board.kind,
    simulated,
    arch: Deno.build.arch,
    // a simulation does not use the kernel
    kernel: board.kind === "sim" ? null : Deno.osRelease(),
    ...(board.kind === "vm" && bus !== undefined ? { bus } : {}),
  };
  if (device === null) return machine;
  const { tx, rx, core, cacheAlign } = device.info;
  return {
    ...machine,
    coherent: !needsSync(device),
    cacheLine: cacheAlign,
    engine: tx?.engine ?? rx?.engine ?? null,
    core: core.id === 0 ? null : nameCore(core),
  };
}

/** Id and version of a core, and the part of the build's hash that the loopback core has. */
function nameCore({ id, version, build }: CoreInfo): string {
  return `0x${id.toString(16)} ${version}${build === null ? "" : ` build ${build.slice(0, 16)}`}`;
}

/**
 * Returns whether sync calls have an effect on a device, in either direction.
 *
 * @param device The device
 * @returns False on a cache coherent board, which cannot reveal missing syncs
 */
export function needsSync(device: Device): boolean {
  const { tx, rx } = device.info;
  return tx?.needsSync === true || rx?.needsSync === true;
}
