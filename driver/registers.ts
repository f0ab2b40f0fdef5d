// SPDX-License-Identifier: MIT
/**
 * Registers of a design: typed fields over memory that the kernel maps, or over a model on the simulated board.
 *
 * @module
 */

import { libc } from "./libc.ts";
import { FpgaNotReadyError, mapRegisters, type RegisterPlaces } from "./register_memory.ts";
import {
  checkRegisterMap,
  checkValue,
  type FieldName,
  fieldOf,
  type FieldValues,
  packFields,
  type RegisterMap,
  type RegisterName,
  registerOf,
  unpackField,
  unpackFields,
} from "./register_map.ts";
import type { RegisterPort, Syscalls } from "./syscalls.ts";

export { FpgaNotReadyError };

/** Options of {@linkcode Registers.map}. */
export interface MapRegistersOptions {
  /** Whether the registers may be written. Defaults to false, because a write can stop a design. */
  readonly write?: boolean;
  /** The system calls that reach the registers. Defaults to those of this machine. */
  readonly syscalls?: Syscalls;
  /** Where the kernel shows what it knows about devices, for tests. */
  readonly places?: Partial<RegisterPlaces>;
}

/** Options of {@linkcode Registers.poll}. */
export interface PollOptions {
  /** Longest wait, milliseconds. Defaults to 1000. */
  readonly timeoutMs?: number;
  /** Time between two reads, milliseconds. Defaults to 1. */
  readonly intervalMs?: number;
}

/** A register did not get the expected value in time. */
export class PollTimeoutError extends Error {
  /** Name of the class, for messages. */
  override readonly name = "PollTimeoutError";
  /** The value that was read last. */
  readonly value: number;

  /**
   * Describes a value that did not come in time.
   *
   * @param message What was expected
   * @param value The value that was read last
   */
  constructor(message: string, value: number) {
    super(message);
    this.value = value;
  }
}

/**
 * Registers of a design, 32 bits each. Every read and every write is one access of 32 bits, in the order of
 * the calls. Disposing it unmaps the registers.
 *
 * @example A design with a gain and a status register
 * ```ts
 * import { designs, Registers, sim } from "@plumbline/hil";
 * import { assertEquals, assertThrows } from "@std/assert";
 *
 * const map = {
 *   control: { offset: 0, fields: { enable: { at: 0 }, gain: { at: 8, width: 8 } } },
 *   status: { offset: 4, access: "ro", reset: 1, fields: { ready: { at: 0 } } },
 * } as const;
 * const design = designs.transform((registers) => (frame) =>
 *   frame.map((byte) => byte * registers.get("control", "gain")), { registers: map });
 * using board = sim({ design });
 * using registers = Registers.map("/dev/uio0", map, { write: true, syscalls: board });
 * registers.write("control", { enable: 1, gain: 3 });
 * assertEquals(registers.read("control"), 0x301);
 * assertEquals(registers.fields("status"), { ready: 1 });
 * assertThrows(() => registers.write("status", 0), Error, "read only");
 * ```
 */
export class Registers<const Map extends RegisterMap = RegisterMap> implements Disposable {
  readonly #map: RegisterMap;
  readonly #source: string;
  readonly #write: boolean;
  #port: (RegisterPort & Partial<Disposable>) | null;

  private constructor(
    source: string,
    map: Map,
    port: RegisterPort & Partial<Disposable>,
    write: boolean,
  ) {
    this.#source = source;
    this.#map = map;
    this.#port = port;
    this.#write = write;
  }

  /**
   * Map the registers of a design.
   *
   * @param source A UIO device such as `/dev/uio0`, or the name of a device tree node with a physical address,
   * such as `fir@a0000000`. A node is mapped through `/dev/mem`, as root. On the simulated board,
   * `/dev/uioN` is the model of `/dev/pldmaN`
   * @param map The registers
   * @param options Whether to write, and how to reach them
   * @returns The registers, which the caller disposes of
   * @throws {FpgaNotReadyError} If an FPGA manager does not say `operating`: an access to logic that is not
   * there stops the machine
   * @throws {RangeError} If the map is wrong, or longer than what the device offers
   * @throws {ErrnoError} If the device cannot be opened or mapped
   */
  static map<const Map extends RegisterMap>(
    source: string,
    map: Map,
    options: MapRegistersOptions = {},
  ): Registers<Map> {
    const { write = false, syscalls = libc, places = {} } = options;
    const length = checkRegisterMap(map);
    const port = portOf(source, syscalls, write, places);
    if (length > port.length) {
      port[Symbol.dispose]?.();
      throw new RangeError(
        `Expected ${length} bytes of registers in ${source}, found ${port.length}: the map is of another ` +
          "design",
      );
    }
    return new Registers(source, map, port, write);
  }

