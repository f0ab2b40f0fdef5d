// SPDX-License-Identifier: MIT

/**
 * Mapped memory, and the views of it that callers have.
 *
 * @module
 */

/**
 * A range of mapped memory. It can detach every view that a caller has. A detached view has length 0,
 * but a view of unmapped memory would kill the process at the next access.
 */
export class Mapping {
  /** Address of the first byte in the process that has the memory. */
  readonly address: bigint;
  /** Length, bytes. */
  readonly length: number;
  /** {@linkcode address} as a number, which is exact because user space ends below 2^53. */
  readonly base: number;
  #buffer: ArrayBuffer;
  #bytes: Uint8Array<ArrayBuffer>;
  #view: DataView<ArrayBuffer>;
  #lent = false;
  /** The offset that {@linkcode addressOf} was called with last, and what it returned. */
  #at = 0;
  #addressAt: bigint;

  /**
   * Take over a mapping.
   *
   * @param address Address of the first byte.
   * @param buffer A buffer over the whole memory.
   * @param length Length of the memory, bytes. Defaults to that of the buffer.
   */
  constructor(address: bigint, buffer: ArrayBuffer, length = buffer.byteLength) {
    this.address = address;
    this.#addressAt = address;
    this.base = Number(address);
    this.length = length;
    this.#buffer = buffer;
    this.#bytes = new Uint8Array(buffer);
    this.#view = new DataView(buffer);
  }

  /**
   * The current buffer over the memory. {@linkcode revoke} replaces it, so do not keep it. To pass it to a
   * caller, use {@linkcode lend}.
   */
  get buffer(): ArrayBuffer {
    return this.#buffer;
  }

  /**
   * Get the current buffer for a caller, who may use it until {@linkcode revoke}.
   *
   * @returns The current buffer.
   */
  lend(): ArrayBuffer {
    this.#lent = true;
    return this.#buffer;
  }

  /**
   * Get an address in the memory. To make a bigint takes longer than the rest of a call of the C library, and
   * most callers use the same offset again and again.
   *
   * @param at Offset in the memory, bytes.
   * @returns The address.
   */
  addressOf(at: number): bigint {
    return at === this.#at ? this.#addressAt : this.#computeAddress(at);
  }

  #computeAddress(at: number): bigint {
    this.#at = at;
    this.#addressAt = BigInt(this.base + at);
    return this.#addressAt;
  }

  /**
   * Store bytes in the memory.
   *
   * @param source The bytes.
   * @param at Start in the memory, bytes. The caller has checked the range.
   */
  set(source: Uint8Array, at: number): void {
    this.#bytes.set(source, at);
  }

  /**
   * Store a signed 32-bit word, little-endian.
   *
   * @param at Start in the memory, bytes. The caller has checked the range.
   * @param value The word.
   */
  setInt32(at: number, value: number): void {
    this.#view.setInt32(at, value, true);
  }

  /**
   * Load a signed 32-bit word, little-endian.
   *
   * @param at Start in the memory, bytes. The caller has checked the range.
   * @returns The word, -2^31 to 2^31 - 1.
   */
  getInt32(at: number): number {
    return this.#view.getInt32(at, true);
  }

  /**
   * Copy bytes out of the memory.
   *
   * @param target Receives the bytes. Its length is the number of bytes to copy.
   * @param at Start in the memory, bytes. The caller has checked the range.
   */
  copyTo(target: Uint8Array, at: number): void {
    target.set(this.#bytes.subarray(at, at + target.length));
  }

  /**
   * Store one byte everywhere in a range.
   *
   * @param value The byte.
   * @param at Start in the memory, bytes. The caller has checked the range.
   * @param length Number of bytes.
   */
  fill(value: number, at: number, length: number): void {
    this.#bytes.fill(value, at, at + length);
  }

  /**
   * Detach every view of a buffer that was lent. The memory stays in place, because `transfer()` of
   * external memory without a change of length copies nothing. Does nothing if no buffer was lent since the
   * last call.
   */
  revoke(): void {
    if (!this.#lent) return;
    this.#buffer = this.#buffer.transfer();
    this.#bytes = new Uint8Array(this.#buffer);
    this.#view = new DataView(this.#buffer);
    this.#lent = false;
  }

  /** Detach every view and drop the buffer. Call this before you unmap the memory. */
  detach(): void {
    this.#buffer.transfer();
    this.#buffer = new ArrayBuffer(0);
    this.#bytes = new Uint8Array(this.#buffer);
    this.#view = new DataView(this.#buffer);
    this.#lent = false;
  }
}
