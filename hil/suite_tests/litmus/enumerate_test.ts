// SPDX-License-Identifier: MIT
import { assert, assertEquals } from "@std/assert";
import {
  allPrograms,
  canFail,
  generatedTests,
  showsPower,
} from "../../suites/coherence/generated/enumerate.ts";
import { MACHINES } from "../../suites/coherence/generated/model.ts";
import {
  type EventKind,
  formatProgram,
  isLegal,
  parseProgram,
} from "../../suites/coherence/generated/program.ts";

Deno.test("generatedTests() yields the same distinct legal programs each time", () => {
  const texts = generatedTests().map(formatProgram);
  assertEquals(new Set(texts).size, texts.length);
  assertEquals(texts, generatedTests().map(formatProgram));
  assert(texts.every((text) => isLegal(parseProgram(text))));
  assert(texts.length >= 300);
});

Deno.test("generatedTests() holds the programs that a textbook starts with", () => {
  const texts = new Set(generatedTests().map(formatProgram));
  for (
    const text of [
      "tx x | Sx Rx",
      "tx x | Sx Dx Rx",
      "tx x | Sx Ux Lx",
      "rx x | Wx Cx Lx",
      "rx x | Wx Cx Ux Lx",
      "rx x | Sx Dx Wx Cx Ux Lx",
      "tx x, rx y | Sx Dx Rx Wy Cy Ly",
    ]
  ) assert(texts.has(text), text);
});

Deno.test("allPrograms() leaves out no program of one line that ends with an observation", () => {
  const texts = new Set([...allPrograms(4)].map(formatProgram));
  const kinds: EventKind[] = ["S", "L", "D", "U", "R", "W", "C"];
  let legal = 0;
  const visit = (events: EventKind[]): void => {
    for (const direction of ["tx", "rx"] as const) {
      const program = { lines: [direction], events: events.map((kind) => ({ kind, line: 0 })) };
      const ends = events.at(-1) === "L" || events.at(-1) === "R";
      if (!ends || !isLegal(program) || /DD|UU/.test(events.join(""))) continue;
      legal++;
      assert(texts.has(formatProgram(program)), formatProgram(program));
    }
    if (events.length < 4) kinds.forEach((kind) => visit([...events, kind]));
  };
  visit([]);
  assertEquals(legal, [...texts].filter((text) => !text.includes(",")).length);
});

Deno.test("allPrograms() yields one of two programs that differ in the names of their lines", () => {
  const texts = new Set([...allPrograms(5)].map(formatProgram));
  const renamed = (text: string): string =>
    text.replace(
      /\|.*/,
      (events) => events.replaceAll(/[xy]/g, (line) => line === "x" ? "y" : "x"),
    );
  const twice = [...texts].filter((text) => {
    const other = renamed(text);
    return /^tx x, tx|^rx x, rx/.test(text) && other !== text && texts.has(other);
  });
  assertEquals(twice, []);
});

Deno.test("canFail() and showsPower() follow the model", () => {
  const stale = parseProgram("tx x | Sx Rx");
  assertEquals([canFail(stale, ["arm64"]), showsPower(stale, "arm64")], [false, true]);
  const synced = parseProgram("tx x | Sx Dx Rx");
  assertEquals([canFail(synced, MACHINES), showsPower(synced, "arm64")], [true, false]);
  const early = parseProgram("tx x | Lx Sx Lx");
  assertEquals(canFail(early, ["arm64"]), true, "the second load cannot be old");
  assertEquals(canFail(parseProgram("tx x | Lx Dx Lx"), ["arm64"]), false, "nothing was stored");
});
