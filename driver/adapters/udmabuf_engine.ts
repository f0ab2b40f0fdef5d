// SPDX-License-Identifier: MIT

/**
 * Engines that a user program starts by itself. u-dma-buf has memory only, so a program that uses it writes to
 * the registers of its DMA engine.
 *
 * @module
 */

import type { RegisterPort } from "../syscalls.ts";
import type { Direction } from "../uapi.ts";

/** The state of a transfer. */
export interface TransferState {
  /** Whether the transfer has ended, with or without an error. */
  readonly done: boolean;
  /** Number of bytes that it moved. Of interest once it is done. */
  readonly bytes: number;
  /** What the engine reports as an error, or null. */
  readonly error: string | null;
}

/** An engine with one transfer at a time in each direction. */
export interface UserEngine {
  /** Name for the results, at most 31 characters. */
  readonly name: string;
  /** What an address must be a multiple of, bytes. */
  readonly addressAlign: number;
  /** The longest transfer, bytes. */
  readonly maxTransfer: number;
  /**
   * Start a transfer.
   *
   * @param direction `tx` reads memory, `rx` writes it.
   * @param address Bus address of the first byte.
   * @param length Number of bytes.
   */
  start(direction: Direction, address: number, length: number): void;
  /**
   * Look at the transfer that was started last.
   *
   * @param direction Its direction.
   * @returns Its state.
   */
  look(direction: Direction): TransferState;
  /**
   * Stop both directions.
   *
   * @returns Whether the engine is known to access no memory any more.
   */
  reset(): boolean;
}

/** Registers of a channel of AXI DMA in direct register mode, bytes, from its base. */
const AT = { control: 0x00, status: 0x04, address: 0x18, addressHigh: 0x1c, length: 0x28 } as const;
const BASE = { tx: 0x00, rx: 0x30 } as const satisfies Record<Direction, number>;

const CONTROL = { run: 1 << 0, reset: 1 << 2 } as const;
const STATUS = { halted: 1 << 0, idle: 1 << 1, scatterGather: 1 << 3 } as const;
const ERRORS = [[1 << 4, "internal error"], [1 << 5, "slave error"], [
  1 << 6,
  "decode error",
]] as const;

/** Reads of the control register until a reset counts as failed. */
const RESET_READS = 100_000;

/** Options of {@linkcode AxiDmaDirect}. */
export interface AxiDmaOptions {
  /**
   * Width of the core's length registers, bits: "Width of Buffer Length Register" in Vivado. The core ignores
   * higher bits of a length. Defaults to 14, the core's own default.
   */
  readonly lengthBits?: number;
  /** Width of the memory-map data bus, bytes. Without DRE, addresses must be a multiple. Defaults to 64. */
  readonly busBytes?: number;
}

/** AXI DMA of AMD in direct register mode, by the register map of PG021. */
export class AxiDmaDirect implements UserEngine {
  readonly name = "axi-dma-direct";
  readonly addressAlign: number;
  readonly maxTransfer: number;
  readonly #registers: RegisterPort;
  /** Length of each running transfer, because MM2S does not report what it has read. */
  readonly #lengths = { tx: 0, rx: 0 };

  /**
   * @param registers The registers of the core, writable.
   * @param options How the core was built.
   * @throws {Error} If the core was built with scatter-gather, which has other registers.
   */
  constructor(registers: RegisterPort, options: AxiDmaOptions = {}) {
    this.#registers = registers;
    this.addressAlign = options.busBytes ?? 64;
    this.maxTransfer = 2 ** (options.lengthBits ?? 14) - 1;
    if ((registers.load(AT.status) & STATUS.scatterGather) !== 0) {
      throw new Error(
        "Expected AXI DMA in direct register mode, found one with scatter-gather (SGIncld in MM2S_DMASR): " +
          "use xilinx_dma and pldma",
      );
    }
  }

  start(direction: Direction, address: number, length: number): void {
    const base = BASE[direction];
    this.#lengths[direction] = length;
    this.#registers.store(base + AT.control, CONTROL.run);
    this.#registers.store(base + AT.address, address >>> 0);
    this.#registers.store(base + AT.addressHigh, Math.floor(address / 2 ** 32));
    // this store starts the transfer
    this.#registers.store(base + AT.length, length);
  }

  look(direction: Direction): TransferState {
    const base = BASE[direction];
    const status = this.#registers.load(base + AT.status);
    const errors = ERRORS.filter(([bit]) => (status & bit) !== 0).map(([, name]) => name);
    if (errors.length > 0) return { done: true, bytes: 0, error: errors.join(", ") };
    if ((status & STATUS.idle) === 0) return { done: false, bytes: 0, error: null };
    const length = this.#lengths[direction];
    const bytes = direction === "tx" ? length : this.#registers.load(base + AT.length);
    return { done: true, bytes: Math.min(bytes, length), error: null };
  }

  reset(): boolean {
    this.#registers.store(AT.control, CONTROL.reset);
    // a reset of one channel resets the whole core, and the bit stays until its transfers on the bus end
    for (let n = 0; n < RESET_READS; n++) {
      if ((this.#registers.load(AT.control) & CONTROL.reset) === 0) return true;
    }
    return false;
  }
}
