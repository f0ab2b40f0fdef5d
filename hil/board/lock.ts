// SPDX-License-Identifier: MIT
/**
 * A lock, so that only one run uses a board.
 *
 * The lock is `flock()` on a file, so it ends when its process ends, in whatever way. A file without
 * a lock is stale. Its text names the process that holds the lock, and has a token that all processes
 * and test files of one run share.
 *
 * @module
 */

import { libc } from "../../driver/libc.ts";
import { O_CLOEXEC, O_RDWR } from "../../driver/syscalls.ts";

/** Environment variable with the token of the lock, for the child processes of a run. */
export const LOCK_VARIABLE = "PLUMBLINE_LOCK";

const LOCK_EX = 2;
const LOCK_NB = 4;

/** The process that holds a lock. */
export interface LockHolder {
  /** Its process id. */
  readonly pid: number;
  /** When it took the lock, RFC 3339. */
  readonly since: string;
  /** What it runs, in words. */
  readonly what: string;
  /** The token of the run. */
  readonly token: string;
}

/** Another run holds the board. */
export class LockHeldError extends Error {
  /** The process that holds it, or `null` if that cannot be read. */
  readonly holder: LockHolder | null;

  /**
   * @param device The device
   * @param path The file of the lock
   * @param holder The process that holds it
   */
  constructor(device: string, path: string, holder: LockHolder | null) {
    super(
      holder === null
        ? `${device} is held by an unknown process: fuser ${path} shows which`
        : `${device} is held by ${holder.what}, process ${holder.pid}, since ${holder.since}`,
    );
    this.name = "LockHeldError";
    this.holder = holder;
  }
}

/** A lock that this run holds. */
export interface BoardLock {
  /** The token of the run, for {@linkcode LOCK_VARIABLE}. */
  readonly token: string;
  /** Whether another test file or process of this run took the lock before. */
  readonly shared: boolean;
  /** The process that left a stale lock, or `null` if there was none. */
  readonly stale: LockHolder | null;
  /**
   * Checks that this run still holds the lock.
   *
   * @throws {Error} If its file was removed or replaced, so that another run may use the board
   */
  check(): void;
}

/**
 * Locks a device for this run, until the process ends. The test files of one process share the lock,
 * and so do child processes with the same token.
 *
 * @param device Path of the device
 * @param options `what`: what runs, in words. `dir`: folder of the locks. Defaults to `/run/lock`, or
 * to `/tmp` if that does not exist. `token`: token of the run. Defaults to a new one
 * @returns The lock
 * @throws {LockHeldError} If another run holds it
 *
 * @example A second taker in the same run shares the lock
 * ```ts
 * import { lockDevice } from "./lock.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const dir = Deno.makeTempDirSync();
 * const first = lockDevice("/dev/pldma0", { what: "an example", dir });
 * assertEquals(lockDevice("/dev/pldma0", { what: "again", dir }).token, first.token);
 * ```
 */
export function lockDevice(
  device: string,
  options: { what: string; dir?: string; token?: string | undefined },
): BoardLock {
  const dir = options.dir ?? (isFolder("/run/lock") ? "/run/lock" : "/tmp");
  const path = `${dir}/plumbline${device.replaceAll("/", "-")}.lock`;
  create(path);
  // not a Deno file, because Deno closes that, and unlocks it, after the test file that opened it
  const fd = libc.open(path, O_RDWR | O_CLOEXEC);
  const holder = read(path);
  if (!flock(fd)) {
    libc.close(fd);
    const ours = holder !== null && (holder.pid === Deno.pid || holder.token === options.token);
    if (!ours) throw new LockHeldError(device, path, holder);
    return lockAt(path, { token: holder.token, shared: true, stale: null });
  }
  const token = options.token ?? crypto.randomUUID();
  const { what } = options;
  const now: LockHolder = { pid: Deno.pid, since: new Date().toISOString(), what, token };
  Deno.writeTextFileSync(path, `${JSON.stringify(now)}\n`);
  return lockAt(path, { token, shared: false, stale: holder });
}

function lockAt(path: string, facts: Omit<BoardLock, "check">): BoardLock {
  const { ino } = Deno.statSync(path);
  return {
    ...facts,
    check() {
      const now = inode(path);
      if (now === ino && read(path)?.token === facts.token) return;
      throw new Error(
        `Expected the lock ${path} of this run, found ${now === null ? "none" : "another"}: ` +
          "another run may have used the board",
      );
    },
  };
}

function create(path: string): void {
  try {
    // any user may take the lock later
    Deno.openSync(path, { read: true, write: true, createNew: true }).close();
    Deno.chmodSync(path, 0o666);
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
  }
}

function inode(path: string): number | null {
  try {
    return Deno.statSync(path).ino;
  } catch {
    return null;
  }
}

function isFolder(path: string): boolean {
  try {
    return Deno.statSync(path).isDirectory;
  } catch {
    return false;
  }
}

function read(path: string): LockHolder | null {
  try {
    return parseHolder(Deno.readTextFileSync(path));
  } catch {
    return null;
  }
}

/**
 * Parses the text of the file of a lock.
 *
 * @param text The text
 * @returns The process that wrote it, or null if it cannot be parsed
 */
export function parseHolder(text: string): LockHolder | null {
  try {
    const { pid, since, what, token } = JSON.parse(text);
    if (typeof pid !== "number" || typeof token !== "string") return null;
    return { pid, since: String(since), what: String(what), token };
  } catch {
    return null;
  }
}

let flockSymbol: ((fd: number, operation: number) => number) | null = null;

/** Locks a file. Returns false if another process holds the lock. */
function flock(fd: number): boolean {
  flockSymbol ??= Deno.dlopen("libc.so.6", {
    flock: { parameters: ["i32", "i32"], result: "i32" },
  }).symbols.flock;
  return flockSymbol(fd, LOCK_EX | LOCK_NB) === 0;
}
