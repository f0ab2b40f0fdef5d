// SPDX-License-Identifier: MIT
import { assert, assertEquals } from "@std/assert";
import { figure, roundFigure, sizeText } from "./text.ts";

Deno.test("roundFigure() keeps three digits and never fewer than those before the point", () => {
  const cases: [number, string][] = [
    [0, "0"],
    [0.000123, "0.000123"],
    [0.5, "0.5"],
    [9.996, "10"],
    [99.96, "100"],
    [3336.4, "3336"],
    [12345.6, "12\u202f346"],
    [-7.126, "-7.13"],
    [1.5e9, "1.50e+9"],
  ];
  for (const [value, text] of cases) assertEquals(roundFigure(value), text);
});

Deno.test("roundFigure() is never further from a figure than half a percent", () => {
  for (let exponent = -12; exponent < 15; exponent++) {
    for (const digits of [1, 1.0049, 1.234, 3.1416, 9.996]) {
      const value = digits * 10 ** exponent;
      const shown = Number(roundFigure(value).replaceAll("\u202f", ""));
      assert(Math.abs(shown - value) <= 0.0051 * value, `${value} is shown as ${shown}`);
    }
  }
});

Deno.test("figure() has the exact value behind the rounded one", () => {
  assertEquals(figure(61.2345678901).text, '<data value="61.2345678901">61.2</data>');
});

Deno.test("sizeText() uses powers of 1024", () => {
  assertEquals([64, 1023, 1024, 65_536, 1 << 20, 3 << 19].map(sizeText), [
    "64\u00a0B",
    "1023\u00a0B",
    "1\u00a0KiB",
    "64\u00a0KiB",
    "1\u00a0MiB",
    "1.5\u00a0MiB",
  ]);
});
