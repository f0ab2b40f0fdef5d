// SPDX-License-Identifier: MIT
/**
 * The device by raw calls, without any check of the binding.
 *
 * @module
 */

import type { Layout } from "../../../driver/layout.ts";
import type { Mapping } from "../../../driver/mapping.ts";
import {
  FIONBIO,
  MAP_SHARED,
  PROT_READ,
  PROT_WRITE,
  type Syscalls,
} from "../../../driver/syscalls.ts";
import {
  ALLOC,
  CACHE,
  DEQUEUE,
  DEQUEUE_BATCH,
  type Direction,
  DIRECTIONS,
  ENQUEUE,
  ENQUEUE_BATCH,
  EXPORT,
  FREE,
  IMPORT,
  INFO,
  IOC,
  POLICIES,
  type PolicyName,
  QUERY,
  REGISTER,
  type RequestName,
  RESET,
  STATS,
  SYNC,
} from "../../../driver/uapi.ts";

/** Bytes of a page: the default size of a block. */
export const PAGE = 4096;
export const MAX_U32 = 0xffff_ffff;
export const MAX_U64 = 0xffff_ffff_ffff_ffffn;

/** The struct of each request. */
export const STRUCTS = {
  INFO,
  ALLOC,
  FREE,
  QUERY,
  ENQUEUE,
  DEQUEUE,
  SYNC,
  REGISTER,
  UNREGISTER: FREE,
  STATS,
  RESET,
  ENQUEUE_BATCH,
  DEQUEUE_BATCH,
  EXPORT,
  IMPORT,
  CACHE,
} as const satisfies Record<RequestName, Layout<string>>;

/** The argument of a request, with members by name. */
export class Struct<Name extends string> {
  readonly layout: Layout<Name>;
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly #view: DataView;

  constructor(layout: Layout<Name>, values?: Values<Name>, fill = 0) {
    this.layout = layout;
    this.bytes = new Uint8Array(layout.size).fill(fill);
    this.#view = new DataView(this.bytes.buffer);
    for (const [member, value] of Object.entries(values ?? {})) {
      this.set(member as Name, value as number | bigint);
    }
  }

  /** Size of a member, bytes: of an array, all elements together. */
  width(member: Name): number {
    const at = this.layout.at[member];
    const later = Object.values<number>(this.layout.at).filter((other) => other > at);
    return Math.min(this.layout.size, ...later) - at;
  }

  /** Sets a member; of an array, the first bytes. */
  set(member: Name, value: number | bigint): void {
    const at = this.layout.at[member];
    if (this.width(member) === 4) this.#view.setUint32(at, Number(value), true);
    else this.#view.setBigUint64(at, BigInt(value), true);
  }

  /** Gets a member exactly. */
  exact(member: Name): bigint {
    const at = this.layout.at[member];
    return this.width(member) === 4
      ? BigInt(this.#view.getUint32(at, true))
      : this.#view.getBigUint64(at, true);
  }

  /** Gets a member as a number. */
  get(member: Name): number {
    return Number(this.exact(member));
  }

  /** Gets the bytes of a member. */
  slice(member: Name): Uint8Array<ArrayBuffer> {
    const at = this.layout.at[member];
    return this.bytes.subarray(at, at + this.width(member));
  }
}

/** Values of members by name. */
export type Values<Name extends string> = Readonly<Partial<Record<Name, number | bigint>>>;

/** Policy and direction as members of ALLOC and REGISTER. */
export function kind(
  policy: PolicyName,
  direction: Direction,
): { policy: number; direction: number } {
  return { policy: POLICIES.indexOf(policy), direction: DIRECTIONS.indexOf(direction) };
}

/** Blocks as ALLOC returns them. */
export interface Blocks {
  /** Id of the first block. */
  readonly id: number;
  /** Its offset for mmap. */
  readonly offset: number;
  /** Distance from one offset to the next, bytes. */
  readonly stride: number;
}

/** An open device. It remembers its blocks and mappings, so that a check can query and release all of them. */
export class Raw {
  readonly syscalls: Syscalls;
  /** The file descriptor. */
  readonly fd: number;
  /** Ids of all existing blocks. */
  readonly ids = new Set<number>();
  readonly #mappings = new Set<Mapping>();
  #open = true;

