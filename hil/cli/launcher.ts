// SPDX-License-Identifier: MIT
/**
 * The `npx` that started this process. A signal that ends it reaches neither Deno nor the run, which would
 * go on without anybody who waits for it, and keep the lock on the board.
 *
 * @module
 */

/** A process. The time of its start tells it from a later one with the same id. */
export interface Launcher {
  /** Its process id. */
  readonly pid: number;
  /** When it started, in ticks since boot. */
  readonly started: string;
}

/** The most ancestors that are looked at. */
const MOST = 16;

/** Reads a file of `/proc`, or returns null if its process is gone. */
type Read = (path: string) => string | null;

function readProc(path: string): string | null {
  try {
    return Deno.readTextFileSync(path);
  } catch {
    return null;
  }
}

/**
 * Finds each `npx` among the ancestors of a process.
 *
 * @param pid The process. Defaults to this one
 * @param read Reads a file of `/proc`, for tests
 * @returns The innermost one first, or none
 */
export function findLaunchers(pid = Deno.pid, read: Read = readProc): Launcher[] {
  const found: Launcher[] = [];
  for (let i = 0, at = pid; i < MOST && at > 1; i++) {
    const stat = statOf(at, read);
    if (stat === null) break;
    const words = read(`/proc/${at}/cmdline`) ?? "";
    // npm names its process so, and before that it is node with the path of npx
    if (/^npm exec |\/npx(-cli\.js)?\0/.test(words)) found.push({ pid: at, started: stat.started });
    at = stat.parent;
  }
  return found;
}

/**
 * Returns whether a launcher has ended.
 *
 * @param launcher The launcher
 * @param read Reads a file of `/proc`, for tests
 * @returns Whether no process with its id and its start runs
 */
export function isGone({ pid, started }: Launcher, read: Read = readProc): boolean {
  return statOf(pid, read)?.started !== started;
}

/** The parent and the start of a process, from `/proc/PID/stat` (proc_pid_stat(5)). */
function statOf(pid: number, read: Read): { parent: number; started: string } | null {
  const stat = read(`/proc/${pid}/stat`);
  if (stat === null) return null;
  // the name in parentheses may have blanks; field 3 is the first one after it
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const [state, parent, started] = [fields[0], Number(fields[1]), fields[19]];
  // a zombie has ended, although nobody has taken its status yet
  return started === undefined || state === "Z" ? null : { parent, started };
}
