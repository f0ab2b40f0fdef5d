// SPDX-License-Identifier: MIT
/**
 * What a check is, what it gets, and what it can assert. The suite is a list of groups of checks, the same
 * on every board.
 *
 * @module
 */

import { ERRNO, ErrnoError, type ErrnoName } from "../../../driver/errno.ts";
import type { DeviceInfo } from "../../../driver/info.ts";
import type { Mapping } from "../../../driver/mapping.ts";
import {
  MAP_ANONYMOUS,
  MAP_PRIVATE,
  O_CLOEXEC,
  O_RDWR,
  POLLIN,
  PROT_READ,
  PROT_WRITE,
} from "../../../driver/syscalls.ts";
import {
  CHAN_STATS,
  type Direction,
  DIRECTIONS,
  type PolicyName,
  type RequestName,
  STATES,
  STATS,
} from "../../../driver/uapi.ts";
import type { Board } from "../../board/board.ts";
import { PAGE, Raw, type Struct } from "./raw.ts";

/** A timeout that a working board never reaches, milliseconds. */
export const LONG = 20_000;

/** The same once it is known that the driver wakes nobody, so that the suite still ends soon, milliseconds. */
const SHORT = 250;

/** Whether a call found what it waited for only at its deadline: nobody woke it. */
let asleep = false;

/** Throws if a call that waited came back with what it waited for, but only at its deadline. */
function woken(what: string, now: number, deadline: number): void {
  if (now < deadline) return;
  asleep = true;
  throw new Error(
    `${what}: expected it to return when the frame arrived, found it at its deadline`,
  );
}

/** The board and what it can do. */
export interface Setup {
  readonly board: Board;
  /** The device. */
  readonly path: string;
  readonly info: DeviceInfo;
  /** Why no fault can be injected, or `null` if faults can be injected. */
  readonly noFaults: string | null;
  /** Why the engine cannot be wedged, or `null` if it can. */
  readonly noWedge: string | null;
}

/** Returns why a check cannot run, or `null` if it can. */
export type Need = (setup: Setup) => string | null;

/** Needs a device in the kernel, with descriptors and waits of the kernel. */
export const kernel: Need = ({ board }) =>
  board.kind === "sim"
    ? "the kernel does not know this device, because it is simulated in this process"
    : board.kind === "remote"
    ? "the device belongs to a process on another machine"
    : null;

/** Needs CAP_SYS_RAWIO. The agent of a remote board has it if root started it. */
export const rawio: Need = ({ board }) =>
  board.kind === "sim" || board.kind === "remote" || Deno.uid() === 0
    ? null
    : "the request needs CAP_SYS_RAWIO: run the suite as root";

/** Needs memory that this process can access itself. */
export const here: Need = ({ board }) =>
  board.kind === "remote" ? "the memory of blocks is on another machine" : null;

/** Needs an engine that misbehaves on request. */
export const faults: Need = ({ noFaults }) => noFaults;

/** Needs an engine that can be wedged: then it is never proven idle. */
export const wedges: Need = ({ noWedge }) => noWedge;

/** Needs a policy in both directions. */
export function offered(policy: PolicyName): (board: Pick<Setup, "info">) => string | null {
  return ({ info }) => {
    const { tx, rx } = info.policies[policy];
    return tx && rx ? null : `the driver does not offer policy ${policy} in both directions`;
  };
}

/** Needs an engine whose driver reports how many bytes it moved. */
export const exactLengths: Need = ({ info }) =>
  info.rx?.exactLengths === false
    ? "the driver of the engine does not report how many bytes were moved"
    : null;

/** Needs queues with room for several blocks. */
export function queue(blocks: number): Need {
  return ({ info: { tx, rx } }) => {
    const depth = Math.min(tx?.queueDepth ?? 0, rx?.queueDepth ?? 0);
    return depth >= blocks
      ? null
      : `a queue has room for ${depth} blocks, but the check needs ${blocks}`;
  };
}

/** One check. */
export interface Check {
  /** Name of the check, unique in the suite. It starts with the name of the group. */
  readonly name: string;
  readonly needs: Need;
  /** Runs the check on a device that was just opened. */
  readonly run: (raw: Raw, context: CheckContext) => void | Promise<void>;
}

