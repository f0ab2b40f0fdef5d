// SPDX-License-Identifier: MIT
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { Fault } from "../verify/fault.ts";
import { drawFrame } from "./picture.ts";

const FACTS = { size: 65_536, line: 64 };

function fault(offset: number, length: number, damage?: Fault["damage"]): Fault {
  const base: Fault = { kind: "bit-flip", frame: 1, offset, length, blame: null, detail: "" };
  return damage === undefined ? base : { ...base, damage };
}

/** The rectangles of a path: words from the left edge, and bits from 0. */
function rectangles(svg: string, name: string): { word: number; low: number; high: number }[] {
  const path = new RegExp(`class="${name}" d="([^"]*)"`).exec(svg)?.[1] ?? "";
  return [...path.matchAll(/M([\d.]+),(\d+)h([\d.]+)v(\d+)h-/g)].map(([, x, y, w, h]) => {
    const high = 64 - Number(y) / 3;
    return { word: Math.round(Number(x) / Number(w)), low: high - Number(h) / 3, high };
  });
}

Deno.test("drawFrame() draws each wrong bit in its place", () => {
  // a frame that begins 64 bytes into its block: byte 70 is byte 6 of the second word of line 2
  const damage = { offset: 70, base: 64, xor: "0043" + "00".repeat(5) + "ff" };
  const svg = drawFrame([fault(71, 7, damage)], FACTS)?.text ?? "";
  // the picture begins one line before: at byte 0 of the frame
  assertEquals(rectangles(svg, "wrong"), [
    { word: 8, low: 56, high: 58 },
    { word: 8, low: 62, high: 63 },
    { word: 9, low: 40, high: 48 },
  ]);
  assertEquals(rectangles(svg, "extent"), [
    { word: 8, low: 56, high: 64 },
    { word: 9, low: 0, high: 48 },
  ]);
  assertStringIncludes(svg, "byte 0</span>");
});

Deno.test("drawFrame() draws a stale cache line as a block of its width", () => {
  const damage = { offset: 128, base: 64, xor: "ff".repeat(64) };
  const wrong = rectangles(drawFrame([fault(128, 64, damage)], FACTS)?.text ?? "", "wrong");
  assertEquals([...new Set(wrong.map(({ word }) => word))], [8, 9, 10, 11, 12, 13, 14, 15]);
  assertEquals(wrong.reduce((sum, { low, high }) => sum + high - low, 0), 512);
});

Deno.test("drawFrame() marks the pages of the block, not of the frame", () => {
  const svg = drawFrame([fault(4032, 64, { offset: 4032, base: 64, xor: "01" })], FACTS)?.text ??
    "";
  // lines at 3968, 4032 (the page) and 4096 of the frame
  assertEquals([...svg.matchAll(/<path class="(line|page)" d="M[\d.]+,0V192"/g)].map((m) => m[1]), [
    "line",
    "page",
    "line",
    "line",
  ]);
  const marks = /class="page" d="M([\d.]+),0V26/.exec(svg)?.[1];
  assertEquals(marks, (4032 / 65_536 * 640).toFixed(2));
});

Deno.test("drawFrame() draws the extent of a fault, and says that no bits were recorded", () => {
  const svg = drawFrame([fault(10, 3)], { size: null, line: 64 })?.text ?? "";
  assertStringIncludes(svg, "were not recorded");
  assertEquals(rectangles(svg, "extent unknown"), [{ word: 9, low: 16, high: 40 }]);
});

Deno.test("drawFrame() distinguishes correct bits from bits that were not recorded", () => {
  const damage = { offset: 0, base: 64, xor: "01".repeat(8) };
  const svg = drawFrame([fault(0, 24, damage)], FACTS)?.text ?? "";
  assertEquals(rectangles(svg, "extent").map(({ word }) => word), [8]);
  assertEquals(rectangles(svg, "extent unknown").map(({ word }) => word), [9, 10]);
  const whole = drawFrame([fault(0, 8, damage)], FACTS)?.text ?? "";
  assertEquals(rectangles(whole, "extent unknown"), []);
});

Deno.test("drawFrame() makes no large picture, whatever faults a file contains", () => {
  const claims = [
    [fault(0, Number.MAX_SAFE_INTEGER)],
    [fault(-(2 ** 52), 2 ** 52 - 1)],
    [fault(2 ** 40, 2 ** 40, { offset: 2 ** 40, base: 2 ** 40, xor: "a5".repeat(512) })],
    Array.from(
      { length: 16 },
      (_, i) => fault(i * 512, 512, { offset: 0, base: 0, xor: "5a".repeat(512) }),
    ),
  ];
  for (const faults of claims) {
    for (const line of [64, 0, 7, 1e9]) {
      const { length } = drawFrame(faults, { size: 2 ** 50, line })?.text ?? "";
      assert(length < 2_500_000, `${length} characters`);
    }
  }
  assertEquals(drawFrame([fault(0, 0), fault(0.5, 1)], FACTS), null);
});
