// SPDX-License-Identifier: MIT
/**
 * Templates for HTML that escape every text, because results may come from anywhere.
 *
 * @module
 */

/** A piece of HTML. */
export class Html {
  /** @param text Safe markup, which can stand anywhere between tags */
  constructor(readonly text: string) {}
}

/** A value in a template. Texts are escaped. `null`, `undefined` and `false` render as nothing. */
export type Part = Html | string | number | null | undefined | false | readonly Part[];

/**
 * Makes a piece of HTML. Values can stand between tags and in attributes with double quotes.
 *
 * @param strings The markup
 * @param values The values between the markup
 * @returns The piece of HTML
 *
 * @example A text that looks like markup
 * ```ts
 * import { html } from "./html.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(html`<b>${"<i>\x1b"}</b>`.text, "<b>&lt;i&gt;␛</b>");
 * ```
 */
export function html(strings: TemplateStringsArray, ...values: readonly Part[]): Html {
  // the line breaks of the template are not needed on the page
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
 * Makes control characters visible, also those that change the direction of writing.
 *
 * @param text Any text
 * @returns The text with visible signs instead of them
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
