// SPDX-License-Identifier: MIT
/**
 * A small reader of XML, for descriptions of registers: elements, attributes and text. Source: XML 1.0, fifth edition.
 *
 * It reads no DTD, so a file cannot define entities, and it resolves nothing outside the file. Prefixes of
 * namespaces are dropped.
 *
 * @module
 */

/** Elements inside one another. */
const DEPTH = 64;

/** Elements of a file. */
const ELEMENTS = 1_000_000;

/** Characters of a file. */
const LENGTH = 64 * 2 ** 20;

/** An element. */
export interface XmlElement {
  /** Its name without the prefix of a namespace. */
  readonly name: string;
  /** Its attributes by their names, without prefixes. */
  readonly attributes: ReadonlyMap<string, string>;
  /** The elements in it. */
  readonly children: readonly XmlElement[];
  /** The text that is directly in it, without white space around it. */
  readonly text: string;
  /** The line on which it begins, from 1. */
  readonly line: number;
}

/** Text is not XML as this reader reads it. */
export class XmlError extends Error {
  /** Name of the class, for messages. */
  override readonly name = "XmlError";
  /** The line, from 1. */
  readonly line: number;

  /**
   * Describes what is wrong.
   *
   * @param line The line
   * @param expected What was expected
   * @param found What was found
   */
  constructor(line: number, expected: string, found: string) {
    super(`Line ${line}: expected ${expected}, found ${found}`);
    this.line = line;
  }
}

/** An element that is not closed yet. */
interface Open {
  readonly name: string;
  readonly tag: string;
  readonly attributes: Map<string, string>;
  readonly children: XmlElement[];
  readonly text: string[];
  readonly line: number;
}

const ENTITIES: ReadonlyMap<string, string> = new Map([
  ["lt", "<"],
  ["gt", ">"],
  ["amp", "&"],
  ["quot", '"'],
  ["apos", "'"],
]);

const NAME = /[A-Za-z_:\u0080-\uffff][-\w:.\u0080-\uffff]*/y;
const SPACE = /[ \t\r\n]*/y;

/**
 * Reads XML.
 *
 * @param text The text of a file
 * @returns Its root element
 * @throws {XmlError} If the text is no XML, has a DTD, or is too large
 *
 * @example A description of one register
 * ```ts
 * import { readXml } from "./xml.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const { name, children } = readXml('<?xml version="1.0"?><a:map><a:reg id="7">x &amp; y</a:reg></a:map>');
 * assertEquals([name, children[0]?.name, children[0]?.text], ["map", "reg", "x & y"]);
 * assertEquals(children[0]?.attributes.get("id"), "7");
 * ```
 */
export function readXml(text: string): XmlElement {
  return new Reader(text).read();
}

class Reader {
  readonly #text: string;
  #at = 0;
  #line = 1;
  /** Where the line was counted last. */
  #counted = 0;
  #elements = 0;
  readonly #open: Open[] = [];
  #root: XmlElement | null = null;

  constructor(text: string) {
    this.#text = text;
    if (text.length > LENGTH) {
      throw new XmlError(1, `at most ${LENGTH} characters`, `${text.length}`);
    }
  }

