// SPDX-License-Identifier: MIT

/**
 * Packing and unpacking of the structs that are sent for every frame, and helpers for all other structs.
 * Numbers are little-endian, as on x86-64 and arm64 under Linux.
 *
 * @module
 */

import { DEQUEUE, ENQUEUE, SYNC } from "./uapi.ts";

const WORD = 0x1_0000_0000;

/** Number of words that travel beside a frame. */
export const SIDEBAND_WORDS = 4;

/** An id that no block has. It marks a DEQUEUE struct whose outputs the driver did not write. */
const NO_ID = 0xffff_ffff;

/**
 * Check that the host is little-endian, because this binding packs its structs so.
 *
 * @param probe The bytes of the 16-bit number 1. Defaults to those of this host.
 * @throws {Error} If the host is big-endian.
 */
export function requireLittleEndian(probe = new Uint8Array(new Uint16Array([1]).buffer)): void {
  if (probe[0] === 1) return;
  throw new Error(
    "Expected a little-endian host, found a big-endian one: the driver is not built for it",
  );
}

/**
 * Pack a whole number into 64 bits.
 *
 * @param view Receives the number.
 * @param at Offset in the view, bytes.
 * @param value A whole number from 0 to 2^53 - 1, or a time of up to 2^63 - 1.
 */
export function setNumber(view: DataView, at: number, value: number): void {
  view.setUint32(at, value >>> 0, true);
  view.setUint32(at + 4, Math.floor(value / WORD), true);
}

/**
 * Unpack a 64-bit count.
 *
 * @param view Contains the number.
 * @param at Offset in the view, bytes.
 * @returns The number.
 * @throws {RangeError} If the number is above 2^53 - 1, because a double may not represent it exactly.
 */
export function getNumber(view: DataView, at: number): number {
  const high = view.getUint32(at + 4, true);
  if (high < 0x20_0000) return high * WORD + view.getUint32(at, true);
  throw new RangeError(
    `Expected a number up to 2^53 - 1 from the driver, found ${view.getBigUint64(at, true)}`,
  );
}

/**
 * Unpack a 64-bit number of nanoseconds. CLOCK_MONOTONIC exceeds 2^53 after 104 days without a reboot, so
 * a larger time is rounded to the precision of a double (2 ns, later 4 ns) instead of refused.
 *
 * @param view Contains the number.
 * @param at Offset in the view, bytes.
 * @returns Nanoseconds.
 */
export function getTime(view: DataView, at: number): number {
  return view.getUint32(at + 4, true) * WORD + view.getUint32(at, true);
}

/**
 * Unpack a string.
 *
 * @param view Contains the string.
 * @param at Offset in the view, bytes.
 * @param room Size of the member that holds the string, bytes.
 * @returns The characters before the first NUL, or all of them without a NUL.
 */
export function getString(view: DataView, at: number, room: number): string {
  const bytes = new Uint8Array(view.buffer, view.byteOffset + at, room);
  const end = bytes.indexOf(0);
  return new TextDecoder().decode(end < 0 ? bytes : bytes.subarray(0, end));
}

/**
 * Find the number of a name in an enum.
 *
 * @param what Name of the argument, for the message.
 * @param names Names by number.
 * @param name The name.
 * @returns The number.
 * @throws {RangeError} If the enum has no such name.
 */
export function indexOf<T extends string>(what: string, names: readonly T[], name: T): number {
  const index = names.indexOf(name);
  if (index >= 0) return index;
  throw new RangeError(`Expected ${what} to be one of ${names.join(", ")}, found ${name}`);
}

/**
 * Find the name of a number that the driver reports.
 *
 * @param what The C name of the enum, for the message.
 * @param names Names by number.
 * @param index The number.
 * @returns The name.
 * @throws {RangeError} If the number has no name in this version of the ABI.
 */
export function nameOf<T extends string>(what: string, names: readonly T[], index: number): T {
  const name = names[index];
  if (name !== undefined) return name;
  throw new RangeError(
    `Expected enum ${what} below ${names.length} from the driver, found ${index}`,
  );
}

/** `struct pldma_enqueue`. One object serves many calls. */
export class EnqueueArgument {
  /** The struct. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly #view: DataView;
  /** Whether the struct has words beside the frame. */
  #sideband = false;

