// SPDX-License-Identifier: MIT

/**
 * The numbers of the interface that the IIO core of Linux has for DMABUFs since 6.12, and of the fences in
 * them. They are facts of the kernel's public headers `linux/iio/buffer.h`, `linux/dma-buf.h` and
 * `linux/sync_file.h`.
 *
 * @module
 */

/** `struct iio_dmabuf`: offsets of its members, and its size, bytes. */
export const IIO_DMABUF = { at: { fd: 0, flags: 4, bytesUsed: 8 }, size: 16 } as const;

/** `struct dma_buf_export_sync_file`. */
export const EXPORT_SYNC_FILE = { at: { flags: 0, fd: 4 }, size: 8 } as const;

/** `struct sync_file_info`, behind a name of 32 bytes. Without room for fences, only the status is of interest. */
export const SYNC_FILE_INFO = {
  at: { name: 0, status: 32, flags: 36, numFences: 40, pad: 44, fences: 48 },
  size: 56,
} as const;

/** Bits of a request number that say who reads the struct: the kernel, or both. */
const WRITE = 1;
const BOTH = 3;

function ioc(direction: number, type: string, number: number, size: number): number {
  return ((direction << 30) | (size << 16) | (type.charCodeAt(0) << 8) | number) >>> 0;
}

/** The requests. The first one goes to the file of a device, the next three to that of a buffer. */
export const REQUEST = {
  /** In: index of a buffer. Out: its file. An `int`. */
  GET_FD: ioc(BOTH, "i", 0x91, 4),
  /** The file of a DMABUF, an `int`. */
  ATTACH: ioc(WRITE, "i", 0x92, 4),
  /** The file of a DMABUF, an `int`. */
  DETACH: ioc(WRITE, "i", 0x93, 4),
  /** {@linkcode IIO_DMABUF}. */
  ENQUEUE: ioc(WRITE, "i", 0x94, IIO_DMABUF.size),
  /** {@linkcode EXPORT_SYNC_FILE}, to the file of a DMABUF. */
  EXPORT_SYNC_FILE: ioc(BOTH, "b", 2, EXPORT_SYNC_FILE.size),
  /** {@linkcode SYNC_FILE_INFO}, to a file with a fence. */
  FILE_INFO: ioc(BOTH, ">", 4, SYNC_FILE_INFO.size),
} as const;
