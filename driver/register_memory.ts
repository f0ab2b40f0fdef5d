// SPDX-License-Identifier: MIT
/**
 * Registers in memory that the kernel maps: through a UIO device, or through `/dev/mem` at an address of the
 * device tree.
 *
 * Formats: `Documentation/driver-api/uio-howto.rst` of Linux for the files of a UIO device, and the Devicetree
 * Specification 0.4, 2.3.5 and 2.3.6, for `reg`, `#address-cells` and `#size-cells`.
 *
 * @module
 */

import { libc } from "./libc.ts";
import {
  MAP_SHARED,
  O_CLOEXEC,
  O_RDONLY,
  O_RDWR,
  PROT_READ,
  PROT_WRITE,
  type RegisterPort,
} from "./syscalls.ts";

/** Flag of `open()`: for `/dev/mem`, do not cache. */
const O_SYNC = 0o4010000;

/** Mappings begin at a multiple of this on every machine: the largest page of arm64. */
const PAGE = 65536;

/** How deep below the root of the device tree nodes are searched. */
const DEPTH = 6;

/** Where the kernel shows what it knows. */
export interface RegisterPlaces {
  /** FPGA managers: a folder for each. Defaults to `/sys/class/fpga_manager`. */
  readonly managers: string;
  /** UIO devices. Defaults to `/sys/class/uio`. */
  readonly uio: string;
  /** The device tree. Defaults to `/proc/device-tree`. */
  readonly tree: string;
  /** Physical memory. Defaults to `/dev/mem`. */
  readonly memory: string;
}

const PLACES: RegisterPlaces = {
  managers: "/sys/class/fpga_manager",
  uio: "/sys/class/uio",
  tree: "/proc/device-tree",
  memory: "/dev/mem",
};

/** The logic is not there, so its registers must not be accessed. */
export class FpgaNotReadyError extends Error {
  /** Name of the class, for messages. */
  override readonly name = "FpgaNotReadyError";
}

/**
 * Maps registers.
 *
 * @param source A UIO device, or the name of a node of the device tree
 * @param write Whether they may be written
 * @param places Where the kernel shows what it knows
 * @returns The registers, which the caller disposes of
 * @throws {FpgaNotReadyError} If an FPGA manager does not say `operating`
 */
export function mapRegisters(
  source: string,
  write: boolean,
  places: Partial<RegisterPlaces>,
): RegisterPort & Disposable {
  const known = { ...PLACES, ...places };
  requireOperating(known.managers, source);
  const uio = /\/(uio[0-9]+)$/.exec(source)?.[1];
  if (uio !== undefined) {
    const folder = `${known.uio}/${uio}/maps/map0`;
    const length = numberIn(`${folder}/size`);
    return new MappedRegisters(
      source,
      { at: 0, skip: numberIn(`${folder}/offset`), length },
      write,
    );
  }
  const { address, length } = nodeOf(source, known.tree);
  const skip = address % PAGE;
  return new MappedRegisters(known.memory, { at: address - skip, skip, length }, write);
}

/** Throws unless every FPGA manager says that its logic operates. A machine without one has fixed logic. */
function requireOperating(managers: string, source: string): void {
  let names: string[];
  try {
    names = [...Deno.readDirSync(managers)].map(({ name }) => name);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return;
    throw error;
  }
  for (const name of names.sort()) {
    const state = Deno.readTextFileSync(`${managers}/${name}/state`).trim();
    if (state === "operating") continue;
    throw new FpgaNotReadyError(
      `Expected ${managers}/${name}/state to be "operating" before ${source} is mapped, found ` +
        `"${state}": load a bitstream first, because an access to logic that is not there stops the machine`,
    );
  }
}

function numberIn(path: string): number {
  const text = Deno.readTextFileSync(path).trim();
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= 0 && text !== "") return value;
  throw new Error(`Expected a number in ${path}, found "${text}"`);
}

/** Finds a node by its name, and reads its first address. */
function nodeOf(name: string, tree: string): { address: number; length: number } {
  if (!/^[\w,.+-]+@[0-9a-f,]+$/i.test(name)) {
    throw new RangeError(
      `Expected a UIO device such as /dev/uio0, or a node of the device tree such as fir@a0000000; ` +
        `found ${name}`,
    );
  }
  const parent = parentOf(name, tree, DEPTH);
  if (parent === null) {
    throw new Error(`Expected a node ${name} in ${tree}, found none: ls ${tree} shows the nodes`);
  }
  const address = cells(`${parent}/#address-cells`) ?? 2;
  const size = cells(`${parent}/#size-cells`) ?? 1;
  const bytes = Deno.readFileSync(`${parent}/${name}/reg`);
  const view = new DataView(bytes.buffer);
  if (bytes.length < 4 * (address + size) || size === 0 || address === 0) {
    throw new Error(
      `Expected ${address} cells of an address and ${size} of a size in ${parent}/${name}/reg, found ` +
        `${bytes.length} bytes`,
    );
  }
  const read = (from: number, count: number): number => {
    let value = 0;
    for (let i = 0; i < count; i++) value = value * 2 ** 32 + view.getUint32(4 * (from + i));
    return value;
  };
  return { address: read(0, address), length: read(address, size) };
}

function parentOf(name: string, folder: string, depth: number): string | null {
  const children = [...Deno.readDirSync(folder)].filter(({ isDirectory }) => isDirectory);
  if (children.some((child) => child.name === name)) return folder;
  if (depth === 0) return null;
  for (const child of children) {
    const found = parentOf(name, `${folder}/${child.name}`, depth - 1);
    if (found !== null) return found;
  }
  return null;
}

/** The number in a property of one cell; null if it is absent. */
function cells(path: string): number | null {
  try {
    const bytes = Deno.readFileSync(path);
    return bytes.length === 4 ? new DataView(bytes.buffer).getUint32(0) : null;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}

/** Registers in mapped memory. */
class MappedRegisters implements RegisterPort, Disposable {
  readonly length: number;
  readonly #mapping: ReturnType<typeof libc.mmap>;
  readonly #words: Int32Array<ArrayBuffer>;

  constructor(
    path: string,
    { at, skip, length }: { readonly at: number; readonly skip: number; readonly length: number },
    write: boolean,
  ) {
    this.length = length;
    const fd = libc.open(path, (write ? O_RDWR : O_RDONLY) | O_SYNC | O_CLOEXEC);
    try {
      const prot = PROT_READ | (write ? PROT_WRITE : 0);
      this.#mapping = libc.mmap(skip + length, prot, MAP_SHARED, fd, at);
    } finally {
      libc.close(fd); // the mapping keeps the memory
    }
    this.#words = new Int32Array(this.#mapping.buffer, skip, Math.floor(length / 4));
  }

  // Atomics, because each access must be exactly one of 32 bits, and in order

  load(offset: number): number {
    return Atomics.load(this.#words, offset / 4) >>> 0;
  }

  store(offset: number, value: number): void {
    Atomics.store(this.#words, offset / 4, value | 0);
  }

  [Symbol.dispose](): void {
    libc.munmap(this.#mapping);
  }
}
