// SPDX-License-Identifier: MIT
import { assert, assertEquals } from "@std/assert";
import { formatBytes, formatDataAmount, formatNumber } from "./format.ts";

Deno.test("formatBytes() never rounds", () => {
  const sizes: [number, string][] = [
    [0, "0 B"],
    [1023, "1023 B"],
    [1024, "1 KiB"],
    [1280, "1.25 KiB"],
    [1025, "1025 B"],
    [4160, "4160 B"],
    [65_536, "64 KiB"],
    [1 << 20, "1 MiB"],
    [3 << 19, "1.5 MiB"],
    [2 ** 20 + 1024, "1025 KiB"],
    [2 ** 32, "4096 MiB"],
  ];
  for (const [size, text] of sizes) assertEquals(formatBytes(size), text);
});

Deno.test("formatDataAmount() moves to the next unit when three digits would become four", () => {
  const amounts: [number, string][] = [
    [0, "0 B"],
    [999, "999 B"],
    [1000, "1.00 kB"],
    [999_499, "999 kB"],
    [999_500, "1.00 MB"],
    [5e15, "5.00e+3 TB"],
  ];
  for (const [amount, text] of amounts) assertEquals(formatDataAmount(amount), text);
});

Deno.test("formatNumber() keeps three digits, and all digits before the point", () => {
  const numbers: [number, string][] = [
    [0, "0"],
    [0.000123, "0.000123"],
    [0.5, "0.5"],
    [9.996, "10"],
    [99.96, "100"],
    [3336.4, "3336"],
    [12345.6, "12346"],
    [-7.126, "-7.13"],
    [1.5e9, "1.50e+9"],
    [0.00001234, "0.0000123"],
    [1.234e-7, "1.23e-7"],
  ];
  for (const [value, text] of numbers) assertEquals(formatNumber(value), text);
  assertEquals(formatNumber(9999, { separator: "_" }), "9999");
  assertEquals(formatNumber(-1_234_567, { separator: "_" }), "-1_234_567");
});

Deno.test("formatNumber() is at most half a percent away from the value", () => {
  for (let exponent = -12; exponent < 15; exponent++) {
    for (const digits of [1, 1.0049, 1.234, 3.1416, 9.996]) {
      const value = digits * 10 ** exponent;
      const shown = Number(formatNumber(value, { separator: "_" }).replaceAll("_", ""));
      assert(Math.abs(shown - value) <= 0.0051 * value, `${value} is shown as ${shown}`);
    }
  }
});
