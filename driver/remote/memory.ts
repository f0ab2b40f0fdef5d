// SPDX-License-Identifier: MIT

/**
 * Memory on a target: blocks, memory of the caller, and copies of buffers that never change.
 *
 * @module
 */

import { isConstant } from "../constant.ts";
import { ErrnoError } from "../errno.ts";
import { Mapping } from "../mapping.ts";
import { MAP_ANONYMOUS, MAP_PRIVATE, PROT_READ, PROT_WRITE } from "../syscalls.ts";
import { MAX_PAYLOAD } from "./protocol.ts";
import type { AgentSession } from "./session.ts";

/** Constant buffers below this size are sent with every call, bytes. */
const SMALL = 256;

/** Bytes of a constant buffer that are sent at once. */
const PIECE = 1 << 20;

/** Memory on the target. This process has no view of it. */
export class RemoteMapping extends Mapping {
  readonly #session: AgentSession;
  readonly #constants: Constants;
  readonly #word = new Uint8Array(4);
  readonly #wordView = new DataView(this.#word.buffer);

  /**
   * Take over memory that the agent mapped.
   *
   * @param address Its address on the target.
   * @param length Its length, bytes.
   * @param session The session that it belongs to.
   * @param constants The target's copies of constant buffers.
   */
  constructor(address: number, length: number, session: AgentSession, constants: Constants) {
    super(BigInt(address), new ArrayBuffer(0), length);
    this.#session = session;
    this.#constants = constants;
  }

  override get buffer(): ArrayBuffer {
    throw noView();
  }

  override lend(): ArrayBuffer {
    throw noView();
  }

  override set(source: Uint8Array, at: number): void {
    const there = this.#constants.addressOf(source);
    if (there !== null) {
      this.#session.post("COPY", { args: [this.base + at, there, source.length] });
      return;
    }
    for (let from = 0; from < source.length; from += MAX_PAYLOAD) {
      const payload = source.subarray(from, from + MAX_PAYLOAD);
      this.#session.post("PUT", { args: [this.base + at + from], payload });
    }
  }

  override setInt32(at: number, value: number): void {
    this.#wordView.setInt32(0, value, true);
    this.set(this.#word, at);
  }

  override getInt32(at: number): number {
    this.copyTo(this.#word, at);
    return this.#wordView.getInt32(0, true);
  }

  override copyTo(target: Uint8Array, at: number): void {
    for (let from = 0; from < target.length; from += MAX_PAYLOAD) {
      const length = Math.min(MAX_PAYLOAD, target.length - from);
      this.#session.checkCarries("GET", length);
      const { error, payload } = this.#session.ask("GET", {
        args: [this.base + at + from, length],
      });
      if (error !== 0) throw new ErrnoError("agent GET", error, `${length} bytes`);
      target.set(payload, from);
    }
  }

  override fill(value: number, at: number, length: number): void {
    this.#session.post("FILL", { args: [this.base + at, value, length] });
  }
}

function noView(): Error {
  return new Error(
    "This memory is on another machine, so there is no view of it: use set(), fill(), copyTo() and " +
      "equals() of the block",
  );
}

/** The target's copies of constant buffers. */
export class Constants {
  readonly #session: AgentSession;
  readonly #copies = new WeakMap<
    ArrayBufferLike,
    { readonly address: number; readonly sent: Uint8Array }
  >();

  /**
   * Begin without a copy.
   *
   * @param session The session that the copies belong to.
   */
  constructor(session: AgentSession) {
    this.#session = session;
  }

  /**
   * Find the target's copy of bytes. Sends what the target does not have yet.
   *
   * @param bytes The bytes.
   * @returns Its address, or null if the bytes may change, are few, or have no room there.
   */
  addressOf(bytes: Uint8Array): number | null {
    if (this.#session.isSlow || bytes.length < SMALL || !isConstant(bytes)) return null;
    const { buffer, byteOffset } = bytes;
    let copy = this.#copies.get(buffer);
    if (copy === undefined) {
      const args = [
        buffer.byteLength,
        PROT_READ | PROT_WRITE,
        MAP_PRIVATE | MAP_ANONYMOUS,
        -1,
        0,
      ];
      const { result, error } = this.#session.ask("MMAP", { args });
      if (error !== 0) return null; // no room there: send the bytes each time
      copy = { address: result, sent: new Uint8Array(Math.ceil(buffer.byteLength / PIECE)) };
      this.#copies.set(buffer, copy);
    }
    const { address, sent } = copy;
    for (let i = Math.floor(byteOffset / PIECE); i * PIECE < byteOffset + bytes.length; i++) {
      if (sent[i] === 1) continue;
      sent[i] = 1;
      const payload = new Uint8Array(buffer).subarray(i * PIECE, (i + 1) * PIECE);
      this.#session.post("PUT", { args: [address + i * PIECE], payload });
    }
    return address + byteOffset;
  }
}