/** Adds a check to a group. */
export type Define = (
  what: string | { readonly name: string; readonly needs: Need },
  run: Check["run"],
) => void;

/**
 * Collects the checks of one group.
 *
 * @param name The beginning of the name of each check: a verb of the ABI
 * @param define Adds the checks
 * @returns The checks in order
 */
export function group(name: string, define: (check: Define) => void): Check[] {
  const checks: Check[] = [];
  define((what, run) => {
    const { name: rest, needs } = typeof what === "string"
      ? { name: what, needs: () => null }
      : what;
    checks.push({ name: `${name} ${rest}`, needs, run });
  });
  return checks;
}

/** The board as a check uses it. Disposing it restores the board. */
export class CheckContext implements Disposable {
  readonly board: Board;
  readonly path: string;
  readonly info: DeviceInfo;
  readonly #opened: Raw[] = [];
  readonly #memory: Mapping[] = [];
  #armed = false;

  constructor({ board, path, info }: Setup) {
    this.board = board;
    this.path = path;
    this.info = info;
  }

  /** Opens the device. Without O_CLOEXEC, programs that this process starts inherit it. */
  open(flags = O_CLOEXEC): Raw {
    return this.adopt(this.board.syscalls.open(this.path, O_RDWR | flags));
  }

  /** Takes over a descriptor of the device, which is closed on disposal. */
  adopt(fd: number): Raw {
    const raw = new Raw(this.board.syscalls, fd);
    this.#opened.push(raw);
    return raw;
  }

  /** Maps anonymous memory, which is unmapped on disposal. */
  memory(size = PAGE, prot = PROT_READ | PROT_WRITE): Mapping {
    const flags = MAP_PRIVATE | MAP_ANONYMOUS;
    const mapping = this.board.syscalls.mmap(size, prot, flags, -1, 0);
    this.#memory.push(mapping);
    return mapping;
  }

  /** Unmaps such memory now. */
  unmap(mapping: Mapping): void {
    this.#memory.splice(this.#memory.indexOf(mapping), 1);
    this.board.syscalls.munmap(mapping);
  }

  /** Injects faults until {@linkcode disarm}. */
  arm(spec: string): void {
    this.#armed = true;
    this.board.arm(spec);
  }

