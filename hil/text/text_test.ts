// SPDX-License-Identifier: MIT
import { assert, assertEquals } from "@std/assert";
import { show, truncate, wrap } from "./text.ts";

Deno.test("show() gives at most 40 characters", () => {
  assertEquals(show("x".repeat(38)).length, 40);
  assertEquals(show("x".repeat(39)), `"${"x".repeat(38)}…`);
});

Deno.test("truncate() keeps a text that just fits", () => {
  assertEquals([truncate("abc", 3), truncate("abcd", 3), truncate("abc", 1)], ["abc", "ab…", "…"]);
});

Deno.test("wrap() loses no word, exceeds no width, and repeats the indentation", () => {
  const text = `  ${"a long-winded reason ".repeat(5)}${"x".repeat(50)}`;
  for (const width of [8, 20, 41]) {
    const lines = wrap(text, width, "    ");
    for (const line of lines) assert(line.length <= width, line);
    assert(lines.every((line, i) => line.startsWith(i === 0 ? "  " : "      ")), lines.join("\n"));
    assertEquals(lines.join("").replaceAll(" ", ""), text.replaceAll(" ", ""));
  }
});

Deno.test("wrap() of an empty text is one empty line", () => {
  assertEquals(wrap("", 20, "  "), [""]);
});
