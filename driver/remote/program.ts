// SPDX-License-Identifier: MIT

/**
 * Requests that the agent repeats, so that a measurement contains no network.
 *
 * @module
 */

import { getNumber, getTime } from "../codecs.ts";
import { OP, type OpName, REPEATED, REQUEST } from "./protocol.ts";

/** Requests that can be repeated. */
const REPEATABLE: ReadonlySet<OpName> = new Set([
  ...["IOCTL", "POLL", "READ", "WRITE", "CLOCK", "PUT", "COPY"] as const,
  ...["COMPARE", "COMPARE_WITH", "FILL", "CRC", "SUM"] as const,
]);

/** Requests in the order in which they were made. */
export class Program {
  readonly #requests: Uint8Array<ArrayBuffer>[] = [];

  /**
   * Append a request.
   *
   * @param op The request.
   * @param args Its arguments.
   * @param payload Its payload.
   * @throws {Error} If the agent does not repeat such a request.
   */
  add(op: OpName, args: readonly (number | bigint)[], payload: Uint8Array): void {
    if (!REPEATABLE.has(op)) throw new Error(`Expected requests that can be repeated, found ${op}`);
    const bytes = new Uint8Array(REQUEST.size + payload.length);
    const view = new DataView(bytes.buffer);
    view.setUint32(REQUEST.at.length, payload.length, true);
    view.setUint32(REQUEST.at.op, OP[op], true);
    for (let i = 0; i < 5; i++) {
      view.setBigInt64(REQUEST.at.arg + 8 * i, BigInt(args[i] ?? 0), true);
    }
    bytes.set(payload, REQUEST.size);
    this.#requests.push(bytes);
  }

  /** Number of requests. */
  get steps(): number {
    return this.#requests.length;
  }

  /**
   * Let each ioctl of one kind record members of its struct.
   *
   * @param request Number of the ioctl.
   * @param offset Offset in the struct, bytes.
   * @param count Number of 64-bit members from there on. Defaults to 1.
   */
  keep(request: number, offset: number, count = 1): void {
    for (const bytes of this.#requests) {
      const view = new DataView(bytes.buffer);
      const isIoctl = view.getUint16(REQUEST.at.op, true) === OP.IOCTL;
      if (!isIoctl || view.getUint32(REQUEST.at.arg + 8, true) !== request >>> 0) continue;
      view.setUint32(REQUEST.at.arg + 32, offset, true);
      view.setUint32(REQUEST.at.arg + 36, count, true);
    }
  }

  /** The requests as the agent takes them. */
  get bytes(): Uint8Array<ArrayBuffer> {
    const all = new Uint8Array(this.#requests.reduce((sum, { length }) => sum + length, 0));
    let at = 0;
    for (const bytes of this.#requests) {
      all.set(bytes, at);
      at += bytes.length;
    }
    return all;
  }
}

/** How often to repeat a program. */
export interface RepeatOptions {
  /** Time after which the agent stops, seconds. */
  readonly seconds: number;
  /** Most times. Defaults to 2000. */
  readonly most?: number;
  /** Passes of the program between two readings of the clock. Defaults to 1. */
  readonly passes?: number;
}

/** What the agent measured. Times are those of the target's clock, nanoseconds. */
export interface Repeated {
  /** How often it repeated the passes. */
  readonly times: number;
  /** The clock at the start, then for each time what its steps recorded and the clock at its end. */
  readonly records: readonly number[];
  /** How many comparisons found a difference. */
  readonly wrong: number;
  /** Processor time of the agent in user mode. */
  readonly userNs: number;
  /** Processor time of the kernel for the agent. */
  readonly systemNs: number;
}

/**
 * Unpack the reply to REPEAT.
 *
 * @param times The result.
 * @param payload The payload.
 * @returns What the agent measured.
 */
export function unpackRepeated(times: number, payload: Uint8Array): Repeated {
  const view = new DataView(payload.buffer, payload.byteOffset, payload.length);
  const records: number[] = [];
  for (let at = REPEATED.size; at + 8 <= payload.length; at += 8) records.push(getTime(view, at));
  return {
    times,
    records,
    wrong: getNumber(view, REPEATED.at.wrong),
    userNs: getTime(view, REPEATED.at.user_ns),
    systemNs: getTime(view, REPEATED.at.system_ns),
  };
}

/**
 * Unpack the call at which REPEAT failed.
 *
 * @param payload The payload of its reply.
 * @returns The number of the call, from 0.
 */
export function failedStep(payload: Uint8Array): number {
  const view = new DataView(payload.buffer, payload.byteOffset, payload.length);
  return view.getUint32(REPEATED.at.failed_step, true);
}