  disarm(): void {
    if (!this.#armed) return;
    this.#armed = false;
    this.board.disarm();
  }

  /** Gets the time by the clock of deadlines, nanoseconds. */
  now(): number {
    return this.board.syscalls.monotonicNs();
  }

  /** Gets a time in the future. */
  in(milliseconds: number): number {
    return this.now() + milliseconds * 1e6;
  }

  /** Gets the channel of a direction. The suite runs only on devices that have both. */
  chan(direction: Direction): NonNullable<DeviceInfo["tx"]> {
    const chan = this.info[direction];
    if (chan === null) throw new Error(`Expected a channel for ${direction}, found none`);
    return chan;
  }

  /**
   * Sends one frame through the device and dequeues both blocks.
   *
   * @returns Both completions
   */
  frame(
    raw: Raw,
    tx: number,
    rx: number,
    length = PAGE,
    room = length,
    flags = 0,
  ): Record<Direction, ReturnType<Raw["dequeue"]>> {
    raw.enqueue(rx, { length: room, flags });
    raw.enqueue(tx, { length, flags });
    return { rx: this.take(raw, "rx"), tx: this.take(raw, "tx") };
  }

  /**
   * Dequeues a block whose transfer ends soon.
   *
   * @throws {Error} If DEQUEUE returned only at its deadline
   */
  take(raw: Raw, direction: Direction): ReturnType<Raw["dequeue"]> {
    const deadline = this.in(asleep ? SHORT : LONG);
    const end = raw.dequeue(direction, deadline);
    woken("DEQUEUE", this.now(), deadline);
    return end;
  }

  /**
   * Sends one frame through the device and dequeues the tx block only.
   *
   * @returns The ids of both blocks. The rx block is completed
   */
  completed(raw: Raw): Record<Direction, number> {
    const tx = raw.alloc("streaming", "tx").id;
    const rx = raw.alloc("streaming", "rx").id;
    raw.enqueue(rx);
    raw.enqueue(tx);
    this.take(raw, "tx");
    ready(raw, POLLIN);
    return { tx, rx };
  }

  [Symbol.dispose](): void {
    using cleanup = new DisposableStack();
    for (const mapping of this.#memory) {
      cleanup.defer(() => this.board.syscalls.munmap(mapping));
    }
    for (const raw of this.#opened) {
      cleanup.defer(() => raw.dispose());
    }
    cleanup.defer(() => {
      if (!this.#armed) return;
      this.disarm();
      // a wedged engine releases its memory here
      for (const raw of this.#opened) if (raw.open) raw.reset();
    });
  }
}

/** Reads all memory of a mapping. */
export function load(mapping: Mapping): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(mapping.length);
  mapping.copyTo(bytes, 0);
  return bytes;
}

/** Throws unless a condition holds. */
export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new Error(message);
}

/** Throws unless two values are equal. */
export function same<T>(found: T, expected: T, what: string): void {
  if (found !== expected) throw new Error(`${what}: expected ${expected}, found ${found}`);
}

/** Throws unless a call fails with an errno. */
export function fails(code: ErrnoName, what: string, fn: () => unknown): void {
  try {
    fn();
  } catch (error) {
    if (!(error instanceof ErrnoError)) throw error;
    if (error.code === code) return;
    throw new Error(`${what}: expected ${code}, found ${error.code}`);
  }
  throw new Error(`${what}: expected ${code}, found success`);
}

/** Where STATS counts timeouts, which a failed call may change. */
const TIMEOUTS = DIRECTIONS.map((_name, i) =>
  STATS.at.chan + i * CHAN_STATS.size + CHAN_STATS.at.timeouts
);

/**
 * All state that the driver reports: STATS, and QUERY of every block. Whether the driver has already handed a
 * queued block to the engine is left out, because it does that at any time.
 */
function state(raw: Raw): string {
  const { bytes } = raw.stats();
  for (const at of TIMEOUTS) bytes.fill(0, at, at + 8);
  const blocks = [...raw.ids].map((id) => {
    const block = raw.query(id);
    if (STATES[block.get("state")] === "in-flight") {
      block.set("state", STATES.indexOf("queued"));
    }
    return block.bytes;
  });
  return [bytes, ...blocks].map((one) => one.toHex()).join();
}

/** Throws unless a call fails with an errno and changes no state. */
export function refuses(raw: Raw, code: ErrnoName, what: string, fn: () => unknown): void {
  const before = state(raw);
  fails(code, what, fn);
  assert(
    state(raw) === before,
    `${what}: expected no change after ${code}, but STATS or QUERY changed`,
  );
}

/**
 * Throws unless a request fails with an errno and changes no state. Its struct must be unchanged, too, except
 * for a member `error`, which must hold the errno.
 */
export function refusesCall(
  raw: Raw,
  code: ErrnoName,
  name: RequestName,
  argument: Struct<string>,
): void {
  const expected = argument.bytes.slice();
  const at = name === "ENQUEUE" || name === "DEQUEUE" ? argument.layout.at["error"] : undefined;
  if (at !== undefined) new DataView(expected.buffer).setInt32(at, ERRNO[code], true);
  refuses(raw, code, name, () => raw.call(name, argument));
  const wrong = argument.bytes.findIndex((byte, i) => byte !== expected[i]);
  assert(
    wrong < 0,
    at !== undefined && wrong >= at && wrong < at + 4
      ? `${name}: member error: expected ${ERRNO[code]}, found ${argument.get("error")}`
      : `${name}: expected an unchanged struct after ${code}, but byte ${wrong} was written`,
  );
}

/** Waits until poll reports an event. POLLERR, which poll reports without request, does not end the wait. */
export function ready(raw: Raw, event: number): void {
  const now = () => raw.syscalls.monotonicNs();
  const end = now() + LONG * 1e6;
  let events = 0;
  while (now() < end) {
    const timeout = asleep ? SHORT : LONG;
    const deadline = now() + timeout * 1e6;
    events = raw.poll(event, timeout);
    if ((events & event) !== 0) {
      woken("poll", now(), deadline);
      return;
    }
    Atomics.wait(pause, 0, 0, 1);
  }
  throw new Error(`poll: expected event ${event} within ${LONG} ms, found ${events}`);
}

/** Nothing notifies it, so waiting on it is a sleep. */
const pause = new Int32Array(new SharedArrayBuffer(4));
