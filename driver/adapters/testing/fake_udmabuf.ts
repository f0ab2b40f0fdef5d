// SPDX-License-Identifier: MIT

/**
 * A buffer of u-dma-buf and an AXI DMA in direct register mode with a loopback, in this process. They have the
 * numbers, structs, files and registers of the real ones.
 *
 * The buffer has one memory, which the device sees. A cached mapping has copies of its lines. A line that was
 * stored to reaches memory when it is cleaned, and a line is read from memory again after it was invalidated.
 *
 * @module
 */

import { ERRNO, ErrnoError } from "../../errno.ts";
import { Mapping } from "../../mapping.ts";
import { equalBytes } from "../../memory.ts";
import type { RegisterPort, Syscalls } from "../../syscalls.ts";
import type { Direction } from "../../uapi.ts";
import { DEVICE_INFO, REQUEST, SYNC_ARGS } from "../udmabuf_abi.ts";

/** How the fake differs from a u-dma-buf 5 on a board that is not coherent. */
export interface FakeUdmabufOptions {
  /** Version: 4 has files in sysfs only, 5 has ioctls. Defaults to 5. */
  readonly version?: 4 | 5;
  /** Size of the buffer, bytes. Defaults to 4 MiB. */
  readonly size?: number;
  /** Whether the kernel takes the device for coherent, and it is. Defaults to false. */
  readonly coherent?: boolean;
  /** Width of the engine's length registers, bits. Defaults to 20. */
  readonly lengthBits?: number;
  /** Direction whose transfers never end. Defaults to none. */
  readonly hangs?: Direction;
  /** Direction whose next transfer ends with a slave error. Defaults to none. */
  readonly fails?: Direction;
}

/** A sync call that the driver made. */
export interface FakeSync {
  readonly op: "for-device" | "for-cpu";
  /** As `enum dma_data_direction` counts: 0 both, 1 to the device, 2 from the device. */
  readonly direction: number;
  readonly offset: number;
  readonly size: number;
}

const BUS_ADDRESS = 0x7000_0000;
const LINE = 64;
const O_SYNC = 0o4000000;
const FOLDER = "/sys/class/u-dma-buf/udmabuf0/";

interface FakeMapping {
  readonly mapping: Mapping;
  readonly offset: number;
  readonly cached: boolean;
  /** What each cached line was read as. A line that differs from it is dirty. */
  readonly loaded: Uint8Array;
}

interface Channel {
  control: number;
  status: number;
  low: number;
  high: number;
  length: number;
  running: boolean;
}

/** The driver with `/dev/udmabuf0` and its files, and the registers at `/dev/uio0`. */
export class FakeUdmabuf implements Syscalls {
  /** The sync calls until now. */
  readonly syncs: FakeSync[] = [];
  /** What the last mapping was, as the driver would set its page protection. */
  readonly mapped: string[] = [];
  /** Settings of the buffer, as the files in sysfs show them. */
  readonly settings = { mode: 1, offset: 0, size: 0, direction: 0 };
  readonly #options: FakeUdmabufOptions;
  readonly #memory: Uint8Array<ArrayBuffer>;
  readonly #files = new Map<number, { readonly path: string; readonly flags: number }>();
  readonly #mappings: FakeMapping[] = [];
  readonly #channels: Record<Direction, Channel> = { tx: idle(), rx: idle() };
  #fails: Direction | null;
  #nextFd = 3;
  #now = 1_000_000_000;

  /** @param options How it differs. */
  constructor(options: FakeUdmabufOptions = {}) {
    this.#options = options;
    this.#memory = new Uint8Array(options.size ?? 4 * 2 ** 20);
    this.#fails = options.fails ?? null;
  }

  /** The files that are open. */
  get openFiles(): number {
    return this.#files.size;
  }

  open(path: string, flags: number): number {
    const known = path === "/dev/udmabuf0" || path.startsWith(FOLDER) && this.#shows(path) !== null;
    if (!known) throw new ErrnoError("open", ERRNO.ENOENT, path);
    this.#files.set(this.#nextFd, { path, flags });
    return this.#nextFd++;
  }

