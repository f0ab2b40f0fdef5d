// SPDX-License-Identifier: MIT
/**
 * Explains why a device cannot be used: which step between hardware and program is missing.
 *
 * @module
 */

import { explainAdapted } from "../../driver/adapters/adapter.ts";
import { Device } from "../../driver/device.ts";
import { libc } from "../../driver/libc.ts";
import type { Syscalls } from "../../driver/syscalls.ts";
import { errorMessage } from "../text/error_message.ts";
import { localFiles } from "./local_files.ts";

/** What {@linkcode explainDevice} asks about a machine. */
export interface Machine {
  /** Whether a path exists. */
  exists(path: string): boolean;
  /** Text of a file, or `null` if it cannot be read. */
  read(path: string): string | null;
  /** Opens and closes a device. Returns `null`, or the code of the error, such as `EACCES`. */
  open(path: string): string | null;
  /** Names in a folder. Empty if there is no such folder. */
  list(path: string): string[];
}

/** The machine that this program runs on. */
export const thisMachine: Machine = {
  exists(path) {
    try {
      Deno.statSync(path);
      return true;
    } catch (error) {
      return !(error instanceof Deno.errors.NotFound);
    }
  },
  read: localFiles.readFile,
  open(path) {
    try {
      Deno.openSync(path, { read: true, write: true }).close();
      return null;
    } catch (error) {
      const code = (error as { code?: unknown }).code;
      return typeof code === "string" ? code : error instanceof Error ? error.message : "unknown";
    }
  },
  list: localFiles.list,
};

/**
 * Explains why a device cannot be used.
 *
 * @param device The device node, such as `/dev/pldma0`
 * @param machine The machine. Defaults to this one
 * @returns One line without a final period, which names the missing step, or `null` if the device can
 * be opened
 *
 * @example A machine without the driver
 * ```ts
 * import { explainDevice } from "./precheck.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const bare = { exists: () => false, read: () => null, open: () => "ENOENT", list: () => [] };
 * assertEquals(
 *   explainDevice("/dev/pldma0", bare),
 *   "There is no /dev/pldma0, because the kernel module is not loaded: plumbline doctor says how",
 * );
 * ```
 */
export function explainDevice(device: string, machine: Machine = thisMachine): string | null {
  if (machine.exists(device)) return explainOpen(device, machine.open(device));
  const adapted = explainAdapted(device, machine.exists);
  if (adapted !== undefined) return adapted;
  const missing = `There is no ${device}`;
  const others = machine.list("/dev").filter((name) => /^pldma\d+$/.test(name));
  if (others.length > 0) {
    const [first = ""] = others;
    return `${missing}, found ${others.map((name) => `/dev/${name}`).join(", ")}: ` +
      `add --device /dev/${first}`;
  }
  if (!machine.exists("/sys/module/pldma")) {
    return `${missing}, because the kernel module is not loaded: plumbline doctor says how`;
  }
  const deferred = (machine.read("/sys/kernel/debug/devices_deferred") ?? "").split("\n")
    .find((line) => line.includes("pldma"));
  if (deferred !== undefined) {
    const what = deferred.trim().replace(/\s+/g, " ");
    return `${missing}, because pldma waits for the driver of its DMA controller ` +
      `(deferred probe: ${what}): load that driver, or see plumbline doctor if it is loaded`;
  }
  if (machine.list("/sys/class/misc").some((name) => /^pldma\d+$/.test(name))) {
    return `${missing}, because nothing made a node for the device: start udev`;
  }
  const held = heldChannels(machine.read("/sys/kernel/debug/dmaengine/summary") ?? "");
  if (held.length > 0) {
    return `${missing}, because other drivers use the DMA channels: unbind ${held.join(", ")}`;
  }
  return `${missing}, because pldma found no DMA channels: name them in the device tree ` +
    "(plumbline,pldma) or by modprobe pldma tx=CHANNEL rx=CHANNEL, and see dmesg";
}

/**
 * Channels that other drivers use, from the summary of dmaengine in debugfs. It has one line for each
 * channel in use, such as ` dma0chan0    | 40400000.dma:tx`.
 */
function heldChannels(summary: string): string[] {
  return summary.split("\n").flatMap((line) => {
    const [, channel, client] = /^\s*(dma\d+chan\d+)\s*\|\s*(\S+)/.exec(line) ?? [];
    if (channel === undefined || client === undefined || client.startsWith("pldma")) return [];
    return [
      `${client === "in-use" ? "an unknown driver" : client} from ${channel}`,
    ];
  });
}

function explainOpen(device: string, code: string | null): string | null {
  switch (code) {
    case null:
      return null;
    case "EACCES":
    case "EPERM":
      return `No permission for ${device}: join its group (see ls -l ${device}), or install ` +
        "the udev rule driver/kernel/70-pldma.rules";
    case "EBUSY":
      return `${device} is open in another program: fuser ${device} shows which`;
    case "EISDIR":
      return `Expected a device node such as /dev/pldma0, found the folder ${device}: see ls /dev/pldma*`;
    case "ENODEV":
    case "ENXIO":
      return `${device} has no driver any more: see dmesg`;
    default:
      return `${device} cannot be opened: ${code}`;
  }
}

/**
 * Opens a device once, and explains why that fails.
 *
 * @param device Path of the device node
 * @param syscalls The system calls that reach it. Defaults to those of this machine
 * @returns One line, or `null` if the device can be opened and has the expected ABI
 */
export function findProblem(device: string, syscalls: Syscalls = libc): string | null {
  try {
    Device.open({ path: device, syscalls })[Symbol.dispose]();
    return null;
  } catch (error) {
    const reason = errorMessage(error);
    if (mayLook()) return explainDevice(device) ?? reason;
    return `${reason}; deno test -A can say why`;
  }
}

/** Whether this process may read /proc and /dev, for which Deno requires `-A`. */
function mayLook(): boolean {
  try {
    Deno.statSync("/proc/modules");
    return true;
  } catch (error) {
    return !(error instanceof Deno.errors.NotCapable);
  }
}
