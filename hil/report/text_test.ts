// SPDX-License-Identifier: MIT
import { assertEquals } from "@std/assert";
import { sizeText, valueData, valueText } from "./text.ts";

Deno.test("valueText() separates thousands by a narrow no-break space", () => {
  assertEquals([0.0123, 3336.4, 12345.6].map(valueText), ["0.0123", "3336", "12\u202f346"]);
});

Deno.test("valueData() has the exact value behind the rounded one", () => {
  assertEquals(valueData(61.2345678901).text, '<data value="61.2345678901">61.2</data>');
});

Deno.test("sizeText() has no space at which a line can break", () => {
  assertEquals([64, 65_536, 3 << 19].map(sizeText), ["64\u00a0B", "64\u00a0KiB", "1.5\u00a0MiB"]);
});