  close(fd: number): void {
    if (!this.#files.delete(fd)) throw new ErrnoError("close", ERRNO.EBADF);
  }

  read(fd: number, buffer: Uint8Array): number {
    const bytes = new TextEncoder().encode(`${this.#shows(this.#file(fd).path)}\n`);
    buffer.set(bytes.subarray(0, buffer.length));
    return Math.min(bytes.length, buffer.length);
  }

  write(fd: number, buffer: Uint8Array): number {
    const { path } = this.#file(fd);
    const value = BigInt(new TextDecoder().decode(buffer));
    if (path === `${FOLDER}sync_mode` && value <= 7n) this.settings.mode = Number(value);
    else if (path === `${FOLDER}sync_for_cpu`) this.#command("for-cpu", value);
    else if (path === `${FOLDER}sync_for_device`) this.#command("for-device", value);
    else throw new ErrnoError("write", ERRNO.EINVAL, path);
    return buffer.length;
  }

  ioctl(fd: number, request: number, argument: Uint8Array<ArrayBuffer> | null): number {
    if (this.#file(fd).path !== "/dev/udmabuf0" || this.#options.version === 4) {
      throw new ErrnoError("ioctl", ERRNO.ENOTTY);
    }
    if (argument === null) throw new ErrnoError("ioctl", ERRNO.EFAULT);
    const view = new DataView(argument.buffer, argument.byteOffset, argument.byteLength);
    if (request === REQUEST.GET_DEV_INFO) {
      const flags = 32 | (this.#options.coherent === true ? 1 << 9 : 0);
      view.setBigUint64(DEVICE_INFO.at.flags, BigInt(flags), true);
      view.setBigUint64(DEVICE_INFO.at.size, BigInt(this.#memory.length), true);
      view.setBigUint64(DEVICE_INFO.at.address, BigInt(BUS_ADDRESS), true);
    } else if (request === REQUEST.SET_SYNC) this.#setSync(view);
    else throw new ErrnoError("ioctl", ERRNO.ENOTTY);
    return 0;
  }

  ioctlAsync(): Promise<number> {
    throw new Error("The adapter uses no other thread");
  }

  mmap(length: number, _prot: number, _flags: number, fd: number, offset: number): Mapping {
    const { flags } = this.#file(fd);
    if (offset % 4096 !== 0 || offset + length > this.#memory.length) {
      throw new ErrnoError("mmap", ERRNO.EINVAL);
    }
    const { mode } = this.settings;
    const kind = (flags & O_SYNC) !== 0 || mode >= 4 ? mode & 3 : 0;
    this.mapped.push(["cached", "uncached", "write-combine", "coherent"][kind] ?? "");
    const cached = kind === 0 || this.#options.coherent === true && kind === 3;
    const loaded = this.#memory.slice(offset, offset + length);
    const address = BigInt(0x1000_0000 + offset);
    const mapping = new Mapping(address, loaded.slice().buffer, length);
    this.#mappings.push({ mapping, offset, cached, loaded });
    return mapping;
  }

  munmap(mapping: Mapping): void {
    const index = this.#mappings.findIndex((one) => one.mapping === mapping);
    const [found] = this.#mappings.splice(index, 1);
    // lines outlive a mapping, and are written back some time
    if (found !== undefined) this.#clean(found, found.offset, mapping.length);
    mapping.detach();
  }

  poll(_fd: number, _events: number, timeoutMs: number): number {
    this.#now += timeoutMs * 1e6;
    return 0;
  }

  monotonicNs(): number {
    return this.#now += 1000;
  }

  equal(mapping: Mapping, offset: number, expected: Uint8Array, length: number): boolean {
    const found = new Uint8Array(length);
    mapping.copyTo(found, offset);
    return equalBytes(found, expected.subarray(0, length));
  }

  registers(path: string): RegisterPort | null {
    if (path !== "/dev/uio0") return null;
    return {
      length: 0x10000,
      load: (offset) => this.#load(offset),
      store: (offset, value) => this.#store(offset, value),
    };
  }

  #file(fd: number) {
    const file = this.#files.get(fd);
    if (file === undefined) throw new ErrnoError("ioctl", ERRNO.EBADF);
    return file;
  }

  /** What a file in sysfs shows, or null without such a file. */
  #shows(path: string): string | null {
    const { mode, offset, size, direction } = this.settings;
    const files: Record<string, string> = {
      ...{ size: `${this.#memory.length}`, phys_addr: `0x${BUS_ADDRESS.toString(16)}` },
      ...{ sync_mode: `${mode}`, sync_offset: `0x${offset.toString(16)}`, sync_size: `${size}` },
      ...{ sync_direction: `${direction}`, sync_for_cpu: "0", sync_for_device: "0" },
      dma_coherent: this.#options.coherent === true ? "1" : "0",
    };
    return files[path.slice(FOLDER.length)] ?? null;
  }

  #setSync(view: DataView): void {
    const flags = Number(view.getBigUint64(SYNC_ARGS.at.flags, true));
    const size = Number(view.getBigUint64(SYNC_ARGS.at.size, true));
    const [command, direction, mode] = [flags & 3, flags >> 2 & 3, flags >> 8 & 0xff];
    // the driver keeps a mode and a size of 0 as they were
    if (direction < 3) this.settings.direction = direction;
    if (mode > 0) this.settings.mode = mode;
    if (size > 0) this.settings.size = size;
    this.settings.offset = Number(view.getBigUint64(SYNC_ARGS.at.offset, true));
    if (command === 1) this.#command("for-cpu", 1n);
    if (command === 3) this.#command("for-device", 1n);
  }

  /** The word of a sync: with a range, or 1 for that of the settings. */
  #command(op: FakeSync["op"], word: bigint): void {
    const own = (word & ~1n) !== 0n;
    const { settings } = this;
    const offset = own ? Number(word >> 32n) : settings.offset;
    const size = own ? Number(word & 0xffff_fff0n) : settings.size;
    const direction = own ? Number(word >> 2n & 3n) : settings.direction;
    if (offset + size > this.#memory.length) throw new ErrnoError("sync", ERRNO.EINVAL);
    this.syncs.push({ op, direction, offset, size });
    if (this.#options.coherent === true) return;
    for (const one of this.#mappings) {
      if (op === "for-device") this.#clean(one, offset, size);
      else if (direction !== 1) this.#invalidate(one, offset, size);
    }
  }

  /** The lines of a mapping that a range of the buffer touches, as starts in the mapping. */
  *#lines({ offset, mapping }: FakeMapping, start: number, size: number): Generator<number> {
    const from = Math.max(0, Math.floor((start - offset) / LINE) * LINE);
    const to = Math.min(mapping.length, start + size - offset);
    for (let at = from; at < to; at += LINE) yield at;
  }

  #clean(one: FakeMapping, start: number, size: number): void {
    const cpu = new Uint8Array(one.mapping.buffer);
    for (const at of this.#lines(one, start, size)) {
      const line = cpu.subarray(at, at + LINE);
      if (equalBytes(line, one.loaded.subarray(at, at + LINE))) continue;
      this.#memory.set(line, one.offset + at);
      one.loaded.set(line, at);
    }
  }