  read(): XmlElement {
    if (this.#text.startsWith("\uFEFF")) this.#at = 1;
    while (this.#at < this.#text.length) {
      const next = this.#text.indexOf("<", this.#at);
      this.#addText(next < 0 ? this.#text.length : next);
      if (next < 0) break;
      this.#markup();
    }
    const last = this.#open.at(-1);
    if (last !== undefined) {
      this.#fail(`</${last.tag}> of line ${last.line}`, "the end of the file");
    }
    if (this.#root === null) return this.#fail("an element", "none");
    return this.#root;
  }

  /** Reads what begins with `<`. */
  #markup(): void {
    const starts = (text: string) => this.#text.startsWith(text, this.#at);
    if (starts("<!--")) this.#skip("-->", 4);
    else if (starts("<![CDATA[")) {
      const from = this.#at + 9;
      this.#skip("]]>", 9);
      const content = this.#text.slice(from, this.#at - 3);
      const open = this.#open.at(-1);
      if (open === undefined) this.#fail("text inside an element", "<![CDATA[");
      else open.text.push(content);
    } else if (starts("<?")) this.#skip("?>", 2);
    else if (starts("<!")) this.#fail("no DTD, because this reader reads none", this.#show());
    else if (starts("</")) this.#close();
    else this.#begin();
  }

  /** Reads a tag that begins an element. */
  #begin(): void {
    const line = this.#lineOf();
    if (this.#root !== null && this.#open.length === 0) {
      this.#fail("one root element", this.#show());
    }
    this.#at++;
    const tag = this.#match(NAME, "the name of an element");
    if (++this.#elements > ELEMENTS) this.#fail(`at most ${ELEMENTS} elements`, "more");
    if (this.#open.length >= DEPTH) {
      this.#fail(`at most ${DEPTH} elements inside one another`, "more");
    }
    const attributes = new Map<string, string>();
    for (;;) {
      const before = this.#at;
      this.#match(SPACE, "");
      const here = this.#text[this.#at];
      if (here === ">" || here === "/" || here === undefined) break;
      if (before === this.#at) this.#fail("white space before an attribute", this.#show());
      const name = local(this.#match(NAME, "the name of an attribute"));
      this.#match(SPACE, "");
      this.#expect("=");
      this.#match(SPACE, "");
      attributes.set(name, this.#value());
    }
    const open: Open = {
      ...{ name: local(tag), tag, attributes, children: [], text: [], line },
    };
    const empty = this.#text[this.#at] === "/";
    if (empty) this.#at++;
    this.#expect(">");
    if (empty) this.#finish(open);
    else this.#open.push(open);
  }

  /** Reads a tag that ends an element. */
  #close(): void {
    this.#at += 2;
    const tag = this.#match(NAME, "the name of an element");
    this.#match(SPACE, "");
    this.#expect(">");
    const open = this.#open.pop();
    if (open === undefined) return this.#fail("no end of an element", `</${tag}>`);
    if (open.tag !== tag) this.#fail(`</${open.tag}> of line ${open.line}`, `</${tag}>`);
    this.#finish(open);
  }

  #finish({ name, attributes, children, text, line }: Open): void {
    const element = { name, attributes, children, line, text: text.join("").trim() };
    const parent = this.#open.at(-1);
    if (parent === undefined) this.#root = element;
    else parent.children.push(element);
  }

  /** Reads the value of an attribute. */
  #value(): string {
    const quote = this.#text[this.#at];
    if (quote !== '"' && quote !== "'") return this.#fail("a quotation mark", this.#show());
    const end = this.#text.indexOf(quote, this.#at + 1);
    if (end < 0) return this.#fail(`a second ${quote}`, "the end of the file");
    const raw = this.#text.slice(this.#at + 1, end);
    if (raw.includes("<")) this.#fail(`${quote} before the next <`, this.#show());
    const value = this.#decode(raw);
    this.#at = end + 1;
    return value;
  }

  /** Adds the text up to a place to the element around it. */
  #addText(to: number): void {
    const raw = this.#text.slice(this.#at, to);
    const open = this.#open.at(-1);
    if (open !== undefined) {
      if (raw !== "") open.text.push(this.#decode(raw));
    } else if (raw.trim() !== "") this.#fail("an element", this.#show());
    this.#at = to;
  }

  /** Replaces references to characters. */
  #decode(raw: string): string {
    if (!raw.includes("&")) return raw;
    return raw.replaceAll(/&([^;\s&]{0,16};?)/g, (whole, reference: string) => {
      const name = reference.slice(0, -1);
      const known = reference.endsWith(";") ? ENTITIES.get(name) : undefined;
      if (known !== undefined) return known;
      const [, hex, decimal] = /^#(?:x([0-9a-f]{1,6})|([0-9]{1,7}));$/i.exec(reference) ?? [];
      const code = hex === undefined ? Number(decimal ?? NaN) : parseInt(hex, 16);
      if (code > 0 && code <= 0x10ffff) return String.fromCodePoint(code);
      return this.#fail("&lt; &gt; &amp; &quot; &apos; or the number of a character", whole);
    });
  }

  #skip(end: string, length: number): void {
    const found = this.#text.indexOf(end, this.#at + length);
    if (found < 0) this.#fail(end, "the end of the file");
    this.#at = found + end.length;
  }

  #match(pattern: RegExp, expected: string): string {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0];
    if (found === undefined) return this.#fail(expected, this.#show());
    this.#at += found.length;
    return found;
  }

  #expect(text: string): void {
    if (!this.#text.startsWith(text, this.#at)) this.#fail(text, this.#show());
    this.#at += text.length;
  }

  /** What is at the place where something is wrong. */
  #show(): string {
    const rest = this.#text.slice(this.#at, this.#at + 20).split("\n", 1)[0] ?? "";
    return rest === "" ? "the end of the file or of the line" : JSON.stringify(rest);
  }

  #lineOf(): number {
    for (; this.#counted < this.#at; this.#counted++) {
      if (this.#text.charCodeAt(this.#counted) === 10) this.#line++;
    }
    return this.#line;
  }

  #fail(expected: string, found: string): never {
    throw new XmlError(this.#lineOf(), expected, found);
  }
}

/** A name without its prefix. */
function local(name: string): string {
  return name.slice(name.lastIndexOf(":") + 1);
}
