// SPDX-License-Identifier: MIT

/**
 * Mapped memory and the views that were handed out over it.
 *
 * @module
 */

/**
 * A range of mapped memory. It can take back every view that was handed out: a detached view reads
 * as empty, while a view over unmapped memory would kill the process.
 */
export class Mapping {
  /** Address of the first byte in this process. */
  readonly address: bigint;
  /** Length, bytes. */
  readonly length: number;
  /** {@linkcode address} as a number: user space ends below 2^53. */
  readonly base: number;
  #buffer: ArrayBuffer;
  #lent = false;

  /**
   * Keep a mapping that was made.
   *
   * @param address Address of the first byte.
   * @param buffer A live buffer over the memory.
   */
  constructor(address: bigint, buffer: ArrayBuffer) {
    this.address = address;
    this.base = Number(address);
    this.length = buffer.byteLength;
    this.#buffer = buffer;
  }

  /**
   * The live buffer over the memory. It is another object after each {@linkcode revoke} that had
   * something to take back. Do not keep it; to hand it on, use {@linkcode lend}.
   */
  get buffer(): ArrayBuffer {
    return this.#buffer;
  }

  /**
   * The live buffer, to be handed to a caller until {@linkcode revoke}.
   *
   * @returns The live buffer.
   */
  lend(): ArrayBuffer {
    this.#lent = true;
    return this.#buffer;
  }

  /**
   * Detach every view on a buffer that was lent. The memory stays where it is: `transfer()` of
   * external memory of unchanged length moves the ownership and copies nothing. Without a loan since
   * the last call this does nothing.
   */
  revoke(): void {
    if (!this.#lent) return;
    this.#buffer = this.#buffer.transfer();
    this.#lent = false;
  }

  /** Detach every view for good. To be called before the memory is unmapped. */
  detach(): void {
    this.#buffer.transfer();
    this.#buffer = new ArrayBuffer(0);
    this.#lent = false;
  }
}
