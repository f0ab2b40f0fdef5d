// SPDX-License-Identifier: MIT

/**
 * Memory that the caller owns and can register as a block.
 *
 * @module
 */

import { wholeNumber } from "./checks.ts";
import { libc } from "./libc.ts";
import type { Mapping } from "./mapping.ts";
import { MAP_ANONYMOUS, MAP_PRIVATE, PROT_READ, PROT_WRITE, type Syscalls } from "./syscalls.ts";

/** What only a block may do with the memory that it is registered on. Not part of the public API. */
export interface MemoryInternals {
  /** Get the mapping. */
  mapping(memory: UserMemory): Mapping;
  /** Revoke the views and count a new block. The memory cannot be disposed until `detach`. */
  attach(memory: UserMemory): void;
  /** Count a block less. */
  detach(memory: UserMemory): void;
}

let internals: MemoryInternals;

/**
 * Page-aligned, zeroed, private memory outside the JavaScript heap, for the policies `user-pages` and
 * `user-pages-registered`. This object owns the memory. Free the blocks that are registered on it before
 * you dispose it.
 *
 * @example Fill memory before registering it
 * ```ts
 * import { UserMemory } from "@plumbline/hil";
 * import { assertEquals } from "@std/assert";
 *
 * using memory = UserMemory.allocate(4096);
 * memory.bytes().fill(7);
 * assertEquals(memory.bytes()[4095], 7);
 * ```
 */
export class UserMemory implements Disposable {
  readonly #syscalls: Syscalls;
  #mapping: Mapping | null;
  #blocks = 0;

  static {
    internals = {
      mapping: (memory) => memory.#live(),
      attach: (memory) => {
        memory.#live().revoke();
        memory.#blocks++;
      },
      detach: (memory) => {
        memory.#blocks--;
      },
    };
  }

  private constructor(syscalls: Syscalls, mapping: Mapping) {
    this.#syscalls = syscalls;
    this.#mapping = mapping;
  }

  /**
   * Allocate memory.
   *
   * @param size Size, bytes. The kernel rounds it up to whole pages.
   * @param options `syscalls`: the board to allocate on. Defaults to this machine.
   * @returns The memory, which the caller owns.
   * @throws {RangeError} If the size is not a whole number above 0.
   * @throws {ErrnoError} ENOMEM if there is not enough memory.
   */
  static allocate(size: number, options?: { syscalls?: Syscalls }): UserMemory {
    if (wholeNumber("size", size) === 0) throw new RangeError("Expected size above 0, found 0");
    const syscalls = options?.syscalls ?? libc;
    const prot = PROT_READ | PROT_WRITE;
    return new UserMemory(syscalls, syscalls.mmap(size, prot, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  }

  #live(): Mapping {
    if (this.#mapping === null) throw new Error("Expected live memory, found disposed UserMemory");
    return this.#mapping;
  }

  /** Size, bytes. */
  get size(): number {
    return this.#live().length;
  }

  /** Address of the first byte in this process. */
  get address(): bigint {
    return this.#live().address;
  }

  /**
   * Get a view of the memory. The view is detached, and then has length 0, when a block is registered on
   * the memory and when the memory is disposed.
   *
   * @returns A view of the whole memory.
   * @throws {Error} If a block is registered on the memory. Use `bytes()` of that block instead.
   */
  bytes(): Uint8Array<ArrayBuffer> {
    const mapping = this.#live();
    if (this.#blocks > 0) {
      throw new Error(
        `Expected memory without blocks, found ${this.#blocks} registered: use their bytes()`,
      );
    }
    return new Uint8Array(mapping.lend());
  }

  /**
   * Detach the views and unmap the memory. A second call does nothing.
   *
   * @throws {Error} If a block is registered on the memory. Free the block first.
   */
  [Symbol.dispose](): void {
    if (this.#mapping === null) return;
    if (this.#blocks > 0) {
      throw new Error(
        `Expected memory without blocks, found ${this.#blocks} registered: free them first`,
      );
    }
    const mapping = this.#mapping;
    this.#mapping = null;
    this.#syscalls.munmap(mapping);
  }
}

/** What {@linkcode UserMemory} leaves to blocks. Not part of the public API. */
export const memoryInternals: MemoryInternals = internals;

/**
 * Compare bytes without FFI, for boards that run in this process. Compares 32 bits at a time if both
 * arrays are aligned.
 *
 * @param actual The actual bytes.
 * @param expected The expected bytes.
 * @returns Whether both have the same length and the same bytes.
 */
export function equalBytes(actual: Uint8Array, expected: Uint8Array): boolean {
  const { length } = actual;
  if (length !== expected.length) return false;
  let at = 0;
  if (actual.byteOffset % 4 === 0 && expected.byteOffset % 4 === 0) {
    const words = length >>> 2;
    const left = new Uint32Array(actual.buffer, actual.byteOffset, words);
    const right = new Uint32Array(expected.buffer, expected.byteOffset, words);
    for (let i = 0; i < words; i++) if (left[i] !== right[i]) return false;
    at = words * 4;
  }
  for (; at < length; at++) if (actual[at] !== expected[at]) return false;
  return true;
}
