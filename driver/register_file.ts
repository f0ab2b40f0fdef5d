// SPDX-License-Identifier: MIT
/**
 * Descriptions of registers in files of other tools: CMSIS-SVD and IP-XACT.
 *
 * Sources: CMSIS-SVD 1.3.10 for `device`, and IEEE 1685-2009, 1685-2014 and 1685-2022 for `component`. What a
 * {@linkcode RegisterMap} cannot express is an error, and never left out in silence: registers of another
 * width than 32 bits, and numbers that are expressions.
 *
 * @module
 */

import { checkRegisterMap, type FieldSpec, type RegisterAccess } from "./register_map.ts";
import type { RegisterMap, RegisterSpec } from "./register_map.ts";
import {
  all,
  checkName,
  choose,
  fail,
  maybe,
  named,
  nameOf,
  numberIn,
  only,
  RegisterFileError,
  textIn,
} from "./register_elements.ts";
import { readXml, type XmlElement, XmlError } from "./xml.ts";

export { RegisterFileError };

/** Registers of one block. */
const MOST = 65_536;

/** Options of {@linkcode readRegisterFile}. */
export interface RegisterFileOptions {
  /**
   * Name of the peripheral of an SVD, or of the address block or memory map of an IP-XACT component. Defaults
   * to the only one.
   */
  readonly block?: string;
  /** Names of the registers to read, for a file that has others that cannot be read. Defaults to all. */
  readonly only?: readonly string[];
}

/**
 * Reads a map of registers from the text of a CMSIS-SVD or IP-XACT file. Registers in a cluster or a register
 * file are called `cluster_register`, and those of an array `name0`, `name1`, ….
 *
 * @param text The text of the file
 * @param options Which registers
 * @returns The map. Offsets count from the start of the block
 * @throws {RegisterFileError} If the file describes no registers of 32 bits, with the line
 *
 * @example A component with one register
 * ```ts
 * import { readRegisterFile } from "./register_file.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const map = readRegisterFile(`<device><peripherals><peripheral><name>FIR</name><registers>
 *   <register><name>CTRL</name><addressOffset>0x10</addressOffset><resetValue>1</resetValue>
 *     <fields><field><name>EN</name><bitRange>[0:0]</bitRange></field></fields></register>
 * </registers></peripheral></peripherals></device>`);
 * assertEquals(map, {
 *   CTRL: { offset: 16, access: "rw", reset: 1, fields: { EN: { at: 0, width: 1 } } },
 * });
 * ```
 */
export function readRegisterFile(text: string, options: RegisterFileOptions = {}): RegisterMap {
  try {
    const root = readXml(text);
    const registers = root.name === "device"
      ? svdRegisters(root, options.block)
      : root.name === "component"
      ? ipxactRegisters(root, options.block)
      : fail(root, "<device> of CMSIS-SVD or <component> of IP-XACT", `<${root.name}>`);
    return mapOf(root, registers, options.only);
  } catch (error) {
    if (error instanceof XmlError || error instanceof RangeError) {
      throw new RegisterFileError(error.message, { cause: error });
    }
    throw error;
  }
}

/** A register with the place that it gets in the map. */
interface Found {
  readonly name: string;
  readonly element: XmlElement;
  /** Makes the register, so that errors in registers that nobody asked for do not matter. */
  readonly make: () => RegisterSpec;
}

function mapOf(
  root: XmlElement,
  found: readonly Found[],
  asked: readonly string[] | undefined,
): RegisterMap {
  const map = new Map<string, RegisterSpec>();
  for (const { name, element, make } of found) {
    if (asked !== undefined && !asked.includes(name)) continue;
    if (map.has(name)) fail(element, "one register of each name", `another ${name}`);
    map.set(name, make());
  }
  const missing = asked?.find((name) => !map.has(name));
  if (missing !== undefined) fail(root, `a register ${missing}`, listed(found));
  if (map.size === 0) fail(root, "registers", "none");
  const result = Object.fromEntries(map);
  checkRegisterMap(result);
  return result;
}

/** What registers inherit from the elements around them. */
interface Defaults {
  readonly size: number;
  readonly access: string;
  readonly reset: number;
}

// CMSIS-SVD

function svdRegisters(root: XmlElement, block: string | undefined): Found[] {
  const peripherals = all(only(root, "peripherals"), "peripheral");
  const peripheral = choose(root, "peripheral", peripherals, block);
  const from = peripheral.attributes.get("derivedFrom");
  const base = from === undefined ? null : named(peripheral, peripherals, from);
  const defaults = svdDefaults(
    peripheral,
    svdDefaults(base, svdDefaults(root, { size: 32, access: "read-write", reset: 0 })),
  );
  const registers = maybe(peripheral, "registers") ??
    (base === null ? null : maybe(base, "registers"));
  if (registers === null) return [];
  const found: Found[] = [];
  svdList(registers, { defaults, prefix: "", base: 0, budget: { left: MOST } }, found);
  return found;
}

