// SPDX-License-Identifier: MIT
/**
 * The board that a test file runs on: how to reach its devices, and how to inject faults.
 *
 * @module
 */

import { adapt } from "../../driver/adapters/adapter.ts";
import type { AttributePort } from "../../driver/attributes.ts";
import type { Device } from "../../driver/device.ts";
import type { CoreInfo, DeviceInfo } from "../../driver/info.ts";
import { libc } from "../../driver/libc.ts";
import type { Remote } from "../../driver/remote.ts";
import type { Syscalls } from "../../driver/syscalls.ts";
import { type Design, SimBoard } from "../../fixtures/boards/sim/mod.ts";
import { armFault, disarmFault } from "../../fixtures/boards/vm/fault.ts";
import { attributeFilesOf, openAttributes } from "./attributes.ts";
import { findProblem } from "./precheck.ts";
import { connectTarget, explainRemote, faultAccess } from "./remote.ts";
import type { BoardInfo } from "../results/schema.ts";
import type { Settings } from "../settings/settings.ts";

/** Number of devices that the simulated board can have. */
const SIM_DEVICES = 16;

/** Set to the name of a virtual machine if the remote board is one that this machine runs. */
export const SIMULATED_VARIABLE = "PLUMBLINE_SIMULATED";

/** A board, as the suites see it. */
export interface Board {
  /** `local`, `vm` inside a virtual machine, `sim` for a board in this process, or `remote`. */
  readonly kind: Settings["board"];
  /** System calls that reach the devices. */
  readonly syscalls: Syscalls;
  /** The target of a remote board, or null. */
  readonly remote: Remote | null;
  /**
   * Explains why a device cannot be used.
   *
   * @param path Path of the device
   * @returns One line, or `null` if the device can be used
   */
  explain(path: string): string | null;
  /**
   * Opens what chooses the attributes of a device's accesses to memory.
   *
   * @param path Path of the device
   * @returns The port, which the caller disposes of, or one line that says what is missing
   */
  attributes(path: string): AttributePort | string;
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
 * @param design A model of the design, for the simulated board. Defaults to a loopback core
 * @returns The board
 */
export function openBoard(settings: Settings, design: Design | null = null): Board {
  if (settings.board === "sim") return simulate(settings, design);
  if (settings.agent !== null) return remoteBoard(connectTarget(settings.agent));
  const syscalls = adapt(settings.devices, libc);
  return {
    kind: settings.board,
    syscalls,
    remote: null,
    explain: (path) => findProblem(path, syscalls),
    attributes: (path) => openAttributes(path),
    arm: armFault,
    disarm: disarmFault,
  };
}

/** Makes a board of a target. Its faults are injected on the target. */
function remoteBoard(remote: Remote): Board {
  const access = faultAccess(remote);
  return {
    kind: "remote",
    syscalls: remote,
    remote,
    explain: (path) => explainRemote(remote, path),
    attributes: (path) => openAttributes(path, attributeFilesOf(remote)),
    arm: (spec) => armFault(spec, undefined, access),
    disarm: () => disarmFault(undefined, access),
  };
}

/**
 * Opens what chooses the attributes of a simulated device's accesses.
 *
 * @param board The board
 * @param path Path of the device
 * @returns The port, or one line that says what is missing
 */
export function simulatedAttributes(board: SimBoard, path: string): AttributePort | string {
  return board.attributes(path) ??
    "a model of a design has no attributes, only the loopback core has";
}

/** Makes a board in this process, with all devices that the settings name. */
function simulate(settings: Settings, design: Design | null): Board {
  const numbers = settings.devices.map((path) => Number(/^\/dev\/pldma(\d+)$/.exec(path)?.[1]));
  const devices = Math.max(
    1,
    ...numbers.filter((number) => number < SIM_DEVICES)
      .map((number) => number + 1),
  );
  const board = new SimBoard({
    ...{ seed: settings.seed, coherent: settings.coherent, devices },
    ...(design === null ? {} : { design }),
  });
  return {
    kind: "sim",
    syscalls: board,
    remote: null,
    explain: (path) =>
      /^\/dev\/pldma\d+$/.test(path) && Number(path.slice(10)) < devices
        ? null
        : `There is no ${path}: the simulated board has /dev/pldma0 to /dev/pldma${
          SIM_DEVICES - 1
        }`,
    attributes: (path) => simulatedAttributes(board, path),
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
  const { remote } = board;
  const simulated = remote === null ? { simulated: board.kind !== "local" } : device === null
    ? {} // the engine says so
    : { simulated: isSimulated(device.info) };
  const bus = Deno.env.get("PLUMBLINE_BUS");
  const machine = {
    kind: board.kind,
    ...simulated,
    arch: remote?.target.machine ?? Deno.build.arch,
    // a simulation does not use the kernel
    kernel: board.kind === "sim" ? null : remote?.target.release ?? Deno.osRelease(),
    ...(board.kind === "vm" && bus !== undefined ? { bus } : {}),
  };
  if (device === null) return machine;
  const { tx, rx, core, cacheAlign } = device.info;
  return {
    ...machine,
    coherent: !needsSync(device),
    cacheLine: cacheAlign,
    engine: tx?.engine ?? rx?.engine ?? null,
    ...(tx?.memoryLoop === true ? { memoryLoop: true } : {}),
    core: core.id === 0 ? null : nameCore(core),
  };
}

/** The engines that only virtual boards have: software in the kernel, and a device of QEMU. */
const SOFTWARE: readonly string[] = ["pl_softdma", "pl_advbus", "pl_cosim", "pl_edu"];

/**
 * Returns whether a virtual board has a device, although the board may be reached as a remote one.
 *
 * @param info What the device offers
 * @returns True if its engine is one of these
 */
function isSoftware({ tx, rx }: Pick<DeviceInfo, "tx" | "rx">): boolean {
  return [tx, rx].some((chan) => chan !== null && SOFTWARE.includes(chan.engine));
}

/**
 * Tells whether the target of a remote board is a simulation: by its engine, or because this run booted it.
 *
 * @param info What a device of the target offers
 * @returns Whether it is
 */
export function isSimulated(info: Pick<DeviceInfo, "tx" | "rx">): boolean {
  return isSoftware(info) || Deno.env.has(SIMULATED_VARIABLE);
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
