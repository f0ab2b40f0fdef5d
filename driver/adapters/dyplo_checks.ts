// SPDX-License-Identifier: MIT

/**
 * Checks of a driver with the block ioctls of 2015, through its adapter and a loopback.
 *
 * The first one moves data. The others look for mistakes that the data of a loopback does not show: three
 * that a real driver of this kind had.
 *
 * @module
 */

import { Device } from "../device.ts";
import { ErrnoError } from "../errno.ts";
import type { Direction } from "../uapi.ts";
import { DyploSyscalls } from "./dyplo.ts";
import type { Syscalls } from "../syscalls.ts";

/** A sync that the driver made for a transfer. */
export interface SyncRange {
  /** Direction of the transfer. */
  readonly direction: Direction;
  /** Whom the memory is handed to. */
  readonly op: "for-device" | "for-cpu";
  /** Number of bytes that were synced, from the beginning of the block. */
  readonly length: number;
  /** Number of bytes that the transfer may move, or has moved. */
  readonly due: number;
}

/** What a test bench can do beside the driver's ioctls. */
export interface DyploProbe {
  /** Lets a signal end the next wait in a call. Defaults to no signal, and one check is skipped. */
  readonly interrupt?: () => void;
  /** Returns the syncs until now. Defaults to no record, and one check is skipped. */
  readonly syncs?: () => readonly SyncRange[];
}

/** The result of a check. */
export interface DyploCheck {
  /** What must hold. */
  readonly name: string;
  /** What is wrong; null if it holds, or if the check was skipped. */
  readonly problem: string | null;
  /** Why the check was skipped, or null. */
  readonly skipped: string | null;
}

/** Bytes of a block in the checks. */
const SIZE = 4096;

/** Bytes of the frames, which grow in the same blocks. */
const LENGTHS = [64, 1000, 4096];

/**
 * Check a driver. It opens the device for each check.
 *
 * @param under The system calls that reach the driver.
 * @param path Path of the device, whose design returns each frame.
 * @param probe What else the test bench can do.
 * @returns A result for each check, in a fixed order.
 * @throws {ErrnoError} If the device cannot be opened.
 *
 * @example On a target with a loopback design
 * ```ts ignore
 * import { checkDyplo } from "./driver/adapters/dyplo_checks.ts";
 * import { libc } from "./driver/libc.ts";
 *
 * for (const { name, problem } of checkDyplo(libc, "/dev/dyplod0")) console.log(name, problem ?? "ok");
 * ```
 */
export function checkDyplo(under: Syscalls, path: string, probe: DyploProbe = {}): DyploCheck[] {
  const run = (name: string, blocking: boolean, check: (device: Device) => string | null) => {
    using device = Device.open({ path, syscalls: new DyploSyscalls(under, { blocking }) });
    return { name, problem: problemOf(() => check(device)), skipped: null };
  };
  const skip = (name: string, skipped: string) => ({ name, problem: null, skipped });
  const { interrupt, syncs } = probe;
  const [synced, woken] = [
    "each ENQUEUE and DEQUEUE syncs the bytes of its own frame",
    "a tx wait that a signal ended is woken by the next completion",
  ];
  return [
    run("frames of growing length come back whole", false, checkLengths),
    run("tx ENQUEUE refuses more bytes than the block holds", false, checkBound),
    syncs === undefined
      ? skip(synced, "nothing records the syncs of the driver")
      : run(synced, false, (device) => checkSyncs(device, syncs)),
    interrupt === undefined
      ? skip(woken, "nothing can interrupt a wait")
      : run(woken, true, (device) => checkInterrupted(device, interrupt)),
  ];
}

/** What a check found, or what it threw. */
function problemOf(check: () => string | null): string | null {
  try {
    return check();
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** Makes a block for each direction. */
function makeBlocks(device: Device, count = 1) {
  const make = (direction: Direction) =>
    device.alloc({ size: SIZE, count, direction, policy: "streaming-lazy" });
  const [tx] = make("tx");
  const [rx] = make("rx");
  if (tx === undefined || rx === undefined) throw new Error("Expected two blocks, found fewer");
  return { tx, rx };
}

/** The bytes of a frame, which differ from those of other lengths everywhere. */
function frameOf(length: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length }, (_, i) => (i * 7 + (i >> 8) + length) & 0xff);
}

function checkLengths(device: Device): string | null {
  const { tx, rx } = makeBlocks(device);
  for (const length of LENGTHS) {
    const frame = frameOf(length);
    rx.enqueue();
    tx.set(frame);
    tx.enqueue({ length });
    const sent = device.dequeue("tx", { timeoutMs: 1000 });
    const received = device.dequeue("rx", { timeoutMs: 1000 });
    if (received.bytes !== length || sent.bytes !== length) {
      return `expected ${length} bytes, found ${sent.bytes} sent and ${received.bytes} received`;
    }
    if (!rx.equals(frame)) return `a frame of ${length} bytes came back changed`;
  }
  return null;
}

function checkBound(device: Device): string | null {
  const { tx, rx } = makeBlocks(device, 2);
  rx.enqueue();
  const length = SIZE + 8;
  try {
    tx.enqueue({ length });
  } catch (error) {
    if (error instanceof ErrnoError && error.code === "EINVAL") return null;
    throw error;
  }
  // take the transfer back, so that the blocks can be freed
  device.dequeue("tx", { timeoutMs: 1000 });
  device.dequeue("rx", { timeoutMs: 1000 });
  return `tx ENQUEUE took ${length} bytes of a block of ${SIZE}: the engine reads what lies behind it`;
}

function checkSyncs(device: Device, syncs: () => readonly SyncRange[]): string | null {
  const before = syncs().length;
  const problem = checkLengths(device);
  if (problem !== null) return problem;
  const made = syncs().slice(before);
  if (made.length !== 4 * LENGTHS.length) {
    return `expected ${4 * LENGTHS.length} syncs, found ${made.length}`;
  }
  const wrong = made.find(({ length, due }) => length < due);
  if (wrong === undefined) return null;
  const { direction, op, length, due } = wrong;
  const call = op === "for-device" ? "ENQUEUE" : "DEQUEUE";
  return `${direction} ${call} synced ${length} of ${due} bytes: a length of an earlier frame`;
}

function checkInterrupted(device: Device, interrupt: () => void): string | null {
  const { tx, rx } = makeBlocks(device);
  rx.enqueue();
  tx.set(frameOf(SIZE));
  interrupt();
  tx.enqueue();
  // a call that a signal ended is made again
  device.dequeue("tx", { timeoutMs: 1000 });
  device.dequeue("rx", { timeoutMs: 1000 });
  return rx.equals(frameOf(SIZE)) ? null : "the frame came back changed";
}
