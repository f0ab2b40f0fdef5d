// SPDX-License-Identifier: MIT

/**
 * A buffer of u-dma-buf: its address, its mappings, and its sync calls, by ioctl or by files in sysfs.
 *
 * @module
 */

import { getNumber } from "../codecs.ts";
import { ERRNO, ErrnoError } from "../errno.ts";
import type { Mapping } from "../mapping.ts";
import { MAP_SHARED, O_CLOEXEC, O_RDWR, O_WRONLY, type Syscalls } from "../syscalls.ts";
import type { SyncOp } from "../uapi.ts";
import { readSmallFile, writeSmallFile } from "./small_file.ts";
import {
  DEVICE_INFO,
  packSync,
  REQUEST,
  SYNC_MODES,
  type SyncTarget,
  syncWord,
} from "./udmabuf_abi.ts";

/** Flag of `open()`: what `sync_mode` says holds for this file. */
const O_SYNC = 0o4010000;

/** How a mapping is cached: `cached`, or one of the modes that O_SYNC chooses. */
export type Caching = "cached" | "write-combine" | "coherent";

/** A buffer, such as `/dev/udmabuf0`, which is open until {@linkcode close}. */
export class UdmabufMemory {
  /** Size of the buffer, bytes. */
  readonly size: number;
  /** Bus address of the buffer. */
  readonly address: number;
  /** Whether the kernel takes the device for coherent. Its sync calls then do nothing. */
  readonly coherent: boolean;
  /** Width of the DMA mask, bits, or null if the driver does not tell. */
  readonly maskBits: number | null;
  /** File for cached mappings and ioctls. */
  readonly fd: number;
  readonly #under: Syscalls;
  readonly #path: string;
  readonly #folder: string;
  readonly #syncFd: number;
  /** Open files of sysfs, if the driver has no ioctl. */
  readonly #files = new Map<SyncOp, number>();
  readonly #hasIoctl: boolean;
  readonly #firstMode: number;

  /**
   * @param under The system calls that reach the driver.
   * @param path Path of the buffer's file.
   * @throws {ErrnoError} If the buffer or its files in sysfs cannot be opened.
   */
  constructor(under: Syscalls, path: string) {
    this.#under = under;
    this.#path = path;
    this.#folder = `/sys/class/u-dma-buf/${path.slice(path.lastIndexOf("/") + 1)}`;
    this.fd = under.open(path, O_RDWR | O_CLOEXEC);
    const opened = [this.fd];
    try {
      this.#syncFd = under.open(path, O_RDWR | O_SYNC | O_CLOEXEC);
      opened.push(this.#syncFd);
      const info = this.#info();
      this.#hasIoctl = info !== null;
      this.#firstMode = this.#number("sync_mode");
      if (info === null) {
        for (const op of ["for-cpu", "for-device"] as const) {
          const fd = under.open(
            `${this.#folder}/sync_${op.replace("-", "_")}`,
            O_WRONLY | O_CLOEXEC,
          );
          opened.push(fd);
          this.#files.set(op, fd);
        }
      }
      this.size = info?.size ?? this.#number("size");
      this.address = info?.address ?? this.#number("phys_addr");
      this.coherent = info?.coherent ?? this.#number("dma_coherent") === 1;
      this.maskBits = info?.maskBits ?? null;
    } catch (error) {
      for (const fd of opened) under.close(fd);
      throw error;
    }
  }

  /**
   * Map a range.
   *
   * @param offset Start in the buffer, bytes, a multiple of the page size.
   * @param length Number of bytes.
   * @param prot `PROT_*`.
   * @param caching How the CPU accesses it.
   * @returns The mapping, which the caller owns.
   */
  map(offset: number, length: number, prot: number, caching: Caching): Mapping {
    const { writeCombine, coherent, uncached } = SYNC_MODES;
    const mode = { cached: uncached, "write-combine": writeCombine, coherent }[caching];
    this.#setMode(mode);
    const fd = caching === "cached" ? this.fd : this.#syncFd;
    return this.#under.mmap(length, prot, MAP_SHARED, fd, offset);
  }

  /**
   * Sync a range.
   *
   * @param op Whom it is handed to.
   * @param target Direction.
   * @param offset Start in the buffer, bytes.
   * @param size Number of bytes, a multiple of 16.
   */
  sync(op: SyncOp, target: SyncTarget, offset: number, size: number): void {
    if (this.#hasIoctl) {
      this.#under.ioctl(this.fd, REQUEST.SET_SYNC, packSync({ op, target, mode: 0, offset, size }));
      return;
    }
    const word = new TextEncoder().encode(syncWord(target, offset, size));
    this.#under.write(this.#files.get(op) ?? -1, word);
  }

  /** Restore `sync_mode`, and close all files. */
  close(): void {
    try {
      this.#setMode(this.#firstMode);
    } finally {
      for (const fd of [...this.#files.values(), this.#syncFd, this.fd]) this.#under.close(fd);
    }
  }

  /** What the driver reports by ioctl, or null before version 4.7. */
  #info() {
    const bytes = new Uint8Array(DEVICE_INFO.size);
    try {
      this.#under.ioctl(this.fd, REQUEST.GET_DEV_INFO, bytes);
    } catch (error) {
      if (error instanceof ErrnoError && error.errno === ERRNO.ENOTTY) return null;
      throw error;
    }
    const view = new DataView(bytes.buffer);
    const flags = getNumber(view, DEVICE_INFO.at.flags);
    return {
      size: getNumber(view, DEVICE_INFO.at.size),
      address: getNumber(view, DEVICE_INFO.at.address),
      coherent: (flags >> 9 & 1) === 1,
      maskBits: flags & 0xff,
    };
  }

  #setMode(mode: number): void {
    if (this.#hasIoctl && mode !== 0) {
      // the range only becomes that of a later call without a range of its own
      const settings = { op: null, target: "both", mode, offset: 0, size: 16 } as const;
      this.#under.ioctl(this.fd, REQUEST.SET_SYNC, packSync(settings));
    } else this.#write("sync_mode", `${mode}`);
  }

  #number(name: string): number {
    const text = readSmallFile(this.#under, `${this.#folder}/${name}`);
    const value = Number(text);
    if (text !== "" && Number.isSafeInteger(value)) return value;
    const found = `expected a number in ${this.#folder}/${name}, found "${text}"`;
    throw new ErrnoError(`read of ${this.#path}`, ERRNO.EIO, found);
  }

  #write(name: string, text: string): void {
    writeSmallFile(this.#under, `${this.#folder}/${name}`, text);
  }
}
