// SPDX-License-Identifier: MIT
/**
 * The process that writes a journal, and whether it is alive.
 *
 * @module
 */

/** A process, identified so that a later process with the same number is not taken for it. */
export interface Writer {
  /** Its process id. */
  readonly pid: number;
  /** Its start, in clock ticks since the boot, or `null` if Deno may not read `/proc`. */
  readonly start: number | null;
  /** The boot of the machine and the namespace of the process id, or `null` if unknown. */
  readonly machine: string | null;
}

/**
 * Describes this process.
 *
 * @returns This process
 */
export function thisProcess(): Writer {
  return { pid: Deno.pid, start: startOf(Deno.pid), machine: thisMachine() };
}

/**
 * Returns whether a process is alive.
 *
 * @param writer The process
 * @returns Whether it is alive; `null` if that cannot be seen from here
 *
 * @example A process id that was used again is no proof
 * ```ts
 * import { isAlive, thisProcess } from "./writer.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const me = thisProcess();
 * assertEquals(isAlive(me), true);
 * assertEquals(isAlive({ ...me, start: 1 }), false);
 * ```
 */
export function isAlive(writer: Writer): boolean | null {
  const { pid, start, machine } = writer;
  // a file of results may come from anywhere
  if (!Number.isSafeInteger(pid) || pid <= 0 || start === null || machine === null) return null;
  if (machine !== thisMachine()) return null;
  return startOf(pid) === start;
}

/** The start of a process, in clock ticks since the boot; `null` if it is dead or cannot be read. */
function startOf(pid: number): number | null {
  const stat = read(() => Deno.readTextFileSync(`/proc/${pid}/stat`));
  // the name of the program, in parentheses, may contain spaces and parentheses
  const fields = stat?.slice(stat.lastIndexOf(")") + 2).split(" ") ?? [];
  const [state = "Z"] = fields;
  const start = Number(fields[19]);
  return "ZX".includes(state) || !Number.isSafeInteger(start) ? null : start;
}

/** This boot of this machine, and this namespace of process ids. */
function thisMachine(): string | null {
  const boot = read(() => Deno.readTextFileSync("/proc/sys/kernel/random/boot_id"));
  const namespace = read(() => Deno.readLinkSync("/proc/self/ns/pid"));
  return boot === null || namespace === null ? null : `${boot.trim()} ${namespace}`;
}

function read(attempt: () => string): string | null {
  try {
    return attempt();
  } catch {
    return null;
  }
}
