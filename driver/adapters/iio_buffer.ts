// SPDX-License-Identifier: MIT

/**
 * A buffer of an IIO device: it queues DMABUFs, and a fence in each says when its transfer has ended.
 *
 * This waits by `poll()` on the DMABUF, and asks a file with the fence only for its status. In Linux 6.12 the lock
 * of a fence is in the attachment. If such a file was polled, its `close()` takes that lock, and spins for ever if
 * DETACH or the end of the process has freed it before.
 *
 * @module
 */

import { BUFFER_SYNC } from "../dma_buffer.ts";
import { AdapterError, ERRNO, ErrnoError } from "../errno.ts";
import { O_CLOEXEC, O_RDWR, POLLIN, POLLOUT, type Syscalls } from "../syscalls.ts";
import type { Direction } from "../uapi.ts";
import { EXPORT_SYNC_FILE, IIO_DMABUF, REQUEST, SYNC_FILE_INFO } from "./iio_abi.ts";
import { readSmallFile, writeSmallFile } from "./small_file.ts";

/** How a transfer ended: `aborted` if the buffer was disabled meanwhile. */
export type FenceState = "pending" | "ok" | "aborted";

/** Buffer 0 of an IIO device, which is open until {@linkcode close}. */
export class IioBuffer {
  /** `tx` for an output buffer, which reads memory. */
  readonly direction: Direction;
  /** Name of the device, such as `axi-dac`. */
  readonly name: string;
  /** What the length of a transfer must be a multiple of, bytes. */
  readonly lengthAlign: number;
  /** File of the device. */
  readonly device: number;
  readonly #under: Syscalls;
  readonly #folder: string;
  readonly #fd: number;
  #enabled = false;

