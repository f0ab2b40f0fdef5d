// SPDX-License-Identifier: MIT
/**
 * The two ends of a frame, one frame at a time: memory of the CPU that is handed to the device and comes
 * back, in a block, or through the driver's ring by `read()` and `write()` (policy `bounce`).
 *
 * @module
 */

import { Buffer } from "node:buffer";
import type { Block } from "../../driver/block.ts";
import { Handover, type HandoverOptions } from "./handover.ts";

/** An end that frames leave from. */
export interface SendEnd {
  /** Stores bytes in the memory that the next frame leaves from. */
  set(bytes: Uint8Array, at: number): void;
  /** Hands a range to the device, which sends it. */
  send(offset: number, length: number): void;
  /** Waits until the frame is sent. */
  finish(): void;
}

/** An end that frames arrive at. */
export interface ReceiveEnd {
  /** Whether the CPU may store there. */
  readonly writable: boolean;
  /** Stores bytes. */
  set(bytes: Uint8Array, at: number): void;
  /** Hands a range to the device, which receives a frame into it. */
  arm(offset: number, length: number): void;
  /** Waits for the frame, and returns its length in bytes. */
  finish(): number;
  /** Whether these bytes are there. */
  equals(bytes: Uint8Array, at: number): boolean;
  /** Returns a copy of what is there. */
  copy(at: number, length: number): Uint8Array<ArrayBuffer>;
}

/** Frames leave from a block. */
export class BlockSendEnd implements SendEnd {
  readonly #block: Block;
  readonly #handover: Handover;

  /**
   * @param block A transmit block, which the caller frees
   * @param options How it is handed over
   */
  constructor(block: Block, options: HandoverOptions) {
    this.#block = block;
    this.#handover = new Handover(options);
  }

  set(bytes: Uint8Array, at: number): void {
    this.#block.set(bytes, at);
  }

  send(offset: number, length: number): void {
    this.#handover.give(this.#block, { offset, length, unaligned: true }, { offset, length });
  }

  finish(): void {
    const { error } = this.#handover.take(this.#block);
    if (error !== null) throw error;
  }
}

/** Frames arrive in a block. */
export class BlockReceiveEnd implements ReceiveEnd {
  readonly #block: Block;
  readonly #handover: Handover;
  #offset = 0;

  /**
   * @param block A receive block, which the caller frees
   * @param options How it is handed over
   */
  constructor(block: Block, options: HandoverOptions) {
    this.#block = block;
    this.#handover = new Handover(options);
  }

  get writable(): boolean {
    return this.#block.writable;
  }

  set(bytes: Uint8Array, at: number): void {
    this.#block.set(bytes, at);
  }

  arm(offset: number, length: number): void {
    this.#offset = offset;
    this.#handover.give(this.#block, { offset, length, unaligned: true }, { offset, length });
  }

  finish(): number {
    const { done, error } = this.#handover.take(this.#block);
    if (error !== null) throw error;
    this.#handover.syncReceived(this.#block, { offset: this.#offset, length: done.bytes });
    return done.bytes;
  }

  equals(bytes: Uint8Array, at: number): boolean {
    return this.#block.equals(bytes, at);
  }

  copy(at: number, length: number): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(length);
    this.#block.copyTo(bytes, at);
    return bytes;
  }
}

/** Frames leave by `write()`, from memory of JavaScript. */
export class RingSendEnd implements SendEnd {
  readonly #memory: Uint8Array<ArrayBuffer>;
  readonly #options: HandoverOptions;

  /**
   * @param size Bytes of the longest frame
   * @param options The device, and how long to wait
   */
  constructor(size: number, options: HandoverOptions) {
    this.#memory = new Uint8Array(size);
    this.#options = options;
  }

  set(bytes: Uint8Array, at: number): void {
    this.#memory.set(bytes, at);
  }

  send(offset: number, length: number): void {
    const { device, wait } = this.#options;
    device.writeFrame(this.#memory.subarray(offset, offset + length), wait);
  }

  /** Returns at once, because `write()` has copied the frame. */
  finish(): void {}
}

/** Frames arrive by `read()`, in memory of JavaScript. */
export class RingReceiveEnd implements ReceiveEnd {
  /** The device does not reach this memory, so a store into it tests nothing. */
  readonly writable = false;
  readonly #memory: Uint8Array<ArrayBuffer>;
  /** The same memory, because comparing buffers needs no view for each frame. */
  readonly #buffer: Buffer;
  readonly #options: HandoverOptions;
  #offset = 0;
  #length = 0;

  /**
   * @param size Bytes of the longest frame
   * @param options The device, and how long to wait
   */
  constructor(size: number, options: HandoverOptions) {
    this.#memory = new Uint8Array(size);
    this.#buffer = Buffer.from(this.#memory.buffer);
    this.#options = options;
  }

  set(bytes: Uint8Array, at: number): void {
    this.#memory.set(bytes, at);
  }

  arm(offset: number, length: number): void {
    this.#offset = offset;
    this.#length = length;
  }

  finish(): number {
    const { device, wait } = this.#options;
    const room = this.#memory.subarray(this.#offset, this.#offset + this.#length);
    return device.readFrame(room, wait);
  }

  equals(bytes: Uint8Array, at: number): boolean {
    return this.#buffer.compare(bytes, 0, bytes.length, at, at + bytes.length) === 0;
  }

  copy(at: number, length: number): Uint8Array<ArrayBuffer> {
    return this.#memory.slice(at, at + length);
  }
}

/**
 * Makes the ends that frames leave from: one for each block. A ring has one for all of its slots.
 *
 * @param blocks The transmit blocks, or the slots of the ring; the caller frees them
 * @param size Bytes of the longest frame
 * @param options How they are handed over
 * @returns The ends, to be used in turn
 */
export function sendEnds(
  blocks: readonly Block[],
  size: number,
  options: HandoverOptions,
): readonly SendEnd[] {
  if (options.policy === "bounce") return [new RingSendEnd(size, options)];
  return blocks.map((block) => new BlockSendEnd(block, options));
}

/**
 * Makes the ends that frames arrive at: one for each block. A ring has one for all of its slots.
 *
 * @param blocks The receive blocks, or the slots of the ring; the caller frees them
 * @param size Bytes of the longest frame
 * @param options How they are handed over
 * @returns The ends, to be used in turn
 */
export function receiveEnds(
  blocks: readonly Block[],
  size: number,
  options: HandoverOptions,
): readonly ReceiveEnd[] {
  if (options.policy === "bounce") return [new RingReceiveEnd(size, options)];
  return blocks.map((block) => new BlockReceiveEnd(block, options));
}
