// SPDX-License-Identifier: MIT
/**
 * A reader of BitBake's recipes and configuration files, which finds lines that BitBake would refuse. It knows the
 * grammar of the BitBake manual (chapter "Syntax and Operators"), expands nothing, and runs no Python. It is no
 * BitBake: a recipe that passes has been parsed, and not built.
 *
 * @module
 */

/** A variable that is set. */
export interface Assignment {
  /** Its name with its overrides and flag, such as `do_compile[noexec]` or `FILES:${PN}`. */
  readonly name: string;
  /** The operator, such as `?=`. */
  readonly operator: string;
  /** The text between the quotes, in one line. */
  readonly value: string;
}

/** What a file consists of. */
export interface Recipe {
  /** The variables, in order. */
  readonly assignments: readonly Assignment[];
  /** The classes that it inherits. */
  readonly inherits: readonly string[];
  /** The files that it requires. */
  readonly requires: readonly string[];
  /** Shell functions: name and body. */
  readonly functions: ReadonlyMap<string, string>;
}

const NAME = String.raw`[A-Za-z_][\w.+\-/:${"$"}{}]*(?:\[[\w-]+\])?`;
const ASSIGNMENT = new RegExp(
  String.raw`^(?:export\s+)?(${NAME})\s*(:=|\?\?=|\?=|\+=|=\+|=\.|\.=|=)\s*("|')([^]*)\3\s*$`,
);
const FUNCTION = /^(?:fakeroot\s+)?([A-Za-z_][\w:${}-]*)\s*\(\)\s*\{\s*$/;

/**
 * Reads a file.
 *
 * @param text Its text
 * @param file Its name, for messages
 * @returns What it consists of
 * @throws {SyntaxError} If BitBake would refuse a line. The message has file and line
 */
export function readRecipe(text: string, file: string): Recipe {
  const assignments: Assignment[] = [];
  const inherits: string[] = [];
  const requires: string[] = [];
  const functions = new Map<string, string>();
  const lines = text.split("\n");
  if (!text.endsWith("\n")) throw new SyntaxError(`${file}: expected a line break at the end`);
  for (let at = 0; at < lines.length; at++) {
    const start = at + 1;
    const fail = (what: string): never => {
      throw new SyntaxError(`${file}:${start}: ${what}`);
    };
    let line = lines[at] ?? "";
    if (line.trim() === "" || line.startsWith("#")) {
      if (line.startsWith("#") && line.endsWith("\\")) {
        fail("expected a comment without a backslash");
      }
      continue;
    }
    while (line.endsWith("\\")) {
      line = line.slice(0, -1) + (lines[++at] ?? fail("expected a line after the backslash"));
    }
    const [, name, operator, quote, value = ""] = ASSIGNMENT.exec(line) ?? [];
    if (name !== undefined && operator !== undefined && quote !== undefined) {
      if (value.includes(quote)) fail(`expected no ${quote} inside ${quote}…${quote}`);
      if (/_(append|prepend|remove)(_|$)/.test(name)) {
        fail(`expected the syntax of honister and later, such as FILES:append, found ${name}`);
      }
      assignments.push({ name, operator, value });
      continue;
    }
    const [, word, rest = ""] = /^(inherit|require|include)\s+(.+)$/.exec(line) ?? [];
    if (word !== undefined) {
      (word === "inherit" ? inherits : requires).push(...rest.trim().split(/\s+/));
      continue;
    }
    const called = FUNCTION.exec(line)?.[1];
    if (called === undefined) {
      fail(`expected an assignment, a directive or a function, found ${line}`);
    }
    const body: string[] = [];
    // only a brace in the first column ends it
    while (lines[++at] !== "}") body.push(lines[at] ?? fail(`expected a } that ends ${called}()`));
    functions.set(called ?? "", `${body.join("\n")}\n`);
  }
  return { assignments, inherits, requires, functions };
}

/**
 * Returns the value of a variable.
 *
 * @param recipe The file
 * @param name Its name
 * @returns The values that are set and appended, or null if it is not set
 */
export function valueOf(recipe: Recipe, name: string): string | null {
  const found = recipe.assignments.filter((one) => one.name === name);
  return found.length === 0 ? null : found.map(({ value }) => value).join(" ");
}
