// SPDX-License-Identifier: MIT
/**
 * A remote board: the connection with its agent, its lock, and why a device cannot be used.
 *
 * @module
 */

import { Device } from "../../driver/device.ts";
import { ErrnoError } from "../../driver/errno.ts";
import { Remote, type RemoteAddress, TOKEN_VARIABLE } from "../../driver/remote.ts";
import { O_CLOEXEC, O_RDWR, O_WRONLY } from "../../driver/syscalls.ts";
import type { FaultAccess } from "../../fixtures/boards/vm/fault.ts";
import { errorMessage } from "../text/error_message.ts";
import { type BoardLock, lockDevice, LockHeldError, type LockHolder, parseHolder } from "./lock.ts";
import { explainDevice } from "./precheck.ts";

/** Longest wait for the lock, milliseconds. The agent notices a lost desk within 15 s. */
const PATIENCE_MS = 20_000;

/**
 * Connects with the agent of a target, with the token in `PLUMBLINE_AGENT_TOKEN`.
 *
 * @param address Where the agent is
 * @returns The target
 * @throws {AgentError} If there is no agent, or it refuses
 */
export function connectTarget(address: RemoteAddress): Remote {
  return Remote.connect(address, Deno.env.get(TOKEN_VARIABLE) ?? "");
}

/**
 * Locks a device of a target until the connection ends. The agent holds the lock, in the way of
 * `lockDevice()`, so that a run on the target is excluded, too.
 *
 * @param remote The target
 * @param device Path of the device
 * @param options `what`: what runs, in words. `token`: token of the run. Defaults to a new one
 * @returns The lock
 * @throws {LockHeldError} If another run holds it
 */
export function lockTarget(
  remote: Remote,
  device: string,
  options: { what: string; token?: string | undefined },
): BoardLock {
  const desk = `${Deno.hostname()}, process ${Deno.pid}`;
  const token = options.token ?? crypto.randomUUID();
  const what = `${options.what}, from ${desk}`;
  const holder: LockHolder = {
    pid: remote.target.pid,
    since: new Date().toISOString(),
    what,
    token,
  };
  const text = `${JSON.stringify(holder)}\n`;
  // a test file of the same process has its own connection
  const isOurs = (other: LockHolder | null) =>
    other !== null && (other.token === options.token || other.what.endsWith(`from ${desk}`));
  let taken = remote.lock(device, text, 0);
  const found = parseHolder(taken.text);
  if (!taken.locked && !isOurs(found)) taken = remote.lock(device, text, PATIENCE_MS);
  const other = parseHolder(taken.text);
  if (!taken.locked && !isOurs(other)) {
    throw new LockHeldError(device, `${device} on ${remote.target.node}`, other);
  }
  return {
    token: taken.locked ? token : other?.token ?? token,
    shared: !taken.locked,
    stale: taken.locked ? other : null,
    check() {
      // the agent drops the lock only with the connection
      remote.ping();
    },
  };
}

/**
 * Locks a device, wherever it is.
 *
 * @param remote The target of a remote board, or null for this machine
 * @param device Path of the device
 * @param options As `lockDevice()` and {@linkcode lockTarget} take them
 * @returns The lock
 * @throws {LockHeldError} If another run holds it
 */
export function lockBoard(
  remote: Remote | null,
  device: string,
  options: { what: string; token?: string | undefined },
): BoardLock {
  return remote === null ? lockDevice(device, options) : lockTarget(remote, device, options);
}

/**
 * Locks several devices.
 *
 * @param remote As for {@linkcode lockBoard}
 * @param devices Paths of the devices
 * @param options As for {@linkcode lockBoard}
 * @returns The locks, in the order of the devices
 * @throws {LockHeldError} If another run holds one of them
 */
export function lockAll(
  remote: Remote | null,
  devices: readonly string[],
  options: { what: string; token?: string | undefined },
): BoardLock[] {
  return devices.map((device) => lockBoard(remote, device, options));
}

/**
 * Explains why a device of a target cannot be used.
 *
 * @param remote The target
 * @param device Path of the device
 * @returns One line, or `null` if the device can be opened and has the expected ABI
 */
export function explainRemote(remote: Remote, device: string): string | null {
  const reason = explainDevice(device, {
    exists: (path) => path === device ? tryOpen(remote, path) !== "ENOENT" : remote.exists(path),
    read: (path) => remote.readFile(path),
    open: (path) => tryOpen(remote, path),
    // the agent lists no device nodes, but the kernel does
    list: (path) => remote.list(path === "/dev" ? "/sys/class/misc" : path),
  });
  if (reason !== null) return `On ${remote.target.node}: ${reason}`;
  try {
    Device.open({ path: device, syscalls: remote })[Symbol.dispose]();
    return null;
  } catch (error) {
    return `On ${remote.target.node}: ${errorMessage(error)}`;
  }
}

/**
 * Returns how the files of a target are accessed that inject faults. The agent writes them only if it was started
 * with `--allow-faults`.
 *
 * @param remote The target
 * @returns The access
 */
export function faultAccess(remote: Remote): FaultAccess {
  return {
    read: (path) => foundOn(remote, path, remote.readFile(path)),
    write(path, text) {
      let fd: number;
      try {
        fd = remote.open(path, O_WRONLY | O_CLOEXEC);
      } catch (error) {
        throw new Error(
          "fault injection on a remote board needs a virtual one, and plumbline-agent " +
            `--allow-faults (${errorMessage(error)})`,
        );
      }
      try {
        remote.write(fd, new TextEncoder().encode(text));
      } finally {
        remote.close(fd);
      }
    },
    list: (path) => remote.list(path),
    exists: (path) => remote.exists(path),
  };
}

/**
 * Takes what a target has.
 *
 * @param remote The target
 * @param path Where it was looked for, for the error
 * @param value What was found, or null
 * @returns What was found
 * @throws {Error} If nothing was found
 */
export function foundOn(remote: Remote, path: string, value: string | null): string {
  if (value !== null) return value;
  throw new Error(`Expected ${path} on ${remote.target.node}, found none`);
}

/** Nothing ever notifies this, so a wait on it is a sleep. */
const sleeper = new Int32Array(new SharedArrayBuffer(4));

/** Opens and closes a device. Returns the code of the error, or null. */
function tryOpen(remote: Remote, path: string): string | null {
  for (let tries = 1;; tries++) {
    try {
      remote.close(remote.open(path, O_RDWR | O_CLOEXEC));
      return null;
    } catch (error) {
      if (!(error instanceof ErrnoError)) throw error;
      // the process of a connection that has just ended may still close the device
      if (error.code !== "EBUSY" || tries === 20) return error.code;
      Atomics.wait(sleeper, 0, 0, 100);
    }
  }
}