  #invalidate(one: FakeMapping, start: number, size: number): void {
    const cpu = new Uint8Array(one.mapping.buffer);
    for (const at of this.#lines(one, start, size)) {
      const line = this.#memory.subarray(one.offset + at, one.offset + at + LINE);
      cpu.set(line.subarray(0, cpu.length - at), at);
      one.loaded.set(line.subarray(0, cpu.length - at), at);
    }
  }

  #load(offset: number): number {
    const channel = this.#channels[offset < 0x30 ? "tx" : "rx"];
    const values: Record<number, number> = {
      ...{ 0x00: channel.control, 0x04: channel.status, 0x18: channel.low },
      ...{ 0x1c: channel.high, 0x28: channel.length },
    };
    return values[offset % 0x30] ?? 0;
  }

  #store(offset: number, value: number): void {
    const direction = offset < 0x30 ? "tx" : "rx";
    const channel = this.#channels[direction];
    switch (offset % 0x30) {
      case 0x00:
        if ((value & 4) !== 0) {
          Object.assign(this.#channels.tx, idle());
          Object.assign(this.#channels.rx, idle());
          return;
        }
        channel.control = value;
        channel.status &= ~1;
        return;
      case 0x18:
        channel.low = value;
        return;
      case 0x1c:
        channel.high = value;
        return;
      case 0x28:
        // the core has only so many bits
        channel.length = value % 2 ** (this.#options.lengthBits ?? 20);
        channel.status &= ~2;
        channel.running = true;
        this.#run();
    }
  }

  /** Moves a frame through the loopback, once both directions have a transfer. */
  #run(): void {
    for (const direction of ["tx", "rx"] as const) {
      const channel = this.#channels[direction];
      if (this.#fails !== direction || !channel.running) continue;
      this.#fails = null;
      Object.assign(channel, { running: false, status: channel.status | 0x21 });
    }
    const { tx, rx } = this.#channels;
    if (!tx.running || !rx.running || this.#options.hangs !== undefined) return;
    // the device sees lines that are not cached, and all of them if it is coherent
    const all = this.#options.coherent === true;
    for (const one of this.#mappings) {
      if (all || !one.cached) this.#clean(one, one.offset, one.mapping.length);
    }
    const from = tx.high * 2 ** 32 + tx.low - BUS_ADDRESS;
    const to = rx.high * 2 ** 32 + rx.low - BUS_ADDRESS;
    const length = Math.min(tx.length, rx.length);
    this.#memory.copyWithin(to, from, from + length);
    rx.length = length;
    for (const one of this.#mappings) {
      if (all || !one.cached) this.#invalidate(one, to, length);
    }
    for (const channel of [tx, rx]) {
      Object.assign(channel, { running: false, status: channel.status | 2 });
    }
  }
}

function idle(): Channel {
  return { control: 0, status: 1, low: 0, high: 0, length: 0, running: false };
}
