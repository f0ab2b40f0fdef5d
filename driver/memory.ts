// SPDX-License-Identifier: MIT

/**
 * Memory of the caller, to be registered as a block.
 *
 * @module
 */

import { wholeNumber } from "./checks.ts";
import { libc } from "./libc.ts";
import type { Mapping } from "./mapping.ts";
import { MAP_ANONYMOUS, MAP_PRIVATE, PROT_READ, PROT_WRITE, type Syscalls } from "./syscalls.ts";

/** What a block needs of the memory it was registered from; not part of the public API. */
export interface MemoryFriend {
  /** The memory. */
  mapping(memory: UserMemory): Mapping;
  /** A block was registered: views are revoked and the memory must stay. */
  attach(memory: UserMemory): void;
  /** A block was unregistered. */
  detach(memory: UserMemory): void;
}

let friend: MemoryFriend;

/**
 * Page-aligned, zeroed, private memory outside the JavaScript heap, for the policies `user-pages` and
 * `user-pages-registered`. It owns the memory; dispose it after the blocks that were registered on it.
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
    friend = {
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
   * Map new memory.
   *
   * @param size Bytes; the kernel rounds up to whole pages.
   * @param options `syscalls`: the board whose memory it is; this machine's when left out.
   * @returns The memory, which the caller owns.
   * @throws {RangeError} When the size is not a whole number above 0.
   * @throws {ErrnoError} ENOMEM when there is not enough.
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

  /** Bytes. */
  get size(): number {
    return this.#live().length;
  }

  /** Address of the first byte in this process. */
  get address(): bigint {
    return this.#live().address;
  }

  /**
   * The memory, until it is registered or disposed: then the view is detached and reads as empty.
   *
   * @returns A view over the whole memory.
   * @throws {Error} While a block is registered on it: use that block's `bytes()`.
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
   * @throws {Error} While a block is registered on it: free that first.
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

/** The door that {@linkcode UserMemory} leaves open for blocks; not part of the public API. */
export const memoryFriend: MemoryFriend = friend;

/**
 * Compare bytes without FFI, for boards in process: word by word where both sides are aligned.
 *
 * @param actual The one side.
 * @param expected The other side, of the same length.
 * @returns Whether all are equal.
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
