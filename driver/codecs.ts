// SPDX-License-Identifier: MIT

/**
 * Packing and unpacking of the structs that are passed often, and the helpers for all others. Little
 * endian, as x86-64 and arm64 under Linux are.
 *
 * @module
 */

import { DEQUEUE, ENQUEUE, SYNC } from "./uapi.ts";

const WORD = 0x1_0000_0000;

/** Id that no block has: it marks a DEQUEUE struct whose outputs were not written. */
const NO_ID = 0xffff_ffff;

/**
 * Refuse a host that does not keep its bytes in the order that this binding packs them in.
 *
 * @param probe The bytes of the 16-bit number 1, for a test.
 * @throws {Error} On a big-endian host.
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
 * @param view Where to.
 * @param at Offset, bytes.
 * @param value From 0 to 2^53 - 1; for a time, whatever a double holds below 2^63.
 */
export function setNumber(view: DataView, at: number, value: number): void {
  view.setUint32(at, value >>> 0, true);
  view.setUint32(at + 4, Math.floor(value / WORD), true);
}

/**
 * Unpack 64 bits that count something.
 *
 * @param view Where from.
 * @param at Offset, bytes.
 * @returns The number.
 * @throws {RangeError} When it is above 2^53 - 1 and so not exact in a double.
 */
export function getNumber(view: DataView, at: number): number {
  const high = view.getUint32(at + 4, true);
  if (high < 0x20_0000) return high * WORD + view.getUint32(at, true);
  throw new RangeError(
    `Expected a number up to 2^53 - 1 from the driver, found ${view.getBigUint64(at, true)}`,
  );
}

/**
 * Unpack 64 bits of nanoseconds. CLOCK_MONOTONIC passes 2^53 after 104 days without a reboot, so a
 * time beyond is rounded to what a double holds (2 ns, later 4 ns) and not refused.
 *
 * @param view Where from.
 * @param at Offset, bytes.
 * @returns Nanoseconds.
 */
export function getTime(view: DataView, at: number): number {
  return view.getUint32(at + 4, true) * WORD + view.getUint32(at, true);
}

/**
 * Unpack a string.
 *
 * @param view Where from.
 * @param at Offset, bytes.
 * @param room Bytes that the string and its NUL may take.
 * @returns The characters before the first NUL.
 */
export function getString(view: DataView, at: number, room: number): string {
  const bytes = new Uint8Array(view.buffer, view.byteOffset + at, room);
  const end = bytes.indexOf(0);
  return new TextDecoder().decode(end < 0 ? bytes : bytes.subarray(0, end));
}

/**
 * Name what the driver tells by a number.
 *
 * @param what The C name of the enum, for the message.
 * @param names Names by number.
 * @param index The number.
 * @returns The name.
 * @throws {RangeError} When the number has no name in this version of the ABI.
 */
export function nameOf<T extends string>(what: string, names: readonly T[], index: number): T {
  const name = names[index];
  if (name !== undefined) return name;
  throw new RangeError(
    `Expected enum ${what} below ${names.length} from the driver, found ${index}`,
  );
}

/** `struct pldma_enqueue`, packed again for each call. */
export class EnqueueArgument {
  /** The struct. */
  readonly bytes: Uint8Array<ArrayBuffer> = new Uint8Array(ENQUEUE.size);
  readonly #view = new DataView(this.bytes.buffer);

  /**
   * Fill in every input.
   *
   * @param id The block.
   * @param flags `PLDMA_ENQUEUE_*`.
   * @param offset Start of the transfer, bytes.
   * @param length Bytes.
   * @param cookie Handed back on completion, 64 bits.
   */
  pack(id: number, flags: number, offset: number, length: number, cookie: bigint): void {
    const view = this.#view;
    view.setUint32(ENQUEUE.at.id, id, true);
    view.setUint32(ENQUEUE.at.flags, flags, true);
    setNumber(view, ENQUEUE.at.offset, offset);
    setNumber(view, ENQUEUE.at.length, length);
    view.setBigUint64(ENQUEUE.at.cookie, cookie, true);
    view.setInt32(ENQUEUE.at.error, 0, true);
  }
}

/** `struct pldma_dequeue`, packed again for each call. */
export class DequeueArgument {
  /** The struct. */
  readonly bytes: Uint8Array<ArrayBuffer> = new Uint8Array(DEQUEUE.size);
  readonly #view = new DataView(this.bytes.buffer);

  /**
   * Fill in every input, and an id that tells whether the outputs were written.
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

  /** Whether the driver wrote its outputs. */
  get written(): boolean {
    return this.id !== NO_ID;
  }

  /** The positive errno that the call failed with, or 0. */
  get error(): number {
    return this.#view.getInt32(DEQUEUE.at.error, true);
  }

  /** The block. */
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

  /** Bytes moved. */
  get length(): number {
    return getNumber(this.#view, DEQUEUE.at.length);
  }

  /** As enqueued. A bigint is only made for one that is not 0. */
  get cookie(): bigint {
    const at = DEQUEUE.at.cookie;
    const view = this.#view;
    if (view.getUint32(at, true) === 0 && view.getUint32(at + 4, true) === 0) return 0n;
    return view.getBigUint64(at, true);
  }

  /** When ENQUEUE took the block, nanoseconds of CLOCK_MONOTONIC. */
  get queuedNs(): number {
    return getTime(this.#view, DEQUEUE.at.queued_ns);
  }

  /** When the engine was given it, nanoseconds of CLOCK_MONOTONIC. */
  get submittedNs(): number {
    return getTime(this.#view, DEQUEUE.at.submitted_ns);
  }

  /** When the engine reported it, nanoseconds of CLOCK_MONOTONIC. */
  get doneNs(): number {
    return getTime(this.#view, DEQUEUE.at.done_ns);
  }

  /** Spent to hand it to the device, nanoseconds. */
  get syncDeviceNs(): number {
    return getTime(this.#view, DEQUEUE.at.sync_device_ns);
  }

  /** Spent to hand it to the CPU, nanoseconds. */
  get syncCpuNs(): number {
    return getTime(this.#view, DEQUEUE.at.sync_cpu_ns);
  }

  /** Index of the kind of check value; 0 when there is none. */
  get checkKind(): number {
    return this.#view.getUint32(DEQUEUE.at.check_kind, true);
  }

  /** The check value. */
  get check(): number {
    return this.#view.getUint32(DEQUEUE.at.check, true);
  }
}

/** `struct pldma_sync`, packed again for each call. */
export class SyncArgument {
  /** The struct. */
  readonly bytes: Uint8Array<ArrayBuffer> = new Uint8Array(SYNC.size);
  readonly #view = new DataView(this.bytes.buffer);

  /**
   * Fill in every input.
   *
   * @param id The block.
   * @param op Index of the operation.
   * @param offset Start of the range, bytes.
   * @param length Bytes.
   */
  pack(id: number, op: number, offset: number, length: number): void {
    const view = this.#view;
    view.setUint32(SYNC.at.id, id, true);
    view.setUint32(SYNC.at.op, op, true);
    setNumber(view, SYNC.at.offset, offset);
    setNumber(view, SYNC.at.length, length);
  }

  /** What the calls took, nanoseconds. */
  get ns(): number {
    return getTime(this.#view, SYNC.at.ns);
  }
}
