// SPDX-License-Identifier: MIT
/**
 * The two ends of a frame: memory of the CPU's that is handed to the device and comes back, as each
 * policy does it. A case may leave out one of the calls that policy `manual` leaves to the caller.
 *
 * @module
 */

import type { Block } from "../../../driver/block.ts";
import type { Device } from "../../../driver/device.ts";
import { equalBytes } from "../../../driver/memory.ts";
import type { PolicyName } from "../../../driver/uapi.ts";
import { MixUpError } from "../../frames/flow.ts";
import type { Call } from "./expected.ts";

/** How an end is handed over. */
export interface EndOptions {
  readonly device: Device;
  readonly policy: PolicyName;
  /** Longest wait for a completion. */
  readonly wait: { readonly timeoutMs: number };
  /** The call that is left out; null for none. */
  readonly without: Call | null;
  /** Leave it out for the second half of the range only. */
  readonly half: boolean;
}

/** Where frames leave from. */
export interface Sender {
  /** Store bytes. */
  set(bytes: Uint8Array, at: number): void;
  /** The memory, until the next frame leaves. */
  bytes(): Uint8Array<ArrayBuffer>;
  /** Hand a range to the device, which sends it. */
  send(offset: number, length: number): void;
  /** Wait until it has. */
  finish(): void;
}

/** Where frames arrive. */
export interface Receiver {
  /** Whether the CPU may store there. */
  readonly writable: boolean;
  /** Store bytes. */
  set(bytes: Uint8Array, at: number): void;
  /** Hand a range to the device, to receive a frame. */
  arm(offset: number, length: number): void;
  /** Wait for the frame; returns its bytes. */
  finish(): number;
  /** Whether these bytes are there. */
  holds(bytes: Uint8Array, at: number): boolean;
  /** What is there. */
  copy(at: number, length: number): Uint8Array<ArrayBuffer>;
}

/** Sync a block, as far as its policy leaves that to the caller and nothing is left out. */
function sync(
  block: Block,
  call: Call,
  offset: number,
  length: number,
  { device, policy, without, half }: EndOptions,
): void {
  if (policy !== "manual") return;
  if (call === without) {
    const { cacheAlign } = device.info;
    length = half ? Math.floor(length / 2 / cacheAlign) * cacheAlign : 0;
  }
  if (length === 0) return;
  if (call === "rx-for-cpu") block.syncForCpu(offset, length);
  else block.syncForDevice(offset, length);
}

/** Take the next completion, which must be that of a block; returns the bytes moved. */
function take(block: Block, { device, wait }: EndOptions): number {
  const done = device.dequeue(block.direction, wait);
  if (done.block === block) return done.bytes;
  throw new MixUpError(
    `Expected ${block.direction} block ${block.id} back, found block ${done.block.id}`,
  );
}

/** Frames leave from a block. */
export class BlockSender implements Sender {
  readonly #block: Block;
  readonly #options: EndOptions;

  /**
   * @param block A transmit block, which the caller frees
   * @param options How it is handed over
   */
  constructor(block: Block, options: EndOptions) {
    this.#block = block;
    this.#options = options;
  }

  set(bytes: Uint8Array, at: number): void {
    this.#block.set(bytes, at);
  }

  bytes(): Uint8Array<ArrayBuffer> {
    return this.#block.bytes();
  }

  send(offset: number, length: number): void {
    sync(this.#block, "tx-for-device", offset, length, this.#options);
    this.#block.enqueue({ offset, length, unaligned: true });
  }

  finish(): void {
    take(this.#block, this.#options);
  }
}

/** Frames arrive in a block. */
export class BlockReceiver implements Receiver {
  readonly #block: Block;
  readonly #options: EndOptions;
  #offset = 0;

  /**
   * @param block A receive block, which the caller frees
   * @param options How it is handed over
   */
  constructor(block: Block, options: EndOptions) {
    this.#block = block;
    this.#options = options;
  }

  get writable(): boolean {
    return this.#block.writable;
  }

  set(bytes: Uint8Array, at: number): void {
    this.#block.set(bytes, at);
  }

  arm(offset: number, length: number): void {
    this.#offset = offset;
    sync(this.#block, "rx-for-device", offset, length, this.#options);
    this.#block.enqueue({ offset, length, unaligned: true });
  }

  finish(): number {
    const bytes = take(this.#block, this.#options);
    sync(this.#block, "rx-for-cpu", this.#offset, bytes, this.#options);
    return bytes;
  }

  holds(bytes: Uint8Array, at: number): boolean {
    return this.#block.equals(bytes, at);
  }

  copy(at: number, length: number): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(length);
    this.#block.copyTo(bytes, at);
    return bytes;
  }
}

/** Frames leave by write(), from memory of JavaScript's. */
export class RingSender implements Sender {
  readonly #memory: Uint8Array<ArrayBuffer>;
  readonly #options: EndOptions;

  /**
   * @param size Bytes of the longest frame
   * @param options How long to wait
   */
  constructor(size: number, options: EndOptions) {
    this.#memory = new Uint8Array(size);
    this.#options = options;
  }

  set(bytes: Uint8Array, at: number): void {
    this.#memory.set(bytes, at);
  }

  bytes(): Uint8Array<ArrayBuffer> {
    return this.#memory;
  }

  send(offset: number, length: number): void {
    const { device, wait } = this.#options;
    device.writeFrame(this.#memory.subarray(offset, offset + length), wait);
  }

  finish(): void {}
}

/** Frames arrive by read(), in memory of JavaScript's. */
export class RingReceiver implements Receiver {
  /** What is stored there is no affair of the device's. */
  readonly writable = false;
  readonly #memory: Uint8Array<ArrayBuffer>;
  readonly #options: EndOptions;
  #offset = 0;
  #length = 0;

  /**
   * @param size Bytes of the longest frame
   * @param options How long to wait
   */
  constructor(size: number, options: EndOptions) {
    this.#memory = new Uint8Array(size);
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

  holds(bytes: Uint8Array, at: number): boolean {
    return equalBytes(this.#memory.subarray(at, at + bytes.length), bytes);
  }

  copy(at: number, length: number): Uint8Array<ArrayBuffer> {
    return this.#memory.slice(at, at + length);
  }
}
