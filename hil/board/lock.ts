// SPDX-License-Identifier: MIT
/**
 * One run at a time on a board.
 *
 * The lock is `flock()` on a file, so it ends with the process that holds it, however that dies: a
 * file that nobody has locked is stale, whatever it says. The text in it names the holder, for people,
 * and carries a token that tells the processes and test files of one run from those of others.
 *
 * @module
 */

import { libc } from "../../driver/libc.ts";
import { O_CLOEXEC, O_RDWR } from "../../driver/syscalls.ts";

/** Environment variable by which a run's parent tells its children that the lock is theirs too. */
export const LOCK_VARIABLE = "PLUMBLINE_LOCK";

const LOCK_EX = 2;
const LOCK_NB = 4;

/** Who holds a board. */
export interface LockHolder {
  /** Process. */
  readonly pid: number;
  /** Since when, RFC 3339. */
  readonly since: string;
  /** What runs, in words. */
  readonly what: string;
  /** The run. */
  readonly token: string;
}

/** The board is held by another run. */
export class LockHeldError extends Error {
  /** Who holds it; null when that cannot be read. */
  readonly holder: LockHolder | null;

  /**
   * @param device The device
   * @param path The lock's file
   * @param holder Who holds it
   */
  constructor(device: string, path: string, holder: LockHolder | null) {
    super(
      holder === null
        ? `${device} is held by another run that does not tell its name (fuser ${path})`
        : `${device} is held by ${holder.what}, process ${holder.pid}, since ${holder.since}`,
    );
    this.name = "LockHeldError";
    this.holder = holder;
  }
}

/** A board that is this run's. */
export interface BoardLock {
  /** Tells the run from others; for {@linkcode LOCK_VARIABLE}. */
  readonly token: string;
  /** Whether it was taken before, by another test file or process of this run. */
  readonly shared: boolean;
  /** The holder of a stale lock that was found and taken over; null when there was none. */
  readonly stale: LockHolder | null;
  /**
   * Make sure that the lock is still there.
   *
   * @throws {Error} When its file was removed or replaced: another run may be on the board
   */
  check(): void;
}

/**
 * Take a device for this run, until the process ends. Test files of one process share the lock, and
 * so do children that {@linkcode LOCK_VARIABLE} names.
 *
 * @param device Path of the device
 * @param options `what` runs, in words; `dir`: where locks are, `/run/lock` or `/tmp` when left out;
 * `token` of the run that this process belongs to
 * @returns The lock
 * @throws {LockHeldError} When another run holds it
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
  options: { what: string; dir?: string; token?: string },
): BoardLock {
  const dir = options.dir ?? (isFolder("/run/lock") ? "/run/lock" : "/tmp");
  const path = `${dir}/plumbline${device.replaceAll("/", "-")}.lock`;
  create(path);
  // not a Deno file: that would be closed, and unlocked, with the test file that opened it
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
          "another run may have been on the board",
      );
    },
  };
}

function create(path: string): void {
  try {
    // any user may take the lock when this one is done
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
    const { pid, since, what, token } = JSON.parse(Deno.readTextFileSync(path));
    if (typeof pid !== "number" || typeof token !== "string") return null;
    return { pid, since: String(since), what: String(what), token };
  } catch {
    return null;
  }
}

let flockSymbol: ((fd: number, operation: number) => number) | null = null;

/** Lock a file for this open file; false when it is locked by another. */
function flock(fd: number): boolean {
  flockSymbol ??= Deno.dlopen("libc.so.6", {
    flock: { parameters: ["i32", "i32"], result: "i32" },
  }).symbols.flock;
  return flockSymbol(fd, LOCK_EX | LOCK_NB) === 0;
}
