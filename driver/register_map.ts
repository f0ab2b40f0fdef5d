// SPDX-License-Identifier: MIT
/**
 * Descriptions of registers: where they are, what their fields mean, and who may access them.
 *
 * @module
 */

/**
 * Who may access a register: read and write (`rw`), read only (`ro`), write only (`wo`), or read, and clear
 * bits by writing ones to them (`w1c`).
 */
export type RegisterAccess = "rw" | "ro" | "wo" | "w1c";

/** A field of a register. */
export interface FieldSpec {
  /** Number of its lowest bit, from 0. */
  readonly at: number;
  /** Number of bits. Defaults to 1. */
  readonly width?: number;
}

/** A register of 32 bits. */
export interface RegisterSpec {
  /** Where it is, bytes from the first register, a multiple of 4. */
  readonly offset: number;
  /** Who may access it. Defaults to `rw`. */
  readonly access?: RegisterAccess;
  /** Its value after reset, 0 to 2^32 - 1. Defaults to 0. */
  readonly reset?: number;
  /** Its fields by their names. Defaults to none. */
  readonly fields?: Readonly<Record<string, FieldSpec>>;
}

/** Registers by their names. */
export type RegisterMap = Readonly<Record<string, RegisterSpec>>;

/** The names of a map's registers. */
export type RegisterName<Map extends RegisterMap> = keyof Map & string;

/** The names of a register's fields. */
export type FieldName<Map extends RegisterMap, Name extends RegisterName<Map>> =
  & keyof NonNullable<Map[Name]["fields"]>
  & string;

/** The values of a register's fields. */
export type FieldValues<Map extends RegisterMap, Name extends RegisterName<Map>> = {
  readonly [Field in FieldName<Map, Name>]: number;
};

/** Bytes of a register. */
const BYTES = 4;

/**
 * Checks a map: offsets, overlaps, reset values and fields.
 *
 * @param map The map
 * @returns The bytes from the first register to the end of the last one
 * @throws {RangeError} If the map is wrong, with the register and the field
 */
export function checkRegisterMap(map: RegisterMap): number {
  const at = new Map<number, string>();
  let end = 0;
  for (const [name, { offset, reset = 0, fields = {} }] of Object.entries(map)) {
    if (!Number.isSafeInteger(offset) || offset < 0 || offset % BYTES !== 0) {
      throw new RangeError(
        `Expected the offset of register ${name} to be a multiple of 4 from 0, found ${offset}`,
      );
    }
    const other = at.get(offset);
    if (other !== undefined) {
      throw new RangeError(
        `Expected one register at offset ${offset}, found ${other} and ${name}: use fields`,
      );
    }
    at.set(offset, name);
    checkValue(`the reset value of register ${name}`, reset, 32);
    end = Math.max(end, offset + BYTES);
    let used = 0;
    for (const [field, { at: low, width = 1 }] of Object.entries(fields)) {
      const fits = Number.isInteger(low) && Number.isInteger(width) && low >= 0 && width >= 1 &&
        low + width <= 32;
      if (!fits) {
        throw new RangeError(
          `Expected field ${name}.${field} to lie within bits 0 to 31, found ${width} bits from ` +
            `bit ${low}`,
        );
      }
      const mask = maskOf({ at: low, width });
      if ((used & mask) !== 0) {
        throw new RangeError(
          `Expected no two fields on a bit of register ${name}, found ${field} on another one`,
        );
      }
      used |= mask;
    }
  }
  return end;
}

/**
 * Finds a register.
 *
 * @param map The map
 * @param name Its name
 * @returns The register
 * @throws {RangeError} If there is no such register, with the names that there are
 */
export function registerOf(map: RegisterMap, name: string): RegisterSpec {
  const spec = map[name];
  if (spec !== undefined) return spec;
  throw new RangeError(
    `Expected a register, one of ${Object.keys(map).join(", ")}; found ${name}`,
  );
}

/**
 * Finds a field.
 *
 * @param map The map
 * @param name The register
 * @param field Its field
 * @returns The field
 * @throws {RangeError} If there is no such field, with the names that there are
 */
export function fieldOf(map: RegisterMap, name: string, field: string): FieldSpec {
  const { fields = {} } = registerOf(map, name);
  const spec = fields[field];
  if (spec !== undefined) return spec;
  throw new RangeError(
    `Expected a field of register ${name}, one of ${
      Object.keys(fields).join(", ")
    }; found ${field}`,
  );
}

/**
 * Gets the values of all fields of a register.
 *
 * @param map The map
 * @param name The register
 * @param value Its value
 * @returns The values by the names of the fields
 */
export function unpackFields(
  map: RegisterMap,
  name: string,
  value: number,
): Readonly<Record<string, number>> {
  const { fields = {} } = registerOf(map, name);
  return Object.fromEntries(
    Object.entries(fields).map(([field, spec]) => [field, unpackField(spec, value)]),
  );
}

/**
 * Gets the value of a field.
 *
 * @param field The field
 * @param value The value of its register
 * @returns The value
 */
export function unpackField(field: FieldSpec, value: number): number {
  return (value & maskOf(field)) >>> field.at;
}

/**
 * Sets fields in the value of a register.
 *
 * @param map The map
 * @param name The register
 * @param value Its value before
 * @param fields The fields to set
 * @returns Its value
 * @throws {RangeError} If a value does not fit into its field
 */
export function packFields(
  map: RegisterMap,
  name: string,
  value: number,
  fields: Readonly<Record<string, number>>,
): number {
  for (const [field, number] of Object.entries(fields)) {
    const spec = fieldOf(map, name, field);
    checkValue(`field ${name}.${field}`, number, spec.width ?? 1);
    value = (value & ~maskOf(spec)) | (number << spec.at);
  }
  return value >>> 0;
}

/**
 * Checks a value.
 *
 * @param what What has it
 * @param value The value
 * @param width Number of bits
 * @throws {RangeError} If it does not fit
 */
export function checkValue(what: string, value: number, width: number): void {
  if (Number.isInteger(value) && value >= 0 && value < 2 ** width) return;
  throw new RangeError(
    `Expected ${what} to be a whole number from 0 to ${2 ** width - 1}, found ${value}`,
  );
}

function maskOf({ at, width = 1 }: FieldSpec): number {
  return (width === 32 ? -1 : (1 << width) - 1) << at;
}
