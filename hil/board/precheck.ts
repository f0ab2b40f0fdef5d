// SPDX-License-Identifier: MIT
/**
 * Why there is no device: which step between hardware and program is missing.
 *
 * @module
 */

import { Device } from "../../driver/device.ts";
import { errorMessage } from "../text/error_message.ts";

/** The machine, as far as a missing device can be explained from it. */
export interface Machine {
  /** Whether a path exists. */
  exists(path: string): boolean;
  /** Text of a file, `null` when it cannot be read. */
  read(path: string): string | null;
  /** Open and close a device; `null` when that works, else the error's code, such as `EACCES`. */
  open(path: string): string | null;
  /** Names in a folder, none when there is no such folder. */
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
  read(path) {
    try {
      return Deno.readTextFileSync(path);
    } catch {
      return null;
    }
  },
  open(path) {
    try {
      Deno.openSync(path, { read: true, write: true }).close();
      return null;
    } catch (error) {
      const code = (error as { code?: unknown }).code;
      return typeof code === "string" ? code : error instanceof Error ? error.message : "unknown";
    }
  },
  list(path) {
    try {
      return [...Deno.readDirSync(path)].map((entry) => entry.name).sort();
    } catch {
      return [];
    }
  },
};

/**
 * Find out why a device cannot be used.
 *
 * @param device the device node, such as `/dev/pldma0`
 * @param machine where to look
 * @returns one line without a final period saying which step is missing, or `null` when the device
 * can be opened
 *
 * @example A machine without the driver
 * ```ts
 * import { explainDevice } from "./precheck.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const bare = { exists: () => false, read: () => null, open: () => "ENOENT", list: () => [] };
 * assertEquals(
 *   explainDevice("/dev/pldma0", bare),
 *   "No /dev/pldma0: the kernel module pldma is not loaded (modprobe pldma)",
 * );
 * ```
 */
export function explainDevice(device: string, machine: Machine = thisMachine): string | null {
  if (machine.exists(device)) return explainOpen(device, machine.open(device));
  const missing = `No ${device}`;
  const others = machine.list("/dev").filter((name) => /^pldma\d+$/.test(name));
  if (others.length > 0) {
    const [first = ""] = others;
    return `${missing}: there is ${others.map((name) => `/dev/${name}`).join(", ")} ` +
      `(--device /dev/${first})`;
  }
  if (!machine.exists("/sys/module/pldma")) {
    return `${missing}: the kernel module pldma is not loaded (modprobe pldma)`;
  }
  const deferred = (machine.read("/sys/kernel/debug/devices_deferred") ?? "").split("\n")
    .find((line) => line.includes("pldma"));
  if (deferred !== undefined) {
    const what = deferred.trim().replace(/\s+/g, " ");
    return `${missing}: pldma waits for its DMA controller, probe deferred (${what})`;
  }
  if (machine.list("/sys/class/misc").some((name) => /^pldma\d+$/.test(name))) {
    return `${missing}: the driver has a device but there is no node for it (is udev running?)`;
  }
  const held = heldChannels(machine.read("/sys/kernel/debug/dmaengine/summary") ?? "");
  if (held.length > 0) {
    return `${missing}: pldma is loaded but every DMA channel that it could have is taken: ` +
      `${held.join(", ")} (unbind that driver)`;
  }
  return `${missing}: pldma is loaded but found no DMA channels ` +
    "(device tree node plumbline,pldma, or module parameters; see dmesg)";
}

/**
 * Channels that another driver has, from dmaengine's summary in debugfs: a line for each channel in
 * use, ` dma0chan0    | 40400000.dma:tx`.
 */
function heldChannels(summary: string): string[] {
  return summary.split("\n").flatMap((line) => {
    const [, channel, client] = /^\s*(dma\d+chan\d+)\s*\|\s*(\S+)/.exec(line) ?? [];
    if (channel === undefined || client === undefined || client.startsWith("pldma")) return [];
    return [
      `${channel} by ${client === "in-use" ? "a driver that does not tell its name" : client}`,
    ];
  });
}

function explainOpen(device: string, code: string | null): string | null {
  switch (code) {
    case null:
      return null;
    case "EACCES":
    case "EPERM":
      return `No permission for ${device}: join the group that owns it (ls -l ${device}), or ` +
        "give it one by the udev rule in driver/kernel";
    case "EBUSY":
      return `${device} is open in another program, and opening is exclusive (fuser ${device})`;
    case "ENODEV":
    case "ENXIO":
      return `${device} has no driver behind it any more (see dmesg)`;
    default:
      return `${device} cannot be opened: ${code}`;
  }
}

/**
 * Open a device once and tell why that fails.
 *
 * @param device path of its node
 * @returns one line, or `null` when it can be opened and speaks our ABI
 */
export function findProblem(device: string): string | null {
  try {
    Device.open({ path: device })[Symbol.dispose]();
    return null;
  } catch (error) {
    const reason = errorMessage(error);
    return (mayLook() ? explainDevice(device) : null) ?? `${reason}; plumbline run tells more`;
  }
}

/** Whether Deno lets us look around: into /proc and /dev with all permissions only. */
function mayLook(): boolean {
  try {
    Deno.statSync("/proc/modules");
    return true;
  } catch (error) {
    return !(error instanceof Deno.errors.NotCapable);
  }
}
