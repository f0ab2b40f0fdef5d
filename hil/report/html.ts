// SPDX-License-Identifier: MIT
/**
 * HTML that holds texts of unknown origin: everything is escaped that is not HTML already.
 *
 * @module
 */

/** A piece of HTML. */
export class Html {
  /** @param text markup that is safe to put anywhere between tags */
  constructor(readonly text: string) {}
}

/** What a template takes: texts are escaped, `null` and `false` are nothing. */
export type Part = Html | string | number | null | undefined | false | readonly Part[];

/**
 * Make a piece of HTML. Values may stand between tags and in attributes with double quotes.
 *
 * @param strings markup, as it is
 * @param values what goes between
 * @returns the piece
 *
 * @example A name that is markup
 * ```ts
 * import { html } from "./html.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(html`<b>${"<i>\x1b"}</b>`.text, "<b>&lt;i&gt;␛</b>");
 * ```
 */
export function html(strings: TemplateStringsArray, ...values: readonly Part[]): Html {
  // how the template is laid out is nothing that a reader of the page has to load
  return new Html(
    strings.map((text, i) => text.replace(/\s*\n\s*/g, " ") + render(values[i])).join(""),
  );
}

function render(part: Part): string {
  if (part === null || part === undefined || part === false) return "";
  if (part instanceof Html) return part.text;
  if (typeof part === "string") return escape(visible(part));
  if (typeof part === "number") return escape(String(part));
  return part.map(render).join("");
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

function escape(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? "");
}

/**
 * Make characters visible that control how others are shown: those below blank, and those that turn
 * the direction of writing around.
 *
 * @param text any text
 * @returns it with signs in their place
 */
export function visible(text: string): string {
  return text.toWellFormed()
    // deno-lint-ignore no-control-regex
    .replace(/[\x00-\x1f]/g, (one) => String.fromCodePoint(0x2400 + (one.codePointAt(0) ?? 0)))
    .replace(
      /[\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g,
      (one) =>
        `\u27e8U+${(one.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}\u27e9`,
    );
}
