// SPDX-License-Identifier: MIT
/**
 * What the doctor asks about a machine: its files, and a few facts that no file has. A test answers from
 * a made-up tree.
 *
 * @module
 */
import { Device } from "../../driver/device.ts";
import type { DeviceInfo } from "../../driver/info.ts";
import type { KernelFiles, Remote } from "../../driver/remote.ts";
import { localFiles } from "../board/local_files.ts";
import { explainDevice, thisMachine } from "../board/precheck.ts";
import { explainRemote } from "../board/remote.ts";
import { ROOT } from "../settings/paths.ts";
import { errorMessage } from "../text/error_message.ts";

/** Files of a machine. */
export type Files = Pick<KernelFiles, "readFile" | "readBytes" | "list" | "readLink">;

/** A machine, as the doctor sees it. */
export interface Facts {
  /** Its files. */
  readonly files: Files;
  /** The processor architecture, as `uname -m` names it. */
  readonly arch: string;
  /** The release of the kernel, as `uname -r` names it. */
  readonly release: string;
  /** The name of a remote board, which Deno does not run on; null for this machine. */
  readonly remote: string | null;
  /** The id of the user who opens devices: on a remote board, that of the agent. Null if it is not known. */
  readonly user: number | null;
  /** The folder with the sources of the kernel module. */
  readonly driver: string;
  /** Says why a device cannot be used, or returns null. */
  explain(device: string): string | null;
  /** Returns what a device offers, or why it does not answer. */
  info(device: string): DeviceInfo | string;
}

/** The facts of this machine. */
export function localFacts(): Facts {
  return {
    files: localFiles,
    arch: Deno.build.arch,
    release: Deno.osRelease(),
    remote: null,
    user: Deno.uid(),
    driver: `${ROOT}driver/kernel`,
    explain: (device) => explainDevice(device, thisMachine),
    info: (device) => askDevice(() => Device.open({ path: device })),
  };
}

/**
 * Returns the facts of a remote board, as far as its agent gives them.
 *
 * @param remote The target
 * @returns Its facts
 */
export function remoteFacts(remote: Remote): Facts {
  return {
    files: remote,
    arch: remote.target.machine,
    release: remote.target.release,
    remote: remote.target.node,
    user: agentUser(remote),
    driver: "driver/kernel",
    explain: (device) => explainRemote(remote, device),
    info: (device) => askDevice(() => Device.open({ path: device, syscalls: remote })),
  };
}

/** The effective id of the agent's user, the second one in its line (proc_pid_status(5)). */
function agentUser(remote: Remote): number | null {
  const status = remote.readFile("/proc/self/status") ?? "";
  const id = /^Uid:\s+\d+\s+(\d+)/m.exec(status)?.[1];
  return id === undefined ? null : Number(id);
}

function askDevice(open: () => Device): DeviceInfo | string {
  try {
    using device = open();
    return device.info;
  } catch (error) {
    return errorMessage(error);
  }
}

/**
 * Returns the files below a folder as if it was the root of a machine.
 *
 * @param root The folder
 * @returns Its files
 */
export function filesBelow(root: string): Files {
  return {
    readFile: (path) => localFiles.readFile(root + path),
    readBytes: (path) => localFiles.readBytes(root + path),
    list: (path) => localFiles.list(root + path),
    readLink: (path) => localFiles.readLink(root + path),
  };
}

/**
 * Reads a short text, without the zero bytes and line breaks at its end.
 *
 * @param files The files
 * @param path The file
 * @returns The text, or null if it cannot be read or is empty
 */
export function textOf(files: Files, path: string): string | null {
  const text = files.readFile(path)?.replace(/[\0\n]+$/, "") ?? "";
  return text === "" ? null : text;
}

/**
 * Returns whether a file or folder exists.
 *
 * @param files The files
 * @param path The path
 * @returns Whether its folder lists it
 */
export function isThere(files: Files, path: string): boolean {
  const slash = path.lastIndexOf("/");
  return files.list(path.slice(0, slash) || "/").includes(path.slice(slash + 1));
}

/**
 * Returns the last name in the target of a symbolic link.
 *
 * @param files The files
 * @param path The link
 * @returns The name, or null if there is no link
 */
export function linkName(files: Files, path: string): string | null {
  return files.readLink(path)?.split("/").at(-1) ?? null;
}