  /** Takes over a descriptor. */
  constructor(syscalls: Syscalls, fd: number) {
    this.syscalls = syscalls;
    this.fd = fd;
  }

  /** Makes a request by name. */
  call(name: RequestName, argument: Struct<string>): void {
    this.syscalls.ioctl(this.fd, IOC[name], argument.bytes);
  }

  alloc(policy: PolicyName, direction: Direction, size = PAGE, count = 1): Blocks {
    const argument = new Struct(ALLOC, { ...kind(policy, direction), size, count });
    this.call("ALLOC", argument);
    const id = argument.get("first_id");
    for (let i = 0; i < count; i++) this.ids.add(id + i);
    return { id, offset: argument.get("mmap_offset"), stride: argument.get("mmap_stride") };
  }

  free(id: number): void {
    this.call("FREE", new Struct(FREE, { id }));
    this.ids.delete(id);
  }

  /** Calls REGISTER; returns the id. */
  register(policy: PolicyName, direction: Direction, address: bigint, size = PAGE): number {
    const argument = new Struct(REGISTER, { ...kind(policy, direction), address, size });
    this.call("REGISTER", argument);
    this.ids.add(argument.get("id"));
    return argument.get("id");
  }

  unregister(id: number): void {
    this.call("UNREGISTER", new Struct(FREE, { id }));
    this.ids.delete(id);
  }

  query(id: number): Struct<keyof typeof QUERY.at> {
    const argument = new Struct(QUERY, { id });
    this.call("QUERY", argument);
    return argument;
  }

  enqueue(id: number, values: Values<keyof typeof ENQUEUE.at> = {}): void {
    this.call("ENQUEUE", new Struct(ENQUEUE, { id, length: PAGE, ...values }));
  }

  /** Calls DEQUEUE. The members that the driver fills in start as 0xff. */
  dequeue(direction: Direction, deadline: number | bigint): Struct<keyof typeof DEQUEUE.at> {
    const argument = dequeueArgument(direction, deadline);
    this.call("DEQUEUE", argument);
    return argument;
  }

  stats(flags = 0): Struct<keyof typeof STATS.at> {
    const argument = new Struct(STATS, { flags });
    this.call("STATS", argument);
    return argument;
  }

  /** Calls RESET; returns the number of returned blocks. */
  reset(flags = 0): number {
    const argument = new Struct(RESET, { flags });
    this.call("RESET", argument);
    return argument.get("returned");
  }

  /** Maps memory. Defaults to one page that can be read and written. */
  map(
    offset: number,
    { length = PAGE, prot = PROT_READ | PROT_WRITE, flags = MAP_SHARED } = {},
  ): Mapping {
    const mapping = this.syscalls.mmap(length, prot, flags, this.fd, offset);
    this.#mappings.add(mapping);
    return mapping;
  }

  unmap(mapping: Mapping): void {
    this.syscalls.munmap(mapping);
    this.#mappings.delete(mapping);
  }

  setNonblocking(on: boolean): void {
    this.syscalls.ioctl(this.fd, FIONBIO, new Uint8Array([on ? 1 : 0, 0, 0, 0]));
  }

  poll(events: number, timeoutMs: number): number {
    return this.syscalls.poll(this.fd, events, timeoutMs);
  }

  /** Whether the file is open. */
  get open(): boolean {
    return this.#open;
  }

  /** Closes the file. Mappings stay. */
  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.ids.clear();
    this.syscalls.close(this.fd);
  }

  /** Unmaps everything and closes the file. */
  dispose(): void {
    for (const mapping of this.#mappings) this.unmap(mapping);
    this.close();
  }
}

/** Makes the argument of DEQUEUE. The members that the driver fills in start as 0xff. */
export function dequeueArgument(
  direction: Direction,
  deadline: number | bigint,
): Struct<keyof typeof DEQUEUE.at> {
  const argument = new Struct(DEQUEUE, {
    direction: DIRECTIONS.indexOf(direction),
    deadline_ns: deadline,
  });
  argument.bytes.fill(0xff, DEQUEUE.at.id, DEQUEUE.at.error);
  return argument;
}