function svdDefaults(element: XmlElement | null, before: Defaults): Defaults {
  if (element === null) return before;
  return {
    size: numberIn(element, "size", before.size),
    access: textIn(element, "access", before.access),
    reset: numberIn(element, "resetValue", before.reset),
  };
}

interface Place {
  readonly defaults: Defaults;
  readonly prefix: string;
  readonly base: number;
  /** Registers and groups that may still come, because arrays in arrays multiply. */
  readonly budget: { left: number };
}

/** Collects the registers of a peripheral or of a cluster. */
function svdList(parent: XmlElement, place: Place, found: Found[]): void {
  for (const element of parent.children) {
    const { name } = element;
    if (name !== "register" && name !== "cluster") continue;
    const from = element.attributes.get("derivedFrom");
    const source = from === undefined ? null : named(element, all(parent, name), from);
    const own = svdDefaults(element, svdDefaults(source, place.defaults));
    for (const { suffix, step } of svdArray(element)) {
      spend(element, place);
      const called = place.prefix + nameOf(element).replace(/\[?%s\]?/, () => suffix);
      const offset = place.base + numberIn(element, "addressOffset") + step;
      if (name === "cluster") {
        const inner = { ...place, defaults: own, prefix: `${called}_`, base: offset };
        svdList(
          maybe(element, "register") === null && source !== null ? source : element,
          inner,
          found,
        );
      } else {
        found.push({
          name: checkName(element, called),
          element,
          make: () => svdRegister(element, source, own, offset),
        });
      }
    }
  }
}

/** The elements of an array, or one without an index. */
function svdArray(element: XmlElement): { suffix: string; step: number }[] {
  const count = numberIn(element, "dim", 0);
  if (count === 0) return [{ suffix: "", step: 0 }];
  if (count > MOST) fail(element, `<dim> of at most ${MOST}`, `${count}`);
  const step = numberIn(element, "dimIncrement");
  const names = svdIndexes(element, count);
  return Array.from({ length: count }, (_, i) => ({ suffix: names[i] ?? `${i}`, step: i * step }));
}

function svdIndexes(element: XmlElement, count: number): readonly string[] {
  const text = textIn(element, "dimIndex", "");
  const [, first, last] = /^(\d{1,6})-(\d{1,6})$/.exec(text) ?? [];
  const names = text === ""
    ? []
    : first === undefined
    ? text.split(",").map((one) => one.trim())
    : Array.from({ length: Number(last) - Number(first) + 1 || 0 }, (_, i) =>
      `${Number(first) + i}`);
  if (text === "" || names.length === count) return names;
  return fail(element, `${count} names in <dimIndex>`, JSON.stringify(text));
}

function svdRegister(
  element: XmlElement,
  source: XmlElement | null,
  { size, access, reset }: Defaults,
  offset: number,
): RegisterSpec {
  checkWidth(element, size);
  const fields = maybe(element, "fields") ?? (source === null ? null : maybe(source, "fields"));
  const parts = (fields === null ? [] : all(fields, "field")).map((field) => ({
    field,
    name: checkName(field, nameOf(field)),
    spec: svdField(field),
  }));
  const clears = (one: XmlElement) => textIn(one, "modifiedWriteValues", "") === "oneToClear";
  return {
    offset,
    access: accessOf(element, access, [
      clears(element),
      ...parts.map(({ field }) => clears(field)),
    ]),
    reset,
    ...fieldsOf(element, parts),
  };
}

function svdField(field: XmlElement): FieldSpec {
  const range = textIn(field, "bitRange", "");
  if (range !== "") {
    const [, high, low] = /^\[(\d{1,2}):(\d{1,2})\]$/.exec(range) ?? [];
    if (high === undefined) fail(field, "<bitRange> such as [7:4]", range);
    return { at: Number(low), width: Number(high) - Number(low) + 1 };
  }
  if (maybe(field, "lsb") !== null) {
    const low = numberIn(field, "lsb");
    return { at: low, width: numberIn(field, "msb") - low + 1 };
  }
  return { at: numberIn(field, "bitOffset"), width: numberIn(field, "bitWidth", 1) };
}

// IP-XACT

