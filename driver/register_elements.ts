// SPDX-License-Identifier: MIT
/**
 * What the readers of CMSIS-SVD and IP-XACT share: elements by their names, numbers, and errors.
 *
 * @module
 */

import type { XmlElement } from "./xml.ts";

/** A file does not describe registers that can be read. */
export class RegisterFileError extends Error {
  /** Name of the class, for messages. */
  override readonly name = "RegisterFileError";
}

/** Names are keys of an object, and parts of messages. */
export function checkName(element: XmlElement, name: string): string {
  if (/^[A-Za-z_][\w.]{0,199}$/.test(name) && name !== "__proto__") return name;
  return fail(element, "a name of letters, digits and _", JSON.stringify(name.slice(0, 40)));
}

/** The name of an element. */
export function nameOf(element: XmlElement): string {
  return textIn(element, "name");
}

/** The elements of a name in another one. */
export function all(element: XmlElement, name: string): XmlElement[] {
  return element.children.filter((child) => child.name === name);
}

/** The first element of a name in another one; null if there is none. */
export function maybe(element: XmlElement, name: string): XmlElement | null {
  return element.children.find((child) => child.name === name) ?? null;
}

/** The first element of a name in another one. */
export function only(element: XmlElement, name: string): XmlElement {
  return maybe(element, name) ?? fail(element, `<${name}> in <${element.name}>`, "none");
}

/** The element of the same kind that another one is derived from. */
export function named(element: XmlElement, among: readonly XmlElement[], name: string): XmlElement {
  const found = among.find((other) => other !== element && nameOf(other) === name);
  if (found === undefined) return fail(element, `<${element.name}> ${name} beside it`, "none");
  if (!found.attributes.has("derivedFrom")) return found;
  return fail(element, `derivedFrom one that is not derived itself`, name);
}

/** The element that was asked for by its name, or the only one. */
export function choose(
  root: XmlElement,
  what: string,
  among: readonly XmlElement[],
  name: string | undefined,
): XmlElement {
  const asked = among.filter((one) => name === undefined || nameOf(one) === name);
  const [one, ...more] = asked;
  if (one !== undefined && more.length === 0) return one;
  const names = among.map(nameOf).join(", ") || "none";
  return fail(
    root,
    `one ${what}${name === undefined ? ", or its name in block" : ` ${name}`}`,
    names,
  );
}

/** The text of an element in another one. */
export function textIn(element: XmlElement, name: string, missing?: string): string {
  const text = maybe(element, name)?.text ?? missing;
  return text ?? fail(element, `<${name}> in <${element.name}>`, "none");
}

/** A number as SVD and IP-XACT write it: 16, 0x10, 0b10, #10, 'h10, 32'h10, 4K. */
export function numberIn(element: XmlElement, name: string, missing?: number): number {
  const child = maybe(element, name);
  if (child === null) {
    return missing ?? fail(element, `<${name}> in <${element.name}>`, "none");
  }
  const text = child.text.replaceAll("_", "").toLowerCase();
  const [, decimal, scale = ""] = /^\+?(\d{1,16})([kmg]?)$/.exec(text) ?? [];
  const [, hex] = /^\+?(?:0x|(?:\d{1,3})?'h)([0-9a-f]{1,13})$/.exec(text) ?? [];
  const [, bits] = /^\+?(?:#|0b|(?:\d{1,3})?'b)([01]{1,53})$/.exec(text) ?? [];
  const [, verilog] = /^(?:\d{1,3})?'d(\d{1,16})$/.exec(text) ?? [];
  const value = decimal !== undefined
    ? Number(decimal) * 1024 ** " kmg".indexOf(scale || " ")
    : hex !== undefined
    ? parseInt(hex, 16)
    : bits !== undefined
    ? parseInt(bits, 2)
    : Number(verilog ?? NaN);
  if (Number.isSafeInteger(value)) return value;
  return fail(
    child,
    `a number such as 16, 0x10 or 'h10 in <${name}>`,
    JSON.stringify(child.text.slice(0, 40)),
  );
}

/** Says what is wrong, with the line. */
export function fail(element: XmlElement, expected: string, found: string): never {
  throw new RegisterFileError(`Line ${element.line}: expected ${expected}, found ${found}`);
}
