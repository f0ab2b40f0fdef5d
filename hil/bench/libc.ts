// SPDX-License-Identifier: MIT
/**
 * Calls into the C library that only the benchmark makes: processor time, and copies of whole memory ranges.
 * They are not part of the seam below the driver binding, because they are the same on every board.
 *
 * @module
 */

const SYMBOLS = {
  getrusage: {
    parameters: [
      "i32", // int who
      "buffer", // struct rusage *usage
    ],
    result: "i32",
  },
  memcpy: {
    parameters: [
      "u64", // void *target
      "u64", // const void *source
      "usize", // size_t length
    ],
    result: "u64", // void *
  },
} as const satisfies Deno.ForeignLibraryInterface;

let symbols: Deno.DynamicLibrary<typeof SYMBOLS>["symbols"] | undefined;

function load(): Deno.DynamicLibrary<typeof SYMBOLS>["symbols"] {
  return symbols ??= Deno.dlopen("libc.so.6", SYMBOLS).symbols;
}

const RUSAGE_SELF = 0;
const RUSAGE_THREAD = 1;
const usage = new BigInt64Array(18); // struct rusage: two timevals, then 14 longs

/** Processor time, seconds. */
export interface CpuTime {
  /** In user mode. */
  readonly user: number;
  /** In the kernel on behalf of the process. */
  readonly system: number;
}

/**
 * Returns the processor time so far, by `getrusage()`. It does not include the work of interrupts and kernel
 * threads.
 *
 * @param who All threads of this process together, or the calling thread. Defaults to the process
 * @returns The processor time
 */
export function cpuTime(who: "process" | "thread" = "process"): CpuTime {
  const number = who === "process" ? RUSAGE_SELF : RUSAGE_THREAD;
  if (load().getrusage(number, usage) !== 0) throw new Error("getrusage() failed");
  const seconds = (at: number) => Number(usage[at]) + Number(usage[at + 1]) / 1e6;
  return { user: seconds(0), system: seconds(2) };
}

/**
 * Copies between memory at two addresses, by `memcpy`.
 *
 * @param to The target; as many bytes must be mapped there and writable
 * @param from The source; as many bytes must be mapped there
 * @param length Number of bytes
 */
export function copyBytes(to: bigint, from: bigint, length: number): void {
  load().memcpy(to, from, BigInt(length));
}
