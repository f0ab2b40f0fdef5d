// SPDX-License-Identifier: MIT
/**
 * A strict reader of JUnit XML. It accepts well-formed XML 1.0 with the elements and attributes of the
 * schema that Jenkins publishes (junit-10.xsd), and with correct totals.
 *
 * @module
 */

/** An XML element. */
export interface Element {
  /** The name. */
  readonly name: string;
  /** The attributes. */
  readonly attributes: Readonly<Record<string, string>>;
  /** The child elements. */
  readonly children: readonly Element[];
  /** The text. */
  readonly text: string;
}

/**
 * The parents that each element may have, and its required and optional attributes. `file` and `line` are not
 * in the schema, but GitLab and other readers use them.
 */
const SCHEMA: Readonly<Record<string, { in: string[]; must: string[]; may: string[] }>> = {
  testsuites: { in: [""], must: [], may: ["name", "tests", "failures", "errors", "time"] },
  testsuite: {
    in: ["testsuites"],
    must: ["name", "tests"],
    may: ["failures", "errors", "skipped", "time", "timestamp"],
  },
  properties: { in: ["testsuite", "testcase"], must: [], may: [] },
  property: { in: ["properties"], must: ["name", "value"], may: [] },
  testcase: { in: ["testsuite"], must: ["name"], may: ["classname", "time", "file", "line"] },
  failure: { in: ["testcase"], must: [], may: ["type", "message"] },
  error: { in: ["testcase"], must: [], may: ["type", "message"] },
  "system-out": { in: ["testcase"], must: [], may: [] },
  skipped: { in: ["testcase"], must: [], may: ["message"] },
};

/**
 * Reads JUnit XML.
 *
 * @param text The document
 * @returns The root element
 * @throws {Error} If the document is not valid, with the reason
 */
export function checkJUnit(text: string): Element {
  const root = parseXml(text);
  checkElement(root, "");
  for (const [attribute, element] of [["tests", "testcase"], ["failures", "failure"]] as const) {
    for (const suite of [root, ...root.children]) {
      const found = count(suite, element);
      if (suite.attributes[attribute] === String(found)) continue;
      throw new Error(
        `Expected ${attribute}="${found}" of ${suite.name}, found ${suite.attributes[attribute]}`,
      );
    }
  }
  return root;
}

function count(element: Element, name: string): number {
  return element.children.reduce(
    (sum, child) => sum + (child.name === name ? 1 : 0) + count(child, name),
    0,
  );
}

function checkElement(element: Element, parent: string): void {
  const rule = SCHEMA[element.name];
  if (rule === undefined || !rule.in.includes(parent)) {
    throw new Error(`Expected no ${element.name} in ${parent || "the document"}`);
  }
  const given = Object.keys(element.attributes);
  const missing = rule.must.find((name) => !given.includes(name));
  if (missing !== undefined) throw new Error(`Expected ${missing} of ${element.name}`);
  const extra = given.find((name) => !rule.must.includes(name) && !rule.may.includes(name));
  if (extra !== undefined) throw new Error(`Expected no ${extra} of ${element.name}`);
  const { time, timestamp } = element.attributes;
  if (time !== undefined && !/^\d+(\.\d+)?$/.test(time)) throw new Error(`time is "${time}"`);
  if (
    timestamp !== undefined && !/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d)?$/.test(timestamp)
  ) {
    throw new Error(`timestamp is "${timestamp}"`);
  }
  for (const child of element.children) checkElement(child, element.name);
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&amp;": "&",
  "&lt;": "<",
  "&gt;": ">",
  "&quot;": '"',
  "&apos;": "'",
};

/**
 * Parses XML 1.0 without declarations, comments and sections.
 *
 * @param text The document
 * @returns The root element
 * @throws {Error} If the document is not well-formed
 */
export function parseXml(text: string): Element {
  // deno-lint-ignore no-control-regex
  if (/[\u0000-\u0008\u000b\u000c\u000e-\u001f]/.test(text) || !text.isWellFormed()) {
    throw new Error("Expected no control characters and no lone surrogates");
  }
  const body = text.replace(/^<\?xml version="1\.0" encoding="UTF-8"\?>\s*/, "");
  const token = /<(\/?)([A-Za-z][\w.-]*)((?:\s+[\w.:-]+="[^"<]*")*)\s*(\/?)>|([^<]+)/gy;
  const open: {
    name: string;
    attributes: Record<string, string>;
    children: Element[];
    text: string;
  }[] = [{ name: "", attributes: {}, children: [], text: "" }];
  let at = 0;
  for (let match = token.exec(body); match !== null; match = token.exec(body)) {
    at = token.lastIndex;
    const [, closing, name = "", rawAttributes = "", empty, characters] = match;
    const top = open.at(-1)!;
    if (characters !== undefined) {
      top.text += unescape(characters);
    } else if (closing === "/") {
      if (open.length < 2 || top.name !== name) throw new Error(`Unexpected </${name}>`);
      open.pop();
      open.at(-1)!.children.push(top);
    } else {
      const element = { name, attributes: readAttributes(rawAttributes), children: [], text: "" };
      if (empty === "/") top.children.push(element);
      else open.push(element);
    }
  }
  if (at !== body.length) {
    throw new Error(`Expected XML at ${JSON.stringify(body.slice(at, at + 40))}`);
  }
  const [document] = open;
  const [root, ...more] = document?.children ?? [];
  if (open.length !== 1 || root === undefined || more.length > 0 || document?.text.trim() !== "") {
    throw new Error("Expected one closed element");
  }
  return root;
}

function readAttributes(text: string): Record<string, string> {
  const attributes: Record<string, string> = {};
  for (const [, name = "", value = ""] of text.matchAll(/([\w.:-]+)="([^"]*)"/g)) {
    if (name in attributes) throw new Error(`The attribute ${name} occurs twice`);
    attributes[name] = unescape(value);
  }
  return attributes;
}

function unescape(text: string): string {
  return text.replace(/&[^;]*;?/g, (entity) => {
    const character = ENTITIES[entity];
    if (character === undefined) throw new Error(`Unknown entity ${entity}`);
    return character;
  });
}