  /**
   * Use memory as the struct.
   *
   * @param bytes The memory, filled with zeros. Defaults to new memory.
   */
  constructor(bytes: Uint8Array<ArrayBuffer> = new Uint8Array(ENQUEUE.size)) {
    this.bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, ENQUEUE.size);
  }

  /** The positive errno of the call, or 0. */
  get error(): number {
    return this.#view.getInt32(ENQUEUE.at.error, true);
  }

  /**
   * Set every input.
   *
   * @param id Id of the block.
   * @param flags `PLDMA_ENQUEUE_*`.
   * @param offset Start of the transfer, bytes.
   * @param length Number of bytes.
   * @param cookie A 64-bit number that the completion returns.
   * @param sideband Words that travel beside the frame. Defaults to none.
   */
  pack(
    id: number,
    flags: number,
    offset: number,
    length: number,
    cookie: bigint,
    sideband?: readonly number[],
  ): void {
    const view = this.#view;
    view.setUint32(ENQUEUE.at.id, id, true);
    view.setUint32(ENQUEUE.at.flags, flags, true);
    setNumber(view, ENQUEUE.at.offset, offset);
    setNumber(view, ENQUEUE.at.length, length);
    view.setBigUint64(ENQUEUE.at.cookie, cookie, true);
    view.setInt32(ENQUEUE.at.error, 0, true);
    if (sideband === undefined && !this.#sideband) return;
    this.#sideband = sideband !== undefined;
    for (let i = 0; i < SIDEBAND_WORDS; i++) {
      view.setUint32(ENQUEUE.at.sideband + 4 * i, sideband?.[i] ?? 0, true);
    }
  }

  /** Start of the transfer, bytes. */
  get offset(): number {
    return getNumber(this.#view, ENQUEUE.at.offset);
  }

  /** Number of bytes. */
  get length(): number {
    return getNumber(this.#view, ENQUEUE.at.length);
  }
}

/** `struct pldma_dequeue`. One object serves many calls. */
export class DequeueArgument {
  /** The struct. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly #view: DataView;

  /**
   * Use memory as the struct.
   *
   * @param bytes The memory, filled with zeros. Defaults to new memory.
   */
  constructor(bytes: Uint8Array<ArrayBuffer> = new Uint8Array(DEQUEUE.size)) {
    this.bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, DEQUEUE.size);
  }

  /**
   * Set every input, and an id that shows later whether the driver wrote the outputs.
   *
   * @param direction Index of the direction.
   * @param deadlineNs When to give up, nanoseconds of CLOCK_MONOTONIC.
   */
  pack(direction: number, deadlineNs: number): void {
    const view = this.#view;
    view.setUint32(DEQUEUE.at.direction, direction, true);
    view.setUint32(DEQUEUE.at.flags, 0, true);
    setNumber(view, DEQUEUE.at.deadline_ns, deadlineNs);
    view.setUint32(DEQUEUE.at.id, NO_ID, true);
    view.setInt32(DEQUEUE.at.error, 0, true);
  }

  /** Whether the driver wrote the outputs. */
  get written(): boolean {
    return this.id !== NO_ID;
  }

  /** The positive errno of the call, or 0. */
  get error(): number {
    return this.#view.getInt32(DEQUEUE.at.error, true);
  }

  /** Id of the block. */
  get id(): number {
    return this.#view.getUint32(DEQUEUE.at.id, true);
  }

  /** Index of the status. */
  get status(): number {
    return this.#view.getUint32(DEQUEUE.at.status, true);
  }

  /** Start of the transfer, bytes. */
  get offset(): number {
    return getNumber(this.#view, DEQUEUE.at.offset);
  }

  /** Number of bytes moved. */
  get length(): number {
    return getNumber(this.#view, DEQUEUE.at.length);
  }

  /** The number that was enqueued with the block. Avoids a new bigint for the usual 0n. */
  get cookie(): bigint {
    const at = DEQUEUE.at.cookie;
    const view = this.#view;
    if (view.getUint32(at, true) === 0 && view.getUint32(at + 4, true) === 0) return 0n;
    return view.getBigUint64(at, true);
  }

  /** When ENQUEUE accepted the block, nanoseconds of CLOCK_MONOTONIC. */
  get queuedNs(): number {
    return getTime(this.#view, DEQUEUE.at.queued_ns);
  }

  /** When the driver submitted the transfer to the engine, nanoseconds of CLOCK_MONOTONIC. */
  get submittedNs(): number {
    return getTime(this.#view, DEQUEUE.at.submitted_ns);
  }

  /** When the engine reported completion, nanoseconds of CLOCK_MONOTONIC. */
  get doneNs(): number {
    return getTime(this.#view, DEQUEUE.at.done_ns);
  }

  /** Time to hand the memory to the device, nanoseconds. */
  get syncDeviceNs(): number {
    return getTime(this.#view, DEQUEUE.at.sync_device_ns);
  }

  /** Time to hand the memory to the CPU, nanoseconds. */
  get syncCpuNs(): number {
    return getTime(this.#view, DEQUEUE.at.sync_cpu_ns);
  }

  /** Index of the kind of check value, or 0 without one. */
  get checkKind(): number {
    return this.#view.getUint32(DEQUEUE.at.check_kind, true);
  }

  /** The check value. */
  get check(): number {
    return this.#view.getUint32(DEQUEUE.at.check, true);
  }

  /** The words that came beside the frame. */
  get sideband(): number[] {
    return Array.from(
      { length: SIDEBAND_WORDS },
      (_, i) => this.#view.getUint32(DEQUEUE.at.sideband + 4 * i, true),
    );
  }
}

/** `struct pldma_sync`. One object serves many calls. */
export class SyncArgument {
  /** The struct. */
  readonly bytes: Uint8Array<ArrayBuffer> = new Uint8Array(SYNC.size);
  readonly #view = new DataView(this.bytes.buffer);

  /**
   * Set every input.
   *
   * @param id Id of the block.
   * @param op Index of the operation.
   * @param offset Start of the range, bytes.
   * @param length Number of bytes.
   */
  pack(id: number, op: number, offset: number, length: number): void {
    const view = this.#view;
    view.setUint32(SYNC.at.id, id, true);
    view.setUint32(SYNC.at.op, op, true);
    setNumber(view, SYNC.at.offset, offset);
    setNumber(view, SYNC.at.length, length);
  }

  /** Duration of the sync calls, nanoseconds. */
  get ns(): number {
    return getTime(this.#view, SYNC.at.ns);
  }
}
