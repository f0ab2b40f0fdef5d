// SPDX-License-Identifier: MIT

/**
 * Buffers that drivers share: dma-bufs of the kernel.
 *
 * @module
 */

import { wholeNumber } from "./checks.ts";
import { libc } from "./libc.ts";
import type { Mapping } from "./mapping.ts";
import { MAP_SHARED, O_CLOEXEC, O_RDWR, PROT_READ, PROT_WRITE, type Syscalls } from "./syscalls.ts";
import type { SyncOp } from "./uapi.ts";

/** The dma-heap that {@linkcode DmaBuffer.allocate} uses: ordinary cached pages. */
export const SYSTEM_HEAP = "/dev/dma_heap/system";

/** `DMA_HEAP_IOCTL_ALLOC` of linux/dma-heap.h: `_IOWR('H', 0, struct dma_heap_allocation_data)`. */
export const DMA_HEAP_IOCTL_ALLOC = 0xc018_4800;

/** `struct dma_heap_allocation_data`: u64 len, u32 fd, u32 fd_flags, u64 heap_flags. */
export const HEAP_ALLOCATION = { size: 24, at: { len: 0, fd: 8, fd_flags: 12, heap_flags: 16 } };

/** `DMA_BUF_IOCTL_SYNC` of linux/dma-buf.h: `_IOW('b', 0, struct dma_buf_sync)`, a u64 of flags. */
export const DMA_BUF_IOCTL_SYNC = 0x4008_6200;

/** `DMA_BUF_SYNC_*`. Without `end`, an access by the CPU starts. */
export const BUFFER_SYNC = { read: 1, write: 2, end: 4 } as const;

/** What only a block may do with the buffer that it was imported from. Not part of the public API. */
export interface BufferInternals {
  /** Get the mapping. */
  mapping(buffer: DmaBuffer): Mapping;
  /** Revoke the views and count a new block. The buffer cannot be disposed until `detach`. */
  attach(buffer: DmaBuffer): void;
  /** Count a block less. */
  detach(buffer: DmaBuffer): void;
}

let internals: BufferInternals;

/**
 * A buffer that `Device.import()` makes a block of, and that other drivers can use too. This object owns
 * the file descriptor and a mapping. Free the blocks that were imported from it before you dispose it.
 */
export class DmaBuffer implements Disposable {
  /** File descriptor of the buffer. This object owns it, so do not close it. */
  readonly fd: number;
  /** Size, bytes. */
  readonly size: number;
  readonly #syscalls: Syscalls;
  #mapping: Mapping | null;
  #blocks = 0;

  static {
    internals = {
      mapping: (buffer) => buffer.#live(),
      attach: (buffer) => {
        buffer.#live().revoke();
        buffer.#blocks++;
      },
      detach: (buffer) => {
        buffer.#blocks--;
      },
    };
  }

  /**
   * Take over a file descriptor, for example of a buffer that another driver exported.
   *
   * @param fd File descriptor of a dma-buf. It is closed if this fails.
   * @param size Size, bytes, at most that of the buffer.
   * @param options `syscalls`: the board that has the buffer. Defaults to this machine.
   * @throws {ErrnoError} If the buffer cannot be mapped.
   */
  constructor(fd: number, size: number, options?: { syscalls?: Syscalls }) {
    this.#syscalls = options?.syscalls ?? libc;
    this.fd = fd;
    this.size = size;
    try {
      this.#mapping = this.#syscalls.mmap(size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    } catch (error) {
      this.#syscalls.close(fd);
      throw error;
    }
  }

  /**
   * Allocate a buffer from the dma-heap `system`.
   *
   * @param size Size, bytes. The kernel rounds it up to whole pages.
   * @param options `syscalls`: the board to allocate on. Defaults to this machine.
   * @returns The buffer, which the caller owns, filled with zeros.
   * @throws {RangeError} If the size is not a whole number above 0.
   * @throws {ErrnoError} ENOENT if the kernel has no such heap, EACCES without permission, ENOMEM if there
   * is not enough memory.
   */
  static allocate(size: number, options?: { syscalls?: Syscalls }): DmaBuffer {
    if (wholeNumber("size", size) === 0) throw new RangeError("Expected size above 0, found 0");
    const syscalls = options?.syscalls ?? libc;
    const argument = new Uint8Array(HEAP_ALLOCATION.size);
    const view = new DataView(argument.buffer);
    view.setBigUint64(HEAP_ALLOCATION.at.len, BigInt(size), true);
    view.setUint32(HEAP_ALLOCATION.at.fd_flags, O_RDWR | O_CLOEXEC, true);
    const heap = syscalls.open(SYSTEM_HEAP, O_RDWR | O_CLOEXEC);
    try {
      syscalls.ioctl(heap, DMA_HEAP_IOCTL_ALLOC, argument);
    } finally {
      syscalls.close(heap);
    }
    return new DmaBuffer(view.getUint32(HEAP_ALLOCATION.at.fd, true), size, { syscalls });
  }

  /**
   * Tell whether {@linkcode allocate} can work on a board.
   *
   * @param syscalls The board.
   * @returns Whether the heap can be opened.
   */
  static available(syscalls: Syscalls): boolean {
    try {
      syscalls.close(syscalls.open(SYSTEM_HEAP, O_RDWR | O_CLOEXEC));
      return true;
    } catch {
      return false;
    }
  }

  #live(): Mapping {
    if (this.#mapping === null) {
      throw new Error("Expected a live buffer, found a disposed DmaBuffer");
    }
    return this.#mapping;
  }

  /**
   * Get a view of the buffer. The view is detached, and then has length 0, when a block is imported from
   * the buffer and when the buffer is disposed. Call {@linkcode sync} before and after each access.
   *
   * @returns A view of the whole buffer.
   * @throws {Error} If a block was imported from the buffer. Use `bytes()` of that block instead.
   */
  bytes(): Uint8Array<ArrayBuffer> {
    const mapping = this.#live();
    if (this.#blocks > 0) {
      throw new Error(
        `Expected a buffer without blocks, found ${this.#blocks} imported: use their bytes()`,
      );
    }
    return new Uint8Array(mapping.lend(), 0, this.size);
  }

  /**
   * Hand the whole buffer to the CPU or to the devices: `DMA_BUF_IOCTL_SYNC`. The exporter of the buffer
   * syncs the mappings of all its importers, or should.
   *
   * @param op `for-cpu` starts an access by the CPU, `for-device` ends it.
   * @throws {ErrnoError} EBUSY if the buffer is a block of this driver that the caller does not own.
   */
  sync(op: SyncOp): void {
    this.#live();
    const argument = new Uint8Array(8);
    argument[0] = BUFFER_SYNC.read | BUFFER_SYNC.write |
      (op === "for-device" ? BUFFER_SYNC.end : 0);
    this.#syscalls.ioctl(this.fd, DMA_BUF_IOCTL_SYNC, argument);
  }

  /**
   * Detach the views, unmap the buffer, and close its file descriptor. A second call does nothing.
   *
   * @throws {Error} If a block was imported from the buffer. Free the block first.
   */
  [Symbol.dispose](): void {
    if (this.#mapping === null) return;
    if (this.#blocks > 0) {
      throw new Error(
        `Expected a buffer without blocks, found ${this.#blocks} imported: free them first`,
      );
    }
    const mapping = this.#mapping;
    this.#mapping = null;
    this.#syscalls.munmap(mapping);
    this.#syscalls.close(this.fd);
  }
}

/** What {@linkcode DmaBuffer} leaves to blocks. Not part of the public API. */
export const bufferInternals: BufferInternals = internals;
