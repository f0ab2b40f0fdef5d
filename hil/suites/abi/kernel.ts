// SPDX-License-Identifier: MIT
/**
 * System calls that the `Syscalls` interface does not have: for checks of how the kernel and the driver
 * work together.
 *
 * @module
 */

import { libc } from "../../../driver/libc.ts";
import type { Mapping } from "../../../driver/mapping.ts";

const SIGALRM = 14;
const SIGEV_THREAD_ID = 4;
const CLOCK_MONOTONIC = 1;
/** `_LINUX_CAPABILITY_VERSION_3` of linux/capability.h. */
const CAPABILITY_VERSION = 0x2008_0522;
const CAP_SYS_RAWIO = 17;

const SYMBOLS = {
  dup: { parameters: ["i32"], result: "i32" }, // int fd
  mprotect: {
    parameters: [
      "u64", // void *address
      "usize", // size_t length
      "i32", // int prot
    ],
    result: "i32",
  },
  system: {
    parameters: ["buffer"], // const char *command
    result: "i32",
    nonblocking: true,
  },
  abs: { type: "pointer" }, // any function without side effects
  gettid: { parameters: [], result: "i32" },
  signal: {
    parameters: [
      "i32", // int number
      "pointer", // void (*handler)(int)
    ],
    result: "pointer",
  },
  siginterrupt: {
    parameters: [
      "i32", // int number
      "i32", // int interrupt
    ],
    result: "i32",
  },
  timer_create: {
    parameters: [
      "i32", // clockid_t clock
      "buffer", // struct sigevent *event
      "buffer", // timer_t *timer
    ],
    result: "i32",
  },
  timer_settime: {
    parameters: [
      "u64", // timer_t timer
      "i32", // int flags
      "buffer", // const struct itimerspec *new
      "pointer", // struct itimerspec *old
    ],
    result: "i32",
  },
  capget: {
    parameters: [
      "buffer", // struct __user_cap_header_struct *header
      "buffer", // struct __user_cap_data_struct *data
    ],
    result: "i32",
  },
  capset: {
    parameters: [
      "buffer", // struct __user_cap_header_struct *header
      "buffer", // const struct __user_cap_data_struct *data
    ],
    result: "i32",
  },
  timer_delete: { parameters: ["u64"], result: "i32" }, // timer_t timer
} as const satisfies Deno.ForeignLibraryInterface;

let symbols: Deno.DynamicLibrary<typeof SYMBOLS>["symbols"] | undefined;

function load(): NonNullable<typeof symbols> {
  symbols ??= Deno.dlopen("libc.so.6", SYMBOLS).symbols;
  return symbols;
}

function checked(result: number, what: string): number {
  if (result < 0) throw new Error(`${what}: expected success, found ${result}`);
  return result;
}

/** Duplicates a descriptor of an open file. */
export function dup(fd: number): number {
  return checked(load().dup(fd), "dup");
}

/** Changes the protection of mapped memory; returns whether the kernel allows it. */
export function mprotect(mapping: Mapping, prot: number): boolean {
  return load().mprotect(mapping.address, BigInt(mapping.length), prot) === 0;
}

/** Makes calls on this thread without CAP_SYS_RAWIO, which the thread gets back afterwards. */
export function withoutRawio(use: () => void): void {
  const header = new Uint32Array([CAPABILITY_VERSION, 0]);
  // effective, permitted, inheritable: of capabilities 0 to 31, then of 32 to 63
  const data = new Uint32Array(6);
  checked(load().capget(header, data), "capget");
  const less = data.with(0, (data[0] ?? 0) & ~(1 << CAP_SYS_RAWIO));
  checked(load().capset(header, less), "capset");
  try {
    use();
  } finally {
    checked(load().capset(header, data), "capset");
  }
}

/**
 * Runs a shell command. It inherits every descriptor without O_CLOEXEC.
 *
 * @returns Its exit status
 */
export async function system(command: string): Promise<number> {
  const status = await load().system(new TextEncoder().encode(`${command}\0`));
  return status & 0x7f ? 128 + (status & 0x7f) : status >> 8 & 0xff;
}

/** Gets the flags of a mapping from the kernel, such as `dc`: not copied by fork(). */
export function vmFlags({ address }: Mapping): string[] {
  const maps = readAll("/proc/self/smaps");
  const entry = maps.split(/^(?=[0-9a-f]+-[0-9a-f]+ )/m).find((one) => {
    const [from = "", to = ""] = one.split(/[- ]/, 2);
    return BigInt(`0x${from}`) <= address && address < BigInt(`0x${to}`);
  });
  return /^VmFlags: (.*)$/m.exec(entry ?? "")?.[1]?.trim().split(" ") ?? [];
}

/** Reads a file of procfs. It uses libc, because Deno requires all permissions for /proc. */
function readAll(path: string): string {
  const fd = libc.open(path, 0);
  try {
    const decoder = new TextDecoder();
    const buffer = new Uint8Array(65536);
    let text = "";
    for (let n = libc.read(fd, buffer); n > 0; n = libc.read(fd, buffer)) {
      text += decoder.decode(buffer.subarray(0, n), { stream: true });
    }
    return text;
  } finally {
    libc.close(fd);
  }
}

/**
 * Calls a function while this thread gets a signal every few milliseconds. The signal handler does nothing.
 *
 * @param restart Whether the kernel restarts calls that the signal interrupts
 * @param fn The function
 */
export function withSignals(restart: boolean, fn: () => void): void {
  const { abs, gettid, signal, siginterrupt, timer_create, timer_settime, timer_delete } = load();
  const event = new Uint8Array(64); // union sigval, int signo, int notify, pid_t thread
  new Int32Array(event.buffer, 8, 3).set([SIGALRM, SIGEV_THREAD_ID, gettid()]);
  const timer = new BigUint64Array(1);
  checked(timer_create(CLOCK_MONOTONIC, event, new Uint8Array(timer.buffer)), "timer_create");
  const before = signal(SIGALRM, abs);
  try {
    checked(siginterrupt(SIGALRM, restart ? 0 : 1), "siginterrupt");
    const often = new BigInt64Array([0n, 10_000_000n, 0n, 10_000_000n]); // interval, first
    const id = timer[0] ?? 0n;
    checked(timer_settime(id, 0, new Uint8Array(often.buffer), null), "timer_settime");
    fn();
  } finally {
    checked(timer_delete(timer[0] ?? 0n), "timer_delete");
    signal(SIGALRM, before);
  }
}