  /**
   * Read a register, or one of its fields.
   *
   * @param name The register
   * @param field The field. Defaults to the whole register
   * @returns Its value
   * @throws {Error} If the register is write only
   */
  read<Name extends RegisterName<Map>>(name: Name, field?: FieldName<Map, Name>): number {
    const { offset, access } = registerOf(this.#map, name);
    if (access === "wo") throw new Error(`Register ${name} is write only: it cannot be read`);
    const value = this.#open.load(offset);
    return field === undefined ? value : unpackField(fieldOf(this.#map, name, field), value);
  }

  /**
   * Read all fields of a register by one access.
   *
   * @param name The register
   * @returns Their values
   */
  fields<Name extends RegisterName<Map>>(name: Name): FieldValues<Map, Name> {
    return unpackFields(this.#map, name, this.read(name)) as FieldValues<Map, Name>;
  }

  /**
   * Write a register, or some of its fields. The other fields keep their values: the register is read first.
   * In a register whose bits are cleared by ones, and in one that is write only, they are written as zeros.
   *
   * @param name The register
   * @param value Its value, or the values of fields
   * @throws {Error} If the registers were mapped for reading, or the register is read only
   * @throws {RangeError} If a value does not fit
   */
  write<Name extends RegisterName<Map>>(
    name: Name,
    value: number | Partial<FieldValues<Map, Name>>,
  ): void {
    const { offset, access = "rw" } = registerOf(this.#map, name);
    if (access === "ro") throw new Error(`Register ${name} is read only: it cannot be written`);
    if (!this.#write) {
      throw new Error(
        `${this.#source} was mapped for reading: pass { write: true } to write register ${name}`,
      );
    }
    let whole = value as number;
    if (typeof value === "number") checkValue(`register ${name}`, value, 32);
    else {
      const before = access === "rw" ? this.#open.load(offset) : 0;
      whole = packFields(this.#map, name, before, value as Readonly<Record<string, number>>);
    }
    this.#open.store(offset, whole);
  }

  /**
   * Read a register until its fields are as expected. Other tasks run meanwhile.
   *
   * @param name The register
   * @param until Returns whether the fields are as expected
   * @param options How long and how often
   * @returns The fields
   * @throws {PollTimeoutError} If they are not in time, with the last value
   */
  async poll<Name extends RegisterName<Map>>(
    name: Name,
    until: (fields: FieldValues<Map, Name>, value: number) => boolean,
    options: PollOptions = {},
  ): Promise<FieldValues<Map, Name>> {
    const { timeoutMs = 1000, intervalMs = 1 } = options;
    const end = performance.now() + timeoutMs;
    for (;;) {
      // the time is taken first, so that a slow machine reads once more after the deadline
      const late = performance.now() >= end;
      const value = this.read(name);
      const fields = unpackFields(this.#map, name, value) as FieldValues<Map, Name>;
      if (until(fields, value)) return fields;
      if (late) {
        const shown = Object.entries(fields).map(([field, one]) => `${field}=${one}`).join(" ");
        const hex = `0x${value.toString(16).padStart(8, "0")}`;
        throw new PollTimeoutError(
          `Register ${name} did not become as expected within ${timeoutMs} ms: it is ${hex}` +
            (shown === "" ? "" : ` (${shown})`),
          value,
        );
      }
      await new Promise((resolve) => setTimeout(resolve, intervalMs));
    }
  }

  /** Unmap the registers. */
  [Symbol.dispose](): void {
    this.#port?.[Symbol.dispose]?.();
    this.#port = null;
  }

  get #open(): RegisterPort {
    if (this.#port !== null) return this.#port;
    throw new Error(`The registers of ${this.#source} are not mapped any more`);
  }
}

/** Reaches registers in a model or in memory. */
function portOf(
  source: string,
  syscalls: Syscalls,
  write: boolean,
  places: Partial<RegisterPlaces>,
): RegisterPort & Partial<Disposable> {
  if (syscalls.registers !== undefined) {
    const port = syscalls.registers(source);
    if (port !== null) return port;
    throw new Error(
      `The simulated board has no registers at ${source}: give registers to its design, and use /dev/uio0`,
    );
  }
  if (syscalls === libc) return mapRegisters(source, write, places);
  throw new Error(
    `Registers of a remote board are not part of this version: run the test on the board to use ${source}`,
  );
}
