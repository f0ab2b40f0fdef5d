// SPDX-License-Identifier: MIT
/**
 * What only the bench asks of the C library: processor time, and copies of whole memory ranges. It is no
 * part of the seam below the driver binding, for no board answers it in another way.
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
  memcpyTo: {
    name: "memcpy",
    parameters: [
      "u64", // void *target
      "buffer", // const void *source
      "usize", // size_t length
    ],
    result: "u64", // void *
  },
  memcpyFrom: {
    name: "memcpy",
    parameters: [
      "buffer", // void *target
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
 * What has been spent so far, by `getrusage()`. What an interrupt or a kernel thread does for it is not
 * in there.
 *
 * @param who All threads of this process together, or the calling one
 * @returns Processor time
 */
export function cpuTime(who: "process" | "thread" = "process"): CpuTime {
  const number = who === "process" ? RUSAGE_SELF : RUSAGE_THREAD;
  if (load().getrusage(number, usage) !== 0) throw new Error("getrusage() failed");
  const seconds = (at: number) => Number(usage[at]) + Number(usage[at + 1]) / 1e6;
  return { user: seconds(0), system: seconds(2) };
}

/**
 * `memcpy` into memory at an address.
 *
 * @param address Where to; as many bytes must be mapped there and writable
 * @param source The bytes
 */
export function copyIn(address: bigint, source: Uint8Array<ArrayBuffer>): void {
  load().memcpyTo(address, source, BigInt(source.length));
}

/**
 * `memcpy` out of memory at an address.
 *
 * @param target Where to
 * @param address Where from; as many bytes must be mapped there
 */
export function copyOut(target: Uint8Array<ArrayBuffer>, address: bigint): void {
  load().memcpyFrom(target, address, BigInt(target.length));
}
