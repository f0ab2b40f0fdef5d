// SPDX-License-Identifier: MIT
// Contrast of colours: WCAG 2.1, 1.4.3 (texts, 4.5:1) and 1.4.11 (charts, 3:1).
import { assert, assertEquals } from "@std/assert";
import css from "./style.css" with { type: "text" };
import { styleOf } from "./styles.ts";

/** The variables of a block of the style sheet. */
function variables(block: string): Map<string, string> {
  return new Map(
    [...block.matchAll(/(--[a-z0-9-]+): (#[0-9a-f]{6});/g)].map(([, name, color]) =>
      [name ?? "", color ?? ""] as const
    ),
  );
}

const [, light = "", dark = ""] = css.split(":root {");
const schemes = [["light", variables(light)], ["dark", variables(dark)]] as const;

/** Relative luminance, WCAG 2.1. */
function luminance(color: string): number {
  const [r = 0, g = 0, b = 0] = [1, 3, 5].map((at) => {
    const part = Number.parseInt(color.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(a: string, b: string): number {
  const [low = 0, high = 0] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (high + 0.05) / (low + 0.05);
}

for (const [scheme, colors] of schemes) {
  const check = (front: string, ground: string, least: number) => {
    const [a, b] = [colors.get(`--${front}`) ?? "", colors.get(`--${ground}`) ?? ""];
    assert(contrast(a, b) >= least, `${front} on ${ground}: ${contrast(a, b).toFixed(2)}`);
  };

  Deno.test(`style.css has enough contrast for texts, ${scheme}`, () => {
    for (const ground of ["paper", "shade"]) {
      for (const ink of ["ink", "ink-soft", "link", "pass", "fail", "error", "warn", "skip"]) {
        check(ink, ground, 4.5);
      }
    }
    check("simulated-ink", "simulated", 4.5);
    // filled badges
    for (const ground of ["fail", "error"]) check("paper", ground, 4.5);
  });

  Deno.test(`style.css has enough contrast for charts and wrong bits, ${scheme}`, () => {
    for (let n = 1; n <= 10; n++) check(`series-${n}`, "paper", 3);
    check("rule", "paper", 3);
    check("wrong", "shade", 3);
    check("wrong", "extent", 3);
  });
}

Deno.test("style.css defines every colour for light and dark", () => {
  assertEquals([...schemes[0][1].keys()], [...schemes[1][1].keys()]);
});

Deno.test("styleOf() gives every policy another shape and another colour", () => {
  const names = [
    ...["coherent", "write-combine", "streaming", "streaming-lazy", "noncoherent", "user-pages"],
    ...["user-pages-registered", "manual", "bounce", "none"],
  ];
  const looks = names.map((name, i) => styleOf(name, i).shape);
  assertEquals(new Set(looks).size, names.length);
  assertEquals(new Set(names.map((name, i) => styleOf(name, i).color)).size, names.length);
});
