// SPDX-License-Identifier: MIT

/**
 * The system calls of another machine, through `plumbline-agent`. Blocks and files are there. `Block` and
 * `Device` work as on this machine, but there are no views of memory. The file is long, because one class has
 * all system calls.
 *
 * @module
 */

import { DEQUEUE, DEQUEUE_BATCH, IOC } from "./uapi.ts";
import { ErrnoError } from "./errno.ts";
import type { Mapping } from "./mapping.ts";
import type { RemoteAddress } from "./remote/address.ts";
import { Constants, RemoteMapping } from "./remote/memory.ts";
import {
  failedStep,
  type Program,
  type Repeated,
  type RepeatOptions,
  unpackRepeated,
} from "./remote/program.ts";
import { MAX_PAYLOAD, type OpName, REPEATED, REPLY } from "./remote/protocol.ts";
import { AgentSession, type Ask, type TargetInfo, unpackReply } from "./remote/session.ts";
import type { Stream } from "./remote/stream.ts";
import type { Attachment, Syscalls } from "./syscalls.ts";

export { AgentError } from "./remote/errors.ts";
export { parseRemoteAddress, REMOTE_FORMS, type RemoteAddress } from "./remote/address.ts";
export { TOKEN_VARIABLE } from "./remote/session.ts";
export type { TargetInfo } from "./remote/session.ts";
export type { Program, Repeated, RepeatOptions } from "./remote/program.ts";

/** Longest wait for a call that waits on another connection, beyond its deadline, milliseconds. */
const PATIENCE_MS = 30_000;

/** A day, milliseconds: the longest wait of the binding. */
const DAY_MS = 86_400_000;

const decoder = new TextDecoder();
const encoder = new TextEncoder();

/** Files of a kernel, below `/proc` and `/sys`. */
export interface KernelFiles {
  /** Reads a file. Returns null if it cannot be read. */
  readFile(path: string): string | null;
  /** Reads the bytes of a file. Returns null if it cannot be read. */
  readBytes(path: string): Uint8Array<ArrayBuffer> | null;
  /** Lists a folder. Returns no names if it cannot be read. */
  list(path: string): string[];
  /** Reads a symbolic link. Returns null if there is none. */
  readLink(path: string): string | null;
  /** Reads the end of the kernel log, at most as many bytes. Returns null if it cannot be read. */
  kernelLog(most: number): string | null;
}

/** Where COMPARE found differences. */
export interface Difference {
  /** Number of bytes that differ. */
  readonly count: number;
  /** Offset of the first different byte, or 0. */
  readonly first: number;
  /** Offset of the last different byte, or 0. */
  readonly last: number;
}

/** What an attempt to lock a device found. */
export interface RemoteLock {
  /** Whether this session holds the lock now. */
  readonly locked: boolean;
  /** What the file of the lock contained before. */
  readonly text: string;
}

/** The system calls of a target. */
export class Remote implements Syscalls, KernelFiles, Disposable {
  readonly #session: AgentSession;
  readonly #constants: Constants;
  /** Connections for calls that wait, which no call uses now. */
  readonly #idle: { readonly stream: Stream; readonly number: number }[] = [];

  private constructor(session: AgentSession) {
    this.#session = session;
    this.#constants = new Constants(session);
  }

  /**
   * Connect with the agent of a target.
   *
   * @param address Where it is.
   * @param token Its token. Defaults to none.
   * @returns The system calls. The agent releases everything when the connection ends.
   * @throws {AgentError} If there is no agent, or it refuses.
   */
  static connect(address: RemoteAddress, token?: string): Remote {
    return new Remote(AgentSession.connect(address, token));
  }

  /** The files of the target's kernel. */
  get files(): KernelFiles {
    return this;
  }

  /** Whether only one process at a time can be connected, because it is a serial line. */
  get isExclusive(): boolean {
    return this.#session.isSlow;
  }

  /** What the agent says about its target. */
  get target(): TargetInfo {
    return this.#session.target;
  }

  /**
   * Ask the agent whether it is there.
   *
   * @throws {AgentError} If the connection is lost.
   */
  ping(): void {
    this.#session.ask("CLOCK");
  }

  open(path: string, flags: number): number {
    if (path.includes("\0")) throw new RangeError("Expected a path without NUL characters");
    return this.#call("OPEN", { args: [flags], payload: encoder.encode(path) }, `open ${path}`);
  }