  /**
   * @param under The system calls that reach the driver.
   * @param path Path of the device, such as `/dev/iio:device0`.
   * @throws {ErrnoError} EBUSY if another program has the buffer. ENODEV if the device has none, or one
   * that does not use dmaengine.
   */
  constructor(under: Syscalls, path: string) {
    this.#under = under;
    this.#folder = `/sys/bus/iio/devices/${path.slice("/dev/".length)}`;
    this.name = this.#read("name");
    const direction = this.#read("buffer0/direction");
    if (direction !== "in" && direction !== "out") {
      fail("open", ERRNO.ENODEV, `expected "in" or "out" in ${this.#folder}/buffer0/direction`);
    }
    this.direction = direction === "out" ? "tx" : "rx";
    // only buffers that use dmaengine have this file
    this.lengthAlign = Number(this.#read("buffer0/length_align_bytes"));
    this.device = under.open(path, O_RDWR | O_CLOEXEC);
    try {
      const index = int(0);
      under.ioctl(this.device, REQUEST.GET_FD, index);
      this.#fd = new DataView(index.buffer).getInt32(0, true);
    } catch (error) {
      under.close(this.device);
      if (error instanceof ErrnoError && error.errno === ERRNO.EBUSY) {
        fail("open", ERRNO.EBUSY, `another program has the buffer of ${path}: stop it`);
      }
      throw error;
    }
    try {
      // the program before may have died, and IIO goes on with the transfers of the dead
      this.disable();
    } catch (error) {
      under.close(this.#fd);
      under.close(this.device);
      throw error;
    }
  }

  /**
   * Map a DMABUF for the device. It stays mapped until {@linkcode detach}.
   *
   * @param fd File of the DMABUF.
   * @throws {ErrnoError} ENOTTY if the kernel is older than Linux 6.12. Others if the DMABUF cannot be mapped.
   */
  attach(fd: number): void {
    try {
      this.#under.ioctl(this.#fd, REQUEST.ATTACH, int(fd));
    } catch (error) {
      if (!(error instanceof ErrnoError) || error.errno !== ERRNO.ENOTTY) throw error;
      fail("ATTACH", ERRNO.ENOTTY, "expected Linux 6.12 or newer, whose IIO core takes DMABUFs");
    }
  }

  /**
   * Unmap a DMABUF that is not queued.
   *
   * @param fd File of the DMABUF.
   */
  detach(fd: number): void {
    this.#under.ioctl(this.#fd, REQUEST.DETACH, int(fd));
  }

  /**
   * Queue the beginning of a DMABUF. The first one enables the buffer.
   *
   * @param fd File of the DMABUF, which is attached.
   * @param length Number of bytes.
   * @returns A file with the fence, which the caller owns.
   */
  enqueue(fd: number, length: number): number {
    this.#enable();
    const request = new DataView(new ArrayBuffer(IIO_DMABUF.size));
    request.setUint32(IIO_DMABUF.at.fd, fd, true);
    request.setBigUint64(IIO_DMABUF.at.bytesUsed, BigInt(length), true);
    this.#under.ioctl(this.#fd, REQUEST.ENQUEUE, new Uint8Array(request.buffer));
    const fence = new DataView(new ArrayBuffer(EXPORT_SYNC_FILE.size));
    // who wants to write has to wait for all that read and write, who wants to read for those that write
    const access = this.direction === "tx" ? BUFFER_SYNC.write : BUFFER_SYNC.read;
    fence.setUint32(EXPORT_SYNC_FILE.at.flags, access, true);
    try {
      this.#under.ioctl(fd, REQUEST.EXPORT_SYNC_FILE, new Uint8Array(fence.buffer));
    } catch (error) {
      // nobody could know when this transfer ends
      this.disable();
      throw error;
    }
    return fence.getInt32(EXPORT_SYNC_FILE.at.fd, true);
  }

  /**
   * Wait for the end of a transfer.
   *
   * @param fd File of the DMABUF.
   * @param fence The file that {@linkcode enqueue} returned.
   * @param timeoutMs The longest wait, milliseconds.
   * @returns The state of the transfer.
   */
  wait(fd: number, fence: number, timeoutMs: number): FenceState {
    // what the engine reads may be written when it has read it, what it writes may be read
    const event = this.direction === "tx" ? POLLOUT : POLLIN;
    if ((this.#under.poll(fd, event, timeoutMs) & event) === 0) return "pending";
    const info = new Uint8Array(SYNC_FILE_INFO.size);
    this.#under.ioctl(fence, REQUEST.FILE_INFO, info);
    const status = new DataView(info.buffer).getInt32(SYNC_FILE_INFO.at.status, true);
    if (status > 0) return "ok";
    // somebody disabled the buffer
    this.#enabled = false;
    return "aborted";
  }

  /** Stop the engine. Every fence is signaled. The next {@linkcode enqueue} starts it again. */
  disable(): void {
    this.#enabled = false;
    this.#write("buffer0/enable", "0");
  }

  /**
   * Disable the buffer, and close it. The kernel detaches the DMABUFs that are left, so close the files of fences
   * before.
   */
  close(): void {
    try {
      this.disable();
    } finally {
      this.#under.close(this.#fd);
      this.#under.close(this.device);
    }
  }

  #enable(): void {
    if (this.#enabled) return;
    try {
      this.#write("buffer0/enable", "1");
    } catch (error) {
      if (!(error instanceof ErrnoError) || error.errno !== ERRNO.EINVAL) throw error;
      const channels = `${this.#folder}/buffer0/*_en`;
      fail(
        "ENQUEUE",
        ERRNO.EINVAL,
        `no channel of ${this.name} is enabled: echo 1 > one of ${channels}`,
      );
    }
    this.#enabled = true;
  }

  /** Reads a file of the device in sysfs. */
  #read(name: string): string {
    const path = `${this.#folder}/${name}`;
    try {
      return readSmallFile(this.#under, path);
    } catch (error) {
      if (!(error instanceof ErrnoError) || error.errno !== ERRNO.ENOENT) throw error;
      fail("open", ERRNO.ENODEV, `there is no ${path}: expected an IIO device with a DMA buffer`);
    }
  }

  #write(name: string, text: string): void {
    writeSmallFile(this.#under, `${this.#folder}/${name}`, text);
  }
}

function int(value: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setInt32(0, value, true);
  return bytes;
}

function fail(name: string, errno: number, detail: string): never {
  throw new AdapterError(`${name} of the iio adapter`, errno, detail);
}
