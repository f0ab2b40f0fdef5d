// SPDX-License-Identifier: MIT
import { assert, assertEquals, assertThrows } from "@std/assert";
import { BUS_MUTANTS } from "./bus_mutants.ts";
import { CHECKS } from "../suites/abi/mod.ts";
import { MUTANTS, sample } from "./catalogue.ts";
import { DRIVER_MUTANTS } from "./driver/mod.ts";
import { applyEdit, EditError, type Mutant } from "./mutant.ts";

const ROOT = new URL("../../", import.meta.url);
const ALL = [...Object.values(MUTANTS).flat(), ...BUS_MUTANTS];

Deno.test("the edit of each mutant applies to the code as it is now", () => {
  const stale = ALL.flatMap((mutant) => {
    try {
      applyEdit(mutant, Deno.readTextFileSync(new URL(mutant.file, ROOT)));
      return [];
    } catch (error) {
      return [String(error)];
    }
  });
  assertEquals(stale, []);
});

Deno.test("each mutant has a name of its own, and one sentence about what it breaks", () => {
  const ids = ALL.map(({ id }) => id);
  assertEquals(new Set(ids).size, ids.length);
  for (const { id, breaks, equivalent } of ALL) {
    assert(/^[a-z]+(-[a-z]+)+$/.test(id), id);
    for (const text of [breaks, equivalent ?? breaks]) {
      assert(text.length > 10 && !text.endsWith("."), `${id}: ${text}`);
    }
  }
});

Deno.test("sim has at least 20 mutants, the verdicts at least 40, pldma.ko at least 60, and the cache at least 10", () => {
  assert(MUTANTS.sim.length >= 20, `${MUTANTS.sim.length}`);
  assert(MUTANTS.verdict.length >= 40, `${MUTANTS.verdict.length}`);
  assert(MUTANTS.driver.length >= 60, `${MUTANTS.driver.length}`);
  assert(MUTANTS.cache.length >= 10, `${MUTANTS.cache.length}`);
});

Deno.test("each mutant of pldma.ko names a check or a program that exists", () => {
  const programs = Array.from(Deno.readDirSync(new URL("driver/kernel/tests/", ROOT)))
    .map(({ name }) => name);
  const missing = DRIVER_MUTANTS.filter(({ probe: { command } }) =>
    "abi" in command
      ? !CHECKS.some(({ name }) => name.includes(command.abi))
      : !programs.includes(`${command.program.split("; ").at(-1)?.split(" ")[0]}.c`)
  );
  assertEquals(missing.map(({ id, probe }) => `${id}: ${probe.name}`), []);
});

Deno.test("applyEdit() throws unless the text occurs once and changes", () => {
  const mutant: Mutant = { id: "x-y", file: "a.ts", find: "1", replace: "$&", breaks: "a number" };
  assertEquals(applyEdit(mutant, "a1b"), "a$&b");
  assertThrows(() => applyEdit(mutant, "2"), EditError, "once in a.ts, found it 0 times");
  assertThrows(() => applyEdit(mutant, "11"), EditError, "found it 2 times");
  assertThrows(() => applyEdit({ ...mutant, replace: "1" }, "1"), EditError, "found none");
});

Deno.test("sample() chooses other items with another seed, each with the same chance", () => {
  const items = Array.from({ length: 20 }, (_, i) => i);
  const counts = items.map(() => 0);
  for (let seed = 0; seed < 2000; seed++) {
    const chosen = sample(items, 5, seed);
    assertEquals(new Set(chosen).size, 5);
    for (const item of chosen) counts[item] = (counts[item] ?? 0) + 1;
  }
  // 500 on average, with a standard deviation of 19
  assert(counts.every((count) => count > 400 && count < 600), counts.join(" "));
});
