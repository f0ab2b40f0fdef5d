// SPDX-License-Identifier: MIT
/**
 * What a check is, what it gets, and what it may ask: the suite is a list of groups, the same on
 * every board.
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
  PROT_READ,
  PROT_WRITE,
} from "../../../driver/syscalls.ts";
import {
  CHAN_STATS,
  type Direction,
  DIRECTIONS,
  type PolicyName,
  type RequestName,
  STATS,
} from "../../../driver/uapi.ts";
import type { Board } from "../../board/board.ts";
import { PAGE, Raw, type Struct } from "./raw.ts";

/** A wait that only a board in trouble needs, milliseconds. */
export const LONG = 20_000;

/** What is known before any check runs. */
export interface Setup {
  readonly board: Board;
  /** The device. */
  readonly path: string;
  readonly info: DeviceInfo;
  /** Why no fault can be injected, or null. */
  readonly noFaults: string | null;
  /** Why no engine can be made that keeps what it holds, or null. */
  readonly noWedge: string | null;
}

/** Says why a check cannot be done, or null. */
export type Need = (setup: Setup) => string | null;

/** A device that the kernel serves: its descriptors are the kernel's, and so are its waits. */
export const kernel: Need = ({ board }) =>
  board.kind === "sim" ? "the device is in this process: the kernel does not know it" : null;

/** An engine that misbehaves on request. */
export const faults: Need = ({ noFaults }) => noFaults;

/** An engine that, on request, never proves that it is idle. */
export const wedges: Need = ({ noWedge }) => noWedge;

/** A policy in both directions. */
export function offered(policy: PolicyName): Need {
  return ({ info }) => {
    const { tx, rx } = info.policies[policy];
    return tx && rx ? null : `the driver does not offer policy ${policy} here`;
  };
}

/** Room for several blocks, queued or in flight. */
export function queue(blocks: number): Need {
  return ({ info: { tx, rx } }) => {
    const depth = Math.min(tx?.queueDepth ?? 0, rx?.queueDepth ?? 0);
    return depth >= blocks ? null : `a queue holds ${depth} blocks: this takes ${blocks}`;
  };
}

/** One check. */
export interface Check {
  /** Unique in the suite, the group's name first. */
  readonly name: string;
  readonly needs: Need;
  /** Gets a device that was just opened. */
  readonly run: (raw: Raw, bench: Bench) => void | Promise<void>;
}

/** Adds a check to a group. */
export type Define = (
  what: string | { readonly name: string; readonly needs: Need },
  run: Check["run"],
) => void;

/**
 * Collect the checks of one group.
 *
 * @param name What every name begins with: a verb of the ABI
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

/** What a check works with. Disposing it leaves the board as it was. */
export class Bench implements Disposable {
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

  /** Open the device. Without O_CLOEXEC, programs that this process starts inherit it. */
  open(flags = O_CLOEXEC): Raw {
    return this.adopt(this.board.syscalls.open(this.path, O_RDWR | flags));
  }

  /** Use a descriptor of the device, and close it in the end. */
  adopt(fd: number): Raw {
    const raw = new Raw(this.board.syscalls, fd);
    this.#opened.push(raw);
    return raw;
  }

  /** Memory that is not the device's. */
  memory(size = PAGE, prot = PROT_READ | PROT_WRITE): Mapping {
    const flags = MAP_PRIVATE | MAP_ANONYMOUS;
    const mapping = this.board.syscalls.mmap(size, prot, flags, -1, 0);
    this.#memory.push(mapping);
    return mapping;
  }

  /** Unmap such memory early. */
  forget(mapping: Mapping): void {
    this.#memory.splice(this.#memory.indexOf(mapping), 1);
    this.board.syscalls.munmap(mapping);
  }

  /** Inject faults until {@linkcode disarm}. */
  arm(spec: string): void {
    this.#armed = true;
    this.board.arm(spec);
  }

  disarm(): void {
    if (!this.#armed) return;
    this.#armed = false;
    this.board.disarm();
  }

  /** Now, nanoseconds of the clock that deadlines are given in. */
  now(): number {
    return this.board.syscalls.monotonicNs();
  }

  /** A moment in the future. */
  in(milliseconds: number): number {
    return this.now() + milliseconds * 1e6;
  }

  /** The channel of a direction; the suite runs where both are present. */
  chan(direction: Direction): NonNullable<DeviceInfo["tx"]> {
    const chan = this.info[direction];
    if (chan === null) throw new Error(`This device has no ${direction}`);
    return chan;
  }

  /**
   * Send one frame round and dequeue both ends.
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
    return { rx: raw.dequeue("rx", this.in(LONG)), tx: raw.dequeue("tx", this.in(LONG)) };
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
      // an engine that was wedged lets go of its memory here
      for (const raw of this.#opened) if (raw.open) raw.reset();
    });
  }
}

/** Fail unless a condition holds. */
export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new Error(message);
}

/** Fail unless two values are equal. */
export function same<T>(found: T, expected: T, what: string): void {
  if (found !== expected) throw new Error(`${what}: expected ${expected}, found ${found}`);
}

/** Expect an errno. */
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

/** Where STATS counts what a refusal may change: deadlines that passed. */
const TIMEOUTS = DIRECTIONS.map((_name, i) =>
  STATS.at.chan + i * CHAN_STATS.size + CHAN_STATS.at.timeouts
);

/** Everything that the driver tells about itself: STATS, and QUERY of every block. */
function state(raw: Raw): string {
  const { bytes } = raw.stats();
  for (const at of TIMEOUTS) bytes.fill(0, at, at + 8);
  return [bytes, ...[...raw.ids].map((id) => raw.query(id).bytes)].map((one) => one.toHex()).join();
}

/** Expect an errno, and that nothing has changed. */
export function refuses(raw: Raw, code: ErrnoName, what: string, fn: () => unknown): void {
  const before = state(raw);
  fails(code, what, fn);
  assert(state(raw) === before, `${what}: refused with ${code}, yet STATS or QUERY has changed`);
}

/**
 * Expect that a request is refused, that nothing has changed, and that its struct is as it was but
 * for the member `error`, where there is one: that holds the errno.
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
      : `${name}: refused with ${code}, yet byte ${wrong} of the struct was written`,
  );
}

/** Wait until poll tells an event. An error, which poll tells unasked, does not end the wait. */
export function ready(raw: Raw, event: number): void {
  const end = raw.syscalls.monotonicNs() + LONG * 1e6;
  let events = 0;
  while (raw.syscalls.monotonicNs() < end) {
    events = raw.poll(event, LONG);
    if ((events & event) !== 0) return;
    Atomics.wait(pause, 0, 0, 1);
  }
  throw new Error(`poll: expected event ${event} within ${LONG} ms, found ${events}`);
}

/** Never notified: waiting on it is a sleep. */
const pause = new Int32Array(new SharedArrayBuffer(4));