function ipxactRegisters(root: XmlElement, block: string | undefined): Found[] {
  const maps = all(only(root, "memoryMaps"), "memoryMap");
  const blocks = maps.flatMap((map) => all(map, "addressBlock").map((inner) => ({ map, inner })));
  const asked = blocks.filter(({ map, inner }) =>
    block === undefined || nameOf(inner) === block || nameOf(map) === block
  );
  const [one, ...more] = asked;
  if (one === undefined || more.length > 0) {
    const names = blocks.map(({ map, inner }) => `${nameOf(map)}/${nameOf(inner)}`).join(", ");
    return fail(
      root,
      `one address block${block === undefined ? "" : ` ${block}`}`,
      names || "none",
    );
  }
  const found: Found[] = [];
  const defaults = { size: 32, access: textIn(one.inner, "access", "read-write"), reset: 0 };
  ipxactList(one.inner, { defaults, prefix: "", base: 0, budget: { left: MOST } }, found);
  return found;
}

/** Collects the registers of an address block or of a register file. */
function ipxactList(parent: XmlElement, place: Place, found: Found[]): void {
  for (const element of parent.children) {
    const { name } = element;
    if (name !== "register" && name !== "registerFile") continue;
    const width = numberIn(element, "size", 32);
    const dim = maybe(element, "array") ?? element;
    const count = numberIn(dim, "dim", 0);
    if (count > MOST) fail(element, `<dim> of at most ${MOST}`, `${count}`);
    const stride = count === 0
      ? 0
      : numberIn(dim, "stride", name === "register" ? width / 8 : numberIn(element, "range"));
    for (let i = 0; i < Math.max(1, count); i++) {
      spend(element, place);
      const called = `${place.prefix}${nameOf(element)}${count === 0 ? "" : i}`;
      const offset = place.base + numberIn(element, "addressOffset") + i * stride;
      const access = textIn(element, "access", place.defaults.access);
      if (name === "registerFile") {
        const inner = { ...place, prefix: `${called}_`, base: offset };
        ipxactList(element, inner, found);
      } else {
        found.push({
          name: checkName(element, called),
          element,
          make: () => ipxactRegister(element, width, access, offset),
        });
      }
    }
  }
}

function ipxactRegister(
  element: XmlElement,
  width: number,
  access: string,
  offset: number,
): RegisterSpec {
  checkWidth(element, width);
  const parts = all(element, "field").map((field) => ({
    field,
    name: checkName(field, nameOf(field)),
    spec: { at: numberIn(field, "bitOffset"), width: numberIn(field, "bitWidth", 1) },
  }));
  const resetOf = (one: XmlElement): number | null => {
    const reset = maybe(maybe(one, "resets") ?? one, "reset");
    return reset === null ? null : numberIn(reset, "value");
  };
  // 2014 and later give the reset value of each field
  const reset = resetOf(element) ??
    parts.reduce((sum, { field, spec }) => sum + (resetOf(field) ?? 0) * 2 ** spec.at, 0);
  const clears = parts.map(({ field }) =>
    textIn(
      maybe(field, "fieldAccessPolicies") === null
        ? field
        : only(only(field, "fieldAccessPolicies"), "fieldAccessPolicy"),
      "modifiedWriteValue",
      "",
    ) ===
      "oneToClear"
  );
  return {
    offset,
    access: accessOf(element, access, [false, ...clears]),
    reset,
    ...fieldsOf(element, parts),
  };
}

// What both have

function spend(element: XmlElement, { budget }: Place): void {
  if (--budget.left < 0) fail(element, `at most ${MOST} registers and groups`, "more");
}

function fieldsOf(
  element: XmlElement,
  parts: readonly { readonly name: string; readonly spec: FieldSpec }[],
): Pick<RegisterSpec, "fields"> {
  if (parts.length === 0) return {};
  const names = parts.map(({ name }) => name);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) fail(element, "one field of each name", `another ${twice}`);
  return { fields: Object.fromEntries(parts.map(({ name, spec }) => [name, spec])) };
}

/** The access to a register. `clears` says of it and of its fields whether ones clear bits. */
function accessOf(
  element: XmlElement,
  text: string,
  [whole = false, ...fields]: readonly boolean[],
): RegisterAccess {
  if (whole || fields.length > 0 && fields.every((one) => one)) return "w1c";
  switch (text) {
    case "read-write":
    case "read-writeOnce":
      return "rw";
    case "read-only":
      return "ro";
    case "write-only":
    case "writeOnce":
      return "wo";
    default:
      return fail(element, "access read-write, read-only or write-only", JSON.stringify(text));
  }
}

function checkWidth(element: XmlElement, size: number): void {
  if (size === 32) return;
  fail(
    element,
    `32 bits of register ${nameOf(element)}, because every access is one of 32 bits`,
    `${size}: name the others in only`,
  );
}

function listed(found: readonly Found[]): string {
  const names = found.map(({ name }) => name);
  return names.length > 20 ? `${names.slice(0, 20).join(", ")}, …` : names.join(", ") || "none";
}
