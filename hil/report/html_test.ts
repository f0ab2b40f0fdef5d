// SPDX-License-Identifier: MIT
import { assertEquals, assertNotMatch } from "@std/assert";
import { Html, html, visible } from "./html.ts";

Deno.test("html escapes every text, between tags, in attributes and in lists", () => {
  const text = `<script>"&'</script>`;
  const escaped = "&lt;script&gt;&quot;&amp;&#39;&lt;/script&gt;";
  assertEquals(html`<a title="${text}">${text}</a>`.text, `<a title="${escaped}">${escaped}</a>`);
  assertEquals(html`${[[text], html`<b>${text}</b>`]}`.text, `${escaped}<b>${escaped}</b>`);
  assertEquals(html`${new Html("<i>")}${null}${undefined}${false}${0}`.text, "<i>0");
});

Deno.test("visible() makes control characters visible", () => {
  assertEquals(visible("a\x00\x1b[2J\r\n\x7f"), "a␀␛[2J␍␊⟨U+007F⟩");
  assertEquals(
    visible("abc\u202egnp.exe\u2066\ufeff\u0085"),
    "abc⟨U+202E⟩gnp.exe⟨U+2066⟩⟨U+FEFF⟩⟨U+0085⟩",
  );
  assertEquals(visible("\ud800 lone"), "\ufffd lone");
  assertEquals(visible("größer → 10 µs"), "größer → 10 µs");
});

Deno.test("html escapes every character that could end a text or an attribute", () => {
  for (let code = 0; code < 0x3000; code++) {
    const { text } = html`${String.fromCharCode(code)}`;
    assertNotMatch(text, /[<>"']/);
    // deno-lint-ignore no-control-regex
    assertNotMatch(text, /[\x00-\x1f\x7f-\x9f]/);
  }
});