  close(fd: number): void {
    // the agent has closed everything if the connection is lost
    if (this.#session.lost === null) this.#call("CLOSE", { args: [fd] });
  }

  ioctl(
    fd: number,
    request: number,
    argument: Uint8Array<ArrayBuffer> | null,
    attachment?: Attachment,
  ): number {
    const items = attachment?.bytes ?? new Uint8Array(0);
    const size = argument?.length ?? 0;
    const sent = new Uint8Array(size + items.length);
    if (argument !== null) sent.set(argument);
    sent.set(items, size);
    const waitMs = this.#makeRelative(request, sent.subarray(0, size));
    const options = { args: [fd, request >>> 0, 0, items.length], payload: sent, waitMs };
    const { result, error, payload } = this.#session.ask("IOCTL", options);
    // a request that the agent refuses itself has no struct in its reply
    if (payload.length === sent.length) {
      if (argument !== null) copyStruct(request, payload.subarray(0, size), argument);
      items.set(payload.subarray(size));
    }
    if (error !== 0) throw new ErrnoError("ioctl", error);
    return result;
  }

  async ioctlAsync(
    fd: number,
    request: number,
    argument: Uint8Array<ArrayBuffer>,
  ): Promise<number> {
    const channel = this.#idle.pop() ?? this.#session.attach();
    const struct = argument.slice();
    const waitMs = this.#makeRelative(request, struct);
    const args = [fd, request >>> 0, channel.number];
    const started = this.#session.ask("IOCTL", { args, payload: struct });
    if (started.error !== 0) {
      this.#idle.push(channel);
      return -1;
    }
    const answer = new Uint8Array(REPLY.size + struct.length);
    await channel.stream.readAsync(answer, PATIENCE_MS + waitMs);
    this.#idle.push(channel);
    copyStruct(request, answer.subarray(REPLY.size), argument);
    return unpackReply(new DataView(answer.buffer)).result;
  }

  mmap(length: number, prot: number, flags: number, fd: number, offset: number): Mapping {
    const address = this.#call("MMAP", { args: [length, prot, flags, fd, offset] });
    return new RemoteMapping(address, length, this.#session, this.#constants);
  }

  munmap(mapping: Mapping): void {
    mapping.detach();
    if (this.#session.lost !== null) return;
    this.#call("MUNMAP", { args: [mapping.base, mapping.length] });
  }

  poll(fd: number, events: number, timeoutMs: number): number {
    if (!(timeoutMs >= 0 && timeoutMs <= 0x7fff_ffff)) {
      throw new RangeError(`Expected a finite timeout of 0 ms or more, found ${timeoutMs}`);
    }
    const limit = Math.ceil(timeoutMs);
    return this.#call("POLL", { args: [fd, events, limit], waitMs: limit });
  }

  read(fd: number, buffer: Uint8Array): number {
    // a blocking read() waits for a frame, as long as that takes
    const length = Math.min(buffer.length, MAX_PAYLOAD);
    const reply = this.#session.ask("READ", { args: [fd, length], waitMs: DAY_MS });
    if (reply.error !== 0) throw new ErrnoError("read", reply.error);
    buffer.set(reply.payload);
    return reply.result;
  }

  write(fd: number, buffer: Uint8Array): number {
    return this.#call("WRITE", { args: [fd], payload: buffer, waitMs: DAY_MS });
  }

  monotonicNs(): number {
    return this.#session.now();
  }

  memoryInfo(): string | null {
    return this.readFile("/proc/meminfo");
  }

  equal(mapping: Mapping, offset: number, expected: Uint8Array, length: number): boolean {
    return this.compare(mapping, offset, expected.subarray(0, length)).count === 0;
  }

  /**
   * Compare memory on the target with expected bytes.
   *
   * @param mapping The memory.
   * @param offset Start in the memory, bytes.
   * @param expected The expected bytes.
   * @returns Where they differ.
   */
  compare(mapping: Mapping, offset: number, expected: Uint8Array): Difference {
    const there = this.#constants.addressOf(expected);
    const [op, options]: [OpName, Ask] = there === null
      ? ["COMPARE_WITH", { args: [mapping.base + offset], payload: expected }]
      : ["COMPARE", { args: [mapping.base + offset, there, expected.length] }];
    const { result, error, payload } = this.#session.ask(op, options);
    if (error !== 0) throw new ErrnoError(`agent ${op}`, error, `${expected.length} bytes`);
    const view = new DataView(payload.buffer, payload.byteOffset, payload.length);
    const [first, last] = [view.getBigUint64(0, true), view.getBigUint64(8, true)];
    return { count: result, first: Number(first), last: Number(last) };
  }

  /**
   * Compute the CRC-32 of IEEE 802.3 over memory on the target.
   *
   * @param mapping The memory.
   * @param offset Start in the memory, bytes.
   * @param length Number of bytes.
   * @returns The check value.
   */
  crc32(mapping: Mapping, offset: number, length: number): number {
    return this.#call("CRC", { args: [mapping.base + offset, length] });
  }

  /**
   * Copy memory on the target.
   *
   * @param to Address of the first byte to write.
   * @param from Address of the first byte to read.
   * @param length Number of bytes.
   */
  copy(to: bigint, from: bigint, length: number): void {
    this.#call("COPY", { args: [to, from, length] });
  }

  /**
   * Add up memory on the target, by one load for each byte or word.
   *
   * @param from Address of the first byte, a multiple of the width.
   * @param length Number of bytes, a multiple of the width.
   * @param width Bytes of a load.
   * @returns The sum modulo 2^63. It is inexact above 2^53.
   */
  sum(from: bigint, length: number, width: 1 | 8): number {
    return this.#call("SUM", { args: [from, length, width] });
  }

  /** Ask the target for its clock. A program records the time. */
  mark(): void {
    this.#session.ask("CLOCK");
  }

  /**
   * Call a function once, and record the calls that it makes on the target.
   *
   * @param fn The function, whose calls must be such that they can be repeated: calls for blocks that were
   * enqueued in the same order, and stores and comparisons.
   * @returns The calls, for {@linkcode Remote.repeat}.
   * @throws {Error} If a call cannot be repeated.
   */
  record(fn: () => unknown): Program {
    return this.#session.record(fn);
  }

  /**
   * Repeat calls on the target. The network is not part of what is measured.
   *
   * @param program The calls.
   * @param options How often.
   * @returns The target's clock between the calls.
   * @throws {ErrnoError} If a call fails.
   */
  repeat(program: Program, { seconds, most = 2000, passes = 1 }: RepeatOptions): Repeated {
    const { result, error, payload } = this.#session.ask("REPEAT", {
      args: [most, passes, Math.round(seconds * 1e9)],
      payload: program.bytes,
      // the agent stops after the first time that ends later, or gives up
      waitMs: PATIENCE_MS + seconds * 1000,
    });
    if (error === 0) return unpackRepeated(result, payload);
    const step = payload.length < REPEATED.size
      ? "before the first call"
      : `call ${failedStep(payload)} of ${program.steps}`;
    throw new ErrnoError("agent REPEAT", error, step);
  }

  /**
   * Read a file of the target's kernel: below `/sys`, or one of a few below `/proc`.
   *
   * @param path Absolute path.
   * @returns Its content, or null if it cannot be read.
   */
  readFile(path: string): string | null {
    const bytes = this.readBytes(path);
    return bytes === null ? null : decoder.decode(bytes);
  }

  /**
   * Read the bytes of such a file.
   *
   * @param path Absolute path.
   * @returns Its content, or null if it cannot be read.
   */
  readBytes(path: string): Uint8Array<ArrayBuffer> | null {
    const { error, payload } = this.#session.ask("FILE", { payload: encoder.encode(path) });
    return error === 0 ? payload.slice() : null;
  }

  /**
   * List a folder below `/sys` on the target.
   *
   * @param path Absolute path.
   * @returns The names in it, sorted. Empty if there is no such folder.
   */
  list(path: string): string[] {
    const { error, payload } = this.#session.ask("LIST", { payload: encoder.encode(path) });
    if (error !== 0) return [];
    return decoder.decode(payload).split("\0").filter((name) => name !== "").sort();
  }

  /**
   * Read a symbolic link below `/sys` on the target.
   *
   * @param path Absolute path.
   * @returns Its target, or null if there is no such link.
   */
  readLink(path: string): string | null {
    const { error, payload } = this.#session.ask("LINK", { payload: encoder.encode(path) });
    return error === 0 ? decoder.decode(payload) : null;
  }

  /**
   * Tell whether a device node or a path below `/sys` exists on the target; any path, if the agent was
   * started with `--allow-load`.
   *
   * @param path Absolute path.
   * @returns Whether it exists. False if the agent does not say.
   */
  exists(path: string): boolean {
    return this.#session.ask("EXISTS", { payload: encoder.encode(path) }).error === 0;
  }

  /**
   * Make a file of a bitstream's load on the target, and open it for writing. The agent must have been
   * started with `--allow-load`, as for the two methods below.
   *
   * @param path Absolute path. The file must not exist.
   * @returns The file, which the caller closes.
   * @throws {ErrnoError} EACCES if the agent does not allow it, or why the kernel refused.
   */
  create(path: string): number {
    return this.#call("CREATE", { payload: encoder.encode(path) }, `open ${path}`);
  }

  /**
   * Make a folder for a bitstream's load.
   *
   * @param path Absolute path, in a folder that exists.
   * @throws {ErrnoError} As {@linkcode create}.
   */
  makeFolder(path: string): void {
    this.#call("FOLDER", { payload: encoder.encode(path) }, `mkdir ${path}`);
  }

  /**
   * Remove such a file or folder.
   *
   * @param path Absolute path.
   * @throws {ErrnoError} As {@linkcode create}.
   */
  remove(path: string): void {
    this.#call("REMOVE", { payload: encoder.encode(path) }, `remove ${path}`);
  }

  /**
   * Read the end of the target's kernel log.
   *
   * @param most Most bytes to read.
   * @returns The log, or null if the agent may not read it.
   */
  kernelLog(most: number): string | null {
    const { error, payload } = this.#session.ask("LOG", { args: [Math.min(most, MAX_PAYLOAD)] });
    return error === 0 ? decoder.decode(payload) : null;
  }

  /**
   * Lock a device on the target until the connection ends.
   *
   * @param device Path of the device.
   * @param text What the file of the lock will contain.
   * @param waitMs How long to wait for another holder, milliseconds.
   * @returns Whether it is locked, and what the file contained before.
   * @throws {ErrnoError} If the lock cannot be made.
   */
  lock(device: string, text: string, waitMs: number): RemoteLock {
    const payload = encoder.encode(`${device}\0${text}`);
    const reply = this.#session.ask("LOCK", { args: [waitMs], payload, waitMs });
    const found = decoder.decode(reply.payload);
    if (reply.error === 0) return { locked: true, text: found };
    const error = new ErrnoError("lock", reply.error, device);
    if (error.code === "EAGAIN") return { locked: false, text: found };
    throw error;
  }

  /** Close the connection. The agent then releases everything. */
  [Symbol.dispose](): void {
    this.#session[Symbol.dispose]();
    for (const { stream } of this.#idle) stream.close();
    this.#idle.length = 0;
  }

  #call(op: OpName, options: Ask, what: string = op.toLowerCase()): number {
    const { result, error } = this.#session.ask(op, options);
    if (error !== 0) throw new ErrnoError(what, error);
    return result;
  }

  /**
   * Replaces a deadline by the time until then, because the target has another clock. Returns how long the
   * call may wait, milliseconds.
   */
  #makeRelative(request: number, struct: Uint8Array<ArrayBuffer>): number {
    const at = deadlineOf(request, struct.length);
    if (at === null) return 0;
    const view = new DataView(struct.buffer, struct.byteOffset);
    const deadline = view.getBigUint64(at, true);
    // 0 is "do not wait", and the driver refuses or clamps what no clock reaches
    if (deadline === 0n || deadline >> 63n !== 0n) return deadline === 0n ? 0 : DAY_MS;
    // exact, because a deadline may be the last moment that the driver accepts
    const left = deadline - BigInt(this.#session.now());
    view.setBigUint64(at, left > 0n ? left : 1n, true);
    return Math.min(Math.max(0, Number(left) / 1e6), DAY_MS);
  }
}

/**
 * Finds the deadline in the struct of a request. The driver tells requests apart by their number, because
 * structs may grow. Returns its offset, or null if there is none.
 */
function deadlineOf(request: number, length: number): number | null {
  // all of a request number but its direction and size
  const name = request & 0xffff;
  const at = name === (IOC.DEQUEUE & 0xffff)
    ? DEQUEUE.at.deadline_ns
    : name === (IOC.DEQUEUE_BATCH & 0xffff)
    ? DEQUEUE_BATCH.at.deadline_ns
    : null;
  return at !== null && length >= at + 8 ? at : null;
}

/** Copies a struct back, but for a deadline, which the driver does not change. */
function copyStruct(request: number, from: Uint8Array, to: Uint8Array): void {
  const at = deadlineOf(request, from.length);
  if (at === null) {
    to.set(from);
    return;
  }
  to.set(from.subarray(0, at));
  to.set(from.subarray(at + 8), at + 8);
}
